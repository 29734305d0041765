"""Master.csv: layouts, quotes, odd rows and times."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from service_quality.sources.base import History, SourceError

from tests.pbx import SAMPLE, column, instant, read, server, span

EVERYTHING = ["uniqueid", "userfield", "peeraccount", "linkedid", "sequence"]


def cdr(tmp_path, columns=None, **options) -> dict:
    section = {"spool": str(tmp_path), "columns": EVERYTHING if columns is None else columns, **options}
    zone = options.pop("zone", "Europe/Riga")
    section.pop("zone", None)
    return server(tmp_path, zone, queue_log={"spool": str(tmp_path), "pattern": "none"}, cdr=section)


def record(start: str, end: str, *more: str, answer: str = "", seconds: str = "", **other: str) -> list[str]:
    return [
        "", other.get("src", "79990001234"), "q", "from-trunk", '"Ivan ""I"", <7999>', "SIP/t-1", "SIP/a-1",
        "Queue", "q,t,,,60", start, answer, end, seconds, seconds, "ANSWERED", "DOCUMENTATION", *more,
    ]  # fmt: skip


def write(tmp_path, *records: list[str], name: str = "Master.csv") -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(records)
    (tmp_path / name).write_text(out.getvalue())


def times(row: dict) -> list[str | None]:
    return [at and f"{at:%T}" for at in (row["start_at"], row["answer_at"], row["end_at"])]


def test_the_recording_is_read_whole_and_exactly(tmp_path):
    section = {"spool": str(SAMPLE), "columns": EVERYTHING}
    empty = {"spool": str(SAMPLE), "pattern": "none"}
    rows = read(server(SAMPLE, queue_log=empty, cdr=section), table="cdr")
    with (SAMPLE / "Master.csv").open() as file:
        logged = list(csv.reader(file))
    assert len(rows) == len(logged) == 314
    assert not any(column(rows, "_problems"))
    for row, fields in zip(rows, logged, strict=True):
        assert [row[n] for n in ("accountcode", "src", "dst", "dcontext", "clid")] == fields[:5]
        assert [row[n] for n in ("start_text", "answer_text", "end_text")] == fields[9:12]
        assert [row[n] for n in ("uniqueid", "userfield", "peeraccount", "linkedid", "sequence")] == fields[16:]
        assert row["start_at"].timestamp() == instant(fields[9]).timestamp() - 3 * 3600
        assert (row["answer_at"] is None) == (fields[10] == "")
    assert column(rows, "line_no") == list(range(1, 315))


@pytest.mark.parametrize(
    "columns",
    [
        ["uniqueid"],
        ["uniqueid", "userfield"],
        ["uniqueid", "peeraccount", "linkedid", "sequence"],
        EVERYTHING,
    ],
)
def test_every_layout_fills_its_columns_and_leaves_the_others_null(tmp_path, columns):
    write(tmp_path, record("2026-11-23 10:00:00", "2026-11-23 10:00:05", *[f"1.{c}" for c in columns]))
    row = read(cdr(tmp_path, columns), table="cdr")[0]
    assert {c: row[c] for c in EVERYTHING} == {c: f"1.{c}" if c in columns else None for c in EVERYTHING}
    assert row["clid"] == '"Ivan ""I"", <7999>' and row["_problems"] is None


@pytest.mark.parametrize("found", [16, 17, 18, 20])
def test_another_layout_than_configured_is_refused_with_both_layouts(tmp_path, found):
    record_ = record("2026-11-23 10:00:00", "2026-11-23 10:00:05", *["1.1"] * (found - 16))
    write(tmp_path, *[record_] * 20)
    expected = rf"telephony\.servers\.pbx\.cdr\.columns: Master\.csv line 1 has {found} columns, but 21 are"
    with pytest.raises(SourceError, match=expected):
        read(cdr(tmp_path), table="cdr")


def test_records_of_an_older_layout_before_the_window_do_no_harm(tmp_path):
    old = record("2026-11-01 10:00:00", "2026-11-01 10:00:05", "1.1", "u")
    write(tmp_path, *[old] * 9, record("2026-11-23 10:00:00", "2026-11-23 10:00:05", *["1.1"] * 5))
    rows = read(cdr(tmp_path), table="cdr", window=span("2026-11-22", "2026-11-24"))
    assert column(rows, "line_no") == [10]


def test_single_odd_rows_are_kept_with_a_problem(tmp_path):
    sound = record("2026-11-23 10:00:00", "2026-11-23 10:00:05", *["1.1"] * 5)
    write(tmp_path, *[sound] * 20)
    with (tmp_path / "Master.csv").open("a") as file:
        file.write('"","x","cut in the mid\n')
        csv.writer(file).writerow(record("2026-11-23 10:00:09", "2026-11-23 10:00:10", "1.1", "u"))
        file.write("\n")
    write(tmp_path, *[[*sound[:1], "7999000", *sound[2:]]] * 2, name="Master.csv.1")
    rows = read(cdr(tmp_path), table="cdr")
    odd = [r for r in rows if r["_problems"]]
    assert len(rows) == 24
    assert column(odd, "line_no") == [21, 22]
    assert odd[0]["clid"].startswith('"","x"') and odd[0]["src"] is None
    assert odd[0]["start_at"] == instant("2026-11-23T08:00:05")
    assert odd[1]["_problems"].startswith("line: 18 columns instead of 21")
    assert odd[1]["uniqueid"] is None


def test_a_record_belongs_to_the_window_in_which_the_call_ended(tmp_path):
    write(tmp_path, record("2026-11-23 23:50:00", "2026-11-24 00:10:00", *["1.1"] * 5, seconds="1200"))
    day = [span(f"2026-11-{d}T22:00", f"2026-11-{d + 1}T22:00") for d in (22, 23)]
    assert [len(read(cdr(tmp_path), table="cdr", window=w)) for w in day] == [0, 1]


def test_an_empty_end_is_no_problem_and_start_and_duration_date_the_record(tmp_path):
    write(
        tmp_path,
        record("2026-11-23 10:00:00", "2026-11-23 10:00:05", *["1.1"] * 5),
        record("2026-11-23 10:00:00", "", *["1.1"] * 5, seconds="3600"),
    )
    rows = read(cdr(tmp_path), table="cdr", window=span("2026-11-23T09:00", "2026-11-23T10:00"))
    assert column(rows, "line_no") == [2]
    assert rows[0]["end_at"] is None and rows[0]["_problems"] is None


def test_unreadable_times_are_null_and_noted_and_the_row_stays(tmp_path):
    write(
        tmp_path,
        record("2026-11-23 10:00:00", "2026-11-23 10:00:05", *["1.1"] * 5, seconds="5"),
        record("2026-11-23 10:00:00", "never", *["1.1"] * 5, seconds="5"),
        record("", "2026-11-23 10:00:09", *["1.1"] * 5),
        record("x", "y", *["1.1"] * 5, answer="z"),
    )
    rows = read(cdr(tmp_path), table="cdr")
    assert column(rows, "_problems") == [
        None,
        "end_at: no time 'never'",
        "start_at: empty",
        "start_at: no time 'x'; answer_at: no time 'z'; end_at: no time 'y'",
    ]
    assert rows[1]["end_text"] == "never" and rows[1]["end_at"] is None
    assert rows[3]["start_at"] == instant("2026-11-23T08:00:09")


def test_fractions_are_kept_and_utc_logs_are_not_shifted(tmp_path):
    write(tmp_path, record("2026-11-23 10:00:00.25", "2026-11-23 10:00:05.5", *["1.1"] * 5))
    row = read(cdr(tmp_path, time_is_utc=True), table="cdr")[0]
    assert row["start_at"] == instant("2026-11-23T10:00:00.250")


def test_the_doubled_hour_is_resolved_by_the_order_of_ends_and_the_durations(tmp_path):
    day = "2026-10-25 "
    write(
        tmp_path,
        *[
            record(day + s, day + e, "x", "", "", "", "", answer=day + a, seconds=str(n))
            for s, a, e, n in [
                ("02:58:00", "02:58:30", "03:02:00", 240),
                ("03:30:00", "03:30:10", "03:31:00", 60),
                ("03:50:00", "03:55:00", "03:05:00", 900),
                ("03:31:00", "03:31:10", "03:32:00", 60),
                ("03:59:00", "03:59:10", "04:01:00", 120),
            ]
        ],
    )
    assert [times(r) for r in read(cdr(tmp_path), table="cdr")] == [
        ["23:58:00", "23:58:30", "00:02:00"],
        ["00:30:00", "00:30:10", "00:31:00"],
        ["00:50:00", "00:55:00", "01:05:00"],
        ["01:31:00", "01:31:10", "01:32:00"],
        ["01:59:00", "01:59:10", "02:01:00"],
    ]


@pytest.mark.parametrize(
    ("zone", "hour", "first_pass"),
    [("Europe/Riga", "03", "2026-10-25T00:30:00"), ("Europe/Chisinau", "02", "2026-10-24T23:30:00")],
)
def test_the_channel_id_decides_in_the_doubled_hour_even_against_the_order(tmp_path, zone, hour, first_pass):
    first = int(instant(first_pass).timestamp())
    made = [first + 3600, first, first + 3600 + 60]
    day = f"2026-10-25 {hour}:3"
    more = ("", "", "", "")
    write(
        tmp_path,
        *[
            record(f"{day}{minute}:00", f"{day}{minute}:40", f"pbx-{epoch}.1", *more, seconds="40")
            for minute, epoch in zip("001", made, strict=True)
        ],
    )
    rows = read(cdr(tmp_path, zone=zone), table="cdr")
    assert [int(r["start_at"].timestamp()) for r in rows] == made
    assert [int(r["end_at"].timestamp()) for r in rows] == [m + 40 for m in made]


def test_the_skipped_hour_crashes_nothing(tmp_path):
    write(tmp_path, record("2026-03-29 03:30:00", "2026-03-29 04:30:00", *["x"] * 5, seconds="3600"))
    row = read(cdr(tmp_path), table="cdr")[0]
    assert row["start_at"] == instant("2026-03-29T01:30:00") and row["_problems"] is None


def test_rotation_and_a_late_file(tmp_path):
    def records(hour: int) -> list[list[str]]:
        return [
            record(f"2026-11-23 {hour}:00:0{i}", f"2026-11-23 {hour}:01:0{i}", *[f"{hour}.{i}"] * 5) for i in range(5)
        ]

    write(tmp_path, *records(12))
    first = read(cdr(tmp_path), table="cdr", window=span("2026-11-22T22:00", "2026-11-23T10:01:03"))
    (tmp_path / "Master.csv").rename(tmp_path / "Master.csv-20261123")
    write(tmp_path, *records(14))
    write(tmp_path, *records(10), name="Master.csv.from-backup")
    past = History(datetime(2026, 11, 20, tzinfo=UTC), frozenset(column(first, "file_id")))
    tonight = span("2026-11-23T10:01:03", "2026-11-23T22:00")
    second = read(cdr(tmp_path), table="cdr", window=tonight, history=past)
    found = sorted(first + second, key=lambda r: r["log_seq"])
    assert column(found, "uniqueid") == [f"{h}.{i}" for h in (10, 12, 14) for i in range(5)]


def test_a_last_record_without_newline_is_left(tmp_path):
    write(tmp_path, *[record("2026-11-23 10:00:00", f"2026-11-23 10:00:0{i}", *["1.1"] * 5) for i in range(3)])
    path = tmp_path / "Master.csv"
    path.write_text(path.read_text()[:-9])
    assert len(read(cdr(tmp_path), table="cdr")) == 2
