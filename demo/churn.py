"""Who ends the contract and when: anybody may, and those with a bad experience do so more often for a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from demo import calls as c
from demo import world as w
from demo.orders import Order

BASE_PER_DAY = 0.0005
"""Probability that a subscriber ends the contract on a day, about 1.5 % a month."""

RATIOS = {"not_solved": 3.0, "late_connection": 3.0, "lost_call": 2.0, "long_wait": 2.0}
"""By what the probability is multiplied after an experience; of several the largest counts."""

LASTS_DAYS = 60
LONG_WAIT_SECONDS = 180


@dataclass(frozen=True)
class Leave:
    """A contract's end: ``on`` its local day, ``at`` when that was entered (UTC epoch); ``experience`` and ``ratio``:
    what made it more likely then ("" and 1.0: nothing)."""

    on: date
    at: int
    experience: str
    ratio: float


class _Home:
    """The subscribers from day to day: what they last experienced, who has left, and who calls in their place."""

    def __init__(self, world: w.World, contacts: Iterable[c.Contact]) -> None:
        self.world = world
        self.ratio = np.array([1.0, *RATIOS.values()])
        self.names = ["", *RATIOS]
        self.kind = np.zeros((len(world.subscribers.ids), world.days + LASTS_DAYS + 1), dtype=np.int8)
        self.has_left = np.zeros(len(world.subscribers.ids), dtype=bool)
        self.successor: dict[int, int] = {}
        quiet = np.ones(len(world.subscribers.ids), dtype=bool)
        quiet[[contact.subscriber for contact in contacts if contact.subscriber >= 0]] = False
        quiet &= ~world.subscribers.is_new
        self.quiet = world.rng(81).permutation(np.flatnonzero(quiet)).tolist()

    def remember(self, subscriber: int, experience: str, number: int) -> None:
        """Something bad happened on day ``number``."""
        wanted = self.names.index(experience)
        span = self.kind[subscriber, max(number + 1, 0) : max(number + 1 + LASTS_DAYS, 0)]
        span[self.ratio[span] < self.ratio[wanted]] = wanted

    def stand_in(self, subscriber: int) -> int:
        """Who calls instead of one who has left: always the same neighbour, who had no reason to call before."""
        while self.has_left[subscriber]:
            if subscriber not in self.successor:
                branch = self.world.subscribers.branch
                place = next(
                    (i for i, other in enumerate(self.quiet)
                     if branch[other] == branch[subscriber] and not self.has_left[other]), None,
                )  # fmt: skip
                if place is None:
                    raise ValueError(
                        f"too many contacts for {len(branch):,} subscribers: nobody is left in a branch who had no"
                        " reason to call and could call for one who left; ask for fewer days or contacts a day"
                    )
                self.successor[subscriber] = self.quiet.pop(place)
            subscriber = self.successor[subscriber]
        return subscriber


def leaves(world: w.World, days: c.Days, orders: Iterable[Order]) -> dict[int, Leave]:
    """The contracts that end in the simulated days, by subscriber.

    Nobody is heard of after leaving: later contacts of ``days`` become those of a neighbour, so that queues and
    operators see the very same calls. Who waits for a line does not leave before it works.
    """
    placed = list(orders)
    home, stays = _Home(world, days.contacts), _stays_until(world, placed)
    drawn = world.rng(80).random((len(stays), world.days))
    contacts = defaultdict(list)
    for contact in days.contacts:
        contacts[(c.business_day(contact) - world.first_day).days].append(contact)
    for order in placed:
        if order.is_late and order.connected is not None:
            number = (w.local_day(order.connected, w.PROVIDER_ZONE) - world.first_day).days
            home.remember(order.subscriber, "late_connection", number)
    found: dict[int, Leave] = {}
    for number in range(min(contacts, default=0), world.days + 1):
        if 0 <= number < world.days:
            goes = drawn[:, number] < BASE_PER_DAY * home.ratio[home.kind[:, number]]
            for subscriber in np.flatnonzero(goes & ~home.has_left & (stays < number)).tolist():
                home.has_left[subscriber] = True
                kind, day = home.kind[subscriber, number], world.first_day + timedelta(days=number)
                at = w.epoch(day, w.PROVIDER_ZONE, 12) + subscriber % 20_000
                found[subscriber] = Leave(day, at, home.names[kind], float(home.ratio[kind]))
        for contact in contacts[number]:
            if contact.subscriber >= 0:
                _place(world, contact, home.stand_in(contact.subscriber))
                for experience in _experiences(contact):
                    home.remember(contact.subscriber, experience, number)
    return found


def _place(world: w.World, contact: c.Contact, subscriber: int) -> None:
    """Let the contact be that subscriber's; the number is shown in the form it was."""
    if subscriber == contact.subscriber:
        return
    number = world.subscribers.phone[subscriber]
    if contact.phone:
        form = contact.caller[:1]
        contact.caller = "8" + number[1:] if form == "8" else ("+" if form == "+" else "") + number
        contact.phone = number
    contact.subscriber = subscriber


def _experiences(contact: c.Contact) -> Iterable[str]:
    if contact.outcome in ("answered", "ticket") and not contact.solved:
        yield "not_solved"
    if contact.outcome in c.UNFINISHED and contact.outcome != "left_in_menu":
        yield "lost_call"
    if sum(v.wait for v in contact.visits) >= LONG_WAIT_SECONDS:
        yield "long_wait"


def _stays_until(world: w.World, orders: Iterable[Order]) -> w.Ints:
    """The day, counted from the first, until which each stays for certain; -1 for most."""
    stays = np.where(world.subscribers.is_new, world.days, -1)
    for order in orders:
        if (at := order.connected or (None if order.is_new else order.cancelled)) is not None:
            stays[order.subscriber] = (w.local_day(at, w.PROVIDER_ZONE) - world.first_day).days
    return stays
