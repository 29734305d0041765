"""IVR ratings: CSV files with the digits that callers pressed when asked about an operator."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from service_quality import config, contract
from service_quality.sources.base import Extracted, History, SourceError
from service_quality.sources.clock import (
    Clock,
    Mask,
    Micros,
    channel_created,
    epoch_seconds,
    instants_array,
    neighbours,
    read_local,
)
from service_quality.sources.problems import Problems, shown
from service_quality.sources.spool import Block, Layout, Span, Spool, SpoolFile
from service_quality.window import Window

TABLE = contract.BY_NAME["ivr_ratings"]

_REQUIRED = ("time", "question", "digit")
_PLAIN = ("callid", "caller", "queue", "agent", "question", "digit", "read_status")
_TEXT = pa.string()


class IvrSource:
    """The rating files of all drops. ``history``: what was loaded before."""

    def __init__(self, settings: config.Ivr, history: History) -> None:
        self._drops = [_Drop(drop, i, history) for i, drop in enumerate(settings.drops)]

    def read(self, window: Window) -> Iterator[Extracted]:
        """The answers, invalid digits and time-outs of ``window``. Raises SourceError."""
        for drop in self._drops:
            for batch in drop.read(window):
                yield Extracted(TABLE, batch)


class _Row(NamedTuple):
    """One line: ``values`` by our names, None where the line or the layout has none."""

    line: int
    values: dict[str, str | None]
    problem: str | None


class _Drop:
    """The rating files of one PBX."""

    def __init__(self, drop: config.IvrDrop, place: int, history: History) -> None:
        self._drop, self._history = drop, history
        self._key = f"ivr.drops.{place}"
        self._zone = ZoneInfo(drop.time_zone)
        self._spool = Spool(drop, self._key)

    def read(self, window: Window) -> Iterator[pa.RecordBatch]:
        """The rows of ``window``, file by file."""
        layout = Layout("ivr ratings", self._first_at, header=True, keeps_name=True)
        for file in self._spool.files(self._drop.server_id, layout):
            span = Span.of(file.file_id, window, self._history)
            if span.touches(file.first_at, None):
                yield from self._read_file(file, span)

    def _first_at(self, name: str, lines: Sequence[str]) -> int | None:
        places = self._places(name, self._fields(lines[0]))
        if places is None:
            return None
        moments = [row[places["time"]] for row in map(self._fields, lines[1:]) if len(row) > places["time"]]
        times, readable = _instants(moments, [None] * len(moments), Clock(self._zone))
        return int(times[np.argmax(readable)]) if readable.any() else 0

    def _places(self, name: str, heading: Sequence[str]) -> dict[str, int] | None:
        """Our name -> place in the line; None when the file is something else altogether.

        Raises SourceError naming the configuration key when some but not all needed headings are there.
        """
        at = {h.strip().lower(): i for i, h in enumerate(heading)}
        found = {ours: at.get(theirs.strip().lower()) for ours, theirs in self._drop.columns.items()}
        missing = [n for n in _REQUIRED if found[n] is None]
        if len(missing) == len(_REQUIRED):
            return None
        if missing:
            wanted = ", ".join(f"{n}: {self._drop.columns[n]}" for n in missing)
            raise SourceError(
                f"{self._key}.columns: {name} has no column for {wanted}; its headings are {', '.join(heading)}"
            )
        return {ours: i for ours, i in found.items() if i is not None}

    def _fields(self, line: str) -> list[str]:
        return next(csv.reader([line], delimiter=self._drop.delimiter), [])

    def _read_file(self, file: SpoolFile, span: Span) -> Iterator[pa.RecordBatch]:
        clock, last = Clock(self._zone), file.first_at
        heading: list[str] = []
        for block in file.blocks():
            if not heading:
                heading = next((self._fields(text) for text in block.lines if text.strip()), [])
            block_rows = list(self._rows(block, heading, file.name))
            if not block_rows:
                continue
            moments = [row.values["time"] or "" for row in block_rows]
            created = [channel_created(row.values.get("callid")) for row in block_rows]
            times, readable = _instants(moments, created, clock)
            filled = neighbours(times, readable, last)
            last = int(filled[-1])
            line_no = np.array([row.line for row in block_rows], np.int64)
            wanted = np.flatnonzero(span.mask(filled, line_no))
            if len(wanted):
                yield self._batch(file, [block_rows[i] for i in wanted], filled[wanted], readable[wanted])

    def _rows(self, block: Block, heading: list[str], name: str) -> Iterator[_Row]:
        places = self._places(name, heading) or {}
        for i, text in enumerate(block.lines):
            fields = self._fields(text) if text.strip() else []
            if not fields or fields == heading:
                continue  # an IVR that starts again may write its heading again
            if block.unfinished and len(fields) < len(heading):
                continue  # with all its columns it is complete: exports often end without a newline
            problem = None
            if len(fields) != len(heading):
                problem = f"line: {len(fields)} columns instead of {len(heading)}"
            elif i in block.damaged:
                problem = "line: had NUL characters"
            values = {n: fields[at] if at < len(fields) else None for n, at in places.items()}
            yield _Row(block.first_line + i, values, problem)

    def _batch(self, file: SpoolFile, rows: list[_Row], at: Micros, readable: Mask) -> pa.RecordBatch:
        columns = {n: pa.array([row.values.get(n) for row in rows], _TEXT) for n in _PLAIN}
        criteria = [self._drop.questions.get((row.values["question"] or "").strip()) for row in rows]
        problems = Problems(len(rows))
        for i, row in enumerate(rows):
            if row.problem:
                problems.add(i, row.problem)
            if not readable[i]:
                problems.add(i, f"rated_at: no time {shown(row.values['time'] or '')}")
            if criteria[i] is None:
                question = shown(row.values["question"] or "")
                problems.add(i, f"question: {question} is not in {self._key}.questions")
        for name in ("callid", "queue", "agent", "digit"):
            problems.add_undecodable(name, columns[name])
        columns |= {
            "server_id": pa.repeat(self._drop.server_id, len(rows)),
            "file_id": pa.repeat(file.file_id, len(rows)),
            "line_no": pa.array([row.line for row in rows], pa.int64()),
            "time_text": pa.array([row.values["time"] for row in rows], _TEXT),
            "rated_at": instants_array(at),
            "criterion": pa.array(criteria, _TEXT),
            "_source_ref": pa.array([f"{file.name}:{row.line}" for row in rows], _TEXT),
            "_problems": problems.array(),
        }
        schema = TABLE.arrow_schema()
        return pa.RecordBatch.from_arrays([columns[n] for n in schema.names], schema=schema)


def _instants(moments: Sequence[str], created: Sequence[int | None], clock: Clock) -> tuple[Micros, Mask]:
    """Instants of local times or seconds since 1970, and which could be read."""
    times, readable = read_local(pa.array(moments, _TEXT))
    places = np.flatnonzero(readable).tolist()
    times[places] = clock.instants(times[places], [created[i] for i in places])
    for i in np.flatnonzero(~readable).tolist():
        at = epoch_seconds(moments[i].strip())
        if at is not None:
            times[i], readable[i] = at, True
    return times, readable
