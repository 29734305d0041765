"""How dbt's views, tables and daily models are made and replaced in Postgres."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from service_quality import transform

pytestmark = pytest.mark.postgres

DAILY = "intermediate.int_contact_classes_daily"
COLUMNS = (
    "branch_id text, topic_id text, topic_class text, topic_source text, owes_class boolean, is_handled boolean,"
    " business_day date"
)


@pytest.fixture
def conn(url) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("drop schema if exists intermediate, candidate cascade")
        conn.execute("create schema intermediate; create schema candidate")
        conn.execute(f"create table candidate.fct_contacts ({COLUMNS})")
        yield conn


def contacts(conn, day: str, *branches: str) -> None:
    for branch in branches:
        conn.execute("insert into candidate.fct_contacts values (%s, 't', 'technical', 'queue', true, true, %s)",
                     (branch, day))  # fmt: skip


def run(url: str, model: str, *days: str, full: bool = False) -> Any:
    arguments = ["run", "--select", model, *(["--full-refresh"] if full else [])]
    return transform.invoke(url, arguments, {"touched_days": list(days), "full_rebuild": full})


def told(outcome: Any) -> str:
    return str(outcome.exception) + "".join(r.message or "" for r in getattr(outcome.result, "results", None) or [])


def daily(conn) -> list[tuple[Any, ...]]:
    return conn.execute(f"select business_day::text, branch_id, contacts from {DAILY} order by 1, 2").fetchall()


def test_a_daily_model_replaces_the_days_it_builds_and_keeps_the_others(conn, url):
    contacts(conn, "2026-03-01", "a")
    contacts(conn, "2026-03-02", "a", "b")
    assert run(url, "int_contact_classes_daily", full=True).success
    conn.execute("delete from candidate.fct_contacts where business_day = '2026-03-01' or branch_id = 'b'")
    contacts(conn, "2026-03-02", "a")
    assert run(url, "int_contact_classes_daily", "2026-03-02").success
    assert daily(conn) == [("2026-03-01", "a", 1), ("2026-03-02", "a", 2)]
    indexed = conn.execute("select indexdef from pg_indexes where schemaname = 'intermediate'").fetchall()
    assert [d for (d,) in indexed if "(business_day)" in d]


def test_a_daily_model_builds_no_day_that_only_repeats_touch_unless_they_come_into_it(conn, url):
    contacts(conn, "2026-03-01", "a")
    contacts(conn, "2026-03-02", "a")
    assert run(url, "int_contact_classes_daily", full=True).success
    conn.execute("delete from candidate.fct_contacts")
    build = {"touched_days": ["2026-03-01", "2026-03-02"], "changed_days": ["2026-03-02"]}
    assert transform.invoke(url, ["run", "--select", "int_contact_classes_daily"], build).success
    assert daily(conn) == [("2026-03-01", "a", 1)]
    contacts(conn, "2026-03-02", "a")
    build = {"touched_days": ["2026-03-01", "2026-03-02"], "changed_days": []}
    assert transform.invoke(url, ["run", "--select", "int_contact_classes_daily"], build).success
    assert daily(conn) == [("2026-03-01", "a", 1)]


@pytest.mark.parametrize(
    ("reach", "built"),
    [
        ({}, [("2026-02-27", "2026-03-02")]),
        ({"of": "touched_days"}, [("2026-01-28", "2026-02-01"), ("2026-02-27", "2026-03-02")]),
        (
            {"of": "touched_days", "repeats_alone": True},
            [("2026-01-31", "2026-02-01"), ("2026-02-27", "2026-03-02")],
        ),
    ],
)
def test_days_that_only_repeats_touch_reach_others_unless_they_are_alone(url, reach, built):
    build = {"touched_days": ["2026-01-31", "2026-02-01", "2026-03-02"], "changed_days": ["2026-03-02"]}
    outcome = transform.invoke(url, ["compile", "--inline", f"{{{{ in_reach(3, 0, 'day', {reach}) }}}}"], build)
    assert outcome.success, outcome.exception
    code = outcome.result.results[0].node.compiled_code
    assert re.findall(r"between cast\('(.*?)' as date\) and cast\('(.*?)' as date\)", code) == built


def test_rows_of_later_nights_do_not_fill_the_pages_of_days_long_ago(conn, url):
    """What is left at the end of the pages that a full build made is never more than the table keeps free."""
    conn.execute(
        "insert into candidate.fct_contacts select repeat('x', (n * 37) % 400), 't', 'technical', 'queue', true, true,"
        " date '2020-01-01' + n from generate_series(1, 2000) as n"
    )
    assert run(url, "int_contact_classes_daily", full=True).success
    conn.execute(f"vacuum {DAILY}")  # as autovacuum does: only then free room is known
    pages = conn.execute(f"select pg_relation_size('{DAILY}') / 8192").fetchone()[0]
    contacts(conn, "2026-03-02", *map(str, range(60)))
    assert run(url, "int_contact_classes_daily", "2026-03-02").success
    rows = conn.execute(f"select (ctid::text::point)[0] from {DAILY} where business_day = '2026-03-02'").fetchall()
    assert len(rows) == 60 and all(page >= pages - 1 for (page,) in rows)


def test_a_daily_table_with_other_columns_than_its_model_is_not_filled(conn, url):
    contacts(conn, "2026-03-02", "a")
    assert run(url, "int_contact_classes_daily", full=True).success
    conn.execute(f"alter table {DAILY} drop column contacts_handled")
    outcome = run(url, "int_contact_classes_daily", "2026-03-02")
    assert not outcome.success
    assert "contacts_handled" in told(outcome)
    assert "build all days (--full-refresh)" in told(outcome)
    assert run(url, "int_contact_classes_daily", full=True).success
    assert daily(conn) == [("2026-03-02", "a", 1)]


def test_a_model_that_fails_leaves_its_table_as_it_was(conn, url):
    contacts(conn, "2026-03-02", "a")
    assert run(url, "int_contact_classes_daily", full=True).success
    conn.execute("alter table candidate.fct_contacts rename column topic_source to source")
    assert not run(url, "int_contact_classes_daily", full=True).success
    assert daily(conn) == [("2026-03-02", "a", 1)]
    left = conn.execute("select relname from pg_class where relname like 'int_contact_classes_daily%'").fetchall()
    assert left == [("int_contact_classes_daily",)]


def test_a_table_takes_the_place_of_whatever_had_its_name(conn, url):
    conn.execute("create view candidate.dim_date as select 1 as n")
    assert run(url, "dim_date", full=True).success
    conn.execute("create view candidate.later as select * from candidate.dim_date")
    assert run(url, "dim_date").success
    kinds = conn.execute("select relname, relkind::text from pg_class where relnamespace = 'candidate'::regnamespace"
                         " and relkind in ('r', 'v') order by 1").fetchall()  # fmt: skip
    assert kinds == [("dim_date", "r"), ("fct_contacts", "r")]
    days = conn.execute("select count(*) from candidate.dim_date").fetchone()
    known = conn.execute("select reltuples from pg_class where oid = 'candidate.dim_date'::regclass").fetchone()
    assert known == days


def test_a_table_has_the_columns_and_types_of_its_contract(conn, url):
    assert run(url, "dim_date", full=True).success
    made = conn.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = 'candidate.dim_date'::regclass and attnum > 0 order by attnum"
    ).fetchall()
    node = transform.manifest()["nodes"]["model.quality_line.dim_date"]
    assert made == [(c["name"], c["data_type"]) for c in node["columns"].values()]


def test_a_view_is_replaced_and_its_readers_stay_unless_it_is_built_wholly(conn, url):
    conn.execute("drop schema if exists staging cascade; create schema staging")
    conn.execute("create table staging.stg_calculated__surges (a integer)")
    assert run(url, "int_surge_findings", full=True).success
    conn.execute("create view candidate.reader as select a from intermediate.int_surge_findings")
    conn.execute("alter table staging.stg_calculated__surges add column b integer")
    assert run(url, "int_surge_findings").success
    assert conn.execute("select b, to_regclass('candidate.reader')::text from intermediate.int_surge_findings"
                        " right join (select) as one on true").fetchone() == (None, "candidate.reader")  # fmt: skip
    conn.execute("drop table staging.stg_calculated__surges cascade; drop view if exists candidate.reader")
    conn.execute("create table staging.stg_calculated__surges (c integer)")
    assert run(url, "int_surge_findings").success  # the table took the view with it
    conn.execute("create or replace view intermediate.int_surge_findings as select 1 as c, 2 as d")
    assert not run(url, "int_surge_findings").success
    assert run(url, "int_surge_findings", full=True).success
    assert conn.execute("select * from intermediate.int_surge_findings").description[0].name == "c"


def test_the_nodes_of_a_command_share_sessions_that_end_with_it(conn, url):
    opened = "select sessions from pg_stat_database where datname = current_database()"
    (before,) = conn.execute(opened).fetchone()
    outcome = transform.invoke(url, ["seed", "--threads", "2"])
    assert outcome.success
    assert len(outcome.result.results) >= 6
    assert ended(conn)
    (after,) = conn.execute(opened).fetchone()
    assert after - before <= 4  # two threads, and dbt's own before and after them


def ended(conn) -> bool:
    """Whether dbt's sessions are gone; the server needs a moment after they were closed."""
    theirs = "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'dbt'"
    until = time.monotonic() + 20
    while (left := conn.execute(theirs).fetchone() != (0,)) and time.monotonic() < until:
        time.sleep(0.05)
    return not left


def test_a_session_that_broke_is_not_handed_on(url):
    import psycopg2
    from dbt.adapters.contracts.connection import Connection, ConnectionState
    from service_quality.dbt_sessions import SharedSessions

    handle = psycopg2.connect(url)
    with pytest.raises(psycopg2.Error):
        handle.cursor().execute("select pg_terminate_backend(pg_backend_pid())")
    connection = Connection("postgres", None, None, ConnectionState.OPEN, False, handle)
    assert SharedSessions.close(connection).state == ConnectionState.CLOSED
    assert SharedSessions.idle == []
