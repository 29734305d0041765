"""The benchmark of loading runs at a tiny scale and judges what it says; no time is asserted."""

from __future__ import annotations

import dataclasses
import math

from benchmarks import load
from benchmarks.scale import QUICK


def test_loading_gives_its_ratios(server):
    scale = dataclasses.replace(QUICK, rounds=1, load_rows=(400, 800), night_contacts=100)
    result = load.run(scale)
    sizes = [f"{n} rows" for n in scale.load_rows]
    assert [r.name for r in result.ratios] == [
        *(name.format(size) for size in sizes
          for name in ("land {}", "land {}, two processes", "whole load of {}", "gate 1 of {}")),
        "CRM table to landing", "unchanged night, WAL", "peak memory, more rows", "peak memory, MB",
    ]  # fmt: skip
    # A process's CPU is counted in hundredths of a second, of which so few rows may need none.
    assert all(math.isfinite(r.value) and r.value >= 0 for r in result.ratios)
    counted = {r.name: r.value for r in result.ratios}
    assert all(counted[name] > 0 for name in ("unchanged night, WAL", "peak memory, more rows", "peak memory, MB"))
