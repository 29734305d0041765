"""The simulated provider's nights through all doors: marts equal the truth, however the loads arrive."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from service_quality import ops, runner

from demo.compare import compare
from tests.integration.provider import Stage, stage

FIRST, LAST_OF_HISTORY, LAST = date(2026, 8, 8), date(2026, 11, 5), date(2026, 11, 8)
NIGHTS = [LAST_OF_HISTORY + timedelta(days=n) for n in (1, 2, 3)]


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


@pytest.mark.parametrize("what", ["contacts", "queue visits", "ratings"])
def test_marts_equal_the_truth(played, capsys, what):
    play = played[0]
    with ops.connect(play.url) as conn:
        found = {c.what: c for c in compare(conn, play.home / "truth", play.window(LAST, LAST).end)}[what]
    with capsys.disabled():
        print(f"\n{found.compared:,} {what} compared with the truth: differences {found.differences or 'none'}")
    assert found.compared > 10_000
    assert not found.differences


def _calls(play: Stage) -> list[dict]:
    end = play.window(LAST, LAST).end.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [r for r in play.truth("contacts") if r["kind"] == "call" and r["started_at"] < end]


def test_marts_add_up_to_the_truth(played):
    calls = _calls(played[0])
    offered = sum(c["outcome"] != "left_in_menu" for c in calls)
    row = played[0].rows(
        "select sum(contacts_offered) as offered, sum(visits_answered) as answered,"
        " sum(contacts_turned_away) as turned_away from marts.branch_quality_daily"
    )[0]
    visits = Counter(v["outcome"] for v in played[0].truth("visits"))
    assert row["offered"] == offered
    assert row["answered"] == visits["answered"]
    assert row["turned_away"] == sum(c["outcome"] == "turned_away" for c in calls)
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
            if number == 1:
                _assert_held(play, "fct_contacts.class.unmapped")  # no topics of the CRM yet: calls have no class
            elif number % 2:
                runner.build()
        runner.build()
        found = play.marts()
        _assert_equal(_without_technology(expected), _without_technology(found))
    finally:
        patch.setenv("WAREHOUSE_URL", url)
        play.url = url


def _assert_held(play: Stage, rule: str) -> None:
    """A build is held by this critical rule and no other, and publishes nothing; the next build takes its loads."""
    before = play.marts()
    with pytest.raises(runner.BuildHeld, match="1 critical rule failed"):
        runner.build()
    failed = play.rows("select rule_id from ops.gate_results where build_id is not null and verdict = 'fail'")
    assert [r["rule_id"] for r in failed] == [rule]
    assert play.rows("select status from ops.builds order by build_id desc limit 1") == [{"status": "held"}]
    assert play.rows("select count(*) as n from ops.loads where build_id is not null") == [{"n": 0}]
    assert play.marts() == before


def _without_technology(marts: dict) -> dict:
    """The CRM forgets which technology a line had before: only nights that saw it know. Sums over all of them agree."""
    for mart in ("fct_contacts", "fct_tickets"):
        for row in marts[mart]:
            row.pop("technology")
    return {**marts, "service_clocks": [r for r in marts["service_clocks"] if r["technology"] == "all"]}


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
