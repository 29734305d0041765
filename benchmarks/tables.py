"""The rows that loading is measured with: a PBX's queue log and the IVR's ratings, as files the sources read.

A contact is some lines of queue_log (entered, rung in vain, connected, completed or abandoned) and, for a third of the
answered, two ratings. Made by numpy from a seed, a day at a time, so that memory does not grow with the rows; the same
seed gives the same bytes. What is compared with us gets the same rows: `landed_csv` writes what our sources make of the
files, with the columns landing adds.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from service_quality import config
from service_quality.contract import BY_NAME, SOURCE_COLUMNS, Table
from service_quality.sources.base import Extracted, History
from service_quality.sources.ivr import IvrSource
from service_quality.sources.telephony import TelephonySource
from service_quality.window import Window

QUEUE_LOG, RATINGS = BY_NAME["queue_log"], BY_NAME["ivr_ratings"]
FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
SERVER = "pbx"
LINES_PER_CONTACT = 4  # about; `rows` counts what is really there
_CONTACTS_PER_FILE = 50_000  # a rotated file; a huge provider's day
_QUEUES = np.array([f"queue_{n}" for n in range(12)])
_AGENTS = np.array([f"Operator {n:03}" for n in range(300)])
_REASONS = np.array(["Break", "Lunch", "Training"])


@dataclass(frozen=True)
class Spool:
    """Made files: the folder of queue_log, that of the ratings (None: none were made), and the window they fill."""

    queue_log: Path
    ratings: Path | None
    window: Window
    lines: int


def make(folder: Path, lines: int, *, seed: int = 1, ratings: bool = False) -> Spool:
    """Write files with exactly ``lines`` lines of queue_log (a day each) into ``folder``, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    spool, rated = folder / "spool", folder / "ivr"
    spool.mkdir(parents=True)
    rated.mkdir()
    day, left = 0, lines
    while left > 0:
        contacts = min(_CONTACTS_PER_FILE, max(left // 3, 1))
        rng = np.random.default_rng([seed, day])
        text, table = _day(rng, FIRST_DAY + timedelta(days=day), contacts)
        text = text[:left]
        left -= len(text)
        _write_lines(spool / f"queue_log.{day:04}", text)
        if ratings:
            _write_ratings(rated / f"ratings_{day:04}.csv", table)
        day += 1
    window = Window(FIRST_DAY, FIRST_DAY + timedelta(days=day))
    return Spool(spool, rated if ratings else None, window, lines)


def existing(folder: Path, lines: int) -> Spool:
    """What ``make`` wrote into ``folder``."""
    days = len(list((folder / "spool").iterdir()))
    return Spool(folder / "spool", None, Window(FIRST_DAY, FIRST_DAY + timedelta(days=days)), lines)


def all_time() -> Window:
    """A window that holds whatever is generated."""
    return Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def telephony(spool: Spool, processes: int = 1) -> TelephonySource:
    """The product's own reader of ``spool``; nothing was loaded before."""
    server = {"server_id": SERVER, "time_zone": "Europe/Moscow", "queue_log": {"spool": str(spool.queue_log)}}
    settings = config.Telephony.model_validate({"servers": [server], "processes": processes})
    return TelephonySource(settings, _no_connections, {"queue_log": History()})


def ivr(spool: Spool) -> IvrSource:
    """The product's own reader of the ratings."""
    drop = {"spool": str(spool.ratings), "time_zone": "UTC", "server_id": SERVER}
    return IvrSource(config.Ivr.model_validate({"drops": [drop]}), History())


def events(spool: Spool) -> Iterator[Extracted]:
    """The queue events of ``spool`` as our source yields them."""
    return telephony(spool).read(spool.window)


def landed_csv(path: Path, extracted: Iterator[Extracted], load_id: int) -> int:
    """Write ``extracted`` as CSV with the columns of `landing_names`, without header (null: empty); rows written."""
    rows, writer = 0, None
    # Unquoted, as psql itself writes it: quotes cost Postgres time. None of our texts is empty or needs them.
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    with path.open("wb") as sink:
        for _, batch in extracted:
            numbered = with_load(batch, load_id, rows)
            # Timestamps as psql reads them; everything else is written as it is.
            columns = [pc.strftime(c, "%Y-%m-%d %H:%M:%S+00") if pa.types.is_timestamp(c.type) else c
                       for c in numbered.columns]  # fmt: skip
            plain = pa.RecordBatch.from_arrays(columns, names=numbered.schema.names)
            if writer is None:
                writer = pyarrow.csv.CSVWriter(sink, plain.schema, write_options=options)
            writer.write_batch(plain)
            rows += batch.num_rows
        if writer is not None:
            writer.close()
    return rows


def with_load(batch: pa.RecordBatch, load_id: int, before: int = 0) -> pa.RecordBatch:
    """``batch`` with ``_load_id`` and ``_row_no``, as landing numbers it after ``before`` rows."""
    ids = pa.repeat(pa.scalar(load_id, pa.int64()), batch.num_rows)
    numbers = pa.array(np.arange(before + 1, before + batch.num_rows + 1, dtype=np.int64))
    names = [*batch.schema.names, "_load_id", "_row_no"]
    return pa.RecordBatch.from_arrays([*batch.columns, ids, numbers], names=names)


def landing_names(table: Table) -> list[str]:
    """Names of the columns of ``landing.<table>`` in order."""
    return [*(c.name for c in (*table.columns, *SOURCE_COLUMNS)), "_load_id", "_row_no"]


def _no_connections(name: str) -> str:
    raise LookupError(name)


def _day(rng: np.random.Generator, day: datetime, contacts: int) -> tuple[pa.Array, dict[str, Any]]:
    """Lines of one day in the order of their time, and what the ratings need."""
    start = int(day.timestamp())
    entered = start + np.sort(rng.integers(7 * 3600, 20 * 3600, contacts))
    number = np.arange(contacts)
    call = _joined(entered.astype(str), ".", number.astype(str))
    queue, agent = pa.array(_QUEUES[rng.integers(0, len(_QUEUES), contacts)]), rng.integers(0, len(_AGENTS), contacts)
    agent = pa.array(_AGENTS[agent])
    caller = _joined("7916", pa.array(rng.integers(1_000_000, 9_999_999, contacts)).cast(pa.string()))
    wait = rng.exponential(35, contacts).astype(np.int64) + 1
    talk = rng.exponential(180, contacts).astype(np.int64) + 5
    answered, rung = rng.random(contacts) < 0.88, rng.random(contacts) < 0.35
    by_caller = rng.random(contacts) < 0.6

    def lines(where: np.ndarray, at: np.ndarray, who: pa.Array | str, event: Any, *params: Any) -> tuple[Any, pa.Array]:
        chosen = pa.array(np.flatnonzero(where))
        parts = [p.take(chosen) if isinstance(p, pa.Array) else p for p in (call, queue, who, event, *params)]
        return at[where], _joined(pa.array(at[where]).cast(pa.string()), *parts, sep="|")

    s_wait, s_talk = pa.array(wait).cast(pa.string()), pa.array(talk).cast(pa.string())
    verb = pc.if_else(pa.array(by_caller), "COMPLETECALLER", "COMPLETEAGENT")
    everyone = np.ones(contacts, bool)
    pieces = [
        lines(everyone, entered, "NONE", "ENTERQUEUE", "", caller, "1"),
        lines(everyone & rung, entered + wait // 2, agent, "RINGNOANSWER", "15000"),
        lines(answered, entered + wait, agent, "CONNECT", s_wait, call, "4"),
        lines(answered, entered + wait + talk, agent, verb, s_wait, s_talk, "1"),
        lines(~answered, entered + wait, "NONE", "ABANDON", "1", "1", s_wait),
        lines(rng.random(contacts) < 0.2, entered + wait + talk + 2, agent, "PAUSE", pa.array(
            _REASONS[rng.integers(0, len(_REASONS), contacts)])),
    ]  # fmt: skip
    order = np.argsort(np.concatenate([at for at, _ in pieces]), kind="stable")
    text = pa.concat_arrays([t for _, t in pieces]).take(pa.array(order))
    rated = np.flatnonzero(answered & (rng.random(contacts) < 0.33))
    ended = entered + wait + talk
    day_of = {"call": call, "caller": caller, "queue": queue, "agent": agent, "at": ended}
    return text, {"rng": rng, "rows": rated, **day_of}


def _write_lines(path: Path, lines: pa.Array) -> None:
    path.write_bytes(b"".join((_joined(lines, "\n").buffers()[2] or b"",)))


def _write_ratings(path: Path, day: dict[str, Any]) -> None:
    """Two answers per rated call, in the layout the IVR source reads by default."""
    rows = pa.array(np.repeat(day["rows"], 2))
    count = len(rows)
    at = pa.array(day["at"]).take(rows).cast(pa.timestamp("s"))
    question = np.tile(["1", "3"], count // 2)
    digit = np.where(day["rng"].random(count) < 0.9, day["rng"].integers(3, 6, count).astype(str), "")
    columns: dict[str, Any] = {
        "local_time": pc.strftime(at, "%Y-%m-%d %H:%M:%S"),
        "uniqueid": day["call"].take(rows), "caller": day["caller"].take(rows), "queue": day["queue"].take(rows),
        "agent": day["agent"].take(rows), "question": pa.array(question), "digit": pa.array(digit),
        "readstatus": pa.array(np.where(digit == "", "TIMEOUT", "OK")),
    }  # fmt: skip
    pyarrow.csv.write_csv(pa.table(columns), path, pyarrow.csv.WriteOptions(quoting_style="needed"))


def _joined(*parts: Any, sep: str = "") -> pa.Array:
    scalars: Sequence[Any] = [pa.array(p) if isinstance(p, np.ndarray) else pa.scalar(p) if isinstance(p, str) else p
                              for p in parts]  # fmt: skip
    return pc.binary_join_element_wise(*scalars, sep)
