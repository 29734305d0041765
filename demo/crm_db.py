"""The CRM's database: its tables in Postgres or MariaDB, filled up to the moment that is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demo import crm

CHUNK = 2000


class Database(Protocol):
    """What is needed of either database."""

    timestamp: str

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and give its rows."""
        ...

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[crm.Row]) -> None:
        """Insert many rows."""
        ...


class _Postgres:
    timestamp = "timestamp(0)"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[crm.Row]) -> None:
        sql = f"copy {table} ({', '.join(columns)}) from stdin"
        with self._connection.cursor() as cursor, cursor.copy(sql) as copy:
            for row in rows:
                copy.write_row(row)


class _MariaDb:
    timestamp = "datetime"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(values) or None)
            return list(cursor.fetchall())

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[crm.Row]) -> None:
        sql = f"insert into {table} ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))})"
        with self._connection.cursor() as cursor:
            for chunk in _chunks(list(rows)):
                cursor.executemany(sql, chunk)


@contextmanager
def connect(url: str) -> Iterator[Database]:
    """One transaction on the database at ``url`` (postgresql:// or mysql:// or mariadb://).

    Raises ValueError for another scheme.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.split("+")[0]
    connection: Any
    door: Callable[[Any], Database]
    if scheme in ("postgresql", "postgres"):
        import psycopg

        connection, door = psycopg.connect(url.replace(parts.scheme, "postgresql", 1)), _Postgres
    elif scheme in ("mysql", "mariadb"):
        import pymysql

        connection = pymysql.connect(
            host=parts.hostname or "127.0.0.1", port=parts.port or 3306, user=unquote(parts.username or ""),
            password=unquote(parts.password or ""), database=parts.path.lstrip("/"), charset="utf8mb4",
        )  # fmt: skip
        door = _MariaDb
    else:
        raise ValueError(f"the CRM can stand in Postgres or MariaDB, not in '{parts.scheme}'")
    try:
        yield door(connection)
        connection.commit()
    finally:
        connection.close()


def save(rows: dict[str, list[crm.Row]], folder: Path) -> None:
    """Keep all versions as one file a table."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, found in rows.items():
        names = crm.column_names(table)
        columns = list(zip(*found, strict=True)) if found else [()] * len(names)
        pq.write_table(pa.table({n: pa.array(list(v)) for n, v in zip(names, columns, strict=True)}),
                       folder / f"{table}.parquet")  # fmt: skip


def play(url: str, folder: Path, world_id: str, until: int) -> int:
    """Bring the database at ``url`` to the state of ``until`` (UTC epoch); the number of rows written.

    Goes on from what it shows already when that is an earlier moment of the same world, else begins anew.
    """
    with connect(url) as db:
        shown = _shown(db)
        since = shown[1] if shown and shown[0] == world_id and shown[1] <= until else None
        if since is None:
            _create(db)
        written = sum(_bring(db, table, folder, since, until) for table in crm.TABLES)
        db.run("delete from demo_clock")
        db.run("insert into demo_clock (world, shown_until) values (%s, %s)", (world_id, until))
        return written


def _shown(db: Database) -> tuple[str, int] | None:
    sql = "create table if not exists demo_clock (world varchar(100), shown_until bigint)"
    db.run(sql)
    rows = db.run("select world, shown_until from demo_clock")
    return (str(rows[0][0]), int(rows[0][1])) if rows else None


def _create(db: Database) -> None:
    for table, columns in crm.TABLES.items():
        key = columns[0].split()[0]
        body = ", ".join([*(c.format(ts=db.timestamp) for c in columns), f"modified_at {db.timestamp} not null"])
        db.run(f"drop table if exists {table}")
        db.run(f"create table {table} ({body}, primary key ({key}))")


def _bring(db: Database, table: str, folder: Path, since: int | None, until: int) -> int:
    found = pq.read_table(folder / f"{table}.parquet")
    when = found["modified_at"]
    wanted = pc.less(when, until)
    if since is not None:
        wanted = pc.and_(wanted, pc.greater_equal(when, since))
    found = found.filter(wanted)
    rows = crm.latest(zip(*(column.to_pylist() for column in found.columns), strict=True), until)
    names = crm.column_names(table)
    if since is not None:
        for keys in _chunks(list(rows)):
            db.run(f"delete from {table} where {names[0]} in ({', '.join(['%s'] * len(keys))})", keys)
    instants = set(crm.instant_columns(table))
    db.fill(table, names, (_stored(row, instants) for row in rows.values()))
    if since is None:
        db.run(f"create index {table}_modified on {table} (modified_at)")
    return len(rows)


def _stored(row: crm.Row, instants: set[int]) -> crm.Row:
    return tuple(
        crm.as_utc(value) if place in instants and value is not None else value for place, value in enumerate(row)
    )


def _chunks(items: list[Any]) -> Iterator[list[Any]]:
    for begin in range(0, len(items), CHUNK):
        yield items[begin : begin + CHUNK]
