"""What the Airflow side computes itself: windows from runs, URLs from connections."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from airflow.sdk import Connection
from service_quality.config import ConfigError
from service_quality.pipeline import connection_url, url_of, window_asked
from service_quality.window import Window

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
NOBODY = (None, None)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


NOW = utc(2026, 11, 7, 22, 30)  # 01:30 on the 8th in Moscow


def asked(begin=None, end=None, interval=NOBODY, zone=MOSCOW, now=NOW):
    return window_asked({"from": begin, "to": end}, interval, now, zone)


def test_a_named_window_is_taken_as_it_is_in_the_providers_zone():
    assert asked("2025-01-01", "2025-02-01") == (Window(utc(2024, 12, 31, 21), utc(2025, 1, 31, 21)), True)


def test_a_named_instant_may_carry_its_own_zone():
    assert asked("2025-01-01T00:00Z", "2025-01-01T06:00+03:00")[0] == Window(utc(2025, 1, 1), utc(2025, 1, 1, 3))


def test_without_an_end_it_reaches_to_the_last_midnight():
    assert asked("2026-11-01")[0].end == utc(2026, 11, 7, 21)


def test_the_clocks_interval_becomes_whole_local_days():
    interval = (utc(2026, 11, 6, 22, 20), utc(2026, 11, 7, 22, 20))  # 01:20 to 01:20 in Moscow
    assert asked(interval=interval) == (Window(utc(2026, 11, 6, 21), utc(2026, 11, 7, 21)), False)


def test_a_run_by_hand_without_params_is_for_yesterday():
    assert asked() == (Window(utc(2026, 11, 6, 21), utc(2026, 11, 7, 21)), False)


def test_the_autumn_day_has_25_hours():
    window, _ = asked(zone=BERLIN, now=utc(2026, 10, 26, 1))
    assert window == Window(utc(2026, 10, 24, 22), utc(2026, 10, 25, 23))


@pytest.mark.parametrize(
    ("begin", "end"),
    [("yesterday", None), ("2025-02-01", "2025-01-01"), (None, "2025-01-01"), ("2025-01-01", "2025-01-01")],
)
def test_what_cannot_be_a_window_is_refused_by_name(begin, end):
    with pytest.raises(ConfigError, match="'from' and 'to'"):
        asked(begin, end)


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        (
            {"conn_type": "postgres", "host": "db", "port": 5432, "login": "u", "password": "p@:/", "schema": "crm"},
            "postgresql://u:p%40%3A%2F@db:5432/crm",
        ),
        (
            {"conn_type": "mysql", "host": "db", "login": "u", "password": "p", "schema": "crm",
             "extra": '{"charset": "utf8mb4"}'},
            "mysql://u:p@db/crm?charset=utf8mb4",
        ),
        ({"conn_type": "http", "host": "https://survey.example.org/", "login": "a", "password": "b"},
         "https://a:b@survey.example.org"),
        ({"conn_type": "http", "host": "survey", "port": 8443, "schema": "https"}, "https://survey:8443"),
        ({"conn_type": "http", "host": "survey"}, "http://survey"),
    ],
)  # fmt: skip
def test_connections_of_airflows_store_become_urls(connection, url):
    assert url_of(Connection(conn_id="x", **connection)) == url


def test_a_url_in_the_environment_is_taken_as_written(monkeypatch):
    url = "mysql+pymysql://u:p%40@h:3306/crm?charset=utf8mb4"
    monkeypatch.setenv("AIRFLOW_CONN_CRM", url)
    assert connection_url("crm") == url


def test_airflows_json_form_works_too(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_CRM", '{"conn_type": "postgres", "host": "db", "schema": "crm"}')
    assert connection_url("crm") == "postgresql://db/crm"


def test_an_unknown_connection_names_what_to_set(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_NOWHERE", raising=False)
    with pytest.raises(ConfigError, match="AIRFLOW_CONN_NOWHERE"):
        connection_url("nowhere")


def test_new_surges_are_told_after_the_publication(monkeypatch):
    from service_quality import alerts, pipeline, runner

    done: list[str] = []
    monkeypatch.setattr(runner, "publish_build", lambda build_id: done.append(f"published {build_id}") or {"m": 1})
    monkeypatch.setattr(alerts, "topic_surges", lambda build_id: done.append(f"told after {build_id}"))
    assert pipeline._publish.function(7) == {"m": 1}
    assert done == ["published 7", "told after 7"]
