"""Survival and risk ratios in SQL against statsmodels on fixed cases; and the words the retention marts may not use."""

from __future__ import annotations

import re

import numpy as np
import pytest
import yaml
from service_quality import transform
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.contingency_tables import StratifiedTable

from tests.dbt.computed import run

FOLDERS = ("macros", "models/intermediate", "models/marts")


@pytest.mark.postgres
def test_survival_is_statsmodels_kaplan_meier(url):
    rng = np.random.default_rng(5)
    days = rng.integers(1, 91, 300)
    left = rng.random(300) < 0.3
    given = [{"g": "a", "followed_days": int(d), "event": int(e)} for d, e in zip(days, left, strict=True)]
    given += [{"g": "b", "followed_days": d, "event": 1} for d in (3, 7, 7)]  # all of them leave
    found = run(
        url,
        "with entries as (select g, followed_days, event = 1 as is_event from given),"
        " {{ survival_ctes('entries', ['g']) }}"
        " select *, {{ survival_limit('survived', 'greenwood', '-') }} as low,"
        " {{ survival_limit('survived', 'greenwood', '+') }} as high from survival order by g, followed_days",
        given,
    )
    wanted = SurvfuncRight(days, left.astype(int))
    at = {int(r["followed_days"]): r for r in found if r["g"] == "a"}
    for day, survived, error, n in zip(
        wanted.surv_times, wanted.surv_prob, wanted.surv_prob_se, wanted.n_risk, strict=True
    ):
        row = at[int(day)]
        assert row["survived"] == pytest.approx(survived, abs=1e-9)
        assert survived * np.sqrt(row["greenwood"]) == pytest.approx(error, abs=1e-9)
        assert int(row["at_risk"]) == n
    low, high = wanted.quantile_ci(0.1, method="cloglog")
    below = [int(d) for d, r in at.items() if r["low"] is not None and r["low"] < 0.1 < r["high"]]
    assert min(below) >= low - 1 and max(below) <= high + 1, "the limits invert statsmodels' interval of the quantile"
    everybody = [r for r in found if r["g"] == "b"]
    assert [r["survived"] for r in everybody] == [pytest.approx(2 / 3), 0]
    assert everybody[-1]["greenwood"] is None and everybody[-1]["low"] is None


@pytest.mark.postgres
def test_the_risk_ratio_is_mantel_and_haenszels_with_greenland_and_robins_variance(url):
    strata = [(40, 6, 400, 20), (25, 5, 180, 15), (60, 4, 900, 31), (5, 0, 50, 2), (0, 0, 70, 3)]
    given = [{"g": "a", "n1": a, "x1": b, "n0": c, "x0": d} for a, b, c, d in strata]
    given.append({"g": "b", "n1": 9, "x1": 0, "n0": 90, "x0": 4})
    found = run(url, "select * from ({{ risk_ratio('given', ['g']) }}) as t order by g", given)
    tables = [np.array([[x1, n1 - x1], [x0, n0 - x0]]) for n1, x1, n0, x0 in strata[:-1]]
    assert np.exp(found[0]["log_ratio"]) == pytest.approx(StratifiedTable(tables).riskratio_pooled, abs=1e-9)
    n1, x1, n0, x0 = np.array(strata[:-1], dtype=float).T
    n = n1 + n0
    variance = ((n1 * n0 * (x1 + x0) - x1 * x0 * n) / n**2).sum() / ((x1 * n0 / n).sum() * (x0 * n1 / n).sum())
    assert found[0]["log_ratio_deviation"] == pytest.approx(np.sqrt(variance), abs=1e-9)
    assert (found[0]["matched"], found[0]["others"]) == (130, 1530)
    assert found[1]["log_ratio"] is None and found[1]["other_share"] is not None


def test_one_stratum_is_the_ratio_of_two_shares_with_the_usual_variance():
    """The formula checked above has the known special case: 1/x1 - 1/n1 + 1/x0 - 1/n0."""
    n1, x1, n0, x0 = 40.0, 6.0, 400.0, 20.0
    n = n1 + n0
    general = ((n1 * n0 * (x1 + x0) - x1 * x0 * n) / n**2) / ((x1 * n0 / n) * (x0 * n1 / n))
    assert general == pytest.approx(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0)


def test_retention_never_claims_a_cause():
    claims = re.compile(
        r"\b(because|causes?|caused|causing|due to|leads? to|led to|makes? (?:them|people|subscribers) leave|"
        r"results? in|prevents?|reason for leaving|as a result)\b",
        re.IGNORECASE,
    )  # fmt: skip
    looked = 0
    for folder in FOLDERS:
        for path in sorted((transform.PROJECT / folder).glob("**/retention/*")):
            found = claims.search(path.read_text())
            assert not found, f"{path.name}: {found}"
            looked += 1
    for name in ("retention_by_experience", "subscribers_at_risk"):
        path = transform.PROJECT.parent / "expectations" / "marts" / f"{name}.yml"
        assert not claims.search(path.read_text()), path.name
    seed = (transform.PROJECT / "seeds" / "retention_reasons.csv").read_text()
    assert not claims.search(seed)
    contract = yaml.safe_load((transform.PROJECT / "models/marts/retention/retention.yml").read_text())
    assert "not why" in str(contract) and looked > 8
