"""A night after a month, a year and four years of history; a late row; many days loaded again.

The same provider, the same nights: one database for each length of history, filled by `centre.lengthen`, built wholly
once and then given the same nights one after the other through the product's doors (load, build, gate 2, publish). What
a night costs is its build: blocks, CPU, WAL; the load apart. The statistics of Postgres tell which tables were read
from end to end: a table that holds history must not be among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import psycopg
from psycopg import sql
from service_quality import analyse, config, ops, runner, transform
from service_quality.analyses.base import Scope
from service_quality.rebuild import SELECTION

from benchmarks import rebuild
from benchmarks.centre import (
    BLOCK_DAYS,
    WAREHOUSE,
    Centre,
    centre,
    drop_databases,
    in_use,
    lengthen,
    make_database,
    shorten,
    thicken,
    undisturbed,
    vacuum,
    vacuum_due,
)
from benchmarks.measure import Cost, Meter, Ratio, alternate, median, ratio
from benchmarks.report import Result
from benchmarks.scale import Scale

LATE_DAYS = 20
AGAIN_DAYS = 74
LONGEST_WINDOW = 270  # days that a model looks back on: retention

UNMEASURED = (
    "a night of 1,000,000 contacts is not measured here: three histories take an hour and a half more;"
    " `python -m benchmarks million` measures them by themselves"
)

TABLES = """
select schemaname, relname from pg_stat_all_tables where schemaname <> 'pg_toast'
order by pg_relation_size(relid) desc
"""

READS = """
select schemaname || '.' || relname as name, seq_tup_read, n_live_tup
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


def fill(place: Centre, histories: Sequence[History], rebuilt: Callable[[str], None] | None = None) -> None:
    """Repeat what was loaded back in time to each length of history and build it wholly.

    ``rebuilt``: builds facts and quality marts of the longest one by itself, so that the others are left to build.
    """
    for one in histories:
        make_database(place.server, one.database, template(place))
        with in_use(place.server, one.database) as url:
            if one.days < BLOCK_DAYS:
                shorten(url, one.days)
            else:
                lengthen(url, -(-one.days // BLOCK_DAYS) - 1)
            if rebuilt and one is histories[-1]:
                rebuilt(url)
                _build_all(url, SELECTION)
            else:
                _build_all(url)


def _build_all(url: str, built: Sequence[str] = ()) -> None:
    """Build and publish all days, without the models that are ``built``; tests and gate 2, which would look at years,
    are left to the measured nights.
    """
    build_id = runner.plan_build(full=True)
    assert build_id is not None, "nothing is loaded"
    with ops.connect(url) as conn:
        plan = runner.transform_plan(runner.get_build(conn, build_id), config.load())
        parsed = transform.parse(url, plan.scalars)
        untested = ("--exclude-resource-type", "test")
        transform.run_models(conn, url, plan, (*transform.BEFORE_ANALYSES, *built, *untested), parsed=parsed)
        analyse.run(conn, Scope(plan.changed(), plan.as_of_day, plan.is_full))
        transform.run_models(conn, url, plan, (*transform.AFTER_ANALYSES, *untested), parsed=parsed)
        conn.execute("update ops.builds set status = 'built' where build_id = %s", (build_id,))
        conn.commit()
    runner.publish_build(build_id)
    with psycopg.connect(url) as conn:
        tables = conn.execute(TABLES).fetchall()
    vacuum(url, [sql.Identifier(*names) for names in tables])
    undisturbed(url)


def night(place: Centre, one: History, meter: Meter, day: date, copies: int = 0) -> None:
    """Load and build ``day`` in one history, measured; notes what was read from end to end.

    ``copies``: how many times more than the provider had is there to build.
    """
    with in_use(place.server, one.database) as url:
        one.loads.append(meter.measure(lambda: place.load(WAREHOUSE, day, day)))
        if copies:
            thicken(url, copies)
        before = reads(url)
        _checkpoint(url)
        one.builds.append(meter.measure(runner.build))
        after = reads(url)
        vacuum_due(url)
    for name, row in after.items():
        # A table that the build made anew counts from nothing.
        was = before.get(name, {"seq_tup_read": 0})["seq_tup_read"]
        read = row["seq_tup_read"] - (was if row["seq_tup_read"] >= was else 0)
        one.scanned[name] = one.scanned.get(name, 0) + read
        one.rows[name] = row["n_live_tup"]


def _checkpoint(url: str) -> None:
    """After it the first change of a page logs all of it, whatever came before."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("checkpoint")


def reads(url: str) -> dict[str, dict[str, Any]]:
    """Scans so far by table."""
    with ops.connect(url) as conn:
        return {r["name"]: r for r in conn.execute(READS).fetchall()}


def windows(histories: Sequence[History]) -> frozenset[str]:
    """Tables that the longest of histories which fill all windows has no more rows of than the first: they hold a
    window, or what was touched. Nothing can be told of fewer than two.
    """
    if len(histories) < 2:
        return frozenset()
    first, longest = histories[0], histories[-1]
    return frozenset(name for name, rows in longest.rows.items() if rows < 1.5 * first.rows.get(name, 0))


def growing(
    short: History, long: History, bounded: frozenset[str] = frozenset(), least: int = 20_000
) -> list[dict[str, Any]]:
    """Tables of more than ``least`` rows of which a night reads more, end to end, the longer the history is.

    ``bounded``: those that do not grow with history.
    """
    found = [
        {
            "table": name, "rows": long.rows[name], "read_short": short.scanned.get(name, 0), "read_long": read,
            "holds": "a window" if name in bounded else "history",
        }
        for name, read in long.scanned.items()
        if long.rows[name] >= least and read > 1.5 * short.scanned.get(name, 0) + least
    ]
    return sorted(found, key=lambda r: -int(r["read_long"]))


def run(scale: Scale, alone: Callable[[], Any] = lambda: None) -> Result:
    """Nights after each history against the shortest, a late row against none, many days loaded again.

    ``alone``: returns when nothing else is run any more; asked before anything is measured.
    """
    result = Result("history")
    with loaded("history", scale.contacts_per_day, scale.history_rounds + 1) as place:
        if scale.again_blocks:
            _repeat(place, scale.again_blocks)
        histories = _histories(result, scale, place)
        alone()  # everything is filled before something is measured
        if scale.again_blocks:
            _again(result, place, scale.again_blocks, scale.again_rounds)
        else:
            result.notes.append("days loaded again are measured in the full run only")
        _nights(result, scale, place, histories)
    return result


@contextmanager
def loaded(name: str, contacts_per_day: int, more_days: int = 0) -> Iterator[Centre]:
    """A provider whose first BLOCK_DAYS are loaded into its first database, `template`; the others are copies of it."""
    with centre(name, contacts_per_day, BLOCK_DAYS + more_days) as place:
        place.show(last_day(place))
        make_database(place.server, template(place))
        place.load(template(place), place.first_day, last_day(place))
        yield place


def template(place: Centre) -> str:
    """Name of the database whose raw holds the provider's first BLOCK_DAYS."""
    return f"bench_{place.home.name}_0"


def last_day(place: Centre) -> date:
    """The last day that `loaded` loads."""
    return place.first_day + timedelta(days=BLOCK_DAYS - 1)


@dataclass
class Histories:
    """Those that are compared, the shortest first; the usual one, and a copy of it for nights with a late row."""

    each: list[History]
    usual: History
    late: History | None


def _histories(result: Result, scale: Scale, place: Centre) -> Histories:
    each = [History(days, f"bench_history_{days}") for days in scale.history_days]
    usual = each[(len(each) - 1) // 2]
    late = History(usual.days, "bench_history_late") if scale.late_row else None
    fill(place, each, (lambda url: rebuild.compare(url, scale, result)) if scale.rebuild_histories else None)
    if late:
        make_database(place.server, late.database, usual.database)
    else:
        result.notes.append("a night with a late row is measured in the full run only")
    return Histories(each, usual, late)


def _nights(result: Result, scale: Scale, place: Centre, filled: Histories) -> None:
    histories, late = filled.each, filled.late
    meter = Meter(place.url("postgres"))
    for n in range(1, scale.history_rounds + 1):
        day = last_day(place) + timedelta(days=n)
        place.show(day)
        for one in histories if n % 2 else reversed(histories):
            night(place, one, meter, day)
        if late:
            _come_late(place, day)
            night(place, late, meter, day)
    _compare(result, histories, filled.usual, late)
    if scale.many_contacts:
        result.notes.append(UNMEASURED)
        many_contacts(result, place, histories, meter, day + timedelta(days=1), scale.many_contacts)
    else:
        result.notes.append("the night of many contacts is measured in the full run only")


def many_contacts(
    result: Result, place: Centre, histories: Sequence[History], meter: Meter, day: date, contacts: int
) -> None:
    """One more night, on ``day``, on which as many contacts come as a large provider has; the histories are dropped."""
    place.show(day)
    many = [History(one.days, one.database) for one in histories]
    for one in many:
        night(place, one, meter, day, contacts // place.contacts_per_day - 1)
        drop_databases(place.server, one.database)
    short, *others = many
    for one in others:
        for figure in ("blocks", "cpu", "wal"):
            result.ratios.append(ratio(
                f"night of {contacts:,} contacts after {one.days} days, {figure}", figure, one.builds, short.builds,
                1.1, of=f"the same night after {short.days} days; the days before have {place.contacts_per_day}"
                " contacts each",
            ))  # fmt: skip
    result.tables[f"a night of {contacts:,} contacts"] = [
        _row(f"build, {one.days} days", median(one.builds)) for one in many
    ]


def _compare(result: Result, histories: Sequence[History], usual: History, late: History | None) -> None:
    short, *others = histories
    # What rolling windows read is all there from LONGEST_WINDOW on: between such histories nothing may grow.
    whole = [one for one in others if one.days >= LONGEST_WINDOW]
    bounded = windows(whole)
    for one in others:
        for figure in ("blocks", "cpu", "wal"):
            result.ratios.append(ratio(
                f"night after {one.days} days, {figure}", figure, one.builds, short.builds, 1.1,
                of=f"build and publication of the same night after {short.days} days of history",
            ))  # fmt: skip
        grown = growing(short, one, bounded)
        of_history = sum(1 for table in grown if table["holds"] == "history")
        result.ratios.append(Ratio(
            f"night after {one.days} days, tables read from end to end", of_history, 0, (of_history, of_history),
            of="tables of more than 20,000 rows of which more is read so than in the short history, without those that"
            " hold a window however long history is",
        ))  # fmt: skip
        result.tables[f"read from end to end after {one.days} days"] = grown
    for before, one in pairwise(whole):
        for figure in ("blocks", "cpu", "wal"):
            result.ratios.append(ratio(
                f"night after {one.days} days against {before.days}, {figure}", figure, one.builds, before.builds, 1.1,
                of=f"build and publication of the same night; both histories fill all windows ({LONGEST_WINDOW} days)",
            ))  # fmt: skip
    named = {f"{one.days} days": one for one in histories}
    if late:
        named[f"{late.days} days, late row"] = late
        for figure in ("blocks", "cpu", "wal"):
            result.ratios.append(ratio(
                f"night with a late row, {figure}", figure, late.builds, usual.builds, 1.2,
                of=f"the same night without a note changed {LATE_DAYS} days after its call; {late.days} days of"
                " history",
            ))  # fmt: skip
    result.tables["a night (medians)"] = [
        _row(f"{what}, {name}", median(costs))
        for name, one in named.items()
        for what, costs in (("load", one.loads), ("build", one.builds))
    ]


def _come_late(place: Centre, day: date) -> None:
    """In the CRM, another topic is noted on ``day`` for a call of long ago."""
    with psycopg.connect(place.url(place.crm)) as conn:
        done = conn.execute(
            "update call_notes set reason_id = (select min(reason_id) from reasons as r"
            " where r.reason_id <> call_notes.reason_id), modified_at = %s where note_id = ("
            "select min(note_id) from call_notes where created_at >= %s and created_at < %s)",
            (f"{day} 12:00", day - timedelta(days=LATE_DAYS), day - timedelta(days=LATE_DAYS - 1)),
        )
        if done.rowcount != 1:
            raise RuntimeError(f"there is no note of {LATE_DAYS} days before {day} to change")


def _repeat(place: Centre, lengths: tuple[int, int]) -> None:
    """Two databases whose raw holds what was loaded that many times (blocks of days); the long one is a multiple of the
    short one, as which it begins.
    """
    short, long = lengths
    make_database(place.server, _repeated(short), template(place))
    lengthen(place.url(_repeated(short)), short - 1)
    make_database(place.server, _repeated(long), _repeated(short))
    lengthen(place.url(_repeated(long)), long // short - 1, short)
    for blocks in lengths:
        undisturbed(place.url(_repeated(blocks)))


def _again(result: Result, place: Centre, lengths: tuple[int, int], rounds: int) -> None:
    """Many days whose rows raw holds already, loaded again into a short and a long history (in blocks of days)."""
    short, long = lengths
    rows = {blocks: _raw_rows(place.url(_repeated(blocks))) for blocks in lengths}
    meter = Meter(place.url("postgres"))
    last = last_day(place)
    costs = alternate(meter, {
        str(blocks): partial(place.load, _repeated(blocks), last - timedelta(days=AGAIN_DAYS - 1), last)
        for blocks in (short, long)
    }, rounds, before=lambda _: _checkpoint(place.url("postgres")), warm_up=False)  # fmt: skip
    drop_databases(place.server, _repeated(""))
    of = f"{AGAIN_DAYS} days loaded again with {rows[long]:,} rows in raw against {rows[short]:,}"
    for figure in ("cpu", "blocks", "wal"):
        name = f"days loaded again, {figure}"
        result.ratios.append(ratio(name, figure, costs[str(long)], costs[str(short)], 1.05, of=of))
    result.tables["days loaded again (medians)"] = [
        _row(f"{rows[blocks]:,} rows in raw", median(costs[str(blocks)])) for blocks in (short, long)
    ]


def _repeated(blocks: int | str) -> str:
    return f"bench_history_again_{blocks}"


def _raw_rows(url: str) -> int:
    with ops.connect(url) as conn:
        row = conn.execute(
            "select sum(n_live_tup) as rows from pg_stat_user_tables where schemaname = 'raw'"
        ).fetchone()
    return int(row["rows"]) if row else 0


def _row(what: str, cost: Cost) -> dict[str, Any]:
    return {
        "what": what, "wall s": round(cost.wall, 1), "our CPU s": round(cost.client_cpu, 1),
        "Postgres CPU s": round(cost.server_cpu, 1), "WAL MB": round(cost.wal / 1e6, 1), "blocks": cost.blocks,
    }  # fmt: skip
