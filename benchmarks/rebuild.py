"""A full rebuild of facts and quality marts: by Postgres, by DuckDB for Postgres, and by DuckDB on Parquet (the floor).

All run the same dbt project with the same selection, its data tests included, and every cell of every table that is
read afterwards is compared. The floor reads Parquet and leaves its tables in a DuckDB database; the product's two ways,
of which only the chosen one is measured among all other parts, read `raw` in Postgres and leave them there.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

DATABASE = centre.WAREHOUSE
BLOCKS = 16  # four years: the largest number of contacts is one of years, not of a huge day
SHORT_DAYS = 28  # of a provider whose months are not repeated
FIRST_CONTACTS = 12_500  # of a block: the provider is simulated for one block, day by day, which is slow
CONTACTS_PER_CORE = 16_000  # of a block: what the provider may simulate beyond FIRST_CONTACTS
BYTES_PER_CONTACT = 20_000  # raw, what is built of it in both engines, WAL and temporary files
REBUILDS_AS_LONG = 3  # as Postgres' own: both, with copies of history, export and comparison
POSTGRES, CHOSEN, FLOOR = "Postgres", "DuckDB for Postgres", "DuckDB on Parquet"


def run(scale: Scale) -> Result:
    """Make a history of ``scale.rebuild_contacts`` contacts, or as many as fit, and rebuild it each way."""
    result = Result("rebuild")
    make_and_compare(result, scale, scale.rebuild_seconds)
    return result


def make_and_compare(result: Result, scale: Scale, seconds: float | None, name: str = "full rebuild") -> None:
    """The work of `run`; with ``seconds`` given, of no more contacts than are rebuilt in them."""
    started = time.monotonic()
    contacts = min(scale.rebuild_contacts, _that_fit_the_disk())
    blocks = min(BLOCKS, max(1, contacts // FIRST_CONTACTS))
    a_block = contacts // blocks
    if seconds is not None:
        a_block = min(a_block, max(FIRST_CONTACTS, CONTACTS_PER_CORE * (os.cpu_count() or 1)))
    days = centre.BLOCK_DAYS if blocks > 1 else SHORT_DAYS
    with centre.centre("rebuild", max(20, a_block // days), days) as provider:
        url = provider.url(DATABASE)
        centre.make_database(provider.server, DATABASE)
        last = provider.first_day + timedelta(days=days - 1)
        provider.show(last)
        provider.load(DATABASE, provider.first_day, last)
        if blocks > 1 and seconds is not None:
            blocks = min(blocks, _that_fit_the_time(url, seconds, started))
        centre.lengthen(url, blocks - 1)
        if (ran := blocks * a_block) < scale.rebuild_contacts * 0.9:
            limits = [f"{_free() / 2**30:.0f} GB of disk hold no more"]
            if seconds is not None:
                limits.insert(0, f"{os.cpu_count()} cores rebuild no more twice in {seconds:.0f} s")
            result.notes.append(
                f"about {ran:,} contacts instead of {scale.rebuild_contacts:,}: {', or '.join(limits)}"
            )
        compare(url, scale, result, name)


def compare(url: str, scale: Scale, result: Result, name: str = "full rebuild") -> None:
    """Rebuild the warehouse ``url`` by each way in turn, in rounds; adds ratios, tables and notes, which begin with
    ``name``.
    """
    parquet = postgres.home() / "bench" / "parquet"
    try:
        with _warehouse(url), ops.connect(url) as conn, rebuild.database("bench_parquet") as (path, duck):
            plan = _plan(conn)  # it also writes the settings that are exported
            rebuild.attach(duck, url)
            _export(duck, parquet)
            rebuild.see_sources(duck, parquet)
            transform.parse(url, plan.scalars)
            transform.parse(url, plan.scalars, duckdb=path)  # one way would else parse for the others
            chosen = rebuild.engine(is_full=True)
            work: dict[str, Callable[[], Any]] = {
                FLOOR: lambda: transform.run_models(conn, url, plan, _NODES, duckdb=path),
                CHOSEN: lambda: rebuild.build_selection(conn, url, plan),
                POSTGRES: lambda: transform.run_models(conn, url, plan, _NODES),
            }
            if not scale.rebuild_by_both and chosen == "postgres":
                del work[CHOSEN]
                result.notes.append(f"{CHOSEN}, which is not the chosen engine, is measured by its part `five_million`")
            meter = Meter(url)
            costs: dict[str, list[Cost]] = {way: [] for way in work}
            for _ in range(scale.rebuild_rounds):
                for way in work:
                    _settle(url)
                    costs[way].append(meter.measure(work[way]))
                    if way != FLOOR:
                        _refuse_differences(duck)
            _say(result, name, costs, chosen, duck)
    finally:
        shutil.rmtree(parquet, ignore_errors=True)


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


def _free() -> int:
    return shutil.disk_usage(postgres.home()).free


def _that_fit_the_disk() -> int:
    """Contacts whose rebuild the disk holds."""
    return int(_free() * 0.8 / BYTES_PER_CONTACT)


def _that_fit_the_time(url: str, seconds: float, started: float) -> int:
    """Blocks of history that are rebuilt until ``seconds`` after ``started``, by what the only one takes Postgres."""
    with _warehouse(url), ops.connect(url) as conn:
        plan = _plan(conn)
        parsed = transform.parse(url, plan.scalars)
        times = [time.monotonic()]
        rebuild.make_empty(url, plan, parsed)  # what a build costs without rows
        times.append(time.monotonic())
        transform.run_models(conn, url, plan, _NODES, parsed=parsed)
        times.append(time.monotonic())
    fixed, whole = times[1] - times[0], times[2] - times[1]
    a_block = max(0.2 * whole, whole - fixed)
    left = started + seconds - times[2] - REBUILDS_AS_LONG * fixed
    return max(1, int(left / (REBUILDS_AS_LONG * a_block)))


@contextmanager
def _warehouse(url: str) -> Iterator[None]:
    """``url`` is the warehouse of the product meanwhile."""
    before = os.environ.get("WAREHOUSE_URL")
    os.environ["WAREHOUSE_URL"] = url
    try:
        yield
    finally:
        if before is None:
            del os.environ["WAREHOUSE_URL"]
        else:
            os.environ["WAREHOUSE_URL"] = before


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


def _say(result: Result, name: str, costs: dict[str, list[Cost]], chosen: str, duck: Any) -> None:
    ways = {"postgres": POSTGRES, "duckdb": CHOSEN}
    contacts = duck.execute("select count(*) from candidate.fct_contacts").fetchall()[0][0]
    of = f"facts and quality marts of {contacts:,} contacts, wall time"
    result.ratios += [
        ratio(f"{name}, Postgres / DuckDB on Parquet", "wall", costs[POSTGRES], costs[FLOOR], 4.0, of=of),
        ratio(f"{name}, chosen engine / DuckDB on Parquet", "wall", costs[ways[chosen]], costs[FLOOR], 2.0,
              of=f"{ways[chosen]}, {of}"),
    ]  # fmt: skip
    compared = len(rebuild.tables(transform.manifest()))
    result.notes.append(f"{contacts:,} contacts; every cell of {compared} tables is equal")
    result.tables[name] = [
        {
            "way": way, "seconds": round(cost.wall, 1), "CPU-seconds of dbt and DuckDB": round(cost.client_cpu, 1),
            "CPU-seconds of Postgres": round(cost.server_cpu, 1), "WAL MB": cost.wal // 2**20,
            "peak MB of a client": cost.client_peak // 2**20, "peak MB of a backend": cost.server_peak // 2**20,
        }
        for way, cost in ((w, median(c)) for w, c in costs.items())
    ]  # fmt: skip
