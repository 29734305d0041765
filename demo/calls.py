"""What happens: contacts day by day, each followed from the menu through queues and operators to its end."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial

import numpy as np
import numpy.typing as npt

from demo import world as w

CRITERIA = ("service_quality", "readiness_to_help", "politeness", "competence")
HOUR_WEIGHTS = np.array(
    [0.5, 0.35, 0.25, 0.2, 0.2, 0.3, 0.7, 1.8, 4.2, 6.8, 7.6, 7.4, 6.6, 6.4, 6.6, 6.8, 7.0, 7.4, 7.6, 6.6, 4.0,
     2.8, 1.8, 1.0]
)  # fmt: skip
WEEKDAY_FACTOR = (1.14, 1.08, 1.03, 1.01, 1.0, 0.88, 0.82)
FIRST_CONTACT_SHARE = 0.83  # the rest of the volume are people who come back
DAY_OPENS, DAY_CLOSES = 8, 20
UNFINISHED = ("abandoned", "timed_out", "left_by_key", "turned_away", "interrupted", "left_in_menu")


@dataclass
class Ring:
    """One attempt to ring an operator. ``kind``: answered, no_answer or cancelled; ``ms`` milliseconds."""

    operator: int
    at: int
    ms: int
    kind: str


@dataclass
class Visit:
    """One stay in one queue. Times are UTC epoch seconds; ``wait``, ``ring``, ``talk`` what the log says.

    ``is_waited_out``: the operator would have ended it, and waited for the caller to do so.
    ``leg`` is ``caller``, ``consult`` (an attended transfer's own channel) or ``swapped`` (entered under
    the consult channel's id, answered under the caller's).
    """

    queue: str
    entered: int
    position: int = 1
    outcome: str = ""
    wait: int = 0
    ring: int | None = None
    talk: int | None = None
    operator: int | None = None
    connected: int | None = None
    ended: int | None = None
    ended_by: str = ""
    is_waited_out: bool = False
    key: str = ""
    leg: str = "caller"
    transfer_form: str = ""
    rings: list[Ring] = field(default_factory=list)
    callid: str = ""


@dataclass
class Contact:
    """One contact: a call, or a ticket written without one (``kind``)."""

    number: int
    kind: str
    subscriber: int
    branch: str
    topic: str
    start: int
    attempt: int
    repeat_of: int | None
    visits: list[Visit] = field(default_factory=list)
    outcome: str = ""
    solved: bool = False
    is_night: bool = False
    transfer: str = ""
    transfer_to: str = ""
    turned_away: str = ""
    entered: int = 0
    ended: int = 0
    caller: str = ""
    phone: str = ""
    shares_id: int | None = None
    callid: str = ""
    consult: str = ""
    forced: str = ""

    @property
    def server(self) -> str:
        """PBX that took the call."""
        return w.BRANCH[self.branch].server_id

    @property
    def answered(self) -> list[Visit]:
        """The visits an operator answered; a crash may have cut the last one off (no ``talk``)."""
        return [v for v in self.visits if v.outcome == "answered"]

    @property
    def deciding(self) -> Visit | None:
        """The first answered visit, else the last one; None when no queue was entered."""
        return next(iter(self.answered), self.visits[-1] if self.visits else None)


@dataclass
class Pause:
    """An operator's pause, UTC epoch seconds."""

    operator: int
    since: int
    until: int
    reason: str
    branch: str
    team: str


@dataclass
class Shift:
    """An operator's shift: logged in from ``since`` to ``until`` (UTC epoch seconds)."""

    operator: int
    since: int
    until: int
    branch: str
    team: str


@dataclass
class Days:
    """The whole simulated period."""

    contacts: list[Contact]
    shifts: list[Shift]
    pauses: list[Pause]


class Dice:
    """Cheap scalar draws from blocks of a numpy generator."""

    def __init__(self, rng: w.Rng) -> None:
        self.u: Callable[[], float] = partial(next, _endless(rng.random))
        self.n: Callable[[], float] = partial(next, _endless(rng.standard_normal))

    def chance(self, p: float) -> bool:
        """True with probability ``p``."""
        return self.u() < p

    def whole(self, low: int, high: int) -> int:
        """A whole number, low <= x < high."""
        return low + int(self.u() * (high - low))


def _endless(draw: Callable[[int], npt.NDArray[np.float64]]) -> Iterator[float]:
    while True:
        yield from draw(65_536).tolist()


def simulate(world: w.World, more: list[Contact]) -> Days:
    """Everything that happens between the first and the last day, in order; ``more``: contacts with a cause."""
    shifts = _shifts(world)
    days = _Floor(world, shifts).run(_arrivals(world, more), _pauses(world, shifts))
    _wait_out(world, days)
    return days


def _wait_out(world: w.World, days: Days) -> None:
    """Only calls that the operator ends go on to the rating menu: one of them lets most callers hang up first."""
    dice = Dice(world.rng(100))
    for contact in days.contacts:
        last = contact.visits[-1] if contact.visits else None
        if last is None or last.operator is None or contact.forced or last.ended_by != "agent":
            continue
        if world.operators[last.operator].waits_for_hang_up and dice.chance(0.7):
            last.ended_by, last.is_waited_out = "caller", True


def _shifts(world: w.World) -> list[Shift]:
    found: list[Shift] = []
    for index, person in enumerate(world.operators):
        for number in range(-1, world.days + 2):
            day = world.first_day + timedelta(days=number)
            posting = next((p for p in person.postings if p.covers(day)), None)
            if posting is not None and (hours := _hours(posting, person, day)):
                zone = w.BRANCH[posting.branch_id].zone
                since, until = (w.epoch(day + timedelta(days=h // 24), zone, h % 24) for h in hours)
                found.append(Shift(index, since, until, posting.branch_id, posting.team))
    return found


def _hours(posting: w.Posting, person: w.Operator, day: date) -> tuple[int, int] | None:
    """Local hours of the shift that begins on ``day``; None on a day off. Technicians share the nights."""
    if posting.team != "technical":
        works = (day.toordinal() + 2 * person.rank) % 4 < 2
        return (DAY_OPENS, DAY_CLOSES) if works else None
    phase = (day.toordinal() + person.rank) % 4
    if phase < 2:
        return DAY_OPENS, DAY_CLOSES
    ends_here = posting.covers(day + timedelta(days=1))
    return (DAY_CLOSES, 24 + DAY_OPENS) if phase == 2 and ends_here else None


def _pauses(world: w.World, shifts: list[Shift]) -> list[Pause]:
    dice = Dice(world.rng(3))
    found = []
    for shift in shifts:
        is_night = shift.until - shift.since > 11 * 3600 and datetime.fromtimestamp(
            shift.since, w.BRANCH[shift.branch].zone).hour == DAY_CLOSES  # fmt: skip
        plans = [(0.3, 9, "Break"), (0.7, 9, "Break")] if is_night else [
            (0.22, 10, "Break"), (0.45, 35, "Обед"), (0.75, 10, "Break")]  # fmt: skip
        if dice.chance(0.12) and not is_night:
            plans.append((0.9, 25, "Training"))
        for share, minutes, reason in plans:
            at = shift.since + int((shift.until - shift.since) * (share + dice.u() * 0.08))
            length = int(60 * minutes * (0.8 + 0.5 * dice.u()))
            found.append(Pause(shift.operator, at, at + length, reason, shift.branch, shift.team))
    return found


def _arrivals(world: w.World, more: list[Contact]) -> list[Contact]:
    """First contacts with branch, topic, subscriber and time; sorted by time."""
    rng, dice = world.rng(1), Dice(world.rng(2))
    weights = np.array([t.weight for t in w.TOPICS])
    weights = weights / weights.sum()
    pools = _pools(world)
    found = list(more)
    for number in range(-1, world.days + 1):
        day = world.first_day + timedelta(days=number)
        for branch in w.BRANCHES:
            starts = _starts(rng, world, branch, day)
            topics = rng.choice(len(w.TOPICS), len(starts), p=weights)
            people, chances = pools[branch.branch_id]
            callers = rng.choice(people, len(starts), p=chances)
            found += [
                _arrival(dice, branch.branch_id, int(s), w.TOPICS[t].topic_id, int(c))
                for s, t, c in zip(starts, topics.tolist(), callers.tolist(), strict=True)
            ]
            found += _surge(rng, dice, world, branch, day, people, weights)
    found += _forced(world, pools)
    found = [c for c in found if world.start <= c.start < world.end]
    found.sort(key=lambda c: c.start)
    _share_ids(dice, found)
    return sorted(found, key=lambda c: c.start)


def _pools(world: w.World) -> dict[str, tuple[w.Ints, npt.NDArray[np.float64]]]:
    subs, pools = world.subscribers, {}
    for index, branch in enumerate(w.BRANCHES):
        people = np.flatnonzero((subs.branch == index) & ~subs.is_new)
        eager = subs.eagerness[people]
        pools[branch.branch_id] = (people, eager / eager.sum())
    return pools


def _starts(rng: w.Rng, world: w.World, branch: w.Branch, day: date) -> w.Ints:
    """Instants of a branch's first contacts on local ``day``; a doubled hour occurs twice."""
    midnight = w.epoch(day, branch.zone)
    hours = (w.epoch(day + timedelta(days=1), branch.zone) - midnight) // 3600
    clock = [datetime.fromtimestamp(midnight + h * 3600, branch.zone).hour for h in range(hours)]
    profile = HOUR_WEIGHTS[clock]
    mean = world.contacts_per_day * FIRST_CONTACT_SHARE * branch.share * WEEKDAY_FACTOR[day.weekday()]
    counts = rng.poisson(mean * profile / HOUR_WEIGHTS.sum() * np.exp(rng.normal(0, 0.04)))
    begins = np.repeat(midnight + 3600 * np.arange(hours), counts)
    return np.sort(begins + rng.integers(0, 3600, len(begins)))


def _arrival(dice: Dice, branch: str, start: int, topic: str, subscriber: int) -> Contact:
    kind = dice.u()
    if kind < 0.06:
        return Contact(0, "chat" if kind < 0.035 else "email", subscriber, branch, topic, start, 1, None)
    prospect = topic in ("new_connection", "promo_question", "business_tariff") and dice.chance(0.35)
    return Contact(0, "call", -1 if prospect else subscriber, branch, topic, start, 1, None)


def _surge(
    rng: w.Rng, dice: Dice, world: w.World, branch: w.Branch, day: date, people: w.Ints,
    weights: npt.NDArray[np.float64],
) -> list[Contact]:  # fmt: skip
    if branch.branch_id != w.SURGE.branch_id or not w.SURGE.first <= day <= w.SURGE.last:
        return []
    share = weights[[t.topic_id for t in w.TOPICS].index(w.SURGE.topic_id)]
    more = rng.random(len(base := _starts(rng, world, branch, day))) < share * (w.SURGE.times - 1) * 1.1
    return [_arrival(dice, branch.branch_id, int(s), w.SURGE.topic_id, int(rng.choice(people))) for s in base[more]]


def _forced(world: w.World, pools: dict[str, tuple[w.Ints, npt.NDArray[np.float64]]]) -> list[Contact]:
    """Calls that must happen so that every trap is there: doubled hour, midnights, open visits at a crash."""
    rng = world.rng(4)
    moments: list[tuple[str, int, str]] = []
    doubled = w.doubled_hour(w.BRANCH["kiv"], w.DOUBLED_HOUR_DAY)
    if doubled is not None:
        moments += [("kiv", doubled + m * 60, "quick") for m in (4, 11, 23, 37, 48, 64, 71, 83, 97, 108)]
    for day in range(9, world.days, 6):
        for branch in ("msk", "kiv"):
            midnight = w.epoch(world.first_day + timedelta(days=day), w.BRANCH[branch].zone)
            moments.append((branch, midnight - int(rng.integers(150, 260)), "rated"))
    for crash in w.CRASHES:
        branch = "msk" if crash.server_id == "msk" else "kiv"
        moments += [(branch, crash.at - before, "waits") for before in (9, 11, 12)]
    return [
        Contact(0, "call", int(rng.choice(pools[b][0])), b, "no_internet", at, 1, None, forced=forced)
        for b, at, forced in moments
    ]


def _share_ids(dice: Dice, contacts: list[Contact]) -> None:
    """Let some calls of the second PBX begin in the same second as one of the first, to share its call id."""
    first = [(i, c) for i, c in enumerate(contacts) if c.server == "msk" and c.kind == "call" and not c.forced]
    times = [c.start for _, c in first]
    taken: set[int] = set()
    for contact in contacts:
        if contact.server != "kiv" or contact.kind != "call" or contact.forced or not dice.chance(0.008):
            continue
        place = bisect_right(times, contact.start)
        if place < len(first) and place not in taken and times[place] - contact.start < 900:
            taken.add(place)
            contact.start = times[place]
            contact.shares_id = id(first[place][1])


class _Floor:
    """The operators at work. Contacts and pauses are taken in order of time."""

    def __init__(self, world: w.World, shifts: list[Shift]) -> None:
        self.world = world
        self.shifts = shifts
        self.dice = Dice(world.rng(5))
        self.busy = [0] * len(world.operators)
        self.by_operator: list[list[Shift]] = [[] for _ in world.operators]
        for shift in shifts:
            self.by_operator[shift.operator].append(shift)
        self.since = [[s.since for s in own] for own in self.by_operator]
        self.members = {q.name: self._ever_in(q) for q in w.QUEUES}
        self.heap: list[tuple[int, int, Contact | Pause]] = []
        self.pushed = 0
        self.done: list[Contact] = []
        self.original: dict[int, Contact] = {}

    def _ever_in(self, queue: w.Queue) -> list[int]:
        return [
            i for i, o in enumerate(self.world.operators)
            if any(p.branch_id == queue.branch_id and p.team == queue.team for p in o.postings)
        ]  # fmt: skip

    def _push(self, at: int, what: Contact | Pause) -> None:
        self.pushed += 1
        heapq.heappush(self.heap, (at, self.pushed, what))

    def run(self, arrivals: list[Contact], pauses: list[Pause]) -> Days:
        """Work through everything."""
        for contact in arrivals:
            self._push(contact.start, contact)
        for pause in pauses:
            self._push(pause.since, pause)
        kept: list[Pause] = []
        while self.heap:
            at, _, what = heapq.heappop(self.heap)
            if isinstance(what, Pause):
                kept += self._pause(what)
            elif at < self.world.end:
                self._contact(what)
        return Days(self.done, self.shifts, kept)

    def _pause(self, pause: Pause) -> list[Pause]:
        """The pause, begun when the call at hand is over; none when the shift ends before."""
        delay = max(0, self.busy[pause.operator] + 3 - pause.since)
        pause.since, pause.until = pause.since + delay, pause.until + delay
        shift = self._shift(pause.operator, pause.since)
        if shift is None or pause.until > shift.until - 300:
            return []
        self.busy[pause.operator] = pause.until + 2
        return [pause]

    def _shift(self, operator: int, at: int) -> Shift | None:
        place = bisect_right(self.since[operator], at) - 1
        if place < 0:
            return None
        shift = self.by_operator[operator][place]
        return shift if at < shift.until else None

    def _contact(self, contact: Contact) -> None:
        contact.number = len(self.done)
        if contact.kind == "call" and self._is_down(contact):
            return
        self.done.append(contact)
        if contact.kind != "call":
            self._write(contact)
        else:
            self._call(contact)
            self._crash(contact)
        if contact.outcome == "answered":
            contact.solved = self.dice.chance(self._solve_chance(contact))
        self._comes_back(contact)

    def _is_down(self, contact: Contact) -> bool:
        """While the PBX is down nobody gets through; they try again when it is back."""
        for crash in w.CRASHES:
            if contact.server == crash.server_id and crash.at <= contact.start < crash.at + crash.down + 3:
                contact.start = crash.at + crash.down + 5 + self.dice.whole(0, 300)
                self._push(contact.start, contact)
                return True
        return False

    def _write(self, contact: Contact) -> None:
        contact.entered = contact.ended = contact.start
        contact.outcome = "ticket"
        contact.solved = self.dice.chance(w.TOPIC[contact.topic].solve)

    def _solve_chance(self, contact: Contact) -> float:
        last = contact.answered[-1]
        if not last.talk:
            return 0.0
        person = self.world.operators[last.operator or 0]
        return w.TOPIC[contact.topic].solve + person.skill - (0.05 if contact.transfer else 0.0)

    # -- one call ---------------------------------------------------------------------------------------

    def _call(self, contact: Contact) -> None:
        dice = self.dice
        self._number(contact)
        zone = w.BRANCH[contact.branch].zone
        hour = datetime.fromtimestamp(contact.start, zone).hour
        contact.is_night = not DAY_OPENS <= hour < DAY_CLOSES
        contact.entered = contact.start + (2 if contact.forced else dice.whole(2, 14))
        # Only callers whose branch the records can tell: the menu belongs to no queue.
        if contact.phone and contact.subscriber >= 0 and not contact.forced and dice.chance(0.019):
            contact.outcome, contact.entered = "left_in_menu", contact.start
            contact.ended = contact.start + dice.whole(3, 40)
            return
        queue = self._menu(contact)
        if reason := self._turned_away(contact, queue):
            contact.outcome, contact.turned_away, contact.transfer_to = "turned_away", reason, queue
            contact.entered, contact.ended = contact.start, contact.start + dice.whole(6, 25)
            return
        self._queues(contact, queue)
        last = contact.visits[-1]
        contact.outcome = "answered" if contact.answered else last.outcome
        contact.ended = max(v.ended or v.entered for v in contact.visits)

    def _number(self, contact: Contact) -> None:
        """The caller's number and the form in which the PBX shows it."""
        dice = self.dice
        number = (
            self.world.subscribers.phone[contact.subscriber] if contact.subscriber >= 0
            else f"78{dice.whole(100_000_000, 999_999_999)}"
        )  # fmt: skip
        hidden = 1.0 if contact.forced else dice.u()
        if hidden < 0.022:
            contact.caller = "anonymous" if hidden < 0.014 else ""
            return
        form = dice.u()
        contact.phone = number
        contact.caller = number if form < 0.6 else ("8" + number[1:] if form < 0.85 else "+" + number)

    def _menu(self, contact: Contact) -> str:
        """The queue the caller chooses; at night there is one, and some press the wrong key."""
        team = w.TOPIC[contact.topic].topic_class
        if contact.is_night:
            team = "technical"
        elif not contact.forced and self.dice.chance(0.07):
            team = w.TEAMS[(w.TEAMS.index(team) + 1) % 2]
        return _queue_of(contact.branch, team)

    def _turned_away(self, contact: Contact, queue: str) -> str:
        if contact.forced:
            return ""
        if not self._on_shift(queue, contact.start + 15):
            return "JOINEMPTY"
        return "FULL" if self.dice.chance(0.009) else ""

    def _on_shift(self, queue: str, at: int) -> list[int]:
        branch = w.QUEUE[queue].branch_id
        return [
            o for o in self.members[queue]
            if (shift := self._shift(o, at)) is not None and shift.branch == branch and shift.until > at + 60
        ]  # fmt: skip

    def _queues(self, contact: Contact, queue: str) -> None:
        """Overflow: sales to service, service again and out, technical again, then service by day, then out."""
        at = contact.entered
        for turn in range(3):
            visit = self._visit(contact, queue, at, turn)
            contact.visits.append(visit)
            if visit.outcome == "answered":
                self._transfer(contact, visit)
                return
            team = w.QUEUE[queue].team
            if visit.outcome != "timed_out" or (team == "client_service" and turn):
                return
            at = visit.entered + visit.wait + 1
            if team == "marketing" or (team == "technical" and turn):
                if contact.is_night:
                    return
                queue = _queue_of(contact.branch, "client_service")

    def _visit(self, contact: Contact, queue: str, at: int, turn: int, patience: float | None = None) -> Visit:
        dice = self.dice
        visit = Visit(queue, at, position=1)
        limit = w.QUEUE_TIMEOUT[w.QUEUE[queue].team]
        if patience is None:
            patience = 4 + -dice_log(dice.u()) * (150 if turn == 0 else 240)
            patience = 900.0 if contact.forced in ("quick", "rated") else patience
        chosen = self._choose(queue, at, contact.topic)
        visit.position = 1 if chosen is None or chosen[1] <= at else 1 + dice.whole(0, 3)
        ring_at = at + limit + 1 if chosen is None else max(at, chosen[1]) + 1 + dice.whole(0, 2)
        stop = at + min(limit, int(patience))
        if not contact.forced and dice.chance(0.012):
            stop, visit.key = min(stop, at + dice.whole(3, 40)), "0"
        while chosen is not None and ring_at < stop:
            operator = chosen[0]
            length = 15 if dice.chance(0.035) else 2 + int(-dice_log(dice.u()) * 3.2) % 13
            answered = length != 15
            if contact.forced == "waits":
                length, answered = 14, True
            if ring_at + length >= stop:
                visit.rings.append(Ring(operator, ring_at, (stop - ring_at) * 1000 + dice.whole(0, 900), "cancelled"))
                break
            visit.rings.append(Ring(operator, ring_at, length * 1000, "answered" if answered else "no_answer"))
            if answered:
                return self._answer(contact, visit, operator, ring_at + length, length)
            self.busy[operator] = max(self.busy[operator], ring_at + length + 5)
            chosen = self._choose(queue, ring_at + length, contact.topic)
            ring_at = ring_at + length + 1 if chosen is None else max(ring_at + length, chosen[1]) + 1
        return self._give_up(visit, stop, limit)

    def _give_up(self, visit: Visit, stop: int, limit: int) -> Visit:
        visit.wait = stop - visit.entered
        visit.ended = stop
        if visit.wait >= limit:
            visit.outcome, visit.key = "timed_out", ""
        else:
            visit.outcome = "left_by_key" if visit.key else "abandoned"
        return visit

    def _choose(self, queue: str, at: int, topic: str) -> tuple[int, int] | None:
        """Who rings next and from when; None when nobody is there."""
        people = self._on_shift(queue, at)
        if not people:
            return None
        free = [o for o in people if self.busy[o] <= at]
        if not free:
            first = min(people, key=lambda o: self.busy[o])
            return first, self.busy[first]
        expert = next((o for o in free if self.world.operators[o].takes_hard), None)
        if expert is not None and len(people) > 1:
            if w.TOPIC[topic].hard and self.dice.chance(0.92):
                return expert, at
            if len(free) > 1 and self.dice.chance(0.9):
                free.remove(expert)
        return free[self.dice.whole(0, len(free))], at

    def _answer(self, contact: Contact, visit: Visit, operator: int, at: int, ring: int) -> Visit:
        dice = self.dice
        person = self.world.operators[operator]
        late = 1 if dice.chance(0.05) and at - visit.entered > 1 else 0  # the log's integer and its clock differ
        talk = int(w.TOPIC[contact.topic].talk * person.pace * np.exp(0.45 * dice.n()))
        talk = max(12, min(talk, 2700))
        visit.ended_by = "agent" if dice.chance(0.46) else "caller"
        if contact.forced in ("quick", "rated"):
            talk, visit.ended_by = max(60, talk % 150), "agent"
        elif not contact.forced and dice.chance(0.004):
            talk, visit.ended_by = 0, "caller"
        visit.outcome, visit.operator = "answered", operator
        visit.connected, visit.wait, visit.ring = at, at - visit.entered - late, ring
        visit.talk, visit.ended = talk, at + talk
        self.busy[operator] = at + talk + dice.whole(20, 260)  # notes, not in any log
        return visit

    # -- transfers --------------------------------------------------------------------------------------

    def _transfer(self, contact: Contact, visit: Visit) -> None:
        dice, queue = self.dice, w.QUEUE[visit.queue]
        right = _queue_of(contact.branch, w.TOPIC[contact.topic].topic_class)
        misrouted = right != visit.queue and not contact.is_night
        if contact.forced or not visit.talk or not dice.chance(0.55 if misrouted else 0.035):
            return
        to_queue = misrouted or (queue.team == "client_service" and not contact.is_night and dice.chance(0.4))
        target = right if misrouted else _queue_of(contact.branch, "technical")
        visit.talk = dice.whole(25, 110)
        visit.ended = (visit.connected or 0) + visit.talk
        if dice.chance(0.6):
            self._blind(contact, visit, target if to_queue else "")
        else:
            self._attended(contact, visit, target if to_queue else "")
        self.busy[visit.operator or 0] = visit.ended + dice.whole(6, 30)

    def _blind(self, contact: Contact, visit: Visit, target: str) -> None:
        dice = self.dice
        visit.ended_by = contact.transfer = "blind"
        contact.transfer_to = target or f"6{dice.whole(100, 108)}"
        if target:
            contact.visits.append(self._visit(contact, target, (visit.ended or 0) + dice.whole(0, 3), 1))

    def _attended(self, contact: Contact, visit: Visit, target: str) -> None:
        """Into a queue, the consult call has an id of its own; the operator may leave before it is answered."""
        dice = self.dice
        form = dice.u()
        visit.transfer_form = "BRIDGE" if form < 0.6 else ("APP" if form < 0.75 else "LINK")
        visit.ended_by = contact.transfer = "attended"
        contact.transfer_to = f"6{dice.whole(100, 108)}"
        if not target:
            return
        chosen = self._choose(target, (visit.connected or 0) + 20, contact.topic)
        second = None
        if chosen is not None and chosen[1] <= (visit.connected or 0) + 20:
            second = self._visit(contact, target, (visit.connected or 0) + 20, 1, patience=10_000.0)
        if second is None or second.outcome != "answered" or not second.talk or second.ended_by == "":
            return
        contact.transfer_to = target
        contact.visits.append(second)
        answered_at = second.connected or 0
        if dice.chance(0.04) and answered_at - second.entered >= 4:
            second.leg, end = "swapped", second.entered + 2
        else:
            second.leg, end = "consult", answered_at + 3 + dice.whole(0, 8)
            second.talk = second.talk + 15
            second.ended = answered_at + second.talk
        visit.talk, visit.ended = end - (visit.connected or 0), end
        self.busy[second.operator or 0] = max(self.busy[second.operator or 0], (second.ended or 0) + 6)

    # -- after a call -----------------------------------------------------------------------------------

    def _crash(self, contact: Contact) -> None:
        """What a crash cuts off has no end, neither in the log nor in the records; a talk stays answered."""
        for crash in w.CRASHES:
            if contact.server != crash.server_id or not contact.start < crash.at <= contact.ended:
                continue
            contact.visits = [v for v in contact.visits if v.entered < crash.at]
            for visit in contact.visits:
                if (visit.ended or 0) < crash.at:
                    continue
                visit.ended, visit.talk, visit.ended_by = None, None, ""
                if visit.connected is None or visit.connected >= crash.at:
                    visit.connected = visit.operator = visit.ring = None
                    visit.outcome, visit.wait = "interrupted", crash.at + crash.down - visit.entered
                visit.rings = [r for r in visit.rings if r.at + r.ms // 1000 < crash.at]
            contact.outcome = "answered" if contact.answered else "interrupted"
            contact.ended, contact.forced = crash.at + crash.down, "crashed"
            return

    def _comes_back(self, contact: Contact) -> None:
        if contact.subscriber < 0 or contact.attempt >= 5:
            return
        dice = self.dice
        if contact.outcome in UNFINISHED:
            come, delay = 0.5, 900 * np.exp(1.2 * dice.n())
        elif not contact.solved:
            come, delay = 0.42, 26 * 3600 * np.exp(1.1 * dice.n())
        else:
            come, delay = 0.02, 20 * 86400 * np.exp(0.3 * dice.n())
        if not dice.chance(come):
            return
        at = contact.ended + max(600, min(int(delay), 28 * 86400))
        hour = datetime.fromtimestamp(at, w.BRANCH[contact.branch].zone).hour
        if not 8 <= hour < 22:
            at += ((9 - hour) % 24) * 3600 + dice.whole(0, 3 * 3600)
        kind = contact.kind if contact.kind != "call" and dice.chance(0.5) else "call"
        self._push(
            at,
            Contact(0, kind, contact.subscriber, contact.branch, contact.topic, at, contact.attempt + 1,
                    contact.number),
        )  # fmt: skip


def _queue_of(branch: str, team: str) -> str:
    """The branch's queue for a class; where there is none the service queue takes it."""
    name = f"{w.PREFIX[team]}_{branch}"
    return name if name in w.QUEUE else f"{w.PREFIX['client_service']}_{branch}"


def dice_log(u: float) -> float:
    """Natural logarithm of a uniform draw, safe at 0."""
    return float(np.log(max(u, 1e-9)))


def business_day(contact: Contact) -> date:
    """The branch's local day on which the contact began."""
    return w.local_day(contact.entered, w.BRANCH[contact.branch].zone)


def stamp(at: int) -> str:
    """UTC epoch seconds as an ISO instant."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
