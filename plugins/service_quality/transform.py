"""The build's models: dbt in this process, one invocation a build, each node's outcome recorded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from service_quality import lean
from service_quality.local.postgres import memory_mb
from service_quality.ops import Conn, home

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"

# The analyses write the tables of dbt's source `calculated`: everything that does not read them is built before.
BEFORE_ANALYSES = ("--exclude", "source:calculated+")
AFTER_ANALYSES = ("--select", "source:calculated+")


# A model's plan has a few sorts and hashes, a hash may take twice its share, and readers go on: so many parts leave
# more than half of the machine's memory alone.
REBUILD_MEMORY_PARTS = 64


class BuildFailed(RuntimeError):
    """Dbt could not build or a test failed; the message lists the nodes."""


@dataclass(frozen=True)
class Plan:
    """What one build has to do.

    ``as_of_day``: the last day that is loaded wholly, on which rolling windows end; ``scalars``: the single settings
    that models read as variables; ``changed_days``: the touched days without those that are touched by repeats only,
    None: all of them. ``reclassified``: topics can belong to other classes today than at the last publication.
    """

    build_id: int
    touched_days: list[date]
    data_until: datetime | None
    as_of_day: date | None
    is_full: bool
    scalars: Mapping[str, Any]
    changed_days: list[date] | None = None
    reclassified: bool = True

    def changed(self) -> list[date]:
        """The days on which more changed than repeats."""
        return self.touched_days if self.changed_days is None else self.changed_days


def parse(url: str, scalars: Mapping[str, Any], duckdb: Path | None = None) -> Any:
    """The parsed project, for the runs of one build, and its manifest as a file; each engine has its own.

    Half of a small run is reading the parsed project and writing the manifest. Raises BuildFailed.
    """
    outcome = invoke(url, ["parse", *_variables(scalars)], duckdb=duckdb)
    if not outcome.success:
        raise BuildFailed(f"dbt did not parse the project: {outcome.exception}")
    return outcome.result


def run_models(
    conn: Conn, url: str, plan: Plan, nodes: Sequence[str] = (), *, parsed: Any = None, duckdb: Path | None = None
) -> dict[str, str]:
    """Build and test models for ``plan``, all or those of a dbt selection ``nodes``; {node: status}.

    ``parsed``: what `parse` gave for the same settings, else dbt reads the project itself. ``duckdb``: a DuckDB
    database with the sources, in which they are built instead of Postgres. Raises BuildFailed.
    """
    build = {
        "touched_days": [d.isoformat() for d in plan.touched_days],
        "changed_days": [d.isoformat() for d in plan.changed()],
        "full_rebuild": plan.is_full,
        "reclassified": plan.reclassified,
        "data_until": plan.data_until.isoformat() if plan.data_until else None,
        "as_of_day": plan.as_of_day.isoformat() if plan.as_of_day else None,
    }
    refresh_statistics(conn)
    arguments = ["build", "--exclude-resource-type", "unit_test", *_variables(plan.scalars)]
    if plan.is_full:
        arguments += ["--threads", str(_threads())]
    if parsed is not None:
        arguments.append("--no-write-json")
    outcome = invoke(url, [*arguments, *nodes, *(["--full-refresh"] if plan.is_full else [])], build, parsed, duckdb)
    results = [_node_row(r) for r in getattr(outcome.result, "results", None) or []]
    _record(conn, plan.build_id, results)
    if not outcome.success:
        bad = [r for r in results if r["status"] in ("error", "fail", "runtime error")]
        told = "\n".join(f"  {r['node']}: {r['status']}: {r['message']}" for r in bad) or str(outcome.exception)
        raise BuildFailed(f"dbt did not finish build {plan.build_id}:\n{told}")
    return {r["node"]: r["status"] for r in results}


def refresh_statistics(conn: Conn) -> None:
    """Analyze the raw tables that changed by a tenth since they last were; commits.

    A build right after the first load would else be planned for empty tables, and loop over millions of rows.
    """
    conn.commit()
    changed = conn.execute(
        "select relname as name from pg_stat_user_tables where schemaname = 'raw'"
        " and (coalesce(last_analyze, last_autoanalyze) is null or n_mod_since_analyze > 0.1 * n_live_tup)"
    ).fetchall()
    for row in changed:
        conn.execute(sql.SQL("analyze {}").format(sql.Identifier("raw", row["name"])))
    conn.commit()


def _threads() -> int:
    """Models of a full rebuild at once: a night's are small, those of all history keep a core busy each."""
    return max(2, min(8, os.cpu_count() or 2))


def _postgres_options(is_full: bool) -> str:
    """Settings of dbt's sessions in Postgres. In a full rebuild tables of all history are joined: with the little
    memory that is right for nights and readers they are read row by row through indexes, and sorts go to disk. A night
    looks up rows at the end of tables, which is in memory: as if from disk, or shared by several workers, it would
    rather read a table whole.
    """
    work_mb = max(16, min(512, memory_mb() // (REBUILD_MEMORY_PARTS * _threads())))
    own = f"-c work_mem={work_mb}MB" if is_full else "-c random_page_cost=1.1 -c max_parallel_workers_per_gather=0"
    return f"{os.environ.get('PGOPTIONS', '')} {own}".strip()


def _variables(scalars: Mapping[str, Any]) -> list[str]:
    return ["--vars", json.dumps(scalars, sort_keys=True)]


def invoke(
    url: str,
    arguments: list[str],
    build: Mapping[str, Any] | None = None,
    parsed: Any = None,
    duckdb: Path | None = None,
) -> Any:
    """Run one dbt command against ``url``, or against the DuckDB database ``duckdb``; dbt's own result object.

    ``build``: what this build has to do, for the macro ``of_build``; ``parsed``: see `parse`. Nothing is sent anywhere.
    """
    folder = home() / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    target = "warehouse" if duckdb is None else "duckdb"
    with _environment(url, build or {}, duckdb), lean.collected_seldom():
        from dbt.cli.main import dbtRunner

        from service_quality.dbt_sessions import shared

        with shared(), lean.dbt_without_waste():
            return dbtRunner(manifest=parsed).invoke(
                [
                    arguments[0], *arguments[1:],
                    "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
                    "--target", target, "--log-path", str(folder / "logs"),
                    # Each engine's own: dbt parses everything again where the other's result stands.
                    "--target-path", str(folder / ("target" if duckdb is None else "target_duckdb")),
                    "--log-level", "none", "--no-use-colors",
                ]
            )  # fmt: skip


def manifest() -> dict[str, Any]:
    """The manifest that the last dbt command of this project wrote."""
    return json.loads((home() / "dbt" / "target" / "manifest.json").read_text())


@contextmanager
def _environment(url: str, build: Mapping[str, Any], duckdb: Path | None) -> Iterator[None]:
    """The variables that ``profiles.yml`` and the macros read, for the time of one command."""
    parts = conninfo_to_dict(url)
    wanted = {
        "QUALITY_DBT_HOST": parts.get("host") or "127.0.0.1",
        "QUALITY_DBT_PORT": parts.get("port") or "5432",
        "QUALITY_DBT_USER": parts.get("user") or "",
        "QUALITY_DBT_PASSWORD": parts.get("password") or "",
        "QUALITY_DBT_DBNAME": parts.get("dbname") or "",
        "QUALITY_DBT_DUCKDB": str(duckdb or ":memory:"),
        "QUALITY_BUILD": json.dumps(build),
        "PGOPTIONS": _postgres_options(bool(build.get("full_rebuild"))),
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    before = {k: os.environ.get(k) for k in wanted}
    os.environ.update({k: str(v) for k, v in wanted.items()})
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def _node_row(result: Any) -> dict[str, Any]:
    response = result.adapter_response or {}
    return {
        "node": result.node.unique_id,
        "resource_type": str(result.node.resource_type),
        "status": str(result.status),
        "seconds": result.execution_time,
        "rows": response.get("rows_affected"),
        "message": result.message,
    }


def _record(conn: Conn, build_id: int, rows: list[dict[str, Any]]) -> None:
    with conn.transaction(), conn.cursor() as cursor:
        cursor.executemany(
            "insert into ops.build_nodes"
            " (build_id, node, resource_type, status, seconds, rows_affected, message)"
            " values (%(build_id)s, %(node)s, %(resource_type)s, %(status)s, %(seconds)s, %(rows)s, %(message)s)"
            " on conflict (build_id, node) do update set status = excluded.status, seconds = excluded.seconds,"
            " rows_affected = excluded.rows_affected, message = excluded.message, finished_at = now()",
            [{**r, "build_id": build_id} for r in rows],
        )
