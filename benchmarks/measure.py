"""What a piece of work costs: wall time, CPU-seconds, WAL, blocks and memory of this process tree and of Postgres.

Figures of one run are compared with each other only. Machines are noisy, so two things that are compared take turns
(`alternate`) and the judged figure is the median of the ratios of neighbouring rounds.
"""

from __future__ import annotations

import gc
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import psutil
import psycopg

SAMPLE_SECONDS = 0.25  # looking at all processes takes milliseconds, which what is measured would wait for


@dataclass(frozen=True)
class Cost:
    """Cost of one round. Seconds; CPU of the client's tree and of the whole Postgres tree apart; WAL in bytes; blocks
    of 8 KiB read from cache or disk; peak resident bytes of the largest single process of the client's and server's
    trees.
    """

    wall: float
    client_cpu: float
    server_cpu: float
    wal: int
    blocks: int
    client_peak: int
    server_peak: int

    @property
    def cpu(self) -> float:
        """CPU-seconds of client and server together."""
        return self.client_cpu + self.server_cpu

    def get(self, figure: str) -> float:
        """The figure called ``figure``: a field or ``cpu``."""
        return float(getattr(self, figure))


@dataclass(frozen=True)
class Ratio:
    """A judged figure: ``value`` is to be at most (``at_least``: at least) ``goal``.

    ``spread``: lowest and highest round.
    """

    name: str
    value: float
    goal: float
    spread: tuple[float, float]
    at_least: bool = False
    of: str = ""  # what is divided by what, in which figure
    note: str = ""  # what the figure depends on; why a goal is missed: see reasons.py

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def ratio(
    name: str, figure: str, top: Sequence[Cost], bottom: Sequence[Cost], goal: float, *, at_least: bool = False,
    of: str = "", note: str = "",
) -> Ratio:  # fmt: skip
    """Median over the rounds of ``top`` / ``bottom`` in ``figure``; rounds are paired in their order."""
    pairs = [t.get(figure) / max(b.get(figure), 1e-9) for t, b in zip(top, bottom, strict=True)]
    return Ratio(name, statistics.median(pairs), goal, (min(pairs), max(pairs)), at_least, of, note)


def median(costs: Sequence[Cost]) -> Cost:
    """Each figure's median over the rounds."""
    middle: dict[str, Any] = {f.name: statistics.median(getattr(c, f.name) for c in costs) for f in fields(Cost)}
    return Cost(**middle)


class Meter:
    """Measures work done by this process, its children and the Postgres server behind ``url`` (on this machine)."""

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url) as conn:
            row = conn.execute("select pg_postmaster_start_time(), pg_backend_pid()").fetchone()
            assert row is not None
            self.server = psutil.Process(row[1]).parent()
        if self.server is None:
            raise RuntimeError(f"the server of {url} does not run on this machine: it cannot be measured")

    def measure(self, work: Callable[[], Any]) -> Cost:
        """Run ``work`` once and say what it cost. Blocks and WAL are the server's: nothing else may run on it."""
        with self.watch() as result:
            work()
        return result[0]

    @contextmanager
    def watch(self) -> Iterator[list[Cost]]:
        """Like `measure`, for a ``with`` block; the list holds the cost after the block."""
        gc.collect()
        result: list[Cost] = []
        with psycopg.connect(self.url, autocommit=True) as conn:
            me = psutil.Process()
            books = _Books(conn)
            before, peaks = books.read(), _Peaks(me, self.server)
            cpu = _Cpu(me, self.server, exclude={conn.info.backend_pid})
            with peaks:
                started = time.perf_counter()
                yield result
                wall = time.perf_counter() - started
            client, server = cpu.spent()
            client = max(client - peaks.cpu, 0.0)
            wal, blocks = (after - b for after, b in zip(books.read(), before, strict=True))
            result.append(Cost(wall, client, server, int(wal), int(blocks), peaks.client, peaks.server))


def alternate(
    meter: Meter, work: Mapping[str, Callable[[], Any]], rounds: int, *,
    before: Callable[[str], Any] | None = None, warm_up: bool = True,
) -> dict[str, list[Cost]]:  # fmt: skip
    """Costs of each piece of ``work``, which take turns for ``rounds`` rounds; ``before(name)`` is run unmeasured."""
    costs: dict[str, list[Cost]] = {name: [] for name in work}
    names = list(work)
    for turn in range(-1 if warm_up else 0, rounds):
        for name in names if turn % 2 == 0 else reversed(names):
            if before is not None:
                before(name)
            cost = meter.measure(work[name])
            if turn >= 0:
                costs[name].append(cost)
    return costs


class _Books:
    """WAL bytes and blocks touched so far. Statistics of other sessions arrive when these end or idle."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn

    def read(self) -> tuple[float, float]:
        self.conn.execute("select pg_stat_force_next_flush()")
        self.conn.execute("select pg_stat_clear_snapshot()")
        row = self.conn.execute(
            "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'),"
            " (select sum(blks_hit + blks_read) from pg_stat_database)"
        ).fetchone()
        assert row is not None
        return float(row[0]), float(row[1])


class _Cpu:
    """CPU-seconds of two process trees since it was made, those of children that ended included."""

    def __init__(self, client: psutil.Process, server: psutil.Process, exclude: set[int]) -> None:
        self.client, self.server, self.exclude = client, server, exclude
        self.before = self._now()

    def spent(self) -> tuple[float, float]:
        client, server = self._now()
        return client - self.before[0], server - self.before[1]

    def _now(self) -> tuple[float, float]:
        # The clock's own pages: a parent's children_* hold what its ended (and waited for) children used.
        return _tree_cpu(self.client, self.exclude), _tree_cpu(self.server, self.exclude)


def _tree_cpu(root: psutil.Process, exclude: set[int]) -> float:
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        if process.pid in exclude:
            continue
        try:
            t = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += t.user + t.system + t.children_user + t.children_system
    return total


class _Peaks:
    """Samples resident memory of two trees; keeps the largest single process of each (shared buffers left out)."""

    def __init__(self, client: psutil.Process, server: psutil.Process) -> None:
        self._roots = (client, server)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.client = self.server = 0
        self.cpu = 0.0  # of the sampling itself, which is no cost of the work

    def __enter__(self) -> _Peaks:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.client = max(self.client, _largest(self._roots[0]))
            self.server = max(self.server, _largest(self._roots[1]))
            self.cpu = time.thread_time()


def _largest(root: psutil.Process) -> int:
    largest = 0
    try:
        for process in (root, *root.children(recursive=True)):
            try:
                memory = process.memory_info()
            except psutil.NoSuchProcess:
                continue
            largest = max(largest, memory.rss - getattr(memory, "shared", 0))
    except psutil.NoSuchProcess:
        pass
    return largest
