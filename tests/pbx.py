"""Spool folders and readers for the tests of telephony and IVR."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service_quality import config
from service_quality.sources.base import History
from service_quality.sources.ivr import IvrSource
from service_quality.sources.telephony import TelephonySource
from service_quality.window import Window

ALWAYS = Window(datetime(2001, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))
SAMPLE = Path(__file__).parent / "fixtures" / "asterisk_sample"


def instant(text: str) -> datetime:
    """ISO text in UTC as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(start: str, end: str) -> Window:
    """Window between two ISO texts in UTC."""
    return Window(instant(start), instant(end))


def server(spool: Path | str, zone: str = "Europe/Moscow", server_id: str = "pbx", **parts: Any) -> dict:
    """Configuration of one PBX; ``parts`` replaces or adds sections."""
    sections = {"queue_log": {"spool": str(spool), "pattern": "queue_log*"}, **parts}
    return {"server_id": server_id, "time_zone": zone, **sections}


def read(
    *servers: dict,
    window: Window = ALWAYS,
    table: str = "queue_log",
    history: History | None = None,
    url: str = "",
) -> list[dict[str, Any]]:
    """The rows of one table from these PBXs."""
    settings = config.Telephony.model_validate({"servers": list(servers)})
    source = TelephonySource(settings, lambda name: url, {table: history or History()})
    found = []
    for extracted in source.read(window):
        assert extracted.batch.schema == extracted.table.arrow_schema()
        extracted.batch.validate(full=True)
        if extracted.table.name == table:
            found += extracted.batch.to_pylist()
    return found


def read_ivr(*drops: dict, window: Window = ALWAYS, history: History | None = None) -> list[dict[str, Any]]:
    """The ratings of these drops."""
    settings = config.Ivr.model_validate({"drops": list(drops)})
    found = []
    for extracted in IvrSource(settings, history or History()).read(window):
        assert extracted.batch.schema == extracted.table.arrow_schema()
        extracted.batch.validate(full=True)
        found += extracted.batch.to_pylist()
    return found


def lines(path: Path, *content: str, end: str = "\n") -> Path:
    """Write ``content`` as lines; ``end`` is what follows the last."""
    path.write_text("\n".join(content) + end, encoding="utf-8")
    return path


def column(rows: Iterable[dict[str, Any]], name: str) -> list[Any]:
    """One column of ``rows``."""
    return [row[name] for row in rows]


NOT_NORMAL = ("file_id", "line_no", "log_seq", "_source_ref", "time_text")


def normal(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """``rows`` without what says where they came from."""
    return [{k: v for k, v in row.items() if k not in NOT_NORMAL} for row in rows]
