"""Which topics are called about more than they should be: every branch x topic (and topic over all branches) by day.

Expected count of a day: level of the series over the eight weeks that end three days before it (so that a surge of
yesterday does not hide today's), times the weekday's share. The level is a mean of counts cut off at what chance
explains (Farrington 1996: past surges must not raise the bar). Counts are taken as negative binomial, with the
dispersion of the series half-shrunk to that of all series (moments) and the level's own uncertainty added. Two
detectors are joined: the upper tail with the false discovery rate of Benjamini and Hochberg (1995) over all series of
the day, and a CUSUM of mid-p normal scores (Fricker 2008: on residuals of a model), which finds what is small and
lasts.

Every figure of a day depends on that day and the `REACH` days before it only, never on where a build began: a night,
a late night and a rebuild give the same rows.
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
    level, dispersion, spread, expected = (np.full(shape, np.nan) for _ in range(4))
    for day in range(LOOK_BACK, shape[1]):
        found = _expectation(counts, day)
        history[:, day] = found[0]
        for target, values in zip((expected, level, dispersion, spread), found[1:], strict=True):
            target[:, day] = values
    is_judged = counts.is_measured & (history >= LEAST_HISTORY)
    expected[~is_judged] = np.nan
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


def _expectation(counts: Counts, day: int) -> tuple[Ints, Floats, Floats, Floats, Floats]:
    """Of one day: days of history, expected count, level, alpha, and alpha with the level's uncertainty."""
    window = slice(day - LOOK_BACK, day - GUARD)
    y = counts.contacts[:, window].astype(np.float64)
    known = counts.is_measured[:, window] & counts.is_usual[:, window]
    weekdays = counts.weekday[window]
    profile = _profile(y, known, weekdays, counts.group)
    share = profile[:, weekdays]
    plain = np.where(known, y / share, np.nan)
    days = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cut = np.minimum(plain, _ceiling(plain, days)[:, None])
        total = np.where(known, cut, 0.0).sum(axis=1)
        level = np.maximum(total, 0.5) / days  # half a contact: nothing in eight weeks is not impossible
        mean = level[:, None] * share
        rest = np.where(known, (cut * share - mean) ** 2 * (days / np.maximum(days - 1, 1))[:, None] - mean, 0.0)
        above, below = rest.sum(axis=1), np.where(known, mean**2, 0.0).sum(axis=1)
        own = above / below
        pooled = np.full(len(days), np.nan)
        for pool in range(counts.pool.max() + 1):
            of = (counts.pool == pool) & (days >= LEAST_HISTORY) & (total > 0)
            if of.any():
                pooled[counts.pool == pool] = math.fsum(above[of]) / math.fsum(below[of])
        alpha = np.maximum((np.maximum(own, 0.0) + np.maximum(pooled, 0.0)) / 2, 1e-6)
        uncertain = alpha + (1 / level + alpha) / days
    return days, level * profile[:, counts.weekday[day]], level, alpha, uncertain


def _profile(y: Floats, known: Bools, weekdays: Ints, group: Ints) -> Floats:
    """Share of each weekday, groups (as series x 7); 1 is the mean day. Groups lean on the profile of all."""
    sums = np.stack([np.where(known[:, weekdays == w], y[:, weekdays == w], 0.0).sum(axis=1) for w in range(7)], 1)
    days = np.stack([known[:, weekdays == w].sum(axis=1) for w in range(7)], 1)
    groups = group.max() + 1
    total = np.zeros((groups, 7))
    np.add.at(total, group, sums)  # whole numbers: exact in any order
    most = np.zeros((groups, 7))
    np.maximum.at(most, group, days)
    return _shares(total, most)[group]


def _shares(total: Floats, days: Floats) -> Floats:
    def of(total: Floats, days: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / days
            return np.where(days > 0, mean, np.nan)

    return _relative(of(total, days))


def _relative(mean: Floats) -> Floats:
    filled = np.where(np.isnan(mean), 0.0, mean)
    average = filled.sum(axis=1, keepdims=True) / np.maximum((~np.isnan(mean)).sum(axis=1, keepdims=True), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where((average > 0) & ~np.isnan(mean), mean / average, 1.0)
    return np.clip(share, 0.05, None)


def _ceiling(plain: Floats, days: Ints) -> Floats:
    """Counts above it are cut off: median + 3 * sqrt(median + median^2 / 10)."""
    filled = np.where(np.isnan(plain), np.inf, plain)
    ordered = np.sort(filled, axis=1)
    rows = np.arange(len(days))
    low, high = np.maximum(days - 1, 0) // 2, np.minimum(days // 2, plain.shape[1] - 1)
    median = np.where(days > 0, (ordered[rows, low] + ordered[rows, high]) / 2, 0.0)
    mean = np.nansum(plain, axis=1) / np.maximum(days, 1)
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


def calculate(conn: Conn, scope: Scope) -> Iterator[Sequence[Any]]:
    """Rows of ``calculated_surges`` for the touched days and the ``REACH`` days after each."""
    return iter(())


SURGES = Analysis("surges", COLUMNS, calculate, Reach(0, REACH))
