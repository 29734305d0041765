"""Record batches -> ``landing``: one partition per table and load, filled by binary COPY from Arrow.

Landed rows are unlogged: after a crash of the server they are gone, which gate and promote notice; then the window is
landed again. Two processes may fill one load together (`land_shares`), each a partition of the load's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, groupby
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import LiteralString, NamedTuple

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import sql

from service_quality import ops
from service_quality.contract import Table, tables_of
from service_quality.ops import Conn, Load
from service_quality.sources.base import Extracted, SourceError

UNWRITABLE = (
    psycopg.errors.CharacterNotInRepertoire,
    psycopg.errors.UntranslatableCharacter,
    psycopg.errors.DatetimeFieldOverflow,
)


class LandingError(RuntimeError):
    """Batches that cannot be landed; the message names table and column."""


_SHARE_ROWS = 2**40  # numbers of rows that each part of a load has for itself

_OF_A_FILE = ("server_id", "file_id")
_MANY_ROWS = 2_000  # for fewer it costs more to tell the server a value than to send it with every row


class _Alike(NamedTuple):
    """A column that is alike in all rows: a text, or null."""

    column: str
    text: str | None


_Same = tuple[_Alike, ...]


def land(
    conn: Conn,
    load: Load,
    extracted: Iterable[Extracted],
    tables: Sequence[Table] | None = None,
) -> dict[str, int]:
    """Land ``extracted`` as ``load``; rows by table. Batches are streamed, never collected.

    ``tables``: the tables the provider has (None: all of the source); each gets a partition, empty when
    nothing came. Commits. When anything fails, the load is marked failed, nothing of it stays landed and the
    error is raised: the source's own, or LandingError for batches that do not fit the contract.
    """
    conn.commit()
    with _failing(conn, load), conn.transaction():
        rows = _fill(conn, load, extracted, tables_of(load.source) if tables is None else tables)
    _drop_superseded(conn, load)
    return rows


def land_shares(
    conn: Conn,
    load: Load,
    shares: Sequence[Callable[[], Iterable[Extracted]]],
    tables: Sequence[Table] | None = None,
) -> dict[str, int]:
    """Like ``land``, with the parts of one extract landed at the same time, each by a process of its own.

    ``shares``: give the batches of their part; they are called in the processes, which are forked. Each numbers its
    rows from where its range of numbers begins. Commits; raises as ``land`` does.
    """
    wanted = tables_of(load.source) if tables is None else tables
    url = ops.url_of(conn)
    conn.commit()
    with _failing(conn, load):
        with conn.transaction():  # the processes must see the tables; _failing and _drop_superseded find them again
            for table in wanted:
                _create_divided(conn, table, load.load_id)
                _book(conn, load, table, 0)
        rows = _in_processes(url, load, shares, wanted)
        with conn.transaction():
            for table in wanted:
                _attach(conn, table, load.load_id)
                _book(conn, load, table, rows[table.name])
            _book_sum(conn, load, rows)
    _drop_superseded(conn, load)
    return rows


def drop(conn: Conn, load_id: int) -> None:
    """Drop the landed rows of a load; idempotent. Commits."""
    ops.drop_landing(conn, load_id)
    conn.commit()


def _fill(conn: Conn, load: Load, extracted: Iterable[Extracted], tables: Sequence[Table]) -> dict[str, int]:
    rows = _copy_all(conn, load, extracted, tables)
    for table in tables:
        _attach(conn, table, load.load_id)
        _book(conn, load, table, rows[table.name])
    _book_sum(conn, load, rows)
    return rows


@contextmanager
def _failing(conn: Conn, load: Load) -> Iterator[None]:
    """Whatever goes wrong marks the load as failed and leaves nothing of it landed."""
    try:
        yield
    except BaseException as error:
        conn.rollback()
        ops.drop_landing(conn, load.load_id)
        conn.execute("delete from ops.load_tables where load_id = %s", (load.load_id,))
        ended = datetime.now(UTC)
        ops.set_load(conn, load.load_id, "failed", error=_text(error), ended_at=ended)
        conn.commit()
        raise


def _book(conn: Conn, load: Load, table: Table, rows: int) -> None:
    conn.execute(
        "insert into ops.load_tables (load_id, table_name, rows_read) values (%s, %s, %s)"
        " on conflict (load_id, table_name) do update set rows_read = excluded.rows_read",
        (load.load_id, table.name, rows),
    )


def _book_sum(conn: Conn, load: Load, rows: Mapping[str, int]) -> None:
    conn.execute("update ops.loads set rows_read = %s where load_id = %s", (sum(rows.values()), load.load_id))


def _in_processes(
    url: str, load: Load, shares: Sequence[Callable[[], Iterable[Extracted]]], tables: Sequence[Table]
) -> dict[str, int]:
    """Rows by table, after a process for each of ``shares`` has copied them; the first error stops the others."""
    context = get_context("fork")  # readers hold what cannot be sent to another process
    ours, theirs = context.Pipe(duplex=False)
    processes = [
        context.Process(target=_land_share, args=(url, load, share, tables, n, theirs), daemon=True)
        for n, share in enumerate(shares)
    ]
    try:
        for process in processes:
            process.start()
        theirs.close()
        found = [_received(ours) for _ in processes]
    except BaseException:
        for process in processes:
            if process.pid is not None:
                process.terminate()
        raise
    finally:
        for process in processes:
            if process.pid is not None:
                process.join()
    return {name: sum(rows[name] for rows in found) for name in found[0]}


def _received(pipe: Connection) -> dict[str, int]:
    try:
        told: dict[str, int] | BaseException = pipe.recv()
    except EOFError:
        raise LandingError("a landing process ended without a word; was it killed for its memory?") from None
    if isinstance(told, BaseException):
        raise told
    return told


def _land_share(
    url: str,
    load: Load,
    share: Callable[[], Iterable[Extracted]],
    tables: Sequence[Table],
    number: int,
    told: Connection,
) -> None:
    """In a process of its own: copy one share and tell the rows by table, or the error."""
    try:
        with ops.connect(url) as conn, conn.transaction():
            rows = _copy_all(conn, load, share(), tables, number)
            for table in tables:
                _attach_share(conn, table, load.load_id, number)
        told.send(rows)
    except Exception as error:  # noqa: BLE001 - it is raised again where the load is known
        told.send(error if type(error) in (SourceError, LandingError) else LandingError(_text(error)))


def _copy_all(
    conn: Conn, load: Load, extracted: Iterable[Extracted], tables: Sequence[Table], share: int | None = None
) -> dict[str, int]:
    """Rows by table, copied into tables of their own; ``share``: which part of the load they are (None: all of it)."""
    targets = {table.name: _target(table, load.load_id, share) for table in tables}
    rows = dict.fromkeys(targets, 0)
    for table in tables:
        _create(conn, table, load.load_id, targets[table.name])
        if share is not None:
            _bound_share(conn, targets[table.name], share)
    for (name, same), run in groupby(extracted, key=lambda item: (item.table.name, _same(item))):
        if name not in rows:
            raise LandingError(f"{load.source} yields rows of {name}, which is not among its tables {sorted(rows)}")
        rows[name] += _copy(conn, targets[name], run, (share or 0) * _SHARE_ROWS + rows[name], dict(same))
    return rows


def _same(item: Extracted) -> _Same:
    """What many rows have in common: those of a file its name, most others that a column is empty."""
    rows = item.batch.num_rows
    if rows < _MANY_ROWS:
        return ()
    found: list[_Alike] = []
    for field, values in zip(item.batch.schema, item.batch.columns, strict=True):
        if field.name in _OF_A_FILE and field.type == pa.string() and not values.null_count:
            if pc.all(pc.equal(values, values[0])).as_py():
                found.append(_Alike(field.name, values[0].as_py()))
        elif values.null_count == rows and field.name not in _OF_A_FILE:  # those may have a default by now
            found.append(_Alike(field.name, None))
    return tuple(found)


def _target(table: Table, load_id: int, share: int | None = None) -> str:
    """Name of the table that rows of a load, or of a share of it, are copied into."""
    whole = ops.partition(table.name, load_id)
    return whole if share is None else f"{whole}__{share}"


def _create(conn: Conn, table: Table, load_id: int, target: str) -> None:
    """A table beside the partitioned one, so that readers of other loads are not locked out meanwhile."""
    conn.execute(_table_of_load("create unlogged table landing.{} {}", table, load_id, target))
    _set_defaults(conn, target, {"_load_id": load_id})


def _create_divided(conn: Conn, table: Table, load_id: int) -> None:
    """The same for a load that has a partition for each of its shares."""
    target = _target(table, load_id)
    conn.execute(_table_of_load("create table landing.{} {} partition by range (_row_no)", table, load_id, target))


def _table_of_load(statement: LiteralString, table: Table, load_id: int, target: str) -> sql.Composed:
    """``statement`` with name and columns of a table that can be attached without reading it."""
    columns = sql.SQL("(like landing.{}, constraint of_load check (_load_id is not null and _load_id = {}))")
    return sql.SQL(statement).format(
        sql.Identifier(target), columns.format(sql.Identifier(table.name), sql.Literal(load_id))
    )


def _set_defaults(conn: Conn, target: str, values: Mapping[str, str | int]) -> None:
    """What all rows to come have alike: the server fills it in for less than it costs to send and read it."""
    for column, value in values.items():
        statement = sql.SQL("alter table landing.{} alter column {} set default {}")
        conn.execute(statement.format(sql.Identifier(target), sql.Identifier(column), sql.Literal(value)))


def _attach(conn: Conn, table: Table, load_id: int) -> None:
    conn.execute(
        sql.SQL("alter table landing.{} attach partition landing.{} for values in ({})").format(
            sql.Identifier(table.name), sql.Identifier(_target(table, load_id)), sql.Literal(load_id)
        )
    )


def _bound_share(conn: Conn, target: str, share: int) -> None:
    """The rows are checked as they come, which costs half of reading them again when they are attached."""
    statement = sql.SQL("alter table landing.{} add constraint of_share check (_row_no is not null and {})")
    bounds = sql.SQL("_row_no >= {} and _row_no < {}").format(*_bounds(share))
    conn.execute(statement.format(sql.Identifier(target), bounds))


def _attach_share(conn: Conn, table: Table, load_id: int, share: int) -> None:
    statement = sql.SQL("alter table landing.{} attach partition landing.{} for values from ({}) to ({})")
    names = (_target(table, load_id), _target(table, load_id, share))
    conn.execute(statement.format(*map(sql.Identifier, names), *_bounds(share)))


def _bounds(share: int) -> tuple[sql.Literal, sql.Literal]:
    """The numbers of a share's rows: the first, and the first that is another's."""
    return sql.Literal(share * _SHARE_ROWS), sql.Literal((share + 1) * _SHARE_ROWS)


def _copy(conn: Conn, target: str, run: Iterator[Extracted], before: int, same: Mapping[str, str | None]) -> int:
    """Copy consecutive batches of one table, in which columns are the ``same``; how many rows.

    ``before``: the number of the last row that is landed already.
    """
    written = 0
    first = next(run)
    table = first.table
    _set_defaults(conn, target, {column: text for column, text in same.items() if text is not None})
    schema = pa.schema([f for f in _landed_schema(table) if f.name not in same])
    # Frozen rows need no second write when they are read for the first time.
    statement = sql.SQL("copy landing.{} ({}) from stdin (format binary, freeze)").format(
        sql.Identifier(target), sql.SQL(", ").join(map(sql.Identifier, schema.names))
    )
    encoder = ArrowToPostgresBinaryEncoder(schema)
    try:
        with conn.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(encoder.write_header())
            for batch in _batches(first, run):
                data = encoder.write_batch(_numbered(batch, schema, before + written))
                copy.write(memoryview(data))  # psycopg sends it in slices: of bytes each would be a copy
                written += batch.num_rows
            copy.write(encoder.finish())
    except UNWRITABLE as error:
        raise LandingError(f"{table.name}: {error.diag.message_primary}; {error.diag.context}") from error
    return written


def _batches(first: Extracted, rest: Iterator[Extracted]) -> Iterator[pa.RecordBatch]:
    expected = first.table.arrow_schema()
    for item in chain((first,), rest):
        yield _checked(item, expected)


def _checked(item: Extracted, expected: pa.Schema) -> pa.RecordBatch:
    if not item.batch.schema.equals(expected):
        odd = [f"{f.name} {f.type}" for f in item.batch.schema if f not in list(expected)]
        missing = [f"{f.name} {f.type}" for f in expected if f not in list(item.batch.schema)]
        raise LandingError(
            f"{item.table.name}: the batch does not have the contract's columns in their order;"
            f" missing: {', '.join(missing) or 'none'}; unexpected: {', '.join(odd) or 'none'}"
        )
    return item.batch


def _landed_schema(table: Table) -> pa.Schema:
    return pa.schema([*table.arrow_schema(), pa.field("_row_no", pa.int64())])


def _numbered(batch: pa.RecordBatch, schema: pa.Schema, before: int) -> pa.RecordBatch:
    """``batch`` with the numbers of its rows, as ``schema`` has its columns."""
    row_nos = pa.array(np.arange(before + 1, before + batch.num_rows + 1, dtype=np.int64))
    columns = [batch.column(name) for name in schema.names[:-1]]
    return pa.RecordBatch.from_arrays([*columns, row_nos], schema=schema)


def _drop_superseded(conn: Conn, load: Load) -> None:
    superseded = conn.execute(
        "select distinct l.load_id from ops.loads as l inner join ops.load_tables using (load_id)"
        " where l.source = %s and l.status = 'superseded' and l.window_start = %s and l.window_end = %s",
        (load.source, load.window.start, load.window.end),
    ).fetchall()
    for row in superseded:
        ops.drop_landing(conn, row["load_id"])
    conn.commit()


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:4000]
