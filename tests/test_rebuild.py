"""Facts and quality marts built by DuckDB are those that Postgres builds, cell for cell, and nights go on from them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from service_quality import analyse, contract, ops, rebuild, transform

from tests.dbt.test_models import DAYS, UNTIL, rows, write, write_cdr, write_log, write_others

pytestmark = pytest.mark.postgres

SCALARS = {"default_time_zone": "Europe/Moscow"}


@pytest.fixture(scope="module")
def url(server) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name}")
    with ops.connect(server.url(name)) as conn:
        ops.prepare(conn)
        analyse.prepare(conn)
        conn.execute("insert into ops.builds (build_id, status, load_ids, touched_days, settings_hash, is_full)"
                     " overriding system value values (1, 'planned', '{}', '{}', '', true)")  # fmt: skip
        conn.commit()
    for table in contract.TABLES:
        write(server.url(name), table.name, [])
    write_log(server.url(name))
    write_cdr(server.url(name))
    write_others(server.url(name))
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)")


def plan(is_full: bool) -> transform.Plan:
    return transform.Plan(1, DAYS, UNTIL, DAYS[-1], is_full, SCALARS)


def in_postgres(url: str, is_full: bool) -> None:
    with ops.connect(url) as conn:
        transform.run_models(
            conn, url, plan(is_full), ["--select", *rebuild.SELECTION, "--indirect-selection", "cautious"]
        )


def cells(url: str) -> dict[str, list[str]]:
    """Every row of every table that is taken over, as text."""
    query = "select cast(t as text) as row from {}.{} as t order by 1"
    return {
        f"{schema}.{table}": [r["row"] for r in rows(url, query.format(schema, table))]
        for schema, table in rebuild.tables(transform.manifest())
    }


def structure(url: str) -> list[dict[str, str]]:
    """Columns with their types, and indexes but for the digits of their names."""
    return rows(
        url,
        "select table_schema, table_name, column_name, data_type from information_schema.columns"
        " where table_schema in ('candidate', 'intermediate') union all"
        " select schemaname, tablename, 'index', regexp_replace(indexdef, '^.* USING', '') from pg_indexes"
        " where schemaname in ('candidate', 'intermediate') order by 1, 2, 3, 4",
    )


def test_both_engines_give_the_same_cells_and_a_night_changes_none(url):
    in_postgres(url, is_full=True)
    wanted, shape = cells(url), structure(url)
    assert wanted["candidate.fct_contacts"] and wanted["candidate.branch_quality_daily"]
    with ops.connect(url) as conn:
        statuses = rebuild.build_selection(conn, url, plan(is_full=True))
    assert set(statuses.values()) <= {"success", "pass"}
    assert cells(url) == wanted
    assert structure(url) == shape
    in_postgres(url, is_full=False)
    assert cells(url) == wanted


def test_full_rebuilds_only_and_only_when_asked():
    assert rebuild.engine(is_full=True) == "postgres"
    assert rebuild.engine(is_full=True, wanted="duckdb") == "duckdb"
    with pytest.raises(ValueError, match="full rebuilds"):
        rebuild.engine(is_full=False, wanted="duckdb")


def test_full_rebuilds_sort_in_more_memory_than_nights(url):
    with ops.connect(url) as conn:
        usual = conn.execute("select pg_size_bytes(current_setting('work_mem')) as bytes").fetchone()["bytes"]
    probe = "select pg_size_bytes(current_setting('work_mem')) as bytes"

    def memory(is_full: bool) -> int:
        shown = transform.invoke(url, ["show", "--inline", probe, "--output", "json"], {"full_rebuild": is_full})
        assert shown.success, shown.exception
        return int(shown.result.results[0].agate_table.rows[0]["bytes"])

    assert memory(is_full=False) == usual
    assert memory(is_full=True) > usual
