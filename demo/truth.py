"""What really happened, for comparison with the marts. No source shows these files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from demo import callbacks, churn, crm, ivr, surveys
from demo import calls as c
from demo import world as w
from demo.orders import Order

CONTACT_COLUMNS = (
    "contact_no", "kind", "server_id", "linkedid", "started_at", "ended_at", "business_day", "branch_id", "queues",
    "outcome", "operator_id", "wait_seconds", "wait_seconds_sum", "ring_seconds", "ring_seconds_sum",
    "talk_seconds", "talk_seconds_sum", "hung_up_by", "transfer", "visits", "entered", "topic_id", "topic_class",
    "noted_topic_id", "known_topic_id", "solved", "subscriber_id", "known_subscriber_id", "repeat_of", "case_no",
    *(f"rating_{name}" for name in c.CRITERIA),
)  # fmt: skip


def write(
    folder: Path, world: w.World, days: c.Days, presses: list[ivr.Press], happened: crm.Crm, orders: list[Order],
    owed: list[callbacks.Owed],
) -> None:
    """Write all truth files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    ratings = _final(presses)
    _save(folder / "contacts.csv", CONTACT_COLUMNS, _contacts(world, days, ratings, happened))
    _save(
        folder / "visits.csv",
        ("contact_no", "server_id", "linkedid", "visit_no", "callid", "queue", "entered_at", "outcome",
         "operator_id", "connected_at", "ended_at", "wait_seconds", "ring_seconds", "talk_seconds", "ended_by", "leg"),
        _visits(world, days),
    )  # fmt: skip
    _save(
        folder / "ratings.csv",
        ("contact_no", "server_id", "linkedid", "criterion", "operator_id", "rated_at", "digit", "value", "status",
         "has_call_id", "is_matchable", "is_final"),
        _ratings(world, days, presses),
    )  # fmt: skip
    _save(folder / "pauses.csv", ("operator_id", "branch_id", "since", "until", "reason"), (
        (world.operators[p.operator].operator_id, p.branch, c.stamp(p.since), c.stamp(p.until), p.reason)
        for p in days.pauses
    ))  # fmt: skip
    _save(folder / "shifts.csv", ("operator_id", "branch_id", "team", "since", "until"), (
        (world.operators[s.operator].operator_id, s.branch, s.team, c.stamp(s.since), c.stamp(s.until))
        for s in days.shifts
    ))  # fmt: skip
    _save(
        folder / "tickets.csv",
        ("case_no", "branch_id", "topic_id", "kind", "channel", "linkedid", "opened_at", "first_solved_at",
         "last_solved_at", "reopened", "replies_public"),
        (_ticket(case) for case in happened.cases),
    )  # fmt: skip
    _save(
        folder / "connections.csv",
        ("connection_id", "branch_id", "technology", "ordered_at", "promised_on", "connected_at", "cancelled_at",
         "is_late"),
        ((f"ORD-{o.number:05d}", o.branch, w.TECHNOLOGIES[o.technology], c.stamp(o.ordered), o.promised,
          _stamp(o.connected), _stamp(o.cancelled), int(o.is_late)) for o in orders),
    )  # fmt: skip
    _save(
        folder / "evaluations.csv",
        ("evaluation_id", "linkedid", "operator_id", "evaluator_id", "form_version", "tone", "solved",
         "evaluated_at", "raw_score", "is_fatal"),
        (_evaluation(world, one) for one in happened.evaluations),
    )  # fmt: skip
    _save(
        folder / "callbacks.csv",
        ("reason", "branch_id", "subject", "subscriber_id", "owed_at", "reopened_at", "attempts", "is_neglected"),
        ((o.reason, o.branch, o.subject, world.subscribers.ids[o.subscriber] if o.subscriber >= 0 else "",
          c.stamp(o.at), _stamp(o.until), len(o.attempts), int(o.is_neglected)) for o in owed),
    )  # fmt: skip
    _save(
        folder / "churn.csv",
        ("subscriber_id", "left_on", "entered_at", "experience", "ratio"),
        ((world.subscribers.ids[number], leave.on, c.stamp(leave.at), leave.experience, leave.ratio)
         for number, leave in happened.leaves.items()),
    )  # fmt: skip
    (folder / "planted.json").write_text(json.dumps(planted(world), indent=2, ensure_ascii=False) + "\n")


def _save(path: Path, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _stamp(at: int | None) -> str:
    return "" if at is None else c.stamp(at)


def _final(presses: list[ivr.Press]) -> dict[tuple[int, int], ivr.Press]:
    return {(p.contact, p.criterion): p for p in presses if p.is_final}


def _operator(world: w.World, operator: int | None) -> str:
    return "" if operator is None else world.operators[operator].operator_id


def _wait(visit: c.Visit) -> int | None:
    """Seconds waited; None where a crash ended the wait, because no log says when the caller gave up."""
    return None if visit.outcome == "interrupted" else visit.wait


def _sum(values: Iterable[int | None]) -> int | str:
    known = [v for v in values if v is not None]
    return sum(known) if known else ""


def _contacts(
    world: w.World, days: c.Days, ratings: dict[tuple[int, int], ivr.Press], happened: crm.Crm
) -> Iterable[list[Any]]:
    notes, cases = crm.by_contact(happened.notes), crm.cases_by_call(happened.cases)
    written = {(k.subscriber, k.opened, k.topic): k for k in happened.cases if k.callid is None}
    for contact in days.contacts:
        day, deciding = c.business_day(contact), contact.deciding
        note = notes.get(contact.number)
        own = cases.get((contact.server, contact.callid), [])
        case = own[0] if own else written.get((contact.subscriber, contact.start, contact.topic))
        upto = contact.visits[: contact.visits.index(deciding) + 1] if deciding is not None else []
        queues = [v.queue for v in contact.visits] or ([contact.transfer_to] if contact.turned_away else [])
        subscriber = world.subscribers.ids[contact.subscriber] if contact.subscriber >= 0 else ""
        is_known = bool(subscriber) and (contact.kind != "call" or bool(contact.phone))
        last = contact.visits[-1] if contact.visits else None
        pressed = (ratings.get((contact.number, i)) for i in range(len(c.CRITERIA)))
        yield [
            contact.number, contact.kind, contact.server if contact.kind == "call" else "", contact.callid,
            c.stamp(contact.entered), c.stamp(contact.ended), day, contact.branch, " ".join(queues),
            contact.outcome, _operator(world, deciding.operator if deciding else None),
            "" if deciding is None else _wait(deciding), _sum(map(_wait, upto)),
            "" if deciding is None else deciding.ring, _sum(v.ring for v in contact.answered),
            "" if deciding is None else deciding.talk, _sum(v.talk for v in contact.answered),
            last.ended_by if last is not None and last.ended_by in ("agent", "caller") else "",
            contact.transfer, len(contact.visits), int(bool(contact.visits)), contact.topic,
            w.topic_class(contact.topic, day), "" if note is None else note.topic,
            contact.topic if note is not None or case is not None else "", int(contact.solved), subscriber,
            subscriber if is_known else "", "" if contact.repeat_of is None else contact.repeat_of,
            "" if case is None else case.case_no,
            *("" if p is None or p.value is None else p.value for p in pressed),
        ]  # fmt: skip


def _visits(world: w.World, days: c.Days) -> Iterable[list[Any]]:
    for contact in days.contacts:
        for number, v in enumerate(contact.visits, 1):
            yield [
                contact.number, contact.server, contact.callid, number, v.callid, v.queue, c.stamp(v.entered),
                v.outcome, _operator(world, v.operator), _stamp(v.connected), _stamp(v.ended), _wait(v),
                v.ring if v.connected else "", v.talk, v.ended_by, v.leg,
            ]  # fmt: skip


def _ratings(world: w.World, days: c.Days, presses: list[ivr.Press]) -> Iterable[list[Any]]:
    for p in presses:
        contact = days.contacts[p.contact]
        yield [
            p.contact, p.server_id, contact.callid, c.CRITERIA[p.criterion], _operator(world, p.operator),
            c.stamp(p.at), p.digit, p.value, p.status, int(bool(p.callid)),
            int(bool(p.callid) or bool(contact.phone)), int(p.is_final),
        ]  # fmt: skip


def _ticket(case: crm.Case) -> list[Any]:
    solved = case.times("solved")
    replies = sum(1 for _, event, public, _ in case.history if event == "replied" and public)
    return [
        case.case_no, case.branch, case.topic, case.kind, case.channel, case.callid or "", c.stamp(case.opened),
        _stamp(solved[0]), _stamp(solved[-1]), len(case.times("reopened")), replies,
    ]  # fmt: skip


def _evaluation(world: w.World, one: crm.Evaluation) -> list[Any]:
    raw, failed = crm.score(one)
    return [
        f"E{one.number}", one.contact.callid, _operator(world, one.operator), one.listener, one.version, one.mood,
        "" if one.solved is None else int(one.solved), c.stamp(one.at), f"{raw:.6f}", int(failed),
    ]  # fmt: skip


def planted(world: w.World) -> dict[str, Any]:
    """The planted facts, with ids as the warehouse knows them."""
    people = world.operators
    surge, late, left = w.SURGE, w.LATE_CONNECTIONS, w.NEGLECTED_CALLBACKS
    return {
        "seed": world.seed,
        "first_day": world.first_day.isoformat(),
        "last_day": world.last_day.isoformat(),
        "rude_operators": [o.operator_id for o in people if o.is_rude],
        "slow_operators": [o.operator_id for o in people if o.is_slow],
        "rating_dodger": next(o.operator_id for o in people if o.waits_for_hang_up),
        "unfair_looking_operator": {
            "operator_id": next(o.operator_id for o in people if o.takes_hard),
            "hard_topics": [t.topic_id for t in w.TOPICS if t.hard],
        },
        "topic_surge": {
            "branch_id": surge.branch_id, "topic_id": surge.topic_id, "first_day": surge.first.isoformat(),
            "last_day": surge.last.isoformat(), "times": surge.times,
        },
        "late_connections": {
            "branch_id": late.branch_id, "promised_from": late.first.isoformat(),
            "promised_to": late.last.isoformat(), "late_share": late.late_share,
        },
        "neglected_callbacks": {
            "branch_id": left.branch_id, "owed_from": left.first.isoformat(), "owed_to": left.last.isoformat(),
            "called_share": left.called_share,
        },
        "measures": [
            {"measure_id": f"M-{number}", "branch_id": m.branch_id, "topic_id": m.topic_id,
             "started_at": c.stamp(m.begun)}
            for number, m in enumerate(w.MEASURES, 1)
        ],
        "biased_listener": w.BIASED_LISTENER,
        "churn": {
            "base_per_day": churn.BASE_PER_DAY, "ratios": churn.RATIOS, "lasts_days": churn.LASTS_DAYS,
            "long_wait_seconds": churn.LONG_WAIT_SECONDS,
        },
        "comment_theme": {
            "week_start": surveys.THEME_WEEK.isoformat(), "topics": list(surveys.THEME_TOPICS),
            "words": list(surveys.THEME_WORDS), "comments": list(surveys.THEME),
        },
        "branch_moved_to_gpon": w.GPON_BRANCH,
        "remapped_topic": {
            "topic_id": w.REMAPPED_TOPIC, "from_day": w.REMAPPED_ON.isoformat(), "to_class": w.REMAPPED_TO,
        },
        "moved_operators": {
            o.operator_id: [p.branch_id for p in o.postings] for o in people if len(o.postings) > 1
        },
        "operator_left": {o.operator_id: o.left.isoformat() for o in people if o.left},
        "operator_hired": {o.operator_id: o.hired.isoformat() for o in people if o.hired > world.first_day},
        "crashes": [{"server_id": x.server_id, "at": c.stamp(x.at), "down_seconds": x.down} for x in w.CRASHES],
        "late_ivr_files": {"server_id": w.LATE_FILE_SERVER, "days": [d.isoformat() for d in w.LATE_FILE_DAYS]},
    }  # fmt: skip
