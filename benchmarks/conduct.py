"""How often `conduct_review` names the wrong person: simulated call centres, judged by the compiled SQL of the models.

``python -m benchmarks.conduct URL [WORLDS]`` on an empty database prints the figures and the rows of the seed
``conduct_calibration``. A world has 60 operators over two periods of 28 days. Operators differ by nature (talk, manner,
rings, replies), some get the hard topics, one listener is harsh to everybody, another is hostile to one operator.
Two are rude and two are slow, mildly to plainly; in the null world nobody is.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
from psycopg import sql
from service_quality import transform

AS_OF = date(2026, 3, 29)
FIRST = AS_OF - timedelta(days=55)
MODELS = (
    "int_conduct_complaints", "int_operator_rings", "int_rudeness_items", "int_slowness_items", "int_conduct_judged",
    "int_conduct_signal_scores", "int_conduct_correlations", "int_conduct_together", "int_conduct_scores",
    "int_conduct_both_periods", "int_conduct_decisions",
)  # fmt: skip

# What the models read, as far as they read it: (schema, table) -> column types.
INPUTS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("candidate", "fct_contacts"): {
        "contact_id": "text", "contact_kind": "text", "outcome": "text", "first_operator_id": "text",
        "operators": "bigint", "ended_at": "timestamptz", "wait_seconds": "bigint", "business_day": "date",
    },
    ("intermediate", "int_contact_case_mix"): {
        "contact_id": "text", "topic_id": "text", "topic_class": "text", "tenure_band": "text", "is_repeat": "boolean",
        "has_outage": "boolean", "business_day": "date",
    },
    ("candidate", "fct_queue_visits"): {
        "queue_visit_id": "text", "contact_id": "text", "operator_id": "text", "branch_id": "text", "server_id": "text",
        "queue": "text", "outcome": "text", "topic_class": "text", "answered_at": "timestamptz",
        "ended_at": "timestamptz", "talk_seconds": "bigint", "is_zero_talk": "boolean", "is_talk_suspect": "boolean",
        "transfer_kind": "text", "business_day": "date",
    },
    ("candidate", "fct_ring_no_answers"): {
        "ring_no_answer_id": "text", "queue_visit_id": "text", "operator_id": "text", "branch_id": "text",
        "server_id": "text", "queue": "text", "rang_ms": "bigint", "rang_at": "timestamptz", "business_day": "date",
    },
    ("candidate", "fct_tickets"): {
        "ticket_id": "text", "contact_id": "text", "topic_id": "text", "kind": "text", "channel": "text",
        "priority": "text", "operator_id": "text", "opened_at": "timestamptz",
        "first_reply_business_minutes": "double precision", "solution_business_minutes": "double precision",
        "business_day": "date",
    },
    ("candidate", "fct_ratings"): {
        "rating_id": "text", "contact_id": "text", "operator_id": "text", "criterion": "text", "rating": "bigint",
        "business_day": "date",
    },
    ("candidate", "fct_evaluations"): {
        "evaluation_id": "text", "contact_id": "text", "operator_id": "text", "evaluator_id": "text",
        "topic_class": "text", "tone": "text", "is_rude": "boolean", "fatal_customer": "bigint",
        "score_raw": "double precision", "business_day": "date",
    },
    ("intermediate", "int_operator_idle_daily"): {
        "operator_id": "text", "server_id": "text", "queue": "text", "hour_band": "text", "team_band": "text",
        "load_band": "text", "gaps": "bigint", "idle_seconds": "numeric", "idle_seconds_squared": "numeric",
        "longest_seconds": "numeric", "business_day": "date",
    },
    ("intermediate", "int_branches"): {
        "branch_id": "text", "time_zone": "text", "holds_from": "date", "holds_to": "date",
    },
}  # fmt: skip

# Topic: class, share of contacts, median seconds of talk, chance to be solved, points off the rating.
TOPICS = (
    ("technical", 0.18, 300, 0.66, 0.0), ("technical", 0.12, 330, 0.64, 0.0), ("technical", 0.10, 390, 0.84, 0.0),
    ("technical", 0.06, 270, 0.45, 0.9), ("technical", 0.06, 450, 0.38, 0.9), ("client_service", 0.14, 210, 0.90, 0.0),
    ("client_service", 0.09, 220, 0.85, 0.0), ("client_service", 0.04, 360, 0.45, 0.9),
    ("marketing", 0.12, 250, 0.93, 0.0), ("marketing", 0.09, 180, 0.95, 0.0),
)  # fmt: skip
HARD = np.array([t[4] > 0 for t in TOPICS])
LISTENERS = 5


@dataclass
class World:
    """Input tables of a world, and who is rude or slow in it, by aspect."""

    tables: dict[tuple[str, str], dict[str, Any]]
    planted: dict[str, set[str]]
    traps: dict[str, str] = field(default_factory=dict)


@dataclass
class Outcome:
    """Names listed, wrongly listed, planted and found in all worlds, of one aspect.

    ``trapped``: wrong names of people with hard topics or a hostile listener; ``raw_names``, ``raw_wrong``: of a
    ranking by unadjusted figures.
    """

    worlds: int = 0
    names: int = 0
    wrong: int = 0
    planted: int = 0
    found: int = 0
    trapped: int = 0
    raw_names: int = 0
    raw_wrong: int = 0

    @property
    def precision(self) -> float:
        """Right names of all names; 1 where nobody was named."""
        return 1 - self.wrong / self.names if self.names else 1.0

    @property
    def recall(self) -> float:
        """Planted people who were named."""
        return self.found / self.planted if self.planted else 1.0


def simulate(seed: int, is_null: bool = False, operators: int = 60, contacts: int = 190) -> World:
    """A world with its `seed`; ``contacts``: answered calls of an operator in a period, on average."""
    rng = np.random.default_rng([4711, seed, int(is_null)])
    ids = np.array([f"o{i:02}" for i in range(operators)])
    manner, pace = rng.normal(0, 0.12, operators), rng.normal(0, 0.08, operators)
    missed = 0.035 * np.exp(rng.normal(0, 0.15, operators))
    late = 0.06 * np.exp(rng.normal(0, 0.15, operators))
    idle = 8.0 * np.exp(rng.normal(0, 0.12, operators))
    chosen = rng.permutation(operators)
    planted: dict[str, set[str]] = {"rudeness": set(), "slowness": set()}
    if not is_null:
        for one in chosen[:2]:
            manner[one] = -rng.uniform(0.8, 1.9)
            planted["rudeness"].add(str(ids[one]))
        for one in chosen[2:4]:
            _slow(rng, int(one), pace, missed, late, idle)
            planted["slowness"].add(str(ids[one]))
    experts, hated = chosen[4:7], int(chosen[7])
    rudeness = np.clip(-manner - 0.4, 0, None)

    load = contacts * np.exp(rng.normal(0, 0.25, operators))
    load[chosen[8]] = contacts / 8  # somebody new
    calls = rng.poisson(np.concatenate([load, load]))
    who = np.repeat(np.concatenate([np.arange(operators)] * 2), calls)
    period = np.repeat(np.repeat([1, 0], operators), calls)
    n = len(who)
    topic = _topics(rng, who, experts, n)
    day = (1 - period) * 28 + rng.integers(0, 28, n)
    call = _calls(rng, who, topic, pace, n)
    tables = {
        **_call_tables(ids, who, topic, day, call),
        ("candidate", "fct_ratings"): _ratings(rng, ids, who, topic, day, call, manner),
        ("candidate", "fct_evaluations"): _evaluations(rng, ids, who, topic, day, rudeness, hated),
        ("candidate", "fct_tickets"): _tickets(rng, ids, who, day, call, rudeness, late),
        ("candidate", "fct_ring_no_answers"): _rings(rng, ids, who, topic, day, missed),
        ("intermediate", "int_operator_idle_daily"): _idle(rng, ids, who, day, idle),
        ("intermediate", "int_branches"): {"branch_id": ["b"], "time_zone": ["UTC"], "holds_from": [None],
                                           "holds_to": [None]},
    }  # fmt: skip
    traps = {"hated": str(ids[hated]), "experts": " ".join(ids[experts])}
    return World(tables, planted, traps)


def _slow(rng: np.random.Generator, one: int, pace: Any, missed: Any, late: Any, idle: Any) -> None:
    """Slow in one of the ways people are slow."""
    kind = rng.choice(["talk", "rings", "replies", "idle"], p=[0.55, 0.15, 0.15, 0.15])
    if kind == "talk":
        pace[one] = np.log(rng.uniform(1.4, 1.8))
    elif kind == "rings":
        missed[one] = rng.uniform(0.12, 0.2)
    elif kind == "replies":
        late[one] = rng.uniform(0.25, 0.4)
    else:
        idle[one] = rng.uniform(20, 30)


def _topics(rng: np.random.Generator, who: Any, experts: Any, n: int) -> Any:
    """Experts get hard topics in four calls of five."""
    shares = np.array([t[1] for t in TOPICS])
    topic = rng.choice(len(TOPICS), n, p=shares / shares.sum())
    hard = rng.choice(np.flatnonzero(HARD), n)
    return np.where(np.isin(who, experts) & (rng.random(n) < 0.8), hard, topic)


def _calls(rng: np.random.Generator, who: Any, topic: Any, pace: Any, n: int) -> dict[str, Any]:
    median, solve = np.array([t[2] for t in TOPICS]), np.array([t[3] for t in TOPICS])
    repeat = rng.random(n) < 0.16
    return {
        "id": np.array([f"c{i:06}" for i in range(n)]),
        "second": 8 * 3600 + rng.integers(0, 12 * 3600, n),
        "talk": np.clip(median[topic] * np.exp(pace[who] + 0.1 * repeat + rng.normal(0, 0.5, n)), 10, 3500).astype(int),
        "repeat": repeat,
        "wait": rng.exponential(25, n).astype(int),
        "solved": rng.random(n) < solve[topic] - 0.1 * repeat,
    }


def _call_tables(ids: Any, who: Any, topic: Any, day: Any, call: dict[str, Any]) -> dict[tuple[str, str], Any]:
    n, days = len(who), _days(day)
    classes = np.array([t[0] for t in TOPICS])[topic]
    ended = _instants(day, call["second"] + call["talk"])
    return {
        ("candidate", "fct_contacts"): {
            "contact_id": call["id"], "contact_kind": ["call"] * n, "outcome": ["answered"] * n,
            "first_operator_id": ids[who], "operators": [1] * n, "ended_at": ended, "wait_seconds": call["wait"],
            "business_day": days,
        },
        ("intermediate", "int_contact_case_mix"): {
            "contact_id": call["id"], "topic_id": np.char.add("t", topic.astype(str)), "topic_class": classes,
            "tenure_band": ["settled"] * n, "is_repeat": call["repeat"], "has_outage": [False] * n,
            "business_day": days,
        },
        ("candidate", "fct_queue_visits"): {
            "queue_visit_id": np.char.add("v", call["id"]), "contact_id": call["id"], "operator_id": ids[who],
            "branch_id": ["b"] * n, "server_id": ["s"] * n, "queue": classes, "outcome": ["answered"] * n,
            "topic_class": classes,
            "answered_at": _instants(day, call["second"]), "ended_at": ended, "talk_seconds": call["talk"],
            "is_zero_talk": [False] * n, "is_talk_suspect": [False] * n, "transfer_kind": [None] * n,
            "business_day": days,
        },
    }  # fmt: skip


def _ratings(
    rng: np.random.Generator, ids: Any, who: Any, topic: Any, day: Any, call: dict[str, Any], manner: Any
) -> dict[str, Any]:
    asked = np.flatnonzero(rng.random(len(who)) < 0.33)
    feeling = (
        np.where(call["solved"], 4.85, 3.8) - np.array([t[4] for t in TOPICS])[topic]
        - 0.3 * (call["wait"] > 60) + manner[who]
    )[asked]  # fmt: skip
    rating = np.clip(np.round(feeling + rng.normal(0, 0.75, len(asked))), 1, 5).astype(int)
    n = len(asked)
    return {
        "rating_id": np.char.add("r", call["id"][asked]), "contact_id": call["id"][asked],
        "operator_id": ids[who[asked]], "criterion": ["politeness"] * n, "rating": rating,
        "business_day": _days(day[asked]),
    }  # fmt: skip


def _evaluations(
    rng: np.random.Generator, ids: Any, who: Any, topic: Any, day: Any, rudeness: Any, hated: int
) -> dict[str, Any]:
    """About 15 calls heard of everybody; some by three. L0 is harsh to all, L1 hears rudeness in one person only."""
    heard = np.flatnonzero(rng.random(len(who)) < 0.08)
    heard = np.concatenate([heard, np.repeat(heard[rng.random(len(heard)) < 0.08], 2)])
    listener = rng.integers(0, LISTENERS, len(heard))
    operator, n = who[heard], len(heard)
    hostile = (listener == 1) & (operator == hated)
    harsh = listener == 0
    drawn = rng.random(n)
    p_rude = np.where(hostile, 0.7, 0.004 + 0.22 * rudeness[operator] + 0.04 * harsh)
    p_cold = 0.07 + 0.25 * rudeness[operator] + 0.25 * harsh
    tone = np.where(drawn < p_rude, "rude", np.where(drawn < p_rude + p_cold, "cold", "neutral"))
    fatal = rng.random(n) < np.where(hostile, 0.4, 0.004 + 0.08 * rudeness[operator] + 0.02 * harsh)
    return {
        "evaluation_id": [f"e{i:06}" for i in range(n)], "contact_id": [f"c{i:06}" for i in heard],
        "operator_id": ids[operator], "evaluator_id": np.char.add("L", listener.astype(str)),
        "topic_class": np.array([t[0] for t in TOPICS])[topic[heard]], "tone": tone, "is_rude": tone == "rude",
        "fatal_customer": fatal.astype(int), "score_raw": [90.0] * n, "business_day": _days(day[heard]),
    }  # fmt: skip


def _tickets(
    rng: np.random.Generator, ids: Any, who: Any, day: Any, call: dict[str, Any], rudeness: Any, late: Any
) -> dict[str, Any]:
    """Tickets opened in the call, and complaints after it."""
    n = len(who)
    opened = np.flatnonzero(rng.random(n) < 0.35)
    upset = np.flatnonzero(rng.random(n) < 0.002 + 0.03 * rudeness[who])
    both = np.concatenate([opened, upset])
    kinds = np.array(["fault"] * len(opened) + ["complaint"] * len(upset))
    is_late = rng.random(len(both)) < late[who[both]]
    minutes = np.where(is_late, 300.0, 90.0)
    seconds = call["second"][both] + np.where(kinds == "complaint", call["talk"][both] + 3600, 30)
    return {
        "ticket_id": [f"k{i:06}" for i in range(len(both))], "contact_id": call["id"][both],
        "topic_id": ["t"] * len(both), "kind": kinds, "channel": ["phone"] * len(both),
        "priority": ["normal"] * len(both), "operator_id": np.where(kinds == "complaint", None, ids[who[both]]),
        "opened_at": _instants(day[both], seconds), "first_reply_business_minutes": minutes,
        "solution_business_minutes": minutes + 60, "business_day": _days(day[both]),
    }  # fmt: skip


def _rings(rng: np.random.Generator, ids: Any, who: Any, topic: Any, day: Any, missed: Any) -> dict[str, Any]:
    lost = np.flatnonzero(rng.random(len(who)) < missed[who] / (1 - missed[who]))
    n = len(lost)
    return {
        "ring_no_answer_id": [f"n{i:06}" for i in range(n)], "queue_visit_id": [None] * n,
        "operator_id": ids[who[lost]], "branch_id": ["b"] * n, "server_id": ["s"] * n,
        "queue": np.array([t[0] for t in TOPICS])[topic[lost]], "rang_ms": [15000] * n,
        "rang_at": _instants(day[lost], 8 * 3600 + rng.integers(0, 12 * 3600, n)), "business_day": _days(day[lost]),
    }  # fmt: skip


def _idle(rng: np.random.Generator, ids: Any, who: Any, day: Any, idle: Any) -> dict[str, Any]:
    """Free after a call while somebody waits: mostly nothing, sometimes long; by operator and day."""
    waits = rng.random(len(who)) < 0.12
    seconds = np.round(np.where(waits, rng.exponential(idle[who] / 0.12), 0), 3)
    key = who * 100 + day
    found, place = np.unique(key, return_inverse=True)
    sums = {w: np.bincount(place, weights=seconds**p) for w, p in (("sum", 1), ("squares", 2))}
    n = len(found)
    return {
        "operator_id": ids[found // 100], "server_id": ["s"] * n, "queue": ["q"] * n, "hour_band": ["day"] * n,
        "team_band": ["4+"] * n, "load_band": ["below 10"] * n, "gaps": np.bincount(place),
        "idle_seconds": sums["sum"].round(3), "idle_seconds_squared": sums["squares"].round(3),
        "longest_seconds": sums["sum"].round(3), "business_day": _days(found % 100),
    }  # fmt: skip


def _days(day: Any) -> list[date]:
    return [FIRST + timedelta(days=int(d)) for d in day]


def _instants(day: Any, second: Any) -> list[str]:
    start = np.datetime64(datetime(FIRST.year, FIRST.month, FIRST.day), "s")
    at = start + (np.asarray(day) * 86400 + np.asarray(second)).astype("timedelta64[s]")
    return [f"{a}Z" for a in np.datetime_as_string(at)]


class Bench:
    """A scratch database with the models' SQL, compiled once."""

    def __init__(self, url: str) -> None:
        """``url``: an empty database; its schemas candidate and intermediate are made."""
        self.url = url
        self.statements = compiled(url)
        with psycopg.connect(url) as conn:
            for schema in ("candidate", "intermediate"):
                conn.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
            for name, columns in INPUTS.items():
                typed = sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(t)) for c, t in columns.items()
                )
                conn.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(*name)))
                conn.execute(sql.SQL("create unlogged table {} ({})").format(sql.Identifier(*name), typed))

    def judge(self, world: World) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """(operator_id, aspect, state ...) of everybody, and the worst by unadjusted figures in both periods."""
        with psycopg.connect(self.url, row_factory=psycopg.rows.dict_row) as conn:
            for name, columns in world.tables.items():
                _fill(conn, name, columns)
            for model, statement in self.statements.items():
                table = sql.Identifier("intermediate", model)
                conn.execute(sql.SQL("drop table if exists {}").format(table))
                conn.execute(sql.SQL("create unlogged table {} as ").format(table) + sql.SQL(statement))
                conn.execute(sql.SQL("analyze {}").format(table))
            decided = conn.execute("select * from intermediate.int_conduct_decisions").fetchall()
            raw = conn.execute(_WORST_BY_RAW_FIGURES).fetchall()
        return decided, raw


# What people do without adjustment: the two worst of the unadjusted ranking, in both periods.
_WORST_BY_RAW_FIGURES = """
select operator_id, aspect from (
    select operator_id, aspect, period,
        rank() over (partition by signal, period order by x / n desc) as place
    from intermediate.int_conduct_judged
    where signal in ('low_politeness', 'handle_time')
) as ranked
where place <= 2 group by operator_id, aspect having count(*) = 2
"""


def compiled(url: str) -> dict[str, str]:
    """SQL of the models that make the list, in the order they run, for the as-of day of the worlds."""
    build = {"as_of_day": AS_OF.isoformat(), "full_rebuild": True, "touched_days": [],
             "data_until": datetime(AS_OF.year, AS_OF.month, AS_OF.day, 21, tzinfo=UTC).isoformat()}  # fmt: skip
    outcome = transform.invoke(url, ["compile", "--select", *MODELS], build)
    if not outcome.success:
        raise RuntimeError(f"the models could not be compiled: {outcome.exception}")
    code = {r.node.name: r.node.compiled_code for r in outcome.result.results}
    return {name: code[name] for name in MODELS}


def _fill(conn: psycopg.Connection[Any], name: tuple[str, str], columns: dict[str, Any]) -> None:
    table = pa.table({c: pa.array(list(v)) for c, v in columns.items()})
    buffer = io.BytesIO()
    pa_csv.write_csv(table, buffer, pa_csv.WriteOptions(include_header=False))
    conn.execute(sql.SQL("truncate {}").format(sql.Identifier(*name)))
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with conn.cursor().copy(
        sql.SQL("copy {} ({}) from stdin (format csv)").format(sql.Identifier(*name), names)
    ) as copy:
        copy.write(buffer.getvalue())
    conn.execute(sql.SQL("analyze {}").format(sql.Identifier(*name)))


def measure(bench: Bench, seeds: Sequence[int], is_null: bool = False) -> dict[str, Outcome]:
    """Judge the worlds of ``seeds``; by aspect."""
    found = {"rudeness": Outcome(), "slowness": Outcome()}
    for seed in seeds:
        world = simulate(seed, is_null)
        decided, raw = bench.judge(world)
        for aspect, outcome in found.items():
            named = {r["operator_id"] for r in decided if r["aspect"] == aspect and r["state"] == "review"}
            worst = {r["operator_id"] for r in raw if r["aspect"] == aspect}
            planted = world.planted[aspect]
            outcome.worlds += 1
            outcome.names += len(named)
            outcome.wrong += len(named - planted)
            outcome.trapped += len(named & set(" ".join(world.traps.values()).split()) - planted)
            outcome.planted += len(planted)
            outcome.found += len(named & planted)
            outcome.raw_names += len(worst)
            outcome.raw_wrong += len(worst - planted)
    return found


def wilson_high(x: int, n: int) -> float:
    """Upper end of Wilson's 95 % interval of x of n; 1 for n = 0."""
    if n == 0:
        return 1.0
    z, p = 1.959964, x / n
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return float(min((p + z * z / (2 * n) + half) / (1 + z * z / n), 1))


def told(found: Mapping[str, Outcome], null: Mapping[str, Outcome]) -> str:
    """The figures as text, and the rows of the seed."""
    lines = []
    for aspect, one in found.items():
        empty = null[aspect]
        lines.append(
            f"{aspect}: {one.worlds} worlds, {one.names} names, {one.wrong} wrong (precision {one.precision:.3f}),"
            f" {one.found} of {one.planted} planted found (recall {one.recall:.3f}); null world: {empty.names} names"
            f" in {empty.worlds} worlds; ranking by raw figures: {one.raw_wrong} of {one.raw_names} names wrong"
        )
    lines.append("aspect,worlds,names,wrong_names,wrong_share,wrong_share_high,found_share,source")
    for aspect, one in found.items():
        share, empty = one.wrong / one.names if one.names else 0, null[aspect]
        source = (
            f"benchmarks/conduct.py: {one.worlds} simulated call centres of 60 operators of whom two are"
            f" {'rude' if aspect == 'rudeness' else 'slow'}; where nobody is"
            f" {empty.names} names in {empty.worlds} lists"
        )
        lines.append(
            f"{aspect},{one.worlds},{one.names},{one.wrong},{share:.4f},{wilson_high(one.wrong, one.names):.4f},"
            f"{one.recall:.4f},{source}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """``URL [WORLDS]``."""
    bench = Bench(arguments[0])
    worlds = int(arguments[1]) if len(arguments) > 1 else 100
    print(told(measure(bench, range(worlds)), measure(bench, range(worlds // 2), is_null=True)))


if __name__ == "__main__":
    main(sys.argv[1:])
