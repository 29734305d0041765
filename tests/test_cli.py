"""What the command shows that is not a step of the pipeline."""

from __future__ import annotations

import pytest
from service_quality import cli, ops
from typer.testing import CliRunner

pytestmark = pytest.mark.postgres

COLUMNS = """place bigint, branch_id text, subscriber_id text, contact_id text, ticket_id text, connection_id text,
reason text, due_at timestamptz, is_overdue boolean, attempts bigint, last_outcome text, topic_id text,
operator_id text, owed_together bigint, lowest_rating bigint, ticket_reopenings bigint, not_solved_before bigint,
contacts_30d bigint, last_comment text, as_of_day date"""
CALLS = """
(2, 'ekb', 'C2', null, null, 'ORD-7', 'new_connection', '2026-03-03 09:00+00', false, 0, null, null, null, 1,
 null, null, 0, 0, null, '2026-03-01'),
(1, 'msk', 'C1', 'call:a:1', 'R5', null, 'repair_solved', '2026-03-01 09:00+00', true, 2, 'no_answer', 'no_internet',
 'T1', 2, 1, 1, 3, 4, 'Nobody called back, ***', '2026-03-01'),
(3, 'msk', null, 'call:a:9', null, null, 'low_rating', '2026-03-04 09:00+00', false, null, null, 'bill', 'T2', 1, 2,
 null, 0, null, null, '2026-03-01')
"""


@pytest.fixture
def shown(database_url, monkeypatch):
    """`quality worklist` with these arguments: exit code and lines of the table."""
    monkeypatch.setenv("WAREHOUSE_URL", database_url)
    with ops.connect(database_url) as conn:
        ops.prepare(conn)
        conn.execute(f"create table marts.worklist_callbacks ({COLUMNS})")
        conn.execute(f"insert into marts.worklist_callbacks values {CALLS}")
        conn.commit()

    def run(*arguments):
        result = CliRunner().invoke(cli.app, ["worklist", *arguments])
        return result.exit_code, [line.split() for line in result.output.splitlines() if line.strip()], result.output

    return run


def test_the_worklist_is_shown_in_order_with_what_is_known(shown):
    code, lines, output = shown()
    assert code == 0
    assert "for the morning after 2026-03-01" in output
    assert [line[:3] for line in lines[2:]] == [["1", "msk", "C1"], ["2", "ekb", "C2"], ["3", "msk", "call:a:9"]]
    assert "2026-03-01 09:00Z late  2, no_answer  no_internet" in output
    known = "2 calls owed; lowest rating 1; reopened 1x; not solved before 3x; 4 contacts in 30 days; said: Nobody"
    assert known in output
    assert "not known" in output.splitlines()[-1], "surveys of that time are not loaded: nobody knows who was called"


def test_the_worklist_of_one_branch_and_of_a_few_calls(shown):
    assert [line[0] for line in shown("--branch", "msk")[1][2:]] == ["1", "3"]
    assert [line[0] for line in shown("--branch", "msk", "--limit", "1")[1][2:]] == ["1"]
    assert shown("--branch", "nowhere")[2].strip() == "no call-back of nowhere is open"
    assert shown("--limit", "0")[0] != 0


def test_without_a_publication_it_says_what_to_do(database_url, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_URL", database_url)
    with ops.connect(database_url) as conn:
        ops.prepare(conn)
    result = CliRunner().invoke(cli.app, ["worklist"])
    assert isinstance(result.exception, LookupError) and "quality build" in str(result.exception)


def test_a_column_that_a_later_version_brings_is_added_to_a_warehouse_that_has_rows(database_url):
    with ops.connect(database_url) as conn:
        ops.prepare(conn)
        for schema in ("landing", "raw", "quarantine"):
            conn.execute(f"alter table {schema}.survey_responses drop column attempt_outcome")
        conn.execute(
            "insert into raw.survey_responses (survey_id, response_id, updated_at, _load_id, _row_no, _row_hash)"
            " values ('1', 1, now(), 1, 1, 0)"
        )
        conn.execute("update ops.prepared set definitions = 'of an earlier version'")
        conn.commit()
        ops.prepare(conn)
        for schema in ("landing", "raw", "quarantine"):
            conn.execute(f"select attempt_outcome from {schema}.survey_responses")
        row = conn.execute("select attempt_outcome from raw.survey_responses").fetchone()
        assert row == {"attempt_outcome": None}
