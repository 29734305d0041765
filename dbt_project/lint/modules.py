"""What sqlfluff sees of the Python modules that dbt gives to macros: dates, where it fills variables with a word."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace


def _fromisoformat(text: str) -> date:
    """Any date will do for a model's form."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date(2026, 1, 1)


datetime = SimpleNamespace(date=SimpleNamespace(fromisoformat=_fromisoformat), timedelta=timedelta)
