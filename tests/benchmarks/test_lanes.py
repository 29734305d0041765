"""Every part is measured, each once, and what is timed is not beside another lane's work in the full run."""

from __future__ import annotations

from benchmarks import __main__ as bench


def test_the_full_run_has_every_part_once() -> None:
    parts = [part for lane in bench.LANES["full"].values() for part in lane]
    assert sorted(parts) == sorted(bench.PARTS)


def test_the_quick_run_measures_what_it_has_no_part_for_in_others() -> None:
    parts = [part for lane in bench.LANES["quick"].values() for part in lane]
    assert sorted([*parts, "rebuild", "storage"]) == sorted(bench.PARTS)
    assert bench.QUICK.rebuild_histories and bench.QUICK.weigh_nights


def test_history_fills_first_and_waits_for_the_other_lane() -> None:
    first, *_ = bench.LANES["full"].values()
    assert first[0] == "history"
