"""Record batches -> ``landing``: one partition per table and load, filled by binary COPY from Arrow.

Landed rows are unlogged: after a crash of the server they are gone, which gate and promote notice; then the window is
landed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, groupby

import numpy as np
import psycopg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import sql

from service_quality import ops
from service_quality.contract import Table, tables_of
from service_quality.ops import Conn, Load
from service_quality.sources.base import Extracted

UNWRITABLE = (
    psycopg.errors.CharacterNotInRepertoire,
    psycopg.errors.UntranslatableCharacter,
    psycopg.errors.DatetimeFieldOverflow,
)


class LandingError(RuntimeError):
    """Batches that cannot be landed; the message names table and column."""


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
    try:
        with conn.transaction():
            rows = _fill(conn, load, extracted, tables_of(load.source) if tables is None else tables)
    except BaseException as error:
        conn.rollback()
        ended = datetime.now(UTC)
        ops.set_load(conn, load.load_id, "failed", error=_text(error), ended_at=ended)
        conn.commit()
        raise
    _drop_superseded(conn, load)
    return rows


def drop(conn: Conn, load_id: int) -> None:
    """Drop the landed rows of a load; idempotent. Commits."""
    ops.drop_landing(conn, load_id)
    conn.commit()


def _fill(conn: Conn, load: Load, extracted: Iterable[Extracted], tables: Sequence[Table]) -> dict[str, int]:
    for table in tables:
        _create(conn, table, load.load_id)
    rows = {table.name: 0 for table in tables}
    for name, run in groupby(extracted, key=lambda item: item.table.name):
        if name not in rows:
            raise LandingError(f"{load.source} yields rows of {name}, which is not among its tables {sorted(rows)}")
        rows[name] += _copy(conn, load.load_id, run, rows[name])
    for table in tables:
        _attach(conn, table, load.load_id)
        conn.execute(
            "insert into ops.load_tables (load_id, table_name, rows_read) values (%s, %s, %s)",
            (load.load_id, table.name, rows[table.name]),
        )
    conn.execute(
        "update ops.loads set rows_read = %s where load_id = %s", (sum(rows.values()), load.load_id)
    )
    return rows


def _create(conn: Conn, table: Table, load_id: int) -> None:
    """A table beside the partitioned one, so that readers of other loads are not locked out meanwhile."""
    conn.execute(
        sql.SQL(
            "create unlogged table landing.{} (like landing.{}, check (_load_id is not null and _load_id = {}))"
        ).format(
            sql.Identifier(ops.partition(table.name, load_id)), sql.Identifier(table.name), sql.Literal(load_id)
        )
    )


def _attach(conn: Conn, table: Table, load_id: int) -> None:
    conn.execute(
        sql.SQL("alter table landing.{} attach partition landing.{} for values in ({})").format(
            sql.Identifier(table.name), sql.Identifier(ops.partition(table.name, load_id)), sql.Literal(load_id)
        )
    )


def _copy(conn: Conn, load_id: int, run: Iterator[Extracted], before: int) -> int:
    """Copy consecutive batches of one table; how many rows. ``before``: rows of it that are landed already."""
    written = 0
    first = next(run)
    table = first.table
    schema = _landed_schema(table)
    # Frozen rows need no second write when they are read for the first time; the table is of this transaction.
    statement = sql.SQL("copy landing.{} ({}) from stdin (format binary, freeze)").format(
        sql.Identifier(ops.partition(table.name, load_id)), sql.SQL(", ").join(map(sql.Identifier, schema.names))
    )
    encoder = ArrowToPostgresBinaryEncoder(schema)
    try:
        with conn.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(encoder.write_header())
            for batch in _batches(first, run):
                copy.write(encoder.write_batch(_numbered(batch, schema, load_id, before + written)))
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
    own = [pa.field("_load_id", pa.int64()), pa.field("_row_no", pa.int64())]
    return pa.schema([*table.arrow_schema(), *own])


def _numbered(batch: pa.RecordBatch, schema: pa.Schema, load_id: int, before: int) -> pa.RecordBatch:
    load_ids = pa.repeat(pa.scalar(load_id, pa.int64()), batch.num_rows)
    row_nos = pa.array(np.arange(before + 1, before + batch.num_rows + 1, dtype=np.int64))
    return pa.RecordBatch.from_arrays([*batch.columns, load_ids, row_nos], schema=schema)


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
