"""Publication: whole days, one transaction, restatements, and tables that readers can rely on."""

from __future__ import annotations

from datetime import date

import pytest
from psycopg import sql
from service_quality import ops
from service_quality import publish as publishing
from service_quality.publish import Mart, PublishRefused, marts_of, publish
from service_quality.window import Reach

DAILY = Mart("branch_quality_daily", ("branch_id", "business_day"), True)
FIRST, ONE, TWO, THREE = date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)


@pytest.fixture
def conn(database_url):
    with ops.connect(database_url) as connection:
        ops.prepare(connection)
        connection.execute(
            "create table candidate.branch_quality_daily"
            " (branch_id text, status text, answered bigint, rate double precision, business_day date)"
        )
        yield connection


def _candidate(conn, *rows):
    conn.execute("delete from candidate.branch_quality_daily")
    for row in rows:
        conn.execute("insert into candidate.branch_quality_daily values (%s, %s, %s, %s, %s)", row)


def _build(conn, status="built"):
    return conn.execute(
        "insert into ops.builds (status, load_ids, touched_days, settings_hash) values (%s, '{}', '{}', 'x')"
        " returning build_id",
        (status,),
    ).fetchone()["build_id"]


def _marts(conn):
    rows = conn.execute("select * from marts.branch_quality_daily order by business_day, branch_id")
    return [tuple(r.values()) for r in rows]


def _restated(conn):
    rows = conn.execute("select column_name, old_value, new_value, business_day from ops.restatements order by 1")
    return [tuple(r.values()) for r in rows]


def test_only_touched_days_are_replaced(conn):
    _candidate(conn, ("a", "measured", 1, 0.5, ONE), ("a", "measured", 2, 0.5, TWO))
    publish(conn, _build(conn), [], [ONE, TWO], [DAILY], False)
    _candidate(conn, ("a", "measured", 7, 0.5, ONE), ("a", "measured", 9, 0.5, TWO))
    assert publish(conn, _build(conn), [], [TWO], [DAILY], False) == {"branch_quality_daily": 1}
    assert _marts(conn) == [("a", "measured", 1, 0.5, ONE), ("a", "measured", 9, 0.5, TWO)]
    assert _restated(conn) == [("answered", "2", "9", TWO)]


def test_days_that_a_touched_day_reaches_are_replaced_too(conn):
    reaching = Mart("branch_quality_daily", ("branch_id", "business_day"), True, Reach(before=1))
    _candidate(conn, ("a", "measured", 1, 0.5, ONE), ("a", "measured", 2, 0.5, TWO))
    publish(conn, _build(conn), [], [ONE, TWO], [reaching], False)
    _candidate(conn, ("a", "measured", 7, 0.5, ONE), ("a", "measured", 9, 0.5, TWO))
    publish(conn, _build(conn), [], [TWO], [reaching], False)
    assert _marts(conn) == [("a", "measured", 7, 0.5, ONE), ("a", "measured", 9, 0.5, TWO)]


def test_a_mart_of_todays_classes_is_replaced_on_all_days_when_topics_changed_theirs_only(conn):
    of_today = Mart("branch_quality_daily", ("branch_id", "business_day"), True, Reach(all_when_reclassified=True))
    _candidate(conn, ("a", "measured", 1, 0.5, ONE), ("a", "measured", 2, 0.5, TWO))
    publish(conn, _build(conn), [], [ONE, TWO], [of_today], False)
    _candidate(conn, ("a", "measured", 7, 0.5, ONE), ("a", "measured", 9, 0.5, TWO))
    publish(conn, _build(conn), [], [TWO], [of_today], False, reclassified=False)
    assert _marts(conn) == [("a", "measured", 1, 0.5, ONE), ("a", "measured", 9, 0.5, TWO)]
    publish(conn, _build(conn), [], [TWO], [of_today], False, reclassified=True)
    assert _marts(conn) == [("a", "measured", 7, 0.5, ONE), ("a", "measured", 9, 0.5, TWO)]


@pytest.mark.parametrize(
    ("reach", "written"),
    [
        (Reach(), [THREE]),
        (Reach(before=1), [TWO, THREE]),
        (Reach(of="touched_days"), [ONE, THREE]),
        (Reach(before=1, of="touched_days"), [FIRST, ONE, TWO, THREE]),
        (Reach(before=1, of="touched_days", repeats_alone=True), [ONE, TWO, THREE]),
    ],
)
def test_days_that_only_repeats_touch_are_replaced_where_repeats_come_in(conn, reach, written):
    mart = Mart("branch_quality_daily", ("branch_id", "business_day"), True, reach)
    days = [FIRST, ONE, TWO, THREE]
    _candidate(conn, *(("a", "measured", 1, None, day) for day in days))
    publish(conn, _build(conn), [], days, [mart], False)
    _candidate(conn, *(("a", "measured", 7, None, day) for day in days))
    publish(conn, _build(conn), [], [ONE, THREE], [mart], False, changed_days=[THREE])
    assert [row[-1] for row in _marts(conn) if row[2] == 7] == written


def test_publishing_the_same_again_writes_nothing(conn):
    _candidate(conn, ("a", "measured", 1, None, ONE))
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    before = conn.execute("select xmin, ctid from marts.branch_quality_daily").fetchall()
    assert publish(conn, _build(conn), [], [ONE], [DAILY], False) == {"branch_quality_daily": 0}
    assert conn.execute("select xmin, ctid from marts.branch_quality_daily").fetchall() == before


def test_a_row_that_vanished_is_removed_and_told(conn):
    _candidate(conn, ("a", "measured", 1, None, ONE), ("b", "measured", 2, None, ONE))
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    _candidate(conn, ("a", "measured", 1, None, ONE))
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    assert _marts(conn) == [("a", "measured", 1, None, ONE)]
    assert ("answered", "2", None, ONE) in _restated(conn)


def test_nulls_and_unfinished_days_were_no_published_numbers(conn):
    _candidate(conn, ("a", "measured", 1, None, ONE), ("b", "partial", 3, None, ONE))
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    _candidate(conn, ("a", "measured", 1, 0.25, ONE), ("b", "measured", 4, None, ONE))
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    assert _restated(conn) == []


def test_a_failure_on_the_way_publishes_nothing(conn):
    _candidate(conn, ("a", "measured", 1, None, ONE))
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    _candidate(conn, ("a", "measured", 5, None, ONE))
    held = _build(conn, "held")
    conn.commit()
    with pytest.raises(RuntimeError, match="not in the state 'built'"):
        publish(conn, held, [], [ONE], [DAILY], False)
    conn.rollback()
    assert _marts(conn) == [("a", "measured", 1, None, ONE)]


def test_a_column_that_would_vanish_is_refused(conn):
    _candidate(conn, ("a", "measured", 1, None, ONE))
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    conn.execute("alter table candidate.branch_quality_daily drop column rate")
    with pytest.raises(PublishRefused, match="rate double precision"):
        publish(conn, _build(conn), [], [ONE], [DAILY], False)


def test_a_new_column_is_added_and_the_table_stays(conn):
    _candidate(conn, ("a", "measured", 1, None, ONE))
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    before = conn.execute("select 'marts.branch_quality_daily'::regclass::oid as o").fetchone()
    conn.execute("create view marts.kept as select answered from marts.branch_quality_daily")
    conn.execute("alter table candidate.branch_quality_daily add column median double precision")
    conn.execute("update candidate.branch_quality_daily set median = 3")
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    assert conn.execute("select 'marts.branch_quality_daily'::regclass::oid as o").fetchone() == before
    assert conn.execute("select median from marts.branch_quality_daily").fetchone()["median"] == 3


def test_a_new_column_lets_no_reader_wait_for_the_publication(conn, database_url, monkeypatch):
    _candidate(conn, ("a", "measured", 1, None, ONE))
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    conn.execute("alter table candidate.branch_quality_daily add column median double precision")
    build = _build(conn)
    conn.commit()
    seen = []

    def and_read(*arguments):
        with ops.connect(database_url) as reader:
            reader.execute("set lock_timeout = '1s'")
            seen.extend(reader.execute("select median from marts.branch_quality_daily").fetchall())
        return find(*arguments)

    find = publishing._find_differences
    monkeypatch.setattr(publishing, "_find_differences", and_read)
    publish(conn, build, [], [ONE], [DAILY], False)
    assert seen == [{"median": None}]


def test_readers_look_rows_up_by_the_declared_columns(conn):
    _candidate(conn, ("a", "measured", 1, None, ONE))
    publish(conn, _build(conn), [], [ONE], [DAILY], False)
    looked_up = Mart(DAILY.name, DAILY.key, True, lookups=("status",))
    for _ in range(2):
        publish(conn, _build(conn), [], [ONE], [looked_up], False)
    found = conn.execute("select indexdef from pg_indexes where schemaname = 'marts' order by indexname").fetchall()
    assert [r["indexdef"].rsplit("USING btree ", 1)[1] for r in found] == [
        "(status)", "(branch_id, business_day)", "(business_day)",
    ]  # fmt: skip


def test_the_rows_of_a_day_lie_together(conn):
    days = [date(2026, 10, day) for day in range(1, 31)]
    _candidate(conn, *(("abcdefgh"[n], "measured", n, None, day) for n in range(8) for day in days))
    publish(conn, _build(conn), [], days, [DAILY], True)
    rows = conn.execute("select business_day from marts.branch_quality_daily order by ctid").fetchall()
    assert [r["business_day"] for r in rows] == sorted(days * 8)


def test_only_a_mart_that_is_empty_is_filled_without_looking_for_differences(conn, monkeypatch):
    looked = []
    look = publishing._find_differences
    monkeypatch.setattr(publishing, "_find_differences", lambda *given: looked.append(given[1]) or look(*given))
    _candidate(conn, ("a", "measured", 1, 0.5, ONE), ("a", "measured", 2, 0.5, TWO), ("b", "measured", 3, None, TWO))
    assert publish(conn, _build(conn), [], [TWO], [DAILY], False) == {"branch_quality_daily": 2}
    assert (looked, _restated(conn), [row[2] for row in _marts(conn)]) == ([], [], [2, 3])
    assert publish(conn, _build(conn), [], [ONE, TWO], [DAILY], False) == {"branch_quality_daily": 1}
    assert looked == [DAILY]
    assert [row[2] for row in _marts(conn)] == [1, 2, 3]


def test_a_mart_without_key_is_refused():
    node = {
        "resource_type": "model", "schema": "candidate", "name": "m", "alias": "m",
        "fqn": ["q", "quality"], "config": {"materialized": "table"},
    }  # fmt: skip
    with pytest.raises(PublishRefused, match=r"meta\.key"):
        marts_of({"nodes": {"m": node}})


def test_days_that_follow_each_other_are_one_range(conn):
    days = [date(2026, 3, d) for d in (7, 2, 1, 3, 9)]
    told = ops.in_days(sql.Identifier("day"), days)
    assert told.as_string(conn).count("between") == 3
    series = sql.SQL("select date '2026-02-20' + n as day from generate_series(0, 30) as n")
    found = conn.execute(sql.SQL("select day from ({}) as s where {} order by day").format(series, told)).fetchall()
    assert [row["day"] for row in found] == sorted(days)
    nothing = sql.SQL("select day from ({}) as s where {}").format(series, ops.in_days(sql.Identifier("day"), []))
    assert conn.execute(nothing).fetchall() == []
