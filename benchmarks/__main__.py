"""``python -m benchmarks [--quick] [PART ...]``: measure everything (or parts), write results and the table."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback

from benchmarks import document, report
from benchmarks.measure import Ratio
from benchmarks.scale import FULL, QUICK, Scale

# Each is a module with ``run(scale: Scale) -> report.Result``.
PARTS = ("load", "peers", "history", "rebuild", "orchestration", "readers", "storage")


def main() -> int:
    """Run the parts one after the other; 1 when a part failed. A missed goal is a result, not a failure."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without")
    parser.add_argument("--quick", action="store_true", help="small data, 5 minutes")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    scale = QUICK if arguments.quick else FULL
    results, failures = _run(arguments.parts or PARTS, scale)
    report.write(results, scale.name, failures, keep=bool(arguments.parts))
    document.write()
    for result in results:
        for ratio in result.ratios:
            print(_line(ratio))
    for part, error in failures.items():
        print(f"FAILED {part}: {error}", file=sys.stderr)
    return 1 if failures else 0


def _run(parts: list[str] | tuple[str, ...], scale: Scale) -> tuple[list[report.Result], dict[str, str]]:
    results, failures = [], {}
    for part in parts:
        print(f"-- {part}", flush=True)
        started = time.monotonic()
        try:
            result: report.Result = importlib.import_module(f"benchmarks.{part}").run(scale)
        except Exception as error:  # noqa: BLE001 - the other parts still count; the error is reported and exits 1
            traceback.print_exc()
            failures[part] = f"{type(error).__name__}: {error}"
            continue
        result.seconds = time.monotonic() - started
        results.append(result)
        for ratio in result.ratios:
            print("  ", _line(ratio), flush=True)
    return results, failures


def _line(ratio: Ratio) -> str:
    wanted = ">=" if ratio.at_least else "<="
    low, high = ratio.spread
    verdict = "met   " if ratio.met else "MISSED"
    return f"{verdict} {ratio.name}: {ratio.value:.3g} {wanted} {ratio.goal} ({low:.3g} .. {high:.3g})"


if __name__ == "__main__":
    sys.exit(main())
