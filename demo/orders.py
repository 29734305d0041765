"""Orders to connect a line: new subscribers everywhere, and the branch that is being moved to GPON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from demo import calls as c
from demo import world as w

MOVES_PER_DAY = 11


@dataclass
class Order:
    """One order. Instants are UTC epoch seconds, None when it never happened."""

    number: int
    subscriber: int
    branch: str
    technology: int
    ordered: int
    promised: date
    connected: int | None
    cancelled: int | None
    is_new: bool

    @property
    def is_late(self) -> bool:
        """Whether the line worked only after the promised local day."""
        if self.connected is None:
            return False
        return w.local_day(self.connected, w.BRANCH[self.branch].zone) > self.promised


def orders(world: w.World) -> list[Order]:
    """All orders received in the simulated days, in order."""
    rng, subs = world.rng(30), world.subscribers
    asked = [(int(s), -1) for s in np.flatnonzero(subs.is_new)]
    branch = [b.branch_id for b in w.BRANCHES].index(w.GPON_BRANCH)
    others = np.flatnonzero((subs.branch == branch) & (subs.technology != 0) & ~subs.is_new)
    count = min(len(others), MOVES_PER_DAY * world.days)
    asked += [(int(s), 0) for s in rng.choice(others, count, replace=False)]
    found = [_order(rng, world, subscriber, technology) for subscriber, technology in asked]
    found.sort(key=lambda o: o.ordered)
    for number, order in enumerate(found, 1):
        order.number = number
    return found


def _order(rng: w.Rng, world: w.World, subscriber: int, technology: int) -> Order:
    branch = w.BRANCHES[int(world.subscribers.branch[subscriber])]
    day = world.first_day + timedelta(days=int(rng.integers(0, world.days)))
    ordered = max(world.start + 900, w.epoch(day, branch.zone, 9) + int(rng.integers(0, 36_000)))
    promised = day + timedelta(days=int(rng.integers(3, 8)))
    is_new = technology < 0
    kind = int(world.subscribers.technology[subscriber]) if is_new else technology
    if rng.random() < 0.04:
        cancelled = ordered + int(rng.integers(3600, 3 * 86400))
        return Order(0, subscriber, branch.branch_id, kind, ordered, promised, None, cancelled, is_new)
    plant = w.LATE_CONNECTIONS
    troubled = branch.branch_id == plant.branch_id and plant.first <= promised <= plant.last
    if rng.random() < (plant.late_share if troubled else 0.06):
        done_on = promised + timedelta(days=int(rng.integers(1, 11 if troubled else 5)))
    else:
        done_on = max(day + timedelta(days=1), promised - timedelta(days=int(rng.integers(0, 4))))
    connected = w.epoch(done_on, branch.zone, 10) + int(rng.integers(0, 28_800))
    return Order(0, subscriber, branch.branch_id, kind, ordered, promised, connected, None, is_new)


def complaints(world: w.World, known: list[Order]) -> list[c.Contact]:
    """People whose line is late call about it the day after it was promised."""
    dice = c.Dice(world.rng(31))
    found = []
    for order in known:
        if order.is_late and dice.chance(0.6):
            at = w.epoch(order.promised + timedelta(days=1), w.BRANCH[order.branch].zone, 9)
            at += dice.whole(0, 30_000)
            found.append(c.Contact(0, "call", order.subscriber, order.branch, "connection_delay", at, 1, None))
    return found
