from __future__ import annotations

import os
import signal
from datetime import timedelta

import pyarrow as pa
import pytest
from landed import MONDAY, all_rows, batch, day_window, emptied, land, one, rows
from service_quality import gate, landing, ops, promote
from service_quality.config import Phone, Settings
from service_quality.contract import BY_NAME, TABLES, Source
from service_quality.local import postgres
from service_quality.sources.base import Extracted, SourceError

SETTINGS = Settings.model_validate({"provider": {"name": "x", "time_zone": "UTC"}})


@pytest.fixture
def conn(prepared_url):
    with emptied(prepared_url) as conn:
        yield conn


def partitions(conn):
    return [r[0] for r in all_rows(conn, "select relname::text from pg_class inner join pg_inherits on oid = inhrelid"
                                         " where relispartition and relkind = 'r' order by 1")]  # fmt: skip


def test_rows_of_interleaved_tables_are_numbered_and_counted_by_table(conn):
    def extracted():
        yield batch("queue_log", rows("queue_log", 2))
        yield batch("cdr", rows("cdr", 1))
        yield batch("queue_log", rows("queue_log", 3, line_no=lambda n: n + 10))

    load = land(conn, Source.TELEPHONY, extracted(), ["queue_log", "cdr"])
    counts = all_rows(conn, "select table_name, rows_read from ops.load_tables order by 1")
    assert counts == [("cdr", 1), ("queue_log", 5)]
    assert all_rows(conn, "select _row_no, line_no, _load_id from landing.queue_log order by 1") == [
        (1, 1, load.load_id), (2, 2, load.load_id), (3, 10, load.load_id), (4, 11, load.load_id), (5, 12, load.load_id),
    ]  # fmt: skip
    assert one(conn, "select rows_read from ops.loads") == 6
    assert load.status == "landing"


def test_rows_of_large_files_keep_what_is_alike_in_each_of_them(conn):
    files = {"it's one": 2_500, "two": 2_500, "few": 3}
    given = [
        batch("queue_log", rows("queue_log", count, file_id=name, line_no=lambda n: n + 1, caller_name=caller))
        for (name, count), caller in zip(
            files.items(), (None, lambda n: f"caller {n}" if n % 2 else None, None), strict=True
        )
    ]
    mixed = [*rows("queue_log", 2_500, file_id="three"), *rows("queue_log", 1, file_id="four")]
    unknown = [*rows("queue_log", 2_500, file_id="five"), *rows("queue_log", 1, file_id=None)]
    given += [batch("queue_log", mixed), batch("queue_log", unknown), batch("queue_log", rows("queue_log", 1))]
    land(conn, Source.TELEPHONY, given, ["queue_log"])
    landed = all_rows(conn, "select file_id, server_id, count(*) from landing.queue_log group by 1, 2"
                            " order by min(_row_no)")  # fmt: skip
    server, file = (rows("queue_log", 1)[0][c] for c in ("server_id", "file_id"))
    assert landed == [(name, server, count) for name, count in files.items()] + [
        ("three", server, 2_500), ("four", server, 1), ("five", server, 2_500), (None, server, 1), (file, server, 1),
    ]  # fmt: skip
    named = all_rows(conn, "select file_id, caller_name from landing.queue_log where caller_name is not null")
    assert sorted(named) == sorted(("two", f"caller {n}") for n in range(1, 2_500, 2))
    assert one(conn, "select array_agg(distinct _row_no) = array(select generate_series(bigint '1', 10006)) from"
                     " landing.queue_log")  # fmt: skip


def test_values_of_every_type_arrive_as_they_were(conn):
    values = rows("evaluation_items", 1, score=0.1, is_fatal=True, updated_at=MONDAY + timedelta(microseconds=7))
    land(conn, Source.CRM, [batch("evaluation_items", values)], ["evaluation_items"])
    branch = rows("branches", 1, branch_name="Ярославль 'О'")
    land(conn, Source.CRM, [batch("branches", branch)], ["branches"], day_window(1))
    assert all_rows(conn, "select score, is_fatal, is_failed, updated_at from landing.evaluation_items") == [
        (0.1, True, None, MONDAY + timedelta(microseconds=7))
    ]
    assert all_rows(conn, "select branch_name, valid_from from landing.branches") == [
        ("Ярославль 'О'", branch[0]["valid_from"])
    ]


def test_tables_without_rows_get_a_partition_and_a_count_too(conn):
    load = land(conn, Source.TELEPHONY, [], ["queue_log", "cdr"])
    assert partitions(conn) == [f"cdr__{load.load_id}", f"queue_log__{load.load_id}"]
    assert all_rows(conn, "select rows_read from ops.load_tables") == [(0,), (0,)]


@pytest.mark.parametrize("table", [t.name for t in TABLES])
def test_every_table_of_the_contract_can_be_landed(conn, table):
    land(conn, BY_NAME[table].source, [batch(table, rows(table, 2))], [table])
    assert one(conn, f"select count(*) from landing.{table}") == 2


def test_landing_the_window_again_drops_the_earlier_rows_but_not_those_of_other_windows(conn):
    other = land(conn, Source.IVR, [batch("ivr_ratings", rows("ivr_ratings", 1))], ["ivr_ratings"], day_window(1))
    first = land(conn, Source.IVR, [batch("ivr_ratings", rows("ivr_ratings", 2))], ["ivr_ratings"])
    second = land(conn, Source.IVR, [batch("ivr_ratings", rows("ivr_ratings", 3))], ["ivr_ratings"])
    assert ops.get_load(conn, first.load_id).status == "superseded"
    assert partitions(conn) == [f"ivr_ratings__{other.load_id}", f"ivr_ratings__{second.load_id}"]


def test_an_error_of_the_source_leaves_a_failed_load_and_no_rows(conn):
    def broken():
        yield batch("queue_log", rows("queue_log", 2))
        raise SourceError("the spool folder went away")

    with pytest.raises(SourceError, match="went away"):
        land(conn, Source.TELEPHONY, broken(), ["queue_log", "cdr"])
    assert partitions(conn) == []
    assert all_rows(conn, "select status, error from ops.loads") == [
        ("failed", "SourceError: the spool folder went away")
    ]
    assert one(conn, "select count(*) from ops.load_tables") == 0


def test_a_batch_that_does_not_fit_the_contract_is_refused_by_name(conn):
    table = BY_NAME["operators"]
    schema = table.arrow_schema().remove(2).append(pa.field("salary", pa.float64()))
    odd = Extracted(table, pa.RecordBatch.from_pylist([], schema=schema))
    with pytest.raises(landing.LandingError, match=r"operators.*missing: hired_on.*unexpected: salary"):
        land(conn, Source.CRM, [odd], ["operators"])


def test_a_table_that_the_provider_does_not_have_is_refused(conn):
    with pytest.raises(landing.LandingError, match="cdr, which is not among its tables"):
        land(conn, Source.TELEPHONY, [batch("cdr", rows("cdr", 1))], ["queue_log"])


def test_a_text_that_postgres_cannot_hold_is_refused_with_its_column(conn):
    values = rows("operators", 3, operator_name=lambda n: "An\x00na" if n == 1 else "Anna")
    with pytest.raises(landing.LandingError, match=r"operators: .*0x00.*operator_name"):
        land(conn, Source.CRM, [batch("operators", values)], ["operators"])
    assert one(conn, "select status from ops.loads") == "failed"


def test_drop_is_idempotent(conn):
    load = land(conn, Source.CRM, [batch("operators", rows("operators", 1))], ["operators"])
    landing.drop(conn, load.load_id)
    landing.drop(conn, load.load_id)
    assert partitions(conn) == []


@pytest.fixture
def own_server(tmp_path, monkeypatch):
    """A server that may be crashed."""
    monkeypatch.setenv("QUALITY_HOME", str(tmp_path))
    yield postgres.start
    postgres.remove()


def test_a_crash_of_the_server_empties_landing_and_the_window_is_landed_again(own_server):
    postgres.ensure_database(own_server(), "warehouse")
    with ops.connect(own_server().url("warehouse")) as conn:
        ops.prepare(conn)
        load = land(conn, Source.IVR, [batch("ivr_ratings", rows("ivr_ratings", 2))], ["ivr_ratings"])
        gated = land(conn, Source.IVR, [batch("ivr_ratings", rows("ivr_ratings", 2))], ["ivr_ratings"], day_window(1))
        ops.set_load(conn, gated.load_id, "gated")
        conn.commit()
    base = postgres._data_base()
    stop = [postgres._bin(base) / "pg_ctl", "-D", base / "data", "-m", "immediate", "-w", "stop"]
    postgres._run(stop, postgres._user())
    with ops.connect(own_server().url("warehouse")) as conn:
        assert partitions(conn) == [f"ivr_ratings__{load.load_id}", f"ivr_ratings__{gated.load_id}"]
        with pytest.raises(gate.GateError, match=r"is empty, 2 rows were landed there.*load the window again"):
            gate.judge_load(conn, load, SETTINGS, [BY_NAME["ivr_ratings"]])
        with pytest.raises(promote.PromoteError, match=r"2 rows were landed, but none is there.*load the window again"):
            promote.promote(conn, ops.get_load(conn, gated.load_id), "pepper", Phone())
        again = land(conn, Source.IVR, [batch("ivr_ratings", rows("ivr_ratings", 2))], ["ivr_ratings"])
        gate.judge_load(conn, again, SETTINGS, [BY_NAME["ivr_ratings"]])
        done = promote.promote(conn, ops.get_load(conn, again.load_id), "pepper", Phone())
        assert done["ivr_ratings"]["rows_raw"] == 2


def shares(*parts):
    return [lambda part=part: iter(part) for part in parts]


def test_parts_of_a_load_are_landed_by_processes_and_counted_together(conn):
    def lines(first, count):
        return batch("queue_log", rows("queue_log", count, line_no=lambda n: first + n))

    load = ops.open_load(conn, Source.TELEPHONY, day_window())
    parts = shares([lines(1, 3), batch("cdr", rows("cdr", 2)), lines(4, 1)], [lines(10, 2)], [])
    tables = [BY_NAME["queue_log"], BY_NAME["cdr"]]
    assert landing.land_shares(conn, load, parts, tables) == {"queue_log": 6, "cdr": 2}
    counts = all_rows(conn, "select table_name, rows_read from ops.load_tables order by 1")
    assert counts == [("cdr", 2), ("queue_log", 6)]
    found = all_rows(conn, "select line_no from landing.queue_log where _load_id = %s order by 1", load.load_id)
    assert found == [(1,), (2,), (3,), (4,), (10,), (11,)]
    assert one(conn, "select count(distinct _row_no) from landing.queue_log") == 6
    assert one(conn, "select rows_read from ops.loads") == 8


def test_each_process_keeps_what_is_alike_in_its_own_files(conn):
    def file(name):
        return batch("queue_log", rows("queue_log", 2_500, file_id=name, line_no=lambda n: n + 1))

    load = ops.open_load(conn, Source.TELEPHONY, day_window())
    parts = shares([file("one"), file("two")], [file("three")])
    landing.land_shares(conn, load, parts, [BY_NAME["queue_log"]])
    landed = all_rows(conn, "select file_id, count(*), bool_and(_load_id = %s),"
                            " max(_row_no) - min(_row_no) from landing.queue_log group by 1 order by min(_row_no)",
                      load.load_id)  # fmt: skip
    assert landed == [(name, 2_500, True, 2_499) for name in ("one", "two", "three")]
    assert one(conn, "select count(distinct _row_no) from landing.queue_log") == 7_500
    gate.judge_load(conn, load, SETTINGS, [BY_NAME["queue_log"]])
    done = promote.promote(conn, ops.get_load(conn, load.load_id), "pepper", Phone())
    assert done["queue_log"]["rows_raw"] == 7_500
    landing.drop(conn, load.load_id)
    assert partitions(conn) == []


def broken_share():
    yield batch("queue_log", rows("queue_log", 1))
    raise SourceError("the spool folder went away")


def killed_share():
    os.kill(os.getpid(), signal.SIGKILL)
    yield


@pytest.mark.parametrize(("share", "kind", "words"), [
    (broken_share, SourceError, "went away"),
    (killed_share, landing.LandingError, "without a word"),
    (lambda: iter([batch("cdr", rows("cdr", 1))]), landing.LandingError, "not among its tables"),
    (lambda: 1 / 0, landing.LandingError, "ZeroDivisionError"),
])  # fmt: skip
def test_an_error_in_one_process_leaves_a_failed_load_and_no_rows(conn, share, kind, words):
    load = ops.open_load(conn, Source.TELEPHONY, day_window())
    sound = shares([batch("queue_log", rows("queue_log", 2))])
    with pytest.raises(kind, match=words):
        landing.land_shares(conn, load, [*sound, share], [BY_NAME["queue_log"]])
    assert one(conn, "select to_regclass(%s)", f"landing.queue_log__{load.load_id}") is None
    assert one(conn, "select count(*) from ops.load_tables") == 0
    assert ops.get_load(conn, load.load_id).status == "failed"


def test_many_small_batches_of_one_table_are_counted_once(conn):
    def extracted():
        for n in range(50):
            yield batch("queue_log", rows("queue_log", 10, line_no=lambda k, n=n: n * 10 + k))

    load = ops.open_load(conn, Source.TELEPHONY, day_window())
    assert landing.land(conn, load, extracted(), [BY_NAME["queue_log"]]) == {"queue_log": 500}
    assert one(conn, "select count(distinct _row_no) from landing.queue_log") == 500
