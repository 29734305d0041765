"""A night after a month, a year and four years of history; a late row; many days loaded again.

The same provider, the same nights: one database for each length of history, filled by `centre.lengthen`, built wholly
once and then given the same nights one after the other through the product's doors (load, build, gate 2, publish). What
a night costs is its build: blocks, CPU, WAL; the load apart. The statistics of Postgres tell which tables were read
from end to end: a table that holds history must not be among them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from service_quality import ops, runner

from benchmarks.centre import BLOCK_DAYS, Centre, centre, lengthen, make_database, shorten
from benchmarks.measure import Cost, Meter, ratio
from benchmarks.report import Result
from benchmarks.scale import Scale

READS = """
select schemaname || '.' || relname as name, seq_scan, seq_tup_read, coalesce(idx_tup_fetch, 0) as idx_tup_fetch, n_live_tup
from pg_stat_user_tables where schemaname in ('raw', 'intermediate', 'candidate', 'marts', 'ops')
"""


@dataclass
class History:
    """One database: days of history, its nights' costs and what was scanned in them."""

    days: int
    database: str
    loads: list[Cost] = field(default_factory=list)
    builds: list[Cost] = field(default_factory=list)
    scanned: dict[str, int] = field(default_factory=dict)  # rows read from end to end, by table, over all nights
    rows: dict[str, int] = field(default_factory=dict)


def fill(place: Centre, histories: Sequence[History], last: date) -> None:
    """Load the provider's first BLOCK_DAYS once, repeat them back in time, build each history wholly."""
    template = f"bench_{place.home.name}_0"
    make_database(place.server, template)
    place.load(template, place.first_day, last)
    for one in histories:
        make_database(place.server, one.database, template)
        if one.days < BLOCK_DAYS:
            shorten(place.url(one.database), one.days)
        else:
            lengthen(place.url(one.database), -(-one.days // BLOCK_DAYS) - 1)
        os.environ["WAREHOUSE_URL"] = place.url(one.database)
        runner.build(full=True)


def night(place: Centre, one: History, meter: Meter, day: date) -> None:
    """Load and build ``day`` in one history, measured; notes what was read from end to end."""
    url = place.url(one.database)
    os.environ["WAREHOUSE_URL"] = url
    one.loads.append(meter.measure(lambda: place.load(one.database, day, day)))
    before = reads(url)
    one.builds.append(meter.measure(runner.build))
    after = reads(url)
    for name, row in after.items():
        # A table that the build made anew counts from nothing.
        was = before.get(name, {"seq_tup_read": 0})["seq_tup_read"]
        read = row["seq_tup_read"] - (was if row["seq_tup_read"] >= was else 0)
        one.scanned[name] = one.scanned.get(name, 0) + read
        one.rows[name] = row["n_live_tup"]


def reads(url: str) -> dict[str, dict[str, Any]]:
    """Scans so far by table."""
    with ops.connect(url) as conn:
        return {r["name"]: r for r in conn.execute(READS).fetchall()}


def growing(short: History, long: History, least: int = 20_000) -> list[dict[str, Any]]:
    """Tables of more than ``least`` rows of which a night reads more, end to end, the longer the history is."""
    found = [
        {"table": name, "rows": long.rows[name], "read_short": short.scanned.get(name, 0), "read_long": read}
        for name, read in long.scanned.items()
        if long.rows[name] >= least and read > 1.5 * short.scanned.get(name, 0) + least
    ]
    return sorted(found, key=lambda r: -int(r["read_long"]))


def run(scale: Scale) -> Result:
    """One night after each history, against the shortest; a night with one late row against one without."""
    result = Result("history")
    nights = scale.rounds
    with centre("history", scale.contacts_per_day, BLOCK_DAYS + nights) as place:
        histories = [History(days, f"bench_history_{days}") for days in scale.history_days]
        last = place.first_day + timedelta(days=BLOCK_DAYS - 1)
        place.show(last)
        fill(place, histories, last)
        meter = Meter(place.url("postgres"))
        for n in range(1, nights + 1):
            day = last + timedelta(days=n)
            place.show(day)
            for one in histories if n % 2 else reversed(histories):
                night(place, one, meter, day)
    short, *others = histories
    for one in others:
        for figure in ("blocks", "server_cpu", "wal"):
            result.ratios.append(ratio(
                f"night after {one.days} days: {figure}", figure, one.builds, short.builds, 1.1,
                of=f"the same night's build after {short.days} days of history, {figure}",
            ))  # fmt: skip
        result.tables[f"read from end to end after {one.days} days"] = growing(short, one)
    return result
