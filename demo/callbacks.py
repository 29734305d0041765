"""The call-back team: who is owed a call, when it is tried, and what comes of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from demo import calls as c
from demo import crm, ivr, surveys
from demo import world as w
from demo.orders import Order
from demo.surveys import CONNECTION, GENERAL, REPAIR, Response

DUE_HOURS = {"new_connection": 72, "repair_solved": 48, "support_solved": 48, "past_target": 36, "low_rating": 48}
LOW_RATING = 2
MOST_ATTEMPTS = 4
RESULTS = {"reached": "A1", "no_answer": "A2", "refused": "A3", "wrong_number": "A4", "other": "A5"}


@dataclass
class Owed:
    """One owed call. ``at``: UTC epoch when it became owed; ``until``: when the matter is closed otherwise (the
    ticket was opened again), None when it never is; ``attempts``: those made beside the interviews of `surveys`."""

    reason: str
    at: int
    branch: str
    subscriber: int
    order: Order | None = None
    case: crm.Case | None = None
    contact: c.Contact | None = None
    until: int | None = None
    attempts: list[Response] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """What the call is about, as the surveys name it; empty when it has no name."""
        if self.order is not None:
            return f"ORD-{self.order.number:05d}"
        return self.case.case_no if self.case is not None else self.contact.callid if self.contact else ""

    @property
    def is_neglected(self) -> bool:
        """Whether it falls into the weeks in which a branch left its calls alone."""
        plant = w.NEGLECTED_CALLBACKS
        day = w.local_day(self.at, w.BRANCH[self.branch].zone)
        return self.branch == plant.branch_id and plant.first <= day <= plant.last


def owed(days: c.Days, happened: crm.Crm, presses: Iterable[ivr.Press]) -> list[Owed]:
    """All owed calls in the order in which they became owed."""
    found = [
        Owed("new_connection", o.connected, o.branch, o.subscriber, order=o)
        for o in happened.orders if o.connected is not None
    ]  # fmt: skip
    for case in happened.cases:
        found += _of_case(case)
    low: dict[int, int] = {}
    for press in presses:
        if press.is_final and press.value is not None and press.value <= LOW_RATING:
            low[press.contact] = min(press.at, low.get(press.contact, press.at))
    for number, at in low.items():
        contact = days.contacts[number]
        found.append(Owed("low_rating", at, contact.branch, contact.subscriber, contact=contact))
    return sorted(found, key=lambda one: (one.at, one.reason, one.subject))


def _of_case(case: crm.Case) -> list[Owed]:
    solved, again = sorted(case.times("solved")), sorted(case.times("reopened"))
    reason = "repair_solved" if case.kind == "fault" else "support_solved"
    found = [
        Owed(reason, at, case.branch, case.subscriber, case=case, until=next((x for x in again if x > at), None))
        for at in solved
    ]  # fmt: skip
    if not is_solved_at(case, crm.deadline(case)):
        found.append(Owed("past_target", crm.deadline(case), case.branch, case.subscriber, case=case))
    return found


def is_solved_at(case: crm.Case, at: int) -> bool:
    """Whether the last change up to ``at`` (UTC epoch) was a solution."""
    changes = [(when, what) for when, what, _, _ in case.history if what in ("solved", "reopened") and when <= at]
    return bool(changes) and max(changes)[1] == "solved"


def attempts(world: w.World, calls: list[Owed], interviews: list[Response]) -> list[Response]:
    """What the team does beside ``interviews``: calls in vain before some of them, and calls to most of the others."""
    dice = c.Dice(world.rng(60))
    spoken: dict[str, list[int]] = defaultdict(list)
    for one in interviews:
        spoken[_subject(one)].append(one.started)
    for call in calls:
        held = [at for at in spoken[call.subject] if call.subject and at >= call.at and at < (call.until or world.end)]
        if held:
            _before(dice, world, call, min(held))
        elif dice.chance(w.NEGLECTED_CALLBACKS.called_share if call.is_neglected else 0.94):
            _try(dice, world, call, spoken)
    return [r for call in calls for r in call.attempts if r.started < world.end]


def _subject(one: Response) -> str:
    return one.answers.get("ORDERNO") or one.answers.get("CASENO") or one.answers.get("CALLID") or ""


def _before(dice: c.Dice, world: w.World, call: Owed, interview: int) -> None:
    """Some subscribers were not reached the first time."""
    at = interview - dice.whole(3600, 20 * 3600)
    if dice.chance(0.25) and at > call.at and _hour(at) in range(10, 20):
        call.attempts.append(_unanswered(dice, world, call, at, "no_answer"))


def _try(dice: c.Dice, world: w.World, call: Owed, spoken: dict[str, list[int]]) -> None:
    morning = w.local_day(call.at, surveys.SURVEY_ZONE) + timedelta(days=1)  # the night's list is there by then
    at = w.epoch(morning, surveys.SURVEY_ZONE, 10) + dice.whole(0, (2 if call.reason == "past_target" else 9) * 3600)
    if dice.chance(0.06):
        at = _office_hours(dice, at + dice.whole(2, 6) * 86400)
    for _ in range(MOST_ATTEMPTS):
        if at >= (call.until or world.end):
            return
        result = _result(dice)
        if result == "reached":
            interview = _interview(dice, world, call, at)
            call.attempts.append(interview)
            spoken[_subject(interview)].append(at)
        else:
            call.attempts.append(_unanswered(dice, world, call, at, result))
        if result in ("reached", "refused", "wrong_number") or not dice.chance(0.8):
            return
        at = _office_hours(dice, at + dice.whole(3 * 3600, 26 * 3600))


def _result(dice: c.Dice) -> str:
    chance = dice.u()
    for result, upto in (("no_answer", 0.27), ("refused", 0.30), ("wrong_number", 0.315), ("other", 0.345)):
        if chance < upto:
            return result
    return "reached"


def _hour(at: int) -> int:
    return (at - w.epoch(w.local_day(at, surveys.SURVEY_ZONE), surveys.SURVEY_ZONE)) // 3600


def _office_hours(dice: c.Dice, at: int) -> int:
    """``at`` itself from 10 to 20 by the survey server's clock, else the next morning."""
    if _hour(at) in range(10, 20):
        return at
    day = w.local_day(at, surveys.SURVEY_ZONE) + timedelta(days=1 if _hour(at) >= 20 else 0)
    return w.epoch(day, surveys.SURVEY_ZONE, 10) + dice.whole(0, 3 * 3600)


def _form(dice: c.Dice, world: w.World, call: Owed) -> tuple[str, dict[str, str]]:
    """The survey and what is filled in before anybody speaks."""
    subscriber = world.subscribers.ids[call.subscriber] if call.subscriber >= 0 else ""
    if call.order is not None:
        return CONNECTION, {"CONTRACT": subscriber, "ORDERNO": call.subject}
    if call.case is not None:
        staff = "" if call.case.operator is None else world.operators[call.case.operator].operator_id
        return REPAIR, {"CONTRACT": subscriber, "CASENO": call.subject, "EMPLOYEE": staff}
    assert call.contact is not None
    operator = world.operators[call.contact.answered[-1].operator or 0].operator_id
    phone = f"+{call.contact.phone}" if call.contact.phone else ""
    return GENERAL, {"PHONE": phone, "CALLID": call.subject if dice.chance(0.9) else "", "EMPLOYEE": operator}


def _unanswered(dice: c.Dice, world: w.World, call: Owed, at: int, result: str) -> Response:
    survey, answers = _form(dice, world, call)
    answers["RESULT"] = RESULTS[result]
    saved = at + dice.whole(30, 90)
    return Response(survey, 0, at, saved, saved if dice.chance(0.5) else None, len(answers), answers)


def _interview(dice: c.Dice, world: w.World, call: Owed, at: int) -> Response:
    survey, answers = _form(dice, world, call)
    opinion = surveys.opinion(dice, _feeling(call))
    if survey == GENERAL:
        opinion.pop("EASY")
    else:
        answers["SOLVED"] = "Y" if dice.chance(_chance_solved(call, at)) else "N"
    if survey == REPAIR:
        once = len(call.case.times("solved")) == 1 if call.case else True
        answers["FIRST"] = "A1" if once and dice.chance(0.8) else "A2"
    return surveys.response(dice, survey, at, {**answers, **opinion})


def _feeling(call: Owed) -> float:
    if call.order is not None:
        return 3.0 if call.order.is_late else 4.5
    if call.reason in ("past_target", "low_rating"):
        return 2.8
    return 4.3 if call.until is None else 3.2


def _chance_solved(call: Owed, at: int) -> float:
    if call.order is not None:
        return 0.78 if call.order.is_late else 0.95
    if call.reason == "past_target":
        return 0.85 if call.case and is_solved_at(call.case, at) else 0.05
    return 0.93 if call.until is None else 0.3
