#!/bin/sh
# Make the secrets that docker-compose.yml names, once, in deploy/secrets (ignored by git). Existing ones are kept.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
for name in postgres_password ledger_password airflow_password airflow_jwt airflow_session; do
    [ -s "secrets/$name" ] || head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"secrets/$name"
done
# Fernet wants 32 bytes in URL-safe base64.
[ -s secrets/airflow_fernet ] || head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n' >secrets/airflow_fernet
chmod 644 secrets/*  # the containers' users read them; the folder above is closed to others
