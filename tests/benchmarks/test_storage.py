"""The storage part on a few days, loaded by all doors; the build is left out here."""

from __future__ import annotations

import dataclasses

from service_quality import runner

from benchmarks import storage
from benchmarks.scale import QUICK


def test_storage_at_a_tiny_scale(server, monkeypatch):
    monkeypatch.setattr(storage, "DATABASES", ("bench_storage_test", "bench_storage_test_crm"))
    monkeypatch.setattr(runner, "build", lambda: None)
    result = storage.run(dataclasses.replace(QUICK, storage_stages=(2, 4), storage_contacts_per_day=60))
    (ratio,) = result.ratios
    assert ratio.name == "storage: raw + marts / the sources' own size"
    assert 0.5 < ratio.value < 20 and "the last 2 days alone" in ratio.note
    sizes = {row["what"]: row["MB"] for row in result.tables["bytes by schema"]}
    assert sizes["PBX files"] > 0 and sizes["survey responses"] > 0 and sizes["raw rows"] > sizes["raw indexes"] > 0
    assert {"raw.cdr", "raw.queue_log"} <= {row["table"] for row in result.tables["the largest tables"]}
