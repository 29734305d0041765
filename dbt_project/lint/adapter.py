"""What sqlfluff sees of macros with a dispatch name: a function of that name."""

from collections.abc import Callable


def dispatch(name: str, package: str | None = None) -> Callable[..., str]:
    """A stand-in for the macro called ``name``: a query for those that are one, else an expression."""

    def expression(*arguments: object) -> str:
        if name == "day_series":
            return "select days.date_day from days"
        if name == "distinct_values":
            return f"select distinct {arguments[1]} from {arguments[0]}"
        return f"{name}({', '.join(str(a) for a in arguments)})" if arguments else name

    return expression
