"""Which tables the history benchmark calls a scan of history."""

from benchmarks.history import History, growing, windows


def _history(days, rows, scanned):
    return History(days, f"h{days}", rows=rows, scanned=scanned)


SHORT = _history(30, {"facts": 30_000, "rolling": 5_000, "small": 30}, {"facts": 0, "rolling": 5_000, "small": 30})
YEAR = _history(365, {"facts": 365_000, "rolling": 90_000, "small": 365}, {"facts": 0, "rolling": 90_000, "small": 365})
YEARS = _history(
    1461, {"facts": 1_461_000, "rolling": 91_000, "small": 1_461},
    {"facts": 1_461_000, "rolling": 91_000, "small": 1_461},
)  # fmt: skip


def test_a_scan_of_what_grows_with_history_is_told_from_one_of_a_window():
    bounded = windows([YEAR, YEARS])
    assert bounded == {"rolling"}
    held = {row["table"]: row["holds"] for row in growing(SHORT, YEARS, bounded)}
    assert held == {"facts": "history", "rolling": "a window"}  # a small table is read whole by any plan
    assert [row["table"] for row in growing(SHORT, YEAR, bounded)] == ["rolling"]


def test_without_two_histories_that_fill_all_windows_every_growing_table_counts():
    assert windows([YEARS]) == frozenset()
    assert {row["holds"] for row in growing(SHORT, YEARS)} == {"history"}
