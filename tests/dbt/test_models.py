"""The core models on a small log of everything awkward: built at once, day by day, and with days out of order.

The log is written into `raw` directly, as promote leaves it: nothing else of the pipeline takes part.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from service_quality import analyse, contract, ops, transform

pytestmark = pytest.mark.postgres

DAYS = [date(2026, 1, d) for d in (4, 5, 6, 7, 8)]
UNTIL = datetime(2026, 1, 8, 21, tzinfo=UTC)  # midnight in Moscow
CORE = [
    "fct_queue_visits", "fct_contacts", "fct_ratings", "fct_operator_states", "fct_ring_no_answers", "fct_tickets",
    "fct_repeat_contacts", "fct_evaluations", "event_leftovers", "dim_operator", "dim_branch", "dim_topic",
]  # fmt: skip
EMPTY = ["fct_survey_responses", "fct_connections", "fct_ticket_events"]

# server | time | callid | queue | agent | event | parameters; a number in brackets is the caller.
LOG = """
a|05 10:00:00|100.1|tech|NONE|ENTERQUEUE|||1 (h1)
a|05 10:00:18|100.1|tech|NONE|EXITWITHTIMEOUT|1|1|18
a|05 10:00:18|100.1|client|NONE|ENTERQUEUE|||1 (h1)
a|05 10:00:23|100.1|client|Agent/1|CONNECT|5|101.2|4
a|05 10:01:23|100.1|client|Agent/1|COMPLETEAGENT|5|60|1
b|05 10:00:00|100.1|tech|NONE|ENTERQUEUE|||1 ()
b|05 10:00:07|100.1|tech|NONE|ABANDON|1|1
a|05 11:00:00|110.1|tech|NONE|ENTERQUEUE|||1 ()
a|05 11:00:02|110.1|tech|Agent/2|CONNECT|2|111.2|1
a|05 11:00:02|110.1|tech|Agent/2|COMPLETECALLER|2|0|1
a|05 12:00:00|120.1|tech|NONE|ENTERQUEUE|||1 (h2)
a|05 12:00:04|120.1|tech|Agent/1|CONNECT|4|121.2|2
a|05 12:00:44|120.1|tech|Agent/1|ATTENDEDTRANSFER|LINK|SIP/1-1|SIP/2-2|4|40|1
a|05 12:30:00|130.1|tech|NONE|ENTERQUEUE|||1 (h3)
a|05 12:30:09|130.1|tech|NONE|EXITWITHKEY|0|1|1|9
a|05 13:00:00|NONE|NONE|Agent/1|UNPAUSEALL|
a|05 23:30:00|NONE|NONE|Agent/1|PAUSEALL|Lunch
a|05 23:30:00|NONE|tech|Agent/1|PAUSE|Lunch
a|05 23:30:00|NONE|client|Agent/1|PAUSE|Lunch
a|06 00:30:00|NONE|tech|Agent/1|UNPAUSE|
a|06 00:40:00|NONE|client|Agent/1|UNPAUSE|
a|05 23:59:50|200.1|tech|NONE|ENTERQUEUE|||1 (h1)
a|06 00:00:02|200.1|tech|Agent/2|CONNECT|12|201.2|3
a|06 00:02:02|200.1|tech|Agent/2|COMPLETECALLER|12|120|1
a|06 09:00:00|300.1|tech|NONE|ENTERQUEUE|||1 (h4)
a|06 09:00:03|301.1|tech|NONE|ENTERQUEUE|||2 (h5)
a|06 09:00:05|300.1|tech|Agent/1|CONNECT|5|302.2|1
a|06 09:05:00|NONE|NONE|NONE|QUEUESTART|
a|06 09:06:00|310.1|tech|NONE|ENTERQUEUE|||1 (h4)
a|06 09:06:05|310.1|tech|Agent/1|RINGNOANSWER|15000
a|06 09:06:25|310.1|tech|NONE|WITHDRAW|1|1|25|bye
a|06 09:07:00|320.1|tech|Agent/1|FROBNICATE|x
a|06 22:00:00|400.1|tech|NONE|ENTERQUEUE|||1 (h6)
a|08 08:00:00|NONE|NONE|NONE|QUEUESTART|
"""
# server | time | uniqueid | linkedid | context | application | data | called | disposition | userfield | caller
CDR = """
a|05 10:00:00|100.1|100.1|from-trunk|Queue|client|SIP/1|ANSWERED||h1
a|05 10:00:18|101.2|100.1|agents|Dial|SIP/1|SIP/1|ANSWERED||h1
a|05 12:00:00|120.1|120.1|from-trunk|Queue|tech|SIP/1|ANSWERED||h2
a|05 12:00:20|125.1|125.1|internal|Dial|SIP/2|SIP/2|ANSWERED||
a|05 12:00:44|125.1|120.1|internal|Dial|SIP/2|SIP/2|ANSWERED||
a|05 14:00:00|140.1|140.1|after|Hangup|||ANSWERED|qs=FULL|h7
a|05 14:01:00|141.1|141.1|menu|BackGround|hello||ANSWERED||h8
a|05 14:02:00|142.1|142.1|out|Dial|SIP/trunk|SIP/trunk-1|ANSWERED||
a|06 15:00:00|143.1|143.1|from-trunk|Queue|sales,t||ANSWERED||
"""


@pytest.fixture(scope="module")
def url(server) -> Iterator[str]:
    import psycopg

    name = "test_models_core"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database if exists {name} with (force)")
        conn.execute(f"create database {name}")
    with ops.connect(server.url(name)) as conn:
        ops.prepare(conn)
        analyse.prepare(conn)
        conn.commit()
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)")


def dbt(url: str, *arguments: str, days: list[date] | None = None, **variables: Any) -> None:
    """Run dbt on the core models; all days unless `days` are given."""
    given = {
        "data_until": UNTIL.isoformat(), "default_time_zone": "Europe/Moscow",
        "touched_days": [d.isoformat() for d in days or []], "full_rebuild": days is None, **variables,
    }  # fmt: skip
    outcome = transform.invoke(url, [*arguments, "--vars", json.dumps(given)])
    results = getattr(outcome.result, "results", None) or []
    bad = [f"{r.node.name}: {r.status}: {r.message}" for r in results if r.status in ("error", "fail", "warn")]
    assert outcome.success and not bad, bad or outcome.exception


def build(url: str, days: list[date] | None = None, **variables: Any) -> None:
    full = ["--full-refresh"] if days is None else []
    dbt(
        url, "build", "--select", "+path:models/marts/core", "--indirect-selection", "cautious",
        "--exclude-resource-type", "unit_test", *full, days=days, **variables,
    )  # fmt: skip


def at(text: str) -> datetime:
    """`05 10:00:00` in Moscow."""
    return datetime.strptime(f"2026-01-{text}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) - timedelta(hours=3)


def write(url: str, table: str, rows: list[dict[str, Any]]) -> None:
    """Put rows into raw as the present versions."""
    with ops.connect(url) as conn:
        conn.execute(f"truncate raw.{table}")
        for number, row in enumerate(rows, 1):
            full = {"_load_id": 1, "_row_no": number, "_row_hash": number, **row}
            names = ", ".join(full)
            marks = ", ".join(f"%({n})s" for n in full)
            conn.execute(f"insert into raw.{table} ({names}) values ({marks})", full)
        conn.commit()


def write_log(url: str) -> None:
    rows = []
    for number, line in enumerate(sorted(LOG.strip().splitlines(), key=lambda x: (x[0], x.split("|")[1])), 1):
        server, time, callid, queue, agent, event, params = line.split("|", 6)
        caller = None
        if event == "ENTERQUEUE":
            params, caller = params.rsplit(" ", 1)
        rows.append({
            "server_id": server, "file_id": "f", "line_no": number, "log_seq": number, "event_at": at(time),
            "callid": callid, "queue": queue, "agent": agent, "event": event, "params": params,
            "caller_hash": (caller or "()")[1:-1] or None,
        })  # fmt: skip
    write(url, "queue_log", rows)


def write_cdr(url: str) -> None:
    rows = []
    for number, line in enumerate(CDR.strip().splitlines(), 1):
        server, time, uniqueid, linkedid, context, app, data, called, disposition, userfield, caller = line.split("|")
        rows.append({
            "server_id": server, "file_id": "c", "line_no": number, "log_seq": number, "start_at": at(time),
            "end_at": at(time) + timedelta(seconds=9), "uniqueid": uniqueid, "linkedid": linkedid,
            "dcontext": context, "lastapp": app, "lastdata": data, "dstchannel": called, "disposition": disposition,
            "userfield": userfield, "src_hash": caller or None,
        })  # fmt: skip
    write(url, "cdr", rows)


def write_others(url: str) -> None:
    """A subscriber, his tickets, a note, a rating without call id, an evaluation after days."""
    seen = datetime(2026, 1, 1, tzinfo=UTC)
    write(url, "subscribers", [
        {"subscriber_id": "s1", "phone_hash": "h1", "branch_id": "main", "technology": "ADSL", "updated_at": seen},
    ])  # fmt: skip
    write(url, "topics", [
        {"topic_id": t, "topic_class": c, "valid_from": date(2020, 1, 1), "updated_at": seen}
        for t, c in (("bill", "client_service"), ("slow", "technical"))
    ])  # fmt: skip
    write(url, "wrap_ups", [
        {"wrap_up_id": "w1", "server_id": "a", "call_id": "100.1", "topic_id": "bill", "noted_at": at("05 10:02:00")},
        {"wrap_up_id": "w2", "server_id": "a", "call_id": "200.1", "topic_id": "bill", "noted_at": at("06 00:03:00")},
    ])  # fmt: skip
    write(url, "tickets", [
        {"ticket_id": "t1", "subscriber_id": "s1", "topic_id": "slow", "call_id": "120.1", "server_id": "a",
         "channel": "phone", "opened_at": at("07 18:00:00")},
        {"ticket_id": "t2", "subscriber_id": "s1", "topic_id": "slow", "channel": "chat",
         "opened_at": at("08 00:00:01")},
    ])  # fmt: skip
    write(url, "ivr_ratings", [
        {"server_id": "a", "file_id": "i", "line_no": n, "rated_at": at(t), "callid": None, "caller_hash": "h1",
         "agent": "Agent/2", "criterion": "politeness", "digit": d}
        for n, (t, d) in enumerate((("06 00:02:10", "2"), ("06 00:02:12", "4")), 1)
    ])  # fmt: skip
    write(url, "evaluations", [
        {"evaluation_id": "e1", "server_id": "a", "call_id": "101.2", "operator_id": "Agent/1", "tone": "warm",
         "evaluated_at": at("08 12:00:00")},
    ])  # fmt: skip


def rows(url: str, text: str) -> list[dict[str, Any]]:
    with ops.connect(url) as conn:
        return conn.execute(text).fetchall()


def facts(url: str) -> dict[str, list[str]]:
    return {
        name: [r["row"] for r in rows(url, f"select cast(t as text) as row from candidate.{name} as t order by 1")]
        for name in [*CORE, *EMPTY]
    }


def contacts(url: str) -> dict[str, dict[str, Any]]:
    return {r["contact_id"]: r for r in rows(url, "select * from candidate.fct_contacts")}


@pytest.fixture(scope="module")
def whole(url) -> str:
    for table in contract.TABLES:
        write(url, table.name, [])
    write_log(url)
    write_cdr(url)
    write_others(url)
    build(url)
    return url


def test_data_tests_read_the_days_that_were_built(whole):
    with ops.connect(whole) as conn:
        doubled = conn.execute(
            "insert into candidate.fct_contacts select * from candidate.fct_contacts"
            " where business_day = '2026-01-05' limit 1"
        )
        assert doubled.rowcount == 1
        conn.commit()
    try:
        dbt(whole, "test", "--select", "fct_contacts,test_type:data", days=[date(2026, 1, 7)])
        with pytest.raises(AssertionError, match="unique"):
            dbt(whole, "test", "--select", "fct_contacts,test_type:data", days=[date(2026, 1, 5)])
        with pytest.raises(AssertionError, match="unique"):
            dbt(whole, "test", "--select", "fct_contacts,test_type:data")
    finally:
        build(whole)


def test_a_day_that_is_built_again_is_written_where_it_differs(whole):
    wanted = facts(whole)
    places = "select contact_id, cast(ctid as text) as place from candidate.fct_contacts where business_day ="
    day = "business_day = '2026-01-05' and contact_id = %s"
    before = {r["contact_id"]: r["place"] for r in rows(whole, f"{places} '2026-01-05'")}
    with ops.connect(whole) as conn:
        conn.execute(f"update candidate.fct_contacts set wait_seconds = 99 where {day}", ["call:a:100.1"])
        conn.execute(f"delete from candidate.fct_contacts where {day}", ["call:a:110.1"])
        conn.execute(
            f"insert into candidate.fct_contacts select * from candidate.fct_contacts where {day}", ["call:a:120.1"]
        )
        conn.execute(
            "update candidate.fct_contacts set contact_id = 'stray', business_day = '2026-01-05' where contact_id = %s",
            ["call:a:310.1"],
        )
        conn.commit()
    build(whole, [DAYS[1], DAYS[2]])
    assert facts(whole) == wanted
    after = {r["contact_id"]: r["place"] for r in rows(whole, f"{places} '2026-01-05'")}
    moved = {key for key, place in after.items() if before[key] != place}
    assert moved == {"call:a:100.1", "call:a:110.1", "call:a:120.1"}


def test_rows_that_are_built_at_once_lie_by_day(whole):
    build(whole)
    for name in ("fct_contacts", "fct_queue_visits"):
        days = [r["business_day"] for r in rows(whole, f"select business_day from candidate.{name} order by ctid")]
        assert len(set(days)) > 1 and days == sorted(days), name


def test_statistics_are_made_again_when_a_tenth_of_a_table_changed(whole):
    counted = "select analyze_count from pg_stat_user_tables where relid = 'candidate.fct_contacts'::regclass"
    build(whole)
    build(whole, [DAYS[1]])  # what a transaction wrote before it made statistics counts as changed since
    (first,) = rows(whole, counted)
    build(whole, [DAYS[1]])
    assert rows(whole, counted) == [first]
    with ops.connect(whole) as conn:
        conn.execute("delete from candidate.fct_contacts where business_day = %s", (DAYS[1],))
        conn.commit()
    build(whole, [DAYS[1]])
    (last,) = rows(whole, counted)
    assert last["analyze_count"] == first["analyze_count"] + 1


def test_every_unit_test_of_the_project_passes(url):
    dbt(url, "seed")
    dbt(url, "run", days=[])
    dbt(url, "test", "--select", "test_type:unit", days=[])


def test_each_call_has_the_outcome_the_log_tells(whole):
    assert {k: v["outcome"] for k, v in contacts(whole).items()} == {
        "call:a:100.1": "answered",
        "call:b:100.1": "abandoned",
        "call:a:110.1": "answered",
        "call:a:120.1": "answered",
        "call:a:130.1": "left_by_key",
        "call:a:140.1": "turned_away",
        "call:a:141.1": "left_in_menu",
        "call:a:143.1": "turned_away",
        "call:a:200.1": "answered",
        "call:a:300.1": "answered",
        "call:a:301.1": "interrupted",
        "call:a:310.1": "withdrawn",
        "call:a:400.1": "interrupted",
        "ticket:t2": "none",
    }


def test_figures_are_the_logs_own(whole):
    got = {
        k: (v["wait_seconds"], v["talk_seconds"], v["hung_up_by"], v["transfers"], v["has_overflow"])
        for k, v in contacts(whole).items()
    }
    assert got["call:a:100.1"] == (23, 60, "operator", 0, True)
    assert got["call:b:100.1"] == (7, None, None, 0, False)  # no wait logged: by the clock
    assert got["call:a:110.1"] == (2, 0, "subscriber", 0, False)
    assert got["call:a:120.1"] == (4, 40, None, 1, False)
    assert got["call:a:300.1"] == (5, None, None, 0, False)  # cut off by the crash
    assert got["call:a:301.1"] == (None, None, None, 0, False)


def test_a_call_across_midnight_belongs_to_the_day_it_began(whole):
    assert contacts(whole)["call:a:200.1"]["business_day"] == date(2026, 1, 5)
    rating = rows(whole, "select * from candidate.fct_ratings")
    assert [(r["contact_id"], r["rating"], r["match_kind"], r["business_day"]) for r in rating] == [
        ("call:a:200.1", 4, "caller_operator_time", date(2026, 1, 5))
    ]


def test_tickets_notes_and_evaluations_find_their_call(whole):
    found = contacts(whole)
    assert (found["call:a:120.1"]["topic_id"], found["call:a:120.1"]["ticket_id"]) == ("slow", "t1")
    assert (found["call:a:200.1"]["topic_id"], found["call:a:200.1"]["topic_source"]) == ("bill", "wrap_up")
    assert found["call:a:301.1"]["topic_id"] == "unmapped"
    assert rows(whole, "select contact_id, business_day from candidate.fct_evaluations") == [
        {"contact_id": "call:a:100.1", "business_day": date(2026, 1, 5)}
    ]


def test_anonymous_callers_have_no_subscriber_and_repeat_nothing(whole):
    assert contacts(whole)["call:a:110.1"]["subscriber_id"] is None
    got = {r["contact_id"]: r for r in rows(whole, "select * from candidate.fct_repeat_contacts")}
    assert set(got) == {"call:a:100.1", "call:a:200.1", "ticket:t2"}
    assert (got["call:a:100.1"]["is_repeat_24h"], got["call:a:100.1"]["is_repeat_7d"]) == (True, None)
    assert got["call:a:200.1"]["is_repeat_24h"] is False
    assert got["ticket:t2"]["is_repeat_24h"] is None  # that time has not passed yet


def test_a_pause_over_midnight_is_one_stretch_on_each_day(whole):
    got = rows(whole, "select business_day, state, reason, seconds from candidate.fct_operator_states order by 1")
    assert [tuple(r.values()) for r in got] == [
        (date(2026, 1, 5), "pause", "Lunch", 1800),
        (date(2026, 1, 6), "pause", "Lunch", 2400),
    ]


def test_logged_events_are_in_facts_or_counted_as_leftovers(whole):
    (total,) = rows(
        whole,
        "select sum(events_logged) as logged, sum(events_in_facts + events) as told,"
        " (select count(*) from raw.queue_log) as raw from candidate.event_leftovers",
    )
    assert total["logged"] == total["told"] == total["raw"]
    left = rows(
        whole, "select event, sum(events) as n from candidate.event_leftovers group by 1 having sum(events) > 0"
    )
    assert {r["event"]: r["n"] for r in left} == {"FROBNICATE": 1}


def test_built_in_parts_out_of_order_is_built_at_once(whole):
    wanted = facts(whole)
    with ops.connect(whole) as conn:
        for schema in ("intermediate", "candidate"):
            conn.execute(f"drop schema {schema} cascade")
            conn.execute(f"create schema {schema}")
        conn.commit()
    # The third part brings the calls of a ticket and an evaluation that stood on their own days before.
    for days in ([DAYS[3], DAYS[4]], [DAYS[0], DAYS[2]], [DAYS[1], DAYS[3], DAYS[4]]):
        build(whole, days)
    build(whole, DAYS)  # repeats are told by other days too: those are touched again
    assert facts(whole) == wanted


def test_a_day_that_became_empty_does_not_stand(whole):
    with ops.connect(whole) as conn:
        conn.execute("update raw.queue_log set _superseded_at = now() where callid in ('300.1', '301.1', '310.1')")
        conn.execute("update raw.queue_log set _superseded_at = now() where callid in ('320.1', '400.1')")
        conn.execute("update raw.cdr set _superseded_at = now() where uniqueid = '143.1'")
        conn.commit()
    build(whole, [date(2026, 1, 6)])
    assert not rows(whole, "select 1 from candidate.fct_queue_visits where business_day = '2026-01-06'")
    assert len(rows(whole, "select 1 from candidate.fct_queue_visits where business_day = '2026-01-05'")) == 7
    with ops.connect(whole) as conn:
        conn.execute("update raw.queue_log set _superseded_at = null")
        conn.commit()


def test_a_provider_with_a_pbx_only_has_all_it_can_have(whole):
    """Runs last: no CRM, no ratings, no call records."""
    for table in contract.TABLES:
        if table.name != "queue_log":
            write(whole, table.name, [])
    build(whole)
    found = contacts(whole)
    assert len(found) == 10 and found["call:a:100.1"]["outcome"] == "answered"
    assert all(c["subscriber_id"] is None and c["topic_id"] == "unmapped" for c in found.values())
    assert {r["operator_id"] for r in rows(whole, "select operator_id from candidate.dim_operator")} == {
        "Agent/1", "Agent/2",
    }  # fmt: skip
    write(whole, "queue_log", [])
    build(whole)
    assert contacts(whole) == {}
