"""The macros of surges and measures against scipy and statsmodels on fixed cases, computed by the database."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.rates import confint_poisson_2indep

from tests.dbt.computed import run

pytestmark = pytest.mark.postgres


def test_farringtons_score_and_limit_are_the_two_thirds_power(url):
    cases = [(30, 10.0, 10.2), (0, 3.0, 4.5), (4, 0.2, 0.21), (500, 420.0, 900.0)]
    found = run(
        url,
        "select {{ farrington_score('y', 'm', 'v') }} as score, {{ farrington_limit('m', 'v') }} as top from given",
        [{"y": y, "m": m, "v": v} for y, m, v in cases],
    )
    for row, (y, m, v) in zip(found, cases, strict=True):
        spread = np.sqrt(4 / 9 * m ** (-2 / 3) * v)  # of y^(2/3), by the delta method
        assert row["score"] == pytest.approx((y ** (2 / 3) - m ** (2 / 3)) / spread)
        assert row["top"] == pytest.approx((m ** (2 / 3) + 3.090232 * spread) ** 1.5, abs=1e-8)


def test_farringtons_tail_is_near_the_exact_one_of_a_poisson(url):
    """The approximation is good to a factor of two where it decides, for means of 5 and more."""
    for mean in (5.0, 10.0, 40.0):
        top = int(stats.poisson.ppf(0.999, mean))
        (row,) = run(
            url, "select {{ farrington_score('y', 'm', 'm') }} as score from given", [{"y": top, "m": mean}]
        )
        exact = stats.poisson.sf(top - 1, mean)
        assert 0.5 < stats.norm.sf(row["score"]) / exact < 2, mean


def test_the_ceiling_is_median_and_three_spreads(url):
    text = "select {{ surge_ceiling('a', 'b') }} as top from given"
    found = run(url, text, [{"a": 10.0, "b": 12.0}, {"a": 0.0, "b": 0.3}, {"a": 0.0, "b": 7.0}])
    assert [float(r["top"]) for r in found] == pytest.approx(
        [10 + 3 * np.sqrt(20), 3 * np.sqrt(0.3 + 0.009), 3 * np.sqrt(1.1)]
    )


def test_the_ratio_of_counts_is_statsmodels_and_wider_with_over_dispersion(url):
    cases = [(70, 70.0, 29, 10.0), (3, 9.5, 40, 11.0), (0, 4.0, 8, 3.0)]
    text = (
        "select {{ rate_ratio('x1', 'e1', 'x0', 'e0') }} as ratio,"
        " {{ rate_ratio_limit('x1', 'e1', '0', 'x0', 'e0', '0', '-') }} as low,"
        " {{ rate_ratio_limit('x1', 'e1', '0', 'x0', 'e0', '0', '+') }} as high,"
        " {{ rate_ratio_limit('x1', 'e1', '0.1 * e1 * e1', 'x0', 'e0', '0', '+') }} as wide from given"
    )
    found = run(url, text, [{"x1": a, "e1": b, "x0": c, "e0": d} for a, b, c, d in cases])
    for row, (x1, e1, x0, e0) in zip(found, cases, strict=True):
        low, high = confint_poisson_2indep(x1, e1, x0, e0, method="waldcc", compare="ratio")
        assert (row["low"], row["high"]) == pytest.approx((low, high), rel=1e-6)
        assert row["ratio"] == pytest.approx(np.sqrt(low * high), rel=1e-6)
        variance = 1 / (x1 + 0.5) + 1 / (x0 + 0.5) + 0.1
        assert row["wide"] == pytest.approx(row["ratio"] * np.exp(1.959964 * np.sqrt(variance)), rel=1e-6)
