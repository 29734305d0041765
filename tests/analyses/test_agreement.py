"""Krippendorff's alpha against the published example, and by the definition on random data."""

from __future__ import annotations

import numpy as np
import pytest
from service_quality.analyses import agreement

# Krippendorff's data "C" (2011, Computing Krippendorff's Alpha-Reliability): four coders, twelve units.
CODERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
UNITS = [[float(x) for x in unit if x is not None] for unit in zip(*CODERS, strict=True)]


@pytest.mark.parametrize(("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_krippendorffs(metric, published):
    assert agreement.alpha(UNITS, metric) == pytest.approx(published, abs=0.0005)


def by_definition(units, distance):
    """1 - Do / De, pair by pair."""
    units = [u for u in units if len(u) > 1]
    values = [x for u in units for x in u]
    n = len(values)
    observed = sum(
        distance(a, b, values) / (len(u) - 1) for u in units for i, a in enumerate(u) for j, b in enumerate(u) if i != j
    ) / n
    expected = sum(
        distance(a, b, values) for i, a in enumerate(values) for j, b in enumerate(values) if i != j
    ) / (n * (n - 1))
    return 1 - observed / expected


def ordinal(a, b, values):
    low, high = min(a, b), max(a, b)
    between = sum(low <= x <= high for x in values)
    return (between - (values.count(a) + values.count(b)) / 2) ** 2


DISTANCES = {
    "nominal": lambda a, b, _: float(a != b), "interval": lambda a, b, _: (a - b) ** 2, "ordinal": ordinal,
}  # fmt: skip


@pytest.mark.parametrize("metric", DISTANCES)
def test_alpha_is_its_definition(metric):
    rng = np.random.default_rng(5)
    units = [list(rng.integers(0, 6, rng.integers(1, 5)).astype(float)) for _ in range(40)]
    assert agreement.alpha(units, metric) == pytest.approx(by_definition(units, DISTANCES[metric]))


def test_alpha_is_one_when_all_agree_and_about_zero_when_nobody_does():
    rng = np.random.default_rng(6)
    assert agreement.alpha([[1, 1], [2, 2, 2]], "ordinal") == 1
    assert abs(agreement.alpha(rng.integers(0, 5, (4000, 3)).astype(float).tolist(), "ordinal")) < 0.03


@pytest.mark.parametrize("units", [[], [[1.0]], [[1.0], [2.0]], [[3.0, 3.0], [3.0, 3.0]]])
def test_there_is_no_alpha_where_nothing_is_paired_or_nothing_varies(units):
    assert agreement.alpha(units, "ordinal") is None
    assert agreement.bootstrap(units, "ordinal", 1) is None


def test_another_metric_is_refused():
    with pytest.raises(ValueError, match="'cosine' is no metric"):
        agreement.alpha(UNITS, "cosine")


def test_the_interval_is_the_same_for_the_same_seed_and_holds_alpha():
    low, high = agreement.bootstrap(UNITS, "ordinal", 3)
    assert (low, high) == agreement.bootstrap(UNITS, "ordinal", 3) != agreement.bootstrap(UNITS, "ordinal", 4)
    assert low < agreement.alpha(UNITS, "ordinal") < high


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """Two listeners, true score plus noise of the same size: alpha (interval) is 0.5."""
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(200):
        units = (rng.normal(size=(60, 1)) + rng.normal(size=(60, 2))).tolist()
        low, high = agreement.bootstrap(units, "interval", 1, replicates=300)
        hits += low <= 0.5 <= high
    assert hits >= 180


def test_pairs_are_counted_once():
    assert agreement.pair_agreement([[1, 1, 2], [5, 7]]) == (4, 1, 3)


def test_the_commonest_value_is_found():
    assert agreement.commonest_share([[1, 1], [1, 0]]) == 0.75


def test_of_one_listener_the_latest_judgement_counts_and_single_judgements_say_nothing():
    heard = [("c1", "a", 1.0), ("c1", "a", 3.0), ("c1", "b", 3.0), ("c2", "a", 1.0), ("c3", "a", 1.0), ("c3", "b", 1.0)]
    (row,) = agreement._row("politeness", "item", "ordinal", heard)
    assert row[3:7] == (2, 2, 4, 1.0) and row[9:12] == (2, 2, 2)
    assert list(agreement._row("politeness", "item", "ordinal", [("c1", "a", 1.0)])) == []
