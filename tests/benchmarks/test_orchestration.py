"""What of a night is not work: the longest chain of work against the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks import orchestration
from benchmarks.orchestration import BUILD_DAG, Step

MIDNIGHT = datetime(2026, 11, 9, tzinfo=UTC)


def _step(dag, task, queued, begin, end, worked):
    return Step(dag, task, *(MIDNIGHT + timedelta(seconds=s) for s in (queued, begin, end)), worked)


NIGHT = [
    _step("night", "asked for", 0, 0, 0, 0),
    _step("ingest_crm", "land", 1, 2, 12, 9),
    _step("ingest_ivr", "land", 1, 2, 5, 2.5),
    _step("ingest_crm", "promote", 12, 13, 18, 4),
    _step(BUILD_DAG, "plan", 19, 20, 22, 1),
    _step(BUILD_DAG, "publish", 22, 23, 30, 6),
]


def test_the_critical_path_is_the_slowest_source_and_the_build():
    assert orchestration.critical_path(NIGHT) == 9 + 4 + 1 + 6
    assert orchestration.wall(NIGHT) == 30
    ratio = orchestration.overhead([NIGHT, NIGHT])
    assert (ratio.value, ratio.met) == (10, True)
    assert ratio.name == "orchestration: wall of a night minus its critical path of work (s)"


def test_a_night_is_told_by_task():
    rows = orchestration.by_task([NIGHT, NIGHT])
    assert [row["task"] for row in rows] == ["land", "land", "promote", "plan", "publish"]
    assert rows[0] == {
        "dag": "ingest_crm", "task": "land", "queued at": 1, "started at": 2, "ended at": 12, "worked": 9,
        "around the work": pytest.approx(1),
    }  # fmt: skip


def test_a_step_tells_its_own_seconds(monkeypatch):
    from service_quality import pipeline

    told = {}

    class Task:
        def xcom_push(self, key, value):
            told[key] = value

    monkeypatch.setattr(pipeline, "get_current_context", lambda: {"ti": Task()})
    with pytest.raises(KeyError):
        pipeline._timed(lambda: {}["nothing"])()
    assert told["worked"] >= 0
