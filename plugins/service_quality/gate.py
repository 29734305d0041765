"""Run a suite of Great Expectations on one load or one build; store every outcome; say pass, quarantine or hold.

Great Expectations fails open in several ways: it drops unknown expectations, passes empty suites, keeps a rule's
severity when its column is gone, and cuts lists of failing rows. Each way is closed here or in ``suites``.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from service_quality import lean, ops, suites, usual
from service_quality.config import Settings
from service_quality.contract import BY_NAME, Table
from service_quality.ops import Conn, Load
from service_quality.suites import Rule, Suite, SuiteError
from service_quality.usual import Limit, NotJudged
from service_quality.window import OWN_DAY, Reach

Outcome = Literal["pass", "quarantine", "warn", "fail", "not_judged"]

MOST_LISTED_ROWS = 200_000
JUDGEABLE = ("landing", "gated", "held")
LINE = "line_no"
QUERY_RULE = "unexpected_rows_expectation"
# Workers of a scan of one load cost a quarter more than it does; other loads are judged at the same time.
WITHOUT_WORKERS = "-c max_parallel_workers_per_gather=0"
# Rows that nights wrote again lie apart from their day's: a bitmap reads each block once, an index row by row.
BY_BITMAPS = f"-c enable_indexscan=off {WITHOUT_WORKERS}"
REPAIR = "repair the source and load the window again"


class GateError(RuntimeError):
    """Nothing could be judged; the load stays as it was."""


@dataclass(frozen=True)
class RuleResult:
    """What one rule found. ``rows_failed`` of ``rows_checked`` broke it, where it is about rows."""

    table: str
    rule_id: str
    rule_type: str
    severity: str
    verdict: Outcome
    observed: str
    expected: str
    rows_checked: int | None
    rows_failed: int | None
    why: str
    owner: str
    action: str | None


@dataclass(frozen=True)
class Verdict:
    """All results of a load or build. ``message``: for people, when it is held."""

    results: tuple[RuleResult, ...]
    message: str | None = None

    @property
    def is_held(self) -> bool:
        """Whether a critical rule failed."""
        return any(r.verdict == "fail" for r in self.results)


@dataclass
class Judgement:
    """Results of one suite and, by row number, the rules that rows broke."""

    results: list[RuleResult] = field(default_factory=list)
    bad_rows: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


def judge_load(
    conn: Conn,
    load: Load,
    settings: Settings,
    tables: Sequence[Table],
    folder: Path = suites.FOLDER / "landing",
    now: datetime | None = None,
) -> Verdict:
    """Judge every landed table of ``load`` and make it ``gated`` or ``held``; may be repeated after a rule changed.

    Writes ``ops.gate_results``, the rows for quarantine to ``ops.load_bad_rows`` and, when held, the message to
    ``ops.loads``; commits. Raises SuiteError or GateError when there is nothing to judge by, and leaves the load.
    """
    if load.status not in JUDGEABLE:
        raise GateError(f"load {load.load_id} is {load.status}; only {', '.join(JUDGEABLE)} can be judged")
    read = {table.name: suites.read(folder / f"{table.name}.yml") for table in tables}
    _same_tables(conn, load, read)
    at = now or datetime.now(UTC)
    judgements = {}
    conn.commit()
    with datasource(_with_options(ops.url_of(conn), WITHOUT_WORKERS)) as source:
        for table in tables:
            judgements[table.name] = _judge_table(conn, source, load, table, read[table.name], settings, at)
            conn.commit()
    verdict = Verdict(tuple(r for j in judgements.values() for r in j.results))
    if verdict.is_held:
        verdict = replace(verdict, message=held_message(load, verdict.results))
    with conn.transaction():
        _store(conn, load, judgements, verdict, settings)
    return verdict


def judge_build(
    conn: Conn,
    build_id: int,
    days: Sequence[date],
    full: bool,
    reclassified: bool = True,
    folder: Path = suites.FOLDER / "marts",
    reaches: Mapping[str, Reach] | None = None,
    changed_days: Sequence[date] | None = None,
) -> Verdict:
    """Judge the touched days of every candidate mart that has a suite (all days when ``full``).

    ``reaches``: by mart, which other days a touched day changes; ``reclassified`` and ``changed_days``: see Reach.
    Writes ``ops.gate_results``; the status of the build and the commit are the caller's. Raises SuiteError or GateError
    when there is nothing to judge by.
    """
    found = [suites.read(path) for path in sorted(folder.glob("*.yml"))]
    if not found:
        raise GateError(f"{folder}: there is no suite, so nothing can be judged")
    results: list[RuleResult] = []
    conn.commit()
    with datasource(_with_options(ops.url_of(conn), BY_BITMAPS)) as source:
        for suite in found:
            reach = (reaches or {}).get(suite.table.name, OWN_DAY)
            whole = reach.is_all(full, reclassified)
            own_days = reach.of_build(days, changed_days)
            batch = source.query(_touched_rows(conn, suite, reach.built(days, changed_days), whole, reach.column))
            conn.commit()
            results += run_suite(batch, suite.on_days(None if full else own_days), {}, suite.table.name).results
    verdict = Verdict(tuple(replace(r, verdict="warn") if r.verdict == "quarantine" else r for r in results))
    if verdict.is_held:
        verdict = replace(verdict, message=held_build_message(build_id, verdict.results))
    conn.execute("delete from ops.gate_results where build_id = %s", (build_id,))
    store_results(conn, verdict.results, build_id=build_id)
    return verdict


def _touched_rows(
    conn: Conn, suite: Suite, days: Sequence[date], full: bool, column: str = OWN_DAY.column
) -> str:
    """Query for the rows of a candidate mart that this build wrote."""
    relation = sql.Identifier(suite.table.schema_, suite.table.name)
    statement = sql.SQL("select * from {}").format(relation)
    if not full and _has_column(conn, suite, column):
        statement += sql.SQL(" where {}").format(ops.in_days(sql.Identifier(column), days))
    return statement.as_string(conn)


def _has_column(conn: Conn, suite: Suite, column: str) -> bool:
    where = "table_schema = %s and table_name = %s and column_name = %s"
    found = conn.execute(
        f"select 1 from information_schema.columns where {where}", (suite.table.schema_, suite.table.name, column)
    )
    return found.fetchone() is not None


def held_build_message(build_id: int, results: Iterable[RuleResult]) -> str:
    """What a person needs to decide on a held build."""
    failed = [r for r in results if r.verdict == "fail"]
    lines = [
        f"Build {build_id} is held: {len(failed)} critical {'rule' if len(failed) == 1 else 'rules'} failed."
        " Nothing was published, the marts stay as they were; the next build takes the same loads again.",
        *failed_rules(failed),
        f"Then: repair and build again; or publish it as it is with `quality release --build {build_id}`.",
    ]
    return "\n".join(lines)


def judge_relation(
    url: str,
    suite: Suite,
    schema: str,
    relation: str,
    parameters: Mapping[str, Any] | None = None,
    query: str | None = None,
) -> list[RuleResult]:
    """Judge a table or view, or only what ``query`` selects; one result per rule, nothing is stored.

    ``parameters``: values for ``$PARAMETER``, plain, as Limit (value and words) or as NotJudged (the reason). A row
    rule that is broken within its ``mostly`` gives ``warn``: there is no quarantine here.
    """
    with datasource(url) as source:
        batch = source.query(query) if query else source.table(schema, relation)
        judgement = run_suite(batch, suite, parameters or {}, relation)
    return [replace(r, verdict="warn") if r.verdict == "quarantine" else r for r in judgement.results]


def held_message(load: Load, results: Iterable[RuleResult]) -> str:
    """What a person needs to decide on a held load."""
    failed = [r for r in results if r.verdict == "fail"]
    lines = [
        f"Load {load.load_id} of {load.source} for {load.window} is held: {len(failed)} critical"
        f" {'rule' if len(failed) == 1 else 'rules'} failed. Its rows wait in landing, the marts stay as they were.",
        *failed_rules(failed),
        f"Then: {REPAIR}; or take it as it is with `quality release {load.load_id}` (rows that break row rules"
        f" still go to quarantine); or discard it with `quality reject {load.load_id}`.",
    ]
    return "\n".join(lines)


def failed_rules(failed: Sequence[RuleResult]) -> Iterator[str]:
    """Per rule: table, rule, owner, observed, expected, why, what to do."""
    for number, result in enumerate(failed, 1):
        yield f"{number}. {result.table}: {result.rule_id} (owner: {result.owner})"
        yield f"   observed: {result.observed}"
        yield f"   expected: {result.expected}"
        yield f"   why:      {result.why}"
        yield f"   to do:    {result.action or REPAIR}"


class Batches:
    """A Great Expectations data source, and batches of it."""

    def __init__(self, source: Any, url: str) -> None:
        self._source = source
        self.url = url

    def table(self, schema: str, name: str) -> Any:
        """A batch of a whole table or view."""
        with warnings.catch_warnings():
            # A schema per asset is deprecated in favour of one per data source, which would need many of them.
            warnings.simplefilter("ignore", DeprecationWarning)
            asset = self._source.add_table_asset(f"{schema}.{name}", table_name=name, schema_name=schema)
        return asset.add_batch_definition_whole_table("whole").get_batch()

    def query(self, query: str) -> Any:
        """A batch of what a query selects."""
        asset = self._source.add_query_asset(f"query {len(self._source.assets)}", query=query)
        return asset.add_batch_definition_whole_table("whole").get_batch()


@contextmanager
def datasource(url: str) -> Iterator[Batches]:
    """A data source on the libpq ``url`` in a context of its own; its connections are closed afterwards."""
    with lean.collected_seldom():
        yield from _datasource(url)


def _datasource(url: str) -> Iterator[Batches]:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx

    for name in ("great_expectations", "great_expectations.data_context.types.base"):  # the import sets them back
        logging.getLogger(name).setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    source = context.data_sources.add_postgres("warehouse", connection_string=_sqlalchemy_url(url))
    try:
        with lean.columns_without_rows():
            yield Batches(source, url)
    finally:
        engine = source.get_execution_engine()
        engine.close()
        engine.engine.dispose()


def run_suite(
    batch: Any, suite: Suite, parameters: Mapping[str, Any], table: str, row_column: str | None = None
) -> Judgement:
    """Run all rules on one batch: one result per rule, in the suite's order.

    With ``row_column`` the rows that break critical row rules are listed by its value. Raises SuiteError for a
    rule that Great Expectations does not know or a parameter that is not given.
    """
    judgeable, judgement = _split(suite, parameters, table)
    unique = _proven_unique(batch, judgeable)
    for rule_id, checked in unique.items():
        rule = next(r for r in judgeable if r.id == rule_id)
        judgement.results.append(
            _result(rule, table, "pass", f"0 of {checked} rows", _expected(rule, parameters), checked, 0)
        )
    judgeable = [rule for rule in judgeable if rule.id not in unique]
    # No values yet: asking for some of a rule that nothing breaks costs a scan of the whole table.
    outcomes = _validate(batch, judgeable, parameters, {"result_format": "BASIC", "partial_unexpected_count": 0})
    for rule in judgeable:
        judgement.results.append(_judge(rule, outcomes.get(rule.id), parameters, table))
    _look_closer(batch, judgeable, parameters, row_column, judgement)
    order = {rule.id: n for n, rule in enumerate(suite.expectations)}
    judgement.results.sort(key=lambda r: order[r.rule_id])
    if [r.rule_id for r in judgement.results] != list(order):
        raise GateError(f"{suite.suite}: {len(judgement.results)} of {len(order)} rules gave a result")
    return judgement


def _judge_table(
    conn: Conn, source: Batches, load: Load, table: Table, suite: Suite, settings: Settings, now: datetime
) -> Judgement:
    partition = ops.partition(table.name, load.load_id)
    parameters: dict[str, Any] = dict(usual.parameters(conn, load, table, settings, now))
    if any("time_zones" in rule.parameters for rule in suite.expectations):
        parameters["time_zones"] = _time_zones(conn)
    conn.commit()
    batch = source.table("landing", partition)
    return run_suite(batch, suite, parameters, table.name, row_column="_row_no")


def _time_zones(conn: Conn) -> Limit:
    names = [r["name"] for r in conn.execute("select name from pg_timezone_names order by name")]
    return Limit(names, "a time zone the database knows")


def _same_tables(conn: Conn, load: Load, wanted: Mapping[str, Suite]) -> None:
    """What was landed, and only that, must be judged: promote takes all of it."""
    landed = {
        r["table_name"]: r["rows_read"]
        for r in conn.execute("select table_name, rows_read from ops.load_tables where load_id = %s", (load.load_id,))
    }
    if set(landed) != set(wanted):
        raise GateError(
            f"load {load.load_id} has landed {', '.join(sorted(landed)) or 'nothing'}, but to be judged are"
            f" {', '.join(sorted(wanted))}: the configuration changed in between; {REPAIR}"
        )
    for name, rows in landed.items():
        partition = ops.partition(name, load.load_id)
        if not conn.execute("select to_regclass(%s) as name", (f"landing.{partition}",)).fetchone()["name"]:  # type: ignore[index]
            raise GateError(f"landing.{partition} is gone, {rows} rows were landed there; {REPAIR}")
        if rows and ops.landed_rows_lost(conn, name, load.load_id):
            raise GateError(
                f"landing.{partition} is empty, {rows} rows were landed there: a crash of the database empties landing;"
                " load the window again"
            )


def _split(suite: Suite, parameters: Mapping[str, Any], table: str) -> tuple[list[Rule], Judgement]:
    """Rules that can be judged, and results of those that cannot."""
    judgeable, judgement = [], Judgement()
    for rule in suite.expectations:
        if missing := rule.parameters - set(parameters):
            raise SuiteError(f"{suite.suite}: {rule.id}: there is no parameter {', '.join(sorted(missing))}")
        reasons = [v.reason for n in sorted(rule.parameters) if isinstance(v := parameters[n], NotJudged)]
        if reasons:
            judgement.results.append(
                _result(rule, table, "not_judged", reasons[0], _expected(rule, parameters), None, None)
            )
        else:
            judgeable.append(rule)
    return judgeable, judgement


def _validate(
    batch: Any, rules: Sequence[Rule], parameters: Mapping[str, Any], result_format: dict[str, Any]
) -> dict[str, Any]:
    """Great Expectations' outcome by rule id."""
    if not rules:
        return {}
    from great_expectations.core import ExpectationSuite

    suite = ExpectationSuite(name="rules", expectations=[_expectation(rule) for rule in rules])
    if len(suite.expectations) != len(rules):
        raise SuiteError(f"Great Expectations took {len(suite.expectations)} of {len(rules)} rules")
    values = {n: v.value if isinstance(v, Limit) else v for n, v in parameters.items() if not isinstance(v, NotJudged)}
    found = batch.validate(suite, result_format=result_format, expectation_parameters=values)
    return {r.expectation_config.meta["rule_id"]: r for r in found.results}


def _expectation(rule: Rule) -> Any:
    from great_expectations.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.expectation import (
        ColumnMapExpectation,
        ColumnPairMapExpectation,
        MulticolumnMapExpectation,
    )
    from great_expectations.expectations.registry import get_expectation_impl

    try:
        kind = _counted_only() if rule.type == QUERY_RULE else get_expectation_impl(rule.type)
    except ExpectationNotFoundError as error:
        raise SuiteError(f"{rule.id}: Great Expectations knows no '{rule.type}'") from error
    is_about_rows = issubclass(kind, (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation))
    if rule.mostly is not None and not is_about_rows:
        raise SuiteError(f"{rule.id}: {rule.type} is about the whole table, so mostly has no meaning")
    given: dict[str, Any] = {**rule.kwargs, "severity": rule.severity, "meta": {"rule_id": rule.id}}
    if rule.mostly is not None:
        given["mostly"] = rule.mostly
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise SuiteError(f"{rule.id}: {error}") from error


@cache
def _counted_only() -> Any:
    """The expectation of a query without rows, asked once: Great Expectations runs it for its rows and for their count,
    and only the count is told.
    """
    from great_expectations.expectations.core import UnexpectedRowsExpectation

    class CountedRowsExpectation(UnexpectedRowsExpectation):
        metric_dependencies = ("unexpected_rows_query.row_count",)

        def _validate(self, metrics: dict[str, Any], *rest: Any, **named: Any) -> Any:
            return super()._validate({"unexpected_rows_query.table": [], **metrics}, *rest, **named)

    return CountedRowsExpectation


def _judge(rule: Rule, outcome: Any, parameters: Mapping[str, Any], table: str) -> RuleResult:
    expected = _expected(rule, parameters)
    if outcome is None or (problem := _exception(outcome.exception_info)) is not None:
        # Whatever the rule's severity: a rule that could not be judged has not been kept.
        reason = "no result" if outcome is None else problem
        return _result(rule, table, "fail", f"could not be judged: {reason}", expected, None, None)
    if "unexpected_count" in outcome.result:
        return _judge_rows(rule, outcome, expected, table)
    observed = outcome.result.get("observed_value")
    verdict: Outcome = "pass" if outcome.success else "fail" if rule.severity == "critical" else "warn"
    return _result(rule, table, verdict, _in_words(observed), expected, None, None)


def _judge_rows(rule: Rule, outcome: Any, expected: str, table: str) -> RuleResult:
    """One broken row alone never holds a load that tolerates any: a share of few rows says little."""
    found = outcome.result
    checked = found["element_count"] - (found.get("missing_count") or 0)
    failed = found["unexpected_count"] if checked else 0  # of no rows the sum is null
    tolerated = 1 if rule.mostly is not None and rule.mostly < 1 else 0
    if failed == 0:
        verdict: Outcome = "pass" if outcome.success else "fail"
    elif rule.severity == "warning":
        verdict = "warn"
    elif failed <= max(tolerated, (1 - (rule.mostly or 1)) * checked + 1e-9):
        verdict = "quarantine"
    else:
        verdict = "fail"
    share = f" ({failed / checked:.2%})" if failed and checked else ""
    observed = f"{failed} of {checked} rows{share}"
    return _result(rule, table, verdict, observed, expected, checked, failed)


def _exception(info: Mapping[str, Any] | None) -> str | None:
    """The first line of the exception behind an outcome; Great Expectations nests it by metric, or does not."""
    if not info:
        return None
    for part in [info, *(v for v in info.values() if isinstance(v, Mapping))]:
        if part.get("raised_exception"):
            return str(part.get("exception_message") or "no message").strip().splitlines()[0][:300]
    return None


def _look_closer(
    batch: Any, rules: Sequence[Rule], parameters: Mapping[str, Any], column: str | None, judgement: Judgement
) -> None:
    """Second pass, only for row rules that some rows break: which rows, where they are listed, and some values."""
    failed = {r.rule_id: r.rows_failed for r in judgement.results if r.rows_failed}
    broken = [rule for rule in rules if rule.id in failed]
    listed = [r for r in broken if column and r.severity == "critical" and failed[r.id] <= MOST_LISTED_ROWS]
    compound = [rule for rule in listed if rule.type == "expect_compound_columns_to_be_unique"]
    others = [rule for rule in listed if rule not in compound]
    outcomes = _validate(batch, [r for r in broken if r not in others], parameters, {"result_format": "BASIC"})
    outcomes |= _validate(batch, others, parameters, {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": [column],
        "partial_unexpected_count": max((failed[rule.id] for rule in others), default=0) + 1,
    })  # fmt: skip
    _add_examples(judgement, broken, outcomes)
    if column:
        rows = {rule.id: _index_list(outcomes.get(rule.id), column) for rule in others}
        rows |= {rule.id: _members_of_groups(batch, rule.kwargs["column_list"], column) for rule in compound}
        _note_rows(judgement, rows)


def _note_rows(judgement: Judgement, rows: Mapping[str, Sequence[int]]) -> None:
    """Note the rows that break critical rules; a rule whose rows are not all known fails."""
    for result in list(judgement.results):
        if not result.rows_failed or result.severity != "critical":
            continue
        found = rows.get(result.rule_id)
        if found is None:
            _unlisted(judgement, result.rule_id, f"more than {MOST_LISTED_ROWS} rows break it")
        elif len(found) != result.rows_failed:
            _unlisted(judgement, result.rule_id, f"{result.rows_failed} rows break it but {len(found)} could be listed")
        else:
            for row in found:
                judgement.bad_rows[row].append(result.rule_id)


def _add_examples(judgement: Judgement, rules: Sequence[Rule], outcomes: Mapping[str, Any]) -> None:
    by_id = {rule.id: rule for rule in rules}
    judgement.results = [
        replace(r, observed=r.observed + _examples(by_id[r.rule_id], r.table, outcomes[r.rule_id].result))
        if r.rule_id in by_id and r.rule_id in outcomes else r for r in judgement.results
    ]  # fmt: skip


def _index_list(outcome: Any, column: str) -> list[int]:
    if outcome is None or _exception(outcome.exception_info) is not None:
        return []
    return [entry[column] for entry in outcome.result.get("unexpected_index_list") or []]


def _proven_unique(batch: Any, rules: Sequence[Rule]) -> dict[str, int]:
    """Rules on unique keys that hold, with the rows they were checked on.

    Great Expectations sorts whole rows by the key to count its doubles. Whether there are any at all is told by lines
    that mark bits, or by grouping a number of 64 bits, at a tenth of the cost; equal numbers, which may be chance, are
    left to it, and so is a rule with a column that is not there.
    """
    import sqlalchemy as sa

    proven = {}
    for rule in rules:
        if rule.type != "expect_compound_columns_to_be_unique" or set(rule.kwargs) != {"column_list"}:
            continue
        keys: list[Any] = [sa.column(name) for name in rule.kwargs["column_list"]]
        with suppress(sa.exc.ProgrammingError), batch.data.execution_engine.engine.connect() as connection:
            is_line = keys[-1].name == LINE
            checked = _lines_without_twins(connection, batch, keys) if is_line else None
            if checked is None:
                checked = _rows_without_twins(connection, batch, keys)
            if checked is not None:
                proven[rule.id] = checked
    return proven


def _lines_without_twins(connection: Any, batch: Any, keys: Sequence[Any]) -> int | None:
    """How many rows, when no line of a file is there twice: each of 64 lines in a row marks a bit of its own."""
    import sqlalchemy as sa
    from sqlalchemy.dialects.postgresql import BIT

    *files, line = keys
    bit = sa.literal(1, sa.BigInteger).op("<<")(sa.cast(line.op("&")(63), sa.Integer))
    is_null = sa.or_(*(key.is_(None) for key in keys))
    groups = (
        sa.select(
            sa.func.count().label("rows"),
            sa.func.count().filter(is_null).label("nulls"),
            sa.func.bit_count(sa.cast(sa.func.bit_or(bit), BIT(64))).label("lines"),
        )
        .select_from(_rows_of(batch))
        .group_by(*files, line.op(">>")(6))
        .subquery()
    )
    found = sa.select(
        sa.func.coalesce(sa.func.sum(groups.c.rows), 0), sa.func.coalesce(sa.func.sum(groups.c.nulls), 0),
        sa.func.coalesce(sa.func.sum(groups.c.lines), 0),
    )  # fmt: skip
    rows, nulls, lines = connection.execute(found).one()
    return int(rows) if nulls == 0 and lines == rows else None


def _rows_without_twins(connection: Any, batch: Any, keys: Sequence[Any]) -> int | None:
    """How many rows have a key, when no two keys have the same number of 64 bits."""
    import sqlalchemy as sa

    number = sa.func.hash_record_extended(sa.func.row(*keys), 0)
    members = sa.func.count().label("members")
    any_key = sa.or_(*(key.is_not(None) for key in keys))
    groups = sa.select(members).select_from(_rows_of(batch)).where(any_key).group_by(number).subquery()
    totals = sa.select(sa.func.coalesce(sa.func.sum(groups.c.members), 0), sa.func.max(groups.c.members))
    checked, most = connection.execute(totals).one()
    return int(checked) if (most or 0) <= 1 else None


def _rows_of(batch: Any) -> Any:
    """What a batch selects, as something to select from."""
    import sqlalchemy as sa

    rows = batch.data.selectable
    if isinstance(rows, sa.TextClause):
        rows = rows.columns()
    return rows.subquery() if isinstance(rows, (sa.Select, sa.TextualSelect)) else rows


def _members_of_groups(batch: Any, columns: Sequence[str], row_column: str) -> list[int]:
    """All rows of groups with more than one; Great Expectations counts them in SQL but cannot list them."""
    import sqlalchemy as sa

    engine = batch.data.execution_engine
    keys: list[Any] = [sa.column(name) for name in columns]
    members = sa.func.count().over(partition_by=keys).label("members")
    any_key = sa.or_(*(key.is_not(None) for key in keys))
    grouped = sa.select(sa.column(row_column), members).select_from(_rows_of(batch)).where(any_key).subquery()
    statement = sa.select(grouped.c[row_column]).where(grouped.c.members > 1)
    return [row[0] for row in engine.execute_query(statement)]


def _unlisted(judgement: Judgement, rule_id: str, reason: str) -> None:
    judgement.results = [
        replace(r, verdict="fail", observed=f"{r.observed}; {reason}, so the load cannot be released")
        if r.rule_id == rule_id else r for r in judgement.results
    ]  # fmt: skip


def _result(
    rule: Rule, table: str, verdict: Outcome, observed: str, expected: str, checked: int | None, failed: int | None
) -> RuleResult:
    return RuleResult(
        table, rule.id, rule.type, rule.severity, verdict, observed, expected, checked, failed,
        rule.why, rule.owner, rule.action,
    )  # fmt: skip


def _expected(rule: Rule, parameters: Mapping[str, Any]) -> str:
    texts = [p.text for n in sorted(rule.parameters) if isinstance(p := parameters.get(n), Limit)]
    if texts:
        columns = rule.kwargs.get("column")
        text = f"{columns}: {texts[0]}" if columns else texts[0]
    else:
        words = rule.type.removeprefix("expect_").replace("_", " ")
        given = ", ".join(f"{k} {_in_words(v)}" for k, v in rule.kwargs.items())
        text = f"{words}: {given}" if given else words
    return text if rule.mostly is None else f"{text}; in at least {rule.mostly:.2%} of the rows"


def _in_words(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
    if isinstance(value, Mapping) and "$PARAMETER" in value:
        return f"as given by {value['$PARAMETER']}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_in_words(v) for v in value)
    return str(value)


_LONG_DIGITS = re.compile(r"[0-9][0-9 ()+-]{4,}")


def _examples(rule: Rule, table: str, found: Mapping[str, Any]) -> str:
    """Some of the values, unless the column can identify a person; long numbers are left out of texts."""
    column = rule.kwargs.get("column")
    landed = BY_NAME.get(table)
    if landed and any(c.name == column and c.personal for c in landed.columns):
        return ""
    values = [v for v in found.get("partial_unexpected_list") or [] if v is not None]
    if not column or not values:
        return ""
    texts = dict.fromkeys(_LONG_DIGITS.sub("***", _in_words(v))[:80] for v in values)
    return ": " + "; ".join(list(texts)[:5])


def _store(conn: Conn, load: Load, judgements: Mapping[str, Judgement], verdict: Verdict, settings: Settings) -> None:
    conn.execute("delete from ops.gate_results where load_id = %s", (load.load_id,))
    conn.execute("delete from ops.load_bad_rows where load_id = %s", (load.load_id,))
    store_results(conn, verdict.results, load_id=load.load_id)
    with conn.cursor().copy("copy ops.load_bad_rows (load_id, table_name, row_no, rule_ids) from stdin") as copy:
        for name, judgement in judgements.items():
            for row, rule_ids in judgement.bad_rows.items():
                copy.write_row((load.load_id, name, row, rule_ids))
    status = "held" if verdict.is_held else "gated"
    ops.set_load(
        conn, load.load_id, status, expect=JUDGEABLE,
        message=verdict.message, time_zone=settings.provider.time_zone,
    )  # fmt: skip


def store_results(
    conn: Conn, results: Iterable[RuleResult], load_id: int | None = None, build_id: int | None = None
) -> None:
    """Write results of a load or a build to ``ops.gate_results``; the commit is the caller's."""
    rows = [
        (load_id, build_id, r.table, r.rule_id, r.rule_type, r.severity, r.verdict, r.observed, r.expected,
         r.rows_checked, r.rows_failed, r.why, r.owner, r.action)
        for r in results
    ]  # fmt: skip
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into ops.gate_results (load_id, build_id, table_name, rule_id, rule_type, severity, verdict,"
            " observed, expected, rows_checked, rows_failed, why, owner, action)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            rows,
        )


def _with_options(url: str, options: str) -> str:
    given = conninfo_to_dict(url).get("options") or ""
    return make_conninfo(url, options=f"{given} {options}".strip())


def _sqlalchemy_url(url: str) -> str:
    """A libpq URL or key-value text as SQLAlchemy wants it, driver named."""
    from sqlalchemy import URL

    given = {k: str(v) for k, v in conninfo_to_dict(url).items() if v is not None}
    user, password, database = (given.pop(k, None) for k in ("user", "password", "dbname"))
    host = None if given.get("host", "/").startswith("/") else given.pop("host")
    port = int(given.pop("port", "5432")) if host else None
    made = URL.create("postgresql+psycopg", user, password, host, port, database, given)
    return made.render_as_string(hide_password=False)
