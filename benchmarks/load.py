"""Loading: files of a PBX -> landing -> gate 1 -> raw, against psql's ``\\copy`` of the same rows and columns.

Every round does each thing once, in an order that turns: psql's copy; our landing, gate and promotion of the same rows
into an empty warehouse; our landing by two processes. Landing reads the log as the PBX wrote it, psql a CSV of what our
source makes of it, so parsing is in our figure and not in the floor's.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql
from service_quality import config, gate, landing, ops, promote
from service_quality.contract import BY_NAME, Source
from service_quality.ops import Conn, Load
from service_quality.sources.crm import CrmSource

from benchmarks import floor, tables
from benchmarks.measure import Cost, Meter, median, ratio
from benchmarks.report import Result
from benchmarks.scale import Scale
from benchmarks.tables import QUEUE_LOG, Spool

SETTINGS = config.Settings.model_validate({"provider": {"name": "Bench", "time_zone": "Europe/Moscow"}})
PHONE, PEPPER = config.Phone(), "bench"
NAMES = tables.landing_names(QUEUE_LOG)
EVENTS = BY_NAME["ticket_events"]
Costs = dict[str, list[Cost]]


def run(scale: Scale) -> Result:
    """All ratios of loading; sizes are ``scale.load_rows`` lines of queue_log, for nights four lines a contact."""
    result = Result("load")
    if floor.psql() is None:
        result.notes.append("there is no psql: its part is played by a minimal process on libpq")
    folder = Path(tempfile.mkdtemp(prefix="bench_load_"))
    try:
        with floor.databases("bench_load", "bench_load_crm") as (url, crm_url):
            with ops.connect(url) as conn:
                ops.prepare(conn)
                conn.execute("create schema bench")
                # Vacuuming what the floor wrote would fall into the rounds of what is compared with it.
                for name, like in (("floor", "landing.queue_log"), ("crm_floor", "landing.ticket_events"),
                                   ("empty", "raw.queue_log")):  # fmt: skip
                    conn.execute(
                        sql.SQL("create table bench.{} (like {}) with (autovacuum_enabled = off)").format(
                            sql.Identifier(name), sql.Identifier(*like.split("."))))  # fmt: skip
                conn.commit()
            meter = Meter(url)
            for lines in scale.load_rows:
                _loading(result, meter, url, folder, lines, scale.rounds, warm_up=lines == scale.load_rows[0])
            _crm(result, meter, url, crm_url, folder, scale.load_rows[0], scale.rounds)
            night = scale.night_contacts * tables.LINES_PER_CONTACT
            _unchanged(result, meter, url, folder, night, scale.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return result


# Landing and the whole load


def _loading(
    result: Result, meter: Meter, url: str, folder: Path, lines: int, rounds: int, warm_up: bool
) -> None:
    spool = tables.make(folder / "files", lines)
    csv = folder / "rows.csv"
    tables.landed_csv(csv, tables.events(spool), 1)
    costs: Costs = {name: [] for name in ("psql", "land", "gate", "promote", "two")}
    others: list[float] = []
    for turn in range(-1 if warm_up else 0, rounds):
        parts: list[Callable[[], Costs]] = [
            lambda: _floor(meter, url, csv),
            lambda: _whole(meter, url, spool),
            lambda: _two(meter, url, spool, others),
        ]
        for part in parts if turn % 2 == 0 else reversed(parts):
            for name, found in part().items():
                costs[name] += found if turn >= 0 else []
    title = f"{lines:,} rows"
    whole = [_sum(stages) for stages in zip(costs["land"], costs["gate"], costs["promote"], strict=True)]
    of = "psql \\copy of a CSV / {}, {}"
    result.ratios += [
        ratio(f"land {title}", "cpu", costs["psql"], costs["land"], 1.0, at_least=True,
              of=of.format("queue_log files -> landing", "CPU")),
        ratio(f"land {title}, two processes", "wall", costs["psql"], costs["two"], 1.5, at_least=True,
              of=of.format("the same by two processes, each with half of the files", "wall"),
              note=_limits(median(costs["psql"]), median(costs["two"]), others)),
        ratio(f"whole load of {title}", "cpu", whole, costs["psql"], 4.0,
              of="extract, land, gate 1 and promote into an empty warehouse / psql \\copy, CPU"),
        ratio(f"gate 1 of {title}", "cpu", costs["gate"], costs["psql"], 1.0, of="gate 1 / psql \\copy, CPU"),
    ]  # fmt: skip
    names = {"psql": "psql \\copy", "land": "land", "two": "land, two processes", "gate": "gate 1",
             "promote": "promote"}  # fmt: skip
    result.tables[f"loading {title}"] = [_row(names[n], lines, median(c)) for n, c in costs.items() if c]


def _floor(meter: Meter, url: str, csv: Path) -> Costs:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("truncate bench.floor")
    return {"psql": [meter.measure(lambda: floor.copy_csv(url, csv, "bench.floor", NAMES))]}


def _whole(meter: Meter, url: str, spool: Spool) -> Costs:
    with ops.connect(url) as conn:
        empty(conn)
        costs, load = _stages(meter, conn, spool)
        if ops.get_load(conn, load.load_id).status != "promoted":
            raise RuntimeError("the load was not promoted")
    return costs


def _stages(meter: Meter, conn: Conn, spool: Spool) -> tuple[Costs, Load]:
    """Land, judge and promote once; the cost of each."""
    load = ops.open_load(conn, Source.TELEPHONY, spool.window)
    conn.commit()
    land = meter.measure(lambda: landing.land(conn, load, tables.events(spool), [QUEUE_LOG]))
    judged = meter.measure(lambda: gate.judge_load(conn, _now(conn, load), SETTINGS, [QUEUE_LOG]))
    promoted = meter.measure(lambda: promote.promote(conn, _now(conn, load), PEPPER, PHONE))
    return {"land": [land], "gate": [judged], "promote": [promoted]}, load


def _limits(floor_cost: Cost, two: Cost, others: Sequence[float]) -> str:
    """What two processes can reach at most: they and their servers share the cores, with whatever else runs there."""
    cores = os.cpu_count() or 1
    most = floor_cost.wall / (two.cpu / min(cores, 4))
    return (
        f"{two.cpu:.2f} CPU-seconds on {cores} cores, of which others took {statistics.median(others):.0%} meanwhile:"
        f" at most {most:.2f} if all of them were ours"
    )


def _two(meter: Meter, url: str, spool: Spool, others: list[float]) -> Costs:
    with ops.connect(url) as conn:
        empty(conn)
        load = ops.open_load(conn, Source.TELEPHONY, spool.window)
        shares = tables.telephony(spool, processes=2).shares(spool.window)
        before = _machine()
        cost = meter.measure(lambda: landing.land_shares(conn, load, shares, [QUEUE_LOG]))
        every, busy = (after - b for after, b in zip(_machine(), before, strict=True))
        others.append(max(busy - cost.cpu, 0.0) / max(every, 1e-9))
        landing.drop(conn, load.load_id)
    return {"two": [cost]}


def _machine() -> tuple[float, float]:
    """CPU-seconds of all cores since the machine started, and those of them in which it had something to do."""
    times = psutil.cpu_times()
    every = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)  # users' time holds these
    return every, every - times.idle - getattr(times, "iowait", 0.0)


def _now(conn: Conn, load: Load) -> Load:
    return ops.get_load(conn, load.load_id)


def empty(conn: Conn) -> None:
    """A warehouse in which nothing was ever loaded."""
    rows = conn.execute("select load_id from ops.loads order by load_id").fetchall()
    for row in rows[-3:]:
        landing.drop(conn, row["load_id"])
    conn.execute("truncate raw.queue_log, quarantine.queue_log, ops.loads cascade")
    conn.commit()


def _sum(costs: Sequence[Cost]) -> Cost:
    first = costs[0]
    for other in costs[1:]:
        first = replace(
            first, wall=first.wall + other.wall, client_cpu=first.client_cpu + other.client_cpu,
            server_cpu=first.server_cpu + other.server_cpu, wal=first.wal + other.wal,
            blocks=first.blocks + other.blocks, client_peak=max(first.client_peak, other.client_peak),
            server_peak=max(first.server_peak, other.server_peak),
        )  # fmt: skip
    return first


def _row(what: str, rows: int, cost: Cost) -> dict[str, Any]:
    return {
        "what": what, "rows per second": round(rows / cost.wall),
        "rows per CPU-second": round(rows / max(cost.cpu, 1e-9)),
        "client CPU s": round(cost.client_cpu, 2), "server CPU s": round(cost.server_cpu, 2),
        "WAL MB": round(cost.wal / 1e6, 1),
    }  # fmt: skip


# A table of a CRM that is Postgres


_CRM_ROWS = """
create table crm_events as
select
    'e' || n as id,
    'k' || n / 4 as ticket_id,
    (array['opened', 'replied', 'solved', 'closed'])[1 + n % 4] as event,
    n % 3 = 0 as is_public,
    case when n % 5 > 0 then 'o' || n % 300 end as operator_id,
    timestamptz '2026-03-01 00:00Z' + n * interval '1 second' as event_at,
    timestamptz '2026-03-01 00:00Z' + n * interval '1 second' as updated_at
from generate_series(1, {rows}) as n
"""
_CRM_QUERY = """
select id as ticket_event_id, ticket_id, event, is_public, operator_id, event_at, updated_at
from crm_events
where updated_at >= :window_start and updated_at < :window_end
"""


def _crm(result: Result, meter: Meter, url: str, crm_url: str, folder: Path, rows: int, rounds: int) -> None:
    with psycopg.connect(crm_url, autocommit=True) as conn:
        conn.execute(_CRM_ROWS.format(rows=rows))  # type: ignore[arg-type]
        conn.execute("vacuum analyze crm_events")
    queries = folder / "crm"
    queries.mkdir()
    (queries / "ticket_events.sql").write_text(_CRM_QUERY)
    window = tables.all_time()
    source = CrmSource(config.Crm(tables=["ticket_events"]), queries, crm_url)
    piped = (
        "select id, ticket_id, event, is_public, operator_id, event_at, updated_at,"
        " 'ticket_events ticket_event_id=' || id, cast(null as text), cast(1 as bigint), row_number() over ()"
        " from crm_events"
    )
    costs: Costs = {"ours": [], "pipe": []}
    for turn in range(-1, rounds):
        for name in ("ours", "pipe") if turn % 2 == 0 else ("pipe", "ours"):
            with ops.connect(url) as conn:
                conn.execute("truncate bench.crm_floor")
                load = ops.open_load(conn, Source.CRM, window)
                conn.commit()
                if name == "ours":
                    cost = meter.measure(lambda c=conn, x=load: landing.land(c, x, source.read(window), [EVENTS]))
                else:
                    cost = meter.measure(lambda: floor.pipe_binary(
                        crm_url, piped, url, "bench.crm_floor", tables.landing_names(EVENTS)))  # fmt: skip
                landing.drop(conn, load.load_id)
            costs[name] += [cost] if turn >= 0 else []
    of = "our landing / psql binary COPY piped into COPY of the same rows and columns, CPU"
    result.ratios.append(ratio("CRM table to landing", "cpu", costs["ours"], costs["pipe"], 1.6, of=of))
    shown = {"ours": "ADBC -> landing", "pipe": "psql binary pipe"}
    result.tables[f"CRM table of {rows:,} rows"] = [_row(shown[n], rows, median(c)) for n, c in costs.items()]


# A night that is loaded again


def _unchanged(result: Result, meter: Meter, url: str, folder: Path, lines: int, rounds: int) -> None:
    spool = tables.make(folder / "night", lines)
    again, written = [], []
    with ops.connect(url) as conn:
        empty(conn)
        _stages(meter, conn, spool)
        for _ in range(rounds):
            _vacuum(url)
            costs, load = _stages(meter, conn, spool)
            counted = conn.execute(
                "select rows_unchanged from ops.loads where load_id = %s", (load.load_id,)
            ).fetchone()
            if counted is None or counted["rows_unchanged"] != lines:
                raise RuntimeError(f"of {lines} unchanged rows {counted} were recognised")
            conn.execute("truncate bench.empty")
            conn.commit()
            again.append(_sum([c for stage in costs.values() for c in stage]))
            written.append(meter.measure(lambda: _insert(url)))
    of = f"land, judge and promote {lines:,} lines that are in raw / insert them into an empty table, WAL bytes"
    result.ratios.append(ratio("unchanged night, WAL", "wal", again, written, 0.05, of=of))
    result.tables[f"a night of {lines:,} lines again"] = [
        _row("loaded again", lines, median(again)), _row("insert into an empty table", lines, median(written))
    ]  # fmt: skip


def _vacuum(url: str) -> None:
    """What autovacuum does in the hours between: rows are marked as seen, which is written once only."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("vacuum analyze raw.queue_log")


def _insert(url: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("insert into bench.empty select * from raw.queue_log")

