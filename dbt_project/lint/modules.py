"""What sqlfluff sees of the Python modules that dbt gives to macros: any text is a day, for there is no build."""

import datetime as _datetime
from types import SimpleNamespace


def _any_day(text: str) -> _datetime.date:
    return _datetime.date(2026, 1, 1)


datetime = SimpleNamespace(date=SimpleNamespace(fromisoformat=_any_day), timedelta=_datetime.timedelta)
