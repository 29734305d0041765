"""Every part is measured, each once, and history's nights wait for the other lane of the full run."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import __main__ as bench


def test_the_full_run_has_every_part_once() -> None:
    parts = [part for lane in bench.LANES["full"].values() for part in lane]
    assert sorted(parts) == sorted(bench.PARTS)


def test_every_part_can_be_run_by_its_name() -> None:
    assert not set(bench.PARTS) & set(bench.BY_NAME)
    for part in (*bench.PARTS, *bench.BY_NAME):
        assert callable(importlib.import_module(f"benchmarks.{part}").run), part


def test_the_quick_run_measures_what_it_has_no_part_for_in_others() -> None:
    parts = [part for lane in bench.LANES["quick"].values() for part in lane]
    assert sorted([*parts, "rebuild", "storage"]) == sorted(bench.PARTS)
    assert bench.QUICK.rebuild_histories and bench.QUICK.weigh_nights


def test_history_is_alone_only_when_the_other_lane_has_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    timed, weighed = bench.LANES["full"].values()

    def run(parts: list[str], scale: object, alone: Callable[[], object]) -> tuple[list[str], dict[str, str]]:
        if parts == ["history"]:
            alone()
            (tmp_path / "history").write_text(",".join(p for p in weighed if (tmp_path / p).exists()))
        else:
            time.sleep(0.2)
            (tmp_path / parts[0]).touch()
        return [], {}

    for place, name, value in (
        (bench, "_run", run), (bench, "_import_once", lambda: None), (bench, "_remove_servers", lambda homes: None),
        (bench.report, "LATEST", tmp_path / "latest.json"), (bench.report, "note", lambda *_: None),
        (bench.document, "write", lambda: None),
    ):  # fmt: skip
        monkeypatch.setattr(place, name, value)
    assert timed[0] == "history"
    assert bench._run_lanes(bench.FULL) == 0
    assert (tmp_path / "history").read_text() == ",".join(weighed)
