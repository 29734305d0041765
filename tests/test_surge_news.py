"""Which surges are told: those of the newest day, each once, none that a known outage explains."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from service_quality import alerts, cli, ops, surge_news
from typer.testing import CliRunner

pytestmark = pytest.mark.postgres

NEWEST = date(2026, 10, 15)


@pytest.fixture
def conn(database_url):
    with ops.connect(database_url) as connection:
        ops.prepare(connection)
        connection.execute(
            "insert into ops.builds (status, load_ids, touched_days, settings_hash)"
            " values ('published', '{}', '{}', '')"
        )
        connection.execute(
            "create table marts.topic_surges (branch_id text, topic_id text, business_day date, contacts bigint,"
            " expected double precision, excess double precision, p_value double precision, q_value double precision,"
            " verdict text, detected_by text, leading_branch_id text, surge_start date, surge_days bigint,"
            " outage_id text, outage_contacts bigint, surge_id text)"
        )
        connection.commit()
        yield connection


def _row(conn, branch, back, verdict="surge", start_back=None, p=0.001, excess=10.0):
    day = NEWEST - timedelta(days=back)
    start = NEWEST - timedelta(days=back if start_back is None else start_back)
    is_found = verdict in ("surge", "known_outage")
    conn.execute(
        "insert into marts.topic_surges values (%s, 't', %s, 20, 10, %s, %s, %s, %s, %s, null, %s, %s, null, 0, %s)",
        (branch, day, excess, p, p, verdict, "tail" if is_found else None, start if is_found else None,
         (day - start).days + 1 if is_found else None, f"{branch}|t|{start}" if is_found else None),
    )  # fmt: skip
    conn.commit()


def _told(conn):
    """What is told now, and heard."""
    found = surge_news.to_tell(conn)
    surge_news.told(conn, 1, found)
    return [row["surge_id"] for row in found]


def test_a_surge_is_told_once_and_again_only_when_another_begins(conn):
    _row(conn, "a", 1)
    _row(conn, "a", 0, start_back=1)
    _row(conn, "b", 0, excess=50.0)
    assert _told(conn) == ["b|t|2026-10-15", "a|t|2026-10-14"]
    assert _told(conn) == []
    _row(conn, "c", 0)
    assert _told(conn) == ["c|t|2026-10-15"]


def test_what_was_not_delivered_is_told_again(conn, database_url, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_URL", database_url)
    monkeypatch.setenv("QUALITY_ALERT_WEBHOOK", "http://nowhere/hook")
    monkeypatch.delenv("QUALITY_ALERT_EMAIL", raising=False)
    heard: list[str] = []

    def broken(url, subject, body):
        raise OSError("no route")

    monkeypatch.setattr(alerts, "_webhook", broken)
    _row(conn, "a", 0)
    alerts.topic_surges(1)
    assert conn.execute("select count(*) as n from ops.surge_alerts").fetchone()["n"] == 0
    monkeypatch.setattr(alerts, "_webhook", lambda url, subject, body: heard.append(body))
    alerts.topic_surges(1)
    alerts.topic_surges(1)
    assert len(heard) == 1 and "a|t|2026-10-15" in heard[0]


def test_where_the_log_is_the_only_way_a_surge_is_told_once(conn, database_url, monkeypatch, caplog):
    monkeypatch.setenv("WAREHOUSE_URL", database_url)
    for name in ("QUALITY_ALERT_WEBHOOK", "QUALITY_ALERT_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    _row(conn, "a", 0)
    alerts.topic_surges(1)
    alerts.topic_surges(1)
    assert caplog.text.count("ALERT Topic surge") == 1


def test_an_outage_that_was_known_is_not_told_but_shown(conn):
    _row(conn, "a", 0, "known_outage")
    assert _told(conn) == []
    assert [r["verdict"] for r in surge_news.running(conn)] == ["known_outage"]


def test_the_past_is_not_told_and_a_branch_that_ends_its_day_later_is(conn):
    _row(conn, "a", 5)
    _row(conn, "b", 0, "usual", p=0.5)
    _row(conn, "west", 1)
    _row(conn, "west", 0, "partial", p=None)
    _row(conn, "over", 1)
    _row(conn, "over", 0, "usual", p=0.5)
    assert _told(conn) == ["west|t|2026-10-14"]
    assert [r["branch_id"] for r in surge_news.running(conn, NEWEST - timedelta(days=5))] == ["a"]


def test_nothing_is_told_before_the_first_publication(database_url):
    with ops.connect(database_url) as conn:
        ops.prepare(conn)
        assert surge_news.running(conn) == [] and surge_news.to_tell(conn) == []


def test_the_command_shows_the_running_ones(conn, database_url, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_URL", database_url)
    _row(conn, "a", 0)
    shown = CliRunner().invoke(cli.app, ["surges"])
    assert shown.exit_code == 0 and "a|t|2026-10-15" in shown.output and "10.0" in shown.output
    assert "(none)" in CliRunner().invoke(cli.app, ["surges", "--day", "2026-10-01"]).output
