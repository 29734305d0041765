"""Asterisk's call detail records: Master.csv, 16 to 21 columns without heading, rotated like queue_log."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from service_quality import config, contract
from service_quality.sources.base import History, SourceError
from service_quality.sources.clock import (
    SECOND,
    Clock,
    Mask,
    Micros,
    channel_created,
    instants_array,
    neighbours,
    read_local,
)
from service_quality.sources.problems import Problems, shown
from service_quality.sources.spool import Block, Layout, Span, Spool, SpoolFile, spans
from service_quality.window import Window

TABLE = contract.BY_NAME["cdr"]

_CORE = len(config.CDR_CORE)
_MOST = _CORE + len(config.CDR_OPTIONAL)
_START, _END = config.CDR_CORE.index("start"), config.CDR_CORE.index("end")
_RENAMED = {"start": "start_text", "answer": "answer_text", "end": "end_text"}
_KEYS = ("dcontext", "disposition", "uniqueid", "linkedid")
_TEXT = pa.string()
_FILE_ORDER = 2**31
_OTHER_LAYOUT_SHARE = 0.9
_SAME_CALL = 300 * SECOND
_ROUNDING = 5 * SECOND


class CdrFiles:
    """The call detail records of one PBX."""

    def __init__(self, server_id: str, zone: ZoneInfo, settings: config.Cdr, history: History) -> None:
        self._server_id, self._history, self._settings = server_id, history, settings
        self._zone = None if settings.time_is_utc else zone
        self._key = f"telephony.servers.{server_id}.cdr"
        self._names = (*config.CDR_CORE, *settings.columns)
        self._spool = Spool(settings, self._key)

    def read(self, window: Window) -> Iterator[pa.RecordBatch]:
        """The records of calls that ended within ``window``, in the order they were written."""
        times = _Times(self._zone)
        files = self._spool.files(self._server_id, Layout("cdr", self._first_at))
        for file, span in spans(files, window, self._history):
            yield from self._read_file(file, span, times)

    def _first_at(self, name: str, lines: Sequence[str]) -> int | None:
        """When the file's first record that can be dated was written."""
        for line in lines:
            fields = _fields(line)
            if len(fields) < _CORE:
                continue
            local, readable = read_local(pa.array([fields[_END], fields[_START]], _TEXT))
            if readable.any():
                created = [channel_created(f) for f in fields[_CORE:]]
                known = next((c for c in created if c is not None), None)
                return Clock(self._zone).next(int(local[np.argmax(readable)]), known)
        return None

    def _read_file(self, file: SpoolFile, span: Span, times: _Times) -> Iterator[pa.RecordBatch]:
        last = file.first_at
        for block in file.blocks():
            if block.unfinished:
                continue
            rows = _parse(block, self._names)
            if not len(rows.line):
                continue
            read = times.read(rows)
            filled = neighbours(read.written, read.dated, last)
            last = int(filled[-1])
            wanted = np.flatnonzero(span.mask(filled, rows.line))
            if len(wanted):
                self._check_layout(file, rows, wanted)
                yield self._batch(file, rows, read, filled, wanted)

    def _check_layout(self, file: SpoolFile, rows: _Rows, wanted: Micros) -> None:
        """Refuse what is soundly written in another layout than configured: all of it would be misread."""
        found = rows.found[wanted]
        other = (found != len(self._names)) & (found >= _CORE) & (found <= _MOST)
        if other.mean() < _OTHER_LAYOUT_SHARE:
            return
        first = wanted[int(np.argmax(other))]
        count = int(rows.found[first])
        raise SourceError(
            f"{self._key}.columns: {file.name} line {rows.line[first]} has {count} columns, but {len(self._names)}"
            f" are configured ({_CORE} and {', '.join(self._settings.columns)}); {_LAYOUTS[count]}"
        )

    def _batch(self, file: SpoolFile, rows: _Rows, read: _Read, filled: Micros, wanted: Micros) -> pa.RecordBatch:
        take, line_no = pa.array(wanted), rows.line[wanted]
        columns = {_RENAMED.get(n, n): values.take(take) for n, values in rows.columns.items()}
        columns |= {n: pa.nulls(len(wanted), _TEXT) for n in config.CDR_OPTIONAL if n not in columns}
        problems = self._problems(rows, read, wanted, columns)
        columns |= {
            "server_id": pa.repeat(self._server_id, len(wanted)),
            "file_id": pa.repeat(file.file_id, len(wanted)),
            "line_no": pa.array(line_no),
            "log_seq": pa.array(file.first_at // SECOND * _FILE_ORDER + line_no),
            # A row that cannot be dated keeps the place that its neighbour gives it.
            "start_at": instants_array(
                np.where(read.known["start"], read.at["start"], filled)[wanted],
                ~(read.known["start"] | ~read.dated)[wanted],
            ),
            "answer_at": instants_array(read.at["answer"][wanted], ~read.known["answer"][wanted]),
            "end_at": instants_array(read.at["end"][wanted], ~read.known["end"][wanted]),
            "_source_ref": pc.binary_join_element_wise(pa.scalar(file.name), pa.array(line_no).cast(_TEXT), ":"),
            "_problems": problems.array(),
        }
        schema = TABLE.arrow_schema()
        return pa.RecordBatch.from_arrays([columns[n] for n in schema.names], schema=schema)

    def _problems(self, rows: _Rows, read: _Read, wanted: Micros, columns: dict[str, pa.Array]) -> Problems:
        problems = Problems(len(wanted))
        for i in np.flatnonzero(rows.found[wanted] != len(self._names)):
            problems.add(int(i), f"line: {rows.found[wanted[i]]} columns instead of {len(self._names)}")
        problems.add_where(rows.damaged[wanted], "line: had NUL characters")
        whole = rows.found[wanted] >= _CORE
        for name, known in read.known.items():
            texts = columns[_RENAMED[name]]
            blank = pc.equal(texts, "").fill_null(True).to_numpy(zero_copy_only=False)
            for i in np.flatnonzero(~known[wanted] & ~blank):
                problems.add(int(i), f"{name}_at: no time {shown(texts[int(i)].as_py())}")
            if name == "start":
                problems.add_where(blank & whole, "start_at: empty")
        for name in _KEYS:
            problems.add_undecodable(name, columns[name])
        return problems


_LAYOUTS = {
    16: "16 is a layout without uniqueid: set loguniqueid=yes in cdr.conf",
    17: "17 is usually [uniqueid]",
    18: "18 is usually [uniqueid, userfield]",
    19: "19 is usually [peeraccount, linkedid, sequence]: set loguniqueid=yes in cdr.conf",
    20: "20 is usually [uniqueid, peeraccount, linkedid, sequence]",
    21: "21 is [uniqueid, userfield, peeraccount, linkedid, sequence]",
}


@dataclass(frozen=True)
class _Rows:
    """The records of a block: texts by column, lines, columns found, and whether NULs were removed."""

    columns: dict[str, pa.Array]
    line: Micros
    found: Micros
    damaged: Mask


def _fields(line: str) -> list[str]:
    return next(csv.reader([line]), [])


def _parse(block: Block, names: Sequence[str]) -> _Rows:
    """The records of ``block``: at once when every line is sound, else line by line."""
    count = block.data.count(b"\n")
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block.data),
            read_options=arrow_csv.ReadOptions(
                column_names=list(names), use_threads=False, block_size=len(block.data) + 1
            ),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, _TEXT), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return _parse_lines(block, names)
    if table.num_rows != count or block.damaged:
        return _parse_lines(block, names)
    columns = {n: table.column(n).combine_chunks() for n in names}
    lines = np.arange(block.first_line, block.first_line + count, dtype=np.int64)
    return _Rows(columns, lines, np.full(count, len(names), np.int64), np.zeros(count, bool))


def _parse_lines(block: Block, names: Sequence[str]) -> _Rows:
    """The slow way. A line too short to be a record stands whole in ``clid``, which never leaves landing."""
    table: list[list[str | None]] = []
    lines, found, damaged = [], [], []
    for i, text in enumerate(block.lines):
        if not text.strip():
            continue
        fields: list[str | None] = list(_fields(text))
        found.append(len(fields))
        lines.append(block.first_line + i)
        damaged.append(i in block.damaged)
        if len(fields) < _CORE:
            fields = [None] * len(names)
            fields[config.CDR_CORE.index("clid")] = text
        elif len(fields) != len(names):
            fields = [*fields[:_CORE], *[None] * (len(names) - _CORE)]
        table.append(fields)
    columns = {n: pa.array([row[i] for row in table], _TEXT) for i, n in enumerate(names)}
    return _Rows(columns, np.array(lines, np.int64), np.array(found, np.int64), np.array(damaged, bool))


@dataclass(frozen=True)
class _Read:
    """Instants of records by "start", "answer", "end", which are known; when each record was written."""

    at: dict[str, Micros]
    known: dict[str, Mask]
    written: Micros
    dated: Mask


class _Times:
    """Reads the times of the records of one PBX in the order in which it wrote them."""

    def __init__(self, zone: ZoneInfo | None) -> None:
        self._clock = Clock(zone)

    def read(self, rows: _Rows) -> _Read:
        """Instants of ``rows``, the next records."""
        local, known, near = {}, {}, np.zeros(len(rows.line), bool)
        for name in ("start", "answer", "end"):
            local[name], known[name] = read_local(rows.columns[name])
            near |= known[name] & self._clock.near_change(local[name])
        at = {name: self._clock.steady(times) for name, times in local.items()}
        for i in np.flatnonzero(near):
            self._near_change(int(i), rows, local, known, at)
        lasted = _seconds(rows.columns["duration"])
        closed = known["start"] & (lasted >= 0)
        written = np.where(known["end"], at["end"], at["start"] + np.where(closed, lasted, 0) * SECOND)
        return _Read(at, known, written, known["end"] | known["start"])

    def _near_change(
        self, i: int, rows: _Rows, local: dict[str, Micros], known: dict[str, Mask], at: dict[str, Micros]
    ) -> None:
        """Replace the instants of record ``i``."""

        def candidates(name: str) -> tuple[int, ...]:
            return self._clock.candidates(int(local[name][i])) if known[name][i] else (0,)

        created = channel_created(rows.columns["uniqueid"][i].as_py()) if "uniqueid" in rows.columns else None
        spans = list(product(candidates("start"), candidates("end")))
        if known["start"][i] and known["end"][i]:
            spans = _as_long(spans, int(_seconds(rows.columns["duration"].slice(i, 1))[0]))
        written = "end" if known["end"][i] else "start"
        if known["start"][i] and created is not None:
            spans = [s for s in spans if s[0] >= created - 2 * SECOND] or spans
            spans = spans[:1] if spans[0][0] - created <= _SAME_CALL else spans
        place = ("start", "end").index(written)
        moment = self._clock.in_order([s[place] for s in spans])
        self._clock.note(moment)
        chosen = next(s for s in spans if s[place] == moment)
        at["start"][i], at["end"][i] = chosen
        answers = candidates("answer")
        within = [a for a in answers if chosen[0] <= a <= chosen[1]]
        at["answer"][i] = (within or list(answers))[0]


def _as_long(spans: list[tuple[int, int]], seconds: int) -> list[tuple[int, int]]:
    """Of possible (start, end) those that last ``seconds``; without a duration those that last least."""
    forward = [s for s in spans if s[1] >= s[0] - _ROUNDING] or spans
    aim = seconds * SECOND if seconds >= 0 else 0
    best = min(abs(end - start - aim) for start, end in forward)
    return [s for s in forward if abs(s[1] - s[0] - aim) <= best + _ROUNDING]


def _seconds(texts: pa.Array) -> Micros:
    """Whole seconds of a duration column; -1 where it is no number."""
    sound = pc.match_substring_regex(texts, r"^[0-9]{1,9}$").fill_null(False)
    numbers = pc.if_else(sound, texts, "-1").cast(pa.int64())
    return numbers.to_numpy(zero_copy_only=False)
