"""Sessions in Postgres that dbt's models and tests use one after the other.

dbt connects anew for each node, and a new session looks up in the catalog what the one before knew: of a small night's
blocks that is half.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import psycopg2
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.postgres import PostgresAdapter
from dbt.adapters.postgres.connections import PostgresConnectionManager


class SharedSessions(PostgresConnectionManager):
    """Connections that are handed on instead of closed.

    A node leaves nothing in its session: it ends its transaction, sets what it sets ``local``, and its temporary tables
    are dropped on commit.
    """

    idle: ClassVar[list[Any]] = []

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Give ``connection`` a session that is idle, or a new one."""
        if connection.state == ConnectionState.OPEN:
            return connection
        try:
            connection.handle = cls.idle.pop()
        except IndexError:
            return super().open(connection)
        connection.state = ConnectionState.OPEN
        return connection

    @classmethod
    def _close_handle(cls, connection: Connection) -> None:
        handle = connection.handle
        try:
            handle.rollback()
        except psycopg2.Error:  # a session that is broken, or was ended by an interrupt
            super()._close_handle(connection)
        else:
            cls.idle.append(handle)


@contextmanager
def shared() -> Iterator[None]:
    """One command's nodes share their sessions, which end with it."""
    PostgresAdapter.ConnectionManager = SharedSessions
    try:
        yield
    finally:
        while SharedSessions.idle:
            SharedSessions.idle.pop().close()
