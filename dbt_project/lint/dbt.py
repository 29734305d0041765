"""What sqlfluff sees of dbt's own macros: text of the right kind, so that a model can be linted without dbt."""


def type_string() -> str:
    """Text."""
    return "text"


def type_float() -> str:
    """Floating point number."""
    return "double precision"


def type_numeric() -> str:
    """Exact decimal number."""
    return "numeric(28, 6)"


def type_bigint() -> str:
    """Whole number."""
    return "bigint"


def date_trunc(part: str, day: str) -> str:
    """Beginning of the period."""
    return f"date_trunc('{part}', {day})"


def datediff(first: str, second: str, part: str) -> str:
    """Whole parts between two dates."""
    return f"date_diff('{part}', {first}, {second})"


def dateadd(part: str, count: object, day: str) -> str:
    """The date so many parts later."""
    return f"date_add('{part}', {count}, {day})"


def listagg(measure: str, delimiter: str = "','", order_by: str = "", limit: int | None = None) -> str:
    """Values of a group, joined in their order."""
    return f"string_agg({measure}, {delimiter} {order_by})"
