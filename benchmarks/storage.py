"""What a year takes on disk: ``raw`` and ``marts`` with their indexes, by the sources' own size.

The simulated provider is generated for the whole span, shown at its doors and loaded and built by the product, in
windows as a first load has them; nothing is scaled up. Its sources are the PBX's and IVR's files in bytes, the CRM's
tables with their indexes, and the survey server's responses in bytes. Raw keeps every version of a row: nights that
bring changes add the versions that such a load does not see.

A provider has many thousands of contacts a day. Marts by day and the 20,000 subscribers take the same space for few of
them, so the ratio falls with contacts a day. Judged is a provider as large as fits into minutes, in few days; `year`
weighs a whole year of a small one. Where it is weighed in stages, the last tells what is added.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from service_quality import config, ops, runner
from service_quality.contract import Source
from service_quality.local import postgres
from service_quality.window import nights

from benchmarks.measure import Ratio
from benchmarks.report import Result
from benchmarks.scale import Scale
from demo import provider, survey_server

DATABASES = ("bench_storage", "bench_storage_crm")
FIRST_DAY = date(2025, 11, 9)
GOAL = 2.5
SCHEMAS = ("raw", "marts")
RATIO = "storage: raw + marts / the sources' own size"
Sizes = dict[str, int]


def run(scale: Scale) -> Result:
    """Generate, load, build, weigh."""
    result = Result("storage")
    measure(result, scale, RATIO)
    return result


def measure(result: Result, scale: Scale, name: str) -> None:
    """The work of `run`; ``name``: of its ratio."""
    days, contacts = scale.storage_days, scale.storage_contacts_per_day
    with stage(days, contacts) as home:
        weighed: list[tuple[int, Sizes, Sizes]] = []
        for until in scale.storage_stages:
            _load(home, sum(d for d, _, _ in weighed), until)
            weighed.append((until - sum(d for d, _, _ in weighed), source_sizes(home), warehouse_sizes()))
        weigh(result, home, days, contacts, _growth(weighed), name)


def weigh(result: Result, home: Path, days: int, contacts: int, note: str = "", name: str = RATIO) -> None:
    """Add to ``result`` what the warehouse and the provider in ``home`` take after ``days`` of ``contacts`` each."""
    sources, stored = source_sizes(home), warehouse_sizes()
    ratio = sum(stored.values()) / sum(sources.values())
    result.ratios.append(Ratio(
        name, ratio, GOAL, (ratio, ratio),
        of=f"bytes after {days} days of {contacts:,} contacts, indexes included", note=note,
    ))  # fmt: skip
    result.tables["bytes by schema"] = _by_schema(sources, stored)
    result.tables["the largest tables"] = _rows(_TABLES)[:20]
    result.tables["what raw consists of"] = _columns("raw")[:20]
    result.tables["what marts consist of"] = _columns("marts")[:20]
    result.tables["the largest indexes"] = _rows(_INDEXES)[:20]


@contextmanager
def stage(days: int, contacts_per_day: int) -> Iterator[Path]:
    """A provider with open doors and an empty warehouse on the embedded server; dropped afterwards."""
    server = postgres.start()
    home = postgres.home() / "bench_storage"
    kept = dict(os.environ)
    shutil.rmtree(home, ignore_errors=True)
    provider.create(home, 7, days, contacts_per_day, FIRST_DAY)
    survey = survey_server.server(home, 0, survey_server.Options(user="quality", password="quality"))
    threading.Thread(target=survey.serve_forever, daemon=True).start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
            for name in DATABASES:
                conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
                conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        crm = server.url(DATABASES[1])
        os.environ.pop("QUALITY_CONFIG_DIR", None)
        os.environ.update({
            "DEMO_HOME": str(home), "DEMO_CRM_URL": crm, "AIRFLOW_CONN_CRM": crm,
            "AIRFLOW_CONN_SURVEY": f"http://quality:quality@127.0.0.1:{survey.server_address[1]}",
            "WAREHOUSE_URL": server.url(DATABASES[0]),
        })  # fmt: skip
        yield home
    finally:
        os.environ.clear()
        os.environ.update(kept)
        survey.shutdown()
        survey.server_close()
        shutil.rmtree(home, ignore_errors=True)
        with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
            for name in DATABASES:
                conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _load(home: Path, done: int, until: int) -> None:
    """Show the days ``done`` to ``until`` of the provider, load them by all doors, build."""
    first, last = FIRST_DAY + timedelta(days=done), FIRST_DAY + timedelta(days=until - 1)
    provider.play(home, last)
    window = nights(first, last, config.load().provider.zone)
    for source in Source:
        runner.load(source.value, window, config.connection_from_environment)
    runner.build()
    vacuum()


def vacuum() -> None:
    """What autovacuum does in the hours after a build: space that may be used again is, and tables are described."""
    with psycopg.connect(ops.warehouse_url(), autocommit=True) as conn:
        conn.execute("vacuum analyze")


def source_sizes(home: Path) -> Sizes:
    """Bytes of each source as it holds its data."""
    with psycopg.connect(os.environ["DEMO_CRM_URL"]) as conn:
        row = conn.execute(
            "select sum(pg_total_relation_size(oid)) from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind = 'r' and relname <> 'demo_clock'"
        ).fetchone()
    assert row is not None
    return {
        "PBX files": _bytes(home / "spool"),
        "IVR files": _bytes(home / "ivr"),
        "CRM tables": int(row[0]),
        "survey responses": _responses(home),
    }


def _responses(home: Path) -> int:
    """Bytes of the responses that the survey server shows by now."""
    until = json.loads((home / "state.json").read_text())["shown_until"]
    tables = json.loads((home / "generated" / "surveys.json").read_text())
    return sum(len(json.dumps(r)) for table in tables.values() for r in table if r["saved_at"] < until)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def warehouse_sizes() -> Sizes:
    """Bytes of ``raw`` and ``marts``, apart for rows and indexes."""
    found: Sizes = {}
    for row in _rows(_SCHEMAS):
        found[f"{row['schema']} rows"] = int(row["rows"])
        found[f"{row['schema']} indexes"] = int(row["indexes"])
    return found


_SCHEMAS = """
select relnamespace::regnamespace::text as schema,
    sum(pg_total_relation_size(oid) - pg_indexes_size(oid)) as rows, sum(pg_indexes_size(oid)) as indexes
from pg_class where relkind = 'r' and relnamespace::regnamespace::text in ('raw', 'marts') group by 1 order by 1 desc
"""

_TABLES = """
select relnamespace::regnamespace || '.' || relname as table, reltuples::bigint as rows,
    round(pg_total_relation_size(oid) / 1e6, 1)::float as "MB",
    round(pg_indexes_size(oid) / 1e6, 1)::float as "of it indexes MB",
    case when reltuples > 0 then round(pg_relation_size(oid) / reltuples)::int end as "bytes a row"
from pg_class where relkind = 'r' and relnamespace::regnamespace::text in ('raw', 'marts')
order by pg_total_relation_size(oid) desc
"""

_INDEXES = """
select i.indrelid::regclass::text as table, pg_get_indexdef(i.indexrelid, 0, true) as index,
    round(pg_relation_size(i.indexrelid) / 1e6, 1)::float as "MB"
from pg_index as i inner join pg_class as c on i.indrelid = c.oid
where c.relnamespace::regnamespace::text in ('raw', 'marts') order by pg_relation_size(i.indexrelid) desc
"""

# Widths of columns as the planner knows them: how much of all rows of a schema each column name takes.
_COLUMNS = """
select s.attname as column, count(*) as tables,
    round((sum(s.avg_width * (1 - s.null_frac) * c.reltuples) / 1e6)::numeric, 1)::float as "MB"
from pg_stats as s inner join pg_class as c
    on s.tablename = c.relname and c.relnamespace = s.schemaname::regnamespace
where s.schemaname = '{schema}' group by 1
union all
select '(row headers)', count(*), round((sum(reltuples * 28) / 1e6)::numeric, 1)::float
from pg_class where relkind = 'r' and relnamespace = '{schema}'::regnamespace
order by 3 desc
"""


def _columns(schema: str) -> list[dict[str, Any]]:
    return _rows(_COLUMNS.format(schema=schema))


def _rows(text: str) -> list[dict[str, Any]]:
    with ops.connect() as conn:
        return [dict(row) for row in conn.execute(text).fetchall()]


def _by_schema(sources: Sizes, stored: Sizes) -> list[dict[str, Any]]:
    whole = sum(sources.values())
    sums = [("all sources", whole), *stored.items(), ("raw + marts", sum(stored.values()))]
    return [
        {"what": name, "MB": round(size / 1e6, 2), "by the sources": round(size / whole, 2)}
        for name, size in [*sources.items(), *sums]
    ]


def _growth(weighed: list[tuple[int, Sizes, Sizes]]) -> str:
    if len(weighed) < 2:
        return ""
    (_, sources_before, stored_before), (days, sources, stored) = weighed[-2:]
    more = sum(stored.values()) - sum(stored_before.values())
    by = sum(sources.values()) - sum(sources_before.values())
    return f"the last {days} days alone: {more / by:.2f} ({more / days / 1e6:.2f} MB a day)"
