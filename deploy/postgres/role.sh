#!/bin/sh
# Run once by the image, on an empty volume: our role owns its database, and has no right over the server.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set password `cat "${DATABASE_PASSWORD_FILE:-/run/secrets/database_password}"`
CREATE ROLE headersweep LOGIN PASSWORD :'password';
CREATE DATABASE headersweep OWNER headersweep;
REVOKE CONNECT ON DATABASE headersweep FROM PUBLIC;
SQL
