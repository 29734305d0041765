"""The warehouse's own books: schemas, the tables of ``ops`` and what is written there.

``prepare`` makes an empty database ready; it is idempotent and only adds. The marts' tables are made by
``publish``, the models' by dbt.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from service_quality.contract import TABLES, Column, Source, Table
from service_quality.window import Window

Conn = psycopg.Connection[dict[str, Any]]

SCHEMAS = ("landing", "raw", "quarantine", "staging", "intermediate", "candidate", "marts", "ops")
READER_ROLE = "quality_reader"

# Read anew, a line keeps its content, while its place in the whole log depends on the files at hand.
NOT_CONTENT = frozenset({"log_seq"})

LOAD_OPEN = ("landing", "gated", "held")  # not promoted yet; a new load of the window supersedes these

_DDL = """
create table if not exists ops.prepared (definitions text not null);
create table if not exists ops.provider (name text not null);
create table if not exists ops.loads (
    load_id bigint generated always as identity primary key,
    source text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    status text not null check (status in
        ('landing', 'gated', 'held', 'promoted', 'rejected', 'superseded', 'failed')),
    rows_read bigint,
    rows_raw bigint,
    rows_unchanged bigint,
    rows_quarantined bigint,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    message text,
    error text,
    decided_by text,
    build_id bigint,
    time_zone text,
    check (window_start < window_end),
    constraint rows_balance check
        (status <> 'promoted' or rows_read = rows_raw + rows_unchanged + rows_quarantined)
);
create index if not exists loads_unpublished on ops.loads (load_id) where status = 'promoted' and build_id is null;
create index if not exists loads_window on ops.loads (source, window_end);
create table if not exists ops.load_tables (
    load_id bigint not null references ops.loads,
    table_name text not null,
    rows_read bigint not null,
    rows_raw bigint,
    rows_unchanged bigint,
    rows_quarantined bigint,
    primary key (load_id, table_name),
    constraint rows_balance check (rows_raw is null or rows_read = rows_raw + rows_unchanged + rows_quarantined)
);
create table if not exists ops.load_days (
    table_name text not null,
    day date not null,
    load_id bigint not null references ops.loads,
    rows_new bigint not null,
    events bigint not null default 0,
    primary key (table_name, day, load_id)
);
alter table ops.loads add column if not exists time_zone text;
alter table ops.load_days add column if not exists events bigint not null default 0;
create table if not exists ops.load_bad_rows (
    load_id bigint not null references ops.loads,
    table_name text not null,
    row_no bigint not null,
    rule_ids text[] not null,
    primary key (load_id, table_name, row_no)
);
create table if not exists ops.files (
    table_name text not null,
    file_id text not null,
    load_id bigint not null references ops.loads,
    last_line bigint not null,
    primary key (table_name, file_id)
);
-- What raw calls a file, at a quarter of the fingerprint's width. Files of an earlier version keep theirs.
alter table ops.files add column if not exists short_id text;
alter table ops.files add column if not exists file_name text;
update ops.files set short_id = file_id where short_id is null;
alter table ops.files alter column short_id set not null;
create unique index if not exists files_short_id on ops.files (table_name, short_id);
create table if not exists ops.builds (
    build_id bigint generated always as identity primary key,
    status text not null check (status in ('planned', 'built', 'held', 'published', 'failed', 'nothing')),
    load_ids bigint[] not null,
    touched_days date[] not null,
    data_until timestamptz,
    settings_hash text not null,
    is_full boolean not null default false,
    stale_sources text[] not null default '{}',
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    message text,
    error text
);
-- Of the touched days those on which more changed than repeats; null: all of them.
alter table ops.builds add column if not exists changed_days date[];
-- Whether topics can belong to other classes on its last whole day than at the publication before.
alter table ops.builds add column if not exists reclassified boolean not null default true;
create table if not exists ops.touched_days (
    build_id bigint not null,
    business_day date primary key
);
create table if not exists ops.build_nodes (
    build_id bigint not null references ops.builds,
    node text not null,
    resource_type text not null,
    status text not null,
    seconds double precision,
    rows_affected bigint,
    message text,
    finished_at timestamptz not null default now(),
    primary key (build_id, node)
);
create table if not exists ops.gate_results (
    gate_result_id bigint generated always as identity primary key,
    load_id bigint references ops.loads,
    build_id bigint references ops.builds,
    table_name text not null,
    rule_id text not null,
    rule_type text not null,
    severity text not null check (severity in ('critical', 'warning')),
    verdict text not null check (verdict in ('pass', 'quarantine', 'warn', 'fail', 'not_judged')),
    observed text,
    expected text,
    rows_checked bigint,
    rows_failed bigint,
    why text not null,
    owner text not null,
    action text,
    checked_at timestamptz not null default now(),
    check (num_nonnulls(load_id, build_id) = 1)
);
create index if not exists gate_results_load on ops.gate_results (load_id);
create index if not exists gate_results_build on ops.gate_results (build_id);
create table if not exists ops.restatements (
    restatement_id bigint generated always as identity primary key,
    build_id bigint not null references ops.builds,
    load_ids bigint[] not null,
    mart text not null,
    row_key jsonb not null,
    business_day date,
    column_name text not null,
    old_value text,
    new_value text,
    restated_at timestamptz not null default now()
);
create index if not exists restatements_build on ops.restatements (build_id);
-- Surges that an alert was delivered for: each is told once, however often its days are built again.
create table if not exists ops.surge_alerts (
    surge_id text primary key,
    build_id bigint not null references ops.builds,
    business_day date not null,
    alerted_at timestamptz not null default now()
);
create table if not exists ops.setting_sources (
    table_name text primary key,
    source text not null,
    is_configured boolean not null
);
create table if not exists ops.setting_branches (
    branch_id text primary key,
    branch_name text,
    region text,
    time_zone text not null
);
create table if not exists ops.setting_hours (
    branch_id text not null,
    iso_weekday integer not null,
    opens_minute integer not null,
    closes_minute integer not null,
    primary key (branch_id, iso_weekday)
);
create table if not exists ops.setting_holidays (
    branch_id text not null,
    day date not null,
    primary key (branch_id, day)
);
create table if not exists ops.setting_queues (
    server_id text not null,
    queue text not null,
    branch_id text,
    topic_class text,
    service_level_seconds integer not null,
    short_abandon_seconds integer not null,
    valid_from date not null,
    valid_to date,
    primary key (server_id, queue, valid_from)
);
create table if not exists ops.setting_aliases (
    server_id text not null,
    alias text not null,
    agent_name text not null,
    operator_id text,
    primary key (server_id, alias)
);
create or replace view ops.coverage as
select source, window_start, window_end, load_id from ops.loads where status = 'promoted';
drop function if exists ops.published_amounts(text, text);
-- What a mart shows its readers now, by day; no rows before its first publication. Gate 2 compares with it.
create or replace function ops.published_amounts(mart text, measure text, first_day date, last_day date)
returns table (business_day date, amount numeric) language plpgsql stable as $$
begin
    if to_regclass(format('marts.%I', mart)) is not null then
        return query execute format(
            'select business_day, cast(sum(%I) as numeric) from marts.%I where business_day between %L and %L'
            ' group by business_day', measure, mart, first_day, last_day);
    end if;
end $$;
create or replace view ops.source_health as
select
    source,
    max(window_end) filter (where status = 'promoted') as loaded_until,
    max(ended_at) filter (where status = 'promoted') as last_promoted_at,
    count(*) filter (where status = 'held') as loads_held,
    coalesce(sum(rows_quarantined) filter (where status = 'promoted'), 0) as rows_quarantined
from ops.loads
group by source;
"""

# Says that the tables of landing, raw and quarantine are made otherwise than before, so that `prepare` runs again.
_SHAPES = "row hash of 64 bits; lookups by what is there; short ids of files; blocks of time"

_RAW_OWN = (
    ("_row_hash", "bigint not null"),
    ("_loaded_at", "timestamptz not null default now()"),
    ("_superseded_at", "timestamptz"),
)

# Treatment of personal data. A digit run of seven or more is taken for a number of a person, with or without
# separators; ids that Asterisk gives to channels (1732345678.123, -0000001a) are not.
_FUNCTIONS = r"""
create or replace function ops.mask_text(value text) returns text
language sql immutable parallel safe as $$
    select case
        -- Cheap looks first: the patterns below cost ten times as much, and nearly no text of a PBX needs them.
        when octet_length(value) < 6 then value
        -- Up to three parameters that are too short for it, the second may be the id of a call.
        when octet_length(split_part(value, '|', 1)) < 6 and octet_length(split_part(value, '|', 3)) < 6
            and value not like '%|%|%|%' and (
                octet_length(split_part(value, '|', 2)) < 6
                or split_part(value, '|', 2) like '1_________._%'
                and translate(split_part(value, '|', 2), '0123456789', '') = '.'
            )
            then value
        when strpos(value, '@') = 0 and length(value) - length(translate(value, '0123456789', '')) < 7 then value
        -- Short numbers, ids of calls and words.
        when value ~ '^(?:1[0-9]{9}[.][0-9]+|[0-9]{0,6}|[^0-9|@]*)(?:[|](?:1[0-9]{9}[.][0-9]+|[0-9]{0,6}|[^0-9|@]*))*$'
            then value
        when value like '%@%.%' or (
            length(value) - length(translate(value, '0123456789', '')) >= 7
            and value ~ '[0-9]([ \u00a0().–-]{0,3}[0-9]){6}'
        )
            then regexp_replace(
                regexp_replace(
                    value, '[[:alnum:]._%+-]+@([[:alnum:]-]+[.])+[[:alpha:]]{2,}', '[e-mail]', 'g'
                ),
                '(?<![0-9]|[0-9][.])(?!1[0-9]{9}[.][0-9])(?!(?<=-)0[0-9a-f]{7}(?![0-9a-z]))[+(]{0,2}[0-9]'
                '((?!-0[0-9a-f]{7}(?![0-9a-z]))(?![ \u00a0().–-]{1,3}1[0-9]{9}[.][0-9])[ \u00a0().–-]{0,3}[0-9]){6,}',
                '***', 'g'
            )
        else value
    end
$$;
-- 48 of the 128 bits of a file's fingerprint, the same in every warehouse; other ids are short as they are.
create or replace function ops.short_file_id(file_id text) returns text
language sql immutable strict parallel safe as $$
    select case
        when file_id ~ '^[0-9a-f]{32}$' then translate(encode(decode(left(file_id, 12), 'hex'), 'base64'), '+/', '-_')
        else file_id
    end
$$;
-- Where a line that raw holds came from: raw does not repeat in each row what follows from file and line.
create or replace function ops.source_ref(name_of_table text, id_of_file text, line_no bigint) returns text
language sql stable parallel safe as $$
    select file_name || ':' || line_no from ops.files where table_name = name_of_table and short_id = id_of_file
$$;
-- In plpgsql, because a query inside a function in SQL costs four times as much per call.
create or replace function ops.phone_hash_any(
    value text, pepper text, country_code text, trunk_prefix text, national_digits integer
) returns text
language plpgsql immutable strict parallel safe as $$
declare
    digits text := translate(split_part(value, '@', 1), '+-() ', '');
begin
    if digits ~ '[^0-9]' then
        digits := regexp_replace(digits, '[^0-9]', '', 'g');
    end if;
    if length(digits) < 7 then
        return null;
    end if;
    if length(digits) = length(trunk_prefix) + national_digits and starts_with(digits, trunk_prefix) then
        digits := country_code || right(digits, national_digits);
    elsif length(digits) = national_digits then
        digits := country_code || digits;
    end if;
    return encode(sha256(convert_to(pepper || digits, 'UTF8')), 'hex');
end
$$;
-- The same, without a call where the number stands as most do; Postgres writes the expression into the query.
drop function if exists ops.phone_hash(text, text, text, text, integer);
create function ops.phone_hash(
    value text, pepper text, country_code text, trunk_prefix text, national_digits integer
) returns text
language sql stable parallel safe as $$
    select case
        when length(value) = length(country_code) + national_digits and length(value) >= 7
            and not starts_with(value, trunk_prefix) and translate(value, '0123456789', '') = ''
            then encode(sha256(convert_to(pepper || value, 'UTF8')), 'hex')
        else ops.phone_hash_any(value, pepper, country_code, trunk_prefix, national_digits)
    end
$$;
"""


@dataclass(frozen=True)
class Load:
    """A row of ``ops.loads`` as the stages need it."""

    load_id: int
    source: Source
    window: Window
    status: str
    message: str | None = None


def home() -> Path:
    """Where run-time files live: ``QUALITY_HOME`` or ``.local`` in the checkout."""
    from service_quality.local.postgres import home as local_home

    return local_home()


def warehouse_url() -> str:
    """``WAREHOUSE_URL``, else the embedded server's ``warehouse`` database (started on demand)."""
    if url := os.environ.get("WAREHOUSE_URL"):
        return url
    from service_quality.local import postgres

    server = postgres.start()
    postgres.ensure_database(server, "warehouse")
    return server.url("warehouse")


def connect(url: str | None = None) -> Conn:
    """A connection with dict rows, UTC. Commit is the caller's; use it as a context manager."""
    conn: Conn = psycopg.connect(url or warehouse_url(), row_factory=dict_row)
    conn.execute("set time zone 'UTC'")
    conn.commit()
    return conn


def url_of(conn: psycopg.Connection[Any]) -> str:
    """The connection's own URL, password included."""
    return make_conninfo(**{**conn.info.get_parameters(), "password": conn.info.password})


def pepper() -> str:
    """The secret of the phone hashes: ``QUALITY_PEPPER``, else a file made once, readable by its owner only.

    Losing it means that new hashes no longer join old ones: back it up apart from the warehouse.
    """
    if value := os.environ.get("QUALITY_PEPPER"):
        return value
    path = home() / "pepper"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()


def landing_columns(table: Table) -> list[tuple[str, str]]:
    """(name, type) of ``landing.<table>`` in order."""
    own = [(c.name, c.type) for c in table.columns]
    return [
        *own,
        ("_source_ref", "text"),
        ("_problems", "text"),
        ("_load_id", "bigint"),
        ("_row_no", "bigint"),
    ]


def raw_columns(table: Table) -> list[tuple[str, str]]:
    """(name, type) of the source's columns in ``raw.<table>``, personal data treated."""
    return [(c.raw_name, _raw_type(c)) for c in table.columns if c.raw_name is not None]


def _aligned(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The widest first, texts last: then Postgres fills no gaps between them."""
    widths = {"date": 1, "boolean": 2, "text": 3}
    return sorted(pairs, key=lambda pair: widths.get(pair[1].split()[0], 0))


def _raw_type(column: Column) -> str:
    return "text" if column.personal else column.type


def prepare(conn: Conn) -> None:
    """Create schemas, ``ops``, landing, raw and quarantine tables and the reader role; idempotent.

    A database that was prepared by the same definitions is left alone: no lock is taken on its tables.
    """
    wanted = hashlib.sha256((_DDL + _FUNCTIONS + _SHAPES + repr(TABLES)).encode()).hexdigest()
    is_prepared = _prepared_by(conn) == wanted
    conn.commit()
    if is_prepared:
        return
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(hashtext('quality_line_prepare'))")
        if _prepared_by(conn) == wanted:  # another process did it while this one waited
            return
        for schema in SCHEMAS:
            conn.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        conn.execute(_DDL)
        conn.execute(_FUNCTIONS)
        for table in TABLES:
            _prepare_table(conn, table)
        _prepare_reader(conn)
        conn.execute("delete from ops.prepared")
        conn.execute("insert into ops.prepared values (%s)", (wanted,))
    conn.commit()


def _prepared_by(conn: Conn) -> str | None:
    found = None
    if conn.execute("select to_regclass('ops.prepared') as name").fetchone()["name"]:  # type: ignore[index]
        row = conn.execute("select definitions from ops.prepared").fetchone()
        found = row["definitions"] if row else None
    return found


def _prepare_table(conn: Conn, table: Table) -> None:
    def columns(pairs: Iterable[tuple[str, str]]) -> sql.Composed:
        return sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in pairs)

    name = sql.Identifier(table.name)
    conn.execute(
        sql.SQL("create table if not exists landing.{} ({}) partition by list (_load_id)").format(
            name, columns(landing_columns(table))
        )
    )
    kept = [*raw_columns(table), ("_load_id", "bigint"), ("_row_no", "bigint")]
    waiting = [*kept, ("_source_ref", "text")]
    conn.execute(sql.SQL("create table if not exists raw.{} ({})").format(name, columns(_aligned([*kept, *_RAW_OWN]))))
    conn.execute(
        sql.SQL(
            "create table if not exists quarantine.{} ({}, _problems text, _rule_ids text[] not null,"
            " _quarantined_at timestamptz not null default now(), _released_at timestamptz)"
        ).format(name, columns(waiting))
    )
    for schema, wanted in (("landing", landing_columns(table)), ("raw", kept), ("quarantine", waiting)):
        for column_name, column_type in wanted:  # columns that a later version of the contract brought
            conn.execute(
                sql.SQL("alter table {} add column if not exists {} {}").format(
                    sql.Identifier(schema, table.name), sql.Identifier(column_name), sql.SQL(column_type)
                )
            )
    _shorten_hashes(conn, table)
    _prepare_indexes(conn, table)
    for column in table.lookups:
        _prepare_lookup(conn, table, column)


def _prepare_indexes(conn: Conn, table: Table) -> None:
    # The server last: it tells few rows apart, and every comparison of texts counts when the index is made.
    columns = sorted(table.key, key=lambda name: name == "server_id")
    key = sql.SQL(", ").join(map(sql.Identifier, columns))
    wanted = {
        "key": sql.SQL("unique index if not exists {} on raw.{} ({}) where _superseded_at is null"),
        "old": sql.SQL("index if not exists {} on raw.{} ({}) where _superseded_at is not null"),
    }
    if table.version is None:
        # Rows that are written once lie in the order of load and time: the bounds of some blocks tell where to look.
        wanted["blocks"] = sql.SQL(
            "index if not exists {} on raw.{} using brin ({}, _load_id) with (pages_per_range = 16)"
        )
    else:
        wanted["load"] = sql.SQL("index if not exists {} on raw.{} (_load_id)")
        wanted["time"] = sql.SQL("index if not exists {} on raw.{} ({})")
    for index, clause in wanted.items():
        target = {"key": key, "old": key, "load": None}.get(index, sql.Identifier(table.event_time))
        parts = [sql.Identifier(f"{table.name}__{index}"), sql.Identifier(table.name)]
        conn.execute(sql.SQL("create ") + clause.format(*parts, *([target] if target is not None else [])))
    if "blocks" in wanted:  # earlier versions had an entry per row
        for index in ("load", "time"):
            conn.execute(sql.SQL("drop index if exists raw.{}").format(sql.Identifier(f"{table.name}__{index}")))


def _prepare_lookup(conn: Conn, table: Table, column: str) -> None:
    """An index by which rows are looked up; rows without the value need no entry. Earlier ones had them all."""
    found = conn.execute(
        "select indpred is null as is_whole from pg_index where indexrelid = to_regclass(%s)",
        (f'raw."{table.name}__{column}"',),
    ).fetchone()
    index, name = sql.Identifier(f"{table.name}__{column}"), sql.Identifier(column)
    if found and found["is_whole"]:
        conn.execute(sql.SQL("drop index raw.{}").format(index))
    conn.execute(
        sql.SQL("create index if not exists {} on raw.{} ({}) where {} is not null").format(
            index, sql.Identifier(table.name), name, name
        )
    )


def row_hash(table: Table) -> sql.Composed:
    """The fingerprint of a row as raw holds it: 64 bits over its content, compared only between rows of one key."""
    content = [n for n, _ in raw_columns(table) if n not in NOT_CONTENT]
    return sql.SQL("hash_record_extended(row({}), 0)").format(sql.SQL(", ").join(map(sql.Identifier, content)))


def _shorten_hashes(conn: Conn, table: Table) -> None:
    """Warehouses of an earlier version hold the fingerprint as md5 in hexadecimal."""
    found = conn.execute(
        "select 1 from information_schema.columns where table_schema = 'raw' and table_name = %s"
        " and column_name = '_row_hash' and data_type = 'text'",
        (table.name,),
    ).fetchone()
    if found:
        conn.execute(
            sql.SQL("alter table raw.{} alter column _row_hash type bigint using {}").format(
                sql.Identifier(table.name), row_hash(table)
            )
        )


def _prepare_reader(conn: Conn) -> None:
    """The role of analysts and dashboards: marts, and the views about the numbers' health."""
    if not _has_reader(conn):
        try:
            with conn.transaction():
                conn.execute(sql.SQL("create role {} nologin").format(sql.Identifier(READER_ROLE)))
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UniqueViolation):
            return  # an administrator makes roles there; he grants what the README lists
    role = sql.Identifier(READER_ROLE)
    conn.execute(sql.SQL("grant usage on schema marts, ops to {}").format(role))
    conn.execute(sql.SQL("grant select on all tables in schema marts to {}").format(role))
    conn.execute(sql.SQL("alter default privileges in schema marts grant select on tables to {}").format(role))
    conn.execute(sql.SQL("grant select on ops.source_health, ops.restatements to {}").format(role))


def _has_reader(conn: Conn) -> bool:
    return conn.execute("select 1 from pg_roles where rolname = %s", (READER_ROLE,)).fetchone() is not None


def in_days(column: sql.Composable, days: Iterable[date]) -> sql.Composed:
    """Condition: the date ``column`` is one of ``days``; literal, with days that follow each other as one range.

    Of a list the planner counts every day as if rows stood on it, and reads a weekly table from end to end.
    """
    runs: list[list[date]] = []
    for day in sorted(set(days)):
        if runs and (day - runs[-1][1]).days == 1:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    ranges: list[sql.Composable] = [
        sql.SQL("{} between {} and {}").format(column, sql.Literal(first), sql.Literal(last)) for first, last in runs
    ]
    return sql.SQL("({})").format(sql.SQL(" or ").join(ranges or [sql.SQL("false")]))


def partition(table_name: str, load_id: int) -> str:
    """Name of the partition of ``landing.<table_name>`` that holds one load."""
    return f"{table_name}__{load_id}"


def drop_landing(conn: Conn, load_id: int) -> None:
    """Drop the landed rows of a load and what the gate noted about them; idempotent."""
    for table in TABLES:
        name = sql.Identifier(partition(table.name, load_id))
        conn.execute(sql.SQL("drop table if exists landing.{}").format(name))
    conn.execute("delete from ops.load_bad_rows where load_id = %s", (load_id,))


def landed_rows_lost(conn: Conn, table_name: str, load_id: int) -> bool:
    """Whether nothing stands where rows were landed: landing is unlogged, so a crash of the server empties it."""
    name = sql.Identifier(partition(table_name, load_id))
    return conn.execute(sql.SQL("select 1 from landing.{} limit 1").format(name)).fetchone() is None


def own(conn: Conn, provider: str) -> str:
    """Whose data the warehouse holds: the provider of its first load, which is ``provider`` when there was none."""
    conn.execute("lock table ops.provider in exclusive mode")
    conn.execute("insert into ops.provider select %s where not exists (select 1 from ops.provider)", (provider,))
    row = conn.execute("select name from ops.provider").fetchone()
    conn.commit()
    assert row is not None
    return str(row["name"])


def open_load(conn: Conn, source: Source, window: Window) -> Load:
    """Register a new load of ``window``; loads of the same window that are not promoted are superseded."""
    with conn.transaction():
        conn.execute(
            "update ops.loads set status = 'superseded', ended_at = coalesce(ended_at, now())"
            " where source = %s and window_start = %s and window_end = %s and status = any(%s)",
            (source, window.start, window.end, list(LOAD_OPEN)),
        )
        row = conn.execute(
            "insert into ops.loads (source, window_start, window_end, status)"
            " values (%s, %s, %s, 'landing') returning load_id",
            (source, window.start, window.end),
        ).fetchone()
    assert row is not None
    return Load(row["load_id"], source, window, "landing")


def get_load(conn: Conn, load_id: int) -> Load:
    """The load; LookupError when there is none."""
    row = conn.execute("select * from ops.loads where load_id = %s", (load_id,)).fetchone()
    if row is None:
        raise LookupError(f"there is no load {load_id}")
    window = Window(row["window_start"], row["window_end"])
    return Load(load_id, Source(row["source"]), window, row["status"], row["message"])


def set_load(conn: Conn, load_id: int, status: str, expect: Sequence[str] = (), **values: Any) -> None:
    """Move a load to ``status`` and set further columns of ``ops.loads``.

    Raises RuntimeError when ``expect`` is given and the load's status is not among it.
    """
    sets = [sql.SQL("status = %(status)s"), *(sql.SQL("{} = {}").format(sql.Identifier(k), sql.Placeholder(k))
                                               for k in values)]  # fmt: skip
    condition = sql.SQL(" and status = any(%(expect)s)") if expect else sql.SQL("")
    statement = sql.SQL("update ops.loads set {} where load_id = %(load_id)s{}").format(
        sql.SQL(", ").join(sets), condition
    )
    parameters = {**values, "status": status, "load_id": load_id, "expect": list(expect)}
    if conn.execute(statement, parameters).rowcount != 1:
        now = get_load(conn, load_id).status
        raise RuntimeError(f"load {load_id} is {now}; only {' or '.join(expect)} can become {status}")


def loaded_until(conn: Conn, source: Source) -> datetime | None:
    """End of the latest window of ``source`` that is promoted or waits for a decision; None when none is."""
    row = conn.execute(
        "select max(window_end) as at from ops.loads where source = %s and status in ('promoted', 'held')",
        (source,),
    ).fetchone()
    return row["at"] if row else None
