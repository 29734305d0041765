"""The simulated provider as a fixture's material: made once, played, and loaded into warehouses of its own."""

from __future__ import annotations

import csv
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from service_quality import config, ops, runner
from service_quality.window import Window, nights

from demo import provider, survey_server

SOURCES = ("crm", "telephony", "ivr", "survey")


@dataclass
class Stage:
    """A provider whose doors are open, and an empty warehouse."""

    home: Path
    url: str

    def play(self, until: date, broken: str | None = None) -> None:
        """Show the provider as it is at the end of a day."""
        provider.play(self.home, until, broken)

    def load(self, first: date, last: date, sources: tuple[str, ...] = SOURCES) -> dict[str, dict[str, Any]]:
        """Load whole local days; the accounting by source."""
        window = self.window(first, last)
        return {s: runner.load(s, window, config.connection_from_environment) for s in sources}

    def window(self, first: date, last: date) -> Window:
        """Local midnights of the provider."""
        return nights(first, last, config.load().provider.zone)

    def rows(self, text: str) -> list[dict[str, Any]]:
        """Rows of a query on the warehouse."""
        with ops.connect(self.url) as conn:
            return conn.execute(text).fetchall()

    def truth(self, name: str) -> list[dict[str, str]]:
        """Rows of a truth file."""
        with (self.home / "truth" / f"{name}.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def marts(self) -> dict[str, list[dict[str, Any]]]:
        """All published tables."""
        names = self.rows(
            "select relname as n from pg_class where relnamespace = 'marts'::regnamespace and relkind = 'r' order by 1"
        )
        return {r["n"]: self.rows(f'select * from marts."{r["n"]}"') for r in names}

    def fresh_warehouse(self, server: Any) -> None:
        """Go on with another, empty warehouse."""
        self.url = _new_database(server, "warehouse")


def _new_database(server: Any, purpose: str) -> str:
    name = f"test_{purpose}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name}")
    return str(server.url(name))


@contextmanager
def stage(server: Any, home: Path, contacts_per_day: int) -> Iterator[tuple[Stage, pytest.MonkeyPatch]]:
    """Create the provider, open its doors, point the environment at them; drops the databases afterwards."""
    made = provider.create(home, 7, 93, contacts_per_day, date(2026, 8, 8))
    assert made.days == 93
    crm = _new_database(server, "crm")
    survey = survey_server.server(home, 0, survey_server.Options(user="quality", password="told-to-nobody"))
    thread = threading.Thread(target=survey.serve_forever, daemon=True)
    thread.start()
    play = Stage(home, _new_database(server, "warehouse"))
    used = {crm, play.url}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("QUALITY_CONFIG_DIR", raising=False)
        patch.setenv("DEMO_HOME", str(home))
        patch.setenv("DEMO_CRM_URL", crm)
        patch.setenv("AIRFLOW_CONN_CRM", crm)
        patch.setenv("AIRFLOW_CONN_SURVEY", f"http://quality:told-to-nobody@127.0.0.1:{survey.server_address[1]}")
        patch.setenv("WAREHOUSE_URL", play.url)
        try:
            yield play, patch
        finally:
            survey.shutdown()
            survey.server_close()
            used.add(play.url)
            with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
                for url in used:
                    conn.execute(f"drop database if exists {url.rsplit('/', 1)[1]} with (force)")
