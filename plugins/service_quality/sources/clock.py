"""Local times without a zone -> instants.

Instants and local times travel as microseconds since 1970 in numpy ``int64`` arrays; a local time is
counted as if it were UTC. The autumn hour that occurs twice is resolved by the order in which the source
wrote its records, and by what a record's channel id says about the earliest moment it can be from. The
spring hour that does not occur is shifted forward.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Micros = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

EARLIEST = 946_684_800 * SECOND  # 2000-01-01: anything before is a damaged time
LATEST = 4_102_444_800 * SECOND  # 2100-01-01

# Records of one log can be out of order by about a ringing time; only a larger step back means that
# the clock was set back.
_DISORDER = 60 * SECOND
# The channel's id carries whole seconds.
_CHANNEL_SLACK = 2 * SECOND
_EPOCH = datetime(1970, 1, 1)

_LOCAL = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?")
_DOTTED = re.compile(r"(\d\d)\.(\d\d)\.(\d{4}) (\d\d:\d\d(?::\d\d)?)")
_SECONDS = re.compile(r"(\d{9,10})(?:\.(\d+))?")
_CHANNEL_ID = re.compile(r"(?:.*-)?(\d{9,10})\.\d+")


def micros(at: datetime) -> int:
    """Microseconds since 1970 of an instant, or of a local time counted as UTC."""
    plain = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    return (plain - _EPOCH) // timedelta(microseconds=1)


def instants_array(values: Micros, missing: Mask | None = None) -> pa.Array:
    """``values`` as Arrow timestamps in UTC; null where ``missing``."""
    return pa.array(values, pa.int64(), mask=missing).cast(pa.timestamp("us", tz="UTC"))


def channel_created(channel_id: str | None) -> int | None:
    """Microseconds of the epoch in ``[systemname-]epoch.n``; None when the id has another form."""
    match = _CHANNEL_ID.fullmatch(channel_id or "")
    return int(match[1]) * SECOND if match else None


def epoch_seconds(text: str) -> int | None:
    """Microseconds of a time written as seconds since 1970; None when it is not or is absurd."""
    match = _SECONDS.fullmatch(text)
    if not match:
        return None
    at = int(match[1]) * SECOND + int((match[2] or "0")[:6].ljust(6, "0"))
    return at if EARLIEST <= at < LATEST else None


def _local(text: str) -> int | None:
    if match := _LOCAL.fullmatch(text.strip()):
        day, clock, fraction = match[1], match[2], (match[3] or "0")[:6].ljust(6, "0")
    elif match := _DOTTED.fullmatch(text.strip()):
        day, clock, fraction = f"{match[3]}-{match[2]}-{match[1]}", match[4], "0"
    else:
        return None
    try:
        at = micros(datetime.fromisoformat(f"{day}T{clock}")) + int(fraction)
    except ValueError:
        return None
    return at if EARLIEST <= at < LATEST else None


def read_local(texts: pa.Array) -> tuple[Micros, Mask]:
    """Local times and which of them could be read.

    Understood are ``2026-10-25 03:10:00`` with or without fraction and seconds, with a blank or a T, and
    ``25.10.2026 03:10:00``. What cannot be read is 0.
    """
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    try:
        if pc.any(pc.less(pc.utf8_length(texts), 16)).as_py():
            raise pa.ArrowInvalid("Arrow would read a bare date, too")
        found = pc.cast(texts, pa.timestamp("us"))
    except pa.ArrowInvalid:
        found = pa.array([None if t is None else _local(t) for t in texts.to_pylist()], pa.int64())
    values = found.cast(pa.int64())
    times = values.fill_null(0).to_numpy(zero_copy_only=False)
    readable = values.is_valid().to_numpy(zero_copy_only=False) & (times >= EARLIEST) & (times < LATEST)
    return np.where(readable, times, 0), readable


def neighbours(times: Micros, readable: Mask, before: int) -> Micros:
    """``times``, the unreadable ones replaced by the last readable one before, or by ``before``."""
    last = np.maximum.accumulate(np.where(readable, np.arange(len(times)), -1))
    return np.where(last >= 0, times[last], before)


class Clock:
    """The local clock of one log, read in the order in which the log was written.

    ``zone`` None means that the log is in UTC already.
    """

    def __init__(self, zone: ZoneInfo | None) -> None:
        self._zone = zone
        self._offsets: dict[int, int | None] = {}
        self._high: int | None = None

    def candidates(self, local: int) -> tuple[int, ...]:
        """The instants ``local`` can mean, earlier first: two in the doubled hour, else one."""
        first, second = (local - self._offset(local, fold) for fold in (0, 1))
        return (first, second) if first < second else (first,)

    def near_change(self, local: Micros) -> Mask:
        """Where the clock is set forward or back within an hour or so."""
        hours, places = np.unique(local // HOUR, return_inverse=True)
        return np.array([self._steady(int(h)) is None for h in hours], dtype=bool)[places]

    def steady(self, local: Micros) -> Micros:
        """Instants of ``local``; right except where ``near_change``."""
        hours, places = np.unique(local // HOUR, return_inverse=True)
        offsets = np.array([self._steady(int(h)) or 0 for h in hours], dtype=np.int64)
        return local - offsets[places]

    def instants(self, local: Micros, created: Sequence[int | None] | None = None) -> Micros:
        """Instants of ``local``, the next records of the log.

        ``created``: per record the earliest moment it can be from, in microseconds, where known.
        """
        found = self.steady(local)
        for i in np.flatnonzero(self.near_change(local)).tolist():
            found[i] = self.next(int(local[i]), created[i] if created is not None else None)
        return found

    def next(self, local: int, created: int | None = None) -> int:
        """The instant of the log's next record near a change of the clock."""
        possible = [c for c in self.candidates(local) if created is None or c >= created - _CHANNEL_SLACK]
        at = self.in_order(possible or self.candidates(local))
        self.note(at)
        return at

    def in_order(self, possible: Sequence[int]) -> int:
        """The first of ``possible`` that does not lie before what the log wrote already."""
        for at in possible:
            if self._high is None or at >= self._high - _DISORDER or self._high > possible[-1] + 3 * HOUR:
                return at
        return possible[-1]

    def note(self, at: int) -> None:
        """Remember that the log has come to ``at``."""
        if self._high is None or not at < self._high < at + 3 * HOUR:
            self._high = at

    def _steady(self, hour: int) -> int | None:
        """Offset in microseconds, the same from an hour before to an hour after; None near a change."""
        if hour not in self._offsets:
            moments = (hour * HOUR - HOUR, hour * HOUR, hour * HOUR + HOUR, hour * HOUR + 2 * HOUR - 1)
            offsets = {self._offset(m, fold) for m in moments for fold in (0, 1)}
            self._offsets[hour] = offsets.pop() if len(offsets) == 1 else None
        return self._offsets[hour]

    def _offset(self, local: int, fold: int) -> int:
        if self._zone is None:
            return 0
        at = (_EPOCH + timedelta(microseconds=local)).replace(tzinfo=self._zone, fold=fold)
        return (at.utcoffset() or timedelta()) // timedelta(microseconds=1)
