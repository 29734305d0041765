"""The provider's SQL: one file per canonical table, ``:window_start`` and ``:window_end`` in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from service_quality.config import ConfigError
from service_quality.contract import Source, Table, tables_of
from service_quality.sources.base import SourceError

# Strings, quoted names and comments are passed over: a ":window_start" in them is no parameter.
_POSTGRES = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
    |(?:(?<!\w)[eE]'(?:[^'\\]|\\.|'')*')|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<!\w)\$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    |::|(?<![:\w]):window_(?P<bound>start|end)\b""",
    re.DOTALL | re.VERBOSE,
)
_MYSQL = re.compile(
    r"""(?P<comment>--(?=\s|$)[^\n]*|\#[^\n]*|/\*.*?\*/)
    |'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`
    |(?<![:\w]):window_(?P<bound>start|end)\b""",
    re.DOTALL | re.VERBOSE,
)
_STANDARD = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)|'(?:[^']|'')*'|"(?:[^"]|"")*"
    |(?<![:\w]):window_(?P<bound>start|end)\b""",
    re.DOTALL | re.VERBOSE,
)
_TOKENS = {"postgresql": _POSTGRES, "mysql": _MYSQL}


@dataclass(frozen=True)
class Query:
    """The SQL that returns one canonical table."""

    table: Table
    path: Path
    text: str

    def with_bounds(self, start: str, end: str, dialect: str = "postgresql") -> str:
        """The SQL with ``start`` and ``end`` in place of the parameters, without a closing semicolon."""
        return _statement(self.text, dialect, {"start": start, "end": end}, "")

    def as_template(self, dialect: str) -> str:
        """The SQL for SQLAlchemy's ``text()``: only our two parameters keep an unescaped colon."""
        kept = {"start": ":window_start", "end": ":window_end"}
        return _statement(self.text, dialect, kept, "\\")

    def order(self, names: Sequence[str]) -> list[int]:
        """Where each contract column stands among the result's ``names`` (letter case does not matter).

        Raises SourceError naming the file when columns are missing, surplus or doubled.
        """
        found = [n.lower() for n in names]
        wanted = [c.name for c in self.table.columns]
        wrong = {
            "missing": [n for n in wanted if n not in found],
            "surplus": [n for n in found if n not in wanted],
            "more than once": sorted({n for n in found if found.count(n) > 1}),
        }
        if told := "; ".join(f"{what}: {', '.join(which)}" for what, which in wrong.items() if which):
            raise SourceError(f"{self.path}: the query must return exactly the columns of {self.table.name}; {told}")
        return [found.index(n) for n in wanted]


def find(folder: Path, tables: Sequence[str] | None) -> list[Query]:
    """The queries of ``tables``, or of every file ``<table>.sql`` in ``folder`` when None, in load order.

    Raises ConfigError naming the file that is missing, unreadable, empty or called like no table.
    """
    known = {t.name: t for t in tables_of(Source.CRM)}
    if tables is None:
        tables = sorted(p.stem for p in folder.glob("*.sql"))
        if odd := [name for name in tables if name not in known]:
            raise ConfigError(
                f"{folder / odd[0]}.sql: '{odd[0]}' is no canonical table; there are {', '.join(sorted(known))}"
            )
    if not tables:
        raise ConfigError(f"{folder}: there is no <table>.sql, so nothing can be read from the CRM")
    return [
        Query(t, folder / f"{t.name}.sql", _read(folder / f"{t.name}.sql")) for t in known.values() if t.name in tables
    ]


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such file; write the query or leave '{path.stem}' out of crm.tables"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if not text.strip():
        raise ConfigError(f"{path}: the file is empty")
    return text


def _statement(sql: str, dialect: str, bounds: dict[str, str], escape: str) -> str:
    """``sql`` with its parameters replaced and other colons escaped, cut after its last word."""
    parts: list[str] = []
    end = at = 0
    for token in _TOKENS.get(dialect, _STANDARD).finditer(sql):
        parts.append(_escaped(sql[at : token.start()], escape))
        end = len(parts) if parts[-1].strip("; \t\r\n") else end
        bound = token["bound"]
        parts.append(bounds[bound] if bound else _escaped(token[0], escape))
        end = end if token["comment"] is not None else len(parts)
        at = token.end()
    parts.append(_escaped(sql[at:], escape))
    end = len(parts) if parts[-1].strip("; \t\r\n") else end
    return "".join(parts[:end]).rstrip("; \t\r\n")


def _escaped(text: str, escape: str) -> str:
    return text.replace(":", f"{escape}:") if escape else text
