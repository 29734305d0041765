"""Analyses: whole tables or touched days are replaced, and their code is a part of the definitions."""

from __future__ import annotations

from datetime import date

import pytest
from service_quality import analyse, ops, settings, transform
from service_quality.analyses.base import Analysis, Scope
from service_quality.window import Reach, last_whole_day

ONE, TWO, THREE = (date(2026, 11, d) for d in (1, 2, 3))


@pytest.fixture
def conn(database_url):
    with ops.connect(database_url) as connection:
        ops.prepare(connection)
        yield connection


def _rows(conn):
    return [tuple(r.values()) for r in conn.execute("select * from intermediate.calculated_thing as t order by t")]


def _thing(value, reach=None):
    columns = (("value", "bigint"), ("business_day", "date"))
    return Analysis("thing", columns, lambda conn, scope: [(value, day) for day in scope.touched_days], reach)


@pytest.mark.postgres
def test_only_what_touched_days_reach_is_replaced(conn):
    analyse.run(conn, Scope([ONE, TWO, THREE], THREE, True), [_thing(1, Reach())])
    assert analyse.run(conn, Scope([TWO], THREE, False), [_thing(2, Reach())]) == {"calculated_thing": 1}
    assert _rows(conn) == [(1, ONE), (1, THREE), (2, TWO)]
    analyse.run(conn, Scope([ONE], THREE, False), [_thing(3, Reach(after=1))])
    assert _rows(conn) == [(1, THREE), (3, ONE)]


@pytest.mark.postgres
def test_statistics_are_made_again_when_a_tenth_is_new(conn):
    def known():
        return conn.execute("select reltuples from pg_class where relname = 'calculated_thing'").fetchone()["reltuples"]

    days = [date(2026, 10, d) for d in range(1, 31)]
    analyse.run(conn, Scope(days, THREE, True), [_thing(1, Reach())])
    assert known() == 30
    analyse.run(conn, Scope([ONE], THREE, False), [_thing(1, Reach())])
    assert known() == 30
    analyse.run(conn, Scope(days[:4], THREE, False), [_thing(1, Reach())])
    assert known() == 31


@pytest.mark.postgres
def test_a_table_without_days_is_replaced_as_a_whole(conn):
    analyse.run(conn, Scope([ONE, TWO], THREE, False), [_thing(1)])
    analyse.run(conn, Scope([THREE], THREE, False), [_thing(2)])
    assert _rows(conn) == [(2, THREE)]


@pytest.mark.postgres
def test_a_changed_declaration_makes_the_table_anew(conn):
    analyse.run(conn, Scope([ONE], THREE, False), [_thing(1)])
    other = Analysis("thing", (("word", "text"),), lambda conn, scope: [("a",)])
    analyse.run(conn, Scope([ONE], THREE, False), [other])
    assert _rows(conn) == [("a",)]


def test_the_last_whole_day_is_yesterday_by_the_providers_clock():
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    moscow = ZoneInfo("Europe/Moscow")
    assert last_whole_day(datetime(2026, 11, 3, 21, tzinfo=UTC), moscow) == THREE
    assert last_whole_day(datetime(2026, 11, 3, 20, 59, tzinfo=UTC), moscow) == TWO


def test_an_analysis_is_a_part_of_the_definitions(monkeypatch, tmp_path):
    from service_quality import config

    before = settings.fingerprint(config.load(), transform.PROJECT)
    (tmp_path / "analyses").mkdir()
    (tmp_path / "analyses" / "new.py").write_text("")
    monkeypatch.setattr(settings, "__file__", str(tmp_path / "settings.py"))
    assert settings.fingerprint(config.load(), transform.PROJECT) != before
