"""The pauses between measured nights: what is due is vacuumed there, and not while another history is measured."""

import psycopg
import pytest

from benchmarks.centre import undisturbed, vacuum_due


@pytest.fixture
def url(server):
    name = "test_bench_centre"
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"drop database if exists {name} with (force)")
        admin.execute(f"create database {name}")
    with psycopg.connect(server.url(name), autocommit=True) as conn:
        conn.execute("create table changed (n int) partition by range (n)")  # one that cannot be vacuumed by itself
        conn.execute("create table changed_all partition of changed default")
        conn.execute("create table same (n int)")
        for table in ("changed", "same"):
            conn.execute(f"insert into {table} select generate_series(1, 2000)")
    with psycopg.connect(server.url(name), autocommit=True) as conn:  # what a session did is counted when it ends
        conn.execute("vacuum analyze changed_all")
        conn.execute("vacuum analyze same")
        conn.execute("delete from changed where n > 500")
        conn.execute("delete from same where n > 1900")
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"drop database if exists {name} with (force)")


def left_over(url):
    with psycopg.connect(url) as conn:
        found = conn.execute("select relname, n_dead_tup from pg_stat_user_tables where relname <> 'changed'")
        return dict(found.fetchall())


@pytest.mark.postgres
def test_what_is_due_is_vacuumed_and_nothing_else(url):
    assert left_over(url) == {"changed_all": 1500, "same": 100}
    vacuum_due(url)
    assert left_over(url) == {"changed_all": 0, "same": 100}


@pytest.mark.postgres
def test_the_server_leaves_an_undisturbed_database_alone(url):
    undisturbed(url)
    with psycopg.connect(url) as conn:
        kept = "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        off = "'autovacuum_enabled=off' = any(reloptions)"
        assert conn.execute(f"{kept} and {off}").fetchone() == conn.execute(kept).fetchone() == (2,)
