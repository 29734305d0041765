"""``python -m benchmarks [--quick] [PART ...]``: measure everything (or parts), write results and the table."""

from __future__ import annotations

import argparse
import importlib
import os
import queue
import shutil
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from service_quality.local import postgres

from benchmarks import document, report
from benchmarks.measure import Ratio
from benchmarks.scale import FULL, QUICK, Scale

# Each is a module with ``run(scale: Scale) -> report.Result``. The longest comes last: results are written after each.
PARTS = ("load", "peers", "rebuild", "orchestration", "readers", "storage", "history")
# The quick run: two lanes side by side, each with a server of its own (home: below ours), take the
# next part when they are free, the longest first; orchestration weighs storage too.
QUICK_PARTS = ("history", "orchestration", "rebuild", "load", "readers", "peers")
QUICK_LANES = (".", "bench-lane")
LANES_NOTE = "two lanes of parts ran side by side: wall times disturb each other, so judge CPU, blocks and WAL"


def main() -> int:
    """Run the parts one after the other; 1 when a part failed. A missed goal is a result, not a failure."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without")
    parser.add_argument("--quick", action="store_true", help="small data")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    scale = QUICK if arguments.quick else FULL
    if arguments.quick and not arguments.parts:
        return _run_lanes()
    if not arguments.parts:
        report.LATEST.unlink(missing_ok=True)
    lines, failures = _run(arguments.parts or PARTS, scale)
    print("\n".join(lines))
    for part, error in failures.items():
        print(f"FAILED {part}: {error}", file=sys.stderr)
    return 1 if failures else 0


def _run_lanes() -> int:
    """The quick run: a process for each part, all writing into one new set of results; 1 when a part failed."""
    report.LATEST.unlink(missing_ok=True)
    homes = [postgres.home() / lane for lane in QUICK_LANES]
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for home in homes:
        free.put(home)
    with ThreadPoolExecutor(len(homes)) as lanes:
        failed = list(lanes.map(partial(_run_quickly, free), QUICK_PARTS))
    _remove_servers(homes[1:])
    report.note("quick", LANES_NOTE)
    document.write()
    return 1 if any(failed) else 0


def _run_quickly(free: queue.SimpleQueue[Path], part: str) -> bool:
    """Run ``part`` in the next home that is free; whether it failed."""
    home = free.get()
    command = [sys.executable, "-m", "benchmarks", "--quick", part]
    try:
        return bool(subprocess.run(command, env={**os.environ, "QUALITY_HOME": str(home)}, check=False).returncode)
    finally:
        free.put(home)


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


def _run(parts: list[str] | tuple[str, ...], scale: Scale) -> tuple[list[str], dict[str, str]]:
    """What each part found, as lines, and the errors; results are written after each, so that none is lost."""
    postgres.start()
    lines: list[str] = []
    failures: dict[str, str] = {}
    for part in parts:
        print(f"-- {part}", flush=True)
        started = time.monotonic()
        try:
            result: report.Result = importlib.import_module(f"benchmarks.{part}").run(scale)
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
