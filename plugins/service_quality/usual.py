"""What a window usually brings: limits of the like-for-like rules, from the days loaded before.

A day is compared with the same weekday of the last eight weeks, else with other days of its kind (working day,
or weekend and holiday), never with a constant. Where there is nothing to compare with, the limit says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import sql

from service_quality import ops
from service_quality.config import Holiday, Provider, Settings
from service_quality.contract import Source, Table
from service_quality.ops import Conn, Load
from service_quality.window import Window, midnight

LOOK_BACK = timedelta(weeks=8)
MOST_OF_A_DAY = timedelta(hours=20)
ABOUT_A_DAY = timedelta(hours=36)
FEW = 5.0  # with this many rows expected, none at all is no chance any more (0.7 %)
CLOCK_TOLERANCE = timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """The value of a suite parameter and the same in words."""

    value: Any
    text: str


@dataclass(frozen=True)
class NotJudged:
    """Why rules with this parameter are not judged on this load."""

    reason: str


Parameters = dict[str, Limit | NotJudged]


@dataclass(frozen=True)
class _Landed:
    """What one load brought of one table: all rows, and rows by local day of the window."""

    rows: int
    by_day: dict[date, int]


@dataclass(frozen=True)
class _Past:
    """Spans that were loaded before, oldest load first, clipped to what had happened by then."""

    loads: tuple[Window, ...]

    def covers(self, span: Window) -> bool:
        """Whether the loads together leave no gap in ``span``."""
        reached = span.start
        for load in sorted(self.loads):
            if load.start <= reached < load.end:
                reached = load.end
        return reached >= span.end

    def first_load(self, span: Window) -> Window | None:
        """The earliest load with a part of ``span``."""
        return next((load for load in self.loads if load.start < span.end and span.start < load.end), None)


def parameters(conn: Conn, load: Load, table: Table, settings: Settings, now: datetime) -> Parameters:
    """Limits for one landed table, by the name a suite gives them.

    ``rows_min``, ``rows_max``: rows of the load (rows of other days are added to both sides of the comparison);
    ``rows_present``: 1 where an empty table cannot be right although there is no history;
    ``rows_present_in_source``: the same, unless other tables of the source brought rows;
    ``freshness_min``: the instant after which there must be a row; ``latest_allowed``: no row may be later.
    """
    zone = settings.provider.zone
    window = Window(load.window.start, _happened(load.window, now))
    past = _past(conn, load, window)
    landed = _landed(conn, load, table, window, zone)
    volume = _volume(conn, table, settings, window, past, landed)
    present = _present(settings.provider, window, "rows_min" in volume)
    return {
        **(volume or _unjudged_volume(settings, window)),
        "rows_present": present,
        "rows_present_in_source": _present_in_source(conn, load, present),
        "freshness_min": _freshness(conn, table, settings, window, past),
        "latest_allowed": _latest(load, table, now),
    }


def _happened(window: Window, now: datetime) -> datetime:
    """End of the part of ``window`` that is over; a window wholly ahead of the clock is taken as it is."""
    return now.astimezone(UTC) if now in window and now > window.start else window.end


def _past(conn: Conn, load: Load, window: Window) -> _Past:
    rows = conn.execute(
        "select window_start, window_end, started_at from ops.loads where source = %s and status = 'promoted'"
        " and window_end > %s and window_start < %s order by load_id",
        (load.source, window.start - LOOK_BACK - timedelta(days=2), window.start),
    ).fetchall()
    spans = (Window(r["window_start"], r["window_end"]) for r in rows)
    return _Past(tuple(Window(s.start, _happened(s, r["started_at"])) for s, r in zip(spans, rows, strict=True)))


def _landed(conn: Conn, load: Load, table: Table, window: Window, zone: ZoneInfo) -> _Landed:
    statement = sql.SQL(
        # By quarters of an hour first: days begin with one, and to convert each row costs three times as much.
        "select cast(at at time zone %(zone)s as date) as day, cast(sum(rows) as bigint) as rows from ("
        " select date_bin('15 minutes', case when {at} >= %(start)s and {at} < %(end)s then {at} end,"
        " timestamptz '2000-01-01 00:00+00') as at, count(*) as rows from landing.{partition} group by 1"
        ") as counted group by 1"
    ).format(
        at=sql.Identifier(table.event_time),
        partition=sql.Identifier(ops.partition(table.name, load.load_id)),
    )
    found = conn.execute(statement, {"start": window.start, "end": window.end, "zone": zone.key}).fetchall()
    return _Landed(
        sum(r["rows"] for r in found), {r["day"]: r["rows"] for r in found if r["day"] is not None}
    )


def _days(window: Window, zone: ZoneInfo) -> dict[date, float]:
    """Local days of ``window`` and the share of each that lies in it."""
    day = window.start.astimezone(zone).date()
    shares = {}
    while midnight(day, zone) < window.end:
        begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        shares[day] = (min(end, window.end) - max(begin, window.start)) / (end - begin)
        day += timedelta(days=1)
    return shares


def _is_holiday(day: date, provider: Provider) -> bool:
    for holiday in provider.holidays:
        if isinstance(holiday, Holiday):
            if holiday.branch_id is None and holiday.day == day:
                return True
        elif holiday == day:
            return True
    return False


def _is_working(day: date, provider: Provider) -> bool:
    return day.isoweekday() in provider.business_hours.weekdays and not _is_holiday(day, provider)


def _comparable(day: date, candidates: Iterable[date], settings: Settings) -> tuple[list[date], str] | None:
    """Days to compare ``day`` with and what they are; None when there are too few of them."""
    provider = settings.provider
    pool = list(candidates)
    if not _is_holiday(day, provider):
        same = [d for d in pool if d.weekday() == day.weekday() and not _is_holiday(d, provider)]
        if len(same) >= settings.gate.volume_days:
            return same, f"{len(same)} days like {day:%A}"
    kind = _is_working(day, provider)
    alike = [d for d in pool if _is_working(d, provider) == kind]
    if len(alike) >= settings.gate.volume_days:
        return alike, f"{len(alike)} {'working days' if kind else 'days off'}"
    return None


def _volume(
    conn: Conn, table: Table, settings: Settings, window: Window, past: _Past, landed: _Landed
) -> Parameters:
    """``rows_min`` and ``rows_max``, or nothing when no day of the window can be compared."""
    if window.end - window.start < MOST_OF_A_DAY:
        return {}
    shares = _days(window, settings.provider.zone)
    history = _events_by_day(conn, table, settings, past, min(shares))
    expected, own, compared = 0.0, 0, set()
    for day, share in shares.items():
        if found := _comparable(day, history, settings):
            expected += share * median(history[d] for d in found[0])
            own += landed.by_day.get(day, 0)
            compared.add(found[1])
    if not compared:
        return {}
    return _volume_limits(settings, expected, landed.rows - own, sorted(compared))


def _volume_limits(settings: Settings, expected: float, other: int, compared: Sequence[str]) -> Parameters:
    """Small counts vary by themselves: neither limit is nearer than three standard deviations."""
    gate = settings.gate
    noise = 3 * math.sqrt(expected)
    least = max(math.ceil(min(gate.volume_low * expected, expected - noise)), 1 if expected >= FEW else 0)
    most = max(math.floor(max(gate.volume_high * expected, expected + noise)), math.ceil(FEW))
    usual = f"usual is {expected:.0f}, by {' and '.join(compared[:3])}"
    late = f", and {other} of other days" if other else ""
    return {
        "rows_min": Limit(least + other, f"at least {least} rows of the window's days ({usual}){late}"),
        "rows_max": Limit(most + other, f"at most {most} rows of the window's days ({usual}){late}"),
    }


def _unjudged_volume(settings: Settings, window: Window) -> Parameters:
    if window.end - window.start < MOST_OF_A_DAY:
        reason = NotJudged("what has passed of the window is much shorter than a day")
    else:
        reason = NotJudged(f"fewer than {settings.gate.volume_days} comparable days are loaded")
    return {"rows_min": reason, "rows_max": reason}


def _events_by_day(
    conn: Conn, table: Table, settings: Settings, past: _Past, before: date
) -> dict[date, int]:
    """Rows of each wholly loaded day of the last weeks.

    A long window shows a record in its last version only, so its days look emptier than a night does: days of
    tables that are dated by their last change count only when a night brought them first.
    """
    first = before - LOOK_BACK
    rows = conn.execute(
        "select day, sum(events) as events from ops.load_days where table_name = %s and day >= %s and day < %s"
        " group by day",
        (table.name, first, before),
    )
    events = {r["day"]: int(r["events"]) for r in rows}
    found = {}
    for n in range(LOOK_BACK.days):
        day = first + timedelta(days=n)
        span = Window(midnight(day, settings.provider.zone), midnight(day + timedelta(days=1), settings.provider.zone))
        load = past.first_load(span)
        by_night = load is not None and load.end - load.start <= ABOUT_A_DAY
        if past.covers(span) and (by_night or table.version != table.event_time):
            found[day] = events.get(day, 0)
    return found


def _present(provider: Provider, window: Window, has_usual: bool) -> Limit | NotJudged:
    if has_usual:
        return NotJudged("the usual number of rows decides")
    if window.end - window.start < MOST_OF_A_DAY:
        return NotJudged("what has passed of the window is much shorter than a day")
    working = [d for d, share in _days(window, provider.zone).items() if share >= 0.5 and _is_working(d, provider)]
    if not working:
        return NotJudged("no working day in the window and no history to tell a quiet day by")
    return Limit(1, f"at least 1 row: {working[0]} was a working day")


def _present_in_source(conn: Conn, load: Load, present: Limit | NotJudged) -> Limit | NotJudged:
    if isinstance(present, NotJudged):
        return present
    row = conn.execute(
        "select coalesce(sum(rows_read), 0) as rows from ops.load_tables where load_id = %s", (load.load_id,)
    ).fetchone()
    if row and row["rows"]:
        return NotJudged("other tables of the source brought rows and there is no history to tell a quiet day by")
    return Limit(present.value, f"{present.text}, and no table of the source brought any")


def _freshness(
    conn: Conn, table: Table, settings: Settings, window: Window, past: _Past
) -> Limit | NotJudged:
    """The last row must not be older, seen from the window's end, than on comparable days plus a tolerance."""
    zone = settings.provider.zone
    last_day = (window.end - timedelta(microseconds=1)).astimezone(zone).date()
    ends = {
        last_day - timedelta(days=n): _days_earlier(window.end, n, zone) for n in range(1, LOOK_BACK.days + 1)
    }
    loaded = [d for d, end in ends.items() if past.covers(Window(end - timedelta(days=1), end))]
    found = _comparable(last_day, loaded, settings)
    if found is None:
        return NotJudged(f"fewer than {settings.gate.volume_days} comparable days are loaded")
    usual = _longest_silence(conn, table, [ends[d] for d in found[0]])
    limit = window.end - usual - timedelta(hours=settings.gate.freshness_hours)
    if limit <= window.start:
        return NotJudged(f"on comparable days, too, the last {usual / timedelta(hours=1):.0f} hours brought nothing")
    return Limit(
        limit,
        f"a row after {limit:%Y-%m-%dT%H:%M}Z: {found[1]} were silent for at most"
        f" {usual / timedelta(hours=1):.1f} h at their end, {settings.gate.freshness_hours:g} h are tolerated",
    )


def _days_earlier(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same local time, days earlier."""
    return (at.astimezone(zone) - timedelta(days=days)).astimezone(UTC)


def _longest_silence(conn: Conn, table: Table, ends: Sequence[datetime]) -> timedelta:
    statement = sql.SQL(
        "select max(ended - coalesce((select max({at}) from raw.{table}"
        " where {at} >= ended - interval '1 day' and {at} < ended), ended - interval '1 day')) as silence"
        " from unnest(%s::timestamptz[]) as ended"
    ).format(at=sql.Identifier(table.event_time), table=sql.Identifier(table.name))
    row = conn.execute(statement, (list(ends),)).fetchone()
    silence: timedelta = row["silence"] if row else timedelta(days=1)
    return silence


def _latest(load: Load, table: Table, now: datetime) -> Limit:
    """Recorded events lie in the window; a database may date a record by the moment of reading, clock and all."""
    if table.source in (Source.CRM, Source.SURVEY):
        at = max(load.window.end, now.astimezone(UTC)) + CLOCK_TOLERANCE
        return Limit(at, f"not later than {at:%Y-%m-%dT%H:%M}Z, a day after the window and the reading")
    return Limit(load.window.end, f"not later than {load.window.end:%Y-%m-%dT%H:%M}Z, the window's end")
