"""Every part is measured, each once, and what is timed in the full run waits until nothing else runs."""

from __future__ import annotations

import importlib
import os
import signal
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


@pytest.fixture
def lanes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in which each part leaves its name when it ends; nothing else is written or removed."""
    for place, name, value in (
        (bench, "_prepare", lambda: None), (bench, "_remove_servers", lambda homes: None),
        (bench.report, "LATEST", tmp_path / "latest.json"), (bench.report, "note", lambda *_: None),
        (bench.document, "write", lambda: None),
    ):  # fmt: skip
        monkeypatch.setattr(place, name, value)
    return tmp_path


def test_in_the_full_run_what_is_timed_runs_alone(monkeypatch: pytest.MonkeyPatch, lanes: Path) -> None:
    def run(parts: list[str], scale: object, alone: Callable[[], object]) -> tuple[list[str], dict[str, str]]:
        time.sleep(0.1)
        (lanes / f"{parts[0]} is prepared").touch()
        if parts[0] in bench.WAITING:
            alone()
        (lanes / f"{parts[0]} saw").write_text(",".join(sorted(p.name for p in lanes.iterdir())))
        time.sleep(0.1)
        (lanes / f"{parts[0]} is over").touch()
        return [], {}

    timed, weighed = bench.LANES["full"].values()
    assert timed[0] == "history" and weighed[-1] == "readers"
    monkeypatch.setattr(bench, "_run", run)
    assert bench._run_lanes(bench.FULL) == 0
    history, readers = ((lanes / f"{part} saw").read_text() for part in ("history", "readers"))
    assert "readers is prepared" in history and "readers is over" not in history
    assert all(f"{part} is over" in history for part in weighed[:-1])
    assert all(f"{part} is over" in readers for part in timed)


@pytest.mark.parametrize("killed", ["history", "readers"])
def test_a_lane_that_is_killed_lets_the_other_go_on(
    monkeypatch: pytest.MonkeyPatch, lanes: Path, killed: str
) -> None:
    def run(home: Path, parts: list[str], scale: object, alone: Callable[[], object]) -> None:
        if killed in parts:
            os.kill(os.getpid(), signal.SIGKILL)
        alone()
        (lanes / "went on").touch()

    monkeypatch.setattr(bench, "_run_lane", run)
    assert bench._run_lanes(bench.FULL) == 1
    assert (lanes / "went on").exists()
