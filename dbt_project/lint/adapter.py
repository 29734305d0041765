"""What sqlfluff sees of macros with a dispatch name: their first argument, an expression."""

from collections.abc import Callable


def dispatch(name: str, package: str | None = None) -> Callable[..., str]:
    """A stand-in for the macro called ``name``."""

    def expression(*arguments: object) -> str:
        return str(arguments[0]) if arguments else name

    return expression
