"""Suites are read strictly: what cannot be understood is an error, never skipped."""

from __future__ import annotations

from datetime import date

import pytest
import yaml
from service_quality import suites
from service_quality.contract import TABLES
from service_quality.suites import SuiteError

RULE = {
    "id": "t.a", "type": "expect_table_row_count_to_be_between", "severity": "critical",
    "why": "An empty table breaks no rule.", "owner": "somebody", "kwargs": {"min_value": 1},
}  # fmt: skip
FAMILIES = {"key", "type", "range", "vocabulary", "freshness", "volume"}


def read(tmp_path, content):
    path = tmp_path / "t.yml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return suites.read(path)


def suite(*rules, **more):
    return {"suite": "s", "table": {"schema": "landing", "name": "t"}, "expectations": list(rules), **more}


def test_a_sound_suite_is_read(tmp_path):
    rule = read(tmp_path, suite(RULE | {"kwargs": {"min_value": {"$PARAMETER": "rows_min"}}})).expectations[0]
    assert (rule.id, rule.severity, rule.parameters) == ("t.a", "critical", {"rows_min"})


@pytest.mark.parametrize(("days", "condition"), [
    ([date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 9)],
     "(t.day between '2026-03-01'::date and '2026-03-02'::date or t.day between '2026-03-09'::date and"
     " '2026-03-09'::date)"),
    ([], "(false)"),
    (None, "true"),
])  # fmt: skip
def test_a_query_asks_for_the_touched_days(tmp_path, days, condition):
    query = "select 1 from {batch} as t where {touched:t.day}"
    rule = RULE | {"id": "t.b", "type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}}
    _, asked = read(tmp_path, suite(RULE, rule)).on_days(days).expectations
    assert asked.kwargs == {"unexpected_rows_query": f"select 1 from {{batch}} as t where {condition}"}


def test_a_query_asks_for_the_days_around_the_touched_ones(tmp_path):
    query = "select 1 from {batch} as t where {touched+2:t.at} and {touched:t.day}"
    rule = RULE | {"id": "t.b", "type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}}
    _, asked = read(tmp_path, suite(RULE, rule)).on_days([date(2026, 3, 2), date(2026, 3, 9)]).expectations
    assert asked.kwargs["unexpected_rows_query"].startswith(
        "select 1 from {batch} as t where (t.at between '2026-02-28'::date and '2026-03-04'::date or"
        " t.at between '2026-03-07'::date and '2026-03-11'::date) and (t.day between '2026-03-02'::date"
    )


@pytest.mark.parametrize("key", ["id", "type", "severity", "why", "owner"])
def test_a_rule_without_its_marks_is_an_error(tmp_path, key):
    with pytest.raises(SuiteError, match=rf"expectations\.0\.{key}.*Field required"):
        read(tmp_path, suite({k: v for k, v in RULE.items() if k != key}))


@pytest.mark.parametrize(("change", "message"), [
    ({"severity": "info"}, "severity.*'critical' or 'warning'"),
    ({"why": "short"}, "at least 15 characters"),
    ({"sevrity": "critical"}, "sevrity.*Extra inputs"),
    ({"mostly": 1.5}, "mostly"),
    ({"kwargs": {"column": "a", "mostly": 0.5}}, "mostly stands beside kwargs"),
    ({"type": "expect_column_values_to_not_be_null"}, "rule on the number of rows"),
])  # fmt: skip
def test_a_rule_that_cannot_be_understood_is_an_error(tmp_path, change, message):
    with pytest.raises(SuiteError, match=message):
        read(tmp_path, suite(RULE | change))


@pytest.mark.parametrize(("content", "message"), [
    (suite(), "at least 1 item"),
    (suite(RULE, RULE), "doubled: t.a"),
    (suite(RULE, extra=1), "extra"),
    ("", "valid dictionary"),
    ("a: [", "not readable as YAML"),
    ("suite: a\nsuite: b\n", "suite is written twice"),
])  # fmt: skip
def test_a_suite_that_would_judge_nothing_or_something_else_is_an_error(tmp_path, content, message):
    with pytest.raises(SuiteError, match=message):
        read(tmp_path, content)


def test_a_missing_suite_is_an_error(tmp_path):
    with pytest.raises(SuiteError, match="there is no such suite"):
        suites.read(tmp_path / "none.yml")


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_landed_table_has_rules_of_every_family(table):
    found = suites.read(suites.FOLDER / "landing" / f"{table.name}.yml")
    assert (found.table.schema_, found.table.name) == ("landing", table.name)
    ids = [rule.id.split(".") for rule in found.expectations]
    assert {i[0] for i in ids} == {table.name}
    families = {i[1] for i in ids}
    assert families <= FAMILIES
    assert {"key", "type", "range", "vocabulary", "freshness", "volume"} <= families


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_key_is_required_and_unique_and_every_named_column_exists(table):
    found = suites.read(suites.FOLDER / "landing" / f"{table.name}.yml")
    present = {r.kwargs["column"] for r in found.expectations if r.type == "expect_column_values_to_not_be_null"}
    assert {*table.key, table.event_time} <= present
    unique = [r for r in found.expectations if r.type == "expect_compound_columns_to_be_unique"]
    assert [r.kwargs["column_list"] for r in unique] == [[*table.key, *([table.version] if table.version else [])]]
    columns = {c.name for c in table.columns} | {"_problems"}
    named = [r.kwargs[k] for r in found.expectations for k in ("column", "column_A", "column_B") if k in r.kwargs]
    assert set(named) <= columns


def test_no_suite_is_left_of_a_table_that_is_gone():
    assert {p.stem for p in (suites.FOLDER / "landing").glob("*")} == {t.name for t in TABLES}
