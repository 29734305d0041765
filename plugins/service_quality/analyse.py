"""Runs the analyses between the two halves of a build: dbt's models before them, and those that read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from psycopg import sql

from service_quality.analyses import agreement, listeners, surges, words
from service_quality.analyses.base import Analysis, Scope
from service_quality.ops import Conn

ANALYSES: tuple[Analysis, ...] = (agreement.ANALYSIS, listeners.ANALYSIS, surges.SURGES, words.WORDS)


def run(conn: Conn, scope: Scope, analyses: Sequence[Analysis] | None = None) -> dict[str, int]:
    """Write the table of each analysis (all that there are by default); {table: rows written}. Commits."""
    written = {}
    for analysis in ANALYSES if analyses is None else analyses:
        with conn.transaction():
            _ensure(conn, analysis)
            written[analysis.table] = _replace(conn, analysis, scope)
        _refresh_statistics(conn, analysis, written[analysis.table])
        conn.commit()
    return written


def prepare(conn: Conn) -> None:
    """The tables of all analyses, empty where they are new: dbt can build what reads them. Commits."""
    with conn.transaction():
        for analysis in ANALYSES:
            _ensure(conn, analysis)
    conn.commit()


def _ensure(conn: Conn, analysis: Analysis) -> None:
    """The table as declared. Its columns are made anew when the declaration changed: a full build follows then."""
    wanted = dict(analysis.columns)
    present = {
        r["name"]: r["type"]
        for r in conn.execute(
            "select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute"
            " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
            (f"intermediate.{analysis.table}",),
        )
    }
    if present == wanted and list(present) == list(wanted):
        return
    name = sql.Identifier("intermediate", analysis.table)
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(t)) for c, t in wanted.items())
    conn.execute(sql.SQL("drop table if exists {} cascade").format(name))
    conn.execute(sql.SQL("create table {} ({})").format(name, columns))
    if analysis.reach is not None:
        conn.execute(sql.SQL("create index on {} (business_day)").format(name))


def _replace(conn: Conn, analysis: Analysis, scope: Scope) -> int:
    name = sql.Identifier("intermediate", analysis.table)
    if analysis.reach is None or scope.is_full:
        conn.execute(sql.SQL("truncate {}").format(name))
    else:
        conn.execute(sql.SQL("delete from {} where business_day = any(%s)").format(name), (_days(analysis, scope),))
    names = sql.SQL(", ").join(sql.Identifier(c) for c, _ in analysis.columns)
    rows = list(analysis.calculate(conn, scope))  # it reads by the same connection that copies
    with conn.cursor() as cursor, cursor.copy(sql.SQL("copy {} ({}) from stdin").format(name, names)) as copy:
        for row in rows:
            copy.write_row(row)
    return len(rows)


def _refresh_statistics(conn: Conn, analysis: Analysis, written: int) -> None:
    """Where a tenth is new: the next models are planned by them. Fewer rows a night are for autovacuum to notice."""
    table = sql.Identifier("intermediate", analysis.table)
    known = conn.execute("select reltuples as rows from pg_class where oid = %s::regclass", (table.as_string(conn),))
    if written > 0.1 * known.fetchone()["rows"]:  # type: ignore[index]
        conn.execute(sql.SQL("analyze {}").format(table))


def _days(analysis: Analysis, scope: Scope) -> list[date]:
    assert analysis.reach is not None
    return analysis.reach.widen(scope.touched_days)
