"""The demo's last page: what the marts find, beside what was planted in the simulated provider. Reads marts only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from service_quality.cli import print_rows
from service_quality.ops import Conn

Row = dict[str, Any]

LISTED = 5  # places of a raw ranking that are shown
SURGES = 6
CALLS = 6

# What a list sorted by one figure says beside what is said once topics and chance are taken out. Who was planted or is
# proposed is shown wherever the raw list has them.
RANKING = """
with raw as (
    select operator_id, sum({total}) as total, sum({number}) as number,
        cast(sum({total}) as numeric) / nullif(sum({number}), 0) as figure
    from marts.operator_quality_daily
    group by operator_id having sum({number}) >= 20
),
placed as (select *, rank() over (order by figure {direction}) as raw_place from raw),
names as (select operator_id, max(operator_name) as operator_name from marts.dim_operator group by operator_id)
select placed.raw_place, placed.operator_id as operator, names.operator_name as name,
    round(placed.figure, {digits}) as {heading}, placed.number as {counted},
    case when card.denominator is not null
        then round(cast({seen} as numeric), {digits}) || ' / ' || round(cast({expected} as numeric), {digits})
    end as "{judged}",
    coalesce(card.verdict, 'not judged') as scorecard, coalesce(review.state, '-') as conduct_review,
    case when review.has_harder_case_mix then 'yes' else '' end as harder_calls
from placed
left join names on placed.operator_id = names.operator_id
left join marts.operator_scorecard as card
    on placed.operator_id = card.operator_id and card.measure = '{measure}' and card.window_days = 90
    and card.period_no = 0
left join marts.conduct_review as review on placed.operator_id = review.operator_id and review.aspect = '{aspect}'
where placed.raw_place <= {listed} or placed.operator_id = any(%(planted)s) or review.state in ('review', 'watch')
order by placed.raw_place, placed.operator_id
"""
RUDENESS = {
    "total": "rating_politeness_sum", "number": "rating_politeness_answered", "direction": "asc", "digits": 2,
    "heading": "politeness", "counted": "ratings", "measure": "low_politeness", "aspect": "rudeness",
    "judged": "rated 1-3 / expected", "seen": "card.rate", "expected": "card.expected / card.denominator",
}  # fmt: skip
SLOWNESS = {
    "total": "talk_seconds_sum", "number": "talk_seconds_count", "direction": "desc", "digits": 0,
    "heading": "talk_s", "counted": "calls", "measure": "handle_time", "aspect": "slowness",
    "judged": "typical_s / expected", "seen": "exp(card.rate)", "expected": "exp(card.expected / card.denominator)",
}  # fmt: skip

_SMALL = "case when {0} < 0.0001 then '< 0.0001' else cast(round(cast({0} as numeric), 4) as text) end"
FOUND_SURGES = f"""
select branch_id as branch, topic_id as topic, surge_start as start, count(*) as days,
    sum(contacts) as contacts, round(cast(sum(expected) as numeric), 1) as expected,
    {_SMALL.format("min(q_value)")} as smallest_q, string_agg(distinct detected_by, ', ') as detected_by,
    string_agg(distinct verdict, ', ') as verdict
from marts.topic_surges
where surge_id is not null
group by branch_id, topic_id, surge_start, surge_id
order by sum(contacts) - sum(expected) desc, surge_id
"""
LISTENERS = f"""
select evaluator_id as listener, evaluations, round(cast(score_raw_mean as numeric), 1) as mean_score, calls_shared,
    round(cast(bias as numeric), 1) as bias, round(cast(bias_low as numeric), 1) as low,
    round(cast(bias_high as numeric), 1) as high, {_SMALL.format("q_value")} as q, verdict
from marts.calibration_listeners order by bias, listener
"""
CONNECTIONS = """
select to_char(month_start, 'YYYY-MM') as month,
    case when branch_id = %(branch)s then branch_id else 'the others' end as branch,
    sum(numerator) || ' of ' || sum(denominator) as on_promise,
    round(cast(sum(numerator) as numeric) / nullif(sum(denominator), 0), 3) as share,
    round(cast(max(rate_low) filter (where branch_id = %(branch)s) as numeric), 3) as low,
    round(cast(max(rate_high) filter (where branch_id = %(branch)s) as numeric), 3) as high,
    round(cast(max(fastest_95) as numeric), 1) as slowest_95_days
from marts.service_clocks
where clock = 'supply_time' and technology = 'all' and branch_id <> 'all' and status = 'followed'
group by 1, 2 order by 1, 2
"""
CALLBACKS = """
select calls.branch_id as branch,
    count(*) filter (where is_line and calls.reached_at is not null) as lines_called,
    round(avg(calls.satisfaction) filter (where is_line), 2) as satisfaction,
    count(*) filter (where is_line and not calls.is_solved) as not_solved,
    count(*) filter (where is_owed_then) as owed,
    round(cast(count(*) filter (where is_owed_then and calls.is_on_time) as numeric)
        / nullif(count(*) filter (where is_owed_then and calls.is_on_time is not null), 0), 3) as on_time
from (
    select calls.*, calls.business_day between %(owed_from)s and %(owed_to)s as is_owed_then,
        calls.reason = 'new_connection' and orders.promised_on between %(promised_from)s and %(promised_to)s as is_line
    from marts.callbacks as calls
    left join marts.fct_connections as orders on calls.connection_id = orders.connection_id
) as calls
group by calls.branch_id order by calls.branch_id
"""
WORKLIST = """
select place, priority, is_overdue as overdue, reason, subscriber_id as subscriber, owed_together as owed,
    risk_signs as signs, branch_id as branch, topic_id as topic, due_at as due, attempts as tried, last_outcome as last
from marts.worklist_callbacks order by place limit {calls}
"""


def print_findings(conn: Conn, home: Path) -> None:
    """Print fair judgement beside raw rankings, surges, listeners, connections and call-backs to make.

    ``home``: the simulated provider's folder, for what was planted (``truth/planted.json``).
    """
    planted = json.loads((home / "truth" / "planted.json").read_text(encoding="utf-8"))
    print("\n=== What was planted, and what the marts say (column planted: the truth, unknown to the marts) ===")
    _ranking(conn, planted, RUDENESS, "Sorted by mean politeness, lowest first, as a list without judgement would be", {
        **dict.fromkeys(planted["rude_operators"], "rude"),
        planted["unfair_looking_operator"]["operator_id"]: "only takes hard topics",
    })  # fmt: skip
    _ranking(conn, planted, SLOWNESS, "Sorted by mean time of talk, longest first",
             dict.fromkeys(planted["slow_operators"], "slow"))  # fmt: skip
    print("  A review means: listen to these calls together. Nothing here decides about a person.")
    _surges(conn, planted["topic_surge"])
    _marked(conn, "Listeners against colleagues on the same calls, points of 100 (negative is harsh)", LISTENERS,
            "listener", {planted["biased_listener"]: "biased"})  # fmt: skip
    _connections(conn, planted["late_connections"], planted["neglected_callbacks"])
    total = _count(conn, "select count(*) as n from marts.worklist_callbacks")
    print_rows(f"Call first this morning ({CALLS} of {total})", _rows(conn, WORKLIST.format(calls=CALLS)))


def _ranking(conn: Conn, planted: Row, what: Row, title: str, names: Mapping[str, str]) -> None:
    text = RANKING.format(**what, listed=LISTED)
    print_rows(title, _with_planted(_rows(conn, text, {"planted": list(names)}), "operator", names))


def _surges(conn: Conn, surge: Row) -> None:
    found = _rows(conn, FOUND_SURGES)
    for row in found:
        is_it = (row["branch"], row["topic"]) == (surge["branch_id"], surge["topic_id"])
        first, last = row["start"], row["start"] + timedelta(days=row["days"] - 1)
        overlaps = first <= date.fromisoformat(surge["last_day"]) and last >= date.fromisoformat(surge["first_day"])
        row["planted"] = f"{surge['times']:g} times until {surge['last_day']}" if is_it and overlaps else ""
    shown = [row for number, row in enumerate(found) if number < SURGES or row["planted"]]
    print_rows(f"Surges found, largest excess first ({len(shown)} of {len(found)})", shown)


def _connections(conn: Conn, late: Row, neglected: Row) -> None:
    title = (
        f"Lines connected by the promised day (planted: {late['branch_id']} late with {late['late_share']:.0%} of what"
        f" was promised for {late['promised_from']} .. {late['promised_to']})"
    )
    print_rows(title, _rows(conn, CONNECTIONS, {"branch": late["branch_id"]}))
    names = {
        late["branch_id"]: "connects late",
        neglected["branch_id"]: f"{neglected['called_share']:.0%} of the calls made",
    }
    spans = {k: date.fromisoformat(v) for k, v in {**late, **neglected}.items() if k.endswith(("_from", "_to"))}
    title = (
        f"What call-backs heard about those lines, and of all owed {neglected['owed_from']} .. {neglected['owed_to']}"
        " how many came in time"
    )
    _marked(conn, title, CALLBACKS, "branch", names, spans)


def _marked(conn: Conn, title: str, text: str, key: str, names: Mapping[str, str], values: Row | None = None) -> None:
    print_rows(title, _with_planted(_rows(conn, text, values), key, names))


def _with_planted(rows: list[Row], key: str, names: Mapping[str, str]) -> list[Row]:
    return [{**row, "planted": names.get(row[key], "")} for row in rows]


def _rows(conn: Conn, text: str, values: Row | None = None) -> list[Row]:
    return conn.execute(text, values).fetchall()


def _count(conn: Conn, text: str) -> int:
    return int(_rows(conn, text)[0]["n"])
