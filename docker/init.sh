#!/bin/sh
# Before the components start: Airflow's tables, the warehouse's schemas, the admin's password. Idempotent.
set -eu
umask 077
airflow db migrate
python - <<'PYTHON'
import json, os, pathlib

from service_quality import config, ops

config.load()  # says what is wrong in config/ before anything runs
with ops.connect() as conn:
    ops.prepare(conn)
path = pathlib.Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
path.touch(mode=0o600)
path.write_text(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}))
PYTHON
