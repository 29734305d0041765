"""Asterisk's queue_log, as files and as a realtime table: one normal form from both.

Normal form: parameters joined by ``|`` without trailing empty ones; the caller of ENTERQUEUE and his name
in columns of their own and blanked among the parameters. Asterisk removes ``"`` and ``\\`` from the
parameters when it splits them for the table, so they are removed from both forms; it splits into five at
most and not within brackets, but the rest keeps its ``|``, so joining the columns gives the line again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from service_quality import config, contract
from service_quality.sources.base import History, SourceError
from service_quality.sources.clock import (
    EARLIEST,
    HOUR,
    LATEST,
    SECOND,
    Clock,
    Mask,
    Micros,
    channel_created,
    epoch_seconds,
    instants_array,
    micros,
    neighbours,
    read_local,
)
from service_quality.sources.databases import hide_password
from service_quality.sources.problems import Problems, may_contain
from service_quality.sources.spool import Block, Layout, Span, Spool, SpoolFile, spans
from service_quality.window import Window

TABLE = contract.BY_NAME["queue_log"]
REALTIME_FILE_ID = "table"

_NAMED = ("callid", "queue", "agent", "event")
_FIELDS = 1 + len(_NAMED)  # time and the named ones; parameters follow
_TEXT = pa.string()
_FILE_ORDER = 2**31  # more lines than a file can have


class QueueLogFiles:
    """queue_log as files in a spool folder."""

    def __init__(self, server_id: str, drop: config.QueueLogFile, history: History) -> None:
        self._server_id, self._history = server_id, history
        self._spool = Spool(drop, f"telephony.servers.{server_id}.queue_log")

    def read(self, window: Window, number: int = 0, count: int = 1) -> Iterator[pa.RecordBatch]:
        """The events of ``window`` in the order they were logged; of ``count`` shares that with this ``number``."""
        files = self._spool.files(self._server_id, Layout("queue_log", _first_at))
        for place, (file, span) in enumerate(spans(files, window, self._history)):
            if place % count == number:
                yield from self._read_file(file, span)

    def _read_file(self, file: SpoolFile, span: Span) -> Iterator[pa.RecordBatch]:
        last = file.first_at
        for block in file.blocks():
            if block.unfinished:
                continue
            lines = block.array()
            times, readable = _line_times(lines)
            filled = neighbours(times, readable, last)
            last = int(filled[-1])
            line_no = np.arange(block.first_line, block.first_line + len(lines), dtype=np.int64)
            wanted = np.flatnonzero(span.mask(filled, line_no) & _not_blank(lines, readable))
            if len(wanted):
                yield self._batch(file, block, lines, wanted, filled, readable)

    def _batch(
        self, file: SpoolFile, block: Block, lines: pa.Array, wanted: Micros, times: Micros, readable: Mask
    ) -> pa.RecordBatch:
        line_no = wanted + block.first_line
        chosen = lines if len(wanted) == len(lines) else lines.take(pa.array(wanted))
        problems = Problems(len(wanted))
        problems.add_where(~readable[wanted], "event_at: no time in seconds since 1970")
        problems.add_where(np.isin(wanted, list(block.damaged)), "line: had NUL characters")
        time_text, named, params = _split_lines(chosen, problems)
        return _normal_batch(
            {
                "server_id": pa.repeat(self._server_id, len(wanted)),
                "file_id": pa.repeat(file.file_id, len(wanted)),
                "line_no": pa.array(line_no),
                "log_seq": pa.array(file.first_at // SECOND * _FILE_ORDER + line_no),
                "time_text": time_text,
                "event_at": instants_array(times[wanted] // SECOND * SECOND),
                **named,
                "_source_ref": pc.binary_join_element_wise(pa.scalar(file.name), pa.array(line_no).cast(_TEXT), ":"),
            },
            params,
            problems,
        )


def _first_at(name: str, lines: Sequence[str]) -> int | None:
    for line in lines:
        fields = line.split("|")
        at = epoch_seconds(fields[0])
        if at is not None and len(fields) >= _FIELDS:
            return at
    return None


def _not_blank(lines: pa.Array, readable: Mask) -> Mask:
    """Lines that hold anything; those whose time was ``readable`` do, so only the others are looked at."""
    filled = readable.copy()
    others = np.flatnonzero(~readable)
    trimmed = pc.ascii_trim_whitespace(lines.take(pa.array(others)))
    filled[others] = pc.greater(pc.binary_length(trimmed), 0).to_numpy(zero_copy_only=False)
    return filled


def _line_times(lines: pa.Array) -> tuple[Micros, Mask]:
    """Times of ``lines`` and which could be read: ten digits at once, anything else one by one."""
    offsets = np.frombuffer(lines.buffers()[1], np.int32, len(lines) + 1, lines.offset * 4)
    seconds, plain = _ten_digits(lines.buffers()[2], offsets[:-1])
    plain &= np.diff(offsets) > 10
    times = np.where(plain, seconds, 0) * SECOND
    readable = plain.copy()
    for i in np.flatnonzero(~plain):
        at = epoch_seconds(lines[int(i)].as_py().partition("|")[0])
        if at is not None:
            times[i], readable[i] = at, True
    sane = (times >= EARLIEST) & (times < LATEST)
    return np.where(sane, times, 0), readable & sane


def _ten_digits(data: pa.Buffer | None, starts: np.ndarray) -> tuple[np.ndarray, Mask]:
    """The numbers of ten digits that stand at ``starts`` in ``data``, and whether digits and then a ``|`` stand there.

    Eight characters are one word: pairs of digits are added up in one multiplication, then pairs of pairs.
    """
    given = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
    padded = np.zeros(len(given) // 8 * 8 + 32, np.uint8)
    padded[: len(given)] = given
    words, place, shift = padded.view("<u8"), starts >> 3, ((starts & 7) << 3).astype(np.uint64)
    first, second, third = words[place], words[place + 1], words[place + 2]
    eight = (first >> shift) | (second << (64 - shift))  # a shift by 64 gives 0
    rest = (second >> shift) | (third << (64 - shift))
    tens, ones = (rest & 0xFF) - ord("0"), (rest >> 8 & 0xFF) - ord("0")  # what is below "0" wraps around
    high, zeros = np.uint64(0xF0F0F0F0F0F0F0F0), np.uint64(0x3030303030303030)
    plain = (eight & high == zeros) & (eight + 0x0606060606060606 & high == zeros)
    plain &= (tens <= 9) & (ones <= 9) & (rest >> 16 & 0xFF == ord("|"))
    pairs = (eight & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8
    fours = (pairs & 0x00FF00FF00FF00FF) * 6553601 >> 16
    number = (fours & 0x0000FFFF0000FFFF) * 42949672960001 >> 32
    return (number * 100 + tens * 10 + ones).astype(np.int64), plain


def _split_lines(lines: pa.Array, problems: Problems) -> tuple[pa.Array, dict[str, pa.Array], pa.Array]:
    """Time, named fields and parameters; a line with too few fields stands whole in the parameters."""
    pieces = _Pieces(lines, _FIELDS)
    whole = pieces.count >= _FIELDS
    problems.add_where(~whole, f"line: fewer than {_FIELDS} fields")
    named = {name: pieces.field(i, whole) for i, name in enumerate(_NAMED, start=1)}
    params = pieces.field(_FIELDS, whole)
    params = pc.fill_null(params, "")
    if not whole.all():
        params = pc.if_else(pa.array(whole), params, lines)
    return pieces.field(0, whole), named, params


class _Pieces:
    """Texts split at ``|`` into at most ``most`` pieces and a rest."""

    def __init__(self, texts: pa.Array, most: int) -> None:
        split = pc.split_pattern(texts, "|", max_splits=most)
        self._values = split.values
        self._starts = split.offsets.to_numpy()[:-1].astype(np.int64)
        self.count = np.diff(split.offsets.to_numpy())

    def field(self, place: int, of: Mask | None = None) -> pa.Array:
        """The pieces at ``place``; null where there is none, or not ``of``."""
        there = self.count > place
        if of is not None:
            there &= of
        if there.all():
            return self._values.take(pa.array(self._starts + place))
        return self._values.take(pa.array(np.where(there, self._starts + place, 0), mask=~there))


def _normal_batch(columns: dict[str, pa.Array], params: pa.Array, problems: Problems) -> pa.RecordBatch:
    """A batch of the contract in normal form; ``params`` still has the caller in it."""
    for name in _NAMED:
        problems.add_undecodable(name, columns[name])
    empty = pc.equal(columns["event"], "").fill_null(False).to_numpy(zero_copy_only=False)
    problems.add_where(empty, "event: empty")
    bare = _bare(params)
    params = pc.if_else(columns["event"].is_valid(), bare, params) if columns["event"].null_count else bare
    entered = pc.equal(columns["event"], "ENTERQUEUE").fill_null(False)
    pieces = _Pieces(pc.filter(params, entered), 3)
    blanked = pc.ascii_rtrim(_join(pieces.field(0), "", pieces.field(2)), "|")
    columns |= {
        "caller": _scatter(entered, pieces.field(1)),
        "caller_name": _scatter(entered, pieces.field(3)),
        "params": pc.replace_with_mask(params, entered, blanked),
        "_problems": problems.array(),
    }
    schema = TABLE.arrow_schema()
    return pa.RecordBatch.from_arrays([columns[n] for n in schema.names], schema=schema)


def _bare(params: pa.Array) -> pa.Array:
    if any(may_contain(params, character) for character in (b'"', b"\\")):
        params = pc.replace_substring_regex(params, r'["\\]', "")
    return pc.ascii_rtrim(params, "|")


def _join(*parts: Any) -> pa.Array:
    filled = [pc.fill_null(p, "") if isinstance(p, pa.Array) else pa.scalar(p) for p in parts]
    return pc.binary_join_element_wise(*filled, "|")


def _scatter(where: pa.Array, values: pa.Array) -> pa.Array:
    """``values`` at the rows ``where``, null elsewhere and where empty."""
    if values.null_count == len(values):
        return pa.nulls(len(where), _TEXT)
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, _TEXT), values)
    return pc.replace_with_mask(pa.nulls(len(where), _TEXT), where, values)


class QueueLogTable:
    """queue_log as a realtime table in a database.

    Rows are taken in the order of their id, because databases that drop or round microseconds give equal
    and even reversed times.
    """

    def __init__(self, server_id: str, zone: ZoneInfo, table: config.QueueLogTable, url: str, history: History) -> None:
        self._server_id, self._table, self._url, self._history = server_id, table, url, history
        self._zone = None if table.time_is_utc else zone
        self._key = f"telephony.servers.{server_id}.queue_log"

    def read(self, window: Window) -> Iterator[pa.RecordBatch]:
        """The events of ``window`` in the order of their id."""
        import sqlalchemy as sa

        span = Span.of(REALTIME_FILE_ID, window, self._history)
        engine = self._engine()
        try:
            with engine.connect() as connection:
                # Leaving the block rolls back: nothing is ever written here.
                yield from self._read(connection, span)
        except sa.exc.SQLAlchemyError as error:
            words = str(getattr(error, "orig", None) or error)
            raise SourceError(
                f"{self._key}: {self._table.table} cannot be read: {hide_password(words, self._url)}"
            ) from None
        finally:
            engine.dispose()

    def _engine(self) -> Any:
        import sqlalchemy as sa

        drivers = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
        drivers |= {"mysql": "mysql+pymysql", "mariadb": "mysql+pymysql"}
        scheme, _, rest = self._url.partition("://")
        try:
            url = sa.make_url(f"{drivers.get(scheme, scheme)}://{rest}").difference_update_query(["__extra__"])
            return sa.create_engine(url, poolclass=sa.NullPool)
        except (sa.exc.ArgumentError, ImportError, ValueError) as error:
            words = hide_password(str(error), self._url)
            raise SourceError(f"{self._key}.connection: {self._table.connection} is not usable: {words}") from None

    def _read(self, connection: Any, span: Span) -> Iterator[pa.RecordBatch]:
        columns = _TableColumns.find(connection, self._table.table, f"{self._key}.table")
        wanted = columns.rows_between(connection, self._zone, span.start, span.end)
        if wanted is None:
            return
        clock, last = Clock(self._zone), None
        streamed = connection.execution_options(stream_results=True, max_row_buffer=_BATCH_ROWS)
        for rows in streamed.execute(wanted).partitions(_BATCH_ROWS):
            batch, last = self._batch(rows, clock, span, last)
            if batch.num_rows:
                yield batch

    def _batch(
        self, rows: Sequence[Sequence[Any]], clock: Clock, span: Span, last: int | None
    ) -> tuple[pa.RecordBatch, int]:
        ids, moments, *texts = zip(*rows, strict=True)
        callids = [_text(v) for v in texts[0]]
        times, readable = _realtime_times(moments, callids, clock)
        if last is None:
            # Rows before the first that can be dated belong with it.
            last = int(times[np.argmax(readable)]) if readable.any() else span.start
        filled = neighbours(times, readable, last)
        line_no = np.array(ids, dtype=np.int64)
        keep = span.mask(filled, line_no)
        problems = Problems(int(keep.sum()))
        problems.add_where(~readable[keep], "event_at: no time")
        names = dict(zip(_NAMED, ([_text(v) for v in column] for column in texts[:4]), strict=True))
        params = ["|".join(map(_text, row)) for row in zip(*texts[4:], strict=True)]
        kept, chosen = pa.array(keep), line_no[keep]
        columns = {
            "server_id": pa.repeat(self._server_id, len(chosen)),
            "file_id": pa.repeat(REALTIME_FILE_ID, len(chosen)),
            "line_no": pa.array(chosen),
            "log_seq": pa.array(chosen),
            "time_text": pa.array([_text(m) for m in moments], _TEXT).filter(kept),
            "event_at": instants_array(filled[keep] // SECOND * SECOND),
            **{name: pa.array(values, _TEXT).filter(kept) for name, values in names.items()},
            "_source_ref": pc.binary_join_element_wise(pa.scalar(self._table.table), pa.array(chosen).cast(_TEXT), ":"),
        }
        return _normal_batch(columns, pa.array(params, _TEXT).filter(kept), problems), int(filled[-1])


_BATCH_ROWS = 50_000


def _text(value: Any) -> str:
    """A column's text as Asterisk meant it: its drivers write ``;`` as ``^3B`` and ``^`` as ``^5E``."""
    if value is None:
        return ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if "^" in text:
        text = text.replace("^3B", ";").replace("^5E", "^")
    return text.replace("\0", "")


def _realtime_times(moments: Sequence[Any], callids: Sequence[str], clock: Clock) -> tuple[Micros, Mask]:
    """Instants of a time column of any type, and which could be read."""
    fixed = [_fixed_instant(m) for m in moments]
    texts = ["" if f is not None or m is None else str(m) for f, m in zip(fixed, moments, strict=True)]
    local, readable = read_local(pa.array(texts, _TEXT))
    if readable.any():
        created = [channel_created(c) for c in callids]
        places = np.flatnonzero(readable)
        local[places] = clock.instants(local[places], [created[i] for i in places])
    for i, at in enumerate(fixed):
        if at is not None:
            local[i], readable[i] = at, True
    return local, readable


def _fixed_instant(moment: Any) -> int | None:
    """Microseconds of a value that needs no zone: one that has a zone, or seconds since 1970."""
    if isinstance(moment, datetime):
        return micros(moment) if moment.tzinfo else None
    if isinstance(moment, int | float | Decimal | str):
        return epoch_seconds(str(moment))
    return None


class _TableColumns:
    """The columns of a realtime table, whichever of its historic shapes it has."""

    def __init__(self, number: Any, moment: Any, named: list[Any], data: list[Any]) -> None:
        self._number, self._moment, self._named, self._data = number, moment, named, data

    @classmethod
    def find(cls, connection: Any, name: str, key: str) -> _TableColumns:
        """Look the table up. Raises SourceError naming ``key`` when it is no queue_log table."""
        import sqlalchemy as sa

        schema, _, plain = name.rpartition(".")
        try:
            about = sa.inspect(connection).get_columns(plain, schema=schema or None)
        except sa.exc.NoSuchTableError:
            raise SourceError(f"{key}: the database has no table {name}") from None
        there = {c["name"].lower(): sa.column(c["name"], c["type"]) for c in about}
        found = {
            "id": there.get("id"),
            "time": there.get("time"),
            "callid": there.get("callid"),
            "queuename": there.get("queuename", there.get("queue")),
            "agent": there.get("agent"),
            "event": there.get("event"),
        }
        sound = {n: column for n, column in found.items() if column is not None}
        data = [there[n] for n in sorted(there) if re.fullmatch(r"data\d", n)]
        data = data or [there[n] for n in ("data",) if n in there]
        missing = [n for n in found if n not in sound] + ([] if data else ["data1..data5"])
        if missing:
            raise SourceError(f"{key}: {name} has no {', '.join(missing)}; it has {', '.join(sorted(there))}")
        moment, *named = [sound[n] for n in ("time", "callid", "queuename", "agent", "event")]
        table = sa.table(plain, sound["id"], moment, *named, *data, schema=schema or None)
        columns = table.c
        return cls(
            columns[sound["id"].name],
            columns[moment.name],
            [columns[c.name] for c in named],
            [columns[c.name] for c in data],
        )

    def rows_between(self, connection: Any, zone: ZoneInfo | None, start: int, end: int) -> Any | None:
        """A select of the rows of [start, end) microseconds with some margin, in the order of their id.

        It is bounded by id, not by time, so that rows whose time cannot be read come along with their
        neighbours. None when there are no rows.
        """
        import sqlalchemy as sa

        number = self._number
        low, high = (self._bound(connection, zone, at) for at in (start - 3 * HOUR, end + 3 * HOUR))
        dated = self._dated()
        first, last, after = connection.execute(
            sa.select(
                sa.func.min(sa.case((self._moment < high, number))),
                sa.func.max(sa.case((self._moment < high, number))),
                sa.func.min(sa.case((self._moment >= high, number))),
            ).where(self._moment >= low, dated)
        ).one()
        if first is None:
            return None
        older = connection.execute(sa.select(number).where(self._moment < low, dated).limit(1)).first()
        query = sa.select(number, self._moment, *self._named, *self._data).order_by(number)
        if older is not None:
            query = query.where(number >= first)
        if after is not None:
            query = query.where(number <= max(last, after - 1))
        return query

    def _is_text(self) -> bool:
        import sqlalchemy as sa

        return isinstance(self._moment.type, sa.String)

    def _dated(self) -> Any:
        """Rows whose time can be compared: a text column may hold anything."""
        import sqlalchemy as sa

        if not self._is_text():
            return sa.true()
        return sa.or_(self._moment.like("20__-__-__%"), self._moment.like("1_________%"))

    def _bound(self, connection: Any, zone: ZoneInfo | None, at: int) -> Any:
        """The instant ``at`` as a value that compares with the time column."""
        import sqlalchemy as sa

        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
        if isinstance(self._moment.type, sa.Numeric | sa.Integer):
            return at // SECOND
        if getattr(self._moment.type, "timezone", False):
            return instant
        local = instant.astimezone(zone or UTC).replace(tzinfo=None)
        if not self._is_text():
            return local
        newest = connection.execute(
            sa.select(self._moment).where(self._dated()).order_by(self._number.desc()).limit(1)
        ).scalar()
        if epoch_seconds(_text(newest)) is not None:
            return str(max(at // SECOND, 1_000_000_000))  # ten digits: texts compare like numbers
        return f"{local:%Y-%m-%d %H:%M:%S}"
