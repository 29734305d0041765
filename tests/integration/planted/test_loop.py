"""Call-backs: who really was owed one is owed one, a branch that left them alone and late connections are seen."""

from __future__ import annotations

from collections import Counter

import pytest

pytestmark = pytest.mark.postgres

SHARES = """
select sum(on_time) as on_time, sum(on_time_base) as base, sum(overdue) as overdue, sum(measured) as measured
from marts.callbacks_daily
where (branch_id = '{branch}') = {is_branch} and (business_day between '{first}' and '{last}') = {is_then}
"""
LINES = """
select calls.satisfaction, calls.is_solved
from marts.callbacks as calls
inner join marts.fct_connections as orders on calls.connection_id = orders.connection_id
where calls.reason = 'new_connection' and calls.reached_at is not null
    and (orders.branch_id = '{branch}' and orders.promised_on between '{first}' and '{last}') = {is_planted}
"""


def test_exactly_who_is_owed_a_call_is_owed_one(planted_stage):
    truth, found = Counter(), Counter()
    for row in planted_stage.truth("callbacks"):
        if row["reason"] != "low_rating" and row["owed_at"] < "2026-11-08T21":
            truth[row["reason"], row["subject"]] += 1
    for row in planted_stage.rows(
        "select reason, coalesce(connection_id, ticket_id) as subject from marts.callbacks"
        " where reason <> 'low_rating' and owed_at < '2026-11-08 21:00+00'"
    ):
        found[row["reason"], row["subject"]] += 1
    assert len(truth) > 15_000
    assert found == truth


def test_low_ratings_owe_a_call_where_their_call_is_known(planted_stage):
    truth = {
        r["subject"] for r in planted_stage.truth("callbacks")
        if r["reason"] == "low_rating" and r["owed_at"] < "2026-11-08T21"
    }  # fmt: skip
    found = {
        r["linkedid"] for r in planted_stage.rows(
            "select contacts.linkedid from marts.callbacks as calls"
            " inner join marts.fct_contacts as contacts on calls.contact_id = contacts.contact_id"
            " where calls.reason = 'low_rating'"
        )
    }  # fmt: skip
    assert len(found & truth) > 0.97 * len(truth)
    assert len(found - truth) < 0.02 * len(truth)


def test_every_attempt_that_was_made_in_time_belongs_to_a_call(planted_stage):
    made = sum(int(r["attempts"]) for r in planted_stage.truth("callbacks"))
    of_team = planted_stage.rows(
        "select count(*) as n, count(*) filter (where attempt_outcome not in ('reached', 'unfinished')) as in_vain"
        " from marts.fct_survey_responses"
    )[0]
    counted = planted_stage.rows("select sum(attempts) as n, sum(attempted) as calls from marts.callbacks_daily")[0]
    assert made <= of_team["n"], "the interviews that are held whoever owes a call come on top"
    assert of_team["in_vain"] > 5_000
    assert counted["n"] > made


def test_the_branch_that_left_its_calls_alone_is_seen_and_no_other(planted_stage, planted):
    left = planted["neglected_callbacks"]
    span = {"branch": left["branch_id"], "first": left["owed_from"], "last": left["owed_to"]}
    neglected, otherwise, others = (
        planted_stage.rows(SHARES.format(**span, is_branch=b, is_then=t))[0]
        for b, t in (("true", "true"), ("true", "false"), ("false", "true"))
    )
    assert neglected["overdue"] / neglected["measured"] > 0.5
    assert neglected["on_time"] / neglected["base"] < 0.35
    for row in (otherwise, others):
        assert row["overdue"] / row["measured"] < 0.25
        assert row["on_time"] / row["base"] > 0.55
    apart = planted_stage.rows(
        "select branch_id from marts.callbacks_daily"
        f" where business_day between '{left['owed_from']}' and '{left['owed_to']}' group by branch_id"
        " having sum(overdue) > 0.4 * sum(measured)"
    )
    assert [r["branch_id"] for r in apart] == [left["branch_id"]]


def test_late_connections_are_heard_in_the_call_backs(planted_stage, planted):
    late = planted["late_connections"]
    span = {"branch": late["branch_id"], "first": late["promised_from"], "last": late["promised_to"]}

    def said(is_planted):
        rows = planted_stage.rows(LINES.format(**span, is_planted=is_planted))
        marks = [r["satisfaction"] for r in rows if r["satisfaction"] is not None]
        words = [r["is_solved"] for r in rows if r["is_solved"] is not None]
        return sum(marks) / len(marks), words.count(False) / len(words), len(marks)

    (low, unsolved, number), (usual, usually_unsolved, _) = said("true"), said("false")
    assert number > 30
    assert low < usual - 0.4
    assert unsolved > usually_unsolved


def test_the_worklist_holds_open_calls_of_the_last_two_weeks(planted_stage):
    rows = planted_stage.rows("select * from marts.worklist_callbacks order by place")
    assert 50 < len(rows) < 1_500
    assert {r["priority"] for r in rows} >= {1, 2, 3}
    assert all(r["attempts"] is not None and r["attempts"] < 5 for r in rows)
    assert min(r["owed_at"] for r in rows).date().isoformat() >= "2026-10-25"
    assert all(not any(c.isdigit() for c in (r["last_comment"] or "")) for r in rows)


def test_nobody_who_left_is_called(planted_stage):
    left = {r["subscriber_id"] for r in planted_stage.truth("churn") if r["left_on"] <= "2026-11-08"}
    assert not left & {r["subscriber_id"] for r in planted_stage.rows("select * from marts.worklist_callbacks")}
    closed = planted_stage.rows(
        "select subscriber_id, is_on_time, due_at, left_at from marts.callbacks where state = 'left'"
    )
    assert len(closed) > 20 and {r["subscriber_id"] for r in closed} <= left
    assert all(r["is_on_time"] is (None if r["left_at"] <= r["due_at"] else False) for r in closed)
