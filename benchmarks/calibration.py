"""How far the scorecards' verdicts and intervals can be trusted: worlds whose truth is known, judged by the real SQL.

A world is a provider's contacts, made contact by contact: each operator gets contacts of a mix he does not choose, and
what becomes of a contact depends on its topic, hour, subscriber and on the operator. The rows are put where the
scorecards read (`fct_*`, `int_contact_case_mix`), dbt's compiled SQL runs on them, and verdicts and intervals are
compared with the truth. `python -m benchmarks.calibration` prints the figures of 40 seeds of each world.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import yaml
from psycopg.rows import dict_row

AS_OF = date(2026, 3, 31)
DAYS = 90
VIEWS = ("int_scorecard_measures", "int_operator_rings", "int_outcomes_of_contacts", "int_outcomes_of_opinions",
         "int_outcomes_of_calls", "int_outcomes_of_tickets")  # fmt: skip
TABLES = ("int_measure_segments", "int_measure_cells", "int_measure_expected", "int_measure_judged",
          "int_measure_points", "int_measure_index_spread", "int_measure_index", "operator_scorecard")  # fmt: skip
MEASURES = ("not_resolved_7d", "low_service_quality", "low_politeness", "handle_time")
STEPS = {"not_resolved_7d": 0.05, "low_service_quality": 0.10, "low_politeness": 0.10, "handle_time": 0.20}
WINDOWS = ((90, 0), (28, 0))

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Kind:
    """A kind of world. ``usual``: standard deviation of what ordinary operators differ by (logits; a third of it in log
    seconds); ``bad``: number of operators with a planted fault; ``unfair``: operators who get the hard topics."""

    name: str
    usual: float
    bad: int
    unfair: int = 2
    operators: int = 40
    contacts: int = 10_000


PLANTED = Kind("planted", usual=0.15, bad=5)
USUAL = Kind("usual", usual=0.15, bad=0)
NULL = Kind("null", usual=0.0, bad=0)


@dataclass
class World:
    """Contacts as columns, and the truth: ``chance[measure]`` of each contact (mean for handle_time)."""

    kind: Kind
    operator: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    dims: dict[str, npt.NDArray[Any]]
    chance: dict[str, Floats]
    outcome: dict[str, Floats]
    known: dict[str, Bools]
    planted: dict[str, Bools]
    unfair: Bools
    cell: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        parts = np.stack([np.unique(v, return_inverse=True)[1] for v in self.dims.values()])
        self.cell = np.unique(parts, axis=1, return_inverse=True)[1].reshape(-1)


def make(kind: Kind, seed: int) -> World:
    """The world of ``seed``; the same for the same arguments."""
    rng = np.random.default_rng([seed, len(kind.name), kind.bad])
    n, people = kind.contacts, kind.operators
    operator = rng.choice(people, n, p=rng.dirichlet(np.full(people, 12.0)))
    hardness = np.array([-1.2, -0.9, -0.6, -0.3, 0.0, 0.3, 0.9, 1.4])
    shares = rng.dirichlet(np.full(8, 6.0), people) * np.array([1.2, 1.2, 1.2, 1, 1, 1, 0.5, 0.4])
    unfair = np.arange(people) >= people - kind.unfair
    shares[unfair] = np.array([0.03, 0.03, 0.04, 0.05, 0.05, 0.1, 0.35, 0.35])
    limits = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
    topic = (rng.random(n)[:, None] > limits[operator]).sum(axis=1).clip(max=7)
    evening = rng.random(n) < rng.beta(2, 2, people)[operator]
    repeat, outage, new = rng.random(n) < 0.2, rng.random(n) < 0.05, rng.random(n) < 0.15
    mix = hardness[topic] + 0.25 * evening + 0.4 * repeat + 0.6 * outage + 0.2 * new
    planted = {m: np.zeros(people, dtype=bool) for m in MEASURES}
    shift = {m: rng.normal(0, kind.usual, people) for m in MEASURES}
    shift["handle_time"] /= 3
    for person in range(kind.bad):
        if person < 2:  # rude
            for measure, much in (("low_politeness", 1.5), ("low_service_quality", 0.8)):
                planted[measure][person], shift[measure][person] = True, much
        elif person < 4:  # slow
            planted["handle_time"][person], shift["handle_time"][person] = True, 0.45
        else:  # does not solve
            planted["not_resolved_7d"][person], shift["not_resolved_7d"][person] = True, 1.0
    level = {"not_resolved_7d": -2.0, "low_service_quality": -1.6, "low_politeness": -1.7}
    chance = {m: 1 / (1 + np.exp(-(level[m] + 0.8 * mix + shift[m][operator]))) for m in level}
    chance["handle_time"] = 5.4 + 0.2 * mix + shift["handle_time"][operator]
    rated = rng.random(n) < 0.4
    day = rng.integers(0, DAYS, n)
    # Who is annoyed gives low marks on both questions: the ratings of a contact go together, as they do.
    annoyed = rng.normal(size=n)
    outcome = {
        "not_resolved_7d": (rng.random(n) < chance["not_resolved_7d"]).astype(float),
        "handle_time": np.log(np.maximum(np.round(np.exp(chance["handle_time"] + 0.45 * rng.normal(size=n))), 1)),
    }
    for measure in ("low_service_quality", "low_politeness"):
        mixed = 0.6 * annoyed + 0.8 * rng.normal(size=n)
        outcome[measure] = (_normal_cdf(mixed) < chance[measure]).astype(float)
    dims = {
        "topic_id": topic, "is_repeat": repeat, "has_outage": outage,
        "hour_band": np.where(evening, "evening", "day"), "tenure_band": np.where(new, "new", "old"),
    }  # fmt: skip
    known = {"not_resolved_7d": day >= 7, "handle_time": np.ones(n, bool), "low_service_quality": rated,
             "low_politeness": rated & (rng.random(n) < 0.9)}  # fmt: skip
    return World(kind, operator, day, dims, chance, outcome, known, planted, unfair)


def _normal_cdf(value: Floats) -> Floats:
    from scipy import stats

    return stats.norm.cdf(value)


def truth(world: World, measure: str, days: int) -> dict[str, Floats]:
    """By operator: the true rate with his own contacts, and with the usual case mix; and the pooled one."""
    seen = world.known[measure] & (world.day < days)
    cell, operator, chance = world.cell[seen], world.operator[seen], world.chance[measure][seen]
    usual = (np.bincount(cell, chance) / np.maximum(np.bincount(cell), 1))[cell]
    people = world.kind.operators
    with np.errstate(invalid="ignore", divide="ignore"):
        count = np.bincount(operator, minlength=people)
        own = np.bincount(operator, chance, people) / count
        expected = np.bincount(operator, usual, people) / count
    pooled = float(chance.mean())
    adjusted = pooled + own - expected if measure == "handle_time" else own / expected * pooled
    return {"rate": own, "adjusted": adjusted, "pooled": np.full(people, pooled)}


class Judge:
    """A scratch database with the scorecards' inputs and dbt's compiled SQL."""

    def __init__(self, url: str) -> None:
        self.statements = _compiled(url)
        self.conn = psycopg.connect(url, row_factory=dict_row)
        self.conn.execute("set synchronous_commit = off; set work_mem = '64MB'")
        self._prepare()

    def close(self) -> None:
        """Give the connection back."""
        self.conn.close()

    def _prepare(self) -> None:
        from service_quality import transform

        for schema in ("staging", "intermediate", "candidate"):
            self.conn.execute(f"create schema if not exists {schema}")
        core = yaml.safe_load((transform.PROJECT / "models" / "marts" / "core" / "core.yml").read_text())
        for model in core["models"]:
            columns = ", ".join(f"{c['name']} {c['data_type']}" for c in model["columns"])
            self.conn.execute(f"create unlogged table candidate.{model['name']} ({columns})")
        self.conn.execute(
            "create unlogged table intermediate.int_contact_case_mix (contact_id text, branch_id text,"
            " operator_id text, topic_class text, topic_id text, channel text, hour_band text, tenure_band text,"
            " is_repeat boolean, has_outage boolean, business_day date);"
            "create table intermediate.int_branches (branch_id text, time_zone text, holds_from date, holds_to date)"
        )
        self._seed(transform.PROJECT / "seeds")
        for name in VIEWS:
            self.conn.execute(f"create view intermediate.{name} as {self.statements[name]}")
        self.conn.commit()

    def _seed(self, folder: Any) -> None:
        types = yaml.safe_load((folder / "seeds.yml").read_text())["seeds"]
        columns = next(s for s in types if s["name"] == "scorecard_measures")["config"]["column_types"]
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        self.conn.execute(f"create table staging.scorecard_measures ({typed})")
        with (folder / "scorecard_measures.csv").open(encoding="utf-8") as file:
            rows = [[r[c] for c in columns] for r in csv.DictReader(file)]
        self._copy("staging.scorecard_measures", columns, rows)

    def _copy(self, table: str, columns: Any, rows: Any) -> None:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        statement = f"copy {table} ({', '.join(columns)}) from stdin (format csv)"
        with self.conn.cursor() as cursor, cursor.copy(statement) as to:
            to.write(text.getvalue())

    def scorecard(self, world: World) -> list[dict[str, Any]]:
        """Rows of ``operator_scorecard`` for a world."""
        for table, (columns, rows) in _rows(world).items():
            self.conn.execute(f"truncate {table}")
            self._copy(table, columns, rows)
            self.conn.execute(f"analyze {table}")
        for name in TABLES:
            schema = "candidate" if name.endswith("scorecard") else "intermediate"
            self.conn.execute(f"drop table if exists {schema}.{name}")
            self.conn.execute(f"create unlogged table {schema}.{name} as {self.statements[name]}")
            self.conn.execute(f"analyze {schema}.{name}")
        found = self.conn.execute("select * from candidate.operator_scorecard").fetchall()
        self.conn.commit()
        return found


def _compiled(url: str) -> dict[str, str]:
    """The models' SQL as dbt compiles it for windows that end on AS_OF."""
    from service_quality import transform

    until = datetime.combine(AS_OF + timedelta(days=1), datetime.min.time(), UTC)
    build = {"full_rebuild": True, "as_of_day": AS_OF.isoformat(), "data_until": until.isoformat()}
    outcome = transform.invoke(url, ["compile", "--select", *VIEWS, *TABLES], build)
    if not outcome.success:
        raise RuntimeError(f"the models do not compile: {outcome.exception}")
    return {r.node.name: r.node.compiled_code for r in outcome.result.results}


def _rows(world: World) -> dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    number = range(len(world.operator))
    days = [(AS_OF - timedelta(days=int(d))).isoformat() for d in world.day]
    who = [f"o{o:02}" for o in world.operator]
    d = world.dims
    contacts = list(zip((f"c{i}" for i in number), who, days, strict=True))
    known = world.known["not_resolved_7d"]
    mix = [
        (c, "b", o, "technical", f"t{d['topic_id'][i]}", "phone", d["hour_band"][i], d["tenure_band"][i],
         bool(d["is_repeat"][i]), bool(d["has_outage"][i]), day)
        for i, (c, o, day) in enumerate(contacts)
    ]  # fmt: skip
    repeats = [
        (c, f"s{i}", o, "b", day, bool(world.outcome["not_resolved_7d"][i]) if known[i] else "", day)
        for i, (c, o, day) in enumerate(contacts)
    ]
    ratings = [
        (c, o, "b", criterion, 2 if world.outcome[measure][i] else 5, day)
        for measure, criterion in (("low_service_quality", "service_quality"), ("low_politeness", "politeness"))
        for i, (c, o, day) in enumerate(contacts) if world.known[measure][i]
    ]  # fmt: skip
    visits = [
        (c, c, o, "b", "technical", "answered", day, round(float(np.exp(world.outcome["handle_time"][i]))), False,
         False, False, day)
        for i, (c, o, day) in enumerate(contacts)
    ]  # fmt: skip
    return {
        "intermediate.int_contact_case_mix": (
            ("contact_id", "branch_id", "operator_id", "topic_class", "topic_id", "channel", "hour_band",
             "tenure_band", "is_repeat", "has_outage", "business_day"), mix,
        ),
        "candidate.fct_repeat_contacts": (
            ("contact_id", "subscriber_id", "operator_id", "branch_id", "started_at", "is_repeat_7d", "business_day"),
            repeats,
        ),
        "candidate.fct_ratings": (
            ("contact_id", "operator_id", "branch_id", "criterion", "rating", "business_day"), ratings,
        ),
        "candidate.fct_queue_visits": (
            ("queue_visit_id", "contact_id", "operator_id", "branch_id", "topic_class", "outcome", "entered_at",
             "talk_seconds", "is_zero_talk", "is_talk_suspect", "is_short_abandon", "business_day"), visits,
        ),
    }  # fmt: skip


@dataclass
class Figures:
    """What was found in all worlds of one kind."""

    worlds: int = 0
    flags: int = 0
    true_flags: int = 0
    faults: int = 0
    worlds_with_false_flag: int = 0
    worlds_with_any_verdict: int = 0
    index_flags: int = 0
    index_true: int = 0
    raw_true: int = 0
    raw_flags: int = 0
    unfair_raw: int = 0
    unfair_flags: int = 0
    unfair_rows: int = 0
    places_unreliable: int = 0
    covered: dict[str, list[bool]] = field(default_factory=dict)
    covered_faults: list[bool] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Share of the verdicts 'worse' that hit a planted fault."""
        return self.true_flags / self.flags if self.flags else float("nan")

    @property
    def recall(self) -> float:
        """Share of the planted faults (operator x measure x window) with the verdict 'worse'."""
        return self.true_flags / self.faults if self.faults else float("nan")

    @property
    def raw_precision(self) -> float:
        """The same for naming as many operators by the worst raw rate as there are planted faults."""
        return self.raw_true / self.raw_flags if self.raw_flags else float("nan")

    def coverage(self, what: str) -> float:
        """Share of the 95 % intervals that hold the truth."""
        return float(np.mean(self.covered[what]))

    def told(self) -> str:
        """The figures in lines."""
        lines = [
            f"  verdicts 'worse': {self.flags}, precision {self.precision:.3f}, recall {self.recall:.3f}",
            f"  named by the worst raw rates instead: precision {self.raw_precision:.3f}",
            f"  worlds with a false 'worse': {self.worlds_with_false_flag} of {self.worlds}; with any 'worse' or"
            f" 'better': {self.worlds_with_any_verdict}",
            f"  index 'worse': {self.index_flags}, of them with a planted fault {self.index_true}",
            f"  operators with the hard topics: among the worst tenth by raw rate in {self.unfair_raw} of"
            f" {self.unfair_rows}, 'worse' in {self.unfair_flags}",
        ]
        for what, held in [*self.covered.items(), ("shrunk estimates of planted faults", self.covered_faults)]:
            if held:
                lines.append(f"  95 % intervals hold the truth, {what}: {np.mean(held):.3f} of {len(held)}")
        return "\n".join(lines)


def measure_worlds(judge: Judge, kind: Kind, seeds: range) -> Figures:
    """Judge the worlds of ``seeds`` and compare with their truth."""
    figures = Figures()
    for seed in seeds:
        world = make(kind, seed)
        _compare(world, judge.scorecard(world), figures)
    return figures


def _compare(world: World, rows: list[dict[str, Any]], figures: Figures) -> None:
    card = {(r["measure"], r["window_days"], r["period_no"], int(r["operator_id"][1:])): r for r in rows}
    people, bad = range(world.kind.operators), np.any([world.planted[m] for m in MEASURES], axis=0)
    false = verdicts = 0
    figures.worlds += 1
    figures.places_unreliable += sum(r["place"] is not None and r["reliability"] < 0.7 for r in rows)
    for days, period in WINDOWS:
        true_values = {m: truth(world, m, days) for m in MEASURES}
        for measure in MEASURES:
            real = true_values[measure]
            mine = [card[measure, days, period, o] for o in people]
            worse = np.array([r["verdict"] == "worse" for r in mine])
            fault = world.planted[measure]
            verdicts += sum(r["verdict"] in ("worse", "better") for r in mine)
            false += int((worse & ~fault).sum())
            figures.flags += int(worse.sum())
            figures.true_flags += int((worse & fault).sum())
            figures.faults += int(fault.sum())
            raw = np.array([np.inf if r["place_raw"] is None else r["place_raw"] for r in mine])
            order = np.argsort(np.where(np.isinf(raw), -1, raw))
            named = order[len(order) - int(fault.sum()) :]
            figures.raw_flags += len(named)
            figures.raw_true += int(fault[named].sum())
            worst = set(order[-max(world.kind.operators // 10, 1) :].tolist())
            for person in np.flatnonzero(world.unfair):
                figures.unfair_rows += 1
                figures.unfair_raw += int(person) in worst
                figures.unfair_flags += bool(worse[person])
            for person, row in enumerate(mine):
                if row["denominator"] < 5 or row["eb_low"] is None:
                    continue
                group = "shrunk estimates" if days == 90 else "shrunk estimates, 28 days"
                held = row["eb_low"] <= real["adjusted"][person] <= row["eb_high"]
                figures.covered.setdefault(group, []).append(held)
                if fault[person]:
                    figures.covered_faults.append(held)
                raw_held = row["wilson_low"] <= real["rate"][person] <= row["wilson_high"]
                figures.covered.setdefault("raw rates", []).append(raw_held)
        for person in people:
            row = card["index", days, period, person]
            verdicts += row["verdict"] in ("worse", "better")
            figures.index_flags += row["verdict"] == "worse"
            false += row["verdict"] == "worse" and not bad[person]
            figures.index_true += row["verdict"] == "worse" and bool(bad[person])
            if row["eb_low"] is not None:
                parts = {m: card[m, days, period, person]["index_weight"] for m in MEASURES}
                real_index = 100 - 10 * sum(
                    w * (true_values[m]["adjusted"][person] - true_values[m]["pooled"][person]) / STEPS[m]
                    for m, w in parts.items() if w is not None
                )  # fmt: skip
                figures.covered.setdefault("index", []).append(row["eb_low"] <= real_index <= row["eb_high"])
    figures.worlds_with_false_flag += false > 0
    figures.worlds_with_any_verdict += verdicts > 0


def scratch(server_url: Any, name: str = "benchmark_calibration") -> Iterator[str]:
    """URL of an empty database that is dropped afterwards. ``server_url``: function from database to URL."""
    with psycopg.connect(server_url("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database if exists {name} with (force)")
        conn.execute(f"create database {name}")
    try:
        yield server_url(name)
    finally:
        with psycopg.connect(server_url("postgres"), autocommit=True) as conn:
            conn.execute(f"drop database if exists {name} with (force)")


def main(seeds: int = 40) -> None:
    """Print the figures of all kinds of worlds."""
    from service_quality.local import postgres

    for url in scratch(postgres.start().url):
        judge = Judge(url)
        for kind in (PLANTED, USUAL, NULL):
            print(f"{kind.name}: {seeds} worlds of {kind.operators} operators, {kind.contacts} contacts in {DAYS} days")
            print(measure_worlds(judge, kind, range(seeds)).told(), flush=True)
        judge.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
