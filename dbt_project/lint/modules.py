"""What sqlfluff sees of dbt's `modules`: dates, whatever text they are made from."""

import datetime as _datetime


class _Date:
    @staticmethod
    def fromisoformat(_: str) -> _datetime.date:
        return _datetime.date(2026, 1, 1)


class datetime:
    """Stands for the module of that name."""

    date = _Date
    timedelta = _datetime.timedelta
