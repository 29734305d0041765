"""What sqlfluff sees of macros with a dispatch name: a function of that name."""

from collections.abc import Callable


def dispatch(name: str, package: str | None = None) -> Callable[..., str]:
    """A stand-in for the macro called ``name``; a day series is a query, all others are expressions."""

    def expression(*arguments: object) -> str:
        if name == "day_series":
            return "select days.date_day from days"
        return f"{name}({', '.join(str(a) for a in arguments)})" if arguments else name

    return expression
