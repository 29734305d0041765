"""The statistics macros against scipy and statsmodels on fixed cases, computed by the database."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from tests.dbt.computed import run

pytestmark = pytest.mark.postgres


def test_wilson_is_statsmodels_wilson(url):
    cases = [(0, 1), (1, 1), (0, 7), (5, 5), (3, 11), (49, 50), (450, 1000), (1, 100_000)]
    found = run(
        url, "select x, n, {{ wilson_low('x', 'n') }} as low, {{ wilson_high('x', 'n') }} as high from given",
        [{"x": x, "n": n} for x, n in [*cases, (0, 0)]],
    )  # fmt: skip
    for row, (x, n) in zip(found, cases, strict=False):
        assert (row["low"], row["high"]) == pytest.approx(proportion_confint(x, n, method="wilson"), abs=1e-7), (x, n)
    assert found[-1]["low"] is None


def test_normal_probabilities_are_scipys(url):
    points = [-45.0, -8.0, -3.0, -1.96, -0.5, 0.0, 0.1, 1.0, 2.5, 6.0, 40.0]
    found = run(
        url, "select {{ normal_cdf('z') }} as cdf, {{ two_sided_p('z') }} as p from given", [{"z": z} for z in points]
    )
    assert [r["cdf"] for r in found] == pytest.approx(stats.norm.cdf(points), abs=1e-12)
    for row, z in zip(found, points, strict=True):
        assert row["p"] == pytest.approx(2 * stats.norm.sf(min(abs(z), 37)), rel=1e-6, abs=1e-290), z


def test_no_score_has_no_probability(url):
    """Postgres' least() passes over nulls: without care a missing score becomes the most significant of all."""
    found = run(
        url,
        "select {{ normal_cdf('z') }} as cdf, {{ two_sided_p('z') }} as p"
        " from (select nullif(z, 1.0) as z from given) as g",
        [{"z": 1.0}],
    )  # fmt: skip
    assert found == [{"cdf": None, "p": None}]


def test_q_values_are_statsmodels_benjamini_hochberg(url):
    rng = np.random.default_rng(3)
    groups = {"a": rng.uniform(size=40) ** 3, "b": np.array([0.04, 0.04, 0.2]), "c": np.array([0.7])}
    given = [{"g": g, "no": n, "p": float(p)} for g, ps in groups.items() for n, p in enumerate(ps)]
    found = run(
        url,
        "with ranked as (select *, {{ ranked_p('p', 'g') }} from given)"
        " select g, no, {{ q_value('p', 'g') }} as q from ranked order by g, no",
        given,
    )
    for g, ps in groups.items():
        assert [r["q"] for r in found if r["g"] == g] == pytest.approx(multipletests(ps, method="fdr_bh")[1])


JUDGED = (
    "with counted as (select g, unit, kind, worse_is, least_n, n, x, expected, variance from given),"
    " {{ judged_ctes('counted', ['g'], 'unit') }} select * from judged order by g, unit"
)


def _rates(rng: np.random.Generator) -> list[dict[str, Any]]:
    n = rng.integers(30, 400, 40)
    n[:2] = 12, 29
    p = np.clip(rng.normal(0.2, 0.05, 40), 0.01, 0.9)
    x = rng.binomial(n, p)
    pooled = x.sum() / n.sum()
    return [
        {"g": "rate", "unit": f"u{i:02}", "kind": "rate", "worse_is": "high", "least_n": 30, "n": int(a), "x": int(b),
         "expected": float(a * pooled), "variance": float(a * pooled * (1 - pooled))}
        for i, (a, b) in enumerate(zip(n, x, strict=True))
    ]  # fmt: skip


def _between_variance(distance: np.ndarray, chance: np.ndarray) -> float:
    """DerSimonian and Laird's moment estimate around a known target, never below 0, plus its standard error."""
    weight = 1 / chance
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    freedom = len(chance) - 1
    return max(((weight * distance**2).sum() - freedom) / scale, 0) + np.sqrt(2 * freedom) / scale


def test_empirical_bayes_and_funnel_are_the_formulas_of_their_sources(url):
    given = _rates(np.random.default_rng(11))
    found = run(url, JUDGED, given)
    n, x = (np.array([r[k] for r in given], dtype=float) for k in ("n", "x"))
    pooled, units = x.sum() / n.sum(), len(n)
    v = pooled * (1 - pooled)
    s2 = (n * (x / n - pooled) ** 2).sum() / (units - 1)
    n0 = (n.sum() - (n**2).sum() / n.sum()) / (units - 1)
    m = max(v / ((s2 - v) / (n0 - 1)) - 1, 1)
    assert [r["eb_rate"] for r in found] == pytest.approx((x + m * pooled) / (n + m), abs=1e-8)
    assert [float(r["reliability_raw"]) for r in found] == pytest.approx(n / (n + m), abs=1e-8)
    enough = n >= 30
    expected = n * pooled
    z = 2 * np.sqrt(n + 0.5) * (
        np.arcsin(np.sqrt((x + 0.375) / (n + 0.75))) - np.arcsin(np.sqrt((expected + 0.375) / (n + 0.75)))
    )
    low, high = np.percentile(z[enough], [10, 90])
    left = stats.norm(0, 1).expect(lambda v: np.clip(v, *stats.norm.ppf([0.1, 0.9])) ** 2)
    weight, judged = 4 * n + 2, enough.sum()
    usual = ((np.clip(z[enough], low, high) ** 2).sum() / left - (judged - 1)) / (
        weight[enough].sum() - (weight[enough] ** 2).sum() / weight[enough].sum()
    )
    phi = 1 + max(usual, 0) * weight
    assert usual > 0 and [float(r["dispersion"]) for r in found] == pytest.approx(phi, rel=1e-4)
    assert [float(r["z"]) for r in found] == pytest.approx(z / np.sqrt(phi), abs=1e-4)
    chance = v / n
    between = _between_variance(x / n - pooled, chance)
    weight = between / (between + chance)
    adjusted = pooled + weight * (x / n - pooled)
    assert [float(r["eb_weight"]) for r in found] == pytest.approx(weight, abs=1e-6)
    assert [float(r["reliability"]) for r in found] == pytest.approx(np.minimum(weight, 1 - 1 / phi), abs=1e-4)
    assert [r["eb_adjusted_rate"] for r in found] == pytest.approx(adjusted, abs=1e-6)
    half = 1.959964 * np.sqrt(weight * chance * adjusted * (1 - adjusted) / v)
    assert [r["eb_high"] for r in found] == pytest.approx(adjusted + half, abs=1e-6)
    p = 2 * stats.norm.sf(np.abs(z / np.sqrt(phi))[enough])
    q = [r["q_value"] for r in found if r["q_value"] is not None]
    assert q == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-4)
    assert {r["verdict"] for r, e in zip(found, enough, strict=True) if not e} == {"not_enough_data"}
    assert all((r["place"] is None) == (r["reliability"] < 0.7 or not e) for r, e in zip(found, enough, strict=True))


def test_units_that_differ_by_chance_only_are_not_told_apart(url):
    same = [
        {"g": "rate", "unit": f"u{i}", "kind": "rate", "worse_is": "high", "least_n": 30, "n": 100, "x": 20 + i % 2,
         "expected": 20.5, "variance": 16.3}
        for i in range(6)
    ]  # fmt: skip
    found = run(url, JUDGED, same)
    assert {r["verdict"] for r in found} == {"not_distinguishable"}
    assert {float(r["reliability_raw"]) for r in found} == {0.0} and {r["place"] for r in found} == {None}
    assert {r["eb_rate"] for r in found} == {r["pooled_rate"] for r in found}
    # Six units are few: that they are all the same is not certain, so the interval has a width.
    assert all(0.01 < r["eb_high"] - r["pooled_rate"] < 0.06 for r in found), found


def test_what_has_no_score_has_no_p_value_and_does_not_help_others(url):
    """Nothing can be said of units that must count all of theirs; the others are 40 tests and not 43."""
    given = _rates(np.random.default_rng(11))
    sure = [
        {"g": "rate", "unit": f"v{i}", "kind": "rate", "worse_is": "high", "least_n": 30, "n": 50, "x": 50,
         "expected": 50.0, "variance": 0.0}
        for i in range(3)
    ]  # fmt: skip
    found = run(url, JUDGED, given + sure)
    assert {(r["p_value"], r["q_value"], r["verdict"]) for r in found if r["unit"] >= "v"} == {
        (None, None, "not_enough_data")
    }
    tested = [r for r in found if r["p_value"] is not None]
    q = multipletests([float(r["p_value"]) for r in tested], method="fdr_bh")[1]
    assert [float(r["q_value"]) for r in tested] == pytest.approx(q, abs=1e-9)


AGREED = (
    "with counted as (select g, class_a, class_b, n from given), {{ kappa_ctes('counted', ['g']) }}"
    " select * from agreed order by g"
)
TABLES = {
    "a fair": [[12, 7, 3], [9, 30, 14], [2, 11, 40]],
    "b reversed": [[0, 2, 20], [3, 9, 4], [25, 1, 0]],
    "c empty cells": [[5, 0, 0], [0, 7, 1], [0, 0, 9]],
    "d no middle": [[14, 0, 6], [0, 0, 0], [3, 0, 27]],
    "e a one-sided rater": [[4, 11, 35], [0, 0, 0], [0, 0, 0]],
}


def _cells(tables: dict[str, list[list[int]]]) -> list[dict[str, Any]]:
    return [
        {"g": g, "class_a": a, "class_b": b, "n": n}
        for g, table in tables.items() for a, row in enumerate(table, 1) for b, n in enumerate(row, 1) if n
    ]  # fmt: skip


def test_weighted_kappa_and_its_interval_are_statsmodels(url):
    found = run(url, AGREED, _cells(TABLES))
    for row, (name, table) in zip(found, TABLES.items(), strict=True):
        assert row["g"] == name and row["cases"] == np.sum(table) and row["agreed_cases"] == np.trace(table)
        for kind in ("linear", "quadratic"):
            wanted = cohens_kappa(np.array(table), wt=kind)
            assert row[f"kappa_{kind}"] == pytest.approx(wanted.kappa, abs=1e-8), (name, kind)
            if wanted.var_kappa > 1e-9:
                assert row[f"kappa_{kind}_low"] == pytest.approx(max(wanted.kappa_low, -1), abs=1e-6), (name, kind)
                assert row[f"kappa_{kind}_high"] == pytest.approx(min(wanted.kappa_upp, 1), abs=1e-6), (name, kind)


def test_kappa_of_raters_who_always_say_the_same_is_not_defined_and_complete_agreement_has_no_interval(url):
    tables = {"a": [[0, 0, 0], [0, 0, 0], [0, 0, 8]], "b": [[3, 0, 0], [0, 4, 0], [0, 0, 5]]}
    same, complete = run(url, AGREED, _cells(tables))
    assert (same["cases"], same["agreed_cases"], same["kappa_linear"], same["kappa_linear_low"]) == (8, 8, None, None)
    assert (complete["kappa_linear"], complete["kappa_quadratic"], complete["kappa_linear_high"]) == (1, 1, None)


def test_rank_correlation_is_scipys_with_ties_and_gaps(url):
    rng = np.random.default_rng(5)
    x = rng.normal(size=25)
    groups = {
        "a": (x, x + rng.normal(size=25)),
        "b ties": (rng.integers(1, 4, 30).astype(float), rng.integers(1, 6, 30).astype(float)),
        "c few": (np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 1.0, 4.0, 3.0])),
        "d complete": (np.arange(12.0), -np.arange(12.0) ** 3),
        "e one value": (np.arange(12.0), np.full(12, 4.2)),
    }
    given = [
        {"g": g, "x": float(a), "y": float(b)}
        for g, (xs, ys) in groups.items() for a, b in zip(xs, ys, strict=True)
    ]  # fmt: skip
    text = (
        "with points as (select g, x, y from given union all select 'a', 3.5, null),"
        " {{ spearman_ctes('points', ['g'], 'x', 'y') }} select * from correlated order by g"
    )
    found = {r["g"]: r for r in run(url, text, given)}
    for g, (xs, ys) in groups.items():
        row = found[g]
        assert row["points"] == len(xs)
        if g == "e one value":
            assert row["spearman"] is None and row["spearman_low"] is None
            continue
        r = stats.spearmanr(xs, ys).statistic
        assert row["spearman"] == pytest.approx(r, abs=1e-8), g
        if g in ("c few", "d complete"):
            assert row["spearman_low"] is None and row["spearman_high"] is None
        else:
            half = 1.959964 * np.sqrt((1 + r * r / 2) / (len(xs) - 3))
            limits = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
            assert (row["spearman_low"], row["spearman_high"]) == pytest.approx(limits, abs=1e-7), g


def test_a_mean_is_judged_by_the_variance_within(url):
    given = [
        {"g": "mean", "unit": f"u{i:02}", "kind": "mean", "worse_is": "high", "least_n": 30, "n": 100,
         "x": 100 * (5.0 + (0.8 if i == 0 else 0.05 * (-1) ** i)), "expected": 500.0, "variance": 25.0}
        for i in range(30)
    ]  # fmt: skip
    found = run(url, JUDGED, given)
    assert found[0]["verdict"] == "worse" and {r["verdict"] for r in found[1:]} == {"usual"}
    assert found[0]["z"] > 10 and found[0]["wilson_low"] == pytest.approx(5.8 - 1.959964 * 0.05, abs=1e-6)


def test_expected_by_case_mix_falls_back_to_the_parent_cell(url):
    """60 easy contacts at 10 %, 60 hard at 50 %; the 20 of a rare kind go by their topic as a whole."""
    given = [
        {"m": "x", "unit": "a", "topic": "easy", "channel": "call", "n": 60, "x": 6, "x2": 6},
        {"m": "x", "unit": "b", "topic": "hard", "channel": "call", "n": 60, "x": 30, "x2": 30},
        {"m": "x", "unit": "b", "topic": "hard", "channel": "chat", "n": 20, "x": 2, "x2": 2},
    ]
    found = run(
        url, "{{ expected_by_case_mix('given', ['m'], 'unit', ['topic', 'channel']) }} order by unit", given
    )
    a, b = found
    assert float(a["expected"]) == pytest.approx(6)
    assert float(b["expected"]) == pytest.approx(30 + 20 * 32 / 80)
    assert float(b["share_at_full_detail"]) == pytest.approx(0.75)
    assert float(a["variance"]) == pytest.approx(60 * (6 - 36 / 60) / 59)


def test_a_few_far_off_lend_nobody_a_place(url):
    """57 alike, 3 far off: the spread between all is large, that between the 57 is chance."""
    rng = np.random.default_rng(5)
    x = np.r_[rng.binomial(100, 0.2, 57), [70, 75, 80]]
    pooled = x.sum() / 6000
    given = [
        {"g": "rate", "unit": f"u{i:02}", "kind": "rate", "worse_is": "high", "least_n": 30, "n": 100, "x": int(a),
         "expected": float(100 * pooled), "variance": float(100 * pooled * (1 - pooled))}
        for i, a in enumerate(x)
    ]  # fmt: skip
    found = run(url, JUDGED, given)
    assert {r["verdict"] for r in found[:57]} == {"usual"} and {r["verdict"] for r in found[57:]} == {"worse"}
    assert min(r["eb_weight"] for r in found) > 0.7 > max(r["reliability"] for r in found)
    assert {r["place"] for r in found} == {None}


def test_a_case_mix_of_sure_contacts_has_less_chance_than_one_of_equal_chances(url):
    """Half of the contacts fail with 5 %, half with 55 %: their sum varies less than 100 contacts at 30 %."""
    base = {"g": "rate", "kind": "rate", "worse_is": "high", "least_n": 30, "n": 100, "expected": 30.0}
    given = [
        {**base, "unit": f"u{i:02}", "x": 25 + 10 * (i % 2), "variance": 50 * 0.05 * 0.95 + 50 * 0.55 * 0.45}
        for i in range(20)
    ]
    found = run(url, JUDGED, given)
    plain = 2 * np.sqrt(100.5) * (np.arcsin(np.sqrt(25.375 / 100.75)) - np.arcsin(np.sqrt(30.375 / 100.75)))
    evenness = 100 * 0.3 * 0.7 / given[0]["variance"]
    assert float(found[0]["z_plain"]) == pytest.approx(plain * np.sqrt(evenness), abs=1e-6)


def test_chance_follows_the_own_case_mix(url):
    """Of two units as far above their expectation, the one whose contacts seldom fail is the less certain."""
    given = [
        {"g": "rate", "unit": f"u{i:02}", "kind": "rate", "worse_is": "high", "least_n": 30, "n": 200,
         "x": round(e * 200 * f), "expected": e * 200, "variance": 200 * e * (1 - e)}
        for i, (e, f) in enumerate([(0.05, 1.5), (0.4, 1.5), *[(0.2, 0.8 + 0.4 * (i % 2)) for i in range(30)]])
    ]  # fmt: skip
    easy, hard = run(url, JUDGED, given)[:2]
    assert easy["adjusted_rate"] == pytest.approx(hard["adjusted_rate"])
    assert easy["eb_weight"] < 0.5 < hard["eb_weight"] and easy["eb_adjusted_rate"] < hard["eb_adjusted_rate"]


def test_one_unit_alone_has_no_interval_and_no_verdict(url):
    given = [{"g": "rate", "unit": "u", "kind": "rate", "worse_is": "high", "least_n": 30, "n": 100, "x": 30,
              "expected": 30.0, "variance": 21.0}]  # fmt: skip
    (found,) = run(url, JUDGED, given)
    assert found["eb_low"] is None and found["place"] is None and found["verdict"] == "not_distinguishable"


def test_false_discoveries_are_controlled_over_the_family(url):
    """Two measures of 20 units each: one q-value over all 40 where a reader sees both."""
    rng = np.random.default_rng(2)
    given = [
        {"g": g, "unit": f"u{i:02}", "kind": "rate", "worse_is": "high", "least_n": 30, "n": 200,
         "x": int(rng.binomial(200, 0.2 + 0.2 * (i == 0))), "expected": 41.0, "variance": 32.6}
        for g in ("a", "b") for i in range(20)
    ]  # fmt: skip
    text = JUDGED.replace("g, unit, kind,", "1 as all_of_it, g, unit, kind,", 1).replace(
        "['g'], 'unit')", "['all_of_it', 'g'], 'unit', family=['all_of_it'])"
    )
    found = run(url, text, given)
    p = np.array([r["p_value"] for r in found])
    assert [r["q_value"] for r in found] == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-9)
