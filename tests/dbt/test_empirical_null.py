"""How far operators usually differ, and what the scores of a conduct list are divided by, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.dbt.computed import run

pytestmark = pytest.mark.postgres

SCALED = (
    "with {{ empirical_null_ctes('given', 'wide', ['g']) }}"
    " select g, unit, wide_spread as spread, wide_z as z from wide order by g, unit"
)


def drawn_in(scores: np.ndarray) -> float:
    """Mean square of the scores drawn in to their 10 and 90 % points."""
    low, high = np.percentile(scores, [10, 90])
    return float((np.clip(scores, low, high) ** 2).mean())


def test_the_divisor_is_that_of_normal_scores():
    """Drawn in to their 10 and 90 % points, normal scores of variance 1 have a mean square of 0.67866."""
    from scipy import integrate, stats

    edge = stats.norm.ppf(0.9)
    inner, _ = integrate.quad(lambda z: z * z * stats.norm.pdf(z), -edge, edge)
    assert inner + 0.2 * edge**2 == pytest.approx(0.67866, abs=1e-5)


def test_scores_are_divided_by_the_spread_of_most_where_it_is_more_than_one(url):
    rng = np.random.default_rng(3)
    wide, narrow = rng.normal(0, 2, 60), rng.normal(0, 0.5, 60)
    wide[:2] = 15  # two who are far away do not widen what is usual
    given = [
        {"g": g, "unit": f"u{i:02}", "score": float(z)}
        for g, scores in (("narrow", narrow), ("wide", wide)) for i, z in enumerate(scores)
    ]  # fmt: skip
    found = run(url, SCALED, given)
    spread = {r["g"]: float(r["spread"]) for r in found}
    assert spread["narrow"] == 1
    assert spread["wide"] == pytest.approx(drawn_in(wide) / 0.67866, rel=1e-8)
    assert np.sqrt(spread["wide"]) == pytest.approx(2, rel=0.25)
    scaled = np.array([float(r["z"]) for r in found if r["g"] == "wide"])
    assert scaled == pytest.approx(wide / np.sqrt(spread["wide"]), abs=1e-6)
