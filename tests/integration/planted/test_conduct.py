"""Rude and slow operators are proposed for a review, the one who only looks bad is not, and nobody else is."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.postgres


def listed(stage, aspect):
    return {
        r["operator_id"]
        for r in stage.rows(
            f"select operator_id from marts.conduct_review where state = 'review' and aspect = '{aspect}'"
        )
    }


def test_the_planted_operators_are_listed_and_nobody_else(planted_stage, planted):
    assert listed(planted_stage, "rudeness") == set(planted["rude_operators"])
    assert listed(planted_stage, "slowness") == set(planted["slow_operators"])


def test_a_ranking_by_raw_figures_would_name_the_one_who_only_takes_hard_calls(planted_stage, planted, capsys):
    """Worst of all who are not rude by the share of low ratings; within the usual once his topics are counted."""
    one = planted["unfair_looking_operator"]["operator_id"]
    raw = planted_stage.rows(
        "select operator_id, avg(case when rating <= 2 then 1.0 else 0 end) as low from marts.fct_ratings"
        " where criterion = 'politeness' and rating is not null and operator_id is not null"
        " group by operator_id having count(*) >= 60 order by low desc, operator_id limit 3"
    )
    fair = planted_stage.rows(
        "select operator_id, state, score_latest, score_before, raw_place_latest, speaks_for from marts.conduct_review"
        f" where aspect = 'rudeness' and operator_id = '{one}'"
    )[0]
    with capsys.disabled():
        print(
            f"\nraw ranking, worst first: {[(r['operator_id'], round(float(r['low']), 3)) for r in raw]}; fair: {fair}"
        )
    assert one in {r["operator_id"] for r in raw}
    assert fair["state"] == "usual" and max(fair["score_latest"], fair["score_before"]) < 1.96
    assert "harder than usual" in fair["speaks_for"]


def test_who_is_listed_has_calls_to_listen_to(planted_stage, planted):
    for aspect, people in (("rudeness", planted["rude_operators"]), ("slowness", planted["slow_operators"])):
        for one in people:
            found = planted_stage.rows(
                "select what, contact_id from marts.conduct_evidence"
                f" where aspect = '{aspect}' and operator_id = '{one}'"
            )
            kinds = {r["what"] for r in found}
            wanted = {"low_rating", "rude_call", "complaint"} if aspect == "rudeness" else {"long_call"}
            assert wanted | {"ordinary_call"} <= kinds, (one, kinds)
            assert sum(r["contact_id"] is not None for r in found) >= 20
    others = planted_stage.rows(
        "select count(*) as n from marts.conduct_evidence as e left join marts.conduct_review as r"
        " on e.operator_id = r.operator_id and e.aspect = r.aspect and r.state = 'review' where r.operator_id is null"
    )
    assert others[0]["n"] == 0


def test_evidence_names_what_really_happened(planted_stage, planted):
    """Every rude call in a pack was heard as rude, every complaint was written about that operator's call."""
    heard = {e["evaluation_id"]: e for e in planted_stage.truth("evaluations")}
    complaints = {t["case_no"]: t for t in planted_stage.truth("tickets")}
    for row in planted_stage.rows("select * from marts.conduct_evidence where aspect = 'rudeness'"):
        if row["what"] == "rude_call":
            assert heard[row["item_id"]]["tone"] == "rude"
            assert heard[row["item_id"]]["operator_id"] == row["operator_id"]
        if row["what"] == "complaint":
            assert complaints[row["item_id"]]["kind"] == "complaint"
