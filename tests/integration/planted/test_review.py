"""What was planted about leaving, and for the weekly review, is found."""

from __future__ import annotations

from datetime import date, timedelta
from statistics import NormalDist

import pytest
from service_quality import ops, reports
from service_quality.analyses import words

pytestmark = pytest.mark.postgres


def cells(stage, window: int) -> dict[tuple[str, str], dict]:
    rows = stage.rows(f"select * from marts.retention_by_experience where window_days = {window}")
    return {(r["experience"], r["band"]): r for r in rows}


def test_every_planted_end_of_a_contract_is_known(planted_stage):
    end = planted_stage.window(date(2026, 11, 8), date(2026, 11, 8)).end.strftime("%Y-%m-%dT%H:%M:%SZ")
    wanted = {r["subscriber_id"]: r["left_on"] for r in planted_stage.truth("churn") if r["entered_at"] < end}
    rows = planted_stage.rows("select subscriber_id, left_on from marts.dim_subscriber where left_on is not null")
    found = {r["subscriber_id"]: r["left_on"].isoformat() for r in rows}
    assert len(wanted) > 800
    assert {k: v for k, v in wanted.items() if found.get(k) != v} == {}


def test_nobody_planted_to_leave_is_heard_of_afterwards(planted_stage):
    left = {r["subscriber_id"]: r["left_on"] for r in planted_stage.truth("churn")}
    late = [
        c for c in planted_stage.truth("contacts")
        if c["subscriber_id"] in left and c["business_day"] >= left[c["subscriber_id"]]
    ]  # fmt: skip
    assert late == []


def test_bad_experiences_are_followed_by_more_leaving_than_quiet_months(planted_stage):
    """What can be seen of "not solved" is a part of what was: the ratio lies between 1 and the planted 3."""
    found = cells(planted_stage, 30)
    for cell in (("solved", "not_solved"), ("rating", "low"), ("repeat", "third_or_more")):
        row = found[cell]
        assert row["verdict"] == "more_than_quiet" and 1.2 < row["lift_low"] < row["lift"] < 3.0, (cell, row)
    assert found["solved", "not_solved"]["lift"] > found["solved", "solved"]["lift"]
    assert found["repeat", "third_or_more"]["lift"] > found["repeat", "first"]["lift"]


def test_the_quiet_leave_at_the_planted_base_rate(planted_stage, planted):
    """1.5 % in 30 days, more for those with an experience of the weeks before, and the few that move away anyway."""
    row = cells(planted_stage, 30)["any", "any_contact"]
    base = 1 - (1 - planted["churn"]["base_per_day"]) ** 30
    assert base < row["quiet_churn_share"] < 2 * base
    assert row["quiet_churn_share"] < row["churn_share"] < 3 * base


def test_open_windows_give_the_same_picture_as_closed_ones(planted_stage):
    for row in cells(planted_stage, 30).values():
        if (row["subscribers"] or 0) >= 500:
            assert row["churn_share_low"] < row["survival_churn_share"] < row["churn_share_high"], row


def test_the_list_of_subscribers_at_risk_is_of_customers_with_a_known_reason(planted_stage):
    rows = planted_stage.rows("select * from marts.subscribers_at_risk order by place")
    assert {r["reason"] for r in rows} >= {"not_solved", "repeat_contacts", "low_rating", "late_repair", "complaint"}
    left = {r["subscriber_id"] for r in planted_stage.truth("churn") if r["left_on"] <= "2026-11-08"}
    assert not left & {r["subscriber_id"] for r in rows}
    assert rows[0]["reasons"] == max(r["reasons"] for r in rows)


def test_the_surge_stands_in_the_review_of_its_branch_and_week(planted_stage, planted):
    surge = planted["topic_surge"]
    first = date.fromisoformat(surge["first_day"])
    monday = first - timedelta(days=first.weekday())
    rows = planted_stage.rows(
        f"select * from marts.weekly_review where business_day = '{monday}' and branch_id = '{surge['branch_id']}'"
        f" and topic_id = '{surge['topic_id']}' and section in ('surge', 'volume_topic')"
    )
    found = {r["section"]: r for r in rows}
    assert found["surge"]["verdict"] == "new_surge" and surge["first_day"] in found["surge"]["note"]
    assert (found["volume_topic"]["verdict"], found["volume_topic"]["place"]) == ("more", 1)


def _chances(stage, without_week: str) -> tuple[int, float]:
    """Pages of a branch or all, and how many words are expected to rise on them without a reason: tested x 1 %."""
    by_week: dict[date, list[words.Comment]] = {}
    with ops.connect(stage.url) as conn:
        for row in conn.execute(words._QUERY, (date(2026, 8, 1), date(2026, 11, 30))):
            comment = words._comment(row)
            by_week.setdefault(comment.week, []).append(comment)
    pages, number = 0, 0
    for week, comments in by_week.items():
        now, before = words._grouped(comments), words._grouped(words._weeks_before(by_week, week))
        for group in now:
            if group[1] == words.ALL and before.get(group) and week.isoformat() != without_week:
                pages += 1
                number += len(words.tested(words._counted(now[group])))
    return pages, number * NormalDist().cdf(-words.LEAST_Z)


def test_the_theme_of_the_planted_comments_rose_in_its_week_and_nothing_else_did(planted_stage, planted):
    theme = planted["comment_theme"]
    rows = planted_stage.rows("select * from marts.weekly_review where section = 'words' and topic_id is null")
    week = [r for r in rows if r["business_day"].isoformat() == theme["week_start"] and r["branch_id"] == "*"]
    risen = {r["item"].split("|", 1)[1] for r in sorted(week, key=lambda r: r["place"])[:4]}
    assert risen == set(theme["words"])
    # Elsewhere words rise by chance, as many as the method lets through on average, or fewer.
    pages, chances = _chances(planted_stage, theme["week_start"])
    assert pages > 80 and 5 < chances < 50
    assert len([r for r in rows if r["business_day"].isoformat() != theme["week_start"]]) <= chances
    told = " ".join(
        r["note"] for r in planted_stage.rows("select note from marts.weekly_review where note is not null")
    )
    for secret in ("ivanov", "C104512", "Sidorov", "Лесная"):
        assert secret not in told


def test_neglected_call_backs_are_worse_in_the_week_in_which_they_began(planted_stage, planted):
    left = planted["neglected_callbacks"]
    rows = planted_stage.rows(
        f"select * from marts.weekly_review where section = 'callbacks' and business_day = '{left['owed_from']}'"
    )
    found = {(r["branch_id"], r["item"]): r for r in rows}
    assert {k[0] for k, r in found.items() if k[1] == "callbacks_on_time" and r["verdict"] == "worse"} == {
        left["branch_id"], "*",
    }  # fmt: skip
    assert found[left["branch_id"], "callbacks_on_time"]["value"] < 0.35
    assert found[left["branch_id"], "callbacks_owed"]["verdict"] == "usual"


def test_the_running_week_is_shown_and_not_compared(planted_stage):
    rows = planted_stage.rows("select * from marts.weekly_review where section = 'volume' and branch_id = '*'")
    assert {r["verdict"] for r in rows if not r["is_complete"]} == {"incomplete"}
    assert sum(r["is_complete"] for r in rows) >= 12


def test_the_page_of_the_week_can_be_read(planted_stage, planted):
    with ops.connect(planted_stage.url) as conn:
        page = reports.weekly_review(conn, planted["topic_surge"]["branch_id"], "2026-W42")
        newest = reports.weekly_review(conn)
        risk = reports.at_risk(conn, limit=3)
        with pytest.raises(LookupError, match="no review of 2020-W01"):
            reports.weekly_review(conn, None, "2020-W01")
    assert page.startswith("# Branch nsk, week 2026-W42") and "**new**" in page and "No internet" in page
    # The last Sunday of the westernmost branch ends an hour after the load.
    assert newest.startswith("# All branches, week 2026-W44") and "## Key figures" in newest
    assert "Week 2026-W45 is not whole yet, 6 of 7 days" in newest
    assert risk.count("\n## ") == 3 and "[phone]" not in risk
