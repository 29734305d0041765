"""Load windows: half-open spans of instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
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


def nights(first: date, last: date, zone: ZoneInfo) -> Window:
    """From the local midnight that begins ``first`` to the one that ends ``last``."""
    return Window(midnight(first, zone), midnight(last + timedelta(days=1), zone))


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """ISO date or date-time as an instant; ``zone`` applies when ``text`` names none.

    Raises ValueError when ``text`` is neither.
    """
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
