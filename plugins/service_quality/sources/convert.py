"""Values as a source gives them -> the types of the contract, column by column.

A column is converted as a whole; only when that fails does each value get its own chance, so that one bad
value costs one null and one entry in ``_problems``, never the load. Rules: blank text in a column that is
not text is null; ``infinity`` in a date or instant means "still open" and is null; NUL characters vanish;
an instant without zone is local time of the source, the first pass of the doubled autumn hour, and in the
skipped spring hour it counts with the offset before the change.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from service_quality.contract import ARROW_TYPES, Column, SqlType, Table
from service_quality.sources.problems import may_contain

TRUE = frozenset({"true", "t", "yes", "y", "on", "1", "да"})
FALSE = frozenset({"false", "f", "no", "n", "off", "0", "нет"})

_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[ T](?P<time>\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?))?"
    r"\s*(?P<zone>Z|[+-]\d{2}(?::?\d{2}(?::\d{2})?)?)?"
)
_SHOWN_CHARACTERS = 60
_YEAR_ONE = pa.scalar(datetime(1, 1, 1, tzinfo=UTC), pa.timestamp("us", "UTC"))
_REFUSED = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError)

Problems = dict[int, list[str]]
"""Row of the batch, from 0 -> what could not be read in it."""


def to_batch(
    table: Table, columns: Mapping[str, pa.Array], zone: ZoneInfo, references: Sequence[str] | None = None
) -> pa.RecordBatch:
    """``columns`` of any type, one per contract column, as a batch with ``table.arrow_schema()``.

    ``zone`` is that of instants without one. ``references`` become ``_source_ref``; by default it is
    "<table> <key>=<value>,...".
    """
    problems: Problems = {}
    arrays = {c.name: convert(c, columns[c.name], zone, problems) for c in table.columns}
    rows = len(next(iter(arrays.values())))
    shown: pa.Array = pa.array(references, pa.string()) if references is not None else _keys(table, arrays)
    told = pa.nulls(rows, pa.string())
    if problems:
        told = pa.array(["; ".join(problems[i]) if i in problems else None for i in range(rows)], pa.string())
    return pa.RecordBatch.from_arrays([*arrays.values(), shown, told], schema=table.arrow_schema())


def convert(column: Column, values: pa.Array, zone: ZoneInfo, problems: Problems) -> pa.Array:
    """``values`` as the Arrow type of ``column``; what cannot be read is null and added to ``problems``."""
    try:
        return _WHOLE[column.type](values, zone)
    except _REFUSED:
        return _one_by_one(column, values, zone, problems)


def instant(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    """ISO text as an instant (UTC); ``fold`` 1: in the doubled hour its second pass.

    Raises ValueError when it is none.
    """
    return _localised(_moment(text).replace(fold=fold), zone)


def plain(value: object) -> str:
    """A value of a database driver as text: bytes decoded (hexadecimal when not UTF-8), 5.0 as 5."""
    if isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            return content.hex()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)


def _keys(table: Table, arrays: Mapping[str, pa.Array]) -> pa.Array:
    parts: list[Any] = []
    for name in table.key:
        parts += [f"{',' if parts else table.name + ' '}{name}=", arrays[name].cast(pa.string())]
    return pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement="null")


def _one_by_one(column: Column, values: pa.Array, zone: ZoneInfo, problems: Problems) -> pa.Array:
    read, found = _SINGLE[column.type], []
    for row, value in enumerate(values.to_pylist()):
        try:
            found.append(None if value is None else read(value, zone))
        except (ValueError, OverflowError):
            found.append(None)
            shown = plain(value).replace("\x00", "")[:_SHOWN_CHARACTERS]
            problems.setdefault(row, []).append(f"{column.name}: cannot read '{shown}' as {column.type}")
    return pa.array(found, ARROW_TYPES[column.type])


# Whole columns. Each raises one of _REFUSED when any value needs a closer look.


def _trimmed(values: pa.Array) -> pa.Array:
    text = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)


def _is_text(values: pa.Array) -> bool:
    return pa.types.is_string(values.type) or pa.types.is_large_string(values.type)


def _texts(values: pa.Array, zone: ZoneInfo) -> pa.Array:
    if pa.types.is_integer(values.type) or pa.types.is_decimal(values.type) or pa.types.is_null(values.type):
        return values.cast(pa.string())
    if not _is_text(values):
        raise pa.ArrowInvalid("not text")
    text = values.cast(pa.string())
    if may_contain(text, b"\0") and pc.any(pc.match_substring(text, "\x00")).as_py():
        text = pc.replace_substring(text, "\x00", "")
    return text


def _wholes(values: pa.Array, zone: ZoneInfo) -> pa.Array:
    if _is_text(values):
        values = _trimmed(values)
    elif _is_moment(values):
        raise pa.ArrowInvalid("a moment is no number")
    return values.cast(pa.int64())


def _numbers(values: pa.Array, zone: ZoneInfo) -> pa.Array:
    if _is_text(values):
        values = _trimmed(values)
    elif _is_moment(values):
        raise pa.ArrowInvalid("a moment is no number")
    numbers = values.cast(pa.float64())
    if pc.any(pc.invert(pc.is_finite(numbers))).as_py():
        raise pa.ArrowInvalid("not finite")
    return numbers


def _truths(values: pa.Array, zone: ZoneInfo) -> pa.Array:
    if pa.types.is_boolean(values.type) or pa.types.is_null(values.type):
        return values.cast(pa.bool_())
    if pa.types.is_integer(values.type):
        values = values.cast(pa.string())
    if not _is_text(values):
        raise pa.ArrowInvalid("no truth value")
    text = pc.utf8_lower(_trimmed(values)).cast(pa.string())
    true = pc.is_in(text, pa.array(sorted(TRUE)))
    known = pc.or_(true, pc.is_in(text, pa.array(sorted(FALSE))))
    if pc.any(pc.and_(pc.is_valid(text), pc.invert(known))).as_py():
        raise pa.ArrowInvalid("no truth value")
    return pc.if_else(pc.is_valid(text), true, pa.scalar(None, pa.bool_()))


def _is_moment(values: pa.Array) -> bool:
    return pa.types.is_timestamp(values.type) or pa.types.is_date(values.type)


def _moments(values: pa.Array) -> pa.Array:
    """As timestamps, with zone UTC or without one."""
    if _is_text(values):
        text = _trimmed(values)
        try:
            return text.cast(pa.timestamp("us"))
        except pa.ArrowInvalid:
            return text.cast(pa.timestamp("us", "UTC"))
    if pa.types.is_null(values.type) or pa.types.is_date(values.type):
        return values.cast(pa.timestamp("us"))
    if not pa.types.is_timestamp(values.type):
        raise pa.ArrowInvalid("no moment")
    return values.cast(pa.timestamp("us", "UTC" if values.type.tz else None))


def _dates(values: pa.Array, zone: ZoneInfo) -> pa.Array:
    moments = _moments(values)
    if moments.type.tz:
        moments = pc.local_timestamp(moments.cast(pa.timestamp("us", zone.key)))
    return moments.cast(pa.date32(), safe=False)


def _instants(values: pa.Array, zone: ZoneInfo) -> pa.Array:
    moments = _moments(values)
    if not moments.type.tz:
        moments = pc.assume_timezone(moments, zone.key, ambiguous="earliest", nonexistent="raise")
    instants = moments.cast(pa.timestamp("us", "UTC"))
    if pc.any(pc.less(instants, _YEAR_ONE)).as_py():
        raise pa.ArrowInvalid("before the calendar")
    return instants


_WHOLE: dict[SqlType, Callable[[pa.Array, ZoneInfo], pa.Array]] = {
    "text": _texts,
    "bigint": _wholes,
    "double precision": _numbers,
    "boolean": _truths,
    "date": _dates,
    "timestamptz": _instants,
}


# Single values. Each raises ValueError when the value cannot be read.


def _text(value: object, zone: ZoneInfo) -> str:
    return plain(value).replace("\x00", "")


def _number(value: object, zone: ZoneInfo) -> float | None:
    text = plain(value).strip()
    number = float(text) if text else None
    if number is not None and (not math.isfinite(number) or "_" in text):
        raise ValueError("not a finite number")
    return number


def _whole(value: object, zone: ZoneInfo) -> int | None:
    text = plain(value).strip()
    if not text or _number(text, zone) is None:
        return None
    number = Decimal(text)
    if number != number.to_integral_value() or abs(number) >= 2**63:
        raise ValueError("not a whole number")
    return int(number)


def _truth(value: object, zone: ZoneInfo) -> bool | None:
    text = plain(value).strip().lower()
    if not text:
        return None
    if text not in TRUE and text not in FALSE:
        raise ValueError("no truth value")
    return text in TRUE


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if not (match := _MOMENT.fullmatch(plain(value).strip())):
        raise ValueError("no date or time")
    return datetime.fromisoformat(f"{match['day']}T{match['time'] or '00:00'}{match['zone'] or ''}")


def _localised(moment: datetime, zone: ZoneInfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _is_open(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() in ("", "infinity", "infinityz")


def _date(value: object, zone: ZoneInfo) -> date | None:
    if _is_open(value):
        return None
    moment = _moment(value)
    return (moment.astimezone(zone) if moment.tzinfo else moment).date()


def _instant(value: object, zone: ZoneInfo) -> datetime | None:
    return None if _is_open(value) else _localised(_moment(value), zone)


_SINGLE: dict[SqlType, Callable[[Any, ZoneInfo], Any]] = {
    "text": _text,
    "bigint": _whole,
    "double precision": _number,
    "boolean": _truth,
    "date": _date,
    "timestamptz": _instant,
}
