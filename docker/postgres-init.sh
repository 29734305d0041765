#!/bin/sh
# Run once by the postgres image on an empty volume: Airflow's own role and database beside the warehouse.
set -eu
psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set password="$AIRFLOW_DB_PASSWORD" <<'SQL'
create role airflow login password :'password';
create database airflow owner airflow;
SQL
