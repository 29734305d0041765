"""Dashboards on four years of marts: 20 readers at once, their plans, and a publication under them.

The marts are made by the product: candidates by the models' contracts, filled with made-up rows at the size of a
provider with 200 operators, 7 branches and 30 topics, and published by `publish.publish`, so that tables, indexes and
physical order are the real ones. Rows are made on the server by day and key, with the columns' own types; what they
say means nothing, how many there are and how they lie does.

- p95 of 20 typical queries, asked in turn by 20 readers (processes, role of the readers), by the p95 of the same
  readers reading one row by its key.
- how many of the queries' plans read a mart of more than 100,000 rows from end to end.
- the longest that a reader of one row waits while a night is published; also when a mart gets a new column.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql
from service_quality import config, ops, publish, transform
from service_quality import settings as settings_sync
from service_quality.local import postgres

from benchmarks.centre import WAREHOUSE, at_once, vacuum
from benchmarks.measure import Ratio
from benchmarks.report import Result
from benchmarks.scale import Scale

DATABASE = WAREHOUSE
LAST_DAY = date(2026, 11, 8)
OPERATORS, BRANCHES, TOPICS, SUBSCRIBERS = 200, 7, 30, 20_000
READERS = 20
LARGE_ROWS = 100_000
GOAL_TIMES, GOAL_SCANS, GOAL_WAIT = 50.0, 0.0, 1.0
MORE = "new_column_of_the_benchmark"


@dataclass(frozen=True)
class Fill:
    """Rows of one mart: a FROM clause over ``days`` and the lists below, and the columns that it fixes."""

    source: str
    columns: dict[str, str]


_DAY = {"business_day": "day"}
_OPERATOR = {"operator_id": "operator_id", "branch_id": "branch_id"}
_RANDOM = {
    "operator_id": "'op' || (1 + floor(random() * 200))::int",
    "branch_id": "'b' || (1 + floor(random() * 7))::int",
    "topic_id": "'t' || (1 + floor(random() * 30))::int",
    "subscriber_id": "'s' || (1 + floor(random() * 20000))::int",
    "contact_id": "md5('contact' || day || n)",
}


def _facts(per_day: int, **columns: str) -> Fill:
    return Fill(f"days cross join generate_series(1, {per_day}) as n", {**_RANDOM, **_DAY, **columns})


_GRAINS = Fill("days cross join units", {"grain": "grain", "grain_id": "unit", **_DAY})

# Sizes of a provider with 700 contacts a day; rolling marts as large as after any length of history.
FILLS: dict[str, Fill] = {
    "operator_quality_daily": Fill("days cross join operators", {**_OPERATOR, **_DAY, "status": "'measured'"}),
    "branch_quality_daily": Fill("days cross join branches",
                                 {"branch_id": "branch_id", **_DAY, "status": "'measured'"}),
    "topic_quality_daily": Fill("days cross join topics", {"topic_id": "topic_id", **_DAY, "status": "'measured'"}),
    "quality_line_daily": _GRAINS,
    "resolution_daily": _GRAINS,
    "topic_class_daily": Fill(
        "days cross join branches cross join unnest(array['technical','marketing','client_service','unknown'])"
        " as c (class)",
        {"branch_id": "branch_id", "topic_class": "class", "day": "day"}),
    "topic_surges": Fill("days cross join branches cross join topics",
                         {"branch_id": "branch_id", "topic_id": "topic_id", **_DAY,
                          "verdict": "case when random() < 0.01 then 'surge' else 'usual' end"}),
    "callbacks_daily": Fill(
        "days cross join branches cross join topics cross join unnest(array['repair','support']) as k (moment)",
        {"branch_id": "branch_id", "topic_id": "topic_id", "key_moment": "moment", **_DAY}),
    "weekly_review": Fill(
        "days cross join branches cross join unnest(array['volume','waits','surges']) as c (section)"
        " cross join generate_series(1, 25) as n",
        {"branch_id": "branch_id", "section": "section", "item": "'item' || n", **_DAY, "is_complete": "true"}),
    "fct_contacts": _facts(700, last_operator_id=_RANDOM["operator_id"], first_operator_id=_RANDOM["operator_id"]),
    "fct_queue_visits": _facts(700, queue_visit_id="md5('visit' || day || n)", queue="'queue' || n % 12"),
    "fct_ratings": _facts(700, rating_id="md5('rating' || day || n)",
                          criterion="(array['politeness','competence','readiness_to_help','quality'])[1 + n % 4]"),
    "fct_repeat_contacts": _facts(560),
    "fct_tickets": _facts(200, ticket_id="md5('ticket' || day || n)"),
    "fct_survey_responses": _facts(300, survey_response_id="md5('response' || day || n)"),
    "fct_evaluations": _facts(33, evaluation_id="md5('evaluation' || day || n)"),
    "evaluations": _facts(400, evaluation_id="md5('evaluation' || day || n / 12)", item_id="'item' || n % 12"),
    "callbacks": _facts(240, callback_id="md5('callback' || day || n)"),
    "listening_plan": _facts(34),
    "worklist_callbacks": Fill("generate_series(1, 850) as n cross join last_day as d (day)",
                               {**_RANDOM, "callback_id": "md5('callback' || n)", "as_of_day": "day", "place": "n"}),
    "subscribers_at_risk": Fill("generate_series(1, 4200) as n cross join last_day as d (day)",
                                {**_RANDOM, "subscriber_id": "'s' || n", "reason": "'reason' || n % 8",
                                 "as_of_day": "day", "place": "n"}),
    "operator_scorecard": Fill(
        "operators cross join generate_series(1, 12) as n cross join unnest(array[28, 90]) as w (days)"
        " cross join generate_series(0, 1) as p cross join last_day as d (day)",
        {**_OPERATOR, "measure": "'measure' || n", "window_days": "days", "period_no": "p", "as_of_day": "day"}),
    "service_clocks": Fill("(select distinct date_trunc('month', day)::date as month from days) as m"
                           " cross join branches cross join generate_series(1, 3) as t cross join"
                           " generate_series(1, 22) as n",
                           {"branch_id": "branch_id", "technology": "'technology' || t", "clock": "'clock' || n",
                            "month_start": "month"}),
    "dim_operator": Fill("operators cross join last_day as d (day)",
                         {**_OPERATOR, "operator_key": "operator_id", "is_current": "true"}),
}  # fmt: skip

_LISTS = """
with days as materialized (select d::date as day from generate_series({first}::date, {last}::date, '1 day') as d),
last_day as (select {last}::date as day),
branches as (select 'b' || n as branch_id from generate_series(1, 7) as n),
topics as (select 't' || n as topic_id from generate_series(1, 30) as n),
operators as (select 'op' || n as operator_id, 'b' || (1 + n % 7) as branch_id from generate_series(1, 200) as n),
units as (
    select 'operator' as grain, operator_id as unit from operators union all select 'branch', branch_id from branches
    union all select 'topic', topic_id from topics
)
"""

_BY_TYPE = {
    "text": "'value ' || floor(random() * 8)::int",
    "bigint": "floor(random() * 40)::bigint",
    "integer": "floor(random() * 40)::integer",
    "double precision": "random()",
    "numeric": "round(random()::numeric * 10, 2)",
    "boolean": "random() < 0.3",
    "date": "day",
    "timestamp with time zone": "day + random() * interval '1 day'",
}

# What dashboards ask, by name. %(...)s: someone or something at random; D: the last published day.
QUERIES: dict[str, str] = {
    "branches, last 28 days":
        "select branch_id, sum(contacts_offered) as offered, sum(answered_in_threshold)::float /"
        " nullif(sum(visits_entered), 0)"
        " as service_level from marts.branch_quality_daily where business_day > D - 28 group by branch_id",
    "a branch, a year by week":
        "select date_trunc('week', business_day) as week, sum(contacts_offered), sum(contacts_answered),"
        " sum(wait_seconds_sum)::float / nullif(sum(wait_seconds_count), 0) from marts.branch_quality_daily"
        " where branch_id = %(branch)s and business_day > D - 364 group by 1 order by 1",
    "the provider, four years by month":
        "select date_trunc('month', business_day) as month, sum(contacts_offered), sum(contacts_answered),"
        " sum(visits_abandoned)"
        " from marts.branch_quality_daily group by 1 order by 1",
    "operators of a branch, last 28 days":
        "select operator_id, sum(visits_answered), sum(talk_seconds_sum)::float /"
        " nullif(sum(talk_seconds_count), 0) as talk,"
        " sum(rating_politeness_sum)::float / nullif(sum(rating_politeness_answered), 0) as politeness"
        " from marts.operator_quality_daily where branch_id = %(branch)s and business_day > D - 28 group by 1"
        " order by 4",
    "one operator, last 90 days":
        "select business_day, visits_answered, talk_seconds_mean, operator_hangup_share, transfer_rate,"
        " rating_politeness_mean"
        " from marts.operator_quality_daily where operator_id = %(operator)s and business_day > D - 90 order by 1",
    "one operator, four years by month":
        "select date_trunc('month', business_day) as month, sum(visits_answered), sum(ended_by_operator)::float"
        " / nullif(sum(visits_answered), 0) from marts.operator_quality_daily where operator_id = %(operator)s"
        " group by 1"
        " order by 1",
    "all branches, a year by week":
        "select date_trunc('week', business_day) as week, branch_id, sum(visits_answered), sum(talk_seconds_sum)"
        " from marts.branch_quality_daily where business_day > D - 364 group by 1, 2 order by 1, 2",
    "topics, 28 days beside the 28 before":
        "select topic_id, sum(contacts_offered) filter (where business_day > D - 28) as latest,"
        " sum(contacts_offered) filter (where business_day <= D - 28) as before from marts.topic_quality_daily"
        " where business_day > D - 56 group by 1 order by 2 desc",
    "a topic, a year by week":
        "select date_trunc('week', business_day) as week, sum(contacts_offered), sum(contacts_answered)"
        " from marts.topic_quality_daily where topic_id = %(topic)s and business_day > D - 364 group by 1 order by 1",
    "ratings of operators, last 28 days":
        "select grain_id, sum(calls_asked), sum(calls_rated), sum(rating_politeness_sum)::float"
        " / nullif(sum(rating_politeness_answered), 0) as politeness from marts.quality_line_daily"
        " where grain = 'operator' and business_day > D - 28 group by 1 order by 4 limit 20",
    "solved at once, a topic, 90 days":
        "select sum(repeat_7d_index), sum(repeat_7d_repeats), sum(survey_solved_contact_yes),"
        " sum(survey_solved_contact_no)"
        " from marts.resolution_daily where grain = 'topic' and grain_id = %(topic)s and business_day > D - 90",
    "classes of a branch, a year by month":
        "select date_trunc('month', day) as month, topic_class, sum(contacts) from marts.topic_class_daily"
        " where branch_id = %(branch)s and day > D - 364 group by 1, 2 order by 1, 2",
    "surges that run":
        "select branch_id, topic_id, contacts, expected, excess, surge_start from marts.topic_surges"
        " where business_day = D and verdict = 'surge' order by excess desc",
    "call-backs of branches, last 28 days":
        "select branch_id, sum(owed), sum(attempted), sum(reached), sum(on_time)::float / nullif(sum(on_time_base), 0)"
        " from marts.callbacks_daily where business_day > D - 28 group by 1",
    "whom to call this morning":
        "select * from marts.worklist_callbacks where branch_id = %(branch)s order by place limit 50",
    "a branch's scorecard":
        "select operator_id, measure, rate, adjusted_rate, eb_low, eb_high, verdict from marts.operator_scorecard"
        " where branch_id = %(branch)s and window_days = 28 and period_no = 0 order by measure, eb_adjusted_rate",
    "the week's review of a branch":
        "select * from marts.weekly_review where branch_id = %(branch)s and business_day = D order by section, place",
    "one subscriber's contacts":
        "select started_at, contact_kind, outcome, topic_id, wait_seconds, last_operator_id from marts.fct_contacts"
        " where subscriber_id = %(subscriber)s order by started_at desc limit 20",
    "yesterday's longest waits of a branch":
        "select contact_id, started_at, first_queue, outcome, wait_seconds from marts.fct_contacts"
        " where business_day = D and branch_id = %(branch)s order by wait_seconds desc limit 20",
    "what listeners heard of an operator":
        "select evaluated_at, score, score_raw, tone, fatal_errors from marts.fct_evaluations"
        " where operator_id = %(operator)s order by evaluated_at desc limit 20",
}  # fmt: skip
# Shown, not judged: what branches' marts answer, asked of every operator's every day (73,000 wide rows).
UNUSUAL = {
    "all operators, a year by week":
        "select date_trunc('week', business_day) as week, branch_id, sum(visits_answered), sum(talk_seconds_sum)"
        " from marts.operator_quality_daily where business_day > D - 364 group by 1, 2 order by 1, 2",
}  # fmt: skip
BY_KEY = "select * from marts.fct_contacts where contact_id = %(contact)s"


def run(scale: Scale, alone: Callable[[], Any] = lambda: None) -> Result:
    """Fill, publish, read; publish a night under readers.

    ``alone``: returns when nothing else is run any more; asked before anything is measured.
    """
    result = Result("readers")
    with marts(scale.marts_days) as url:
        alone()
        _read(result, url, scale)
        _publish_under_readers(result, url, scale.publications)
    return result


# -- the marts ---------------------------------------------------------------------------------------------------------


@contextmanager
def marts(days: int) -> Iterator[str]:
    """URL of a warehouse with ``days`` days of published marts; dropped afterwards."""
    server = postgres.start()
    _drop(server)
    postgres.ensure_database(server, DATABASE)
    url = server.url(DATABASE)
    try:
        with ops.connect(url) as conn:
            ops.prepare(conn)
            _make_tables(conn, url)
            _fill(conn, days)
            publish.publish(conn, _build(conn, full=True), [], [], _marts(), True)
            conn.commit()
        _vacuum(url)
        yield url
    finally:
        _drop(server)


def _drop(server: postgres.Server) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(DATABASE)))


def _make_tables(conn: ops.Conn, url: str) -> None:
    """The empty tables of ``candidate`` by the models' contracts, which dbt holds its tables to."""
    transform.parse(url, settings_sync.scalars(config.load()))
    nodes = transform.manifest()["nodes"].values()
    for mart in _marts():
        node = next(n for n in nodes if n.get("schema") == "candidate" and n["alias"] == mart.name)
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(c["name"]), sql.SQL(c["data_type"]))
            for c in node["columns"].values()
        )
        conn.execute(sql.SQL("create table candidate.{} ({})").format(sql.Identifier(mart.name), columns))
    conn.commit()


def _build(conn: ops.Conn, full: bool = False) -> int:
    row = conn.execute(
        "insert into ops.builds (status, load_ids, touched_days, settings_hash, is_full) values ('built', '{}',"
        " '{}', 'x', %s)"
        " returning build_id",
        (full,),
    ).fetchone()
    conn.commit()
    assert row is not None
    return int(row["build_id"])


def _marts() -> list[publish.Mart]:
    return publish.marts_of(transform.manifest())


def _fill(conn: ops.Conn, days: int) -> None:
    """Rows into ``candidate``, two marts at a time."""
    inserts = []
    lists = sql.SQL(_LISTS).format(first=sql.Literal(LAST_DAY - timedelta(days=days - 1)), last=sql.Literal(LAST_DAY))
    for name, fill in FILLS.items():
        columns = publish._columns(conn, "candidate", name)
        unknown = set(fill.columns) - set(columns) - set(_RANDOM)
        if unknown or not columns:
            raise LookupError(f"{name} has no columns {sorted(unknown)}")
        values = sql.SQL(", ").join(
            sql.SQL("cast({} as {})").format(sql.SQL(fill.columns.get(c) or _BY_TYPE[kind]), sql.SQL(kind))
            for c, kind in columns.items()
        )
        inserts.append(
            # Each begins alike, whichever session comes to it.
            sql.SQL("select setseed(0.42); insert into candidate.{} ({}) {} select {} from {}").format(
                sql.Identifier(name),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                lists,
                values,
                sql.SQL(fill.source),
            )
        )
    conn.commit()
    at_once(ops.url_of(conn), inserts)


def _vacuum(url: str) -> None:
    """What autovacuum does to the marts, and a build to the candidates."""
    vacuum(url, [sql.Identifier("marts", name) for name in FILLS])
    few = "set default_statistics_target = 10"  # see the macro refresh_statistics
    at_once(url, [sql.SQL("analyze {}").format(sql.Identifier("candidate", name)) for name in FILLS], few)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("checkpoint")


# -- reading -----------------------------------------------------------------------------------------------------------


def _read(result: Result, url: str, scale: Scale) -> None:
    keys = _keys(url)
    queries = {name: _at_last_day(text) for name, text in QUERIES.items()}
    by_key, asked = [], []
    latencies: dict[str, list[float]] = {}
    for _ in range(scale.rounds):
        by_key.append(_p95([s for _, s in _all_readers(url, {"key": BY_KEY}, keys, scale.read_seconds / 2)]))
        found = _all_readers(url, queries, keys, scale.read_seconds)
        asked.append(_p95([s for _, s in found]))
        for name, seconds in found:
            latencies.setdefault(name, []).append(seconds)
    times = [q / k for q, k in zip(asked, by_key, strict=True)]
    plans = {name: _plan(url, text, keys) for name, text in queries.items()}
    scans = {name: plan.scanned for name, plan in plans.items() if plan.scanned}
    plans |= {f"{name} (not judged)": _plan(url, _at_last_day(text), keys) for name, text in UNUSUAL.items()}
    result.ratios.append(Ratio(
        "readers: p95 of 20 dashboard queries / p95 of a read by key", statistics.median(times), GOAL_TIMES,
        (min(times), max(times)), of=f"seconds at the reader, {READERS} readers at once",
    ))  # fmt: skip
    result.ratios.append(Ratio(
        "readers: queries that scan a large mart", float(len(scans)), GOAL_SCANS, (len(scans), len(scans)),
        of=f"plans with a sequential scan of a mart of more than {LARGE_ROWS:,} rows", note="; ".join(
            f"{name}: {', '.join(tables)}" for name, tables in scans.items()),
    ))  # fmt: skip
    result.tables[f"queries, {READERS} readers at once"] = [
        {
            "query": name,
            "p50 ms": _ms(statistics.median(latencies[name])) if name in latencies else None,
            "p95 ms": _ms(_p95(latencies[name])) if name in latencies else None,
            "alone ms": round(plan.milliseconds, 2),
            "blocks": plan.blocks,
            "rows": plan.rows,
            "reads by": plan.how,
        }
        for name, plan in plans.items()
    ]
    p95s = (_ms(statistics.median(of)) for of in (by_key, asked))
    result.notes.append("p95 of a read by key {} ms, of the queries {} ms".format(*p95s))


def _at_last_day(text: str) -> str:
    return re.sub(r"\bD\b", f"date '{LAST_DAY}'", text)


def _keys(url: str) -> list[str]:
    with psycopg.connect(url) as conn:
        rows = conn.execute("select contact_id from marts.fct_contacts tablesample system (5) limit 2000").fetchall()
        rows = rows or conn.execute("select contact_id from marts.fct_contacts limit 2000").fetchall()
    return [str(row[0]) for row in rows]


def _all_readers(url: str, queries: dict[str, str], keys: list[str], seconds: float) -> list[tuple[str, float]]:
    """(query, seconds) of every read of all readers, who ask at random for so long."""
    with ProcessPoolExecutor(READERS, mp_context=multiprocessing.get_context("fork")) as pool:
        start = time.time() + 1.0  # all are connected by then
        asked = [pool.submit(reader, url, queries, keys, start, start + seconds, n) for n in range(READERS)]
        return [one for done in asked for one in done.result()]


def reader(
    url: str, queries: dict[str, str], keys: Sequence[str], start: float, end: float, seed: int
) -> list[tuple[str, float]]:
    """One reader: asks the queries from ``start`` to ``end`` (epoch), all once in a random order and all again; once at
    least, however late it comes to it.
    """
    chance = random.Random(seed)
    found: list[tuple[str, float]] = []
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(ops.READER_ROLE)))
        time.sleep(max(0.0, start - time.time()))
        while not found or time.time() < end:
            for name in chance.sample(list(queries), len(queries)):
                began = time.perf_counter()
                conn.execute(queries[name], parameters(chance, keys)).fetchall()
                found.append((name, time.perf_counter() - began))
                if time.time() >= end:
                    break
    return found


def parameters(chance: random.Random, keys: Sequence[str]) -> dict[str, str]:
    """Whom or what a query is about."""
    return {
        "operator": f"op{chance.randint(1, OPERATORS)}",
        "branch": f"b{chance.randint(1, BRANCHES)}",
        "topic": f"t{chance.randint(1, TOPICS)}",
        "subscriber": f"s{chance.randint(1, SUBSCRIBERS)}",
        "contact": chance.choice(keys),
    }


@dataclass(frozen=True)
class Plan:
    """What EXPLAIN (ANALYZE, BUFFERS) says: time alone, blocks of 8 KiB, rows given, ways of reading; marts scanned."""

    milliseconds: float
    blocks: int
    rows: int
    how: str
    scanned: list[str]


def _plan(url: str, text: str, keys: Sequence[str]) -> Plan:
    with psycopg.connect(url) as conn:
        large = {
            str(r[0])
            for r in conn.execute(
                "select relname from pg_class where relnamespace = 'marts'::regnamespace and reltuples > %s",
                (LARGE_ROWS,),
            )
        }
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(ops.READER_ROLE)))
        row = conn.execute(
            f"explain (analyze, buffers, format json) {text}", parameters(random.Random(1), keys)
        ).fetchone()
        assert row is not None
        told = row[0][0] if not isinstance(row[0], str) else json.loads(row[0])[0]
    nodes = list(_nodes(told["Plan"]))
    scanned = sorted({n["Relation Name"] for n in nodes if n["Node Type"] == "Seq Scan"} & large)
    how = ", ".join(sorted({f"{n['Node Type']} {n.get('Index Name') or n['Relation Name']}" for n in nodes
                            if "Index Name" in n or n["Node Type"] == "Seq Scan"}))  # fmt: skip
    top = told["Plan"]
    blocks = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    return Plan(told["Execution Time"], blocks, int(top["Actual Rows"]), how, scanned)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


# -- publication under readers -----------------------------------------------------------------------------------------


def _publish_under_readers(result: Result, url: str, publications: int) -> None:
    keys, rows = _keys(url), []
    nights: dict[str, Callable[[ops.Conn], None]] = {
        "a night that changes every number of the last day": lambda conn: None,
        "the same, and a mart gets a new column": _add_column,
    }
    if left := list(nights)[:-publications]:
        result.notes.append(f"publications measured in the full run only: {', '.join(left)}")
    for name, prepare in list(nights.items())[-publications:]:
        with ops.connect(url) as conn:
            _change_last_day(conn)
            prepare(conn)
            conn.commit()
            longest, lock_wait, seconds, written = _watch_publication(conn, url, keys)
        rows.append({
            "publication": name, "seconds": round(seconds, 2), "rows written": written,
            "longest read ms": _ms(longest), "longest wait for a lock ms": _ms(lock_wait),
        })  # fmt: skip
    waits = [row["longest read ms"] / 1000 for row in rows]
    result.tables["publication under readers"] = rows
    result.ratios.append(Ratio(
        "readers: longest wait during publication (s)", max(waits), GOAL_WAIT, (min(waits), max(waits)),
        of=f"longest read of one row by key, {READERS} readers at once, while the last day is published",
    ))  # fmt: skip


def _change_last_day(conn: ops.Conn) -> None:
    """Another number in each row of the last day, in the rolling marts too."""
    for name in FILLS:
        columns = publish._columns(conn, "candidate", name)
        number = next((c for c, kind in columns.items() if kind in ("bigint", "double precision")), None)
        of_day = next((c for c in ("business_day", "as_of_day", "day") if c in columns), None)
        if number is None or of_day is None:
            continue
        conn.execute(
            sql.SQL("update candidate.{} set {} = {} + 1 where {} = {}").format(
                sql.Identifier(name), *(sql.Identifier(c) for c in (number, number, of_day)), sql.Literal(LAST_DAY)
            )
        )


def _add_column(conn: ops.Conn) -> None:
    conn.execute(sql.SQL("alter table candidate.fct_contacts add column {} bigint").format(sql.Identifier(MORE)))


def _watch_publication(conn: ops.Conn, url: str, keys: list[str]) -> tuple[float, float, float, int]:
    """(longest read by key, longest wait of a reader for a lock, seconds of the publication, rows written)."""
    done = multiprocessing.get_context("fork").Event()
    context = multiprocessing.get_context("fork")
    longest = context.Array("d", READERS)
    readers = [context.Process(target=_read_until, args=(url, keys, done, longest, n)) for n in range(READERS)]
    for one in readers:
        one.start()
    locks = _Locks(url)
    try:
        time.sleep(1.5)
        for n in range(READERS):
            longest[n] = 0.0
        with locks:
            began = time.perf_counter()
            written = publish.publish(conn, _build(conn), [], [LAST_DAY], _marts(), False)
            conn.commit()
            seconds = time.perf_counter() - began
            time.sleep(0.2)
    finally:
        done.set()
        for one in readers:
            one.join(30)
    return max(longest), locks.longest, seconds, sum(written.values())


def _read_until(url: str, keys: list[str], done: Any, longest: Any, number: int) -> None:
    chance = random.Random(number)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(ops.READER_ROLE)))
        while not done.is_set():
            began = time.perf_counter()
            conn.execute(BY_KEY, parameters(chance, keys)).fetchall()
            longest[number] = max(longest[number], time.perf_counter() - began)
            time.sleep(0.05)  # readers think; else they measure each other's CPU


class _Locks:
    """Looks every 20 ms which readers wait for a lock, and since when."""

    def __init__(self, url: str) -> None:
        self.url, self.longest, self._stop = url, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> _Locks:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            while not self._stop.wait(0.02):
                row = conn.execute(
                    "select coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0) from pg_locks"
                    " where not granted and database = (select oid from pg_database where datname = current_database())"
                ).fetchone()
                assert row is not None
                self.longest = max(self.longest, float(row[0]))


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
