"""Airflow's scheduler with the heavy libraries already imported.

The tasks of the LocalExecutor are forks of this process: what is imported here, every task has for nothing,
instead of 2 to 4 seconds each. It also waits for the API server, without which a starting task can bring
the scheduler down.
"""

from __future__ import annotations

import importlib
import logging
import sys
import time
import urllib.error
import urllib.request

HEAVY = (
    "pandas", "pyarrow", "great_expectations", "dbt.cli.main", "dbt.adapters.postgres", "psycopg",
    # What each task would import again before its work begins.
    "airflow.sdk.execution_time.task_runner", "airflow.dag_processing.dagbag", "airflow.dag_processing.bundles.local",
    "service_quality.pipeline", "service_quality.runner", "service_quality.sources.crm",
    "service_quality.sources.telephony", "service_quality.sources.ivr", "service_quality.sources.survey",
)  # fmt: skip


def main() -> None:
    """Import, wait, become ``airflow scheduler``. ``argv[1]`` is the API server's health URL."""
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # hundreds of lines while it is imported
    from airflow.__main__ import main as airflow

    for name in HEAVY:
        importlib.import_module(name)
    wait_for(sys.argv[1])
    sys.argv = ["airflow", "scheduler", "--skip-serve-logs"]
    airflow()


def wait_for(url: str, seconds: float = 120) -> None:
    """Return as soon as ``url`` answers 200, or after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


if __name__ == "__main__":
    main()
