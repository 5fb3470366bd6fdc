#!/bin/sh
# Run once by the PostgreSQL image on an empty cluster: a database with a role of the same name for the ledger and Airflow.
set -eu
for name in ledger airflow; do
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
        --set name="$name" --set password="$(cat "${SECRETS:-/run/secrets}/${name}_password")" <<'SQL'
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke connect on database :"name" from public;
SQL
done
