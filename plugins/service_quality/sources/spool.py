"""Spool folders: which files there are, which of them are the same, and their lines.

A file is known by its first record, not by its name: rotation renames it, growth leaves its first record
alone. Names say nothing about the order either (``queue_log.1`` is newer than ``.2`` on one PBX and older
on the next), so files are ordered by the time of their first record. Folders are local paths or fsspec
URLs; compressed files (gzip, bzip2, xz, zstd) are recognised by their first bytes.
"""

from __future__ import annotations

import bz2
import codecs
import contextlib
import glob
import gzip
import hashlib
import logging
import lzma
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from service_quality.config import FileDrop
from service_quality.sources.base import History, SourceError
from service_quality.sources.clock import DAY, Mask, Micros, micros
from service_quality.window import Window

BLOCK_BYTES = 1 << 20
_HEAD_BYTES = 64 << 10
_LONGEST_LINE = 64 << 20
_SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
_BOM = b"\xef\xbb\xbf"
_CUT = (EOFError, zlib.error, lzma.LZMAError, pa.ArrowException)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Layout:
    """What a kind of file looks like.

    ``first_at(name, lines)``: microseconds of the first record that can be dated among the first lines of
    a file, 0 when the file is of this kind but none can, None when it is not of this kind at all.
    ``header``: the first line is a heading. ``keeps_name``: the file is never renamed, so that its name
    belongs to its identity.
    """

    kind: str
    first_at: Callable[[str, Sequence[str]], int | None]
    header: bool = False
    keeps_name: bool = False


class Block(NamedTuple):
    """Some consecutive lines of a file, UTF-8, each ended by a newline, without NUL.

    ``first_line``: number of the first, from 1. ``unfinished``: this is the last line of the live file
    and its newline has not been written yet. ``damaged``: lines (from 0, within the block) that had NUL
    characters between others. ``ends``: where the newlines stand in ``data``.
    """

    first_line: int
    data: bytes
    ends: np.ndarray
    unfinished: bool = False
    damaged: frozenset[int] = frozenset()

    @property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return [line.rstrip("\r") for line in self.data.decode("utf-8").split("\n")[:-1]]

    def array(self) -> pa.Array:
        """The lines without their ends, as Arrow strings."""
        offsets = np.zeros(len(self.ends) + 1, np.int32)
        offsets[1:] = self.ends + 1
        raw = pa.StringArray.from_buffers(len(self.ends), pa.py_buffer(offsets), pa.py_buffer(self.data))
        return pc.ascii_rtrim(raw, "\r\n")


@dataclass(frozen=True)
class _Head:
    """The first lines of a file. ``open_end``: the last of them ends the file without a newline."""

    lines: tuple[bytes, ...]
    open_end: bool
    compressed: bool

    def record(self, layout: Layout) -> bytes | None:
        """What identifies the file: its first record, with the heading where there is one."""
        count = 2 if layout.header else 1
        return b"\n".join(self.lines[:count]) if len(self.lines) >= count else None

    def without_open_end(self) -> _Head:
        return _Head(self.lines[:-1], False, self.compressed) if self.open_end else self


@dataclass(frozen=True)
class SpoolFile:
    """One distinct file. ``first_at``: microseconds of its first record. ``live``: still being written."""

    name: str
    file_id: str
    first_at: int
    live: bool
    _spool: Spool = field(repr=False)
    _record: bytes = field(repr=False)
    _layout: Layout = field(repr=False)

    def blocks(self) -> Iterator[Block]:
        """All lines, a few megabytes at a time. Raises SourceError, worth a retry, when it changed."""
        with self._spool.guard(self.name), self._spool.open(self.name) as stream:
            yield from self._blocks(stream)

    def _blocks(self, stream: Any) -> Iterator[Block]:
        begin = _read_fully(stream, _HEAD_BYTES)
        self._check(begin)
        rest, line = begin.removeprefix(_BOM), 1
        while data := _read_fully(stream, BLOCK_BYTES):
            whole, newline, rest = (rest + data).rpartition(b"\n")
            if newline:
                block = self._block(line, whole + newline)
                yield block
                line += len(block.ends)
            elif len(rest) > _LONGEST_LINE:
                raise SourceError(f"{self._spool.key}: {self.name}: line {line} does not end; is it a log?")
        whole, newline, rest = rest.rpartition(b"\n")
        if newline:  # a file shorter than the first read
            block = self._block(line, whole + newline)
            yield block
            line += len(block.ends)
        if rest:
            yield self._block(line, rest + b"\n")._replace(unfinished=self.live)

    def _check(self, begin: bytes) -> None:
        head = _head(begin, compressed=False)
        if head.record(self._layout) != self._record:
            raise SourceError(f"{self._spool.key}: {self.name} was rotated while it was read; read it again")

    def _block(self, line: int, raw: bytes) -> Block:
        damaged: frozenset[int] = frozenset()
        if b"\0" in raw:
            raw, damaged = _without_nul(raw)
        data = _utf8(raw, self._spool.drop.encoding)
        return Block(line, data, np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")), False, damaged)


def _utf8(raw: bytes, encoding: str) -> bytes:
    """``raw`` in UTF-8; bytes that ``encoding`` does not know become U+FFFD."""
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8", "ascii"):
        with contextlib.suppress(UnicodeDecodeError):
            raw.decode("utf-8")
            return raw
        encoding = "utf-8"
    return raw.decode(encoding, errors="replace").encode("utf-8")


def _without_nul(raw: bytes) -> tuple[bytes, frozenset[int]]:
    """Lines without NUL, and the numbers of those that had some between other characters.

    NULs at the begin of a line are what a crash leaves of a block that was never written: they belong to
    no record, so the line behind them is sound.
    """
    lines = [line.lstrip(b"\0") for line in raw.split(b"\n")]
    damaged = frozenset(i for i, line in enumerate(lines) if b"\0" in line)
    return b"\n".join(line.replace(b"\0", b"") for line in lines), damaged


@dataclass(frozen=True)
class _Found:
    """A file before it is known whether it is a copy of another."""

    name: str
    head: _Head
    first_at: int


class Spool:
    """The files of one ``FileDrop``. ``key``: its place in the configuration, for messages."""

    def __init__(self, drop: FileDrop, key: str) -> None:
        self.drop, self.key = drop, key
        try:
            codecs.lookup(drop.encoding)
        except LookupError as error:
            raise SourceError(f"{key}.encoding: '{drop.encoding}' is no encoding, such as cp1251") from error

    @cached_property
    def _root(self) -> tuple[Any, str]:
        try:
            fs, root = fsspec.core.url_to_fs(self.drop.spool)
        except (ValueError, ImportError, OSError) as error:
            raise SourceError(f"{self.key}.spool: {self.drop.spool} cannot be opened: {error}") from error
        return fs, root.rstrip("/")

    def files(self, server_id: str, layout: Layout) -> list[SpoolFile]:
        """The distinct files with records, oldest first.

        Raises SourceError when the folder is missing or no file in it is of this kind; a folder without
        files gives none.
        """
        found = self._found(layout)
        groups: dict[str, list[tuple[_Found, bool, bytes]]] = {}
        for file in found:
            is_live = not file.head.compressed and file.first_at == found[-1].first_at
            record = (file.head.without_open_end() if is_live else file.head).record(layout)
            if record is not None:
                identity = self._identity(server_id, layout, record, file.name)
                groups.setdefault(identity, []).append((file, is_live, record))
        files = [
            SpoolFile(file.name, file_id, file.first_at, is_live, self, record, layout)
            for identity, members in groups.items()
            for file_id, (file, is_live, record) in self._distinct(identity, members)
        ]
        return sorted(files, key=lambda f: (f.first_at, f.name))

    def _found(self, layout: Layout) -> list[_Found]:
        """The files of this kind, oldest first."""
        found, foreign = [], []
        for name in self._names():
            with self.guard(name):
                head = self._head(name)
            if head.record(layout) is None:
                continue
            texts = [_utf8(line, self.drop.encoding).decode("utf-8") for line in head.lines]
            first_at = layout.first_at(name, texts)
            if first_at is None:
                foreign.append(name)
            else:
                found.append(_Found(name, head, first_at or self._modified(name)))
        if foreign and not found:
            raise SourceError(
                f"{self.key}.pattern: '{self.drop.pattern}' finds {', '.join(foreign[:3])} in {self.drop.spool},"
                f" but no file there looks like {layout.kind}"
            )
        for name in foreign:
            _log.warning("%s: %s is skipped: it does not look like %s", self.key, name, layout.kind)
        return sorted(found, key=lambda f: (f.first_at, f.name))

    def _identity(self, server_id: str, layout: Layout, record: bytes, name: str) -> str:
        parts = [server_id.encode(), layout.kind.encode(), record]
        if layout.keeps_name:
            parts.append(_bare_name(name).encode())
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]

    def _distinct(
        self, identity: str, members: list[tuple[_Found, bool, bytes]]
    ) -> Iterator[tuple[str, tuple[_Found, bool, bytes]]]:
        """Of files with the same first record those that are no copy (of the begin) of another."""
        kept: list[tuple[str, tuple[_Found, bool, bytes]]] = []
        for member in members:
            file_id = identity
            for place, (other_id, other) in enumerate(kept):
                relation, difference = self._compare(other[0].name, member[0].name)
                if relation == "longer":
                    kept[place] = (other_id, member)
                if relation != "different":
                    break
                file_id = hashlib.sha256(f"{identity}:{difference}".encode()).hexdigest()[:32]
            else:
                kept.append((file_id, member))
        yield from kept

    def _compare(self, known: str, other: str) -> tuple[str, str]:
        """'copy', 'longer' (``other`` continues ``known``) or 'different' with the first unlike line."""
        with self.guard(other), self.open(known) as a, self.open(other) as b:
            while True:
                left, right = _read_fully(a, _HEAD_BYTES), _read_fully(b, _HEAD_BYTES)
                if left == right and left:
                    continue
                if left.startswith(right):
                    return "copy", ""
                if right.startswith(left):
                    return "longer", ""
                return "different", _unlike_line(left, right)

    def _names(self) -> list[str]:
        """Names of the matching files, relative to the folder."""
        fs, root = self._root
        with self.guard(self.drop.spool):
            if not fs.isdir(root):
                raise SourceError(f"{self.key}.spool: there is no folder {self.drop.spool}")
            found = fs.glob(f"{glob.escape(root)}/{self.drop.pattern}", detail=True)
        return sorted(path[len(root) + 1 :] for path, about in found.items() if about["type"] == "file")

    def _head(self, name: str) -> _Head:
        with self.open(name) as stream:
            data = _read_fully(stream, _HEAD_BYTES)
        with self._raw(name) as stream:
            compressed = _compression(stream.read(6)) is not None
        return _head(data, compressed)

    def _modified(self, name: str) -> int:
        fs, root = self._root
        try:
            modified = fs.modified(f"{root}/{name}")
        except (NotImplementedError, KeyError, OSError):
            return 0  # not every store tells it; the file counts as old and is read, where a failing store says so
        return micros(modified) if isinstance(modified, datetime) else 0

    def _raw(self, name: str) -> Any:
        fs, root = self._root
        return fs.open(f"{root}/{name}", "rb")

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[Any]:
        """The file's bytes, decompressed."""
        with self._raw(name) as raw:
            kind = _compression(raw.read(6))
            raw.seek(0)
            yield kind(raw) if kind else raw

    @contextlib.contextmanager
    def guard(self, name: str) -> Iterator[None]:
        """Turn what goes wrong with ``name`` into a SourceError."""
        try:
            yield
        except _CUT as error:
            raise SourceError(f"{self.key}: {name} is cut short or damaged: {error}") from error
        except OSError as error:
            raise SourceError(f"{self.key}: {name} cannot be read: {error}") from error


def _compression(begin: bytes) -> Callable[[Any], Any] | None:
    """What decompresses a file that begins so; None for plain text."""
    if begin.startswith(b"\x1f\x8b"):
        return lambda raw: gzip.GzipFile(fileobj=raw)
    if begin.startswith(b"BZh"):
        return bz2.BZ2File
    if begin.startswith(b"\xfd7zXZ"):
        return lzma.LZMAFile
    if begin.startswith(b"\x28\xb5\x2f\xfd"):
        return lambda raw: pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")
    return None


def _read_fully(stream: Any, size: int) -> bytes:
    """``size`` bytes, less only at the end of the file."""
    parts, missing = [], size
    while missing and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _head(data: bytes, compressed: bool) -> _Head:
    """The lines of the first bytes of a file; of a longer file only those that are complete."""
    at_end = len(data) < _HEAD_BYTES
    pieces = data.removeprefix(_BOM).split(b"\n")
    last = pieces.pop()
    open_end = at_end and bool(last.strip(b"\r\0 "))
    if open_end or not pieces:
        pieces.append(last)
    lines = [p.replace(b"\0", b"").rstrip(b"\r") for p in pieces]
    return _Head(tuple(line for line in lines if line.strip()), open_end and not compressed, compressed)


def _unlike_line(left: bytes, right: bytes) -> str:
    for one, other in zip(left.split(b"\n"), right.split(b"\n"), strict=False):
        if one != other:
            return hashlib.sha256(other).hexdigest()
    return ""


def _bare_name(name: str) -> str:
    path = PurePosixPath(name)
    return path.stem if path.suffix in _SUFFIXES else path.name


@dataclass(frozen=True)
class Span:
    """Which records of one file belong to a load. All times in microseconds."""

    start: int
    end: int
    after_line: int | None
    after_line_since: int

    @classmethod
    def of(cls, file_id: str, window: Window, history: History) -> Span:
        """The span of the file ``file_id`` in ``window``."""
        start = micros(history.start_for(file_id, window))
        since = max(micros(window.start) - DAY, micros(history.since) if history.since else 0)
        return cls(start, micros(window.end), history.lines.get(file_id), since)

    def mask(self, at: Micros, line_no: Micros) -> Mask:
        """Which records are of the load, by their times and lines."""
        wanted = at >= self.start
        if self.after_line is not None:
            wanted |= (line_no > self.after_line) & (at >= self.after_line_since)
        return wanted & (at < self.end)

    def touches(self, first_at: int, next_at: int | None) -> bool:
        """Whether a file between these times can have records of the load; a day is left for disorder."""
        return first_at < self.end + DAY and (next_at is None or next_at >= self.start - DAY)


def spans(files: Sequence[SpoolFile], window: Window, history: History) -> Iterator[tuple[SpoolFile, Span]]:
    """Of the consecutive files of one log those that can have records of the load."""
    for i, file in enumerate(files):
        span = Span.of(file.file_id, window, history)
        if span.touches(file.first_at, files[i + 1].first_at if i + 1 < len(files) else None):
            yield file, span
