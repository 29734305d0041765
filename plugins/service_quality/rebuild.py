"""Full rebuilds of facts and quality marts by DuckDB, which reads `raw` from Postgres and fills the tables there.

The models are the same: one dbt project, two targets. DuckDB builds and tests them in a database file of its own; dbt
then makes the tables of the selection in Postgres without rows, and DuckDB copies its rows into those that are read
afterwards: the candidates, the incremental models and what models outside the selection read. Working tables that
nothing else reads stay empty until the next night, which builds its days of them anyway.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from psycopg import sql

from service_quality import transform
from service_quality.local.postgres import memory_mb
from service_quality.ops import Conn, home

if TYPE_CHECKING:
    import duckdb

Engine = Literal["postgres", "duckdb"]

# Facts and quality marts with all they need.
SELECTION = ("+marts.core", "+marts.quality")
COPIES_AT_ONCE = 2
MEMORY_SHARE = 0.3  # of the machine's memory; Postgres and Airflow live there too. What does not fit goes to disk.


def engine(is_full: bool, wanted: Engine | None = None) -> Engine:
    """Which engine builds the selection: the ``wanted`` one, else Postgres. Raises ValueError for a night by DuckDB."""
    if wanted == "duckdb" and not is_full:
        raise ValueError("DuckDB is for full rebuilds: a night's days are built in Postgres")
    return wanted or "postgres"


def run_models(
    conn: Conn, url: str, plan: transform.Plan, without: Sequence[str], parsed: Any = None
) -> dict[str, str]:
    """Build the selection in DuckDB, then in Postgres the other models but those of dbt's ``without``; {node: status}.

    ``without`` begins with ``--exclude``; ``parsed``: see `transform.parse`. Raises transform.BuildFailed.
    """
    statuses = build_selection(conn, url, plan, parsed)
    # A test that reads both parts has waited for the second; one that reads only the first was run there.
    rest = [*without, *SELECTION, "--indirect-selection", "cautious"]
    return statuses | transform.run_models(conn, url, plan, rest, parsed=parsed)


def build_selection(conn: Conn, url: str, plan: transform.Plan, parsed: Any = None) -> dict[str, str]:
    """Build and test the selection in DuckDB and copy it into Postgres; {node: status}.

    Raises transform.BuildFailed.
    """
    parsed = parsed or transform.parse(url, plan.scalars)
    transform.refresh_statistics(conn)
    with database("rebuild") as (path, duck):
        attach(duck, url)
        see_sources(duck, "warehouse")
        nodes = ["--select", *SELECTION, "--indirect-selection", "cautious"]
        statuses = transform.run_models(conn, url, plan, nodes, duckdb=path)
        make_empty(url, plan, parsed)
        _take_over(conn, duck, url)
    return statuses


@contextmanager
def database(name: str) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """A new DuckDB database file and a connection to it; dbt in this process sees what is attached there."""
    import duckdb

    folder = home() / "duckdb"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.duckdb"
    _remove(path)
    connection = duckdb.connect(str(path))
    share = int(memory_mb() * MEMORY_SHARE)
    try:
        connection.execute(f"set memory_limit = '{share}MB'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set TimeZone = 'UTC'")
        yield path, connection
    finally:
        connection.close()
        _remove(path)


def attach(connection: duckdb.DuckDBPyConnection, url: str) -> None:
    """Let DuckDB read and write the Postgres database ``url`` as ``warehouse``. Nothing is fetched from anywhere."""
    import duckdb_extension_postgres_scanner as extension

    file = next(Path(extension.__path__[0]).glob("extensions/*/postgres_scanner.duckdb_extension"))
    connection.execute(f"load {_text(str(file))}")
    connection.execute(f"attach {_text(url)} as warehouse (type postgres)")


def see_sources(connection: duckdb.DuckDBPyConnection, origin: str | Path) -> None:
    """Views of dbt's sources: of an attached database, or of Parquet files <folder>/<schema>/<table>.parquet."""
    for schema, table in source_tables():
        connection.execute(f"create schema if not exists {schema}")
        file = isinstance(origin, Path)
        rows = _text(f"{origin}/{schema}/{table}.parquet") if file else f"{origin}.{schema}.{table}"
        connection.execute(f"create view {schema}.{table} as select * from {rows}")


def source_tables() -> list[tuple[str, str]]:
    """(schema, table) of what the selection reads: the landed tables and what `ops` says about settings and loads."""
    from service_quality.contract import TABLES

    settings = ("aliases", "branches", "holidays", "hours", "queues", "sources")
    return [*(("raw", t.name) for t in TABLES), ("ops", "coverage"), *(("ops", f"setting_{s}") for s in settings)]


def tables(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """(schema, table) of the selection that something reads after DuckDB: see the top of this module."""
    chosen = _selected(manifest)
    models = {n: node for n, node in manifest["nodes"].items() if node["resource_type"] in ("model", "test")}
    read_outside: set[str] = set()
    for name, node in models.items():
        parents = {p for p in node["depends_on"]["nodes"] if p in models}
        if name not in chosen and (node["resource_type"] == "model" or not parents <= set(chosen)):
            read_outside |= parents
    # Views stand between a table and who reads it.
    for name in reversed(_in_order(manifest, chosen)):
        if name in read_outside and chosen[name]["config"]["materialized"] == "view":
            read_outside |= set(chosen[name]["depends_on"]["nodes"])
    return sorted(
        (node["schema"], node["alias"])
        for name, node in chosen.items()
        if node["config"]["materialized"] == "incremental"
        or (node["config"]["materialized"] == "table" and (node["schema"] == "candidate" or name in read_outside))
    )


def _selected(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The models of SELECTION: those of its folders and all that they read."""
    folders = [s.lstrip("+").split(".") for s in SELECTION]
    nodes = {n: node for n, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    waiting = [n for n, node in nodes.items() if any(node["fqn"][1 : 1 + len(f)] == f for f in folders)]
    found: dict[str, dict[str, Any]] = {}
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in found:
            found[name] = nodes[name]
            waiting.extend(nodes[name]["depends_on"]["nodes"])
    return found


def _in_order(manifest: dict[str, Any], chosen: dict[str, Any]) -> list[str]:
    """Names of ``chosen``, parents first."""
    done: list[str] = []

    def visit(name: str) -> None:
        if name in chosen and name not in done:
            for parent in manifest["nodes"][name]["depends_on"]["nodes"]:
                visit(parent)
            done.append(name)

    for name in chosen:
        visit(name)
    return done


def make_empty(url: str, plan: transform.Plan, parsed: Any) -> None:
    """The selection's seeds and views in Postgres, and its tables without rows."""
    build = {"full_rebuild": True, "without_rows": True}
    arguments = ["build", "--vars", json.dumps(plan.scalars, sort_keys=True), "--full-refresh", "--select", *SELECTION,
                 "--exclude-resource-type", "test", "unit_test"]  # fmt: skip
    outcome = transform.invoke(url, [*arguments, "--no-write-json"], build, parsed)
    if not outcome.success:
        told = outcome.exception or _errors(outcome)
        raise transform.BuildFailed(f"dbt could not make the tables in Postgres: {told}")


def _errors(outcome: Any) -> str:
    results = getattr(outcome.result, "results", None) or []
    return "; ".join(f"{r.node.name}: {r.message}" for r in results if str(r.status) == "error")


def _take_over(conn: Conn, duck: duckdb.DuckDBPyConnection, url: str) -> None:
    """Copy DuckDB's rows into the empty tables of Postgres, without their indexes; commits."""
    wanted = tables(transform.manifest())
    indexes = conn.execute(
        "with named as (select *, format('%%I.%%I', schemaname, indexname) as name from pg_indexes)"
        " select indexdef, name from named"
        " where (schemaname, tablename) in (select * from unnest(%s::text[], %s::text[]))"
        " and not exists (select from pg_constraint where conindid = name::regclass)",
        ([s for s, _ in wanted], [t for _, t in wanted]),
    ).fetchall()
    for index in indexes:
        conn.execute("drop index " + index["name"])
    conn.commit()
    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        list(pool.map(lambda table: _copy(duck, *table), wanted))
    for index in indexes:
        conn.execute(index["indexdef"])
    for schema, table in wanted:
        conn.execute(sql.SQL("analyze {}").format(sql.Identifier(schema, table)))
    conn.commit()


def _copy(duck: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    cursor = duck.cursor()
    names = [row[0] for row in cursor.execute(f"select column_name from (describe {schema}.{table})").fetchall()]
    columns = ", ".join(f'"{name}"' for name in names)
    order = "order by business_day" if "business_day" in names else ""  # as Postgres makes them: create_table_as.sql
    cursor.execute(f"insert into warehouse.{schema}.{table} ({columns}) select {columns} from {schema}.{table} {order}")
    cursor.close()


def _remove(path: Path) -> None:
    for file in (path, path.with_name(path.name + ".wal")):
        file.unlink(missing_ok=True)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
