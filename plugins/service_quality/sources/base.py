"""What every source gives: Arrow record batches for a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

import pyarrow as pa

from service_quality.contract import Table
from service_quality.window import Window


class SourceError(RuntimeError):
    """A source cannot be read; the message says which, where and what to do. Worth a retry."""


class Extracted(NamedTuple):
    """A batch with exactly ``table.arrow_schema()``."""

    table: Table
    batch: pa.RecordBatch


@dataclass(frozen=True)
class History:
    """What was loaded before, so that a file which arrives late is not missed.

    ``since``: begin of the earliest promoted window (None: nothing was loaded yet); ``files``: the
    ``file_id`` of every file of which rows were promoted. Lines of a file that is not among them are read
    from ``since`` on, lines of a known file from the window's start on; never beyond the window's end.

    ``lines`` (optional): for the load whose window ends where this one starts, ``file_id`` -> the highest
    ``line_no`` it landed. A PBX writes its log in blocks, so a line may become visible only after its
    window was loaded: lines of the day before the window with a higher number are then read as well.
    """

    since: datetime | None = None
    files: frozenset[str] = field(default_factory=frozenset)
    lines: Mapping[str, int] = field(default_factory=dict)

    def start_for(self, file_id: str, window: Window) -> datetime:
        """The first instant to read of this file."""
        if self.since is None or file_id in self.files:
            return window.start
        return min(self.since, window.start)


class SourceReader(Protocol):
    """A configured source."""

    def read(self, window: Window) -> Iterator[Extracted]:
        """Batches of the window, memory bounded. Raises SourceError."""
        ...


@runtime_checkable
class SharedReader(SourceReader, Protocol):
    """A source of which several processes can read parts at the same time."""

    def shares(self, window: Window) -> list[Callable[[], Iterator[Extracted]]]:
        """What gives the batches of each part; together they are those of ``read``."""
        ...
