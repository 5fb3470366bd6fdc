# One image for every service of docker-compose.yml: the checkout itself with its locked environment.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/srv/hanbeon \
    HANBEON_HOME__PATH=/var/lib/hanbeon AIRFLOW_HOME=/var/lib/hanbeon/airflow

WORKDIR /srv/hanbeon

COPY requirements.lock ./
RUN awk '/^[^ #]/ {wanted = /^uv==/} wanted' requirements.lock > /tmp/uv.txt \
    && pip install --quiet --no-cache-dir --require-hashes -r /tmp/uv.txt \
    && uv pip sync --quiet --no-cache --system --require-hashes requirements.lock \
    && rm /tmp/uv.txt

COPY . .
RUN printf '#!/bin/sh\nexec python -m hanbeon "$@"\n' > /usr/local/bin/hanbeon \
    && chmod 755 /usr/local/bin/hanbeon deploy/entrypoint \
    && useradd --uid 10001 --create-home hanbeon \
    && install -d -o hanbeon -g hanbeon -m 700 /var/lib/hanbeon

USER hanbeon
VOLUME /var/lib/hanbeon
ENTRYPOINT ["/srv/hanbeon/deploy/entrypoint"]
CMD ["hanbeon", "--help"]
