"""Long histories, nights of many contacts, and the pauses between nights, in which what is due is vacuumed."""

import psycopg
import pytest
from service_quality import ops

from benchmarks.centre import BLOCK_DAYS, SECONDS_APART, lengthen, thicken, undisturbed, vacuum_due


@pytest.fixture
def empty(server):
    name = "test_bench_centre"
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"drop database if exists {name} with (force)")
        admin.execute(f"create database {name}")
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"drop database if exists {name} with (force)")


@pytest.fixture
def url(empty):
    with psycopg.connect(empty, autocommit=True) as conn:
        conn.execute("create table changed (n int) partition by range (n)")  # one that cannot be vacuumed by itself
        conn.execute("create table changed_all partition of changed default")
        conn.execute("create table same (n int)")
        for table in ("changed", "same"):
            conn.execute(f"insert into {table} select generate_series(1, 2000)")
    with psycopg.connect(empty, autocommit=True) as conn:  # what a session did is counted when it ends
        conn.execute("vacuum analyze changed_all")
        conn.execute("vacuum analyze same")
        conn.execute("delete from changed where n > 500")
        conn.execute("delete from same where n > 1900")
    return empty


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


def promoted(conn):
    ops.prepare(conn)
    return conn.execute(
        "insert into ops.loads (source, window_start, window_end, status) values ('telephony', '2026-03-01Z',"
        " '2026-03-02Z', 'promoted') returning load_id"
    ).fetchone()["load_id"]


def line(conn, load, number, caller):
    conn.execute(
        "insert into raw.queue_log (server_id, file_id, line_no, event_at, callid, event, caller_hash,"
        " _load_id, _row_no, _row_hash, _loaded_at) values ('s', 'f', %s, '2026-03-01 12:00Z',"
        " '1772366400.1', 'ENTERQUEUE', %s, %s, 1, 1, now())", (number, caller, load),
    )  # fmt: skip


@pytest.mark.postgres
@pytest.mark.parametrize(("ways", "copies"), [([(2, 1)], 3), ([(1, 1), (2, 2)], 6)])
def test_history_is_what_was_loaded_repeated_back_in_time(empty, ways, copies):
    indexes = "select indexdef from pg_indexes where schemaname = 'raw' order by indexdef"
    with ops.connect(empty) as conn:
        load = promoted(conn)
        for number in (1, 2):
            line(conn, load, number, "a" * 32)
        conn.commit()
        before = conn.execute(indexes).fetchall()
    for times, blocks in ways:
        lengthen(empty, times, blocks)
    with ops.connect(empty) as conn:
        assert conn.execute(indexes).fetchall() == before
        rows = conn.execute(
            "select date '2026-03-01' - cast(event_at at time zone 'UTC' as date) as days, cast(1772366400 -"
            " cast(split_part(callid, '.', 1) as bigint) as int) as seconds, count(*) as lines,"
            " count(distinct (file_id, line_no)) as keys, min(loads.window_start) as start"
            " from raw.queue_log join ops.loads on load_id = _load_id group by 1, 2 order by 1"
        ).fetchall()
    back = [n * BLOCK_DAYS for n in range(copies)]
    assert [(r["days"], r["seconds"], r["lines"], r["keys"]) for r in rows] == [(d, d * 86400, 2, 2) for d in back]
    assert [(rows[0]["start"] - r["start"]).days for r in rows] == back


@pytest.mark.postgres
def test_the_copies_of_a_contact_come_from_other_subscribers_seconds_apart(empty):
    with ops.connect(empty) as conn:
        load = promoted(conn)
        for person in "abcde":
            conn.execute(
                "insert into raw.subscribers (subscriber_id, phone_hash, _load_id, _row_no, _row_hash, _loaded_at)"
                " values (%s, %s, 0, 1, 1, now())", (person, person * 32),
            )  # fmt: skip
        for number, caller in enumerate(["a" * 32, None]):
            line(conn, load, number, caller)
        conn.commit()
    thicken(empty, 4)
    with ops.connect(empty) as conn:
        rows = conn.execute(
            "select caller_hash, extract(epoch from event_at - '2026-03-01 12:00Z') as later from raw.queue_log"
        ).fetchall()
    called = [(row["caller_hash"][0], int(row["later"])) for row in rows if row["caller_hash"]]
    assert sorted(who for who, _ in called) == list("abcde")  # each of the four copies has a caller of its own
    assert sorted(-later for _, later in called) == [n * SECONDS_APART for n in range(5)]
    assert len(rows) == 10  # who withholds the number stays unknown
