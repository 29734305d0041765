"""Ratings and listening: who dodges ratings, and which listener stands apart, are found where they belong."""

from __future__ import annotations

from collections import Counter, defaultdict


def test_the_operator_who_lets_callers_hang_up_is_flagged_and_nobody_else(planted_stage, planted):
    flagged = planted_stage.rows(
        "select distinct grain, grain_id, reading from marts.quality_line_offers where is_flagged"
    )
    assert flagged == [
        {"grain": "operator", "grain_id": planted["rating_dodger"], "reading": "lets_the_subscriber_hang_up"}
    ]


def test_the_funnel_is_what_happened(planted_stage):
    """Eligible, asked and who hung up first, by operator, against the calls as they happened."""
    happened: dict[str, Counter[str]] = defaultdict(Counter)
    asked = {r["contact_no"] for r in planted_stage.truth("ratings")}
    last = {}
    for visit in planted_stage.truth("visits"):
        if visit["outcome"] == "answered":
            last[visit["contact_no"]] = visit
    for contact in planted_stage.truth("contacts"):
        visit = last.get(contact["contact_no"])
        if visit is None or contact["outcome"] != "answered" or not int(visit["talk_seconds"] or 0):
            continue
        own = happened[visit["operator_id"]]
        own["eligible"] += 1
        own["asked"] += contact["contact_no"] in asked
        own[visit["ended_by"]] += 1
    found = planted_stage.rows(
        "select grain_id, sum(calls_eligible) as eligible, sum(calls_eligible_asked) as asked,"
        " sum(calls_ended_by_operator) as agent, sum(calls_ended_by_subscriber) as caller,"
        " sum(calls_asked_not_eligible) as beside, sum(calls_asked_unmatched) as unmatched"
        " from marts.quality_line_daily where grain = 'operator' group by grain_id"
    )
    total: Counter[str] = Counter()
    differing = 0
    for row in found:
        own = happened[row["grain_id"]]
        for part in ("eligible", "asked", "agent", "caller"):
            total[part] += abs(int(row[part]) - own[part])
            total[f"all {part}"] += own[part]
        differing += int(row["beside"]) - int(row["unmatched"])
    assert total["all eligible"] > 40_000 and total["all asked"] > 15_000
    for part in ("eligible", "asked", "agent", "caller"):  # a few calls are not matched, or fall to the next day
        assert total[part] <= 0.005 * total[f"all {part}"], (part, total)
    assert differing == 0


def test_the_harsh_listener_stands_apart_from_the_subscribers(planted_stage, planted):
    rows = planted_stage.rows(
        "select grain_id, gap_mean_low, gap_mean_high, low_audit_high_rating"
        " from marts.audit_vs_subscriber where grain = 'listener'"
    )
    harsh = next(r for r in rows if r["grain_id"] == planted["biased_listener"])
    others = [r for r in rows if r is not harsh]
    assert len(others) == 4
    assert harsh["gap_mean_high"] < min(r["gap_mean_low"] for r in others) - 5
    assert harsh["low_audit_high_rating"] > 5 * max(r["low_audit_high_rating"] for r in others)


def test_rude_operators_are_low_in_both_views_although_one_listener_is_harsh(planted_stage, planted):
    rows = planted_stage.rows(
        "select grain_id, operator_audit_eb, operator_opinion_eb from marts.audit_vs_subscriber"
        " where grain = 'operator'"
    )
    for view in ("operator_audit_eb", "operator_opinion_eb"):
        lowest = {r["grain_id"] for r in sorted(rows, key=lambda r: r[view])[:3]}
        assert set(planted["rude_operators"]) <= lowest, (view, lowest)
    (all_of_them,) = planted_stage.rows(
        "select operators_correlated, spearman, spearman_low from marts.audit_vs_subscriber where grain = 'provider'"
    )
    assert all_of_them["operators_correlated"] >= 55 and all_of_them["spearman_low"] > 0
