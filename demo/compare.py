"""Published marts against the truth that the simulated provider wrote down: exact, row by row."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from service_quality.ops import Conn

ENDED_BY = {"agent": "operator", "caller": "subscriber", "": None}


@dataclass(frozen=True)
class Comparison:
    """``compared`` rows of the truth; ``differences``: how many rows differ, by what differs."""

    what: str
    compared: int
    differences: dict[str, int]


def compare(conn: Conn, truth: Path, until: datetime) -> list[Comparison]:
    """Contacts, queue visits and ratings that ended before ``until`` against the files in folder ``truth``."""
    end = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [_contacts(conn, truth, end), _visits(conn, truth, end), _ratings(conn, truth, end)]


def _read(truth: Path, name: str, before: Callable[[dict[str, str]], bool]) -> list[dict[str, str]]:
    with (truth / f"{name}.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if before(row)]


def _number(text: str) -> int | None:
    return int(text) if text else None


def _contacts(conn: Conn, truth: Path, end: str) -> Comparison:
    calls = _read(truth, "contacts", lambda r: r["kind"] == "call" and r["started_at"] < end)
    expected = {(r["server_id"], r["linkedid"]): _contact(r) for r in calls}
    found = {
        (r["server_id"], r["linkedid"]): r
        for r in conn.execute("select * from marts.fct_contacts where contact_kind = 'call'")
    }
    differences = _keys(expected, found)
    for key in expected.keys() & found.keys():
        differences.update(name for name, value in expected[key].items() if found[key][name] != value)
    return Comparison("contacts", len(expected), dict(differences))


def _contact(call: dict[str, str]) -> dict[str, Any]:
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
    if call["known_topic_id"]:  # without a note or a ticket nobody can tell
        expected["topic_id"] = call["known_topic_id"]
    return expected


def _visits(conn: Conn, truth: Path, end: str) -> Comparison:
    visits = _read(truth, "visits", lambda r: r["entered_at"] < end)
    expected = Counter(
        (v["server_id"], v["callid"], v["queue"], v["outcome"], v["operator_id"] or None, _number(v["wait_seconds"]))
        for v in visits
    )
    rows = conn.execute(
        "select server_id, callid, queue, outcome, operator_id, wait_seconds from marts.fct_queue_visits"
    )
    found = Counter(tuple(r.values()) for r in rows)
    return Comparison("queue visits", len(visits), dict(_keys(expected, found)))


def _ratings(conn: Conn, truth: Path, end: str) -> Comparison:
    """Also those without call id: caller, operator and time lead to the very call they are about."""
    ratings = _read(truth, "ratings", lambda r: r["is_final"] == "1" and r["rated_at"] < end)
    expected = Counter((r["server_id"], r["linkedid"], r["criterion"], r["value"] or None) for r in ratings)
    rows = conn.execute(
        "select r.server_id, c.linkedid, r.criterion, cast(r.rating as text) as value"
        " from marts.fct_ratings as r left join marts.fct_contacts as c using (contact_id)"
    )
    found = Counter(tuple(r.values()) for r in rows)
    return Comparison("ratings", len(ratings), dict(_keys(expected, found)))


def _keys(expected: Any, found: Any) -> Counter[str]:
    """How many are only in the truth, and how many only in the marts."""
    if isinstance(expected, Counter):
        sides: Iterable[tuple[str, int]] = (
            ("only in the truth", (expected - found).total()),
            ("only in the marts", (found - expected).total()),
        )
    else:
        sides = (
            ("only in the truth", len(expected.keys() - found.keys())),
            ("only in the marts", len(found.keys() - expected.keys())),
        )
    return Counter({name: count for name, count in sides if count})
