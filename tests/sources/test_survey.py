from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest
from service_quality.config import SurveyServer
from service_quality.contract import BY_NAME
from service_quality.sources.base import SourceError
from service_quality.sources.survey import SurveySource
from service_quality.window import Window

from tests.limesurvey_server import NO_MAX_ID, FakeLimeSurvey, serve

SCHEMA = BY_NAME["survey_responses"].arrow_schema()


def day(number: int, month: int = 6) -> Window:
    return Window(datetime(2026, month, number, tzinfo=UTC), datetime(2026, month, number + 1, tzinfo=UTC))


JUNE_10 = day(10)


@pytest.fixture
def server():
    with serve() as fake:
        yield fake


def config(**settings) -> SurveyServer:
    survey = {
        "survey_id": "77",
        "kind": "repair",
        "questions": {"is_solved": "Q1", "satisfaction": "Q2", "comment": "Q3", "ticket_id": "T[SQ001]"},
        "values": {"is_solved": {"Y": "yes", "N": "no"}},
    }
    return SurveyServer.model_validate({"surveys": [{**survey, **settings.pop("survey", {})}], **settings})


def response(number: int, submitted: str | None, started: str | None = None, **answers) -> dict:
    started = started or submitted
    return {
        "id": str(number), "submitdate": submitted, "lastpage": "1", "startlanguage": "ru", "seed": "1",
        "startdate": started, "datestamp": submitted or started,
        "Q1": "Y", "Q2": "5", "Q3": "", "T[SQ001]": "t-1", **answers,
    }  # fmt: skip


def read(server: FakeLimeSurvey, window: Window = JUNE_10, history=None, incomplete=None, **settings) -> list[dict]:
    source = SurveySource(config(**settings), server.url, history, incomplete, wait_seconds=0.001)
    rows = []
    for table, batch in source.read(window):
        assert table.name == "survey_responses"
        assert batch.schema == SCHEMA
        assert batch.num_rows > 0
        rows += batch.to_pylist()
    return rows


def ids(rows: list[dict]) -> list[int]:
    return sorted(r["response_id"] for r in rows)


def test_a_response_becomes_a_row_with_our_words_and_utc(server):
    server.surveys[77] = [response(12, "2026-06-10 12:00:00", "2026-06-10 11:58:30", Q3="Спасибо\x00")]
    (row,) = read(server, time_zone="Europe/Moscow")
    assert row == {
        "survey_id": "77", "response_id": 12, "survey_kind": "repair",
        "started_at": datetime(2026, 6, 10, 8, 58, 30, tzinfo=UTC),
        "submitted_at": datetime(2026, 6, 10, 9, tzinfo=UTC),
        "updated_at": datetime(2026, 6, 10, 9, tzinfo=UTC),
        "is_complete": True, "subscriber_id": None, "phone": None, "ticket_id": "t-1", "connection_id": None,
        "call_id": None, "operator_id": None, "is_solved": "yes", "is_first_contact": None, "satisfaction": "5",
        "recommend": None, "effort": None, "comment": "Спасибо", "attempt_outcome": None,
        "_source_ref": "survey=77,response=12", "_problems": None,
    }  # fmt: skip


def test_answers_without_a_mapping_pass_as_given(server):
    server.surveys[77] = [response(1, "2026-06-10 12:00:00", Q1="maybe", Q2=4)]
    (row,) = read(server)
    assert (row["is_solved"], row["satisfaction"]) == ("maybe", "4")


def test_an_attempt_that_reached_nobody_is_a_row_with_its_outcome(server):
    server.surveys[77] = [
        response(1, None, "2026-06-10 12:00:00", Q1=None, Q2=None, RESULT="A2"),
        response(2, "2026-06-10 12:05:00", Q1="", Q2="", RESULT="A3"),
        response(3, "2026-06-10 13:00:00", RESULT="A1"),
        response(4, "2026-06-10 14:00:00", RESULT=""),
        response(5, "2026-06-10 15:00:00", RESULT="engaged"),
    ]
    survey = {
        "questions": {"is_solved": "Q1", "satisfaction": "Q2", "ticket_id": "T[SQ001]", "attempt_outcome": "RESULT"},
        "values": {"attempt_outcome": {"A1": "reached", "A2": "no_answer", "A3": "refused"}},
    }
    rows = {r["response_id"]: r for r in read(server, survey=survey)}
    assert [(rows[n]["attempt_outcome"], rows[n]["is_complete"], rows[n]["is_solved"]) for n in range(1, 6)] == [
        ("no_answer", False, None), ("refused", True, None), ("reached", True, "Y"), (None, True, "Y"),
        ("engaged", True, "Y"),
    ]  # fmt: skip
    assert {r["ticket_id"] for r in rows.values()} == {"t-1"}


@pytest.mark.parametrize("wrapped", [False, True])
def test_both_shapes_of_the_export_are_read(server, wrapped):
    server.wrapped = wrapped
    server.surveys[77] = [response(n, "2026-06-10 12:00:00") for n in (1, 2)]
    assert ids(read(server)) == [1, 2]


def test_the_window_is_closed_at_its_start_and_open_at_its_end(server):
    moments = ["2026-06-09 23:59:59", "2026-06-10 00:00:00", "2026-06-10 23:59:59", "2026-06-11 00:00:00"]
    server.surveys[77] = [response(n, at) for n, at in enumerate(moments, 1)]
    assert ids(read(server)) == [2, 3]


def test_pages_are_bounded_and_gaps_of_deleted_responses_are_crossed(server):
    numbers = [1, 2, 3, 4, 5, 900, 901, 5000]
    server.surveys[77] = [response(n, "2026-06-10 12:00:00") for n in numbers]
    assert ids(read(server, page_responses=2)) == numbers
    assert all(rows <= 2 for _, last, rows in server.exports if last is not None)


def test_with_history_only_the_recent_pages_are_read(server):
    old = [response(n, "2026-03-01 12:00:00") for n in range(1, 1001)]
    server.surveys[77] = [*old, *(response(n, "2026-06-10 12:00:00") for n in range(1001, 1006))]
    assert ids(read(server, history={"77": 1000}, page_responses=10)) == [1001, 1002, 1003, 1004, 1005]
    assert min(first for first, _, _ in server.exports) == 991


def test_an_old_window_is_read_again_although_newer_ones_are_loaded(server):
    server.surveys[77] = [response(d, f"2026-06-{d:02} 12:00:00") for d in range(1, 29)]
    assert ids(read(server, history={"77": 28}, page_responses=3, reread_days=0)) == [10]


def test_an_incomplete_response_comes_and_comes_again_when_finished(server):
    server.surveys[77] = [response(1, None, "2026-06-10 20:00:00", Q1="")]
    (first,) = read(server)
    assert (first["is_complete"], first["submitted_at"], first["is_solved"]) == (False, None, None)
    assert first["updated_at"] == datetime(2026, 6, 10, 20, tzinfo=UTC)

    server.surveys[77] = [response(1, "2026-06-11 09:00:00", "2026-06-10 20:00:00"), response(2, "2026-06-11 10:00:00")]
    rows = read(server, day(11), history={"77": 1}, page_responses=1)
    assert ids(rows) == [1, 2]
    assert all(r["is_complete"] for r in rows)


def test_an_incomplete_response_finished_with_a_date_in_the_past_is_found(server):
    server.surveys[77] = [response(n, "2026-06-08 09:00:00") for n in (1, 2)]
    assert ids(read(server, history={"77": 2}, incomplete={"77": [1]})) == [1]
    assert read(server, history={"77": 2}, incomplete={"77": [1]}, reread_days=1) == []


def test_a_new_response_with_a_date_in_the_past_is_found_within_the_reread_days(server):
    server.surveys[77] = [response(1, "2026-05-01 09:00:00"), response(2, "2026-06-08 09:00:00")]
    assert ids(read(server, history={"77": 0})) == [2]
    assert read(server) == [], "without history the window alone decides"


def test_a_response_changed_after_it_was_finished_is_dated_by_the_change(server):
    server.surveys[77] = [response(1, "2026-06-01 09:00:00", datestamp="2026-06-10 15:00:00")]
    (row,) = read(server)
    assert row["updated_at"] == datetime(2026, 6, 10, 15, tzinfo=UTC)
    assert row["submitted_at"] == datetime(2026, 6, 1, 9, tzinfo=UTC)


def test_surveys_without_dates_are_taken_by_id_and_dated_by_the_load(server):
    undated = {"startdate": None, "datestamp": None}
    server.surveys[77] = [
        {k: v for k, v in response(n, "1980-01-01 00:00:00").items() if k not in undated} for n in (1, 2, 3)
    ]
    rows = read(server, history={"77": 1})
    assert ids(rows) == [2, 3]
    last_second = datetime(2026, 6, 10, 23, 59, 59, tzinfo=UTC)
    assert {(r["updated_at"], r["submitted_at"], r["started_at"], r["is_complete"]) for r in rows} == {
        (last_second, last_second, None, True)
    }
    assert read(server, day(11), history={"77": 3}) == []


def test_a_bad_date_costs_a_null_and_a_note_never_the_load(server):
    server.surveys[77] = [
        response(1, "2026-06-10 12:00:00", startdate="10/06/2026"),
        response(2, "yesterday", "2026-06-10 11:00:00", datestamp="2026-06-10 11:05:00"),
        response(3, "2026-06-10 12:00:00", datestamp="2026-13-45 00:00:00"),
        response(4, "2026-06-10 12:00:00"),
    ]
    rows = {r["response_id"]: r for r in read(server)}
    assert rows[1]["_problems"] == "started_at: cannot read '10/06/2026' as timestamptz"
    assert rows[2]["_problems"] == "submitted_at: cannot read 'yesterday' as timestamptz"
    assert rows[2]["updated_at"] == datetime(2026, 6, 10, 11, 5, tzinfo=UTC)
    assert rows[3]["_problems"] == "updated_at: cannot read '2026-13-45 00:00:00' as timestamptz"
    assert rows[4]["_problems"] is None


def test_in_the_doubled_hour_a_response_is_finished_after_it_was_begun(server):
    server.surveys[77] = [response(1, "2026-10-25 02:05:00", "2026-10-25 02:50:00")]
    (row,) = read(server, day(25, 10), time_zone="Europe/Berlin")
    assert row["started_at"] == datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    assert row["submitted_at"] == datetime(2026, 10, 25, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("responses", [None, []])
def test_no_data_is_an_empty_load(server, responses):
    server.surveys[77] = responses
    assert read(server) == []
    server.status = NO_MAX_ID
    assert read(server, history={"77": 5}) == []


def test_a_worn_out_session_is_renewed_and_nothing_is_lost_or_doubled(server):
    server.calls_per_key = 2
    server.surveys[77] = [response(n, "2026-06-10 12:00:00") for n in range(1, 12)]
    assert ids(read(server, page_responses=2)) == list(range(1, 12))
    assert server.keys_made > 2


def test_a_key_that_never_works_is_an_error_after_one_renewal(server):
    server.calls_per_key = 0
    server.surveys[77] = [response(1, "2026-06-10 12:00:00")]
    with pytest.raises(SourceError, match=r"survey 77: .*Invalid session key"):
        read(server)
    assert server.keys_made == 2


def test_server_errors_are_tried_again(server):
    server.surveys[77] = [response(1, "2026-06-10 12:00:00")]
    server.failures = [503, 200, 0, 500, 502]
    assert ids(read(server)) == [1]
    assert server.failures == []


def test_server_errors_without_end_are_an_error_that_says_so(server):
    server.failures = [200, *[500] * 5]
    server.surveys[77] = [response(1, "2026-06-10 12:00:00")]
    with pytest.raises(SourceError, match=r"survey 77: .* no answer to export_responses in 5 tries: HTTP 500"):
        read(server)
    assert server.released == ["key1"]


def test_an_unreachable_server_is_an_error_without_the_password():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    source = SurveySource(config(), f"http://u:topsecret@127.0.0.1:{port}", wait_seconds=0.001)
    with pytest.raises(SourceError, match=f"127.0.0.1:{port}.* no answer to get_session_key") as caught:
        list(source.read(JUNE_10))
    assert "topsecret" not in str(caught.value)


def test_a_wrong_password_is_an_error_at_once(server):
    source = SurveySource(config(), server.url.replace("s3cret", "guess"), wait_seconds=0.001)
    with pytest.raises(SourceError, match="login refused: Invalid user name or password") as caught:
        list(source.read(JUNE_10))
    assert "guess" not in str(caught.value)


def test_a_refused_export_names_the_survey(server):
    server.forbidden = frozenset({77})
    with pytest.raises(SourceError, match=r"survey 77: .*No permission"):
        read(server)
    assert server.released == ["key1"]


def test_an_unknown_language_names_the_survey(server):
    server.surveys[77] = [response(1, "2026-06-10 12:00:00")]
    with pytest.raises(SourceError, match=r"survey 77: .*Language code not found"):
        read(server, survey={"language": "xx"})


def test_a_question_that_the_survey_does_not_have_names_the_key(server):
    server.surveys[77] = [response(1, "2026-03-10 12:00:00")]
    with pytest.raises(SourceError, match=r"no question 'Q9' \(survey.surveys.0.questions.effort\); it has Q1, Q2"):
        read(server, survey={"questions": {"is_solved": "Q1", "effort": "Q9"}})


@pytest.mark.parametrize("answer", [b"<html>login</html>", b"[]", b'{"id": 1}'])
def test_something_else_than_remotecontrol_is_an_error_that_helps(server, answer):
    server.raw_answer = answer
    with pytest.raises(SourceError, match="RemoteControl must be switched on"):
        read(server)


def test_an_export_that_is_no_base64_json_is_an_error(server):
    server.surveys[77] = [response(1, "2026-06-10 12:00:00")]
    server.raw_answer = b'{"id": 1, "result": "bm90IGpzb24=", "error": null}'
    with pytest.raises(SourceError, match="survey 77: the export cannot be decoded"):
        read(server)


def test_a_wrong_path_is_an_error_that_names_the_key(server):
    with pytest.raises(SourceError, match=r"HTTP 404; is survey\.path right"):
        read(server, path="/nowhere")


@pytest.mark.parametrize("suffix", ["/", "/http", "/index.php/admin/remotecontrol", "/?__extra__=%7B%7D"])
def test_urls_as_airflow_writes_them_are_understood(server, suffix):
    server.surveys[77] = [response(1, "2026-06-10 12:00:00")]
    source = SurveySource(config(), server.url + suffix, wait_seconds=0.001)
    assert [b.num_rows for _, b in source.read(JUNE_10)] == [1]


@pytest.mark.parametrize("url", ["ftp://u:p@host", "http://host/"])
def test_a_url_that_cannot_be_one_is_an_error(url):
    with pytest.raises(SourceError, match="survey connection"):
        list(SurveySource(config(), url).read(JUNE_10))


def test_the_session_is_released_at_the_end_and_when_the_reader_stops_early(server):
    server.surveys[77] = [response(n, "2026-06-10 12:00:00") for n in range(1, 6)]
    read(server)
    assert server.released == ["key1"]
    batches = SurveySource(config(page_responses=1), server.url).read(JUNE_10)
    next(batches)
    batches.close()
    assert server.released == ["key1", "key2"]
