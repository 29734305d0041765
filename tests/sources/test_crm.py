"""The same CRM in Postgres, MariaDB and SQLite gives the same rows."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from service_quality.config import ConfigError, Crm
from service_quality.contract import BY_NAME, Source, tables_of
from service_quality.sources.base import SourceError
from service_quality.sources.crm import CrmSource
from service_quality.window import Window

from tests.mariadb import MariaDb

JUNE = Window(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
TOPICS = """-- it's read between :window_start and :window_end
select
    klass as topic_class,
    id as topic_id,
    title as topic_name,
    valid_from,
    valid_to,
    changed as updated_at
from topic
where changed >= :window_start and changed < :window_end and title not like '%hidden:window_end%'
order by id;
"""
TOPIC_COLUMNS = "id integer, title varchar(60), klass char(20), valid_from date, valid_to {moment}, changed {moment}"


@dataclass
class Provider:
    """A provider's database of one kind."""

    url: str
    moment: str
    execute: object
    queries: Path

    def query(self, table: str, sql: str) -> None:
        (self.queries / f"{table}.sql").write_text(sql)

    def read(self, window: Window = JUNE, **settings) -> list[dict]:
        rows = []
        for table, batch in CrmSource(Crm(**settings), self.queries, self.url).read(window):
            assert batch.schema == BY_NAME[table.name].arrow_schema()
            assert 0 < batch.num_rows <= settings.get("batch_rows", 50_000)
            rows += batch.to_pylist()
        return rows


def _in_postgres(url: str, queries: Path, moment: str) -> Provider:
    def execute(*statements: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            for statement in statements:
                conn.execute(statement)

    return Provider(url, moment, execute, queries)


def _in_mariadb(server: MariaDb, queries: Path) -> Provider:
    database = server.create_database()
    return Provider(server.url(database), "datetime", lambda *sql: server.execute(database, *sql), queries)


def _in_sqlite(folder: Path, queries: Path) -> Provider:
    import sqlite3

    def execute(*statements: str) -> None:
        with sqlite3.connect(folder / "crm.db") as conn:
            for statement in statements:
                conn.execute(statement)

    return Provider(f"sqlite:///{folder / 'crm.db'}", "text", execute, queries)


SERVERS = [
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]
on_servers = pytest.mark.parametrize("provider", SERVERS, indirect=True)


@pytest.fixture(params=[*SERVERS, "sqlite"])
def provider(request, tmp_path) -> Provider:
    queries = tmp_path / "crm"
    queries.mkdir()
    if request.param == "postgres":
        return _in_postgres(request.getfixturevalue("database_url"), queries, "timestamp")
    if request.param == "mariadb":
        return _in_mariadb(request.getfixturevalue("mariadb_server"), queries)
    return _in_sqlite(tmp_path, queries)


@pytest.fixture
def postgres(database_url, tmp_path) -> Provider:
    return _in_postgres(database_url, tmp_path, "timestamptz")


@pytest.fixture
def mariadb(mariadb_server, tmp_path) -> Provider:
    return _in_mariadb(mariadb_server, tmp_path)


def make_topics(provider: Provider, *rows: str) -> None:
    columns = TOPIC_COLUMNS.format(moment=provider.moment)
    provider.execute(f"create table topic ({columns})", f"insert into topic values {', '.join(rows)}")
    provider.query("topics", TOPICS)


def test_rows_of_the_window_come_by_name_in_our_types(provider):
    make_topics(
        provider,
        "(1, 'Нет 100% интернета', 'technical', '2026-01-01', null, '2026-06-01 00:00:00')",
        "(2, 'Bill', 'client_service', '2026-01-01', '2026-05-01 00:00:00', '2026-06-30 23:59:59')",
        "(3, 'too early', 'x', '2026-01-01', null, '2026-05-31 23:59:59')",
        "(4, 'too late', 'x', '2026-01-01', null, '2026-07-01 00:00:00')",
    )
    assert provider.read() == [
        {
            "topic_id": "1", "topic_name": "Нет 100% интернета", "topic_class": "technical",
            "valid_from": date(2026, 1, 1), "valid_to": None, "updated_at": datetime(2026, 6, 1, tzinfo=UTC),
            "_source_ref": "topics topic_id=1,valid_from=2026-01-01", "_problems": None,
        },
        {
            "topic_id": "2", "topic_name": "Bill", "topic_class": "client_service",
            "valid_from": date(2026, 1, 1), "valid_to": date(2026, 5, 1),
            "updated_at": datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC),
            "_source_ref": "topics topic_id=2,valid_from=2026-01-01", "_problems": None,
        },
    ]  # fmt: skip


def test_times_without_zone_are_local_in_the_window_and_in_the_result(provider):
    make_topics(
        provider,
        "(1, 'before', 'x', '2026-01-01', null, '2026-06-01 01:59:59')",
        "(2, 'first', 'x', '2026-01-01', null, '2026-06-01 02:00:00')",
        "(3, 'last', 'x', '2026-01-01', null, '2026-07-01 01:59:59')",
        "(4, 'after', 'x', '2026-01-01', null, '2026-07-01 02:00:00')",
    )
    rows = provider.read(time_zone="Europe/Berlin")
    assert [r["topic_name"] for r in rows] == ["first", "last"]
    assert rows[0]["updated_at"] == JUNE.start


def test_batches_are_bounded(provider):
    rows = [f"({n}, 'topic {n}', 'x', '2026-01-01', null, '2026-06-10 00:00:00')" for n in range(25)]
    make_topics(provider, *rows)
    assert [r["topic_id"] for r in provider.read(batch_rows=10)] == [str(n) for n in range(25)]


def test_a_table_without_rows_and_an_empty_window_give_nothing(provider):
    make_topics(provider, "(1, 'a', 'x', '2026-01-01', null, '2020-01-01 00:00:00')")
    assert provider.read() == []


def test_wrong_columns_name_the_file_and_the_columns(provider):
    provider.query("topics", "select 1 as topic_id, 2 as colour")
    with pytest.raises(SourceError, match=r"topics\.sql: .*missing: topic_name, .*; surplus: colour"):
        provider.read()


def test_sql_that_the_database_refuses_names_the_file(provider):
    provider.query("topics", "select * from nowhere where updated_at >= :window_start")
    with pytest.raises(SourceError, match=r"topics\.sql: .*nowhere"):
        provider.read()


@on_servers
def test_nothing_can_be_written_through_a_query(provider):
    make_topics(provider, "(1, 'a', 'x', '2026-01-01', null, '2026-06-10 00:00:00')")
    provider.query("topics", "delete from topic")
    with pytest.raises(SourceError, match=r"topics\.sql: "):
        provider.read()
    provider.query("topics", TOPICS)
    assert len(provider.read()) == 1


def test_a_reader_that_stops_early_leaves_nothing_behind(provider):
    rows = [f"({n}, 'topic {n}', 'x', '2026-01-01', null, '2026-06-10 00:00:00')" for n in range(100)]
    make_topics(provider, *rows)
    batches = CrmSource(Crm(batch_rows=1), provider.queries, provider.url).read(JUNE)
    assert next(batches).batch.num_rows == 1
    batches.close()
    assert len(provider.read()) == 100


def test_only_the_configured_tables_are_read(provider):
    make_topics(provider, "(1, 'a', 'x', '2026-01-01', null, '2026-06-10 00:00:00')")
    provider.query("tickets", "this is not read")
    assert len(provider.read(tables=["topics"])) == 1
    with pytest.raises(ConfigError, match=r"wrap_ups\.sql: there is no such file"):
        CrmSource(Crm(tables=["topics", "wrap_ups"]), provider.queries, provider.url).read(JUNE)


def test_every_canonical_table_can_be_read(provider):
    literals = {
        "text": "'x'", "bigint": "7", "double precision": "1.5", "boolean": "1", "date": "'2026-06-02'",
        "timestamptz": "'2026-06-02 10:00:00'",
    }  # fmt: skip
    tables = tables_of(Source.CRM)
    for table in tables:
        shown = ", ".join(f"{literals[c.type]} as {c.name}" for c in table.columns)
        provider.query(table.name, f"select {shown}")
    found = list(CrmSource(Crm(), provider.queries, provider.url).read(JUNE))
    assert [e.table.name for e in found] == [t.name for t in tables]
    for extracted in found:
        (row,) = extracted.batch.to_pylist()
        assert None not in [row[c.name] for c in extracted.table.columns]
        assert row["_problems"] is None


def _unreachable(url: str) -> list[str]:
    """The same connection with another password, database and port."""
    head, _, place = url.rpartition("@")
    scheme, _, credentials = head.partition("://")
    user = credentials.partition(":")[0]
    server = place.partition("/")[0]
    return [
        f"{scheme}://{user}:topsecret%21@{place}",
        f"{scheme}://{credentials}@{server}/nosuchdatabase",
        f"{scheme}://{user}:topsecret%21@127.0.0.1:1/x",
    ]


@on_servers
def test_an_unreachable_database_is_an_error_without_the_password(provider):
    provider.query("topics", TOPICS)
    own = provider.url.rpartition("@")[0].rpartition(":")[2]
    for url in _unreachable(provider.url):
        with pytest.raises(SourceError, match=r"127\.0\.0\.1.*no connection") as caught:
            list(CrmSource(Crm(), provider.queries, url).read(JUNE))
        assert not any(secret in str(caught.value) for secret in ("topsecret", own))


@pytest.mark.postgres
def test_postgres_types_are_read_faithfully(postgres):
    postgres.execute(
        "create type tone as enum ('warm', 'rude')",
        "create table e (id uuid, tone tone, code char(8), solved boolean, at timestamptz, local timestamp)",
        "insert into e values ('00000000-0000-0000-0000-00000000000a', 'rude', 'ab', true, "
        "'2026-06-10 12:00:00.123456+03', '2026-06-10 12:00:00')",
    )
    postgres.query(
        "evaluations",
        "select id as evaluation_id, null as server_id, '{\"a\": 1}'::jsonb as call_id, code as operator_id, "
        "12.50::numeric as evaluator_id, 7 as form_id, array[1, 2] as form_version, tone, "
        "solved as is_solved, at as evaluated_at, local as updated_at from e "
        "where local >= :window_start::timestamptz and at < :window_end",
    )
    (row,) = postgres.read(time_zone="Europe/Moscow")
    del row["_source_ref"]
    assert row == {
        "evaluation_id": "00000000-0000-0000-0000-00000000000a", "server_id": None, "call_id": '{"a": 1}',
        "operator_id": "ab", "evaluator_id": "12.50", "form_id": "7", "form_version": "{1,2}", "tone": "rude",
        "is_solved": True, "evaluated_at": datetime(2026, 6, 10, 9, 0, 0, 123456, tzinfo=UTC),
        "updated_at": datetime(2026, 6, 10, 9, tzinfo=UTC), "_problems": None,
    }  # fmt: skip


@pytest.mark.postgres
def test_in_postgres_infinity_is_open_and_text_that_is_no_date_is_told(postgres):
    postgres.query(
        "topics",
        "select id as topic_id, 'x' as topic_name, 'x' as topic_class, day as valid_from, "
        "'infinity'::timestamptz as valid_to, '2026-06-10'::timestamptz as updated_at "
        "from (values (1, '2026-01-01'), (2, '0000-00-00'), (3, '-infinity'::date::text)) as t (id, day)",
    )
    rows = postgres.read()
    assert [r["valid_to"] for r in rows] == [None] * 3
    assert [r["valid_from"] for r in rows] == [date(2026, 1, 1), None, None]
    assert [r["_problems"] for r in rows] == [
        None,
        "valid_from: cannot read '0000-00-00' as date",
        "valid_from: cannot read '-infinity' as date",
    ]


@pytest.mark.postgres
def test_a_failure_in_the_middle_of_a_postgres_result_is_an_error(postgres):
    postgres.query(
        "topics",
        "select 1 / (5000 - g) as topic_id, 'x' as topic_name, 'x' as topic_class, null as valid_from, "
        "null as valid_to, now() as updated_at from generate_series(1, 10000) as g",
    )
    with pytest.raises(SourceError, match=r"topics\.sql: .*division by zero"):
        postgres.read()


@pytest.mark.postgres
@pytest.mark.parametrize("scheme", ["postgres://", "postgresql://", "postgresql+psycopg2://"])
def test_urls_of_postgres_as_airflow_writes_them(postgres, scheme):
    make_topics(postgres, "(1, 'a', 'x', '2026-01-01', null, '2026-06-10 00:00:00')")
    postgres.url = postgres.url.replace("postgresql://", scheme) + "?__extra__=%7B%22a%22%3A+1%7D"
    assert len(postgres.read()) == 1


@pytest.mark.postgres
def test_the_tables_of_one_load_are_one_snapshot(postgres):
    columns = ", ".join(f"{c.name} text" for c in BY_NAME["operators"].columns)
    make_topics(postgres, "(1, 'a', 'x', '2026-01-01', null, '2026-06-10 00:00:00')")
    postgres.execute(f"create table operator ({columns})", "insert into operator values ('o1')")
    postgres.query("operators", "select * from operator")
    batches = CrmSource(Crm(), postgres.queries, postgres.url).read(JUNE)
    assert next(batches).table.name == "operators"
    postgres.execute("delete from topic")
    assert [e.table.name for e in batches] == ["topics"]


@pytest.mark.mariadb
def test_mariadb_types_are_read_faithfully(mariadb):
    mariadb.execute(
        "create table e (id bigint unsigned, item char(8), score decimal(6,2), n_a tinyint(1), fatal bit(1), "
        "failed enum('Y','N'), kind varbinary(20), at datetime(6))",
        "insert into e values (18446744073709551615, 'ab', 12.50, 1, b'1', 'N', 'customer', "
        "'2026-06-10 12:00:00.123456'), (2, 'ab', null, 0, b'0', 'Y', null, '2026-06-10 12:00:00')",
    )
    mariadb.query(
        "evaluation_items",
        "select id as evaluation_id, item as item_id, score, 'abc' as max_score, '0.5' as weight, "
        "not n_a as is_applicable, fatal as is_fatal, failed as is_failed, kind as fatal_kind, at as updated_at "
        "from e where at between :window_start and :window_end order by id desc",
    )
    first, second = mariadb.read()
    del first["_source_ref"]
    assert first == {
        "evaluation_id": "18446744073709551615", "item_id": "ab", "score": 12.5, "max_score": None, "weight": 0.5,
        "is_applicable": False, "is_fatal": True, "is_failed": False, "fatal_kind": "customer",
        "updated_at": datetime(2026, 6, 10, 12, 0, 0, 123456, tzinfo=UTC),
        "_problems": "max_score: cannot read 'abc' as double precision",
    }  # fmt: skip
    assert (second["score"], second["is_applicable"], second["is_fatal"], second["is_failed"]) == (
        None, True, False, True,
    )  # fmt: skip


@pytest.mark.mariadb
def test_mariadb_zero_dates_are_told(mariadb):
    make_topics(mariadb, "(1, 'a', 'x', '2026-01-01', null, '2026-06-10 00:00:00')")
    mariadb.execute(
        "set sql_mode = ''",
        "insert into topic values (2, 'b', 'x', '0000-00-00', '0000-00-00 00:00:00', '2026-06-10 00:00:00')",
    )
    good, bad = mariadb.read()
    assert good["_problems"] is None
    assert (bad["valid_from"], bad["valid_to"], bad["topic_name"]) == (None, None, "b")
    assert bad["_problems"] == (
        "valid_from: cannot read '0000-00-00' as date; valid_to: cannot read '0000-00-00 00:00:00' as date"
    )


@pytest.mark.mariadb
@pytest.mark.parametrize("has_zones", [False, True])
def test_mariadb_timestamps_are_instants_with_and_without_the_servers_zone_tables(mariadb, has_zones):
    zone = _teach_zone(mariadb) if has_zones else "Europe/Berlin"
    mariadb.execute(
        "set time_zone = '+00:00'",
        f"create table topic ({TOPIC_COLUMNS.format(moment='timestamp null')})",
        "insert into topic values (1, 'before', 'x', '2026-01-01', null, '2026-05-31 23:59:59'), "
        "(2, 'first', 'x', '2026-01-01', '2026-01-01 22:30:00', '2026-06-01 00:00:00'), "
        "(3, 'last', 'x', '2026-01-01', null, '2026-06-30 23:59:59'), "
        "(4, 'after', 'x', '2026-01-01', null, '2026-07-01 00:00:00')",
    )
    mariadb.query("topics", TOPICS)
    rows = mariadb.read(time_zone=zone)
    assert [(r["topic_name"], r["updated_at"]) for r in rows] == [
        ("first", JUNE.start),
        ("last", datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)),
    ]
    assert rows[0]["valid_to"] == date(2026, 1, 1), "summer time must not shift a day in winter"


def _teach_zone(provider: Provider) -> str:
    """Fill the server's zone tables with Vienna, and with it only: the other tests want a server without."""
    changes = {datetime(2025, 10, 26, 1): 0, datetime(2026, 3, 29, 1): 1, datetime(2026, 10, 25, 1): 0}
    transitions = [f"(7, {int(at.replace(tzinfo=UTC).timestamp())}, {kind})" for at, kind in changes.items()]
    provider.execute(
        "use mysql",
        "replace into time_zone values (7, 'N')",
        "replace into time_zone_name values ('Europe/Vienna', 7)",
        "replace into time_zone_transition_type values (7, 0, 3600, 0, 'CET'), (7, 1, 7200, 1, 'CEST')",
        f"replace into time_zone_transition values {', '.join(transitions)}",
    )
    return "Europe/Vienna"


@pytest.mark.mariadb
@pytest.mark.parametrize("moment", ["datetime", "timestamp null"])
def test_without_zone_tables_no_hour_is_missed_when_the_clocks_change_in_the_window(mariadb, moment):
    shift = 0 if moment == "datetime" else 1  # local time of Berlin, or UTC
    mariadb.execute(
        "set time_zone = '+00:00'",
        f"create table topic ({TOPIC_COLUMNS.format(moment=moment)})",
        f"insert into topic values (1, 'last', 'x', '2026-01-01', null, '2026-10-25 {23 - shift}:30:00'), "
        f"(2, 'next', 'x', '2026-01-01', null, '2026-10-26 {12 - shift}:30:00')",
    )
    mariadb.query("topics", TOPICS)
    day = Window(datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC))
    (row,) = mariadb.read(day, time_zone="Europe/Berlin")
    assert row["updated_at"] == datetime(2026, 10, 25, 22, 30, tzinfo=UTC)


@pytest.mark.mariadb
@pytest.mark.parametrize("scheme", ["mysql://", "mariadb://", "mysql+mysqldb://"])
def test_urls_of_mysql_as_airflow_writes_them(mariadb, scheme):
    make_topics(mariadb, "(1, 'ё', 'x', '2026-01-01', null, '2026-06-10 00:00:00')")
    mariadb.url = mariadb.url.replace("mysql://", scheme) + "?__extra__=%7B%7D"
    assert [r["topic_name"] for r in mariadb.read()] == ["ё"]


MEASURE = """
import resource, sys
from pathlib import Path
from datetime import UTC, datetime
from service_quality.config import Crm
from service_quality.sources.crm import CrmSource
from service_quality.window import Window

peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
window = Window(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
batches = CrmSource(Crm(batch_rows=5000), Path(sys.argv[1]), sys.argv[2]).read(window)
rows, first = next(batches).batch.num_rows, peak()
rows += sum(batch.num_rows for _, batch in batches)
print(rows, peak() - first)
"""


@pytest.mark.parametrize("kind", SERVERS)
def test_memory_does_not_grow_with_the_result(kind, request):
    provider: Provider = request.getfixturevalue(kind)
    series = "generate_series(1, 200000) as g" if kind == "postgres" else "seq_1_to_200000"
    number = "g" if kind == "postgres" else "seq"
    provider.query(
        "topics",
        f"select {number} as topic_id, repeat('x', 400) as topic_name, 'x' as topic_class, '2026-01-01' as valid_from, "
        f"null as valid_to, '2026-06-10 00:00:00' as updated_at from {series}",
    )
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(provider.queries), provider.url],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows, grown_kib = map(int, done.stdout.split())
    assert rows == 200_000
    assert grown_kib < 40 * 1024, "the result has about 80 MB; only some batches of it may be held"
