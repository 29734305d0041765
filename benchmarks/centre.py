"""A call centre with a history of years: the simulated provider's months, repeated back in time in the raw tables.

`Centre` brings a few months through the product's own doors. `lengthen` copies what `raw` holds to earlier dates:
the same subscribers and operators, other calls, tickets, answers and files. Ids and the order of log lines stay those
of a real system: a call's id begins with its epoch second, a record's place in the log grows with time.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import sql
from service_quality import config, ops, runner
from service_quality.contract import TABLES, Source, Table
from service_quality.local import postgres
from service_quality.window import nights

from demo import provider, survey_server
from demo import world as w

BLOCK_DAYS = 91  # thirteen weeks: the days of the week stay where they are
REFERENCE = frozenset({"branches", "operators", "operator_branches", "operator_aliases", "topics", "subscribers",
                       "measures"})  # fmt: skip
CALL_IDS = frozenset({"uniqueid", "linkedid", "callid", "call_id"})
# The name of the database that is built: for another name dbt parses its project anew, which no night does.
WAREHOUSE = "bench_warehouse"
PERSONS = {"subscriber_id": "person", "phone_hash": "number", "caller_hash": "number", "src_hash": "number"}
RECORD_IDS = frozenset({"wrap_up_id", "ticket_id", "ticket_event_id", "connection_id", "evaluation_id", "outage_id"})
SECONDS_APART = 7
FIRST_THICKENING = 1000  # numbers of copies in time lie below
PERSONS_APART = 7919  # a prime, so that copies of one contact go round all subscribers before one comes again
SEQUENCE_PER_SECOND = 2**31  # see sources.telephony: a line's place in the log begins with its time

# Every subscriber with a number of his own, counted through.
SUBSCRIBERS = """
create temporary table numbered on commit drop as
select subscriber_id as person, phone_hash as number, row_number() over (order by subscriber_id) - 1 as place,
    count(*) over () as everyone
from (
    select distinct on (phone_hash) subscriber_id, phone_hash from raw.subscribers
    where _superseded_at is null and phone_hash is not null order by phone_hash, subscriber_id
) as people
"""

# What autovacuum by its default thresholds would come to, but for tables that the next night makes anew.
DUE = """
select s.schemaname, s.relname from pg_stat_all_tables as s join pg_class as c on c.oid = s.relid
where c.relkind = 'r' and (s.schemaname <> 'intermediate' or s.n_dead_tup > 0)
    and (s.n_dead_tup > 50 + 0.2 * greatest(c.reltuples, 0)
    or s.n_ins_since_vacuum > 1000 + 0.2 * greatest(c.reltuples, 0)
    or s.n_mod_since_analyze > 50 + 0.1 * greatest(c.reltuples, 0))
"""


@dataclass
class Centre:
    """A simulated provider on this machine: its files and survey server in ``home``, its CRM in ``crm``."""

    home: Path
    server: postgres.Server
    crm: str
    first_day: date
    contacts_per_day: int
    days: int

    def url(self, database: str) -> str:
        """URL of a database of the embedded server."""
        return self.server.url(database)

    def show(self, day: date) -> None:
        """The provider as it is at the end of ``day``."""
        provider.play(self.home, day)

    def load(self, database: str, first: date, last: date) -> None:
        """Load the nights ``first`` .. ``last`` of all four sources into ``database``."""
        os.environ["WAREHOUSE_URL"] = self.url(database)
        window = nights(first, last, config.load().provider.zone)
        for source in Source:
            runner.load(source, window, config.connection_from_environment)


@contextmanager
def centre(name: str, contacts_per_day: int, days: int, first_day: date = w.FIRST_DAY) -> Iterator[Centre]:
    """Make the provider anew and open its doors; its databases (``bench_<name>...``) and files go afterwards."""
    server = postgres.start()
    home = postgres.home() / "bench" / name
    shutil.rmtree(home, ignore_errors=True)
    provider.create(home, 7, days, contacts_per_day, first_day)
    surveys = survey_server.server(home, 0, survey_server.Options(user="quality", password="quality"))
    threading.Thread(target=surveys.serve_forever, daemon=True).start()
    crm = f"bench_{name}_crm"
    drop_databases(server, WAREHOUSE)  # what a run that was killed left
    make_database(server, crm)
    before = dict(os.environ)
    os.environ.update(
        DEMO_HOME=str(home), DEMO_CRM_URL=server.url(crm), AIRFLOW_CONN_CRM=server.url(crm),
        AIRFLOW_CONN_SURVEY=f"http://quality:quality@127.0.0.1:{surveys.server_address[1]}",
    )  # fmt: skip
    os.environ.setdefault("QUALITY_PEPPER", "pepper of the benchmark")
    try:
        yield Centre(home, server, crm, first_day, contacts_per_day, days)
    finally:
        surveys.shutdown()
        os.environ.clear()
        os.environ.update(before)
        for prefix in (f"bench_{name}", WAREHOUSE):
            drop_databases(server, prefix)
        shutil.rmtree(home, ignore_errors=True)


def make_database(server: postgres.Server, name: str, template: str = "template1") -> None:
    """An empty database ``name``, or a copy of ``template``; one that stands there is replaced."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (template,))
        conn.execute(sql.SQL("create database {} template {} strategy file_copy").format(
            sql.Identifier(name), sql.Identifier(template)))  # fmt: skip


@contextmanager
def in_use(server: postgres.Server, database: str) -> Iterator[str]:
    """``database`` is called WAREHOUSE meanwhile and is the product's warehouse; its URL."""
    before = os.environ.get("WAREHOUSE_URL")
    _rename(server, database, WAREHOUSE)
    os.environ["WAREHOUSE_URL"] = server.url(WAREHOUSE)
    try:
        yield server.url(WAREHOUSE)
    finally:
        if before is None:
            del os.environ["WAREHOUSE_URL"]
        else:
            os.environ["WAREHOUSE_URL"] = before
        _rename(server, WAREHOUSE, database)


def _rename(server: postgres.Server, name: str, other: str) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        conn.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(name), sql.Identifier(other)))


def drop_databases(server: postgres.Server, prefix: str) -> None:
    """Drop all databases whose names begin with ``prefix``."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        found = conn.execute("select datname from pg_database where starts_with(datname, %s)", (prefix,)).fetchall()
        for (name,) in found:
            conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def lengthen(url: str, times: int, blocks: int = 1) -> None:
    """Repeat what ``raw`` holds, ``blocks`` times BLOCK_DAYS, so many ``times``, each further back; two tables at a
    time.
    """
    names = {table.name: table for table in TABLES if table.name not in REFERENCE}
    with ops.connect(url) as conn:
        indexes = _drop_lookups(conn, list(names))
        loads = conn.execute("select load_id from ops.loads where status = 'promoted'").fetchall()
        copies = []
        for block in range(blocks, times * blocks + 1, blocks):
            days = block * BLOCK_DAYS
            moved = {load["load_id"]: _load_copy(conn, load["load_id"], days) for load in loads}
            copies.append((moved, _Copy(sql.Literal(days), sql.Literal(days * 86400), sql.Literal(block))))
        conn.commit()
        largest = conn.execute(
            "select relname as name from pg_class where relnamespace = 'raw'::regnamespace and relname = any(%s)"
            " order by pg_relation_size(oid) desc", (list(names),),
        ).fetchall()  # fmt: skip
    # One session copies a table, so that its blocks of days lie one after the other.
    at_once(url, [
        sql.SQL(";").join(_copied(names[row["name"]], moved, copy) for moved, copy in copies) for row in largest
    ])  # fmt: skip
    at_once(url, indexes)
    _vacuum_raw(url)


def _drop_lookups(conn: ops.Conn, tables: list[str]) -> list[sql.Composable]:
    """Drop the indexes of raw's ``tables`` that copying does not need; SQL that makes each again, the largest first."""
    indexes = conn.execute(
        "select indexname as name, indexdef as definition from pg_indexes where schemaname = 'raw'"
        " and tablename = any(%s) and indexname !~ '__(load|blocks)$'"
        " order by pg_relation_size(format('raw.%%I', indexname)::regclass) desc", (tables,),
    ).fetchall()  # fmt: skip
    for index in indexes:
        conn.execute(sql.SQL("drop index raw.{}").format(sql.Identifier(index["name"])))
    return [sql.SQL(index["definition"]) for index in indexes]


def thicken(url: str, copies: int) -> None:
    """Repeat what the loads brought that no build has seen ``copies`` times on the same day, seconds apart and each
    time by another subscriber; commits.
    """
    with ops.connect(url) as conn:
        conn.execute(SUBSCRIBERS)
        loads = conn.execute(
            "select load_id from ops.loads where status = 'promoted' and build_id is null"
        ).fetchall()
        same = {load["load_id"]: load["load_id"] for load in loads}
        copy = _Copy(
            sql.SQL("0"), sql.SQL("n * {}").format(sql.Literal(SECONDS_APART)),
            sql.SQL("cast({} + n as bigint)").format(sql.Literal(FIRST_THICKENING)), copies, by_others=True,
        )  # fmt: skip
        for table in TABLES:
            if table.name not in REFERENCE:
                conn.execute(_copied(table, same, copy))
        conn.commit()
    _vacuum_raw(url)


def shorten(url: str, days: int) -> None:
    """Keep the last ``days`` days of events in ``raw`` and forget that others were loaded; commits."""
    with ops.connect(url) as conn:
        end = conn.execute("select max(window_end) as at from ops.loads where status = 'promoted'").fetchone()
        assert end is not None
        since = end["at"] - timedelta(days=days)
        for table in TABLES:
            if table.name not in REFERENCE:
                conn.execute(
                    sql.SQL("delete from raw.{} where {} < %s").format(
                        sql.Identifier(table.name), sql.Identifier(table.event_time)), (since,))  # fmt: skip
        conn.execute("update ops.loads set window_start = %s", (since,))
        conn.execute("delete from ops.load_days where day < %s", (since.date(),))
        conn.commit()
    _vacuum_raw(url, "full, analyze")


def _vacuum_raw(url: str, how: str = "analyze") -> None:
    vacuum(url, [sql.Identifier("raw", table.name) for table in TABLES], how)


def undisturbed(url: str) -> None:
    """Autovacuum leaves the tables that stand in ``url`` alone; `vacuum_due` is for the pauses. The meter counts the
    whole server, and what one database left to vacuum would else fall into the night of another.
    """
    with psycopg.connect(url) as conn:
        tables = conn.execute(
            "select s.schemaname, s.relname from pg_stat_user_tables as s join pg_class as c on c.oid = s.relid"
            " where c.relkind = 'r'"
        ).fetchall()
    off = [sql.SQL("alter table {} set (autovacuum_enabled = off)").format(sql.Identifier(*names)) for names in tables]
    at_once(url, off)


def vacuum_due(url: str) -> None:
    """What autovacuum would do in the hours after a night, done at once."""
    with psycopg.connect(url) as conn:
        tables = conn.execute(DUE).fetchall()
    vacuum(url, [sql.Identifier(*names) for names in tables])


def vacuum(url: str, tables: Sequence[sql.Composable], how: str = "analyze") -> None:
    """What autovacuum would do in the midst of what is measured, by two sessions at once."""
    statements = [sql.SQL("vacuum ({}) {}").format(sql.SQL(how), table) for table in tables]  # type: ignore[arg-type]
    at_once(url, statements)


def at_once(url: str, statements: Sequence[sql.Composable], before: str = "") -> None:
    """Run each statement in a transaction of its own, two at a time, each session prepared by ``before``."""
    waiting = deque(statements)

    def work() -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            if before:
                conn.execute(before)  # type: ignore[arg-type]
            while True:
                try:
                    statement = waiting.popleft()
                except IndexError:
                    return
                conn.execute(statement)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work) for _ in range(2)]:
            done.result()


def _load_copy(conn: ops.Conn, load_id: int, days: int) -> int:
    row = conn.execute(
        "insert into ops.loads (source, window_start, window_end, status, rows_read, rows_raw, rows_unchanged,"
        " rows_quarantined, started_at, ended_at, time_zone)"
        " select source, window_start - %(back)s, window_end - %(back)s, status, rows_read, rows_raw, rows_unchanged,"
        " rows_quarantined, started_at - %(back)s, ended_at - %(back)s, time_zone"
        " from ops.loads where load_id = %(load)s returning load_id",
        {"back": timedelta(days=days), "load": load_id},
    ).fetchone()
    assert row is not None
    conn.execute(
        "insert into ops.load_days (table_name, day, load_id, rows_new, events)"
        " select table_name, day - %s, %s, rows_new, events from ops.load_days where load_id = %s",
        (days, row["load_id"], load_id),
    )
    return int(row["load_id"])


@dataclass(frozen=True)
class _Copy:
    """SQL of how far back a copy lies, in days and in seconds, and of its number; ``n`` counts ``copies`` from 1.

    ``by_others``: known subscribers are others in each copy, by the table `numbered`.
    """

    days: sql.Composable
    back: sql.Composable
    number: sql.Composable
    copies: int = 1
    by_others: bool = False


def _copied(table: Table, moved: dict[int, int], copy: _Copy) -> sql.Composed:
    """SQL that copies the rows of the loads ``moved`` to those that they became."""
    names = [name for name, _ in ops.raw_columns(table)]
    values = [_moved(name, kind, copy) for name, kind in ops.raw_columns(table)]
    loads = sql.SQL(" ").join(
        sql.SQL("when {} then {}").format(sql.Literal(old), sql.Literal(new)) for old, new in moved.items()
    )
    return sql.SQL(
        "insert into raw.{table} ({names}, _load_id, _row_no, _row_hash, _loaded_at)"
        " select {values}, case _load_id {loads} end, _row_no, _row_hash # {number}, _loaded_at"
        " from raw.{table} cross join generate_series(1, {copies}) as n{others}"
        " where _superseded_at is null and _load_id = any({old})"
    ).format(
        table=sql.Identifier(table.name), names=sql.SQL(", ").join(map(sql.Identifier, names)),
        values=sql.SQL(", ").join(values), loads=loads, number=copy.number, copies=sql.Literal(copy.copies),
        old=sql.Literal(list(moved)), others=_others(names) if copy.by_others else sql.SQL(""),
    )  # fmt: skip


def _others(names: Sequence[str]) -> sql.Composable:
    """SQL that joins who a row is about, by the first column that tells it, and who it is about in copy ``n``."""
    told = next((name for name in PERSONS if name in names), None)
    if told is None:
        return sql.SQL("")
    return sql.SQL(
        " left join numbered as known on known.{kind} = {told} left join numbered as other"
        " on other.place = (known.place + n * {apart}) % known.everyone"
    ).format(kind=sql.Identifier(PERSONS[told]), told=sql.Identifier(told), apart=sql.Literal(PERSONS_APART))


def _moved(name: str, kind: str, copy: _Copy) -> sql.Composable:
    """SQL of a raw column's value in a copy."""
    column, back = sql.Identifier(name), copy.back
    if copy.by_others and name in PERSONS:
        return sql.SQL("coalesce(other.{}, {})").format(sql.Identifier(PERSONS[name]), column)
    if kind == "timestamptz":
        return sql.SQL("{} - {} * interval '1 second'").format(column, back)
    if kind == "date":
        return sql.SQL("{} - {}").format(column, copy.days)
    if name in CALL_IDS:
        return _earlier_id(column, back)
    if name in RECORD_IDS:
        return sql.SQL("{} || '~' || {}").format(column, copy.number)
    if name == "file_id":
        return sql.SQL("{} || '-' || {}").format(column, copy.number)
    if name == "log_seq":
        return sql.SQL("{} - ({}) * {}").format(column, back, sql.Literal(SEQUENCE_PER_SECOND))
    # The survey server is asked from the newest known number on, and for those that were not finished.
    if name == "response_id":
        return sql.SQL("{} - {} * 10000000").format(column, copy.number)
    if name == "is_complete":
        return sql.SQL("true")
    if name == "params":  # CONNECT names the operator's call
        return sql.SQL(
            "case when event = 'CONNECT' and split_part({0}, '|', 2) like '%.%'"
            " then split_part({0}, '|', 1) || '|' || {1} || '|' || split_part({0}, '|', 3) else {0} end"
        ).format(column, _earlier_id(sql.SQL("split_part({}, '|', 2)").format(column), back))
    return column


def _earlier_id(value: sql.Composable, back: sql.Composable) -> sql.Composed:
    return sql.SQL(
        "case when {0} ~ '^[0-9]+[.][0-9]+$' then (cast(split_part({0}, '.', 1) as bigint) - {1}) || '.'"
        " || split_part({0}, '.', 2) else {0} end"
    ).format(value, back)
