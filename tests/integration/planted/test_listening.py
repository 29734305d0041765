"""What listened calls say is what happened: the harsh listener, the rude operators, and the shares of all calls."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest

pytestmark = pytest.mark.postgres

PER_DAY, TARGETED, FLOOR, FLOOR_DAYS = 28, 6, 2, 4
LISTENER_IS_RIGHT = 0.94  # whether the call solved the question


def judged_solved(share: float) -> float:
    """The share that listeners call solved where ``share`` was."""
    return LISTENER_IS_RIGHT * share + (1 - LISTENER_IS_RIGHT) * (1 - share)


@pytest.fixture(scope="module")
def solved(planted_stage):
    """Whether each call that could be listened to was solved, with its attributes."""
    truth = {(t["server_id"], t["linkedid"]): t["solved"] == "1" for t in planted_stage.truth("contacts")}
    return [
        {**row, "solved": truth[row["server_id"], row["linkedid"]]}
        for row in planted_stage.rows(
            "select pool.*, contacts.server_id, contacts.linkedid from intermediate.int_listening_pool as pool"
            " join marts.fct_contacts as contacts using (contact_id)"
        )
    ]


def test_the_harsh_listener_is_found_and_nobody_else(planted_stage, planted):
    found = {r["evaluator_id"]: r for r in planted_stage.rows("select * from marts.calibration_listeners")}
    assert {n for n, r in found.items() if r["verdict"] != "usual"} == {planted["biased_listener"]}
    harsh = found.pop(planted["biased_listener"])
    assert harsh["verdict"] == "harsh" and harsh["bias_low"] < -22 < harsh["bias_high"]
    assert all(r["bias_low"] < 3 and r["bias_high"] > -3 for r in found.values())
    # By the plain difference to the others two colleagues look lenient: they share most calls with him.
    assert sum(r["loo_difference"] > 5 for r in found.values()) >= 2


def test_listeners_agree_about_what_happened_and_not_about_points(planted_stage):
    found = {r["criterion_id"]: r for r in planted_stage.rows("select * from marts.calibration")}
    assert found["(solved)"]["alpha"] > 0.6
    assert found["politeness"]["verdict"] == "recalibrate" and found["politeness"]["listeners"] == 5
    assert found["disclosure"]["verdict"] == "too_rare" and found["disclosure"]["exact_share"] > 0.95


@pytest.mark.parametrize("measure", ["score", "score_raw", "rude"])
def test_the_rude_operators_are_worse_and_nobody_else(planted_stage, planted, measure):
    found = planted_stage.rows(
        f"select * from marts.operator_listening_quality where level = 'operator' and measure = '{measure}'"
    )
    assert {r["unit_id"] for r in found if r["verdict"] == "worse"} == set(planted["rude_operators"])
    assert all(r["place"] is None for r in found if r["reliability"] < 0.7)


def test_the_plan_keeps_its_capacity_and_its_floor(planted_stage):
    days = planted_stage.rows("select business_day, stream, count(*) as n from marts.listening_plan group by 1, 2")
    assert {r["stream"] for r in days} == {"sample", "targeted"}
    assert all(r["n"] <= (PER_DAY if r["stream"] == "sample" else TARGETED) for r in days)
    assert sum(r["n"] for r in days if r["stream"] == "sample") > 0.97 * PER_DAY * len(days) / 2
    months = planted_stage.rows(
        "select operator_id, month_start, count(distinct business_day) as days, count(*) filter (where is_drawn) as n"
        " from intermediate.int_listening_draw group by 1, 2"
    )
    enough = [r for r in months if r["days"] >= FLOOR * FLOOR_DAYS]
    assert len(enough) > 150 and all(r["n"] >= FLOOR for r in enough)


def test_the_planned_sample_stands_for_all_calls(planted_stage, solved):
    """Shares and means over all calls, from the planned calls weighted by 1 / pi: within four standard errors."""
    pi = {r["contact_id"]: r["pi"] for r in planted_stage.rows(
        "select contact_id, pi from marts.listening_plan where stream = 'sample'"
    )}  # fmt: skip
    for worth in (lambda r: r["solved"], lambda r: r["talk_seconds"], lambda r: r["length_band"] == "long"):
        whole = sum(map(worth, solved)) / len(solved)
        weights = [(1 / pi[r["contact_id"]], worth(r)) for r in solved if r["contact_id"] in pi]
        total = sum(w for w, _ in weights)
        found = sum(w * y for w, y in weights) / total
        error = math.sqrt(sum((w * (y - found)) ** 2 for w, y in weights)) / total
        assert abs(found - whole) < 4 * error
        assert total == pytest.approx(len(solved), rel=0.1)


def test_intervals_cover_the_truth_about_as_often_as_they_say(planted_stage, solved):
    """The solved share of every branch and topic and month, which nobody but the simulation knows."""
    happened = defaultdict(list)
    for row in solved:
        happened["branch", row["branch_id"], row["month_start"]].append(row["solved"])
        happened["topic", row["topic_id"], row["month_start"]].append(row["solved"])
    judged = covered = 0
    for row in planted_stage.rows(
        "select * from marts.listening_quality_monthly where measure = 'solved' and calls_heard >= 10"
    ):
        calls = happened[row["level"], row["unit_id"], row["business_day"]]
        assert len(calls) == row["calls"]
        judged += 1
        covered += row["estimate_low"] <= judged_solved(sum(calls) / len(calls)) <= row["estimate_high"]
    assert judged > 60 and 0.88 <= covered / judged <= 1


def test_every_evaluation_counts_once_with_its_items(planted_stage):
    (total,) = planted_stage.rows(
        "select count(distinct evaluation_id) as evaluations, count(*) filter (where not is_in_means) as apart,"
        " (select count(*) from marts.fct_evaluations where items > 0) as facts from marts.evaluations"
    )
    assert total["evaluations"] == total["facts"] and total["apart"] == 0
