"""The CRM in MariaDB and in Postgres: the same queries return the same rows."""

from __future__ import annotations

from datetime import date

import pytest
from service_quality import config
from service_quality.sources.crm import CrmSource
from service_quality.window import nights

from demo import provider


def rows(url: str, first: date, last: date) -> dict[str, set[tuple[str, ...]]]:
    """Every row of every table, as text."""
    settings = config.load(config.REPO / "config")
    assert settings.crm is not None
    window = nights(first, last, settings.provider.zone)
    found: dict[str, set[tuple[str, ...]]] = {}
    for table, batch in CrmSource(settings.crm, config.REPO / "config" / "crm", url).read(window):
        values = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        found.setdefault(table.name, set()).update(tuple(map(str, row)) for row in values)
    return found


@pytest.mark.mariadb
def test_both_databases_give_the_same_rows_at_once_and_for_a_night(mariadb_server, database_url, tmp_path):
    provider.create(tmp_path, days=8, contacts_per_day=150)
    mariadb_url = mariadb_server.url(mariadb_server.create_database())
    for last, first in ((date(2026, 8, 13), date(2026, 8, 8)), (date(2026, 8, 14), date(2026, 8, 14))):
        provider.play(tmp_path, last, crm_url=database_url)
        provider.play(tmp_path, last, crm_url=mariadb_url)
        in_postgres, in_mariadb = rows(database_url, first, last), rows(mariadb_url, first, last)
        assert in_postgres["tickets"]
        assert in_mariadb == in_postgres
