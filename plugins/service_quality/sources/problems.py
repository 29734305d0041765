"""What could not be read in the rows of a batch."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from service_quality.sources.clock import Mask

_SHOWN = 40
REPLACEMENT = "\ufffd"


def shown(value: str) -> str:
    """``value`` for a message, quoted and shortened."""
    return f"'{value[:_SHOWN]}...'" if len(value) > _SHOWN else f"'{value}'"


def may_contain(texts: pa.Array, part: bytes) -> bool:
    """Whether ``part`` occurs in the bytes behind ``texts``: False is certain, True may be about neighbours of a slice.

    One search in all bytes costs a hundredth of a kernel that looks at text by text.
    """
    data = texts.buffers()[2]
    # The first byte alone is looked for first: bytes of Python would be a copy.
    return data is not None and bool((np.frombuffer(data, np.uint8) == part[0]).any()) and part in data.to_pybytes()


class Problems:
    """Entries of ``_problems`` for a batch of ``rows``."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._entries: defaultdict[int, list[str]] = defaultdict(list)

    def add(self, row: int, entry: str) -> None:
        """Note ``entry``, "column: what is wrong", for one row."""
        self._entries[row].append(entry)

    def add_where(self, rows: Mask, entry: str) -> None:
        """Note ``entry`` for the rows of a mask."""
        for row in np.flatnonzero(rows):
            self.add(int(row), entry)

    def add_undecodable(self, name: str, values: pa.Array) -> None:
        """Note the rows where ``values`` hold bytes that are no text in the configured encoding."""
        if not may_contain(values, REPLACEMENT.encode()):
            return
        found = pc.match_substring(values, REPLACEMENT).fill_null(False)
        if pc.any(found).as_py():
            self.add_where(found.to_numpy(zero_copy_only=False), f"{name}: bytes that are no text")

    def array(self) -> pa.Array:
        """The entries, '; ' between them; null for sound rows."""
        if not self._entries:
            return pa.nulls(self._rows, pa.string())
        told = ["; ".join(self._entries[i]) if i in self._entries else None for i in range(self._rows)]
        return pa.array(told, pa.string())
