"""Small batches and loads for the tests of landing, gate and promote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from service_quality import landing, ops
from service_quality.contract import BY_NAME, Source
from service_quality.sources.base import Extracted
from service_quality.window import Window

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)

SOUND: dict[str, dict[str, Any]] = {
    "branches": {"branch_id": "b1", "time_zone": "Europe/Moscow", "valid_from": date(2020, 1, 1)},
    "operators": {"operator_id": "o1", "operator_name": "Anna", "hired_on": date(2020, 1, 1)},
    "operator_branches": {"operator_id": "o1", "branch_id": "b1", "valid_from": date(2020, 1, 1)},
    "operator_aliases": {"alias": "Agent/1", "server_id": "*", "operator_id": "o1", "valid_from": date(2020, 1, 1)},
    "subscribers": {"subscriber_id": "s1", "phone": "+79161234567", "technology": "GPON"},
    "topics": {"topic_id": "t1", "topic_class": "technical", "valid_from": date(2020, 1, 1)},
    "wrap_ups": {"wrap_up_id": "w1", "call_id": "1.1", "topic_id": "t1", "noted_at": MONDAY},
    "tickets": {"ticket_id": "k1", "kind": "fault", "status": "open", "channel": "phone", "opened_at": MONDAY},
    "ticket_events": {"ticket_event_id": "e1", "ticket_id": "k1", "event": "opened", "event_at": MONDAY},
    "connections": {"connection_id": "c1", "technology": "FTTB", "ordered_at": MONDAY},
    "evaluations": {"evaluation_id": "v1", "operator_id": "o1", "tone": "warm", "evaluated_at": MONDAY},
    "evaluation_items": {"evaluation_id": "v1", "item_id": "i1", "score": 1.0, "max_score": 2.0, "weight": 1.0},
    "measures": {"measure_id": "m1", "branch_id": "b1", "topic_id": "t1", "what": "x", "owner": "someone",
                 "started_at": MONDAY},
    "queue_log": {
        "server_id": "pbx", "file_id": "f", "line_no": 1, "log_seq": 1, "time_text": "1772409600",
        "event_at": MONDAY, "callid": "1772409600.1", "queue": "sales", "agent": "NONE", "event": "ENTERQUEUE",
    },
    "cdr": {
        "server_id": "pbx", "file_id": "f", "line_no": 1, "log_seq": 1, "start_text": "2026-03-02 03:00:00",
        "start_at": MONDAY, "end_at": MONDAY, "duration": "12", "billsec": "3", "disposition": "ANSWERED",
        "uniqueid": "1772409600.1", "linkedid": "1772409600.1",
    },
    "ivr_ratings": {
        "server_id": "pbx", "file_id": "f", "line_no": 1, "time_text": "2026-03-02 03:00:00", "rated_at": MONDAY,
        "question": "1", "criterion": "politeness", "digit": "5",
    },
    "survey_responses": {"survey_id": "11", "response_id": 1, "survey_kind": "repair", "is_complete": True},
}  # fmt: skip


def rows(name: str, count: int, **changes: Any) -> list[dict[str, Any]]:
    """``count`` sound rows of a table that differ in their key; callables among ``changes`` get the row's number."""
    table = BY_NAME[name]
    key = table.key[0] if table.source is Source.CRM else table.key[-1]
    made = []
    for n in range(count):
        sound = {**SOUND[name], key: n + 1 if isinstance(SOUND[name][key], int) else f"{SOUND[name][key]}-{n}"}
        if table.version:
            sound["updated_at"] = MONDAY + timedelta(hours=1)
        made.append(sound | {k: v(n) if callable(v) else v for k, v in changes.items()})
    return made


def batch(name: str, given: Sequence[dict[str, Any]]) -> Extracted:
    """A batch; columns that are not given are null."""
    table = BY_NAME[name]
    filled = [{"_source_ref": f"{name}:{n}", **row} for n, row in enumerate(given)]
    return Extracted(table, pa.RecordBatch.from_pylist(filled, schema=table.arrow_schema()))


def day_window(days: int = 0, length: int = 1) -> Window:
    """``length`` days from the Monday of the tests, ``days`` later."""
    start = MONDAY + timedelta(days=days)
    return Window(start, start + timedelta(days=length))


def land(
    conn: ops.Conn, source: Source, extracted: Iterable[Extracted], tables: Sequence[str], window: Window | None = None
) -> ops.Load:
    """A landed load of ``tables``."""
    load = ops.open_load(conn, source, window or day_window())
    conn.commit()
    landing.land(conn, load, extracted, [BY_NAME[t] for t in tables])
    return ops.get_load(conn, load.load_id)


def emptied(url: str) -> ops.Conn:
    """A connection to a prepared warehouse in which nothing is left of earlier tests."""
    conn = ops.connect(url)
    conn.execute("""
        do $$
        declare
            found record;
            is_filled boolean;
        begin
            for found in select inhrelid::regclass as name from pg_inherits
                where inhparent::regclass::text like 'landing.%'
            loop
                execute 'drop table ' || found.name;
            end loop;
            for found in select format('%I.%I', schemaname, tablename) as name from pg_tables
                where schemaname in ('raw', 'quarantine', 'ops') and tablename <> 'prepared'
            loop
                execute 'select exists (select 1 from ' || found.name || ')' into is_filled;
                if is_filled then
                    execute 'truncate ' || found.name || ' cascade';
                end if;
            end loop;
        end
        $$
    """)
    conn.commit()
    return conn


def one(conn: ops.Conn, statement: str, *parameters: Any) -> Any:
    """The only value of the only row."""
    row = conn.execute(statement, parameters).fetchone()  # type: ignore[arg-type]
    assert row is not None and len(row) == 1
    return next(iter(row.values()))


def all_rows(conn: ops.Conn, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Rows as tuples."""
    return [tuple(r.values()) for r in conn.execute(statement, parameters).fetchall()]  # type: ignore[arg-type]
