"""Telephony: what the PBXs log about queues and calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from zoneinfo import ZoneInfo

from service_quality import config
from service_quality.sources import cdr, queue_log
from service_quality.sources.base import Extracted, History
from service_quality.window import Window


class TelephonySource:
    """All PBXs. ``history``: what was loaded before, by table name."""

    def __init__(self, settings: config.Telephony, resolve: config.Resolver, history: Mapping[str, History]) -> None:
        self._settings, self._resolve, self._history = settings, resolve, history

    def read(self, window: Window) -> Iterator[Extracted]:
        """``queue_log`` and ``cdr`` of ``window``, server by server. Raises SourceError.

        An event belongs to the window of its own time, a call record to that of the call's end, because
        that is when it is written.
        """
        return self._share(window, 0, 1)

    def shares(self, window: Window) -> list[Callable[[], Iterator[Extracted]]]:
        """The same as ``read`` in as many parts as ``processes`` are configured, each to be read for itself.

        Files of a queue_log are dealt out in turn. The call records of a server stay together, as the clock of
        one file goes on in the next, and so does a realtime table.
        """
        count = self._settings.processes
        return [partial(self._share, window, number, count) for number in range(count)]

    def _share(self, window: Window, number: int, count: int) -> Iterator[Extracted]:
        for place, server in enumerate(self._settings.servers):
            source = self._queue_log(server)
            if isinstance(source, queue_log.QueueLogFiles):
                batches = source.read(window, number, count)
            else:
                batches = source.read(window) if place % count == number else iter(())
            for batch in batches:
                yield Extracted(queue_log.TABLE, batch)
            if server.cdr is not None and place % count == number:
                past = self._history.get("cdr", History())
                files = cdr.CdrFiles(server.server_id, ZoneInfo(server.time_zone), server.cdr, past)
                for batch in files.read(window):
                    yield Extracted(cdr.TABLE, batch)

    def _queue_log(self, server: config.Server) -> queue_log.QueueLogFiles | queue_log.QueueLogTable:
        past = self._history.get("queue_log", History())
        form = server.queue_log
        if isinstance(form, config.QueueLogFile):
            return queue_log.QueueLogFiles(server.server_id, form, past)
        url, zone = self._resolve(form.connection), ZoneInfo(server.time_zone)
        return queue_log.QueueLogTable(server.server_id, zone, form, url, past)
