"""``landing`` -> ``raw`` and ``quarantine``, one transaction; decisions on held loads; replay of quarantined rows.

``raw`` keeps every version of a record, ``_superseded_at is null`` is the present. Personal data is treated on
the way, in SQL: nothing in ``raw`` or ``quarantine`` names a subscriber's number in clear.

Two ways lead to raw. Rows that raw cannot hold yet (lines beyond those read of their file, or anything while raw is
empty) are treated and inserted in one pass. All others are compared with what is there, by way of temporary tables;
an unchanged window then writes nothing but its books.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg
from psycopg import sql

from service_quality import ops
from service_quality.config import Phone
from service_quality.contract import BY_NAME, Column, Personal, Table
from service_quality.ops import Conn, Load

LOGGED_TIMES = ("time_text", "start_text")
MANY_ROWS = 20_000  # from here on an index is cheaper made anew than filled row by row
SORT_MEMORY = "64MB"  # for making indexes; more of it gains nothing and would grow with the rows

# What raw holds now of the landed records.
_PRESENT = """
create temporary table promote_present on commit drop as
select
    sound._row_no,
    present._load_id,
    present._row_hash,
    {present_version} as version,
    {is_reused} as is_reused
from promote_rows as sound
inner join {stored} as present on {same_as_present}
where sound._rule_ids is null and present._superseded_at is null
"""

# The lines of a file from the first to the last that were landed lie together in the index and in the table: to read
# them so costs a fraction of looking up each.
_SPANS = """
create temporary table promote_spans on commit drop as
select server_id, file_id, min(line_no) as first_line, max(line_no) as last_line, count(*) as rows
from promote_rows
where _rule_ids is null
group by server_id, file_id
"""

# The offset keeps the planner, which takes a span for a third of the table, from reading it from end to end.
_IN_SPANS = """(
    select within.*
    from promote_spans as spans
    cross join lateral (
        select * from raw.{table} as stored
        where
            stored.file_id = spans.file_id
            and stored.line_no between spans.first_line and spans.last_line
            and stored.server_id = spans.server_id
            and stored._superseded_at is null
        offset 0
    ) as within
)"""

# The fate of sound rows: the present, an older version, or nothing new.
_PLAN = """
create temporary table promote_plan on commit drop as
with sound as (
    select
        {key},
        {version} as version,
        _row_no,
        _row_hash,
        row_number() over (partition by {key}, {version}, _row_hash order by _row_no desc) as copy_no,
        row_number() over (partition by {key} order by {version} desc, _row_no desc) as age_no
    from promote_rows
    where _rule_ids is null
)
select
    sound._row_no,
    present._load_id is null and sound.age_no = 1 as is_first,
    case
        when sound.copy_no > 1 then 'unchanged'
        when sound.age_no = 1 and {is_newer} then 'present'
        when sound._row_hash = present._row_hash then 'unchanged'
        when exists (
            select 1 from raw.{table} as old
            where {same_as_old} and old._superseded_at is not null and old._row_hash = sound._row_hash
        ) then 'unchanged'
        else 'older'
    end as fate
from sound
left join promote_present as present using (_row_no)
"""

_SUPERSEDE = """
update raw.{table} as present
set _superseded_at = now()
from promote_rows as sound
inner join promote_plan as plan using (_row_no)
where plan.fate = 'present' and {same_as_present} and present._superseded_at is null
"""

_INSERT = """
insert into raw.{table} ({columns}, _load_id, _row_no, _row_hash, _loaded_at, _superseded_at)
select {columns}, {load_id}, _row_no, _row_hash, now(), case when plan.fate = 'older' then now() end
from promote_rows
inner join promote_plan as plan using (_row_no)
where plan.fate <> 'unchanged'
"""

_QUARANTINE = """
insert into quarantine.{table} ({columns}, _load_id, _row_no, _source_ref, _problems, _rule_ids)
select {guarded}, {load_id}, _row_no, _source_ref, ops.mask_text(_problems), _rule_ids
from promote_rows
where _rule_ids is not null
"""

# A row stops waiting when a sound version of its record came, or when the source gave it again, still bad.
_SETTLE = """
update quarantine.{table} as waiting
set _released_at = now()
where waiting._released_at is null and waiting._load_id <> {load_id} and (
    exists (
        select 1 from raw.{table} as sound
        where {same_as_waiting} and sound._load_id = {load_id} and sound._superseded_at is null
    )
    or exists (
        select 1 from promote_rows as again
        where again._rule_ids is not null and again._source_ref = waiting._source_ref
    )
)
"""

# What was landed, in quarters of an hour (in no time zone do days begin otherwise) and by file: far fewer rows.
_STATS = """
create temporary table promote_stats on commit drop as
select
    {file_id} as file_id,
    date_bin('15 minutes', {at}, timestamptz '2000-01-01 00:00+00') as at,
    count(*) as rows,
    min({line_no}) as first_line,
    max({line_no}) as last_line,
    any_value(_source_ref) as source_ref
from landing.{partition}
group by 1, 2
"""

_INSERT_NEW = """
insert into raw.{table} ({columns}, _load_id, _row_no, _row_hash, _loaded_at)
select {columns}, {load_id}, _row_no, {row_hash}, now()
from (
    -- The offset keeps the treatment from being done twice, for the column and for the hash.
    select {treated}, _row_no from landing.{partition} as landed {files} where {is_sound} offset 0
) as treated
"""

_DAYS_NEW = """
insert into ops.load_days (table_name, day, load_id, rows_new, events)
select {name}, day, {load_id}, sum(rows), sum(rows)
from (
    select cast(at at time zone {zone} as date) as day, rows from promote_stats where at is not null
    union all
    select cast({at} at time zone {zone} as date), -1 from promote_rows where {at} is not null
) as counted
group by day
having sum(rows) > 0
"""

_DAYS = """
insert into ops.load_days (table_name, day, load_id, rows_new, events)
select
    {name},
    cast({at} at time zone {zone} as date),
    {load_id},
    count(*),
    count(*) filter (where {is_event})
from promote_rows
inner join promote_plan as plan using (_row_no)
where plan.fate <> 'unchanged' and {at} is not null
group by 2
"""


class PromoteError(RuntimeError):
    """A load that cannot be promoted; it stays as it was."""


@dataclass(frozen=True)
class Count:
    """Accounting of one table: rows_read = rows_raw + rows_unchanged + rows_quarantined."""

    rows_read: int
    rows_raw: int
    rows_unchanged: int
    rows_quarantined: int


Accounting = dict[str, dict[str, int]]


def promote(conn: Conn, load: Load, pepper: str, phone: Phone) -> Accounting:
    """Promote a gated load in one transaction; {table: rows_read, rows_raw, rows_unchanged, rows_quarantined}.

    The rows noted by the gate go to quarantine, the rest to raw; landing is emptied. Commits. Raises RuntimeError
    when the load is not gated, PromoteError when the rows do not add up; then nothing has changed.
    """
    return _promote(conn, load.load_id, ("gated",), pepper, phone, {})


def release(conn: Conn, load_id: int, by: str, pepper: str, phone: Phone) -> Accounting:
    """Promote a held load on the decision of person ``by``; rows that break row rules still go to quarantine.

    Raises RuntimeError when it is not held, PromoteError when the gate could not list the bad rows. Commits.
    """
    unlisted = conn.execute(
        "select r.rule_id from ops.gate_results as r where r.load_id = %s and r.severity = 'critical'"
        " and r.rows_failed > (select count(*) from ops.load_bad_rows as b where b.load_id = r.load_id"
        " and b.table_name = r.table_name and r.rule_id = any(b.rule_ids)) order by r.rule_id",
        (load_id,),
    ).fetchall()
    if unlisted:
        rules = ", ".join(r["rule_id"] for r in unlisted)
        raise PromoteError(
            f"load {load_id} cannot be released: the rows that break {rules} are not listed, so they could not be"
            " kept out; repair the source and load the window again, or change the rule"
        )
    return _promote(conn, load_id, ("held",), pepper, phone, {"decided_by": by})


def reject(conn: Conn, load_id: int, by: str) -> None:
    """Discard a held load on the decision of person ``by``: its rows go, its window counts as not loaded. Commits."""
    conn.commit()
    with conn.transaction():
        ops.set_load(conn, load_id, "rejected", expect=("held", "gated"), decided_by=by, ended_at=datetime.now(UTC))
        ops.drop_landing(conn, load_id)


def replay(conn: Conn, table_name: str, rule_ids: Sequence[str], by: str) -> list[dict[str, Any]]:
    """Bring quarantined rows of ``table_name`` to raw after the rules they broke were fixed; a person's decision.

    Only rows that broke nothing but ``rule_ids`` and that could be read wholly; what could not be read has to
    come from the source again. Each original load gives a promoted load of the same window, so that the next build
    sees the rows. {load_id, of_load_id, rows_read, rows_raw, rows_unchanged} per load made. Commits.
    Raises LookupError for an unknown table.
    """
    if table_name not in BY_NAME:
        raise LookupError(f"there is no landed table '{table_name}'")
    table = BY_NAME[table_name]
    conn.commit()
    with conn.transaction():
        conn.execute("set local time zone 'UTC'")
        waiting = conn.execute(
            sql.SQL("select distinct _load_id from quarantine.{} where {} order by 1").format(
                sql.Identifier(table.name), _replayable(table)
            ),
            {"rules": list(rule_ids)},
        ).fetchall()
        return [_replay_load(conn, table, row["_load_id"], list(rule_ids), by) for row in waiting]


def _promote(
    conn: Conn, load_id: int, expect: Sequence[str], pepper: str, phone: Phone, decision: dict[str, Any]
) -> Accounting:
    conn.commit()
    with conn.transaction():
        ops.set_load(conn, load_id, "gated", expect=expect, **decision)
        conn.execute("set local time zone 'UTC'")
        conn.execute("set local max_parallel_workers_per_gather = 0")  # to start workers costs more than they do here
        # Of rows that were just landed the planner expects many groups, and would sort them all on disk.
        conn.execute("set local hash_mem_multiplier = 16")
        row = conn.execute("select time_zone from ops.loads where load_id = %s", (load_id,)).fetchone()
        zone = (row and row["time_zone"]) or "UTC"
        landed = conn.execute(
            "select table_name, rows_read from ops.load_tables where load_id = %s order by table_name", (load_id,)
        ).fetchall()
        given = {
            "load_id": load_id, "pepper": pepper, "country": phone.country_code, "trunk": phone.trunk_prefix,
            "digits": phone.national_digits,
        }  # fmt: skip
        counts = {}
        for entry in landed:
            table = BY_NAME[entry["table_name"]]
            counts[table.name] = _promote_table(conn, table, load_id, entry["rows_read"], zone, given)
            _check(table.name, entry["rows_read"], counts[table.name])
        _book(conn, load_id, counts)
        ops.drop_landing(conn, load_id)
    return {name: asdict(count) for name, count in counts.items()}


def _promote_table(conn: Conn, table: Table, load_id: int, landed: int, zone: str, given: dict[str, Any]) -> Count:
    if landed == 0:
        return _settle_nothing(conn, table, load_id)
    conn.execute(sql.SQL(_STATS).format(**_stat_parts(table, load_id)))
    count = None
    is_new = _is_new(conn, table)
    _name_files(conn, table, load_id)
    if is_new:
        # A key may still stand twice in the load: then its index refuses, and the rows are compared with each other.
        with suppress(psycopg.errors.UniqueViolation), conn.transaction():
            count = _take_new(conn, table, load_id, landed, zone, given)
    if count is None:
        _treat(conn, table, load_id, given)
        _find_present(conn, table)
        count = _settle_rows(conn, table, load_id, zone)
        conn.execute("drop table promote_plan, promote_present")
    _note_files(conn, table)
    if table.version is None:  # the blocks that came, so that no reader has to look into all of them
        conn.execute("select brin_summarize_new_values(%s)", (f"raw.{table.name}__blocks",))
    conn.execute("drop table promote_rows, promote_stats")
    return count


def _settle_nothing(conn: Conn, table: Table, load_id: int) -> Count:
    """Of an empty table there is only to see that it is empty."""
    row = conn.execute(
        sql.SQL("select count(*) as rows from landing.{}").format(sql.Identifier(ops.partition(table.name, load_id)))
    ).fetchone()
    assert row is not None
    return Count(row["rows"], 0, 0, 0)


def _stat_parts(table: Table, load_id: int) -> dict[str, sql.Composable]:
    is_file = _has_files(table)
    return {
        "file_id": sql.SQL("file_id" if is_file else "cast(null as text)"),
        "line_no": sql.SQL("line_no" if is_file else "cast(null as bigint)"),
        "at": sql.Identifier(table.event_time),
        "partition": sql.Identifier(ops.partition(table.name, load_id)),
    }


def _is_new(conn: Conn, table: Table) -> bool:
    """Whether raw can hold no row of the load: it is empty, or all lines lie beyond those read of their files."""
    name = sql.Identifier(table.name)
    is_filled = conn.execute(sql.SQL("select 1 from raw.{} limit 1").format(name)).fetchone()
    if not is_filled:
        return True
    if table.version is not None or not {"file_id", "line_no"} <= set(table.key):
        return False
    known = conn.execute(
        "select 1 from promote_stats as s inner join ops.files as f using (file_id)"
        " where f.table_name = %s and s.first_line <= f.last_line limit 1",
        (table.name,),
    ).fetchone()
    return known is None


def _take_new(conn: Conn, table: Table, load_id: int, landed: int, zone: str, given: dict[str, Any]) -> Count:
    """Insert rows that raw does not hold; raises UniqueViolation when a key stands twice among them."""
    parts = {**_parts(table, load_id, zone), **_stat_parts(table, load_id)}
    noted = conn.execute(
        "select 1 from ops.load_bad_rows where load_id = %s and table_name = %s limit 1", (load_id, table.name)
    ).fetchone()
    is_sound = sql.SQL("not {}").format(_no_key(table, "landed"))
    if noted:
        is_sound += sql.SQL(
            " and not exists (select 1 from ops.load_bad_rows as bad where bad.load_id = %(load_id)s"
            " and bad.table_name = {} and bad.row_no = landed._row_no)"
        ).format(sql.Literal(table.name))
    statement = sql.SQL(_INSERT_NEW).format(
        **parts, row_hash=ops.row_hash(table), treated=_treated(table), is_sound=is_sound, files=_files(table)
    )
    with _without_indexes(conn, table, landed):
        raw = conn.execute(statement, given).rowcount
    _treat(conn, table, load_id, given, which="broken" if raw < landed else "none")
    quarantined = conn.execute(sql.SQL(_QUARANTINE).format(**parts)).rowcount
    _settle_waiting(conn, table, parts)
    conn.execute(sql.SQL(_DAYS_NEW).format(**parts))
    return Count(raw + quarantined, raw, 0, quarantined)


@contextmanager
def _without_indexes(conn: Conn, table: Table, landed: int) -> Iterator[None]:
    """Make raw's indexes after its first many rows, which costs half as much as to fill them row by row."""
    name = sql.Identifier(table.name)
    if landed < MANY_ROWS or conn.execute(sql.SQL("select 1 from raw.{} limit 1").format(name)).fetchone():
        yield
        return
    indexes = conn.execute(
        "select indexname, indexdef from pg_indexes where schemaname = 'raw' and tablename = %s"
        " and indexname <> %s order by 1",  # of superseded versions there are none
        (table.name, f"{table.name}__old"),
    ).fetchall()
    for index in indexes:
        conn.execute(sql.SQL("drop index raw.{}").format(sql.Identifier(index["indexname"])))
    # Nothing is lost, and a server without standby need not log what fills a table that is emptied here.
    conn.execute(sql.SQL("truncate raw.{}").format(name))
    yield
    conn.execute(sql.SQL("set local maintenance_work_mem = {}").format(sql.Literal(SORT_MEMORY)))
    conn.execute("set local max_parallel_maintenance_workers = 0")  # workers cost half as much again
    for index in indexes:
        conn.execute(index["indexdef"])


def _treat(
    conn: Conn, table: Table, load_id: int, given: dict[str, Any], which: Literal["all", "broken", "none"] = "all"
) -> None:
    """``promote_rows``: the landed rows as raw holds them, with their hash and the rules they broke."""
    conditions = {
        "all": sql.SQL(""),
        "broken": sql.SQL("where bad.row_no is not null or {}").format(_no_key(table, "landed")),
        "none": sql.SQL("where false"),
    }
    statement = sql.SQL(
        "create temporary table promote_rows on commit drop as"
        " select treated.*, {row_hash} as _row_hash from ("
        " select {columns}, _row_no, _source_ref, _problems,"
        " coalesce(bad.rule_ids, case when {no_key} then array[{key_rule}] end) as _rule_ids"
        " from landing.{partition} as landed {files}"
        " left join ops.load_bad_rows as bad on bad.load_id = %(load_id)s and bad.table_name = {table}"
        " and bad.row_no = landed._row_no {which} offset 0) as treated"
    ).format(
        row_hash=ops.row_hash(table),
        no_key=_no_key(table, "landed"),
        key_rule=sql.Literal(f"{table.name}.promote.key"),
        columns=_treated(table),
        table=sql.Literal(table.name),
        partition=sql.Identifier(ops.partition(table.name, load_id)),
        which=conditions[which],
        files=_files(table),
    )
    conn.execute(statement, given)
    if which == "all":
        _analyze(conn, table)


def _analyze(conn: Conn, table: Table) -> None:
    keys = sql.SQL(", ").join(map(sql.Identifier, table.key))
    conn.execute(sql.SQL("analyze promote_rows ({}, _row_no)").format(keys))


def _files(table: Table) -> sql.Composed:
    """A join that tells what raw calls the file of a landed row."""
    if not _has_files(table):
        return sql.Composed([])
    return sql.SQL(
        "left join (select file_id as fingerprint, short_id from ops.files where table_name = {}) as file"
        " on landed.file_id = file.fingerprint"
    ).format(sql.Literal(table.name))


def _has_files(table: Table) -> bool:
    return any(c.name == "file_id" for c in table.columns)


def _treatment(column: Column) -> sql.Composed:
    name = sql.Identifier(column.name)
    if column.name == "file_id":
        return sql.SQL("{}").format(sql.Identifier("file", "short_id"))
    if column.personal is Personal.PHONE:
        return sql.SQL(
            "ops.phone_hash({}, %(pepper)s::text, %(country)s::text, %(trunk)s::text, %(digits)s::integer)"
        ).format(name)
    if column.personal is Personal.FREE_TEXT:
        return sql.SQL("ops.mask_text({})").format(name)
    return sql.SQL("{}").format(name)


def _treated(table: Table) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{} as {}").format(_treatment(c), sql.Identifier(c.raw_name)) for c in table.columns if c.raw_name
    )


def _no_key(table: Table, alias: str) -> sql.Composed:
    """Without key or version a row cannot be placed, whatever the suite says."""
    needed = [*table.key, *([table.version] if table.version else [])]
    return sql.SQL("num_nulls({}) > 0").format(sql.SQL(", ").join(sql.Identifier(alias, name) for name in needed))


def _find_present(conn: Conn, table: Table) -> None:
    """``promote_present``: what raw holds of the records of ``promote_rows``; keys that were used again are marked bad.

    A line that was written once cannot have another time later: its key was used again for another event.
    """
    logged = next((c.name for c in table.columns if c.name in LOGGED_TIMES), None)
    is_written_once = table.version is None and logged is not None
    is_reused = sql.SQL("sound.{0} is distinct from present.{0}" if is_written_once else "false")
    in_spans = {"server_id", "file_id", "line_no"} == set(table.key) and _lie_together(conn)
    conn.execute(sql.SQL(_PRESENT).format(
        present_version=sql.Identifier("present", table.version) if table.version else sql.SQL("null::timestamptz"),
        is_reused=is_reused.format(sql.Identifier(logged or "")),
        stored=sql.SQL(_IN_SPANS if in_spans else "raw.{table}").format(table=sql.Identifier(table.name)),
        same_as_present=_same_key(table, "sound", "present"),
    ))  # fmt: skip
    conn.execute("drop table if exists promote_spans; analyze promote_present")
    if is_written_once:
        conn.execute(
            "update promote_rows as sound set _rule_ids = array[%s::text] from promote_present as present"
            " where sound._row_no = present._row_no and present.is_reused",
            (f"{table.name}.promote.written_once",),
        )


def _lie_together(conn: Conn) -> bool:
    """``promote_spans``; whether the landed lines are most of those between the first and the last of each file."""
    conn.execute(_SPANS)
    row = conn.execute(
        "select coalesce(sum(last_line - first_line) < 2 * sum(rows) + 1000, false) as so from promote_spans"
    ).fetchone()
    return bool(row and row["so"])


def _settle_rows(conn: Conn, table: Table, load_id: int, zone: str) -> Count:
    """Give every row of ``promote_rows`` its place; how many went where."""
    parts = _parts(table, load_id, zone)
    conn.execute(sql.SQL(_PLAN).format(**parts))
    conn.execute("analyze promote_plan")
    conn.execute(sql.SQL(_SUPERSEDE).format(**parts))
    raw = conn.execute(sql.SQL(_INSERT).format(**parts)).rowcount
    quarantined = conn.execute(sql.SQL(_QUARANTINE).format(**parts)).rowcount
    _settle_waiting(conn, table, parts)
    conn.execute(sql.SQL(_DAYS).format(**parts))
    row = conn.execute(
        "select (select count(*) from promote_rows) as read,"
        " (select count(*) from promote_plan where fate = 'unchanged') as unchanged"
    ).fetchone()
    assert row is not None
    return Count(row["read"], raw, row["unchanged"], quarantined)


def _settle_waiting(conn: Conn, table: Table, parts: dict[str, sql.Composable]) -> None:
    waiting = sql.SQL("select 1 from quarantine.{table} where _released_at is null and _load_id <> {load_id} limit 1")
    if conn.execute(waiting.format(**parts)).fetchone():
        conn.execute(sql.SQL(_SETTLE).format(**parts))


def _parts(table: Table, load_id: int, zone: str) -> dict[str, sql.Composable]:
    """What the statements above are filled with."""
    version = sql.Identifier(table.version) if table.version else sql.SQL("cast(null as timestamptz)")
    changed: sql.Composable = sql.SQL("sound._row_hash <> present._row_hash")
    if table.version:
        changed = sql.SQL(
            "(present.version < sound.version or (present.version = sound.version and {}))"
        ).format(changed)
    dated_by_change = table.version == table.event_time
    return {
        "table": sql.Identifier(table.name),
        "name": sql.Literal(table.name),
        "key": sql.SQL(", ").join(map(sql.Identifier, table.key)),
        "version": version,
        "is_newer": sql.SQL("(present._load_id is null or {})").format(changed),
        "same_as_present": _same_key(table, "sound", "present"),
        "same_as_old": _same_key(table, "sound", "old"),
        "same_as_waiting": _same_key(table, "sound", "waiting"),
        "columns": sql.SQL(", ").join(sql.Identifier(n) for n, _ in ops.raw_columns(table)),
        "guarded": sql.SQL(", ").join(_guarded(table, c) for c in table.columns if c.raw_name is not None),
        "load_id": sql.Literal(load_id),
        "zone": sql.Literal(zone),
        "at": sql.Identifier(table.event_time),
        "is_event": sql.SQL("true" if dated_by_change else "plan.is_first"),
    }


def _guarded(table: Table, column: Column) -> sql.Composed:
    """In a row that could not be read wholly a number may stand in any column, so every text is masked."""
    name = sql.Identifier(column.raw_name or column.name)
    if column.type != "text" or column.personal or column.name in table.key:
        return sql.SQL("{}").format(name)
    return sql.SQL("case when _problems is null then {} else ops.mask_text({}) end").format(name, name)


def _same_key(table: Table, one: str, other: str) -> sql.Composed:
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(one, k), sql.Identifier(other, k)) for k in table.key
    )


def _check(table_name: str, landed: int, count: Count) -> None:
    if landed and not count.rows_read:
        raise PromoteError(
            f"{table_name}: {landed} rows were landed, but none is there: a crash of the database empties landing;"
            " load the window again"
        )
    if not landed == count.rows_read == count.rows_raw + count.rows_unchanged + count.rows_quarantined:
        raise PromoteError(
            f"{table_name}: {landed} rows were landed, but {count.rows_read} are there and {count.rows_raw} would go"
            f" to raw, {count.rows_unchanged} are unchanged, {count.rows_quarantined} would go to quarantine"
        )


def _name_files(conn: Conn, table: Table, load_id: int) -> None:
    """Give the files of a load their short ids, those that have none."""
    if _has_files(table):
        conn.execute(
            "insert into ops.files (table_name, file_id, load_id, last_line, file_name, short_id)"
            " select %(table)s, file_id, %(load)s::bigint, 0, regexp_replace(any_value(source_ref), ':[0-9]+$', ''),"
            # A short id that another file has already would mix their lines.
            " case when exists (select 1 from ops.files as other where other.table_name = %(table)s"
            " and other.short_id = ops.short_file_id(read.file_id)) then file_id else ops.short_file_id(file_id) end"
            " from promote_stats as read where file_id is not null and not exists ("
            " select 1 from ops.files as known where known.table_name = %(table)s and known.file_id = read.file_id)"
            " group by file_id on conflict (table_name, file_id) do nothing",
            {"table": table.name, "load": load_id},
        )


def _note_files(conn: Conn, table: Table) -> None:
    """Note up to which line each file of a load is read."""
    if _has_files(table):
        conn.execute(
            "update ops.files set last_line = read.last_line from ("
            " select file_id, max(last_line) as last_line from promote_stats where file_id is not null"
            " group by file_id) as read"
            " where table_name = %s and files.file_id = read.file_id and files.last_line < read.last_line",
            (table.name,),
        )


def _book(conn: Conn, load_id: int, counts: dict[str, Count]) -> None:
    for name, count in counts.items():
        conn.execute(
            "update ops.load_tables set rows_raw = %s, rows_unchanged = %s, rows_quarantined = %s"
            " where load_id = %s and table_name = %s",
            (count.rows_raw, count.rows_unchanged, count.rows_quarantined, load_id, name),
        )
    names = ("rows_read", "rows_raw", "rows_unchanged", "rows_quarantined")
    sums = {n: sum(getattr(c, n) for c in counts.values()) for n in names}
    ops.set_load(conn, load_id, "promoted", expect=("gated",), ended_at=datetime.now(UTC), **sums)


def _replayable(table: Table) -> sql.Composed:
    return sql.SQL("_released_at is null and _problems is null and _rule_ids <@ %(rules)s::text[] and not {}").format(
        _no_key(table, table.name)
    )


def _replay_load(conn: Conn, table: Table, of_load: int, rule_ids: list[str], by: str) -> dict[str, Any]:
    made = conn.execute(
        "insert into ops.loads (source, window_start, window_end, status, time_zone, decided_by, message)"
        " select source, window_start, window_end, 'gated', time_zone, %s, %s from ops.loads where load_id = %s"
        " returning load_id, time_zone",
        (by, f"replay of quarantined rows of load {of_load}: {', '.join(rule_ids)}", of_load),
    ).fetchone()
    assert made is not None
    load_id = made["load_id"]
    columns = sql.SQL(", ").join(sql.Identifier(n) for n, _ in ops.raw_columns(table))
    conn.execute(
        sql.SQL(
            "create temporary table promote_rows on commit drop as select {columns}, _row_no, _source_ref,"
            " _problems, {row_hash} as _row_hash, cast(null as text[]) as _rule_ids from quarantine.{table}"
            " where _load_id = %(of)s and {which}"
        ).format(
            columns=columns,
            row_hash=ops.row_hash(table),
            table=sql.Identifier(table.name),
            which=_replayable(table),
        ),
        {"of": of_load, "rules": rule_ids},
    )
    _analyze(conn, table)
    _find_present(conn, table)
    conn.execute(
        sql.SQL("update quarantine.{} set _released_at = now() where _load_id = %(of)s and {}").format(
            sql.Identifier(table.name), _replayable(table)
        ),
        {"of": of_load, "rules": rule_ids},
    )
    count = _settle_rows(conn, table, load_id, made["time_zone"] or "UTC")
    conn.execute(
        "insert into ops.load_tables (load_id, table_name, rows_read) values (%s, %s, %s)",
        (load_id, table.name, count.rows_read),
    )
    _check(table.name, count.rows_read, count)
    conn.execute("drop table promote_plan, promote_present, promote_rows")
    _book(conn, load_id, {table.name: count})
    return {"load_id": load_id, "of_load_id": of_load, **asdict(count)}
