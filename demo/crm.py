"""The provider's own CRM: its schema, which is not ours, and every version of every row."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from demo import calls as c
from demo import churn, ivr
from demo import world as w
from demo.orders import Order

Row = tuple[Any, ...]
"""Values in the order of the table's columns; the first is the key, the last ``modified_at`` (UTC epoch)."""

LONG_AGO = date(2015, 1, 1)
LETTER = {"marketing": "M", "technical": "T", "client_service": "C"}
ACTIONS = {"opened": 10, "assigned": 15, "replied": 20, "solved": 30, "reopened": 40, "closed": 90}
STATES = {"open": 1, "solved": 2, "closed": 3}
MOODS = {"warm": 1, "neutral": 2, "cold": 3, "rude": 4}
NEW_FORM_ON = date(2026, 9, 15)

TABLES: dict[str, tuple[str, ...]] = {
    "offices": (
        "office_row integer", "code varchar(8)", "title varchar(60)", "district varchar(40)", "tz varchar(40)",
        "since date", "until date",
    ),
    "staff": (
        "tab_no varchar(10)", "surname varchar(40)", "given_name varchar(40)", "employed date", "dismissed date",
    ),
    "staff_postings": (
        "posting_id integer", "tab_no varchar(10)", "office_code varchar(8)", "unit varchar(20)", "since date",
        "until date",
    ),
    "pbx_accounts": (
        "account_id integer", "tab_no varchar(10)", "pbx varchar(8)", "shown_as varchar(60)", "device varchar(60)",
        "since date", "until date",
    ),
    "plans": ("plan_id integer", "title varchar(40)"),
    "abonents": (
        "abonent_id integer", "contract varchar(12)", "phone varchar(16)", "office_code varchar(8)",
        "tech smallint", "plan_id integer", "activated date", "ended date",
    ),
    "reasons": ("reason_id integer", "code varchar(30)", "title varchar(60)"),
    "reason_groups": (
        "group_row integer", "reason_id integer", "letter varchar(1)", "since date", "until date",
    ),
    "call_notes": (
        "note_id integer", "pbx varchar(8)", "call_uid varchar(40)", "tab_no varchar(10)", "reason_id integer",
        "created_at {ts}",
    ),
    "cases": (
        "case_id integer", "case_no varchar(12)", "abonent_id integer", "office_code varchar(8)",
        "reason_id integer", "kind varchar(1)", "came_by varchar(10)", "urgency smallint", "pbx varchar(8)",
        "call_uid varchar(40)", "tab_no varchar(10)", "confirmed smallint", "place varchar(1)",
        "outage_no varchar(20)", "created_at {ts}", "deadline_at {ts}", "state smallint",
    ),
    "case_history": (
        "entry_id integer", "case_id integer", "action smallint", "for_client smallint", "tab_no varchar(10)",
        "happened_at {ts}",
    ),
    "install_orders": (
        "order_id integer", "abonent_id integer", "office_code varchar(8)", "tech smallint", "received_at {ts}",
        "promised date", "done_at {ts}", "withdrawn_at {ts}",
    ),
    "office_actions": (
        "action_id integer", "office_code varchar(8)", "reason_id integer", "surge_ref varchar(80)",
        "summary varchar(200)", "responsible varchar(60)", "begun_at {ts}", "finished_at {ts}",
    ),
    "listening": (
        "listening_id integer", "pbx varchar(8)", "call_uid varchar(40)", "tab_no varchar(10)",
        "listener varchar(8)", "form_code varchar(10)", "form_ver integer", "mood smallint", "resolved smallint",
        "listened_at {ts}",
    ),
    "listening_criteria": (
        "criterion_id integer", "form_code varchar(10)", "form_ver integer", "code varchar(30)",
        "max_points smallint", "weight smallint", "fatal varchar(1)",
    ),
    "listening_marks": (
        "mark_id integer", "listening_id integer", "criterion_id integer", "points smallint",
        "not_applicable smallint",
    ),
}  # fmt: skip


@dataclass
class Case:
    """A ticket with its history; instants are UTC epoch seconds."""

    number: int
    subscriber: int
    branch: str
    topic: str
    kind: str
    channel: str
    urgency: int
    server: str | None
    callid: str | None
    operator: int | None
    opened: int
    outage: str | None
    is_valid: bool | None = None
    part: str | None = None
    history: list[tuple[int, str, bool, int | None]] = field(default_factory=list)

    @property
    def case_no(self) -> str:
        """The number people quote."""
        return f"R{500_000 + self.number}"

    def times(self, event: str) -> list[int]:
        """Instants of one kind of event."""
        return [at for at, what, _, _ in self.history if what == event]


@dataclass
class Evaluation:
    """A listened call. ``marks``: criterion index -> points (None: not applicable)."""

    number: int
    contact: c.Contact
    operator: int
    listener: str
    version: int
    mood: str
    solved: bool | None
    at: int
    marks: dict[int, int | None]
    rescored: int | None = None
    first_marks: dict[int, int | None] | None = None


@dataclass
class Note:
    """A topic noted after a call."""

    number: int
    contact: c.Contact
    callid: str
    operator: int
    topic: str
    at: int
    corrected: int | None = None
    first_topic: str | None = None


@dataclass
class Crm:
    """What the CRM's users did."""

    notes: list[Note]
    cases: list[Case]
    evaluations: list[Evaluation]
    orders: list[Order]
    leaves: dict[int, churn.Leave]


# (code, points, weight, fatal kind, first form version)
CRITERIA: tuple[tuple[str, int, int, str | None, int], ...] = (
    ("greeting", 5, 5, None, 1),
    ("listening", 10, 10, None, 1),
    ("understanding", 10, 15, None, 1),
    ("explanation", 10, 15, None, 1),
    ("politeness", 10, 15, None, 1),
    ("knowledge", 10, 15, None, 1),
    ("procedure", 10, 10, None, 1),
    ("farewell", 5, 5, None, 1),
    ("offer_made", 5, 5, None, 2),
    ("summary", 5, 5, None, 2),
    ("rudeness", 1, 0, "customer", 1),
    ("wrong_information", 1, 0, "business", 1),
    ("disclosure", 1, 0, "compliance", 1),
)
OPTIONAL_CRITERIA = {"offer_made", "procedure"}


def happenings(world: w.World, days: c.Days, orders: list[Order], leaves: dict[int, churn.Leave]) -> Crm:
    """Notes, tickets and evaluations that follow from the contacts."""
    return Crm(_notes(world, days), _cases(world, days), _evaluations(world, days), orders, leaves)


def _notes(world: w.World, days: c.Days) -> list[Note]:
    dice = c.Dice(world.rng(40))
    found: list[Note] = []
    for contact in days.contacts:
        if contact.outcome != "answered" or not contact.answered[-1].talk or not dice.chance(0.92):
            continue
        last = contact.answered[-1]
        at = (last.ended or 0) + dice.whole(4, 80)
        callid = last.callid if dice.chance(0.5) else contact.callid
        note = Note(len(found) + 1, contact, callid, last.operator or 0, contact.topic, at)
        corrected = at + dice.whole(3600, 100_000)
        if dice.chance(0.015) and corrected < world.end:
            note.corrected = corrected
            note.first_topic = w.TOPICS[dice.whole(0, len(w.TOPICS))].topic_id
        found.append(note)
    return found


# -- tickets --------------------------------------------------------------------------------------------


def _cases(world: w.World, days: c.Days) -> list[Case]:
    dice = c.Dice(world.rng(41))
    found: list[Case] = []
    open_by_chain: dict[int, Case] = {}
    for contact in days.contacts:
        earlier = open_by_chain.get(contact.repeat_of) if contact.repeat_of is not None else None
        if earlier is not None and contact.kind == "call":
            open_by_chain[contact.number] = earlier
            if contact.outcome != "answered" or _reopen(dice, earlier, contact) or dice.chance(0.7):
                continue
        if (case := _opened(dice, world, contact)) is not None:
            open_by_chain[contact.number] = case
            found.append(case)
        if (case := _complaint(dice, world, contact)) is not None:
            found.append(case)
    found.sort(key=lambda one: one.opened)
    for number, one in enumerate(found, 1):
        one.number = number
    return found


def _opened(dice: c.Dice, world: w.World, contact: c.Contact) -> Case | None:
    topic = w.TOPIC[contact.topic]
    if contact.kind != "call":
        operator = None if contact.kind == "email" and dice.chance(0.5) else _somebody(dice, world, contact)
        return _case(dice, contact, operator, contact.start, None)
    if contact.outcome != "answered" or not contact.answered[-1].talk or not dice.chance(topic.ticket):
        return None
    last = contact.answered[-1]
    at = max(last.connected or 0, (last.ended or 0) - dice.whole(5, 60))
    return _case(dice, contact, last.operator, at, contact.callid)


def _somebody(dice: c.Dice, world: w.World, contact: c.Contact) -> int:
    day = w.local_day(contact.start, w.BRANCH[contact.branch].zone)
    there = [
        i for i, o in enumerate(world.operators)
        if any(p.covers(day) and p.branch_id == contact.branch for p in o.postings)
    ]  # fmt: skip
    return there[dice.whole(0, len(there))]


def _complaint(dice: c.Dice, world: w.World, contact: c.Contact) -> Case | None:
    """A complaint about how the call was handled; people complain about rude operators."""
    if contact.kind != "call" or contact.outcome != "answered" or contact.subscriber < 0:
        return None
    rude = world.operators[contact.answered[0].operator or 0].is_rude
    if not dice.chance(0.05 if rude else 0.002):
        return None
    at = contact.ended + dice.whole(600, 2 * 86400)
    case = _case(dice, contact, None, at, contact.callid)
    case.kind, case.is_valid, case.part, case.outage = "complaint", None, None, None
    return case


def _case(dice: c.Dice, contact: c.Contact, operator: int | None, at: int, callid: str | None) -> Case:
    topic = w.TOPIC[contact.topic]
    urgency = {"fault": 1, "complaint": 2}.get(topic.ticket_kind, 3)
    day = w.local_day(at, w.BRANCH[contact.branch].zone)
    surge = (
        contact.branch == w.SURGE.branch_id and contact.topic == w.SURGE.topic_id
        and w.SURGE.first <= day <= w.SURGE.last
    )  # fmt: skip
    case = Case(
        0, contact.subscriber, contact.branch, contact.topic, topic.ticket_kind,
        "phone" if callid else contact.kind, urgency, contact.server if callid else None, callid, operator, at,
        f"OUT-{w.SURGE.branch_id}-{w.SURGE.first:%m%d}" if surge and dice.chance(0.7) else None,
    )  # fmt: skip
    if topic.ticket_kind == "fault":
        case.is_valid = dice.chance(0.88)
        case.part = "access" if dice.chance(0.7) else "other"
    _life(dice, case)
    return case


def _life(dice: c.Dice, case: Case) -> None:
    """Opened, assigned, answered, solved, perhaps reopened, closed."""
    slow = {"fault": 8.0, "complaint": 30.0}.get(case.kind, 14.0)
    case.history = [(case.opened, "opened", True, case.operator)]
    case.history.append((case.opened + dice.whole(60, 1800), "assigned", False, None))
    reply = case.opened + int(3600 * 1.6 * 2.718 ** (0.8 * dice.n()))
    case.history.append((reply, "replied", True, case.operator))
    if dice.chance(0.35):
        case.history.append((reply + dice.whole(1800, 40_000), "replied", dice.chance(0.7), case.operator))
    solved = max(case.history[-1][0] + 300, case.opened + int(3600 * slow * 2.718 ** (0.8 * dice.n())))
    case.history.append((solved, "solved", True, case.operator))
    if dice.chance(0.06):
        again = solved + dice.whole(4 * 3600, 2 * 86400)
        case.history.append((again, "reopened", True, None))
        solved = again + int(3600 * slow * 2.718 ** (0.6 * dice.n()))
        case.history.append((solved, "solved", True, case.operator))
    if dice.chance(0.9):
        case.history.append((solved + 2 * 86400 + dice.whole(0, 7200), "closed", False, None))


def _reopen(dice: c.Dice, case: Case, contact: c.Contact) -> bool:
    """A repeated contact about a ticket that was solved, not yet closed, may open it again."""
    at = contact.ended
    ends = [one for one in case.history if one[1] == "solved"][-1][0]
    if not ends < at or any(when <= at for when in case.times("closed")) or not dice.chance(0.5):
        return False
    case.history = [one for one in case.history if one[1] != "closed"]
    case.history.append((at, "reopened", True, contact.answered[-1].operator))
    solved = at + int(3600 * 10 * 2.718 ** (0.6 * dice.n()))
    case.history.append((solved, "solved", True, case.operator))
    case.history.append((solved + 2 * 86400, "closed", False, None))
    return True


# -- evaluations ----------------------------------------------------------------------------------------


def _evaluations(world: w.World, days: c.Days) -> list[Evaluation]:
    """Listeners have a daily quota; two calls a day are heard by three of them."""
    dice = c.Dice(world.rng(42))
    pool = [x for x in days.contacts if x.outcome == "answered" and (x.answered[0].talk or 0) >= 30]
    ends = [x.ended for x in pool]
    heard: set[int] = set()
    found: list[Evaluation] = []
    for number in range(world.days):
        midnight = w.epoch(world.first_day + timedelta(days=number), w.PROVIDER_ZONE)
        first, last = bisect_left(ends, midnight - 2 * 86400), bisect_left(ends, midnight + 10 * 3600)
        fresh = [i for i in range(first, last) if i not in heard]
        for turn in range(min(dice.whole(26, 31), len(fresh))):
            heard.add(chosen := fresh.pop(dice.whole(0, len(fresh))))
            start = max(midnight + 9 * 3600, ends[chosen] + 1800)
            for listener in _listeners(dice, 3 if turn < 2 else 1):
                at = start + dice.whole(0, midnight + 22 * 3600 - start)
                found.append(_evaluation(dice, world, pool[chosen], listener, at))
    found.sort(key=lambda one: one.at)
    for number, one in enumerate(found, 1):
        one.number = number
    return found


def _listeners(dice: c.Dice, count: int) -> list[str]:
    first = dice.whole(0, len(w.LISTENERS))
    return [w.LISTENERS[(first + step) % len(w.LISTENERS)] for step in range(count)]


def _evaluation(dice: c.Dice, world: w.World, contact: c.Contact, listener: str, at: int) -> Evaluation:
    operator = contact.answered[0].operator or 0
    version = 1 if w.local_day(at, w.PROVIDER_ZONE) < NEW_FORM_ON else 2
    person = world.operators[operator]
    marks = _marks(dice, world, contact, operator, listener, version)
    drawn = dice.u()
    if person.is_rude:
        mood = "rude" if drawn < 0.35 else ("cold" if drawn < 0.8 else "neutral")
    else:
        mood = "warm" if drawn < 0.4 else ("neutral" if drawn < 0.93 else "cold")
    solved = None if dice.chance(0.02) else (contact.solved if dice.chance(0.94) else not contact.solved)
    one = Evaluation(0, contact, operator, listener, version, mood, solved, at, marks)
    if dice.chance(0.012):
        one.first_marks, one.marks = marks, {**marks, 4: 5}
        one.rescored = at + dice.whole(40_000, 90_000)
    return one


def _marks(
    dice: c.Dice, world: w.World, contact: c.Contact, operator: int, listener: str, version: int
) -> dict[int, int | None]:
    person = world.operators[operator]
    harsh = 0.22 if listener == w.BIASED_LISTENER else 0.0
    marks: dict[int, int | None] = {}
    for index, (code, points, _, fatal, since) in enumerate(CRITERIA):
        if version < since:
            continue
        if fatal is not None:
            chance = {"customer": 0.12 if person.is_rude else 0.004, "business": 0.012, "compliance": 0.004}[fatal]
            marks[index] = 0 if dice.chance(chance) else points
            continue
        if code in OPTIONAL_CRITERIA and dice.chance(0.3):
            marks[index] = None
            continue
        level = 0.88 + person.skill - harsh + 0.12 * dice.n()
        level += person.manner * 0.22 if code in ("politeness", "listening", "greeting") else 0.0
        marks[index] = max(0, min(points, round(points * level)))
    return marks


def score(one: Evaluation) -> tuple[float, bool]:
    """Weighted share of points over what applied (0 to 1), and whether a fatal criterion was failed."""
    got = whole = 0.0
    failed = False
    for index, points in one.marks.items():
        _, most, weight, fatal, _ = CRITERIA[index]
        if fatal is not None:
            failed = failed or points == 0
        elif points is not None:
            got, whole = got + weight * points / most, whole + weight
    return got / whole, failed


# -- rows -----------------------------------------------------------------------------------------------


def versions(world: w.World, happened: Crm) -> dict[str, list[Row]]:
    """Every version of every row by table, each sorted by ``modified_at``.

    The CRM went live on the first simulated day: what is older carries that moment.
    """
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    _reference(world, rows)
    _people(world, rows)
    _abonents(world, happened, rows)
    _orders(world, happened.orders, rows)
    _note_rows(happened.notes, rows, world)
    _case_rows(happened.cases, rows)
    _evaluation_rows(happened.evaluations, rows, world)
    _action_rows(world, rows)
    for name in rows:
        rows[name].sort(key=lambda row: row[-1])
    return rows


def _live(world: w.World) -> int:
    return world.start + 300


def _eve(world: w.World, day: date) -> int:
    """When a change that holds from ``day`` is entered: at noon the day before."""
    return max(_live(world) + 1, w.epoch(day - timedelta(days=1), w.PROVIDER_ZONE, 12))


def _reference(world: w.World, rows: dict[str, list[Row]]) -> None:
    live = _live(world)
    for index, b in enumerate(w.BRANCHES, 1):
        rows["offices"].append((index, b.branch_id, b.name, b.region, b.time_zone, LONG_AGO, None, live))
        if b.branch_id == w.RENAMED_BRANCH:
            known, day = _eve(world, w.RENAMED_ON), w.RENAMED_ON
            rows["offices"] += [
                (index, b.branch_id, b.name, b.region, b.time_zone, LONG_AGO, day, known),
                (100 + index, b.branch_id, f"{b.name} and Togliatti", b.region, b.time_zone, day, None, known),
            ]
    for index, title in enumerate(w.TARIFFS):
        rows["plans"].append((index, title, live))
    for index, topic in enumerate(w.TOPICS, 1):
        letter = LETTER[topic.topic_class]
        rows["reasons"].append((index, topic.topic_id, topic.name, live))
        rows["reason_groups"].append((index, index, letter, LONG_AGO, None, live))
        if topic.topic_id == w.REMAPPED_TOPIC:
            known, day = _eve(world, w.REMAPPED_ON), w.REMAPPED_ON
            rows["reason_groups"] += [
                (index, index, letter, LONG_AGO, day, known),
                (100 + index, index, LETTER[w.REMAPPED_TO], day, None, known),
            ]
    number = 0
    for version in (1, 2):
        for code, points, weight, fatal, since in CRITERIA:
            if since <= version:
                number += 1
                letter = {"customer": "C", "business": "B", "compliance": "L"}.get(fatal or "", "")
                rows["listening_criteria"].append((number, "CALL", version, code, points, weight, letter or None, live))


def _people(world: w.World, rows: dict[str, list[Row]]) -> None:
    live, posting, account = _live(world), 0, 0
    for person in world.operators:
        begins = live if person.hired <= world.first_day else _eve(world, person.hired)
        name = (person.operator_id, person.last_name, person.first_name, person.hired)
        rows["staff"].append((*name, None, begins))
        if person.left is not None:
            rows["staff"].append((*name, person.left, _eve(world, person.left)))
        for place in person.postings:
            posting += 1
            row: Row = (posting, person.operator_id, place.branch_id, place.team, place.since)
            _periods(rows["staff_postings"], world, row, place.since, place.until)
        for login in person.logins:
            account += 1
            row = (account, person.operator_id, login.server_id, login.member, login.interface, login.since)
            _periods(rows["pbx_accounts"], world, row, login.since, login.until)


def _periods(rows: list[Row], world: w.World, known: Row, since: date, until: date | None) -> None:
    """A row that is open at first and gets its end when that is decided."""
    rows.append((*known, None, _live(world) if since <= world.first_day else _eve(world, since)))
    if until is not None:
        rows.append((*known, until, _eve(world, until)))


def _abonents(world: w.World, happened: Crm, rows: dict[str, list[Row]]) -> None:
    subs, live = world.subscribers, _live(world)
    placed = {o.subscriber: o for o in happened.orders}
    dice = c.Dice(world.rng(43))
    for index, contract in enumerate(subs.ids):
        order = placed.get(index)
        tech = int(subs.technology[index])
        head = (index, contract, subs.phone[index], w.BRANCHES[int(subs.branch[index])].branch_id)
        plan = int(subs.tariff[index])
        begins = order.ordered if order is not None and order.is_new else live
        activated = None if order is not None and order.is_new else subs.connected[index]
        rows["abonents"].append((*head, tech + 1, plan, activated, None, begins))
        changed = begins
        if order is not None and order.connected is not None:
            changed = order.connected
            activated = activated or w.local_day(order.connected, w.BRANCH[order.branch].zone)
            tech = order.technology
            rows["abonents"].append((*head, tech + 1, plan, activated, None, changed))
        leave, ended = happened.leaves.get(index), None
        if dice.chance(0.03):
            at = changed + dice.whole(86400, 80 * 86400)
            ends = bool(activated) and dice.chance(0.3)
            ended = w.local_day(at, w.PROVIDER_ZONE) if ends and leave is None else None
            if leave is None or at < leave.at:
                plan = (plan + 1) % len(w.TARIFFS)
                rows["abonents"].append((*head, tech + 1, plan, activated, ended, at))
        if leave is not None:
            rows["abonents"].append((*head, tech + 1, plan, activated, leave.on, leave.at))


def _orders(world: w.World, orders: Iterable[Order], rows: dict[str, list[Row]]) -> None:
    for o in orders:
        head = (o.number, o.subscriber, o.branch, o.technology + 1, o.ordered, o.promised)
        rows["install_orders"].append((*head, None, None, o.ordered))
        if (at := o.connected or o.cancelled) is not None:
            rows["install_orders"].append((*head, o.connected, o.cancelled, at))


def _note_rows(notes: Iterable[Note], rows: dict[str, list[Row]], world: w.World) -> None:
    reason = {t.topic_id: i for i, t in enumerate(w.TOPICS, 1)}
    for n in notes:
        head = (n.number, n.contact.server, n.callid, world.operators[n.operator].operator_id)
        rows["call_notes"].append((*head, reason[n.first_topic or n.topic], n.at, n.at))
        if n.corrected is not None:
            rows["call_notes"].append((*head, reason[n.topic], n.at, n.corrected))


def _case_rows(cases: Iterable[Case], rows: dict[str, list[Row]]) -> None:
    reason = {t.topic_id: i for i, t in enumerate(w.TOPICS, 1)}
    entry = 0
    kinds = {"fault": "F", "request": "R", "complaint": "C"}
    for case in cases:
        staff = None if case.operator is None else f"T{1001 + case.operator}"
        head = (
            case.number, case.case_no, None if case.subscriber < 0 else case.subscriber, case.branch,
            reason[case.topic], kinds[case.kind], case.channel, case.urgency, case.server, case.callid, staff,
        )  # fmt: skip
        confirmed: int | None = None
        part: str | None = None
        for at, event, public, who in case.history:
            entry += 1
            if event == "solved" and case.is_valid is not None:
                confirmed, part = int(case.is_valid), "A" if case.part == "access" else "O"
            state = {"solved": "solved", "closed": "closed"}.get(event, "open")
            if event in ("opened", "solved", "reopened", "closed"):
                due = deadline(case)
                rows["cases"].append((*head, confirmed, part, case.outage, case.opened, due, STATES[state], at))
            late = 11 * 3600 if entry % 60 == 0 and event == "replied" else 0  # entered the next morning
            by = None if who is None else f"T{1001 + who}"
            rows["case_history"].append((entry, case.number, ACTIONS[event], int(public), by, at, at + late))


def _evaluation_rows(found: Iterable[Evaluation], rows: dict[str, list[Row]], world: w.World) -> None:
    criterion: dict[tuple[int, str], int] = {(row[2], row[3]): row[0] for row in rows["listening_criteria"]}
    mark = 0
    for one in found:
        rows["listening"].append((
            one.number, one.contact.server, one.contact.callid, world.operators[one.operator].operator_id,
            one.listener, "CALL", one.version, MOODS[one.mood], None if one.solved is None else int(one.solved),
            one.at, one.at,
        ))  # fmt: skip
        for index in one.marks:
            mark += 1
            head = (mark, one.number, criterion[one.version, CRITERIA[index][0]])
            was = (one.first_marks or one.marks)[index]
            rows["listening_marks"].append((*head, was, int(was is None), one.at))
            now = one.marks[index]
            if one.rescored is not None and now != was:
                rows["listening_marks"].append((*head, now, int(now is None), one.rescored))


def _action_rows(world: w.World, rows: dict[str, list[Row]]) -> None:
    """Measures are entered half an hour after they began, and once more when they ended."""
    reason = {t.topic_id: i for i, t in enumerate(w.TOPICS, 1)}
    for number, one in enumerate(w.MEASURES, 1):
        head = (number, one.branch_id, reason[one.topic_id], one.surge_id, one.what, one.owner, one.begun)
        if one.begun >= world.start:
            rows["office_actions"].append((*head, None, one.begun + 1800))
            if one.finished is not None:
                rows["office_actions"].append((*head, one.finished, one.finished + 1800))


def column_names(table: str) -> list[str]:
    """Columns of a CRM table, ``modified_at`` last."""
    return [column.split()[0] for column in TABLES[table]] + ["modified_at"]


def as_utc(at: int) -> datetime:
    """UTC epoch seconds as the CRM stores instants: UTC without a zone."""
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)


def instant_columns(table: str) -> list[int]:
    """Places of the columns that hold instants."""
    declared = [i for i, column in enumerate(TABLES[table]) if column.endswith("{ts}")]
    return [*declared, len(TABLES[table])]


def deadline(case: Case) -> int:
    """UTC epoch by which the ticket must be solved."""
    return case.opened + 3600 * {1: 24, 2: 72}.get(case.urgency, 48)


def mood_of(world: w.World, contact: c.Contact) -> float:
    """Mean feeling of a subscriber after a contact, for surveys."""
    operator = contact.answered[0].operator if contact.answered else None
    if operator is None:
        return 4.3 if contact.solved else 3.1
    return sum(ivr.mood(world, contact, operator)) / 4


def latest(rows: Iterable[Row], until: int) -> dict[Any, Row]:
    """The version of every row that holds at ``until``, by key."""
    found: dict[Any, Row] = {}
    for row in rows:
        if row[-1] < until:
            found[row[0]] = row
    return found


def by_contact(notes: Iterable[Note]) -> dict[int, Note]:
    """Notes by contact number."""
    return {n.contact.number: n for n in notes}


def cases_by_call(cases: Iterable[Case]) -> dict[tuple[str | None, str], list[Case]]:
    """Tickets by the call that opened them."""
    found: dict[tuple[str | None, str], list[Case]] = defaultdict(list)
    for case in cases:
        if case.callid:
            found[case.server, case.callid].append(case)
    return found
