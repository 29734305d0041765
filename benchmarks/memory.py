"""The largest process of a whole load of few and of many rows: what is held in memory does not grow with them."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from service_quality import gate, landing, ops, promote
from service_quality.contract import Source

from benchmarks import floor, tables
from benchmarks.load import PEPPER, PHONE, SETTINGS, empty
from benchmarks.measure import Meter, Ratio
from benchmarks.report import Result
from benchmarks.scale import Scale
from benchmarks.tables import QUEUE_LOG

STAGES = ("land", "judge", "promote")


def run(scale: Scale) -> Result:
    """Peaks of a whole load whose stages are processes, as they are in the pipeline, and of the server's backends."""
    result = Result("memory")
    folder = Path(tempfile.mkdtemp(prefix="bench_memory_"))
    try:
        with floor.databases("bench_memory") as (url,):
            with ops.connect(url) as conn:
                ops.prepare(conn)
                conn.commit()
            _compare(result, url, folder, scale.memory_rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _compare(result: Result, url: str, folder: Path, sizes: tuple[int, int]) -> None:
    meter = Meter(url)
    peaks, rows = [], []
    for lines in sizes:
        spool = tables.make(folder / "memory", lines)
        with ops.connect(url) as conn:
            empty(conn)
        own: dict[str, float] = {}
        with meter.watch() as costs:
            for stage in STAGES:
                code = "from benchmarks import memory; memory._child()"
                done = subprocess.run(
                    [sys.executable, "-c", code, url, str(spool.queue_log.parent), str(lines), stage],
                    check=True, stdout=subprocess.PIPE, text=True,
                )  # fmt: skip
                own[stage] = int(done.stdout.split()[-1]) / 1e6
        server = costs[0].server_peak / 1e6
        peaks.append(max(*own.values(), server))
        rows.append({"rows": lines, **{f"{n}, MB": round(v) for n, v in own.items()}, "backend, MB": round(server)})
    grown, large = peaks[1] / peaks[0], peaks[1]
    of = f"largest process of a whole load of {sizes[1]:,} rows"
    result.ratios += [
        Ratio("peak memory, more rows", grown, 1.2, (grown, grown), of=f"{of} / of {sizes[0]:,}"),
        Ratio("peak memory, MB", large, 400.0, (large, large), of=of),
    ]
    result.tables["peak memory"] = rows


def _child() -> None:
    """In a process of its own: one stage of loading, as the command line says; prints the peak of resident bytes."""
    url, folder, lines, stage = sys.argv[1:5]
    spool = tables.existing(Path(folder), int(lines))
    with ops.connect(url) as conn:
        if stage == "land":
            load = ops.open_load(conn, Source.TELEPHONY, spool.window)
            conn.commit()
            landing.land(conn, load, tables.events(spool), [QUEUE_LOG])
        else:
            row = conn.execute("select max(load_id) as load_id from ops.loads").fetchone()
            assert row is not None
            load = ops.get_load(conn, row["load_id"])
            if stage == "judge":
                gate.judge_load(conn, load, SETTINGS, [QUEUE_LOG])
            else:
                promote.promote(conn, load, PEPPER, PHONE)
    print(_peak())


def _peak() -> int:
    """The largest resident memory of this process in bytes; what getrusage tells begins with that of its parent."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
