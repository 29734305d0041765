"""The planted surge is found on its days and in its branch, few others are, and what was done against it is seen."""

from __future__ import annotations

from datetime import date


def test_the_surge_is_found_on_its_days_in_its_branch(planted_stage, planted):
    truth = planted["topic_surge"]
    first, last = (date.fromisoformat(truth[k]) for k in ("first_day", "last_day"))
    rows = planted_stage.rows(
        f"select * from marts.topic_surges where topic_id = '{truth['topic_id']}' and surge_id is not null"
        f" and branch_id <> '*' and business_day between '{first}'::date - 3 and '{last}'::date + 3"
        " order by branch_id, business_day"
    )
    found = [r for r in rows if r["branch_id"] == truth["branch_id"]]
    assert [r["business_day"] for r in found] == [date(2026, 10, d) for d in (13, 14, 15)]
    assert {(r["surge_start"], r["surge_id"]) for r in found} == {(first, f"nsk|no_internet|{first}")}
    assert [r["is_new"] for r in found] == [True, False, False]
    assert all(2.3 < r["contacts"] / r["expected"] < 3.9 for r in found)
    # Its tickets became children of an outage on the first day; the mornings after knew it.
    assert [r["verdict"] for r in found] == ["surge", "known_outage", "known_outage"]
    assert {r["outage_id"] for r in found} == {"OUT-nsk-1013"}
    assert all(r["is_farrington_surge"] for r in found)
    assert len([r for r in rows if r["branch_id"] != truth["branch_id"]]) <= 1


def test_few_others_are_flagged(planted_stage):
    """93 days, of which 62 are judged, about 190 series: 18 alarms a week and 60 series would be 500."""
    (row,) = planted_stage.rows(
        "select count(distinct surge_id) as surges, count(distinct (branch_id, topic_id)) as series,"
        " count(distinct business_day) filter (where p_value is not null) as days from marts.topic_surges"
    )
    assert row["series"] > 150 and row["days"] > 55
    per_week_and_60 = (row["surges"] - 1) / (row["days"] / 7) / (row["series"] / 60)
    assert per_week_and_60 <= 1, row


def test_measures_stand_with_their_surge_and_what_came_after(planted_stage, planted):
    rows = {r["measure_id"]: r for r in planted_stage.rows("select * from marts.measures")}
    assert set(rows) == {m["measure_id"] for m in planted["measures"]}
    surge_id = f"nsk|no_internet|{planted['topic_surge']['first_day']}"
    for name, hours in (("M-1", 3.0), ("M-2", 25.0)):
        assert rows[name]["surge_id"] == surge_id and rows[name]["time_to_act_hours"] == hours
        assert rows[name]["effect"] == "fewer_after" and rows[name]["effect_high"] < 1
    assert rows["M-1"]["noted_surge_id"] is None and rows["M-1"]["owner"] == "Duty engineer"
    assert rows["M-4"]["branch_id"] == "*" and rows["M-4"]["effect"] == "no_clear_change"
    assert "000-01-00" not in rows["M-4"]["what"]
    assert rows["M-5"]["effect"] in ("not_enough_days", "not_comparable")
