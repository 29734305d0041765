"""Topic surges: the statistics against scipy and statsmodels, and what may and may not be judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats
from service_quality import analyse, ops
from service_quality.analyses import surges
from service_quality.analyses.base import Scope
from statsmodels.stats.multitest import multipletests

DAYS = surges.REACH + 60


def counts(contacts, **changes):
    """Series of one group and pool, all days measured and usual, beginning on a Monday."""
    y = np.asarray(contacts, dtype=np.int64)
    yes, zero = np.ones(y.shape, dtype=bool), np.zeros(len(y), dtype=np.int64)
    return replace(surges.Counts(y, yes, yes, np.arange(y.shape[1]) % 7, zero, zero), **changes)


def poisson(rng, mean, series=20, days=DAYS):
    return rng.poisson(mean, (series, days))


def test_p_is_the_tail_of_the_negative_binomial_and_the_score_its_mid_p():
    y, mu, alpha = np.array([[12, 0, 30, 7]]), np.array([[6.5, 2.0, 10.0, np.nan]]), np.array([[0.1, 0.02, 0.3, 0.1]])
    judged = ~np.isnan(mu)
    p, score, upper = surges._tail(y, mu, alpha, judged)
    for i in range(3):
        k = 1 / alpha[0, i]
        law = stats.nbinom(k, k / (k + mu[0, i]))
        assert law.var() == pytest.approx(mu[0, i] + alpha[0, i] * mu[0, i] ** 2)
        assert p[0, i] == pytest.approx(law.sf(y[0, i] - 1), rel=1e-12)
        assert stats.norm.sf(score[0, i]) == pytest.approx(law.sf(y[0, i]) + law.pmf(y[0, i]) / 2, rel=1e-6)
        assert law.cdf(upper[0, i]) >= 0.99 > law.cdf(upper[0, i] - 1)
    assert np.isnan([p[0, 3], score[0, 3], upper[0, 3]]).all()


@pytest.mark.parametrize("p", [[0.2], [0.01, 0.01, 0.04, 0.9], list(np.random.default_rng(1).uniform(size=50) ** 2)])
def test_q_is_statsmodels_benjamini_hochberg(p):
    assert surges.q_values(np.array(p)) == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_the_cusum_adds_scores_above_the_slack_and_begins_anew_after_an_alarm():
    z = np.array([[0.5, 2.0, 1.0, np.nan, 3.0, 1.0, -5.0, 1.75]])
    total, alarm = surges._cusum(z)
    assert total[0].tolist() == pytest.approx([0, 1.25, 1.5, np.nan, 3.75, 4.0, 0.0, 1.0], nan_ok=True)
    assert alarm[0].tolist() == [False] * 5 + [True] + [False] * 2


def test_the_cusum_of_a_day_knows_no_day_before_its_window():
    z = np.full((1, 60), 0.76)
    z[0, 0] = 4.0
    total, _ = surges._cusum(z)
    assert total[0, surges.CUSUM_DAYS - 1] == pytest.approx(3.25 + 0.01 * (surges.CUSUM_DAYS - 1))
    assert total[0, surges.CUSUM_DAYS] == pytest.approx(0.01 * surges.CUSUM_DAYS)


def test_findings_with_at_most_two_days_between_are_one_surge():
    found = np.array([[0, 1, 1, 0, 0, 1, 0, 0, 0, 1]], dtype=bool)
    assert surges._starts(found)[0].tolist() == [-1, 1, 1, -1, -1, 1, -1, -1, -1, 9]
    long = np.ones((1, 100), dtype=bool)
    assert surges._starts(long)[0, [0, surges.EPISODE_DAYS, 99]].tolist() == [0, 0, 99 - surges.EPISODE_DAYS]


def test_the_expectation_knows_level_and_weekday():
    factor = np.array([1.4, 1.2, 1.0, 1.0, 1.0, 0.8, 0.6])
    y = np.random.default_rng(2).poisson(20 * factor[np.arange(DAYS) % 7], (30, DAYS))
    found = surges.judge(counts(y))
    days = np.arange(surges.LOOK_BACK, DAYS)
    for weekday in range(7):
        mean = found.expected[:, days[days % 7 == weekday]].mean()
        assert mean == pytest.approx(20 * factor[weekday], rel=0.04)
    assert found.dispersion[:, days].mean() < 0.01


def test_dispersion_is_found_and_leans_half_on_the_pool():
    rng = np.random.default_rng(3)
    wild = rng.poisson(30 * rng.gamma(5, 1 / 5, (1, DAYS)))
    found = surges.judge(counts(np.concatenate([wild, poisson(rng, 30, 40)])))
    alpha = found.dispersion[:, -30:].mean(axis=1)
    assert alpha[0] == pytest.approx(0.5 * 0.2, abs=0.05)
    assert alpha[1:].mean() < 0.02


@pytest.mark.parametrize("mean", [5, 10, 20, 50, 100])
def test_what_cutting_off_takes_from_the_variance_is_made_up_for(mean):
    """Of a negative binomial with k = 12, by exact sums: what a fit with cut and down-weighted days finds."""
    chance = 12 / (12 + mean)
    y = np.arange(stats.nbinom.ppf(1 - 1e-12, 12, chance) + 2)
    share_of = stats.nbinom.pmf(y, 12, chance)
    median = stats.nbinom.median(12, chance)
    cut, weight = np.minimum(y, median + 3 * np.sqrt(median + median**2 / 10)), share_of
    for _ in range(3):
        level = (weight * cut).sum() / weight.sum()
        far = (y - level) / np.sqrt(level + level**2 / 12)
        weight = share_of * np.minimum(surges.FAR / np.maximum(far, surges.FAR), 1) ** 2
    left = (weight * (cut - level) ** 2).sum() / weight.sum()
    assert (mean + mean**2 / 12) / left == pytest.approx(surges.CUT_LOSS, abs=0.007)


def test_past_surges_do_not_raise_the_bar():
    rng = np.random.default_rng(4)
    calm = poisson(rng, 10, 40)
    surged = calm.copy()
    surged[:8, DAYS - 25 : DAYS - 21] *= 4
    surged[:8, DAYS - 12 : DAYS - 9] *= 4
    before, after = (surges.judge(counts(y)) for y in (calm, surged))
    assert after.expected[:8, -1].mean() == pytest.approx(before.expected[:8, -1].mean(), rel=0.15)
    assert after.upper[:8, -1].mean() < before.upper[:8, -1].mean() + 7
    plain = surged[:8, -59:-3].mean() / calm[:8, -59:-3].mean()
    assert plain > 1.35  # what a mean would make of it


def test_a_surge_is_found_on_its_days_and_in_its_series_only():
    y = poisson(np.random.default_rng(5), 10)
    first = DAYS - 20
    y[3, first : first + 3] = 30
    found = surges.judge(counts(y))
    is_found = (found.has_tail | found.has_cusum)[:, first - 5 : first + 10]
    assert np.flatnonzero(is_found[3]).tolist()[:3] == [5, 6, 7]
    assert set(found.start[3, first : first + 3]) == {first}
    assert is_found[np.arange(20) != 3].sum() <= 1


def test_few_contacts_or_little_more_are_no_surge_whatever_p_says():
    rng = np.random.default_rng(6)
    rare = (rng.random((20, DAYS)) < 0.01).astype(np.int64)
    rare[0, -1] = 4
    many = poisson(rng, 4000, 20)
    many[0, -1] = 5000
    for y in (rare, many):
        found = surges.judge(counts(y))
        assert found.q[0, -1] < 0.05 and not found.has_tail[0, -1] and not found.has_cusum[0, -1]
    rare[0, -1] = 5
    assert surges.judge(counts(rare)).has_tail[0, -1]


def test_days_that_are_not_loaded_are_neither_judged_nor_history():
    y = poisson(np.random.default_rng(7), 10)
    is_measured = np.ones(y.shape, dtype=bool)
    is_measured[0, -40:-20] = False
    y[0, -40:-20] = 0
    found = surges.judge(counts(y, is_measured=is_measured))
    assert np.isnan(found.p[0, -30]) and found.history[0, -1] == 56 - 20
    assert found.expected[0, -1] == pytest.approx(10, rel=0.15)
    is_measured[1, : DAYS - 30] = False  # 27 days before the guard band
    found = surges.judge(counts(y, is_measured=is_measured))
    assert found.history[1, -1] == 27 and np.isnan(found.p[1, -1])


def test_holidays_are_no_history_and_do_not_enter_the_cusum():
    y = poisson(np.random.default_rng(8), 10)
    is_usual = np.ones(y.shape, dtype=bool)
    is_usual[:, -10] = False
    y[:, -10] = 60
    found = surges.judge(counts(y, is_usual=is_usual))
    assert np.isnan(found.cusum[:, -10]).all() and not np.isnan(found.p[:, -10]).any()
    assert found.expected[:, -1].mean() == pytest.approx(10, rel=0.05)
    assert found.history[0, -1] == 55


def test_a_branch_that_is_closed_on_sundays_is_judged_by_its_open_days():
    rng = np.random.default_rng(9)
    y = poisson(rng, 10, 8)
    y[:, np.arange(DAYS) % 7 == 6] = 0
    open_ = poisson(rng, 10, 40)
    group = np.array([0] * 8 + [1] * 40)
    found = surges.judge(counts(np.concatenate([y, open_]), group=group))
    monday, sunday = (max(d for d in range(DAYS) if d % 7 == w) for w in (0, 6))
    assert found.expected[:8, monday].mean() == pytest.approx(10, rel=0.1)
    assert found.expected[:8, sunday].mean() < 2  # leans on the others
    assert (found.has_tail | found.has_cusum)[:8].sum() <= 2


def test_other_series_and_a_longer_past_do_not_change_the_digits():
    """A night reads the days it looks back on; a rebuild reads all of them."""
    y = poisson(np.random.default_rng(10), 6, 30, DAYS + 100)
    whole = surges.judge(counts(y))
    part = counts(y[:, 100:], weekday=(np.arange(DAYS) + 100) % 7)
    late = surges.judge(part)
    judged = slice(surges.REACH, None)
    for name in ("expected", "dispersion", "p", "q", "cusum", "start"):
        old, new = getattr(whole, name)[:, 100:][:, judged], getattr(late, name)[:, judged]
        if name == "start":
            old = np.where(old >= 0, old - 100, old)
        np.testing.assert_array_equal(old, new, err_msg=name)


TODAY = date(2026, 6, 1)


@pytest.fixture
def conn(database_url):
    with ops.connect(database_url) as connection:
        ops.prepare(connection)
        connection.execute(
            "create table intermediate.int_topic_days (branch_id text, topic_id text, coverage text,"
            " is_holiday boolean, contacts bigint, outage_contacts bigint, business_day date)"
        )
        connection.execute(
            "create table intermediate.int_outage_days (branch_id text, topic_id text, outage_id text,"
            " contacts bigint, business_day date)"
        )
        yield connection


def _fill(conn, last=TODAY, days=90, **special):
    """Branches a and b with 10 contacts of topic t a day, and '*'; ``special``: {'a_3': n} contacts 3 days ago."""
    rng = np.random.default_rng(12)
    for back in range(days):
        day, total = last - timedelta(days=back), 0
        for branch in ("a", "b"):
            n = special.get(f"{branch}_{back}", 8 + int(rng.integers(0, 5)))
            total += n
            conn.execute(
                "insert into intermediate.int_topic_days values (%s, 't', 'loaded', false, %s, 0, %s)", (branch, n, day)
            )
        conn.execute(
            "insert into intermediate.int_topic_days values ('*', 't', 'loaded', false, %s, 0, %s)", (total, day)
        )


def _calculate(conn, days=None):
    scope = Scope(days or [], TODAY, days is None)
    analyse.run(conn, scope, [surges.SURGES])
    return {
        (r["branch_id"], r["topic_id"], (TODAY - r["business_day"]).days): r
        for r in conn.execute("select * from intermediate.calculated_surges")
    }


@pytest.mark.postgres
def test_rows_say_what_was_found_where_and_since_when(conn):
    _fill(conn, a_2=40, a_1=38, a_0=12)
    rows = _calculate(conn)
    assert rows["a", "t", 89]["verdict"] == "not_enough_history" and rows["a", "t", 89]["expected"] is None
    one, two, after = (rows["a", "t", back] for back in (2, 1, 0))
    assert (one["verdict"], one["is_new"], one["surge_days"]) == ("surge", True, 1)
    assert (two["verdict"], two["is_new"], two["surge_days"]) == ("surge", False, 2)
    assert one["surge_id"] == two["surge_id"] == f"a|t|{TODAY - timedelta(days=2)}"
    assert one["excess"] == pytest.approx(40 - one["expected"]) and 25 < one["excess"] < 35
    assert after["verdict"] == "usual" and after["surge_id"] is None and after["is_new"] is None
    everywhere = rows["*", "t", 2]
    assert everywhere["verdict"] == "surge" and everywhere["leading_branch_id"] == "a"
    assert one["leading_branch_id"] is None and rows["b", "t", 2]["verdict"] == "usual"


@pytest.mark.postgres
def test_a_known_outage_suppresses_from_its_second_day_and_stays_visible(conn):
    """Of 30 too many, 20 are children of an outage that the first morning did not know yet."""
    _fill(conn, a_2=40, a_1=40, a_0=40)
    for back, children in ((2, 20), (1, 20), (0, 10)):
        day = TODAY - timedelta(days=back)
        conn.execute("insert into intermediate.int_outage_days values ('a', 't', 'o1', %s, %s)", (children, day))
        conn.execute("update intermediate.int_topic_days set outage_contacts = %s where business_day = %s"
                     " and branch_id in ('a', '*')", (children, day))  # fmt: skip
    rows = _calculate(conn)
    assert [rows["a", "t", b]["verdict"] for b in (2, 1, 0)] == ["surge", "known_outage", "surge"]
    assert [rows["a", "t", b]["known_outage_contacts"] for b in (2, 1, 0)] == [0, 20, 10]
    assert {rows["a", "t", b]["outage_id"] for b in (2, 1, 0)} == {"o1"}
    assert len({rows["a", "t", b]["surge_id"] for b in (2, 1, 0)}) == 1
    assert all(rows["a", "t", b]["detected_by"] for b in (2, 1, 0))
    assert rows["*", "t", 1]["verdict"] == "known_outage" and rows["*", "t", 1]["known_outage_contacts"] == 20


@pytest.mark.postgres
def test_a_partial_day_is_never_judged(conn):
    _fill(conn, a_0=60)
    conn.execute(
        "update intermediate.int_topic_days set coverage = 'partial' where branch_id = 'a' and business_day = %s",
        (TODAY,),
    )
    row = _calculate(conn)["a", "t", 0]
    assert (row["verdict"], row["contacts"], row["p_value"], row["surge_id"]) == ("partial", 60, None, None)


@pytest.mark.postgres
def test_a_topic_that_nobody_called_about_has_no_row(conn):
    _fill(conn)
    for back in range(90):
        conn.execute("insert into intermediate.int_topic_days values ('a', 'rare', 'loaded', false, %s, 0, %s)",
                     (int(back == 70), TODAY - timedelta(days=back)))  # fmt: skip
    rows = _calculate(conn)
    found = sorted(back for _, topic, back in rows if topic == "rare")
    assert found == list(range(70 - surges.LOOK_BACK, 71))


@pytest.mark.postgres
def test_nights_and_a_late_day_give_the_rows_of_a_rebuild(conn):
    _fill(conn, days=100, a_30=40, b_12=35, a_5=38, a_4=37)
    wanted = _calculate(conn)
    conn.execute("truncate intermediate.calculated_surges")
    conn.execute("create table held as select * from intermediate.int_topic_days")
    conn.execute("truncate intermediate.int_topic_days")
    late = TODAY - timedelta(days=30)
    for back in range(99, -1, -1):
        day = TODAY - timedelta(days=back)
        if day != late:
            conn.execute("insert into intermediate.int_topic_days select * from held where business_day = %s", (day,))
            if back < 40:
                analyse.run(conn, Scope([day], day, False), [surges.SURGES])
    conn.execute("insert into intermediate.int_topic_days select * from held where business_day = %s", (late,))
    found = _calculate(conn, [late])
    assert {k: v for k, v in wanted.items() if k[2] <= 30} == {k: v for k, v in found.items() if k[2] <= 30}


def test_the_marts_are_told_how_far_a_day_reaches():
    import yaml
    from service_quality.config import REPO

    text = (REPO / "dbt_project" / "models" / "marts" / "surges" / "surges.yml").read_text()
    reach = {m["name"]: m["config"]["meta"]["reach"] for m in yaml.safe_load(text)["models"]}
    assert reach["topic_surges"] == {"before": 0, "after": surges.REACH}
    assert reach["measures"] == {"before": 14, "after": surges.REACH + 56}
    assert (surges.SURGES.reach.before, surges.SURGES.reach.after) == (0, surges.REACH)
