"""The listening plan's draw and the estimates from it, computed by the database under many seeds."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from tests.dbt.computed import run

pytestmark = pytest.mark.postgres

CAPACITY = 8


def day(runs: int) -> list[dict[str, Any]]:
    """30 calls of 5 operators in strata of unlike size and deviation; two operators are due. Once for each run."""
    calls = []
    for number in range(30):
        operator = "abcde"[number % 5]
        band = "long" if number % 3 == 0 else "short"
        calls.append((f"c{number}", operator, f"{operator}|{band}", 20 if band == "long" else 8, operator in "ab"))
    return [
        {"run": f"r{run}", "contact_id": c, "operator_id": o, "stratum": s, "sd": sd, "is_due": int(due)}
        for run in range(runs) for c, o, s, sd, due in calls
    ]  # fmt: skip


def drawn(url, rows, capacity=CAPACITY):
    """All calls with the draw's columns. Calls are told apart by run: each run has hashes, and so luck, of its own."""
    text = (
        "with calls as (select run, run || ':' || contact_id as contact_id, operator_id, stratum,"
        " cast(sd as bigint) as sd, is_due = 1 as is_due from given),"
        " {{ drawn_ctes('calls', 'run', \"'seed'\", " + str(capacity) + ") }}"
        " select *, split_part(contact_id, ':', 2) as call from drawn"
    )
    return [{**r, "contact_id": r["call"]} for r in run(url, text, rows)]


@pytest.fixture(scope="module")
def many(url):
    """The same day under 3000 seeds."""
    return drawn(url, day(3000))


def test_the_capacity_holds_and_every_operator_who_is_due_is_heard(many):
    by_run = defaultdict(list)
    for row in many:
        by_run[row["run"]].append(row)
    for rows in by_run.values():
        taken = [r for r in rows if r["is_drawn"]]
        assert CAPACITY - 2 <= len(taken) <= CAPACITY
        assert {"a", "b"} <= {r["operator_id"] for r in taken}
        assert sum(r["is_rest"] for r in rows) == CAPACITY - 2
        assert all(r["stratum_drawn"] - 1 < r["stratum_expected"] < r["stratum_drawn"] + 1 for r in rows)


def test_pi_is_how_often_a_call_is_drawn(many):
    runs = len({r["run"] for r in many})
    hits, pi = defaultdict(int), {}
    for row in many:
        hits[row["contact_id"]] += row["is_drawn"]
        pi[row["contact_id"]] = float(row["pi"])
    scores = [(hits[c] / runs - p) / math.sqrt(p * (1 - p) / runs) for c, p in pi.items()]
    assert max(map(abs, scores)) < 4, sorted(scores)
    assert sum(z * z for z in scores) / len(scores) < 2  # one that is off by a twentieth would show here


def test_pi_is_neymans(many):
    one = {r["contact_id"]: r for r in many if r["run"] == "r0"}
    rest = {c: float(r["rest_pi"]) for c, r in one.items()}
    assert sum(rest.values()) == pytest.approx(CAPACITY - 2, abs=1e-6)
    assert rest["c0"] / rest["c1"] == pytest.approx(20 / 8, abs=1e-6)
    assert sorted({float(r["floor_pi"]) for r in one.values()}) == pytest.approx([0, 1 / 6])
    both = [1 - (1 - float(r["floor_pi"])) * (1 - float(r["rest_pi"])) for r in one.values()]
    assert [float(r["pi"]) for r in one.values()] == pytest.approx(both)


def test_sums_weighted_by_pi_are_the_truth_on_average(many):
    worth = {f"c{n}": 50 + 3 * n % 41 + (20 if n % 3 == 0 else 0) for n in range(30)}
    by_run = defaultdict(float)
    for row in many:
        if row["is_drawn"]:
            by_run[row["run"]] += worth[row["contact_id"]] / float(row["pi"])
    totals = np.array(list(by_run.values()))
    error = totals.std() / math.sqrt(len(totals))
    assert abs(totals.mean() - sum(worth.values())) < 4 * error


def test_another_call_leaves_the_draw_nearly_as_it_was(url):
    """400 days; on each one more call comes in late."""
    before = day(400)
    late = [
        {"run": f"r{n}", "contact_id": "late", "operator_id": "c", "stratum": "c|short", "sd": 8, "is_due": 0}
        for n in range(400)
    ]
    was = {(r["run"], r["contact_id"]) for r in drawn(url, before) if r["is_drawn"]}
    now = {(r["run"], r["contact_id"]) for r in drawn(url, before + late) if r["is_drawn"]}
    assert len(was - now) / 400 < 0.6  # of 8 calls a day; drawn anew, 5 or 6 would be others


def test_a_day_that_fits_is_listened_to_whole_and_one_without_room_not_at_all(url):
    few = [r for r in day(1) if r["contact_id"] in ("c0", "c1", "c2", "c3", "c4")]
    assert {float(r["pi"]) for r in drawn(url, few)} == {1.0} and all(r["is_drawn"] for r in drawn(url, few))
    none = [{**r, "is_due": 0} for r in day(1)]
    found = drawn(url, none, 0)
    assert {float(r["pi"]) for r in found} == {0.0} and not any(r["is_drawn"] for r in found)


def test_more_operators_due_than_the_capacity_holds_share_it(url):
    rows = [
        {"run": f"r{n}", "contact_id": f"{o}{i}", "operator_id": f"o{o}", "stratum": f"o{o}", "sd": 10, "is_due": 1}
        for n in range(500) for o in range(16) for i in range(2)
    ]  # fmt: skip
    found = drawn(url, rows)
    assert {float(r["pi"]) for r in found} == {CAPACITY / 16 / 2}
    per_run = defaultdict(int)
    for row in found:
        per_run[row["run"]] += row["is_drawn"]
    assert set(per_run.values()) == {CAPACITY}


def test_strata_of_large_deviation_are_taken_whole_first(url):
    rows = [
        {"run": "r", "contact_id": f"c{n}", "operator_id": "o", "stratum": "wild" if n < 3 else "calm",
         "sd": 50 if n < 3 else 2, "is_due": 0} for n in range(43)
    ]  # fmt: skip
    found = drawn(url, rows)
    assert {(r["stratum"], float(r["stratum_expected"])) for r in found} == {("wild", 3), ("calm", 5)}
    assert {float(r["pi"]) for r in found} == {1.0, 0.125}
