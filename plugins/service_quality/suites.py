"""Suites of rules as reviewable YAML, read strictly: a rule that cannot be understood is an error, never skipped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from service_quality import ops
from service_quality.config import REPO

FOLDER = REPO / "expectations"
QUERY = "unexpected_rows_query"
TOUCHED = re.compile(r"\{touched(?:\+(\d+))?:([^{}]+)\}")
ROW_COUNT_RULES = frozenset({"expect_table_row_count_to_be_between", "expect_table_row_count_to_equal"})

Severity = Literal["critical", "warning"]
Words = Annotated[str, Field(min_length=1)]


class SuiteError(ValueError):
    """A suite cannot be used; the message names file and rule."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Strict):
    """One rule. ``type``: a Great Expectations expectation; ``mostly``: tolerated share of sound rows, for row rules.

    A critical row rule sends rows that break it to quarantine and holds the load below ``mostly``; a warning
    leaves the rows where they are.
    """

    id: Words
    type: Words
    severity: Severity
    why: Annotated[str, Field(min_length=15)]
    owner: Words
    action: str | None = None
    mostly: float | None = Field(None, gt=0, le=1)
    kwargs: dict[str, Any] = {}

    @model_validator(mode="after")
    def _mostly_in_one_place(self) -> Rule:
        if "mostly" in self.kwargs:
            raise ValueError("mostly stands beside kwargs, not in it")
        return self

    @property
    def parameters(self) -> frozenset[str]:
        """Names of the ``$PARAMETER`` values the rule needs."""
        return frozenset(_parameters(self.kwargs))

    def on_days(self, days: Sequence[date] | None) -> Rule:
        """The rule with ``{touched:a day}`` in its query as a condition on these days; None: all days.

        ``{touched+2:a day}`` is also true of the two days before and after each. In literal ranges, for which the
        planner knows how few rows there are.
        """
        query = self.kwargs.get(QUERY)
        if not isinstance(query, str):
            return self

        def condition(found: re.Match[str]) -> str:
            if days is None:
                return "true"
            around = int(found[1] or 0)
            near = [day + timedelta(days=n) for day in days for n in range(-around, around + 1)]
            return ops.in_days(sql.SQL(found[2]), near).as_string()

        return self.model_copy(update={"kwargs": {**self.kwargs, QUERY: TOUCHED.sub(condition, query)}})


class Relation(_Strict):
    """What a suite is for."""

    schema_: Words = Field(alias="schema")
    name: Words


class Suite(_Strict):
    """All rules of one table."""

    suite: Words
    table: Relation
    expectations: Annotated[list[Rule], Field(min_length=1)]

    @model_validator(mode="after")
    def _sound(self) -> Suite:
        ids = [rule.id for rule in self.expectations]
        if doubled := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"ids must differ; doubled: {', '.join(doubled)}")
        if not any(rule.type in ROW_COUNT_RULES for rule in self.expectations):
            raise ValueError(
                "there must be a rule on the number of rows (expect_table_row_count_to_be_between):"
                " an empty table passes all other rules"
            )
        return self

    def on_days(self, days: Sequence[date] | None) -> Suite:
        """The suite with its rules as conditions on these days, see `Rule.on_days`."""
        return self.model_copy(update={"expectations": [rule.on_days(days) for rule in self.expectations]})


def read(path: Path) -> Suite:
    """The suite in ``path``. Raises SuiteError: no such file, no YAML, an unknown or missing key, a doubled id."""
    if not path.is_file():
        raise SuiteError(f"{path}: there is no such suite; without rules nothing can be judged")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.YAMLError as error:
        raise SuiteError(f"{path}: not readable as YAML: {error}") from error
    try:
        return Suite.model_validate(content)
    except ValidationError as error:
        raise SuiteError(f"{path}:\n{_explain(error, content)}") from error


def _parameters(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$PARAMETER" in value:
            yield str(value["$PARAMETER"])
        for inner in value.values():
            yield from _parameters(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parameters(inner)


def _explain(error: ValidationError, content: Any) -> str:
    lines = []
    for problem in error.errors():
        place = ".".join(map(str, problem["loc"])) or "(top)"
        lines.append(f"  {place}{_rule_name(problem['loc'], content)}: {problem['msg']}")
    return "\n".join(lines)


def _rule_name(place: tuple[int | str, ...], content: Any) -> str:
    if len(place) > 1 and place[0] == "expectations" and isinstance(place[1], int):
        rule = content["expectations"][place[1]]
        if isinstance(rule, dict) and "id" in rule:
            return f" ({rule['id']})"
    return ""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML in which a key that is written twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if doubled := {k for k in keys if keys.count(k) > 1}:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {', '.join(sorted(doubled))} is written twice", node.start_mark
            )
        return super().construct_mapping(node, deep)
