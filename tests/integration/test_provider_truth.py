"""The simulated provider's nights through all doors: marts equal the truth, however the loads arrive."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from service_quality import runner

from tests.integration.provider import Stage, stage

FIRST, LAST_OF_HISTORY, LAST = date(2026, 8, 8), date(2026, 11, 5), date(2026, 11, 8)
NIGHTS = [LAST_OF_HISTORY + timedelta(days=n) for n in (1, 2, 3)]
ENDED_BY = {"agent": "operator", "caller": "subscriber", "": None}


@pytest.fixture(scope="module")
def played(server, tmp_path_factory):
    """History in one load, then three nights one by one, each built and published."""
    with stage(server, tmp_path_factory.mktemp("provider") / "home", 150) as (play, patch):
        play.play(LAST_OF_HISTORY)
        play.load(FIRST, LAST_OF_HISTORY)
        runner.build()
        for night in NIGHTS:
            play.play(night)
            play.load(night, night)
            runner.build()
        yield play, patch


def _calls(played: Stage) -> tuple[dict, dict]:
    """Truth and facts of calls by (server, linkedid)."""
    end = played.window(LAST, LAST).end.strftime("%Y-%m-%dT%H:%M:%SZ")
    truth = {
        (r["server_id"], r["linkedid"]): r
        for r in played.truth("contacts")
        if r["kind"] == "call" and r["started_at"] < end
    }
    facts = {
        (r["server_id"], r["linkedid"]): r
        for r in played.rows("select * from marts.fct_contacts where contact_kind = 'call'")
    }
    return truth, facts


def test_every_contact_equals_the_truth(played):
    truth, facts = _calls(played[0])
    assert len(truth) > 10_000
    assert facts.keys() == truth.keys()
    different: Counter[str] = Counter()
    for key, call in truth.items():
        fact = facts[key]
        expected = {
            "outcome": call["outcome"],
            "first_operator_id": call["operator_id"] or None,
            "wait_seconds": _number(call["wait_seconds_sum"]),
            "ring_seconds": _number(call["ring_seconds_sum"]),
            "talk_seconds": _number(call["talk_seconds_sum"]),
            "queue_visits": _number(call["visits"]) or 0,
            "hung_up_by": ENDED_BY[call["hung_up_by"]],
            "subscriber_id": call["known_subscriber_id"] or None,
            "branch_id": call["branch_id"],
            "business_day": date.fromisoformat(call["business_day"]),
        }
        if call["known_topic_id"]:
            expected["topic_id"] = call["known_topic_id"]
        different.update(name for name, value in expected.items() if fact[name] != value)
    counts = Counter(c["outcome"] for c in truth.values())
    print(f"\n{len(truth)} calls compared with the truth: {dict(counts)}; differences: {dict(different)}")
    assert not different


def _number(text: str) -> int | None:
    return int(text) if text else None


def test_every_visit_equals_the_truth(played):
    end = played[0].window(LAST, LAST).end.strftime("%Y-%m-%dT%H:%M:%SZ")
    truth = Counter(
        (v["server_id"], v["callid"], v["queue"], v["outcome"], v["operator_id"] or None, _number(v["wait_seconds"]))
        for v in played[0].truth("visits")
        if v["entered_at"] < end
    )
    facts = Counter(
        tuple(r.values())
        for r in played[0].rows(
            "select server_id, callid, queue, outcome, operator_id, wait_seconds from marts.fct_queue_visits"
        )
    )
    apart = len(truth - facts), len(facts - truth)
    print(f"\n{sum(truth.values())} visits compared; only in truth {apart[0]}, only in facts {apart[1]}")
    assert truth == facts


def test_every_rating_equals_the_truth(played):
    """Also those without call id: caller, operator and time lead to the very call they are about."""
    truth = {
        (r["server_id"], r["linkedid"], r["criterion"]): r["value"] or None
        for r in played[0].truth("ratings")
        if r["is_final"] == "1"
    }
    rows = played[0].rows(
        "select r.server_id, c.linkedid, r.criterion, cast(r.rating as text) as value, r.match_kind"
        " from marts.fct_ratings as r left join marts.fct_contacts as c using (contact_id)"
    )
    facts = {(r["server_id"], r["linkedid"], r["criterion"]): r["value"] for r in rows}
    print(f"\n{len(truth)} final ratings in the truth; matched: {dict(Counter(r['match_kind'] for r in rows))}")
    assert facts == truth


def test_marts_add_up_to_the_truth(played):
    truth, _ = _calls(played[0])
    offered = sum(c["outcome"] not in ("left_in_menu",) for c in truth.values())
    row = played[0].rows(
        "select sum(contacts_offered) as offered, sum(visits_answered) as answered,"
        " sum(contacts_turned_away) as turned_away from marts.branch_quality_daily"
    )[0]
    visits = Counter(v["outcome"] for v in played[0].truth("visits"))
    assert row["offered"] == offered
    assert row["answered"] == visits["answered"]
    assert row["turned_away"] == sum(c["outcome"] == "turned_away" for c in truth.values())
    operators = played[0].rows("select sum(visits_answered) as answered from marts.operator_quality_daily")[0]
    assert operators["answered"] == visits["answered"]


def test_the_books_balance(played):
    for load in played[0].rows("select * from ops.loads"):
        assert load["status"] == "promoted"
        assert load["rows_read"] == load["rows_raw"] + load["rows_unchanged"] + load["rows_quarantined"]
        assert load["build_id"] is not None


def test_loading_a_night_again_changes_nothing(played):
    play, _ = played
    before = play.marts()
    restated = play.rows("select count(*) as n from ops.restatements")[0]["n"]
    done = play.load(NIGHTS[2], NIGHTS[2])
    for source, accounting in done.items():
        for table, counts in accounting["tables"].items():
            assert counts["rows_raw"] == 0, (source, table)
    written = runner.build()["written"]
    assert set(written.values()) == {0}, written
    _assert_equal(before, play.marts())
    assert play.rows("select count(*) as n from ops.restatements")[0]["n"] == restated


def test_rebuild_from_scratch_equals_the_nights(played):
    play, _ = played
    before = play.marts()
    runner.build(full=True)
    _assert_equal(before, play.marts())


def test_shuffled_late_arrival_equals_the_nights(played, server):
    """Everything is played to the end, then windows and sources arrive in an order that no night would choose."""
    play, patch = played
    expected, url = play.marts(), play.url
    try:
        play.fresh_warehouse(server)
        patch.setenv("WAREHOUSE_URL", play.url)
        middle = date(2026, 10, 1)
        arrivals = [
            (middle, LAST_OF_HISTORY, ("survey", "telephony")),
            (NIGHTS[1], LAST, ("crm", "ivr")),
            (FIRST, middle - timedelta(days=1), ("ivr", "crm", "survey")),
            (NIGHTS[0], LAST, ("telephony",)),
            (middle, LAST_OF_HISTORY, ("crm", "ivr")),
            (FIRST, middle - timedelta(days=1), ("telephony",)),
            (NIGHTS[0], NIGHTS[0], ("ivr", "crm", "survey")),
            (NIGHTS[1], LAST, ("survey",)),
        ]
        for number, (first, last, sources) in enumerate(arrivals):
            play.load(first, last, sources)
            if number % 2 or number == len(arrivals) - 1:
                runner.build()
        found = play.marts()
        for contact in (*expected["fct_contacts"], *found["fct_contacts"]):
            # The CRM forgets which technology a line had before: only nights that saw it know.
            contact.pop("technology")
        _assert_equal(expected, found)
    finally:
        patch.setenv("WAREHOUSE_URL", url)
        play.url = url


def _assert_equal(expected: dict, found: dict) -> None:
    """Every mart row for row; when not, which columns of how many rows."""
    assert expected.keys() == found.keys()
    told = {}
    for mart, rows in expected.items():
        missing = Counter(map(_frozen, rows)) - Counter(map(_frozen, found[mart]))
        surplus = Counter(map(_frozen, found[mart])) - Counter(map(_frozen, rows))
        if missing or surplus:
            one, other = (dict(min(side, key=repr)) if side else {} for side in (missing, surplus))
            columns = {k: (v, other.get(k)) for k, v in one.items() if v != other.get(k)}
            told[mart] = (len(missing), len(surplus), columns)
    assert not told


def _frozen(row: dict) -> tuple:
    return tuple(row.items())
