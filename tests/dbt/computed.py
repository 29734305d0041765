"""What a text with the project's macros gives, computed by the database."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row
from service_quality import transform


def run(url: str, text: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compile ``text`` with the project's macros and run it on a table ``given`` with these rows.

    Columns are typed by the first row: text, numeric (of a whole number) or double precision.
    """
    outcome = transform.invoke(url, ["compile", "--inline", text])
    assert outcome.success, outcome.exception
    statement = outcome.result.results[0].node.compiled_code
    types = {str: "text", int: "numeric", float: "double precision"}
    columns = ", ".join(f"{k} {types[type(v)]}" for k, v in rows[0].items())
    with psycopg.connect(url, row_factory=dict_row) as conn:
        conn.execute(f"create temporary table given ({columns})")
        with conn.cursor() as cursor:
            marks = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"insert into given values ({marks})", [list(r.values()) for r in rows])
            return cursor.execute(statement).fetchall()
