"""The readers' part on a few days of marts: filled, published, read, and published again under readers."""

from __future__ import annotations

import dataclasses

from benchmarks import readers
from benchmarks.scale import QUICK


def test_readers_at_a_tiny_scale(server, monkeypatch):
    monkeypatch.setattr(readers, "READERS", 2)
    monkeypatch.setattr(readers, "DATABASE", "bench_readers_test")
    result = readers.run(dataclasses.replace(QUICK, rounds=1, marts_days=8, read_seconds=0.0))  # each reader asks once
    assert [r.name for r in result.ratios] == [
        "readers: p95 of 20 dashboard queries / p95 of a read by key",
        "readers: queries that scan a large mart",
        "readers: longest wait during publication (s)",
    ]
    asked = result.tables["queries, 2 readers at once"]
    assert len(asked) == 21
    assert all(row["rows"] > 0 or "subscriber" in row["query"] or "surges" in row["query"] for row in asked)
    assert all(row["rows written"] > 1000 for row in result.tables["publication under readers"])
