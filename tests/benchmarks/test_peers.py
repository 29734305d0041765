"""The benchmark of the peers of our own environment runs at a tiny scale; no time is asserted."""

from __future__ import annotations

import dataclasses

from benchmarks import peers
from benchmarks.scale import QUICK


def test_every_peer_gives_a_ratio_or_is_noted(server, monkeypatch):
    monkeypatch.setattr(peers, "_environment", lambda name, notes: notes.append(name))
    result = peers.run(dataclasses.replace(QUICK, rounds=1, peer_rows=300))
    assert [r.name for r in result.ratios] == [
        *(f"we against pandas.to_sql, {method}" for method in ("default", "multi", "COPY callable")),
        "we against executemany (psycopg)",
    ]
    assert result.notes == ["dlt", "target-postgres"]
