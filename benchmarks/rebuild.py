"""A full rebuild of facts and quality marts: by Postgres, by DuckDB for Postgres, and by DuckDB on Parquet (the floor).

All three run the same dbt project with the same selection, its data tests included, and every cell of every table
that is read afterwards is compared. The floor reads Parquet and leaves its tables in a DuckDB database; the product's
two ways read `raw` in Postgres and leave them there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from service_quality import config, ops, rebuild, runner, transform
from service_quality.local import postgres

from benchmarks import centre
from benchmarks.measure import Cost, Meter, median, ratio
from benchmarks.report import Result
from benchmarks.scale import Scale

DATABASE = "bench_rebuild"
HISTORY_DAYS = 1456  # four years: the largest number of contacts is one of years, not of a huge day
BYTES_PER_CONTACT = 20_000  # raw, what is built of it in both engines, WAL and temporary files
POSTGRES, CHOSEN, FLOOR = "Postgres", "DuckDB for Postgres", "DuckDB on Parquet"


def run(scale: Scale) -> Result:
    """Make a history of ``scale.rebuild_contacts`` contacts and rebuild it three ways."""
    result = Result("rebuild")
    contacts = _that_fit(scale.rebuild_contacts, result)
    blocks = min(HISTORY_DAYS // centre.BLOCK_DAYS, max(1, contacts // 12_500))
    per_day = max(20, contacts // (blocks * centre.BLOCK_DAYS))
    with centre.centre("rebuild", per_day, centre.BLOCK_DAYS) as provider:
        centre.make_database(provider.server, DATABASE)
        last = provider.first_day + timedelta(days=centre.BLOCK_DAYS - 1)
        provider.show(last)
        provider.load(DATABASE, provider.first_day, last)
        centre.lengthen(provider.url(DATABASE), blocks - 1)
        compare(provider.url(DATABASE), scale.rebuild_rounds, result)
    return result


def compare(url: str, rounds: int, result: Result) -> None:
    """Rebuild the warehouse ``url`` by each way in turn for ``rounds`` rounds; adds ratios, tables and notes."""
    before = os.environ.get("WAREHOUSE_URL")
    os.environ["WAREHOUSE_URL"] = url
    parquet = postgres.home() / "bench" / "parquet"
    try:
        with ops.connect(url) as conn, rebuild.database("bench_parquet") as (path, duck):
            plan = _plan(conn)  # it also writes the settings that are exported
            rebuild.attach(duck, url)
            _export(duck, parquet)
            rebuild.see_sources(duck, parquet)
            chosen = rebuild.engine(is_full=True)
            work: dict[str, Callable[[], Any]] = {
                FLOOR: lambda: transform.run_models(conn, url, plan, _NODES, duckdb=path),
                CHOSEN: lambda: rebuild.build_selection(conn, url, plan),
                POSTGRES: lambda: transform.run_models(conn, url, plan, _NODES),
            }
            meter = Meter(url)
            costs: dict[str, list[Cost]] = {name: [] for name in work}
            for _ in range(rounds):
                for name in work:
                    _settle(url)
                    costs[name].append(meter.measure(work[name]))
                    if name != FLOOR:
                        _refuse_differences(duck)
            _say(result, costs, chosen, duck)
    finally:
        shutil.rmtree(parquet, ignore_errors=True)
        if before is None:
            del os.environ["WAREHOUSE_URL"]
        else:
            os.environ["WAREHOUSE_URL"] = before


_NODES = ("--select", *rebuild.SELECTION, "--indirect-selection", "cautious")


def differences(duck: Any) -> dict[str, str]:
    """{table: what differs} between the DuckDB database and the Postgres database it has attached as ``warehouse``."""
    found = {}
    for schema, table in rebuild.tables(transform.manifest()):
        columns = [(row[0], row[1]) for row in duck.execute(f"describe {schema}.{table}").fetchall()]
        theirs = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in columns)
        ours = _bag(duck, f"{schema}.{table}")
        postgres_rows = f"(select {theirs} from warehouse.{schema}.{table})"
        if ours != _bag(duck, postgres_rows):
            names = ", ".join(f'"{name}"' for name, _ in columns)
            here, there = f"select {names} from {schema}.{table}", f"select {names} from {postgres_rows} as p"
            found[f"{schema}.{table}"] = (
                f"{_extra(duck, here, there)} rows only in DuckDB, {_extra(duck, there, here)} only in Postgres"
            )
    return found


def _bag(duck: Any, relation: str) -> tuple[int, int]:
    """Rows and the sum of their fingerprints over all columns: equal for equal rows in whatever order."""
    query = f"select count(*), sum(cast(hash(t) as hugeint)) from {relation} as t"
    # All rows are fetched: a result that is not at its end keeps its transaction, and its lock in Postgres, open.
    rows: list[tuple[int, int]] = duck.execute(query).fetchall()
    return rows[0]


def _extra(duck: Any, rows: str, others: str) -> int:
    return int(duck.execute(f"select count(*) from ({rows} except all {others})").fetchall()[0][0])


def _that_fit(contacts: int, result: Result) -> int:
    """``contacts``, or as many as the disk holds."""
    fitting = int(shutil.disk_usage(postgres.home()).free * 0.8 / BYTES_PER_CONTACT)
    if fitting < contacts:
        result.notes.append(f"{fitting} contacts instead of {contacts}: the disk holds no more")
    return min(contacts, fitting)


def _export(duck: Any, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for schema, table in rebuild.source_tables():
        (folder / schema).mkdir(parents=True, exist_ok=True)
        duck.execute(f"copy (select * from warehouse.{schema}.{table}) to '{folder / schema / table}.parquet'")


def _plan(conn: ops.Conn) -> transform.Plan:
    build_id = runner.plan_build(full=True)
    assert build_id is not None, "nothing is loaded"
    return runner.transform_plan(runner.get_build(conn, build_id), config.load())


def _settle(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("checkpoint")


def _refuse_differences(duck: Any) -> None:
    if found := differences(duck):
        raise AssertionError(f"the engines do not agree: {found}")


def _say(result: Result, costs: dict[str, list[Cost]], chosen: str, duck: Any) -> None:
    ways = {"postgres": POSTGRES, "duckdb": CHOSEN}
    result.ratios = [
        ratio("full rebuild, Postgres / DuckDB on Parquet", "wall", costs[POSTGRES], costs[FLOOR], 4.0,
              of="facts and quality marts, wall time"),
        ratio("full rebuild, chosen engine / DuckDB on Parquet", "wall", costs[ways[chosen]], costs[FLOOR], 2.0,
              of=f"{ways[chosen]}, facts and quality marts, wall time"),
    ]  # fmt: skip
    contacts = duck.execute("select count(*) from candidate.fct_contacts").fetchall()[0][0]
    compared = len(rebuild.tables(transform.manifest()))
    result.notes.append(f"{contacts} contacts; every cell of {compared} tables is equal")
    result.tables["full rebuild"] = [
        {
            "way": name, "seconds": round(cost.wall, 1), "CPU-seconds of dbt and DuckDB": round(cost.client_cpu, 1),
            "CPU-seconds of Postgres": round(cost.server_cpu, 1), "WAL MB": cost.wal // 2**20,
            "peak MB of a client": cost.client_peak // 2**20, "peak MB of a backend": cost.server_peak // 2**20,
        }
        for name, cost in ((n, median(c)) for n, c in costs.items())
    ]  # fmt: skip
