"""What a build can leave undone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from service_quality import ops, runner

UNTIL = datetime(2026, 11, 8, 21, tzinfo=UTC)


@pytest.fixture
def conn(database_url):
    with ops.connect(database_url) as connection:
        ops.prepare(connection)
        _build(connection, status="published")
        yield connection


def _build(conn, **values):
    row = {
        "status": "planned", "load_ids": [], "touched_days": [], "data_until": UNTIL, "settings_hash": "x",
        "is_full": False, **values,
    }  # fmt: skip
    return conn.execute(
        "insert into ops.builds (status, load_ids, touched_days, data_until, settings_hash, is_full) values"
        " (%(status)s, %(load_ids)s, %(touched_days)s, %(data_until)s, %(settings_hash)s, %(is_full)s) returning *",
        row,
    ).fetchone()


def _load(conn, rows_raw):
    return conn.execute(
        "insert into ops.loads (source, window_start, window_end, status, rows_read, rows_raw, rows_unchanged,"
        " rows_quarantined) values ('crm', '2026-11-07', '2026-11-08', 'promoted', 5, %s, %s, 0) returning load_id",
        (rows_raw, 5 - rows_raw),
    ).fetchone()["load_id"]


def test_a_build_without_days_and_new_rows_brings_nothing(conn):
    assert runner._brings_nothing(conn, _build(conn, load_ids=[_load(conn, 0)]))


@pytest.mark.parametrize(
    "values",
    [{"touched_days": [date(2026, 11, 8)]}, {"is_full": True}, {"settings_hash": "y"}, {"data_until": None}],
    ids=lambda v: next(iter(v)),
)
def test_days_settings_time_and_full_builds_bring_something(conn, values):
    assert not runner._brings_nothing(conn, _build(conn, **values))


def test_a_new_row_of_any_table_brings_something(conn):
    loads = [_load(conn, 0), _load(conn, 1)]
    assert not runner._brings_nothing(conn, _build(conn, load_ids=loads))


def test_after_a_build_that_failed_everything_runs(conn):
    _build(conn, status="failed")
    assert not runner._brings_nothing(conn, _build(conn))


def test_the_first_build_runs(conn):
    conn.execute("delete from ops.builds")
    assert not runner._brings_nothing(conn, _build(conn))
