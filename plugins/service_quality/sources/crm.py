"""The CRM: one SQL query per canonical table, run on the provider's own database.

The queries return the contract's columns by name, in any order and in whatever type the CRM keeps them;
``convert`` says how values are read. ``:window_start`` and ``:window_end`` are the window's ends: on
Postgres instants, on other databases local times of ``crm.time_zone``, which is also the session's zone
and that of every date and time without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from service_quality.config import Crm
from service_quality.sources import convert, databases
from service_quality.sources import queries as query_files
from service_quality.sources.base import Extracted
from service_quality.window import Window


class CrmSource:
    """The CRM behind ``url``; the folder ``queries`` holds ``<table>.sql``."""

    def __init__(self, config: Crm, queries: Path, url: str) -> None:
        """``config``: the section ``crm``; ``url``: ``postgres://``, ``mysql://`` or any of SQLAlchemy."""
        self._config, self._queries, self._url = config, queries, url

    def read(self, window: Window) -> Iterator[Extracted]:
        """Batches of at most ``crm.batch_rows`` rows, table by table; none for an empty table.

        Raises ConfigError when a query file is missing or misnamed, at once; SourceError naming the file
        when the database refuses, while reading.
        """
        return self._read(window, query_files.find(self._queries, self._config.tables))

    def _read(self, window: Window, found: list[query_files.Query]) -> Iterator[Extracted]:
        zone = ZoneInfo(self._config.time_zone)
        with databases.connect(self._url, zone, window, self._config.batch_rows) as database:
            for query in found:
                for columns in database.stream(query):
                    yield Extracted(query.table, convert.to_batch(query.table, columns, zone))
