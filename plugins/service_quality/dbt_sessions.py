"""Sessions in Postgres that dbt's models and tests use one after the other.

dbt connects anew for each node, and a new session looks up in the catalog what the one before knew: of a small night's
blocks that is half.
"""

from __future__ import annotations

from typing import Any, ClassVar

import psycopg2
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.postgres import PostgresAdapter
from dbt.adapters.postgres.connections import PostgresConnectionManager


class SharedSessions(PostgresConnectionManager):
    """Connections that are handed on instead of closed, until `close_idle`.

    A node leaves nothing in its session: it ends its transaction, sets what it sets ``local``, and its temporary tables
    are dropped on commit.
    """

    idle: ClassVar[list[Any]] = []

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Give ``connection`` a session that is idle, or a new one."""
        if connection.state != ConnectionState.OPEN and cls.idle:
            try:
                connection.handle = cls.idle.pop()
            except IndexError:  # another thread took it
                return super().open(connection)
            connection.state = ConnectionState.OPEN
            return connection
        return super().open(connection)

    @classmethod
    def _close_handle(cls, connection: Connection) -> None:
        handle = connection.handle
        try:
            handle.rollback()
        except psycopg2.Error:  # a session that is broken, or was ended by an interrupt
            super()._close_handle(connection)
        else:
            cls.idle.append(handle)

    @classmethod
    def close_idle(cls) -> None:
        """Close the sessions that nobody uses."""
        while cls.idle:
            cls.idle.pop().close()


def share() -> None:
    """Let dbt's adapter of Postgres use `SharedSessions` from now on."""
    PostgresAdapter.ConnectionManager = SharedSessions
