"""How well topic surges are found: the product's own function and usual rules, on counts with known surges.

``python -m benchmarks.surges`` prints a table and writes ``benchmarks/results/surges.json``.

The counts follow the simulated provider: shares of its branches, weights of its topics, its weekday factors and the
common noise of a branch's day. Made harder than it is: counts are negative binomial (k from 12 to 100, another one for
each series; the provider's own is about 100) and drift over the year by a fifth. Each of 60 series (6 branches x 10
topics) gets three surges of 2 to 5 days, x1.5, x2 or x3. The second table has k = 12 everywhere.

Labels are held apart: thresholds were looked at on the seeds of TUNING only, the published figures come from those
of EVALUATION.

What is counted:
- an episode is what a detector reports as one surge (findings with at most 2 days between them);
- it is true when one of its findings lies in a surge of its series or on the day after it, else a false alarm;
- precision: true episodes of all; a surge is found when a finding lies within it; delay: days from its first day.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from service_quality.analyses import surges

from demo import calls
from demo import world as w

TUNING = tuple(range(101, 107))
EVALUATION = tuple(range(1, 13))
RESULTS = Path(__file__).parent / "results" / "surges.json"

DAYS = 300
FIRST_JUDGED = surges.REACH  # as in a build: the days before it are for looking back
CONTACTS_A_DAY = (1000, 2000, 4000)  # in turn, by seed
TOPICS_USED = 10
NOISE = (12.0, 100.0)  # k of the negative binomial (variance mu + mu^2 / k), of each series another one
WORLDS = {"usual noise": NOISE, "much noise (k = 12 everywhere)": (12.0, 12.0)}
DRIFT = 0.2
SIZES = (1.5, 2.0, 3.0)
LENGTHS = (2, 3, 4, 5)
SURGES_EACH = 3
BASES = ((0.0, 3.0), (3.0, 10.0), (10.0, np.inf))
SERIES = 60

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Surge:
    """A surge that was made: row of the series, first and last day (columns), how many times as many."""

    series: int
    first: int
    last: int
    times: float


@dataclass(frozen=True)
class World:
    """Counts, series x days; contacts a day of each series in the mean; the surges in it."""

    counts: surges.Counts
    base: Floats
    truth: tuple[Surge, ...]


def world(seed: int, with_surges: bool = True, noise: tuple[float, float] = NOISE) -> World:
    """One provider of ``SERIES`` series, by seed."""
    rng = np.random.default_rng([seed, 70])
    topics = rng.choice(len(w.TOPICS), TOPICS_USED, replace=False)
    weights = np.array([t.weight for t in w.TOPICS])
    weights = weights / weights.sum()
    shares = np.array([b.share for b in w.BRANCHES])
    volume = CONTACTS_A_DAY[seed % len(CONTACTS_A_DAY)]
    base = (volume * shares[:, None] * weights[topics][None, :]).ravel()
    branch = np.repeat(np.arange(len(w.BRANCHES)), TOPICS_USED)
    day = np.arange(DAYS)
    weekday = day % 7
    drift = 1 + DRIFT * np.sin(2 * np.pi * (day[None, :] / 365 + rng.random((len(base), 1))))
    common = np.exp(rng.normal(0, 0.04, (len(w.BRANCHES), DAYS)))[branch]
    mean = base[:, None] * np.array(calls.WEEKDAY_FACTOR)[weekday][None, :] * drift * common
    truth = _plant(rng, len(base)) if with_surges else ()
    for one in truth:
        mean[one.series, one.first : one.last + 1] *= one.times
    k = np.exp(rng.uniform(*np.log(noise), (len(base), 1)))
    contacts = rng.poisson(mean * rng.gamma(k, 1 / k, mean.shape)).astype(np.int64)
    everywhere = np.ones(contacts.shape, dtype=bool)
    counts = surges.Counts(contacts, everywhere, everywhere, weekday, branch, np.zeros(len(base), dtype=np.int64))
    return World(counts, base, truth)


def _plant(rng: np.random.Generator, series: int) -> tuple[Surge, ...]:
    made = []
    for one in range(series):
        taken = np.zeros(DAYS + 16, dtype=bool)
        for _ in range(SURGES_EACH):
            length = int(rng.choice(LENGTHS))
            free = [d for d in range(FIRST_JUDGED, DAYS - length) if not taken[max(d - 8, 0) : d + length + 8].any()]
            first = int(rng.choice(free))
            taken[first : first + length] = True
            made.append(Surge(one, first, first + length - 1, float(rng.choice(SIZES))))
    return tuple(made)


def product(counts: surges.Counts) -> Bools:
    """What topic_surges reports."""
    found = surges.judge(counts)
    return found.has_tail | found.has_cusum


def tail_only(counts: surges.Counts) -> Bools:
    """The product's tail with false discovery rate, alone."""
    return surges.judge(counts).has_tail


def cusum_only(counts: surges.Counts) -> Bools:
    """The product's CUSUM, alone."""
    return surges.judge(counts).has_cusum


def last_week(counts: surges.Counts) -> Bools:
    """30 % more than on the same weekday of last week."""
    found = np.zeros(counts.contacts.shape, dtype=bool)
    found[:, 7:] = counts.contacts[:, 7:] > 1.3 * counts.contacts[:, :-7]
    return found & (counts.contacts >= surges.LEAST_CONTACTS)


def ears(lag: int) -> Callable[[surges.Counts], Bools]:
    """EARS C1 (lag 0) or C2 (lag 2): more than 3 standard deviations above the mean of 7 days (Hutwagner 2003)."""

    def found(counts: surges.Counts) -> Bools:
        y = counts.contacts.astype(np.float64)
        made = np.zeros(y.shape, dtype=bool)
        for day in range(7 + lag, y.shape[1]):
            past = y[:, day - lag - 7 : day - lag]
            made[:, day] = y[:, day] > past.mean(axis=1) + 3 * np.maximum(past.std(axis=1, ddof=1), 0.5)
        return made & (counts.contacts >= surges.LEAST_CONTACTS)

    return found


def same_weekday(counts: surges.Counts) -> Bools:
    """More than 3 standard deviations above the mean of the same weekday in eight weeks."""
    y = counts.contacts.astype(np.float64)
    made = np.zeros(y.shape, dtype=bool)
    for day in range(56, y.shape[1]):
        past = y[:, day - 56 : day : 7]
        made[:, day] = y[:, day] > past.mean(axis=1) + 3 * np.maximum(past.std(axis=1, ddof=1), 0.5)
    return made & (counts.contacts >= surges.LEAST_CONTACTS)


DETECTORS: dict[str, Callable[[surges.Counts], Bools]] = {
    "+30 % on last week": last_week,
    "EARS C1": ears(0),
    "EARS C2": ears(2),
    "same weekday z > 3": same_weekday,
    "tail with FDR alone": tail_only,
    "CUSUM alone": cusum_only,
    "topic_surges": product,
}


@dataclass
class Score:
    """Sums over worlds, from which the figures are made."""

    weeks: float = 0.0
    true: int = 0
    false: int = 0
    delays: list[int] | None = None
    made: dict[tuple[float, int], int] | None = None
    found: dict[tuple[float, int], int] | None = None

    def __post_init__(self) -> None:
        self.delays, self.made, self.found = [], {}, {}

    def add(self, one: World, findings: Bools) -> None:
        """Count one world's findings in its judged days."""
        assert self.delays is not None and self.made is not None and self.found is not None
        findings = findings.copy()
        findings[:, :FIRST_JUDGED] = False
        in_surge = np.zeros(findings.shape, dtype=bool)
        for surge in one.truth:
            in_surge[surge.series, surge.first : surge.last + 2] = True
            hits = np.flatnonzero(findings[surge.series, surge.first : surge.last + 1])
            base = next(i for i, (low, high) in enumerate(BASES) if low <= one.base[surge.series] < high)
            kind = (surge.times, base)
            self.made[kind] = self.made.get(kind, 0) + 1
            self.found[kind] = self.found.get(kind, 0) + int(len(hits) > 0)
            if len(hits):
                self.delays.append(int(hits[0]))
        for series, row in enumerate(episodes(findings)):
            for days in row:
                if in_surge[series, days].any():
                    self.true += 1
                else:
                    self.false += 1
        self.weeks += (findings.shape[1] - FIRST_JUDGED) / 7 * len(findings) / SERIES

    def recall(self, times: float, base: int | None = None) -> float | None:
        """Share of the surges found; ``base``: place in BASES, None for all."""
        assert self.made is not None and self.found is not None
        kinds = [k for k in self.made if k[0] == times and (base is None or k[1] == base)]
        made = sum(self.made[k] for k in kinds)
        return sum(self.found[k] for k in kinds) / made if made else None

    def figures(self) -> dict[str, Any]:
        """Everything that is published, by name."""
        assert self.delays is not None
        alarms = self.true + self.false
        return {
            "false_alarms_per_week": round(self.false / self.weeks, 3),
            "precision": round(self.true / alarms, 3) if alarms else None,
            "mean_delay_days": round(float(np.mean(self.delays)), 2) if self.delays else None,
            "recall": {
                f"x{times:g}": {
                    f"base {low:g}-{high:g}" if high < np.inf else f"base >= {low:g}": _rounded(self.recall(times, i))
                    for i, (low, high) in enumerate(BASES)
                }
                for times in SIZES
            },
        }


def episodes(findings: Bools) -> list[list[list[int]]]:
    """By series the episodes, each as the days of its findings."""
    made: list[list[list[int]]] = []
    for row in findings:
        own: list[list[int]] = []
        for day in np.flatnonzero(row).tolist():
            if own and day - own[-1][-1] <= surges.EPISODE_GAP + 1:
                own[-1].append(day)
            else:
                own.append([day])
        made.append(own)
    return made


def run(
    seeds: Sequence[int],
    detectors: dict[str, Callable[[surges.Counts], Bools]] | None = None,
    noise: tuple[float, float] = NOISE,
) -> dict[str, Any]:
    """Figures of each detector over the worlds of ``seeds``, with surges, and false alarms in the same without."""
    chosen = DETECTORS if detectors is None else detectors
    scores = {name: Score() for name in chosen}
    quiet = {name: Score() for name in chosen}
    for seed in seeds:
        busy, calm = world(seed, noise=noise), world(seed, with_surges=False, noise=noise)
        for name, detector in chosen.items():
            scores[name].add(busy, detector(busy.counts))
            quiet[name].add(calm, detector(calm.counts))
    calm_alarms = {name: quiet[name].figures()["false_alarms_per_week"] for name in chosen}
    return {
        name: scores[name].figures() | {"false_alarms_per_week_without_surges": calm_alarms[name]} for name in chosen
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def table(figures: dict[str, Any]) -> str:
    """The figures as text; false alarms are per week and 60 series."""
    heads = ["", "false/wk", "quiet/wk", "precision", "delay"]
    heads += [f"x{times:g} {low:g}+" for times in SIZES for low, _ in BASES]
    lines = [heads]
    for name, found in figures.items():
        recalls = [value for by_base in found["recall"].values() for value in by_base.values()]
        lines.append([
            name, *(f"{found[k]:.2f}" if found[k] is not None else "-" for k in (
                "false_alarms_per_week", "false_alarms_per_week_without_surges", "precision", "mean_delay_days")),
            *("-" if r is None else f"{r:.2f}" for r in recalls),
        ])  # fmt: skip
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    return "\n".join("  ".join(text.ljust(n) for text, n in zip(line, widths, strict=True)).rstrip() for line in lines)


def main() -> None:
    """Run on the seeds of the evaluation (``--tuning``: on those for tuning, nothing is written)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tuning", action="store_true", help="use the seeds that thresholds may be looked at with")
    asked = parser.parse_args()
    seeds = TUNING if asked.tuning else EVALUATION
    worlds = {name: run(seeds, noise=noise) for name, noise in WORLDS.items()}
    for name, figures in worlds.items():
        print(f"{name}\n{table(figures)}\n")
    if not asked.tuning:
        made = {"seeds": list(EVALUATION), "tuned_on": list(TUNING), "series": SERIES, "worlds": worlds}
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(made, indent=2) + "\n")
        print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
