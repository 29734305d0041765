"""IVR rating files."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import pytest
from service_quality.sources.base import History, SourceError

from tests.pbx import SAMPLE, column, instant, lines, read_ivr, span

HEADING = "local_time,uniqueid,caller,queue,agent,question,digit,readstatus"


def drop(spool, **options) -> dict:
    return {"spool": str(spool), "time_zone": "Europe/Riga", **options}


def test_the_recording_is_read_whole_and_exactly():
    rows = read_ivr({"spool": str(SAMPLE), "time_zone": "Europe/Moscow", "pattern": "ivr*.csv"})
    with (SAMPLE / "ivr_ratings.csv").open() as file:
        logged = list(csv.DictReader(file))
    assert len(rows) == len(logged) == 110
    assert not any(column(rows, "_problems"))
    names = {"time_text": "local_time", "callid": "uniqueid", "read_status": "readstatus"}
    for ours in ("time_text", "callid", "caller", "queue", "agent", "question", "digit", "read_status"):
        assert column(rows, ours) == column(logged, names.get(ours, ours))
    assert set(column(rows, "criterion")) == {
        "service_quality", "readiness_to_help", "politeness", "competence",
    }  # fmt: skip
    assert all(r["rated_at"].timestamp() == instant(r["time_text"]).timestamp() - 10800 for r in rows)


def test_digits_are_facts_whatever_they_are(tmp_path):
    digits = ["5", "", "0", "9", "*", "55", " 4"]
    rows = [f"2026-11-23 10:00:0{i},1.1,7999,q,a,1,{d},OK" for i, d in enumerate(digits)]
    lines(tmp_path / "ratings.csv", HEADING, *rows)
    found = read_ivr(drop(tmp_path))
    assert column(found, "digit") == digits
    assert column(found, "_problems") == [None] * 7


def test_columns_are_found_by_their_heading_in_any_order_and_optional_ones_may_be_absent(tmp_path):
    lines(tmp_path / "r.csv", "\ufeffMark; Q;When", "5;help;23.11.2026 10:00:00", "2;polite;1795424400")
    columns = {"time": "when", "question": "q", "digit": "mark", "agent": "operator"}
    questions = {"help": "readiness_to_help", "polite": "politeness"}
    found = read_ivr(drop(tmp_path, columns=columns, questions=questions, delimiter=";", server_id="b"))
    assert column(found, "criterion") == ["readiness_to_help", "politeness"]
    assert column(found, "digit") == ["5", "2"]
    assert column(found, "rated_at") == [instant("2026-11-23T08:00:00"), instant("2026-11-23T07:00:00").replace(hour=9)]
    assert found[0]["agent"] is None and found[0]["callid"] is None and found[0]["server_id"] == "b"


def test_an_unknown_question_is_noted_and_kept(tmp_path):
    lines(tmp_path / "r.csv", HEADING, "2026-11-23 10:00:00,1.1,7999,q,a,17,5,OK")
    row = read_ivr(drop(tmp_path))[0]
    assert row["question"] == "17" and row["criterion"] is None
    assert row["_problems"] == "question: '17' is not in ivr.drops.0.questions"


def test_a_missing_heading_names_file_key_and_what_there_is(tmp_path):
    lines(tmp_path / "r.csv", "local_time,question,key", "2026-11-23 10:00:00,1,5")
    with pytest.raises(SourceError, match=r"ivr\.drops\.0\.columns: r\.csv has no column for digit: digit; .*key"):
        read_ivr(drop(tmp_path))


def test_only_foreign_files_are_refused(tmp_path):
    lines(tmp_path / "r.csv", "a,b,c", "1,2,3")
    with pytest.raises(SourceError, match=r"ivr\.drops\.0\.pattern: .*r\.csv"):
        read_ivr(drop(tmp_path))


def test_odd_lines_are_kept_with_a_problem(tmp_path):
    lines(
        tmp_path / "r.csv",
        HEADING,
        "2026-11-23 10:00:00,1.1,7999,q,a,1,5,OK",
        "2026-11-23 10:00:01,1.1,7999",
        "later,1.1,7999,q,a,1,5,OK",
        "2026-11-23 10:00:02,1.1,7999,q,a,1,5,OK,more",
        "",
        HEADING,
        '2026-11-23 10:00:03,1.1,"79,99",q,a,1,5,OK',
    )
    rows = read_ivr(drop(tmp_path))
    assert column(rows, "line_no") == [2, 3, 4, 5, 8]
    assert [bool(p) for p in column(rows, "_problems")] == [False, True, True, True, False]
    assert rows[2]["rated_at"] == instant("2026-11-23T08:00:01")
    assert rows[4]["caller"] == "79,99"


def test_the_doubled_hour_by_order_and_by_call_id(tmp_path):
    clock = ["03:20:00", "03:50:00", "03:10:00", "03:55:00"]
    lines(tmp_path / "a.csv", HEADING, *[f"2026-10-25 {t},,7999,q,a,1,5,OK" for t in clock])
    second = int(instant("2026-10-25T01:15:00").timestamp())
    lines(tmp_path / "b.csv", HEADING, f"2026-10-25 03:20:00,{second}.4,7999,q,a,1,5,OK")
    found = sorted(read_ivr(drop(tmp_path)), key=lambda r: r["_source_ref"])
    assert [f"{r['rated_at']:%T}" for r in found] == ["00:20:00", "00:50:00", "01:10:00", "01:55:00", "01:20:00"]


def test_files_keep_their_names_so_equal_beginnings_are_two_files(tmp_path):
    row = "2026-11-23 10:00:00,,,,,1,5,OK"
    for name in ("a.csv", "b.csv"):
        lines(tmp_path / name, HEADING, row)
    assert len({r["file_id"] for r in read_ivr(drop(tmp_path))}) == 2


def test_growth_windows_and_a_late_file(tmp_path):
    def rows(day: int) -> list[str]:
        return [f"2026-11-{day} 10:00:0{i},1.1,7999,q,a,1,5,OK" for i in range(3)]

    lines(tmp_path / "21.csv", HEADING, *rows(21))
    known = frozenset(column(read_ivr(drop(tmp_path)), "file_id"))
    lines(tmp_path / "20.csv", HEADING, *rows(20))
    lines(tmp_path / "19.csv", HEADING, *rows(19))
    with (tmp_path / "21.csv").open("a") as file:
        file.write("\n".join(rows(22)) + "\n")
    past = History(datetime(2026, 11, 20, tzinfo=UTC), known)
    found = read_ivr(drop(tmp_path), window=span("2026-11-22", "2026-11-23"), history=past)
    assert sorted(column(found, "_source_ref")) == [f"20.csv:{i}" for i in (2, 3, 4)] + [
        f"21.csv:{i}" for i in (5, 6, 7)
    ]


def test_a_complete_last_line_needs_no_newline_but_an_unfinished_one_waits(tmp_path):
    rows = [HEADING, "2026-11-23 10:00:00,1.1,7999,q,a,1,5,OK", "2026-11-23 10:00:01,1.1,7999,q,a,2,5,OK"]
    lines(tmp_path / "r.csv", *rows, end="")
    assert len(read_ivr(drop(tmp_path))) == 2
    lines(tmp_path / "r.csv", *rows, "2026-11-23 10:00:02,1.1,79", end="")
    assert len(read_ivr(drop(tmp_path))) == 2


def test_empty_files_give_nothing_and_a_missing_folder_is_named(tmp_path):
    (tmp_path / "r.csv").write_text("")
    lines(tmp_path / "s.csv", HEADING)
    assert read_ivr(drop(tmp_path)) == []
    with pytest.raises(SourceError, match=r"ivr\.drops\.0\.spool: there is no folder .*/none"):
        read_ivr(drop(tmp_path / "none"))
