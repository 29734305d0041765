"""The shape of an analysis, and the build it works for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from service_quality.ops import Conn
from service_quality.window import Reach

# Of evaluations `heard`: those of calls that several listeners heard, a small part of all.
HEARD_BY_SEVERAL = (
    "contact_id in (select contact_id from heard group by contact_id having min(evaluator_id) <> max(evaluator_id))"
)


@dataclass(frozen=True)
class Scope:
    """The days a build touches (all of them when ``is_full``) otherwise than by repeats, which no analysis looks at,
    and the last day that is loaded wholly.
    """

    touched_days: Sequence[date]
    as_of_day: date | None
    is_full: bool


@dataclass(frozen=True)
class Analysis:
    """Writes ``intermediate.calculated_<name>``, which dbt reads as its source ``calculated``.

    ``columns``: (name, SQL type) in the order of the rows; ``calculate``: gives the rows, deterministic for equal
    input. ``reach``: the table has a column business_day, and only the touched days with what they reach are
    replaced; None: the whole table is.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    calculate: Callable[[Conn, Scope], Iterable[Sequence[Any]]]
    reach: Reach | None = None

    @property
    def table(self) -> str:
        """Name of the table in schema ``intermediate``."""
        return f"calculated_{self.name}"
