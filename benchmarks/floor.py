"""What loading is measured against: psql's own COPY, and the databases it all happens in.

psql is the embedded server's; where there is none, a minimal process that passes the same bytes through libpq.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from service_quality.local import postgres

_LIBPQ = """
import sys, psycopg
statement, path = sys.argv[1:3]
with psycopg.connect("") as conn, conn.cursor() as cursor:
    if "to stdout" in statement:
        with cursor.copy(statement) as copy:
            for data in copy:
                sys.stdout.buffer.write(data)
    else:
        with cursor.copy(statement) as copy, (open(path, "rb") if path else sys.stdin.buffer) as given:
            while data := given.read(1 << 20):
                copy.write(data)
"""


@contextmanager
def databases(*names: str) -> Iterator[list[str]]:
    """URLs of new databases ``names`` on the embedded server; they are dropped before and afterwards."""
    server = postgres.start()

    def drop(conn: psycopg.Connection[tuple[object, ...]]) -> None:
        for name in names:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        drop(conn)
        for name in names:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        yield [server.url(name) for name in names]
    finally:
        with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
            drop(conn)


def psql() -> str | None:
    """The psql to measure with: the embedded server's, else the system's; None when there is none."""
    own = postgres._bin(postgres._data_base()) / "psql"
    return str(own) if own.exists() else shutil.which("psql")


def copy_csv(url: str, path: Path, table: str, columns: Sequence[str]) -> None:
    """``\\copy table (columns) from path (format csv)`` in a process of its own."""
    target = f"{table} ({', '.join(columns)})"
    found = psql()
    if found:
        command = [found, "-qX", "-v", "ON_ERROR_STOP=1", "-c", f"\\copy {target} from '{path.resolve()}' (format csv)"]
    else:
        command = [sys.executable, "-c", _LIBPQ, f"copy {target} from stdin (format csv)", str(path.resolve())]
    subprocess.run(command, env=_env(url), check=True)


def pipe_binary(source: str, query: str, url: str, table: str, columns: Sequence[str]) -> None:
    """What ``query`` gives in one database into ``table`` of another: binary COPY piped into binary COPY."""
    read = f"copy ({query}) to stdout (format binary)"
    write = f"copy {table} ({', '.join(columns)}) from stdin (format binary)"
    found = psql()
    commands = [[found, "-qX", "-v", "ON_ERROR_STOP=1", "-c", s] if found else [sys.executable, "-c", _LIBPQ, s, ""]
                for s in (read, write)]  # fmt: skip
    with subprocess.Popen(commands[0], env=_env(source), stdout=subprocess.PIPE) as reader:
        subprocess.run(commands[1], env=_env(url), stdin=reader.stdout, check=True)
    if reader.returncode:
        raise subprocess.CalledProcessError(reader.returncode, commands[0])


def _env(url: str) -> dict[str, str]:
    """libpq's variables: a password on a command line can be seen by everybody."""
    given = conninfo_to_dict(url)
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    return {**os.environ, **{names[k]: str(v) for k, v in given.items() if k in names}}
