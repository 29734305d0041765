"""Which topics are called about more than they should be: every branch x topic, and topic over all branches, by day.

Expected count of a day: level of the series times share of the weekday. The level is the mean of the eight weeks that
end three days before (so that a surge of yesterday does not hide today's), recent days weighing more (services grow
and shrink), with counts cut off at what chance explains and those still far out weighing less (Farrington 1996,
Noufaily 2012: past surges must not raise the bar). Counts are taken as negative binomial; the dispersion is that of
the series by moments, made up for what was cut off and half-shrunk to that of all series; the level's own uncertainty
is added. Two detectors are joined: the upper tail with the false discovery rate of Benjamini and Hochberg (1995) over
all series of the day, and a CUSUM of mid-p normal scores (Fricker 2008: on residuals of a model), which finds what is
small and lasts.
``benchmarks/surges.py`` measures both.

Every figure of a day depends on that day and the ``REACH`` days before it only, never on where a build began: a
night, a late night and a rebuild give the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from service_quality.analyses.base import Analysis, Scope
from service_quality.ops import Conn
from service_quality.window import Reach

HISTORY = 56  # days that the expectation is made of: eight weeks
GUARD = 2  # days before the judged one that are left out of them
HALF_LIFE = 14.0  # days after which a day of history weighs half
FAR = 3.5  # standard deviations beyond which a day of history weighs less
CUT_LOSS = 1.03  # variance of a negative binomial with k = 12 by that of what is left when its far days are cut off
LEAST_HISTORY = 28  # judged days among them without which nothing is said
FALSE_DISCOVERIES = 0.05
LEAST_CONTACTS = 5  # a surge has at least so many contacts that day
LEAST_RATIO = 1.3  # and is so many times the expected count
SLACK = 0.75  # of the CUSUM, in standard deviations
ALARM = 4.0
CUSUM_DAYS = 28  # the sum begins anew so many days before each day
EPISODE_GAP = 2  # days without finding that do not end a surge
EPISODE_DAYS = 42  # how far back the beginning of a surge is looked for
LIMIT = 0.99  # point of the predictive distribution that charts show as the usual upper limit
PROFILE_WEIGHT = 100.0  # contacts a weekday
OUTAGE_DAYS = 28  # an outage is known when it had children so many days before, at most
EXPLAINED = 0.5  # share of the excess that children of a known outage must have to explain it

LOOK_BACK = HISTORY + GUARD
REACH = LOOK_BACK + CUSUM_DAYS - 1 + EPISODE_DAYS

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """Counts of many series on consecutive days.

    ``contacts``: series x days. ``is_measured``: the series was counted to the day's end. ``is_usual``: the day may
    stand for others (no holiday). ``weekday``: 0 is Monday, by day. ``group``: series that share a weekday profile,
    numbered from 0. ``pool``: series that share a dispersion, numbered from 0.
    """

    contacts: Ints
    is_measured: Bools
    is_usual: Bools
    weekday: Ints
    group: Ints
    pool: Ints


@dataclass(frozen=True)
class Findings:
    """What was found, series x days; not a number where it was not judged.

    ``dispersion``: alpha, the variance of a count is mu + alpha * mu^2 when the level mu is known. ``has_tail``,
    ``has_cusum``: the two detectors. ``start``: place of the day a surge began, -1 without one.
    """

    history: Ints
    expected: Floats
    dispersion: Floats
    upper: Floats
    p: Floats
    q: Floats
    score: Floats
    cusum: Floats
    has_tail: Bools
    has_cusum: Bools
    start: Ints


def judge(counts: Counts) -> Findings:
    """Judge each day of each series by the days before it. The first ``REACH`` days are for the others to look at."""
    shape = counts.contacts.shape
    history = np.zeros(shape, dtype=np.int64)
    expected, dispersion, spread = (np.full(shape, np.nan) for _ in range(3))
    for day in range(LOOK_BACK, shape[1]):
        found = _expectation(counts, day)
        history[:, day], expected[:, day], dispersion[:, day], spread[:, day] = found
    is_judged = counts.is_measured & (history >= LEAST_HISTORY)
    expected[~is_judged] = dispersion[~is_judged] = np.nan
    p, score, upper = _tail(counts.contacts, expected, spread, is_judged)
    q = np.full(shape, np.nan)
    for day in range(shape[1]):
        q[is_judged[:, day], day] = q_values(p[is_judged[:, day], day])
    is_much = (counts.contacts >= LEAST_CONTACTS) & (counts.contacts > LEAST_RATIO * expected)
    has_tail = is_judged & is_much & (q <= FALSE_DISCOVERIES)
    cusum, alarm = _cusum(np.where(is_judged & counts.is_usual, score, np.nan))
    has_cusum = alarm & is_judged & is_much
    start = _starts(has_tail | has_cusum)
    return Findings(history, expected, dispersion, upper, p, q, score, cusum, has_tail, has_cusum, start)


@np.errstate(invalid="ignore", divide="ignore")
def _expectation(counts: Counts, day: int) -> tuple[Ints, Floats, Floats, Floats]:
    """Of one day: days of history, expected count, alpha, and alpha with the level's uncertainty."""
    window = slice(day - LOOK_BACK, day - GUARD)
    y = counts.contacts[:, window].astype(np.float64)
    known = counts.is_measured[:, window] & counts.is_usual[:, window]
    weekdays = counts.weekday[window]
    days = known.sum(axis=1)
    profile = _profile(y, known, weekdays, counts.group)
    for _ in range(2):  # what is cut off must not bend the profile by which the next cut is made
        share = profile[:, weekdays]
        cut = np.minimum(y, _ceiling(y, share, known)[:, None] * share)
        profile = _profile(cut, known, weekdays, counts.group)
    share = np.where(known, profile[:, weekdays], 0.0)
    recent = known * 0.5 ** (np.arange(HISTORY)[::-1] / HALF_LIFE)
    weight = recent
    for _ in range(3):
        level, alpha = _fit(cut, share, weight, counts.pool, days >= LEAST_HISTORY)
        mean = level[:, None] * share
        far = (y - mean) / np.sqrt(np.maximum(mean + alpha[:, None] * mean**2, 1e-9))
        weight = recent * np.minimum(FAR / np.maximum(far, FAR), 1.0) ** 2
    effective_days = weight.sum(axis=1) ** 2 / (weight**2).sum(axis=1)
    uncertain = alpha + (1 / level + alpha) / effective_days
    return days, level * profile[:, counts.weekday[day]], alpha, uncertain


def _fit(y: Floats, share: Floats, weight: Floats, pool: Ints, is_enough: Bools) -> tuple[Floats, Floats]:
    """Level, contacts a day, and dispersion alpha by moments, half-shrunk to that of the pool."""
    total = (weight * y).sum(axis=1)
    level = np.maximum(total, 0.5) / (weight * share).sum(axis=1)  # half a contact: no contact yet is possible
    mean = level[:, None] * share
    freedom = CUT_LOSS / (1 - (weight**2).sum(axis=1) / weight.sum(axis=1) ** 2)  # the level was fitted
    rest = (weight * ((y - mean) ** 2 * freedom[:, None] - mean)).sum(axis=1)
    square = (weight * mean**2).sum(axis=1)
    pooled = _pooled(rest, square, pool, is_enough & (total > 0))
    return level, np.maximum((np.maximum(rest / square, 0.0) + pooled) / 2, 1e-6)


def _pooled(above: Floats, below: Floats, pool: Ints, counts: Bools) -> Floats:
    """Dispersion of all series of a pool, by series; exact sums, so that the order of the series does not show."""
    found = np.zeros(len(pool))
    for number in range(int(pool.max()) + 1):
        of = (pool == number) & counts
        if of.any():
            found[pool == number] = max(math.fsum(above[of]) / math.fsum(below[of]), 0.0)
    return found


def _profile(y: Floats, known: Bools, weekdays: Ints, group: Ints) -> Floats:
    """Share of each weekday (series x 7) from the series of a group together; 1 is the mean day.

    A small group leans on the provider's profile as if it had seen it on ``PROFILE_WEIGHT`` contacts a weekday.
    """
    groups = int(group.max()) + 1
    total, days = np.zeros((groups, 7)), np.zeros((groups, 7))
    for weekday in range(7):
        on = weekdays == weekday
        np.add.at(total[:, weekday], group, np.where(known[:, on], y[:, on], 0.0).sum(axis=1))
        np.maximum.at(days[:, weekday], group, known[:, on].sum(axis=1))
    daily = (total.sum(axis=1) / np.maximum(days.sum(axis=1), 1))[:, None]
    usual = daily * days  # contacts that the weekdays would have had if all were equal
    provider = total.sum(axis=0) / np.where(usual.sum(axis=0) > 0, usual.sum(axis=0), 1.0)
    provider = np.where(usual.sum(axis=0) > 0, provider, 1.0)
    share = (total + PROFILE_WEIGHT * provider) / (usual + PROFILE_WEIGHT)
    return np.maximum(share / share.mean(axis=1, keepdims=True), 0.02)[group]


def _ceiling(y: Floats, share: Floats, known: Bools) -> Floats:
    """Daily counts, weekday taken out, above which is cut off: median + 3 * sqrt(median + median^2 / 10)."""
    counts = known & (share >= 0.2)  # a day on which nearly nobody calls says nothing about the level
    days = counts.sum(axis=1)
    plain = np.sort(np.where(counts, y / share, np.inf), axis=1)
    rows, last = np.arange(len(days)), y.shape[1] - 1
    middle = (plain[rows, np.maximum(days - 1, 0) // 2] + plain[rows, np.minimum(days // 2, last)]) / 2
    median = np.where(days > 0, middle, 0.0)
    mean = np.where(counts, y / share, 0.0).sum(axis=1) / np.maximum(days, 1)
    spread = np.maximum(median, np.minimum(mean, 1.0))  # rare topics: a median of 0 is not a ceiling of 0
    return median + 3 * np.sqrt(spread + spread**2 / 10)


def _tail(contacts: Ints, expected: Floats, alpha: Floats, is_judged: Bools) -> tuple[Floats, Floats, Floats]:
    """Probability of so many or more, its mid-p normal score, and the upper limit of what is usual."""
    from scipy import stats

    p, score, upper = (np.full(contacts.shape, np.nan) for _ in range(3))
    y, mu, k = contacts[is_judged], expected[is_judged], 1 / alpha[is_judged]
    chance = k / (k + mu)
    more = stats.nbinom.sf(y, k, chance)
    as_many = stats.nbinom.pmf(y, k, chance)
    p[is_judged] = np.minimum(more + as_many, 1.0)
    middle = np.clip(more + as_many / 2, 1e-300, 1.0 - 1e-12)
    score[is_judged] = np.round(stats.norm.isf(middle), 9)
    upper[is_judged] = stats.nbinom.ppf(LIMIT, k, chance)
    return p, score, upper


def q_values(p: Floats) -> Floats:
    """Smallest false discovery rate at which each of ``p`` is reported (Benjamini and Hochberg 1995)."""
    order = np.argsort(p, kind="stable")[::-1]
    ranks = np.arange(len(p), 0, -1)
    found = np.empty(len(p))
    found[order] = np.minimum(np.minimum.accumulate(p[order] * len(p) / ranks), 1.0)
    return found


def _cusum(score: Floats) -> tuple[Floats, Bools]:
    """S = max(0, S + z - slack), an alarm at its limit, then anew; each day's sum begins ``CUSUM_DAYS`` before it.

    A day without score leaves the sum as it is.
    """
    days = score.shape[1]
    padded = np.concatenate([np.full((len(score), CUSUM_DAYS - 1), np.nan), score], axis=1)
    total = np.zeros(score.shape)
    alarm = np.zeros(score.shape, dtype=bool)
    for step in range(CUSUM_DAYS):
        z = padded[:, step : step + days]
        is_known = ~np.isnan(z)
        total = np.where(alarm, 0.0, total)
        total = np.where(is_known, np.maximum(0.0, total + np.where(is_known, z, 0.0) - SLACK), total)
        alarm = is_known & (total >= ALARM)
    return np.where(np.isnan(score), np.nan, total), alarm


def _starts(found: Bools) -> Ints:
    """Place of the day on which the surge began that a day with a finding belongs to; -1 on other days.

    Findings with at most ``EPISODE_GAP`` days between them are one surge. Of one that lasts longer than
    ``EPISODE_DAYS`` the beginning is not looked for any further back.
    """
    series, days = found.shape
    places = np.broadcast_to(np.arange(days), found.shape)
    last = np.maximum.accumulate(np.where(found, places, -EPISODE_DAYS * 2), axis=1)
    before = np.concatenate([np.full((series, 1), -EPISODE_DAYS * 2), last[:, :-1]], axis=1)
    is_new = found & (places - before > EPISODE_GAP + 1)
    start = np.maximum.accumulate(np.where(is_new, places, 0), axis=1)
    return np.where(found, np.maximum(start, places - EPISODE_DAYS), -1)


COLUMNS = (
    ("branch_id", "text"),
    ("topic_id", "text"),
    ("contacts", "bigint"),
    ("history_days", "bigint"),
    ("expected", "double precision"),
    ("dispersion", "double precision"),
    ("expected_upper", "double precision"),
    ("p_value", "double precision"),
    ("q_value", "double precision"),
    ("cusum", "double precision"),
    ("excess", "double precision"),
    ("is_holiday", "boolean"),
    ("outage_contacts", "bigint"),
    ("known_outage_contacts", "bigint"),
    ("outage_id", "text"),
    ("verdict", "text"),
    ("detected_by", "text"),
    ("leading_branch_id", "text"),
    ("is_new", "boolean"),
    ("surge_id", "text"),
    ("surge_start", "date"),
    ("surge_days", "bigint"),
    ("business_day", "date"),
)


_DAYS = """
select branch_id, topic_id, coverage, is_holiday, contacts, outage_contacts, business_day
from intermediate.int_topic_days where business_day between %s and %s
"""
_OUTAGES = """
select branch_id, topic_id, outage_id, contacts, business_day
from intermediate.int_outage_days where business_day between %s and %s order by outage_id
"""
EVERYWHERE = "*"


def calculate(conn: Conn, scope: Scope) -> Iterator[Sequence[Any]]:
    """Rows of ``calculated_surges`` for the touched days and the ``REACH`` days after each.

    Only the days that these look back on are read, however long history is.
    """
    for first, last in _runs(conn, scope):
        yield from _rows(_read(conn, first, last), first)


def _runs(conn: Conn, scope: Scope) -> list[tuple[date, date]]:
    """Runs of days to judge, first and last."""
    known = conn.execute("select min(business_day) as a, max(business_day) as z from intermediate.int_topic_days")
    span = known.fetchone()
    if span is None or span["a"] is None:
        return []
    if scope.is_full:
        return [(span["a"], span["z"])]
    runs: list[tuple[date, date]] = []
    for day in Reach(0, REACH).widen(scope.touched_days):
        if span["a"] <= day <= span["z"]:
            is_next = bool(runs) and (day - runs[-1][1]).days == 1
            runs.append((runs.pop()[0] if is_next else day, day))
    return runs


# {(branch, topic, place of the day): {outage: (its contacts, those of an outage known when the day began)}}
_Children = dict[tuple[str, str, int], dict[str, tuple[int, int]]]


@dataclass(frozen=True)
class _Days:
    """What was read: series (branch, topic), the first day of the columns, and series x days."""

    series: list[tuple[str, str]]
    begin: date
    contacts: Ints
    outage_contacts: Ints
    is_row: Bools
    has_count: Bools
    is_loaded: Bools
    is_holiday: Bools
    children: _Children


def _read(conn: Conn, first: date, last: date) -> _Days:
    from psycopg.rows import tuple_row

    begin = first - timedelta(days=REACH)
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(_DAYS, (begin, last)).fetchall()
        outages = cursor.execute(_OUTAGES, (begin, last)).fetchall()
    series = sorted({(r[0], r[1]) for r in rows})
    place = {one: number for number, one in enumerate(series)}
    shape = (len(series), (last - begin).days + 1)
    at = (
        np.array([place[r[0], r[1]] for r in rows], dtype=np.int64),
        np.array([(r[6] - begin).days for r in rows], dtype=np.int64),
    )

    def spread(values: list[Any], kind: Any) -> Any:
        made = np.zeros(shape, dtype=kind)
        made[at] = values
        return made

    return _Days(
        series, begin,
        spread([r[4] or 0 for r in rows], np.int64), spread([r[5] or 0 for r in rows], np.int64),
        spread([True] * len(rows), np.bool_), spread([r[4] is not None for r in rows], np.bool_),
        spread([r[2] == "loaded" for r in rows], np.bool_), spread([r[3] for r in rows], np.bool_),
        _children(outages, begin),
    )  # fmt: skip


def _children(outages: list[tuple[Any, ...]], begin: date) -> _Children:
    """Children of outages; an outage is known in a branch that had children of it on an earlier day."""
    days: dict[tuple[str, str], set[int]] = {}
    for branch, _, outage, _, on in outages:
        days.setdefault((branch, outage), set()).add((on - begin).days)
    found: _Children = {}
    for branch, topic, outage, contacts, on in outages:
        day = (on - begin).days
        was_known = any(0 < day - earlier <= OUTAGE_DAYS for earlier in days[branch, outage])
        for where in (branch, EVERYWHERE):
            of_series = found.setdefault((where, topic, day), {})
            before = of_series.get(outage, (0, 0))
            of_series[outage] = (before[0] + contacts, before[1] + contacts * was_known)
    return found


def _counts(days: _Days) -> Counts:
    branches = {b: n for n, b in enumerate(sorted({b for b, _ in days.series}))}
    weekday = (days.begin.weekday() + np.arange(days.contacts.shape[1])) % 7
    return Counts(
        days.contacts, days.is_loaded, ~days.is_holiday, weekday,
        group=np.array([branches[b] for b, _ in days.series]),
        pool=np.array([int(b == EVERYWHERE) for b, _ in days.series]),
    )  # fmt: skip


def _rows(days: _Days, first: date) -> Iterator[Sequence[Any]]:
    if not days.series:
        return
    found = judge(_counts(days))
    width = days.contacts.shape[1]
    past = np.concatenate([np.zeros((len(days.series), 1), dtype=np.int64), np.cumsum(days.contacts, axis=1)], axis=1)
    for day in range((first - days.begin).days, width):
        leading = _leading(days, found, day)
        recent = past[:, day + 1] - past[:, max(day - LOOK_BACK, 0)]
        for one in np.flatnonzero(days.is_row[:, day] & (recent > 0)):
            yield _row(days, found, int(one), day, leading)


def _leading(days: _Days, found: Findings, day: int) -> dict[str, str]:
    """{topic: branch with the largest excess}; the first one by name of equals."""
    best: dict[str, tuple[float, str]] = {}
    for one, (branch, topic) in enumerate(days.series):
        excess = float(days.contacts[one, day] - found.expected[one, day])
        if branch != EVERYWHERE and excess > best.get(topic, (0.0, ""))[0]:
            best[topic] = (excess, branch)
    return {topic: branch for topic, (_, branch) in best.items()}


def _row(days: _Days, found: Findings, one: int, day: int, leading: dict[str, str]) -> Sequence[Any]:
    branch, topic = days.series[one]
    contacts = int(days.contacts[one, day]) if days.has_count[one, day] else None
    by_outage = days.children.get((branch, topic, day), {})
    known = sum(known for _, known in by_outage.values())
    start = int(found.start[one, day])
    excess = float(days.contacts[one, day] - found.expected[one, day])
    if not days.is_loaded[one, day]:
        verdict = "partial"
    elif found.history[one, day] < LEAST_HISTORY:
        verdict = "not_enough_history"
    elif start < 0:
        verdict = "usual"
    else:
        verdict = "known_outage" if known and known >= EXPLAINED * excess else "surge"
    is_found = start >= 0
    by = {(True, True): "both", (True, False): "tail", (False, True): "cusum"}
    begun = days.begin + timedelta(days=start) if is_found else None
    return (
        branch, topic, contacts, int(found.history[one, day]),
        *(_figure(values[one, day]) for values in (found.expected, found.dispersion, found.upper, found.p, found.q,
                                                    found.cusum)),
        _figure(excess), bool(days.is_holiday[one, day]),
        int(days.outage_contacts[one, day]) if contacts is not None else None,
        known if contacts is not None else None,
        min(by_outage, key=lambda outage: (-by_outage[outage][0], outage)) if by_outage else None,
        verdict,
        by[bool(found.has_tail[one, day]), bool(found.has_cusum[one, day])] if is_found else None,
        leading.get(topic) if is_found and branch == EVERYWHERE else None,
        start == day if is_found else None,
        f"{branch}|{topic}|{begun}" if is_found else None, begun,
        day - start + 1 if is_found else None,
        days.begin + timedelta(days=day),
    )  # fmt: skip


def _figure(value: float) -> float | None:
    """Nine significant digits, as they are published; None for what was not judged."""
    return None if math.isnan(value) else float(f"{value:.9g}")


SURGES = Analysis("surges", COLUMNS, calculate, Reach(0, REACH))
