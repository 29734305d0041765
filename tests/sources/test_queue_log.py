"""queue_log as files and as a realtime table."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from service_quality.sources import queue_log
from service_quality.sources.base import History, SourceError

from tests.pbx import SAMPLE, column, instant, lines, normal, read, server, span

E0 = 1_795_000_000
REALTIME = {"form": "realtime", "connection": "pbx_db"}
COLUMNS = "time, callid, queuename, agent, event, data1, data2, data3, data4, data5"


def one(tmp_path, line: str) -> dict:
    lines(tmp_path / "queue_log", f"{E0}|NONE|NONE|NONE|QUEUESTART|", line)
    return read(server(tmp_path))[1]


# -- times -----------------------------------------------------------------------------------------------


def test_ten_digits_are_read_wherever_they_stand_and_nothing_else_is():
    """Eight characters are read at once: each of the ten, at each distance from a multiple of eight, may be odd."""
    starts, expected, text = [], [], ""
    for character in "0123456789/:|Ax \x00\xff":
        for place in range(10):
            for shift in range(8):
                text += "." * ((shift - len(text)) % 8)
                time = "1795000000"[:place] + character + "1795000000"[place + 1 :]
                starts.append(len(text))
                expected.append(int(time) if time.isascii() and time.isdigit() else None)
                text += time + "|"
    data = pa.py_buffer(text.encode("latin-1"))
    seconds, plain = queue_log._ten_digits(data, np.array(starts, np.int32))
    assert [int(s) if p else None for s, p in zip(seconds, plain, strict=True)] == expected
    assert not queue_log._ten_digits(pa.py_buffer(b"1795000000"), np.array([0, 3]))[1].any(), "no end: not all there"
    assert not queue_log._ten_digits(None, np.array([0]))[1].any()


# -- the normal form ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logged", "params"),
    [
        ("CONNECT|3|1795417849.205|3", "3|1795417849.205|3"),
        ("COMPLETEAGENT|3|120|1", "3|120|1"),
        ("ABANDON|1|1|", "1|1"),
        ("ATTENDEDTRANSFER|LINK|SIP/a-1|Local/5@x-1;2|4|60|1", "LINK|SIP/a-1|Local/5@x-1;2|4|60|1"),
        ("PAUSE|", ""),
        ("PAUSE", ""),
        ("PAUSE|Обед", "Обед"),
        ("WRAPUPSTART|a||b||", "a||b"),
        ("UNSEEN_VERB|x", "x"),
        ('PAUSE|"lunch" \\ tea', "lunch  tea"),
    ],
)
def test_parameters_are_joined_without_trailing_empty_ones(tmp_path, logged, params):
    row = one(tmp_path, f"{E0 + 1}|{E0}.1|q|Agent/1|{logged}")
    assert (row["event"], row["params"], row["_problems"]) == (logged.split("|")[0], params, None)
    assert row["caller"] is None and row["caller_name"] is None


@pytest.mark.parametrize(
    ("logged", "caller", "name", "params"),
    [
        ("|79990001234|1", "79990001234", None, "||1"),
        ("http://x|79990001234|2|Иван", "79990001234", "Иван", "http://x||2"),
        ("||1", None, None, "||1"),
        ("|anonymous|1|", "anonymous", None, "||1"),
        ("|79990001234|1|Ivan|and more", "79990001234", "Ivan|and more", "||1"),
        ("", None, None, ""),
        ("|79990001234", "79990001234", None, ""),
    ],
)
def test_the_caller_stands_in_a_column_of_his_own_and_nowhere_else(tmp_path, logged, caller, name, params):
    row = one(tmp_path, f"{E0 + 1}|{E0}.1|q|NONE|ENTERQUEUE|{logged}")
    assert (row["caller"], row["caller_name"], row["params"]) == (caller, name, params)
    assert row["_problems"] is None


def test_a_row_says_where_and_when_it_was_logged(tmp_path):
    row = one(tmp_path, f"{E0 + 1}.75|{E0}.1|q|NONE|CONNECT|3|x|3")
    assert row["time_text"] == f"{E0 + 1}.75"
    assert row["event_at"] == datetime.fromtimestamp(E0 + 1, UTC)
    assert row["_source_ref"] == "queue_log:2" and row["line_no"] == 2
    assert row["log_seq"] == E0 * 2**31 + 2


# -- odd lines ----------------------------------------------------------------------------------------


def test_lines_that_cannot_be_read_stay_with_their_neighbours_and_fall_into_one_window(tmp_path):
    content = [
        "garbage without any bar",
        f"{E0}|{E0}.1|q|NONE|CONNECT|1|x|1",
        "notime|1.1|q|NONE|CONNECT|1|x|1",
        f"{E0 + 60}|too|few",
        f"{E0 + 60}|1.1|q|NONE||x",
        f"{E0 + 90}|2.2|q|NONE|CONNECT|1|x|1",
        "9999999999|1.1|q|NONE|CONNECT|1|x|1",
        "   ",
    ]
    lines(tmp_path / "queue_log", *content)
    early = read(server(tmp_path), window=span("2026-11-01", f"{datetime.fromtimestamp(E0 + 30, UTC):%FT%T}"))
    late = read(server(tmp_path), window=span(f"{datetime.fromtimestamp(E0 + 30, UTC):%FT%T}", "2026-12-01"))
    assert column(early, "line_no") == [1, 2, 3]
    assert column(late, "line_no") == [4, 5, 6, 7]
    first, _, third = early
    assert first["params"] == content[0] and first["event"] is None and first["time_text"] is None
    assert "fewer than 5 fields" in first["_problems"] and "event_at" in first["_problems"]
    assert third["event"] == "CONNECT" and third["event_at"] == early[1]["event_at"]
    assert [bool(r["_problems"]) for r in late] == [True, True, False, True]
    assert late[0]["params"] == content[3]
    assert late[1]["_problems"] == "event: empty"
    assert late[3]["time_text"] == "9999999999"


def test_windows_line_ends_and_a_byte_order_mark_belong_to_no_value(tmp_path):
    path = tmp_path / "queue_log"
    path.write_bytes(b"\xef\xbb\xbf" + f"{E0}|1.1|q|a|PAUSE|\r\n{E0}|1.1|q|a|PAUSE|tea\r\n".encode())
    rows = read(server(tmp_path))
    assert column(rows, "time_text") == [str(E0)] * 2
    assert column(rows, "params") == ["", "tea"]
    assert column(rows, "_problems") == [None, None]


def test_nul_characters_go_and_are_noted_unless_a_crash_left_them_before_the_line(tmp_path):
    path = tmp_path / "queue_log"
    first = f"{E0}|1.1|q|a|PAUSE|x\n".encode()
    path.write_bytes(first + b"\0" * 99 + f"{E0}|NONE|NONE|NONE|QUEUESTART|\n{E0}|1.1|q|a\0b|PAUSE|\n".encode())
    rows = read(server(tmp_path))
    assert column(rows, "event") == ["PAUSE", "QUEUESTART", "PAUSE"]
    assert column(rows, "_problems") == [None, None, "line: had NUL characters"]
    assert rows[2]["agent"] == "ab"


def test_text_in_another_encoding_is_read_by_configuration(tmp_path):
    (tmp_path / "queue_log").write_bytes(f"{E0}|1.1|q|Иван|PAUSE|Обед\n".encode("cp1251"))
    drop = {"spool": str(tmp_path), "encoding": "cp1251"}
    row = read(server(tmp_path, queue_log=drop))[0]
    assert (row["agent"], row["params"], row["_problems"]) == ("Иван", "Обед", None)


def test_bytes_of_another_encoding_lose_no_row_and_are_noted_where_they_matter(tmp_path):
    text = f"{E0}|1.1|q|a|ENTERQUEUE||7999|1|Иван\n{E0}|1.1|q|a|PAUSE|Обед\n{E0}|1.1|q|Иван|PAUSE|\n"
    (tmp_path / "queue_log").write_bytes(text.encode("cp1251"))
    rows = read(server(tmp_path))
    assert [bool(r["_problems"]) for r in rows] == [False, False, True]
    assert rows[0]["caller"] == "7999"
    assert "agent: bytes" in rows[2]["_problems"]


# -- the realtime table -------------------------------------------------------------------------------


def create(url: str, time_type: str = "timestamp", columns: str = "") -> None:
    columns = columns or "data1 text, data2 text, data3 text, data4 text, data5 text"
    with psycopg.connect(url) as connection:
        connection.execute(
            f"create table queue_log (id bigserial primary key, time {time_type}, callid text,"
            f" queuename text, agent text, event text, {columns})"
        )


def insert(url: str, *rows: tuple) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            f"insert into queue_log ({COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(*row, *[""] * (10 - len(row))) for row in rows],
        )


def read_table(url: str, zone: str = "Europe/Moscow", **options) -> list[dict]:
    table = {**REALTIME, **options.pop("table_options", {})}
    return read(server("", zone, queue_log=table), url=url, **options)


@pytest.fixture
def sample_in_files(tmp_path):
    for name in ("queue_log", "queue_log.0"):
        (tmp_path / name).write_bytes((SAMPLE / name).read_bytes())
    return sorted(read(server(tmp_path)), key=lambda r: r["log_seq"])


@pytest.mark.parametrize("time_type", ["timestamp", "varchar(26)", "timestamptz", "timestamp(0)"])
def test_both_forms_of_the_recording_give_the_same_events(database_url, sample_in_files, time_type):
    create(database_url, time_type)
    with (SAMPLE / "queue_log_realtime.csv").open() as file:
        rows = [tuple(r.values()) for r in csv.DictReader(file)]
    moscow = "+03:00" if time_type == "timestamptz" else ""
    insert(database_url, *[(r[1][: 19 if "(0)" in time_type else None] + moscow, *r[2:]) for r in rows])
    found = read_table(database_url)
    assert len(found) == len(sample_in_files) == 457
    assert column(found, "log_seq") == column(found, "line_no") == list(range(1, 458))
    assert not any(column(found, "_problems"))
    files, table = normal(sample_in_files), normal(found)
    unlike = [(f, t) for f, t in zip(files, table, strict=True) if f != t]
    assert len(unlike) == 1
    f, t = unlike[0]
    assert abs(f.pop("event_at") - t.pop("event_at")) == timedelta(seconds=1)
    assert f == t


def test_parameters_beyond_the_fifth_and_glued_ones_come_out_as_in_the_file(database_url, tmp_path):
    create(database_url)
    moment = "2026-11-23 10:00:00.5"
    epoch = int(instant("2026-11-23T07:00:00").timestamp())
    insert(
        database_url,
        (moment, "1.1", "q", "a", "ATTENDEDTRANSFER", "LINK", "SIP/a-1", "Local/5@x-1^3B2", "4", "60|1"),
        (moment, "1.1", "q", "a", "PAUSE", "tea (hot|sweet|", "", "", "", ""),
        (moment, "1.1", "q", "a", "PAUSE", "say hi", "", "", "", ""),
        (moment, "1.1", "q", "a", "ENTERQUEUE", "", "7999", "1", "Ivan", ""),
        (moment, "1.1", "q", "a", "ENTERQUEUE", None, None, "1", None, None),
    )
    lines(
        tmp_path / "queue_log",
        f"{epoch}|1.1|q|a|ATTENDEDTRANSFER|LINK|SIP/a-1|Local/5@x-1;2|4|60|1",
        f"{epoch}|1.1|q|a|PAUSE|tea (hot|sweet|",
        f'{epoch}|1.1|q|a|PAUSE|say "hi"',
        f"{epoch}|1.1|q|a|ENTERQUEUE||7999|1|Ivan",
        f"{epoch}|1.1|q|a|ENTERQUEUE|||1",
    )
    assert normal(read_table(database_url)) == normal(read(server(tmp_path)))


def test_the_older_shape_with_one_data_column_and_queue(database_url):
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "create table queue_log (id serial, time varchar(20), callid text, queue text, agent text,"
            " event text, data text)"
        )
        connection.execute("insert into queue_log values (7, '1795417639', '1.1', 'q', 'a', 'ENTERQUEUE', '|7999|1')")
    row = read_table(database_url)[0]
    assert (row["queue"], row["caller"], row["params"], row["line_no"]) == ("q", "7999", "||1", 7)
    assert row["event_at"] == datetime.fromtimestamp(1795417639, UTC) and row["file_id"] == "table"
    assert len(read_table(database_url, window=span("2026-11-23T07:07:19", "2026-11-23T07:07:20"))) == 1
    assert not read_table(database_url, window=span("2026-11-23T07:07:20", "2026-11-24"))


@pytest.mark.parametrize("time_type", ["timestamp", "varchar(26)"])
def test_rows_in_the_doubled_hour_are_dated_by_their_order(database_url, time_type):
    create(database_url, time_type)
    local = ["02:59:59", "03:10:00", "03:50:00", "03:05:00", "03:55:00", "04:00:00"]
    insert(database_url, *[(f"2026-10-25 {t}.000001", "NONE", "q", f"a{t}", "PAUSE") for t in local])
    utc = ["23:59:59", "00:10:00", "00:50:00", "01:05:00", "01:55:00", "02:00:00"]
    assert [f"{r['event_at']:%T}" for r in read_table(database_url, "Europe/Riga")] == utc
    hours = [span(f"2026-10-25T{h:02}:00", f"2026-10-25T{h + 1:02}:00") for h in range(3)]
    parts = [read_table(database_url, "Europe/Riga", window=hour) for hour in hours]
    assert [len(p) for p in parts] == [2, 2, 1]


def test_a_table_in_utc(database_url):
    create(database_url)
    insert(database_url, ("2026-11-23 10:00:00", "1.1", "q", "a", "PAUSE"))
    row = read_table(database_url, table_options={"time_is_utc": True})[0]
    assert row["event_at"] == instant("2026-11-23T10:00:00")


def test_rows_whose_time_cannot_be_read_fall_into_one_window(database_url):
    create(database_url, "text")
    times = ["", "2026-11-22 12:00:00", "soon", "2026-11-23 12:00:00", None, "zzz", "2026-11-24 12:00:00", "x"]
    insert(database_url, *[(t, "1.1", "q", "a", "PAUSE") for t in times])
    days = [span(f"2026-11-{d}T21:00", f"2026-11-{d + 1}T21:00") for d in range(20, 26)]
    found = [column(read_table(database_url, window=day), "line_no") for day in days]
    assert found == [[], [1, 2, 3], [4, 5, 6], [7, 8], [], []]
    assert [bool(r["_problems"]) for r in read_table(database_url)] == [t is None or len(t) < 9 for t in times]


def test_only_the_window_is_read_and_known_tables_not_again(database_url):
    create(database_url)
    insert(database_url, *[(f"2026-11-{d} 12:00:00", "1.1", "q", "a", "PAUSE") for d in range(10, 20)])
    tonight = span("2026-11-15T21:00", "2026-11-16T21:00")
    assert column(read_table(database_url, window=tonight), "line_no") == [7]
    known = History(datetime(2026, 11, 1, tzinfo=UTC), frozenset(["table"]))
    assert column(read_table(database_url, window=tonight, history=known), "line_no") == [7]
    assert read_table(database_url, window=span("2026-12-15", "2026-12-16")) == []


def test_a_missing_table_or_column_names_the_key(database_url):
    with pytest.raises(SourceError, match=r"telephony\.servers\.pbx\.queue_log\.table: .* no table queue_log"):
        read_table(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("create table queue_log (id int, time text, agent text)")
    with pytest.raises(SourceError, match=r"has no callid, queuename, event, data1\.\.data5; it has agent, id"):
        read_table(database_url)


def test_an_unreachable_database_does_not_tell_its_password():
    with pytest.raises(SourceError, match=r"telephony\.servers\.pbx\.queue_log: ") as caught:
        read_table("postgresql://someone:topsecret@127.0.0.1:1/none?connect_timeout=2")
    assert "topsecret" not in str(caught.value)
