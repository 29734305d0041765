"""``python -m benchmarks [--quick] [PART ...]``: measure everything (or parts), write results and the table."""

from __future__ import annotations

import argparse
import gc
import importlib
import multiprocessing
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import connection
from pathlib import Path
from typing import Any

from service_quality.local import postgres

from benchmarks import document, peers, report
from benchmarks.measure import Ratio
from benchmarks.scale import FULL, QUICK, Scale

# Each is a module with ``run(scale: Scale) -> report.Result``.
PARTS = ("load", "memory", "peers", "rebuild", "orchestration", "readers", "storage", "history")
BY_NAME = ("million", "five_million", "year")  # too long for a run of everything
# Two lanes side by side, each with a server of its own in a home below ours. Parts of a lane share the project that dbt
# parsed. History rebuilds in the quick run, and orchestration weighs storage too.
LANES: dict[str, dict[str, tuple[str, ...]]] = {
    "quick": {".": ("history", "readers"), "bench-lane": ("orchestration", "load", "memory", "peers")},
    # What is timed runs alone: beside the filling of histories, bytes are weighed, peers, who are far behind, run, and
    # the readers' marts are filled.
    "full": {
        ".": ("history", "load", "rebuild", "orchestration"),
        "bench-lane": ("storage", "memory", "peers", "readers"),
    },
}
WAITING = ("history", "readers")  # parts that prepare much and ask for the machine before they measure
FORK = multiprocessing.get_context("fork")
NOTES = {
    "quick": "two lanes of parts ran side by side: wall times disturb each other, so judge CPU, blocks and WAL",
    "full": "storage and memory were weighed, peers ran and the readers' marts were filled beside the filling of"
    " histories; everything else ran alone",
}


def main() -> int:
    """Run the parts one after the other; 1 when a part failed. A missed goal is a result, not a failure."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    named = f"of {', '.join(PARTS)}; all of these without; by name only: {', '.join(BY_NAME)}"
    parser.add_argument("parts", nargs="*", metavar="PART", help=named)
    parser.add_argument("--quick", action="store_true", help="small data")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - {*PARTS, *BY_NAME}
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    scale = QUICK if arguments.quick else FULL
    if not arguments.parts:
        return _run_lanes(scale)
    lines, failures = _run(arguments.parts, scale)
    print("\n".join(lines))
    for part, error in failures.items():
        print(f"FAILED {part}: {error}", file=sys.stderr)
    return 1 if failures else 0


def _run_lanes(scale: Scale) -> int:
    """All parts, each in a process of its own, all writing into one new set of results; 1 when a part failed."""
    report.LATEST.unlink(missing_ok=True)
    _prepare()
    homes = {postgres.home() / lane: parts for lane, parts in LANES[scale.name].items()}
    first, second = FORK.Event(), FORK.Event()  # is over; or, the second, is prepared and waits for the first

    def after_first() -> None:
        second.set()
        first.wait()

    waits = (None, None) if scale is QUICK else (second.wait, after_first)
    running = [
        FORK.Process(target=_run_lane, args=(home, parts, scale, wait))
        for (home, parts), wait in zip(homes.items(), waits, strict=True)
    ]
    for lane in running:
        lane.start()
    left = {lane.sentinel: over for lane, over in zip(running, (first, second), strict=True)}
    while left:  # a lane that is killed must not leave the other waiting
        for ended in connection.wait(list(left)):
            left.pop(ended).set()  # type: ignore[call-overload]
    for lane in running:
        lane.join()
    _remove_servers([home for home in homes if home != postgres.home()])
    report.note(scale.name, NOTES[scale.name])
    document.write()
    return 1 if any(lane.exitcode for lane in running) else 0


def _prepare() -> None:
    """What parts would do one after the other: imports, which take longer than some of them work, and meanwhile the
    environments of peers.
    """
    with ThreadPoolExecutor(1) as pool:
        pool.submit(peers.install)  # what fails is said by the part, which tries again
        _import_once()


def _import_once() -> None:
    for module in ("great_expectations", "dbt.cli.main", "dbt.adapters.postgres"):
        importlib.import_module(module)
    gc.freeze()  # else each process looks through all of it whenever it collects


def _run_lane(home: Path, parts: Sequence[str], scale: Scale, alone: Callable[[], Any] | None) -> None:
    """Run ``parts`` one after the other, each in a process of its own; exits 1 when one failed."""
    failed = False
    for part in parts:
        process = FORK.Process(target=_run_apart, args=(home, part, scale, alone))
        process.start()
        process.join()
        failed |= process.exitcode != 0
    sys.exit(1 if failed else 0)


def _run_apart(home: Path, part: str, scale: Scale, alone: Callable[[], Any] | None) -> None:
    os.environ["QUALITY_HOME"] = str(home)
    _, failures = _run([part], scale, alone)
    sys.exit(1 if failures else 0)


def _remove_servers(homes: list[Path]) -> None:
    kept = os.environ.get("QUALITY_HOME")
    for home in homes:
        os.environ["QUALITY_HOME"] = str(home)
        postgres.remove()
        shutil.rmtree(home, ignore_errors=True)
    if kept is None:
        os.environ.pop("QUALITY_HOME", None)
    else:
        os.environ["QUALITY_HOME"] = kept


def _run(
    parts: Sequence[str], scale: Scale, alone: Callable[[], Any] | None = None
) -> tuple[list[str], dict[str, str]]:
    """What each part found, as lines, and the errors; results are written after each, so that none is lost."""
    postgres.start()
    lines: list[str] = []
    failures: dict[str, str] = {}
    for part in parts:
        print(f"-- {part}", flush=True)
        started = time.monotonic()
        try:
            module = importlib.import_module(f"benchmarks.{part}")
            waiting = {"alone": alone} if part in WAITING and alone else {}
            result: report.Result = module.run(scale, **waiting)
        except Exception as error:  # noqa: BLE001 - the other parts still count; the error is reported and exits 1
            traceback.print_exc()
            failures[part] = f"{type(error).__name__}: {error}"
            report.write([], scale.name, {part: failures[part]}, keep=True)
        else:
            result.seconds = time.monotonic() - started
            found = [_line(ratio) for ratio in result.ratios]
            lines += found
            print("\n".join(f"   {line}" for line in found), flush=True)
            report.write([result], scale.name, {}, keep=True)
        document.write()
    return lines, failures


def _line(ratio: Ratio) -> str:
    wanted = ">=" if ratio.at_least else "<="
    low, high = ratio.spread
    verdict = "met   " if ratio.met else "MISSED"
    return f"{verdict} {ratio.name}: {ratio.value:.3g} {wanted} {ratio.goal} ({low:.3g} .. {high:.3g})"


if __name__ == "__main__":
    sys.exit(main())
