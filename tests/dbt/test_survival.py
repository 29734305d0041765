"""Percentiles of times that have not all ended, and Poisson intervals, against numpy, statsmodels and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from tests.dbt.computed import run

pytestmark = pytest.mark.postgres

PERCENTS = (50, 80, 95, 99)
QUERY = "with {{ fastest_ctes('given', ['cell']) }} select * from fastest order by cell"


def fastest(url, cells):
    """{cell: [fastest_50, ...]} of {cell: [(seconds, is finished)]}."""
    given = [
        {"cell": cell, "seconds": float(seconds), "finished": int(done)}
        for cell, items in cells.items() for seconds, done in items
    ]  # fmt: skip
    query = QUERY.replace("'given'", "'flagged'").replace(
        "with ", "with flagged as (select cell, seconds, finished = 1 as is_finished from given), "
    )
    return {r["cell"]: [r[f"fastest_{p}"] for p in PERCENTS] for r in run(url, query, given)}


def test_where_all_are_done_it_is_numpys_nearest_rank(url):
    rng = np.random.default_rng(5)
    cells = {str(n): [(round(x, 3), True) for x in rng.lognormal(2, 1, n)] for n in (1, 2, 3, 10, 19, 20, 21, 100, 257)}
    cells["ties"] = [(x, True) for x in (1, 1, 1, 1, 2, 2, 2, 3, 3, 9)]
    found = fastest(url, cells)
    for cell, items in cells.items():
        times = [seconds for seconds, _ in items]
        wanted = [np.percentile(times, p, method="inverted_cdf") for p in PERCENTS]
        assert found[cell] == pytest.approx(wanted), cell


def test_where_some_are_still_watched_it_is_statsmodels_kaplan_meier(url):
    rng = np.random.default_rng(6)
    cells = {}
    for n in (40, 60, 200, 1000):
        took, watched = rng.exponential(5, n), rng.uniform(10, 40, n)
        cells[str(n)] = [(round(min(a, b), 3), a <= b) for a, b in zip(took, watched, strict=True)]
    found = fastest(url, cells)
    told = 0
    for cell, items in cells.items():
        curve = SurvfuncRight([t for t, _ in items], [d for _, d in items])
        for percent, value in zip(PERCENTS, found[cell], strict=True):
            reached = np.flatnonzero(curve.surv_prob <= 1 - percent / 100 + 1e-9)
            if value is not None:
                told += 1
                assert value == pytest.approx(curve.surv_times[reached[0]]), (cell, percent)
    assert told >= 12


def test_what_was_not_seen_is_not_told(url):
    young = [(n, True) for n in range(1, 11)] + [(1.5, False)] * 90
    found = fastest(url, {
        "nine of ten are done": [(n, True) for n in range(1, 10)] + [(30, False)],
        "none is done": [(3, False), (4, False)],
        "few were watched so long": young,
    })  # fmt: skip
    assert found["nine of ten are done"] == [5, 8, None, None]
    assert found["none is done"] == [None] * 4
    assert found["few were watched so long"] == [None] * 4


def test_it_is_unbiased_where_leaving_out_the_open_ones_is_not(url):
    """Orders of a running month: the naive percentile of the finished ones is far too good."""
    rng = np.random.default_rng(7)
    took, watched = rng.gamma(4, 1.5, 4000), rng.uniform(0, 30, 4000)
    items = [(min(a, b), a <= b) for a, b in zip(took, watched, strict=True)]
    truth = np.percentile(took, 95)
    naive = np.percentile([t for t, done in items if done], 95)
    found = fastest(url, {"running": items})["running"][2]
    assert abs(found - truth) < 0.35 < truth - naive


def test_poisson_intervals_are_near_the_exact_ones(url):
    found = run(
        url, "select x, {{ poisson_low('x') }} as low, {{ poisson_high('x') }} as high from given order by x",
        [{"x": x} for x in (0, 1, 2, 5, 10, 40, 250)],
    )  # fmt: skip
    for row in found:
        x = int(row["x"])
        low = stats.chi2.ppf(0.025, 2 * x) / 2 if x else 0
        assert row["low"] == pytest.approx(low, abs=0.02, rel=0.01)
        assert row["high"] == pytest.approx(stats.chi2.ppf(0.975, 2 * x + 2) / 2, rel=0.01)
