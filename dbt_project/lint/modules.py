"""What sqlfluff sees of dbt's `modules`: dates, of which any text names one."""

import datetime as real


class _Date(real.date):
    @classmethod
    def fromisoformat(cls, text: str) -> "_Date":
        """A day, whatever the text is: variables have no values here."""
        return cls(2026, 1, 1)


class datetime:
    """The parts of the library that macros use."""

    date = _Date
    timedelta = real.timedelta
