"""Fixtures shared by all tests: a fresh database on a throw-away embedded Postgres."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mariadb import mariadb_server  # noqa: F401  (a fixture)

REPO = Path(__file__).resolve().parents[1]
FIXTURES = REPO / "tests" / "fixtures"

os.environ.setdefault("DO_NOT_TRACK", "1")
# Airflow reads these at its first import, in whichever test that happens.
os.environ.setdefault("AIRFLOW_HOME", str(REPO / ".local" / "airflow-tests"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
os.environ.setdefault("QUALITY_PEPPER", "pepper-of-the-tests")


@pytest.fixture(scope="session")
def server():
    """The embedded server (shared with the developer's own, in databases of its own)."""
    from service_quality.local import postgres

    ran_before = postgres.running() is not None
    yield postgres.start()
    if not ran_before:
        postgres.stop()


@pytest.fixture
def database_url(server) -> Iterator[str]:
    """URL of an empty database that is dropped afterwards."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name}")
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def prepared_url(server) -> Iterator[str]:
    """URL of a prepared warehouse shared by the tests of a module; ``emptied`` of tests/landed.py empties it."""
    import psycopg
    from service_quality import ops

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name}")
    with ops.connect(server.url(name)) as conn:
        ops.prepare(conn)
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)")
