"""``python -m service_quality.local up|down|status|docs``: what the Makefile calls."""

from __future__ import annotations

import os
import shutil
import sys
import webbrowser
from urllib.parse import urlsplit

from service_quality import ops
from service_quality.local import airflow, postgres


def main(arguments: list[str]) -> int:
    """Run one of the commands; gives the exit status."""
    commands = {"up": up, "down": down, "status": status, "docs": docs}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"usage: python -m service_quality.local {'|'.join(commands)}", file=sys.stderr)
        return 2
    return commands[arguments[0]]()


def up() -> int:
    """Start warehouse and Airflow and leave them running."""
    print("starting the warehouse and Airflow ...", flush=True)
    try:
        with ops.connect() as conn:
            ops.prepare(conn)
        airflow.start(by_clock=os.environ.get("QUALITY_SCHEDULE") != "manual")
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return status()


def down() -> int:
    """Stop Airflow, then the embedded Postgres."""
    print("Airflow stopped" if airflow.stop() else "Airflow did not run")
    print("warehouse stopped" if postgres.stop() else "the embedded warehouse did not run")
    return 0


def status() -> int:
    """Say what runs and where the passwords are; 1 when Airflow does not run."""
    server = postgres.running()
    if url := os.environ.get("WAREHOUSE_URL"):
        parts = urlsplit(url)
        print(f"warehouse  {parts.hostname}:{parts.port or 5432}{parts.path} (WAREHOUSE_URL)")
    elif server:
        print(f"warehouse  postgresql://quality@127.0.0.1:{server.port}/warehouse")
        print(f"           password: {postgres.home() / 'postgres.json'}")
    else:
        print("warehouse  is not running")
    running = airflow.running()
    if running is None:
        print("Airflow    is not running")
        return 1
    print(f"Airflow    {running.url}")
    print(f"           user: {running.user}, password: {running.password_file}")
    print(f"           logs: {airflow.home() / 'logs'}")
    return 0


def docs() -> int:
    """Write the dbt documentation as one self-contained page to ``docs/site`` and name it."""
    from service_quality import transform

    ran_before = postgres.running() is not None
    try:
        outcome = transform.invoke(ops.warehouse_url(), ["docs", "generate", "--static"])
    finally:
        if not ran_before:
            postgres.stop()
    if not outcome.success:
        print(f"dbt docs: {outcome.exception}", file=sys.stderr)
        return 1
    page = postgres.REPO / "docs" / "site" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(postgres.home() / "dbt" / "target" / "static_index.html", page)
    print(f"file://{page}")
    if os.environ.get("DISPLAY"):
        webbrowser.open(f"file://{page}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
