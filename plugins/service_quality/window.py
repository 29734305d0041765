"""Load windows: half-open spans of instants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo


@dataclass(frozen=True, order=True)
class Window:
    """[start, end) in UTC. Raises ValueError when it is empty, reversed or without zone."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs instants with a time zone")
        if self.start >= self.end:
            raise ValueError(f"the window {self.start.isoformat()} .. {self.end.isoformat()} is empty")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%M}Z .. {self.end:%Y-%m-%dT%H:%M}Z"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant local ``day`` begins in ``zone``."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def last_whole_day(at: datetime, zone: ZoneInfo) -> date:
    """The last local day that has ended at the instant ``at``."""
    return at.astimezone(zone).date() - timedelta(days=1)


def nights(first: date, last: date, zone: ZoneInfo) -> Window:
    """From the local midnight that begins ``first`` to the one that ends ``last``."""
    return Window(midnight(first, zone), midnight(last + timedelta(days=1), zone))


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """ISO date or date-time as an instant; ``zone`` applies when ``text`` names none.

    Raises ValueError when ``text`` is neither.
    """
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


@dataclass(frozen=True)
class Reach:
    """How far a touched day changes a mart's rows of other days: so many days ``before`` it and ``after`` it.

    ``column``: the mart's day. ``all_when_reclassified``: all days change when topics belong to other classes today
    than they did at the last publication. ``of``: the days that reach so far, by default those on which more changed
    than whether contacts were repeated later; ``touched_days`` for what repeats come into. ``repeats_alone``: days that
    only repeats touch change themselves only.
    """

    before: int = 0
    after: int = 0
    column: str = "business_day"
    all_when_reclassified: bool = False
    of: Literal["changed_days", "touched_days"] = "changed_days"
    repeats_alone: bool = False

    def of_build(self, touched: Sequence[date], changed: Sequence[date] | None) -> Sequence[date]:
        """Those of a build's ``touched`` days that change the mart; ``changed``: the ones that not only repeats touch,
        None where they are not told apart.
        """
        return touched if changed is None or self.of == "touched_days" else changed

    def built(self, touched: Sequence[date], changed: Sequence[date] | None) -> list[date]:
        """All days that such a build writes, in order."""
        if self.repeats_alone and changed is not None:
            return sorted({*self.widen(changed), *touched})
        return self.widen(self.of_build(touched, changed))

    def widen(self, days: Iterable[date]) -> list[date]:
        """The days with all that they reach, in order."""
        steps = range(-self.before, self.after + 1)
        return sorted({day + timedelta(days=step) for day in days for step in steps})

    def is_all(self, full: bool, reclassified: bool) -> bool:
        """Whether a build changes all days, which a ``full`` one does anyway."""
        return full or (self.all_when_reclassified and reclassified)


OWN_DAY = Reach()
