"""What sqlfluff sees of the Python modules dbt gives to macros."""

import datetime as _datetime
from types import SimpleNamespace


class _Date(_datetime.date):
    """A date that reads any text: without dbt no build says which days it has."""

    @classmethod
    def fromisoformat(cls, text: str) -> _datetime.date:
        """Some day."""
        return _datetime.date(2026, 1, 1)


datetime = SimpleNamespace(date=_Date, timedelta=_datetime.timedelta)
