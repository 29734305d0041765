"""The benchmark of loading runs at a tiny scale and judges what it says; no time is asserted."""

from __future__ import annotations

import dataclasses
import math

import pytest

from benchmarks import load, memory
from benchmarks.scale import QUICK


def test_loading_gives_its_ratios(server):
    scale = dataclasses.replace(QUICK, rounds=1, load_rows=(400, 800), night_contacts=100)
    result = load.run(scale)
    sizes = [f"{n} rows" for n in scale.load_rows]
    assert [r.name for r in result.ratios] == [
        *(name.format(size) for size in sizes
          for name in ("land {}", "land {}, two processes", "whole load of {}", "gate 1 of {}")),
        "CRM table to landing", "unchanged night, WAL",
    ]  # fmt: skip
    # A process's CPU is counted in hundredths of a second, of which so few rows may need none.
    assert all(math.isfinite(r.value) and r.value >= 0 for r in result.ratios)
    assert result.ratios[-1].value > 0


def test_the_largest_processes_of_small_and_large_loads_are_compared(server):
    sizes = 400, 800
    result = memory.run(dataclasses.replace(QUICK, memory_rows=sizes))
    assert [r.name for r in result.ratios] == ["peak memory, more rows", "peak memory, MB"]
    few, many = result.tables["peak memory"]
    assert (few["rows"], many["rows"]) == sizes
    peaks = [max(size for name, size in row.items() if name != "rows") for row in (few, many)]
    assert result.ratios[1].value == pytest.approx(peaks[1], abs=1)
    assert result.ratios[0].value == pytest.approx(peaks[1] / peaks[0], rel=0.02)
