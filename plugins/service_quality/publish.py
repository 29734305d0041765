"""candidate -> marts: the touched days, in one transaction, with a record of what was restated.

Only rows that differ are written, so publishing an unchanged day writes nothing. Tables in ``marts`` are
never dropped: new columns are added, a removed or retyped column is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql

from service_quality import ops
from service_quality.ops import READER_ROLE, Conn
from service_quality.window import OWN_DAY, Reach

UNFINISHED = ("partial", "not_loaded")  # a row in these states is not yet a published number


class PublishRefused(RuntimeError):
    """A mart's columns changed in a way that would break its readers; it needs a new version."""


@dataclass(frozen=True)
class Mart:
    """A table to publish: its key, whether changes of its numbers are restatements, what a touched day changes, and the
    columns beside key and day that readers look rows up by.
    """

    name: str
    key: tuple[str, ...]
    restates: bool
    reach: Reach = OWN_DAY
    lookups: tuple[str, ...] = ()

    @property
    def day(self) -> str:
        """The column that tells a row's day, when there is one."""
        return self.reach.column


def marts_of(manifest: dict[str, Any]) -> list[Mart]:
    """The marts of a dbt manifest: tables of schema ``candidate`` with their ``meta``.

    ``meta.key``: the key; ``meta.restates``: whether published numbers that change are recorded, by default those of
    the quality marts; ``meta.reach``: see Reach; ``meta.lookups``: see Mart. Raises PublishRefused when a mart declares
    no key.
    """
    marts = []
    for node in manifest["nodes"].values():
        config = node.get("config", {})
        if node["resource_type"] != "model" or node["schema"] != "candidate":
            continue
        if config.get("materialized") not in ("table", "incremental"):
            continue
        meta = config.get("meta") or {}
        key = meta.get("key")
        if not key:
            raise PublishRefused(f"the mart {node['name']} declares no meta.key")
        restates = meta.get("restates", "quality" in node["fqn"])
        columns = (key,) if isinstance(key, str) else tuple(key)
        reach, lookups = Reach(**meta.get("reach", {})), tuple(meta.get("lookups", ()))
        marts.append(Mart(node["alias"], columns, restates, reach, lookups))
    return sorted(marts, key=lambda m: m.name)


def publish(
    conn: Conn,
    build_id: int,
    load_ids: Sequence[int],
    days: Sequence[date],
    marts: Sequence[Mart],
    full: bool,
    reclassified: bool = True,
    changed_days: Sequence[date] | None = None,
) -> dict[str, int]:
    """Bring ``marts`` in line with ``candidate`` on ``days`` (all days when ``full``); {mart: rows written}.

    ``reclassified`` and ``changed_days``: see Reach.

    All rows change in one transaction, which also marks the loads and the build as published. Tables, columns and
    indexes that are missing are made before, in others: a new column locks its mart until the transaction ends, and
    readers would wait for all of the publication. ``conn`` is not within a transaction of its own.
    """
    written: dict[str, int] = {}
    with conn.transaction():
        for mart in marts:
            _refuse_broken(conn, mart)
    for mart in marts:
        with conn.transaction():
            _ensure_table(conn, mart)
    with conn.transaction():
        # Rows that nights wrote again lie apart from their day's: a bitmap reads each block once, an index row by row.
        conn.execute("set local enable_indexscan = off")
        for mart in marts:
            columns = list(_columns(conn, "candidate", mart.name))
            reached = mart.reach.built(days, changed_days)
            whole = mart.reach.is_all(full, reclassified)
            if _is_empty(conn, mart):  # years, when a history is published for the first time
                written[mart.name] = _add_candidates(conn, mart, columns, reached, whole)
                continue
            _find_differences(conn, mart, columns, reached, whole)
            if mart.restates:
                _record_restatements(conn, build_id, load_ids, mart, columns)
            written[mart.name] = _replace(conn, mart, columns, reached, whole)
            conn.execute("drop table publish_changes")
        conn.execute("update ops.loads set build_id = %s where load_id = any(%s)", (build_id, list(load_ids)))
        done = conn.execute(
            "update ops.builds set status = 'published', ended_at = now() where build_id = %s and status = 'built'",
            (build_id,),
        )
        if done.rowcount != 1:
            raise RuntimeError(f"build {build_id} is not in the state 'built': nothing was published")
    return written


def _columns(conn: Conn, schema: str, table: str) -> dict[str, str]:
    rows = conn.execute(
        "select a.attname as name, format_type(a.atttypid, a.atttypmod) as type from pg_attribute as a"
        " where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped order by a.attnum",
        (f'{schema}."{table}"',),
    )
    return {r["name"]: r["type"] for r in rows}


def _refuse_broken(conn: Conn, mart: Mart) -> None:
    wanted, present = _columns(conn, "candidate", mart.name), _columns(conn, "marts", mart.name)
    broken = [f"{c} {t}" for c, t in present.items() if wanted.get(c) != t]
    if broken:
        raise PublishRefused(
            f"marts.{mart.name}: {', '.join(broken)} would vanish or change its type; readers depend on it."
            " Give the mart a new version instead."
        )


def _ensure_table(conn: Conn, mart: Mart) -> None:
    wanted, present = _columns(conn, "candidate", mart.name), _columns(conn, "marts", mart.name)
    name = sql.Identifier(mart.name)
    if not present:
        conn.execute(sql.SQL("create table marts.{0} (like candidate.{0} including comments)").format(name))
        conn.execute(sql.SQL("create unique index on marts.{} ({})").format(name, _list(mart.key)))
        if mart.day in wanted and mart.day not in mart.lookups:
            conn.execute(sql.SQL("create index on marts.{} ({})").format(name, sql.Identifier(mart.day)))
        if conn.execute("select 1 from pg_roles where rolname = %s", (READER_ROLE,)).fetchone():
            conn.execute(sql.SQL("grant select on marts.{} to {}").format(name, sql.Identifier(READER_ROLE)))
    for column, column_type in wanted.items():
        if present and column not in present:
            conn.execute(
                sql.SQL("alter table marts.{} add column {} {}").format(
                    name, sql.Identifier(column), sql.SQL(column_type)
                )
            )
    for column in mart.lookups:
        index = f"{mart.name}__{column}"
        found = conn.execute("select to_regclass(%s) as name", (f'marts."{index}"',)).fetchone()
        if found is None or found["name"] is None:
            conn.execute(
                sql.SQL("create index {} on marts.{} ({})").format(sql.Identifier(index), name, sql.Identifier(column))
            )


def _scope(mart: Mart, alias: str, columns: Sequence[str], days: Sequence[date], full: bool) -> sql.Composable:
    """Condition for the touched days; literal dates, so that only their part of a mart is read."""
    if mart.day not in columns or full:
        return sql.SQL("true")
    return ops.in_days(sql.Identifier(alias, mart.day), days)


def _list(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _same_key(mart: Mart) -> sql.Composed:
    return sql.SQL(" and ").join(sql.SQL("old.{0} = new.{0}").format(sql.Identifier(k)) for k in mart.key)


def _is_empty(conn: Conn, mart: Mart) -> bool:
    row = conn.execute(
        sql.SQL("select exists (select from marts.{}) as is_filled").format(sql.Identifier(mart.name))
    ).fetchone()
    return row is not None and not row["is_filled"]


def _add_candidates(conn: Conn, mart: Mart, columns: Sequence[str], days: Sequence[date], full: bool) -> int:
    """Fill an empty mart; how many rows it has."""
    rows = sql.SQL("(select {} from candidate.{} as h where {})").format(
        _list(columns), sql.Identifier(mart.name), _scope(mart, "h", columns, days, full)
    )
    return _insert(conn, mart, columns, rows)


def _find_differences(conn: Conn, mart: Mart, columns: Sequence[str], days: Sequence[date], full: bool) -> None:
    """Temporary table ``publish_changes``: rows that only one side has, to add (``_is_new``) or to remove."""
    names = _list(columns)
    side = sql.SQL("select {names}, {is_new} as _is_new from {table} as h where {scope}")
    sides = [
        side.format(
            names=names, is_new=sql.Literal(schema == "candidate"), table=sql.Identifier(schema, mart.name),
            scope=_scope(mart, "h", columns, days, full),
        )
        for schema in ("candidate", "marts")
    ]  # fmt: skip
    conn.execute(
        sql.SQL(
            "create temporary table publish_changes on commit drop as"
            " select {names}, bool_or(_is_new) as _is_new from ({sides}) as sides"
            " group by {names} having bool_and(_is_new) = bool_or(_is_new)"
        ).format(names=names, sides=sql.SQL(" union all ").join(sides))
    )
    conn.execute("analyze publish_changes (_is_new)")


def _changes(columns: Sequence[str], is_new: bool) -> sql.Composed:
    """The rows to add, or those to remove."""
    which = sql.SQL("" if is_new else "not ")
    return sql.SQL("(select {} from publish_changes where {}_is_new)").format(_list(columns), which)


def _replace(conn: Conn, mart: Mart, columns: Sequence[str], days: Sequence[date], full: bool) -> int:
    name = sql.Identifier(mart.name)
    removed = conn.execute(
        sql.SQL("delete from marts.{} as old using {} as new where {} and {}").format(
            name, _changes(mart.key, is_new=False), _same_key(mart), _scope(mart, "old", columns, days, full)
        )
    ).rowcount
    return max(removed, _insert(conn, mart, columns, _changes(columns, is_new=True)))


def _insert(conn: Conn, mart: Mart, columns: Sequence[str], rows: sql.Composable) -> int:
    """A day's rows lie together: readers of a span of days read its blocks, not a row of each block."""
    order = sql.SQL(" order by {}").format(sql.Identifier(mart.day)) if mart.day in columns else sql.SQL("")
    return conn.execute(
        sql.SQL("insert into marts.{} ({}) select * from {} as new{}").format(
            sql.Identifier(mart.name), _list(columns), rows, order
        )
    ).rowcount


def _record_restatements(
    conn: Conn, build_id: int, load_ids: Sequence[int], mart: Mart, columns: Sequence[str]
) -> None:
    """One row for each published number that changes or vanishes; nulls and unfinished days were no numbers."""
    was_finished: sql.Composable = sql.SQL("true")
    if "status" in columns:
        was_finished = sql.SQL("old.status <> all({})").format(sql.Literal(list(UNFINISHED)))
    key = sql.SQL(", ").join(
        sql.SQL("{}, old.{}").format(sql.Literal(k), sql.Identifier(k)) for k in mart.key if k != mart.day
    )
    conn.execute(
        sql.SQL(
            "insert into ops.restatements"
            " (build_id, load_ids, mart, row_key, business_day, column_name, old_value, new_value)"
            " select %(build)s, %(loads)s, %(mart)s, jsonb_build_object({key}), {day}, number.column_name,"
            " number.was, number.now"
            " from {was} as old left join {now} as new on {on_key}"
            " cross join lateral ("
            "select was.column_name, was.value as was, now.value as now"
            " from jsonb_each_text(to_jsonb(old)) as was (column_name, value)"
            " left join jsonb_each_text(to_jsonb(new)) as now (column_name, value) using (column_name)"
            " where was.value is not null and was.value is distinct from now.value"
            " offset 0"  # planned apart: else a row is made json for each of its columns
            ") as number where {was_finished}"
        ).format(
            key=key,
            day=sql.Identifier("old", mart.day) if mart.day in columns else sql.SQL("null::date"),
            was=_changes(columns, is_new=False),
            now=_changes(columns, is_new=True),
            on_key=_same_key(mart),
            was_finished=was_finished,
        ),
        {"build": build_id, "loads": list(load_ids), "mart": mart.name},
    )
