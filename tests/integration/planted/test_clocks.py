"""Late connections are seen in the clocks, the remapped topic in both readings; the clocks equal the truth."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import numpy as np
import pytest

from demo import world as w


def _at(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _clock(stage, clock, branch="all", technology="all"):
    rows = stage.rows(
        f"select * from marts.service_clocks where clock = '{clock}' and branch_id = '{branch}'"
        f" and technology = '{technology}' order by month_start"
    )
    return {f"{r['month_start']:%Y-%m}": r for r in rows}


def test_late_connections_are_seen_in_the_clocks(planted_stage, planted):
    late = planted["late_connections"]
    troubled = _clock(planted_stage, "supply_time", late["branch_id"])
    others = [b.branch_id for b in w.BRANCHES if b.branch_id != late["branch_id"]]
    months = sorted({late["promised_from"][:7], late["promised_to"][:7]})
    for month in months:
        same = [_clock(planted_stage, "supply_time", branch)[month] for branch in others]
        kept = sum(r["numerator"] for r in same) / sum(r["denominator"] for r in same)
        assert troubled[month]["rate_high"] < kept, month
        assert troubled[month]["fastest_95"] > max(r["fastest_95"] for r in same), month
    assert troubled["2026-08"]["rate_low"] < 0.94 < troubled["2026-08"]["rate_high"], "before it began: usual"


def test_the_planted_share_is_recovered(planted_stage, planted):
    late = planted["late_connections"]
    row = planted_stage.rows(
        "select count(*) as n, count(*) filter (where not is_on_promise) as late from marts.fct_connections"
        f" where branch_id = '{late['branch_id']}' and is_on_promise is not null"
        f" and promised_on between '{late['promised_from']}' and '{late['promised_to']}'"
    )[0]
    spread = 3 * (late["late_share"] * (1 - late["late_share"]) / row["n"]) ** 0.5
    assert abs(row["late"] / row["n"] - late["late_share"]) < spread, row


@pytest.mark.parametrize("branch", ["all", "sam", "ekb"])
def test_supply_times_equal_numpys_percentiles_of_the_truth(planted_stage, branch):
    zones = {b.branch_id: b.zone for b in w.BRANCHES}
    found = _clock(planted_stage, "supply_time", branch)
    for month in ("2026-08", "2026-09"):  # all of these orders are done
        took = [
            (_at(r["connected_at"]) - _at(r["ordered_at"])).total_seconds() / 86400
            for r in planted_stage.truth("connections")
            if r["connected_at"] and branch in ("all", r["branch_id"])
            and f"{_at(r['ordered_at']).astimezone(zones[r['branch_id']]):%Y-%m}" == month
        ]  # fmt: skip
        assert found[month]["population"] == found[month]["finished"] == len(took) > 50
        for percent in (50, 80, 95, 99):
            wanted = np.percentile(took, percent, method="inverted_cdf")
            assert found[month][f"fastest_{percent}"] == pytest.approx(wanted, abs=1e-5), (month, percent)
        assert found[month]["mean_of_finished"] == pytest.approx(np.mean(took), abs=1e-5)


def test_open_items_are_told_and_bound_what_is_known(planted_stage):
    running = _clock(planted_stage, "supply_time")["2026-11"]
    assert running["status"] == "running" and running["open_now"] > 0
    assert running["open_now"] + running["finished"] == running["population"]
    assert running["fastest_99"] is None, "ninety-nine of a hundred of a week's orders cannot be done yet"


def test_repair_times_are_of_valid_faults_only(planted_stage):
    faults = planted_stage.rows(
        "select count(*) filter (where is_valid_fault) as valid, count(*) filter (where not is_valid_fault) as invalid"
        " from marts.fct_tickets where kind = 'fault' and business_day between '2026-09-01' and '2026-09-30'"
    )[0]
    found = {c: _clock(planted_stage, c)["2026-09"] for c in ("all", "access", "other") for c in [f"fault_repair_{c}"]}
    assert found["fault_repair_all"]["population"] == faults["valid"]
    assert found["fault_repair_all"]["excluded"] == faults["invalid"] > 100
    parts = found["fault_repair_access"]["finished"] + found["fault_repair_other"]["finished"]
    assert parts == found["fault_repair_all"]["finished"]


def test_the_remapped_topic_is_seen_in_both_readings(planted_stage, planted):
    remapped = planted["remapped_topic"]
    start = date.fromisoformat(remapped["from_day"])
    moved = planted_stage.rows(
        "select topic_class, business_day < date '" + remapped["from_day"] + "' as before, count(*) as n"
        f" from marts.fct_contacts where topic_id = '{remapped['topic_id']}' group by 1, 2"
    )
    then = {(r["topic_class"], r["before"]): r["n"] for r in moved}
    assert set(then) == {("client_service", True), (remapped["to_class"], False)}
    told = planted_stage.rows(
        "select topic_class, sum(contacts) as contacts, sum(contacts_now) as contacts_now"
        f" from marts.topic_class_daily where day < '{start}' group by topic_class"
    )
    shift = {r["topic_class"]: r["contacts_now"] - r["contacts"] for r in told}
    number = then["client_service", True]
    assert number > 500
    assert shift == {"marketing": number, "client_service": -number, "technical": 0, "unmapped": 0, "not_told": 0}
    after = planted_stage.rows(
        f"select 1 from marts.topic_class_daily where day >= '{start}' and contacts <> contacts_now"
    )
    assert after == []


def test_every_contact_that_owes_a_class_has_one(planted_stage):
    told = planted_stage.rows(
        "select sum(contacts) as contacts, sum(contacts) filter (where topic_class = 'unmapped') as unmapped,"
        " sum(contacts) filter (where topic_class = 'not_told') as not_told from marts.topic_class_daily"
    )[0]
    truth = Counter(r["outcome"] for r in planted_stage.truth("contacts"))
    assert 1000 * told["unmapped"] <= told["contacts"]
    assert told["not_told"] <= truth["left_in_menu"]


def test_resolution_stands_by_the_contact_and_not_by_the_interview(planted_stage):
    """By the day of the contact the answers stand before those by the day of the interview, and none is lost."""
    by_contact = planted_stage.rows(
        "select sum(survey_fcr_contact_yes + survey_fcr_contact_no) as n, sum((survey_fcr_contact_yes"
        " + survey_fcr_contact_no) * (business_day - date '2026-08-01')) as days"
        " from marts.resolution_daily where grain = 'branch'"
    )[0]
    by_interview = planted_stage.rows(
        "select sum(survey_fcr_yes + survey_fcr_no) as n,"
        " sum((survey_fcr_yes + survey_fcr_no) * (business_day - date '2026-08-01')) as days"
        " from marts.branch_quality_daily"
    )[0]
    assert by_contact["n"] == by_interview["n"] > 1000
    delay = float(by_interview["days"] - by_contact["days"]) / float(by_contact["n"])
    assert 1 < delay < 10


def test_what_is_not_solved_comes_back(planted_stage):
    """The three ways to measure agree on the order of topics: hard ones are solved less often, by each."""
    hard = "', '".join(t.topic_id for t in w.TOPICS if t.hard)
    rows = planted_stage.rows(
        f"select grain_id in ('{hard}') as is_hard,"
        " 1 - sum(repeat_7d_repeats) / sum(repeat_7d_index) as by_repeats,"
        " sum(first_line_resolved) / sum(first_line_index) as by_first_line,"
        " sum(evaluations_solved) / sum(evaluations_solved_asked) as by_listener"
        " from marts.resolution_daily where grain = 'topic' group by 1"
    )
    found = {r["is_hard"]: r for r in rows}
    for way in ("by_repeats", "by_first_line", "by_listener"):
        assert found[True][way] < found[False][way], way


def test_the_clocks_cover_the_configured_branches(planted_stage):
    known = {b.branch_id for b in w.BRANCHES} | {"all"}
    assert {r["b"] for r in planted_stage.rows("select distinct branch_id as b from marts.service_clocks")} == known
