"""The rating menu after a call: who was asked, what was pressed, and the files that say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from demo import calls as c
from demo import world as w
from demo.pbx import Pbx, local_texts

HEADERS = {
    "msk": "local_time,uniqueid,caller,queue,agent,question,digit,readstatus",
    "kiv": "when;ani;operator;queue;q;key",
}


@dataclass
class Press:
    """One line of a rating file. ``at``: UTC epoch seconds. ``is_final`` false for what a later line replaces."""

    server_id: str
    contact: int
    operator: int
    criterion: int
    at: int
    digit: str
    status: str
    callid: str
    caller: str
    queue: str
    agent: str
    is_final: bool = True

    @property
    def value(self) -> int | None:
        """The rating 1 to 5; None for a time-out or an invalid key."""
        return int(self.digit) if self.digit in {"1", "2", "3", "4", "5"} else None


def mood(world: w.World, contact: c.Contact, operator: int) -> tuple[float, float, float, float]:
    """How a subscriber feels about the four criteria, before rounding and noise."""
    person = world.operators[operator]
    base = 4.75 if contact.solved else 3.7
    base -= 0.9 if w.TOPIC[contact.topic].hard else 0.0
    deciding = contact.deciding
    base -= 0.3 if deciding is not None and deciding.wait > 60 else 0.0
    manner = person.manner
    return base + manner / 6, base + manner / 2, base + 0.1 + manner, base + 2 * person.skill + manner / 8


def ratings(world: w.World, days: c.Days, pbxs: dict[str, Pbx]) -> list[Press]:
    """Everything pressed (or not); each asked call also leaves a record at its PBX."""
    dice = c.Dice(world.rng(20))
    found: list[Press] = []
    for contact in days.contacts:
        last = contact.visits[-1] if contact.visits else None
        would_ask = last is not None and (last.ended_by == "agent" or last.is_waited_out)
        if last is None or not would_ask or last.outcome != "answered" or not last.talk:
            continue
        pbx = pbxs[contact.server]
        presses = list(_presses(world, dice, contact, last, pbx))
        if last.is_waited_out:  # drawn all the same: nobody else's ratings depend on it
            continue
        pbx.rated(contact, presses[-1].at, "".join(p.digit for p in presses))
        found += presses
    return sorted(found, key=lambda p: p.at)


def _presses(world: w.World, dice: c.Dice, contact: c.Contact, last: c.Visit, pbx: Pbx) -> Iterator[Press]:
    operator, ended = last.operator or 0, last.ended or 0
    day = w.local_day(ended, w.BRANCH[contact.branch].zone)
    login = world.operators[operator].login(contact.server, day)
    by_name = contact.server == "msk" and not dice.chance(0.15)
    feelings = mood(world, contact, operator)
    asked = list(_answers(dice, contact, feelings))
    at = ended + (dice.whole(5, 12) if not contact.forced else 262 if contact.forced == "rated" else 6)
    if contact.forced == "rated":  # the caller thinks about it until after midnight
        at = max(ended + 6, _next_midnight(contact, ended) + 4)
        at = ended + 6 if at - ended > 600 else at
    callid = "" if contact.server == "kiv" or dice.chance(0.02) else contact.callid
    agent = login.member if by_name else login.interface
    lines: list[Press] = []
    for criterion, digit, status in asked:
        at += 2 + dice.whole(0, 4) + (10 if status == "TIMEOUT" else 0)
        lines.append(Press(
            contact.server, contact.number, operator, criterion, at, digit, status, callid, _caller(contact),
            last.queue, agent,
        ))  # fmt: skip
    yield from _retried(dice, lines)


def _answers(dice: c.Dice, contact: c.Contact, feelings: tuple[float, ...]) -> Iterator[tuple[int, str, str]]:
    """(criterion, digit, status) in order; somebody who hangs up is asked nothing more."""
    stays = bool(contact.forced) or not dice.chance(0.28)
    for criterion, feeling in enumerate(feelings):
        if not stays or (not contact.forced and dice.chance(0.04)):
            yield criterion, "", "HANGUP"
            return
        odd = 1.0 if contact.forced else dice.u()
        value = str(max(1, min(5, round(feeling + 0.75 * dice.n()))))
        if odd < 0.05:
            yield criterion, "", "TIMEOUT"
        elif odd < 0.060:
            yield criterion, "06789"[dice.whole(0, 5)], "OK"
        elif odd < 0.065:
            yield criterion, value * 2, "OK"
        else:
            yield criterion, value, "OK"


def _retried(dice: c.Dice, lines: list[Press]) -> list[Press]:
    """Now and then a line is written twice, or an answer is given anew and counts instead of the first."""
    chance = dice.u()
    answered = [i for i, p in enumerate(lines) if p.value is not None]
    if not answered:
        return lines
    place = answered[dice.whole(0, len(answered))]
    one = lines[place]
    if chance < 0.006:
        again = Press(**{**vars(one), "is_final": True})
        one.is_final = False
        return [*lines[: place + 1], again, *lines[place + 1 :]]
    if chance < 0.010:
        changed = str(1 + (one.value or 0) % 5)
        one.is_final = False
        return [*lines, Press(**{**vars(one), "at": lines[-1].at + 4, "digit": changed, "is_final": True})]
    return lines


def _caller(contact: c.Contact) -> str:
    """One of the PBXs writes the national number only."""
    return contact.phone[1:] if contact.server == "kiv" and contact.phone else contact.caller


def _next_midnight(contact: c.Contact, at: int) -> int:
    zone = ZoneInfo(w.SERVER_ZONES[contact.server])
    return w.epoch(w.local_day(at, zone) + timedelta(days=1), zone)


def lines(presses: Iterable[Press], server_id: str) -> list[tuple[int, date, str]]:
    """(instant it is written, local day of its file, line) for one server, in order."""
    own = [p for p in presses if p.server_id == server_id]
    zone = ZoneInfo(w.SERVER_ZONES[server_id])
    found = []
    for press, when in zip(own, local_texts([p.at for p in own], zone), strict=True):
        if server_id == "kiv":
            cells = [when, press.caller, press.agent, press.queue, f"q{press.criterion + 1}", press.digit]
        else:
            cells = [when, press.callid, press.caller, press.queue, press.agent, str(press.criterion + 1),
                     press.digit, press.status]  # fmt: skip
        joined = (";" if server_id == "kiv" else ",").join(cells)
        found.append((press.at, date.fromisoformat(when[:10]), joined))
    return found
