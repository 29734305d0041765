"""Writes the configuration that models need into ``ops.setting_*`` and names the scalars for dbt."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from psycopg import sql

from service_quality.config import Agents, BusinessHours, Holiday, Settings
from service_quality.contract import TABLES
from service_quality.ops import Conn

ANY = "*"


def fingerprint(settings: Settings, project: Path) -> str:
    """Hash of everything that shapes published numbers: the settings, the files of the dbt project, the analyses.

    When it differs from that of the last published build, every day is built again: marts never mix days
    that were computed by different definitions.
    """
    digest = hashlib.sha256(json.dumps(settings.model_dump(mode="json"), sort_keys=True).encode())
    for folder in ("models", "macros", "seeds"):
        for path in sorted((project / folder).rglob("*")):
            if path.suffix in (".sql", ".csv"):
                digest.update(path.relative_to(project).as_posix().encode() + path.read_bytes())
    for path in sorted((Path(__file__).parent / "analyses").glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def sync(conn: Conn, settings: Settings, crm_tables: Iterable[str], load_ids: Sequence[int], full: bool) -> None:
    """Bring ``ops.setting_*`` in line with ``settings``.

    ``crm_tables``: the canonical CRM tables this provider has. ``load_ids``: loads whose agent names are new;
    with ``full`` the names of all loads are read again.
    """
    provider = settings.provider
    _replace(conn, "setting_sources", _source_rows(settings, set(crm_tables)))
    _replace(
        conn, "setting_branches",
        [(b.branch_id, b.branch_name, b.region, b.time_zone) for b in settings.branches],
    )  # fmt: skip
    hours = {ANY: provider.business_hours} | {
        b.branch_id: b.business_hours for b in settings.branches if b.business_hours is not None
    }
    _replace(conn, "setting_hours", [row for b, h in hours.items() for row in _hour_rows(b, h)])
    _replace(conn, "setting_holidays", sorted({_holiday_row(h) for h in provider.holidays}))
    _replace(conn, "setting_queues", _queue_rows(settings))
    _sync_aliases(conn, settings.agents, load_ids, full)


def scalars(settings: Settings) -> dict[str, Any]:
    """The single values among the settings, as dbt variables."""
    provider = settings.provider
    drops = settings.ivr.drops if settings.ivr else []
    listening = settings.listening
    cdrs = [s.cdr for s in settings.telephony.servers if s.cdr] if settings.telephony else []
    return {
        "default_branch_id": provider.default_branch_id,
        "default_time_zone": provider.time_zone,
        "service_level_seconds": provider.thresholds.service_level_seconds,
        "short_abandon_seconds": provider.thresholds.short_abandon_seconds,
        "talk_suspect_seconds": provider.thresholds.talk_suspect_seconds,
        "rating_criteria": sorted({c for d in drops for c in d.questions.values()}),
        "rating_match_minutes": provider.thresholds.rating_match_minutes,
        "turned_away_userfield": "|".join(f"({p})" for p in sorted({c.turned_away_userfield for c in cdrs})),
        "turned_away_apps": sorted({a for c in cdrs for a in c.turned_away_apps}),
        **{f"callback_due_hours_{r}": h for r, h in settings.callbacks.due_hours.model_dump().items()},
        "callback_expires_days": settings.callbacks.expires_days,
        "callback_low_rating": settings.callbacks.low_rating,
        "callback_max_attempts": settings.callbacks.max_attempts,
        "inbound_contexts": sorted({x for c in cdrs for x in c.inbound_contexts}),
        "listening_calls_per_day": listening.calls_per_day,
        "listening_targeted_per_day": listening.targeted_per_day,
        "listening_seed": listening.seed,
        "listening_floor": listening.floor_per_operator_month,
        "listening_floor_days": listening.floor_days,
        "listening_least_talk_seconds": listening.least_talk_seconds,
        "listening_long_talk_seconds": list(listening.long_talk_seconds),
        "listening_default_sd": listening.default_sd,
        "listening_margin_points": listening.margin_points,
        "listening_bias_points": listening.bias_points,
        "listening_plan_from": listening.plan_from.isoformat() if listening.plan_from else "",
        "conduct_complaint_kinds": sorted(set(settings.conduct.complaint_kinds)),
        "conduct_complaint_topics": sorted(set(settings.conduct.complaint_topics)),
        "conduct_complaint_days": settings.conduct.complaint_days,
        "conduct_late_reply_minutes": settings.conduct.late_reply_minutes,
    }


def _source_rows(settings: Settings, crm_tables: set[str]) -> list[tuple[Any, ...]]:
    def configured(name: str, source: str) -> bool:
        if source not in settings.sources:
            return False
        if source == "crm":
            return name in crm_tables
        if name == "cdr":
            return settings.telephony is not None and any(s.cdr for s in settings.telephony.servers)
        return True

    return [(t.name, t.source.value, configured(t.name, t.source.value)) for t in TABLES]


def _hour_rows(branch_id: str, hours: BusinessHours) -> list[tuple[Any, ...]]:
    def minutes(at: Any) -> int:
        return int(at.hour * 60 + at.minute)

    return [(branch_id, d, minutes(hours.opens), minutes(hours.closes)) for d in sorted(set(hours.weekdays))]


def _holiday_row(holiday: Any) -> tuple[Any, ...]:
    if isinstance(holiday, Holiday):
        return (holiday.branch_id or ANY, holiday.day)
    return (ANY, holiday)


def _queue_rows(settings: Settings) -> list[tuple[Any, ...]]:
    limits = settings.provider.thresholds

    def chosen(own: int | None, default: int) -> int:
        return default if own is None else own

    return [
        (
            q.server_id, q.queue, q.branch_id, q.topic_class,
            chosen(q.service_level_seconds, limits.service_level_seconds),
            chosen(q.short_abandon_seconds, limits.short_abandon_seconds),
            q.valid_from, q.valid_to,
        )
        for q in settings.queues
    ]  # fmt: skip


def _sync_aliases(conn: Conn, agents: Agents, load_ids: Sequence[int], full: bool) -> None:
    if full:
        conn.execute("delete from ops.setting_aliases")
    where = sql.SQL("") if full else sql.SQL(" and _load_id = any(%(loads)s)")
    statement = sql.SQL(
        "select distinct server_id, agent from raw.queue_log where agent <> 'NONE'{0}"
        " union select distinct server_id, agent from raw.ivr_ratings where agent is not null{0}"
    ).format(where)
    seen = [(r["server_id"], r["agent"]) for r in conn.execute(statement, {"loads": list(load_ids)})]
    rows: dict[tuple[str, str], tuple[str, str | None]] = {
        (a.server_id, a.alias): (a.alias, a.operator_id) for a in agents.aliases
    }
    by_alias = {(a.server_id, a.alias): a.operator_id for a in agents.aliases}
    for server_id, agent in seen:
        name = _agent_name(agents, agent)
        operator_id = next(
            (by_alias[k] for n in (agent, name) for k in ((server_id, n), (ANY, n)) if k in by_alias), None
        )
        if name != agent or operator_id:
            rows[server_id, agent] = (name, operator_id)
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into ops.setting_aliases values (%s, %s, %s, %s) on conflict (server_id, alias)"
            " do update set agent_name = excluded.agent_name, operator_id = excluded.operator_id",
            [(server, alias, name, operator) for (server, alias), (name, operator) in rows.items()],
        )


def _agent_name(agents: Agents, agent: str) -> str:
    for pattern in agents.patterns:
        if match := re.fullmatch(pattern.match, agent):
            return match.expand(pattern.name)
    return agent


def _replace(conn: Conn, table: str, rows: list[tuple[Any, ...]]) -> None:
    name = sql.Identifier("ops", table)
    conn.execute(sql.SQL("delete from {}").format(name))
    if rows:
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(rows[0]))
        with conn.cursor() as cursor:
            cursor.executemany(sql.SQL("insert into {} values ({})").format(name, marks), rows)
