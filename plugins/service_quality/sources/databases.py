"""Reading a provider's database as a stream: Postgres by ADBC, any other by SQLAlchemy.

Everything is read in one read-only transaction, so that the tables of one load agree with each other
where the database can give such a snapshot.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from service_quality.contract import Column
from service_quality.sources.base import SourceError
from service_quality.sources.convert import plain
from service_quality.sources.queries import Query
from service_quality.window import Window

Columns = dict[str, pa.Array]

_POSTGRES_SCHEMES = ("postgres", "postgresql")
_MYSQL_SCHEMES = ("mysql", "mariadb")
_CONNECT_SECONDS = 15
_BATCH_BYTES = 4_000_000
_MYSQL_TIMESTAMP = 7  # type code of TIMESTAMP, which the server shows in the session's zone
_UNIFORM = (str, int, float, bool, Decimal, date, datetime)


class Database(Protocol):
    """An open connection."""

    def stream(self, query: Query) -> Iterator[Columns]:
        """The result of ``query``, contract column -> values of any type. Raises SourceError."""
        ...


@contextlib.contextmanager
def connect(url: str, zone: ZoneInfo, window: Window, batch_rows: int) -> Iterator[Database]:
    """Connect to ``url`` (``postgres://``, ``mysql://``, or any URL of SQLAlchemy) for reading ``window``.

    ``zone``: that of columns without zone. Batches have at most ``batch_rows`` rows. Raises SourceError
    that names the server but never the password.
    """
    kind = urlsplit(url).scheme.split("+")[0].lower()
    opened = _postgres if kind in _POSTGRES_SCHEMES else _sqlalchemy
    with opened(url, kind, zone, window, batch_rows) as database:
        yield database


def hide_password(text: str, url: str) -> str:
    """``text`` without the password of ``url``."""
    for secret in {_password(url), unquote(_password(url))} - {""}:
        text = text.replace(secret, "***")
    return text


def _password(url: str) -> str:
    credentials, _, _ = urlsplit(url).netloc.rpartition("@")
    return credentials.partition(":")[2]


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextlib.contextmanager
def _postgres(url: str, kind: str, zone: ZoneInfo, window: Window, batch_rows: int) -> Iterator[Database]:
    from adbc_driver_manager import Error
    from adbc_driver_postgresql import dbapi

    try:
        connection = dbapi.connect(_libpq(url))
    except Error as error:
        raise SourceError(f"{_place(url)}: no connection: {hide_password(str(error), url)}") from None
    with contextlib.closing(connection):
        for setting in (
            "set transaction isolation level repeatable read, read only",
            f"set time zone '{zone.key}'",
            "set datestyle to 'ISO, YMD'",
            "set client_encoding to 'UTF8'",
        ):
            with connection.cursor() as cursor:
                cursor.execute(setting)
        yield _Postgres(connection, url, window, batch_rows)


def _libpq(url: str) -> str:
    """``url`` for libpq, without Airflow's ``__extra__``."""
    parts = urlsplit(url)
    options = {"connect_timeout": str(_CONNECT_SECONDS)}
    options |= {k: v for k, v in parse_qsl(parts.query) if k != "__extra__"}
    return urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(options, quote_via=quote), ""))


class _Postgres:
    def __init__(self, connection: Any, url: str, window: Window, batch_rows: int) -> None:
        self._connection, self._url, self._batch_rows = connection, url, batch_rows
        self._bounds = [f"(timestamptz '{at:%Y-%m-%d %H:%M:%S.%f}+00')" for at in (window.start, window.end)]

    def stream(self, query: Query) -> Iterator[Columns]:
        from adbc_driver_manager import Error

        # The bounds are literals because the driver streams (by COPY) only what has no parameters.
        sql = query.with_bounds(*self._bounds)
        try:
            with self._connection.cursor() as cursor:
                schema = cursor.adbc_execute_schema(sql)
                cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)})
                typed, names = _typed(query, sql, schema)
                cursor.execute(typed)
                for batch in cursor.fetch_record_batch():
                    for at in range(0, batch.num_rows, self._batch_rows):
                        part = batch.slice(at, self._batch_rows)
                        yield _with_odd(dict(zip(names, part.columns, strict=True)))
        except (Error, pa.ArrowException, OSError) as error:
            raise SourceError(f"{query.path}: {_postgres_message(error, self._url)}") from None


def _postgres_message(error: Exception, url: str) -> str:
    return hide_password(str(error).split("\n\nQuery was:")[0], url)


def _typed(query: Query, sql: str, schema: pa.Schema) -> tuple[str, list[str]]:
    """``sql`` with its columns in the contract's order, in types that the driver reads faithfully; and their names."""
    places = query.order(schema.names)
    found = [(c, schema.field(i)) for c, i in zip(query.table.columns, places, strict=True)]
    shown = {c.name: _expression(c, field) for c, field in found}
    shown |= {c.name + _ODD: _odd_moment(field) for c, field in found if _is_moment_of(c, field)}
    return f"select {', '.join(shown.values())}\nfrom (\n{sql}\n) as provider_query", list(shown)


# One 'infinity' would make the driver refuse the whole result, and as text every moment costs ten times as much: so
# moments of the calendar are read as such, others as text in a column beside.
_ODD = " as text"
_IN_CALENDAR = "{0} >= timestamptz '0001-01-01 00:00+00' and {0} < timestamptz '10000-01-01 00:00+00'"


def _is_moment_of(column: Column, field: pa.Field) -> bool:
    return pa.types.is_timestamp(field.type) and bool(field.type.tz) and column.type in ("timestamptz", "date")


def _odd_moment(field: pa.Field) -> str:
    name = _quoted(field)
    return f"case when not ({_IN_CALENDAR.format(name)}) then cast({name} at time zone 'UTC' as text) || 'Z' end"


def _quoted(field: pa.Field) -> str:
    return '"' + field.name.replace('"', '""') + '"'


def _with_odd(columns: Columns) -> Columns:
    """``columns`` where those with odd moments among their rows are text."""
    odd = {name: columns.pop(name) for name in list(columns) if name.endswith(_ODD)}
    for name, texts in odd.items():
        if texts.null_count < len(texts):
            plain_name = name.removesuffix(_ODD)
            columns[plain_name] = pc.coalesce(texts, pc.strftime(columns[plain_name], "%Y-%m-%d %H:%M:%SZ"))
    return columns


def _expression(column: Column, field: pa.Field) -> str:
    name = _quoted(field)
    numeric = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
    if numeric and column.type in ("bigint", "double precision", "boolean"):
        return name
    if pa.types.is_boolean(field.type) and column.type == "boolean":
        return name
    if _is_moment_of(column, field):
        return f"case when {_IN_CALENDAR.format(name)} then {name} end"
    if pa.types.is_timestamp(field.type) and field.type.tz:
        return f"cast({name} at time zone 'UTC' as text) || 'Z'"
    return f"cast({name} as text)"


@contextlib.contextmanager
def _sqlalchemy(url: str, kind: str, zone: ZoneInfo, window: Window, batch_rows: int) -> Iterator[Database]:
    import sqlalchemy as sa

    try:
        engine = sa.create_engine(_target(url, kind), poolclass=sa.NullPool)
        connection = engine.connect().execution_options(stream_results=True, max_row_buffer=batch_rows)
    except (sa.exc.SQLAlchemyError, ImportError, ValueError) as error:
        raise SourceError(f"{_place(url)}: no connection: {_sqlalchemy_message(error, url)}") from None
    try:
        shift = _mysql_session(connection, zone, window) if kind in _MYSQL_SCHEMES else None
        yield _SqlAlchemy(connection, url, zone, window, batch_rows, shift)
    finally:
        # Not close(): that would first read the rest of an unfinished result.
        connection.invalidate()
        engine.dispose()


def _target(url: str, kind: str) -> Any:
    """``url`` for SQLAlchemy, without Airflow's ``__extra__``."""
    import sqlalchemy as sa

    target = sa.make_url(url).difference_update_query(["__extra__"])
    if kind in _MYSQL_SCHEMES:
        target = target.set(drivername="mysql+pymysql", query={"charset": "utf8mb4", **target.query})
    return target


def _mysql_session(connection: Any, zone: ZoneInfo, window: Window) -> timezone | None:
    """Make the session read-only and local to ``zone``.

    Without the server's time-zone tables the session gets the offset that ``zone`` has at the window's
    start; it is returned, because TIMESTAMP columns are then shown with it whatever their date.
    """
    import sqlalchemy as sa

    fixed = None
    try:
        connection.exec_driver_sql(f"set session time_zone = '{zone.key}'")
    except sa.exc.DBAPIError:
        offset = window.start.astimezone(zone).utcoffset() or timedelta()
        fixed = timezone(offset)
        sign, minutes = "-" if offset < timedelta() else "+", abs(int(offset.total_seconds())) // 60
        connection.exec_driver_sql(f"set session time_zone = '{sign}{minutes // 60:02}:{minutes % 60:02}'")
    # The reader may wait for the warehouse longer than the server's usual minute.
    connection.exec_driver_sql("set session net_write_timeout = 3600")
    connection.exec_driver_sql("set session transaction isolation level repeatable read")
    connection.exec_driver_sql("start transaction with consistent snapshot, read only")
    return fixed


class _SqlAlchemy:
    def __init__(
        self,
        connection: Any,
        url: str,
        zone: ZoneInfo,
        window: Window,
        batch_rows: int,
        shift: timezone | None,
    ) -> None:
        self._connection, self._url, self._batch_rows, self._shift = connection, url, batch_rows, shift
        ends = [window.end.astimezone(z).replace(tzinfo=None) for z in (zone, shift or zone)]
        # With a fixed offset the two differ when the clocks change within the window: rather an hour
        # read twice than one not read.
        self._bounds = {
            "window_start": window.start.astimezone(zone).replace(tzinfo=None),
            "window_end": max(ends),
        }

    def stream(self, query: Query) -> Iterator[Columns]:
        import sqlalchemy as sa

        statement = sa.text(query.as_template(self._connection.dialect.name))
        bounds = {name: self._bounds[name] for name in statement.compile().params}
        result = None
        try:
            result = self._connection.execute(statement, bounds)
            if not result.returns_rows:
                raise SourceError(f"{query.path}: the statement returns no rows; it must be a query")
            places = query.order(list(result.keys()))
            shifted = self._shifted(result)
            for rows in result.partitions(self._batch_rows):
                values = list(zip(*rows, strict=True))
                yield {
                    c.name: _array(c, values[i], self._shift if i in shifted else None)
                    for c, i in zip(query.table.columns, places, strict=True)
                }
        except sa.exc.SQLAlchemyError as error:
            raise SourceError(f"{query.path}: {_sqlalchemy_message(error, self._url)}") from None
        finally:
            _abandon(result)

    def _shifted(self, result: Any) -> set[int]:
        if self._shift is None:
            return set()
        return {i for i, d in enumerate(result.cursor.description) if d[1] == _MYSQL_TIMESTAMP}


def _abandon(result: Any) -> None:
    """Keep pymysql from reading an unfinished result to its end when it is thrown away."""
    unread = getattr(getattr(result, "cursor", None), "_result", None)
    if unread is not None:
        unread.unbuffered_active = False


def _sqlalchemy_message(error: Exception, url: str) -> str:
    # The driver's own words: SQLAlchemy's repeat the whole statement.
    return hide_password(str(getattr(error, "orig", None) or error), url)


def _array(column: Column, values: Sequence[Any], shift: timezone | None) -> pa.Array:
    """Python values as an Arrow array: of their own type when they share one, else as text."""
    if shift is not None:
        values = [v.replace(tzinfo=shift).astimezone(UTC) if isinstance(v, datetime) else v for v in values]
    kinds = {type(v) for v in values if v is not None}
    if len(kinds) <= 1 and kinds <= set(_UNIFORM):
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            return pa.array(values)
    return pa.array([None if v is None else _readable(column, v) for v in values], pa.string())


def _readable(column: Column, value: Any) -> str:
    if isinstance(value, bytes) and column.type in ("boolean", "bigint"):
        with contextlib.suppress(ValueError):
            return str(int(value))  # digits as text
        return str(int.from_bytes(value))  # BIT(n)
    return plain(value)
