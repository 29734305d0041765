"""The command ``quality``: the same steps as the DAGs, without Airflow."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import psycopg
import typer

from service_quality import alerts, config, ops, reports, runner
from service_quality.contract import Source
from service_quality.publish import PublishRefused
from service_quality.sources.base import SourceError
from service_quality.transform import BuildFailed
from service_quality.window import Window, parse_instant

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Service-quality warehouse: load, build, decide.",
)


class Engine(StrEnum):
    """What can rebuild facts and quality marts."""

    postgres = "postgres"
    duckdb = "duckdb"


HELD = 3  # exit code when a gate held a load or a build

From = Annotated[
    str, typer.Option("--from", help="Begin, ISO date or date-time; the provider's zone unless it has one.")
]
To = Annotated[str, typer.Option("--to", help="End, exclusive.")]
By = Annotated[str, typer.Option("--by", default_factory=getpass.getuser, help="Who decides; goes into the books.")]


_LOADS = """
select load_id, source, window_start, window_end, status, rows_read, rows_raw, rows_unchanged, rows_quarantined,
    build_id
from ops.loads order by load_id desc limit %s
"""
_BUILDS = """
select build_id, status, cardinality(load_ids) as loads, cardinality(touched_days) as days, is_full, stale_sources,
    data_until, ended_at
from ops.builds order by build_id desc limit %s
"""
_WORKLIST = """
select place, branch_id, coalesce(subscriber_id, contact_id) as whom, reason, due_at, is_overdue, attempts,
    last_outcome, topic_id, operator_id, coalesce(ticket_id, connection_id, contact_id) as about, owed_together,
    lowest_rating, ticket_reopenings, not_solved_before, contacts_30d, last_comment, as_of_day
from marts.worklist_callbacks
where cast(%(branch)s as text) is null or branch_id = %(branch)s
order by place
limit %(limit)s
"""
_HELD = """
select message from ops.loads where status = 'held'
union all
select message from ops.builds where status = 'held' and build_id = (select max(build_id) from ops.builds)
"""


@app.command()
def load(source: Source, begin: From, end: To) -> None:
    """Extract, land, judge and promote one window of SOURCE (crm, telephony, ivr or survey)."""
    zone = config.load().provider.zone
    window = Window(parse_instant(begin, zone), parse_instant(end, zone))
    done = runner.load(source.value, window, config.connection_from_environment)
    typer.echo(f"load {done['load_id']}: {source.value} {window}: promoted")
    _print_accounting(done["load_id"])


@app.command()
def build(
    full: Annotated[bool, typer.Option("--full", help="Build every day again.")] = False,
    day: Annotated[list[str] | None, typer.Option("--day", help="Build this day too; may be repeated.")] = None,
    engine: Annotated[
        Engine | None, typer.Option(help="What rebuilds facts and quality marts; Postgres by default.")
    ] = None,
) -> None:
    """Build the marts from what was promoted, judge them and publish the touched days."""
    done = runner.build([date.fromisoformat(d) for d in day or []], full, engine.value if engine else None)
    if done["build_id"] is None:
        typer.echo("nothing to build: every promoted load is published")
        return
    typer.echo(f"build {done['build_id']}: published {_span(done['days'])}")
    for mart, rows in done["written"].items():
        typer.echo(f"  marts.{mart:<28} {rows:>9} rows written")
    alerts.topic_surges(done["build_id"])


@app.command()
def surges(
    day: Annotated[str | None, typer.Option(help="Local day; by default the newest that is judged.")] = None,
) -> None:
    """Show the topics that are called about far more than usual, the largest excess first."""
    found = runner.running_surges(date.fromisoformat(day) if day else None)
    shown = ("branch_id", "topic_id", "business_day", "contacts", "expected", "q_value", "verdict", "detected_by",
             "leading_branch_id", "surge_start", "outage_id", "surge_id")  # fmt: skip
    rounded = {"expected": "{:.1f}", "q_value": "{:.4f}"}
    rows = [{k: rounded[k].format(row[k]) if k in rounded else row[k] for k in shown} for row in found]
    print_rows(f"topic surges{f' of {day}' if day else ''}", rows)


@app.command()
def status(last: Annotated[int, typer.Option(help="How many loads and builds to show.")] = 10) -> None:
    """Show the sources' health, the last loads and builds, and what waits for a decision."""
    with ops.connect() as conn:
        ops.prepare(conn)
        print_rows("sources", conn.execute("select * from ops.source_health order by source").fetchall())
        print_rows("loads", conn.execute(_LOADS, (last,)).fetchall())
        print_rows("builds", conn.execute(_BUILDS, (last,)).fetchall())
        held = conn.execute(_HELD).fetchall()
    for row in held:
        typer.echo(f"\n{row['message']}")


@app.command()
def worklist(
    branch: Annotated[str | None, typer.Option(help="Only the calls that this branch owes.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many calls to show.")] = 50,
) -> None:
    """Show whom to call back today, in order, with the reason, the deadline (UTC) and what is known."""
    with ops.connect() as conn:
        found = conn.execute("select to_regclass('marts.worklist_callbacks') as mart").fetchone()
        if found is None or found["mart"] is None:
            raise LookupError("no worklist is published yet; run `quality build` first")
        rows = conn.execute(_WORKLIST, {"branch": branch, "limit": limit}).fetchall()
    of = f" of {branch}" if branch else ""
    if not rows:
        typer.echo(f"no call-back{of} is open")
        return
    print_rows(f"call-backs{of} for the morning after {rows[0]['as_of_day']}", [_call(row) for row in rows])


def _call(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the worklist as it is shown; no number to dial is in it."""
    tried = "not known" if row["attempts"] is None else str(row["attempts"])
    return {
        "place": row["place"],
        "branch": row["branch_id"],
        "whom": row["whom"],
        "reason": row["reason"],
        "deadline": f"{_text(row['due_at'])}{' late' if row['is_overdue'] else ''}",
        "tried": f"{tried}, {row['last_outcome']}" if row["last_outcome"] else tried,
        "topic": row["topic_id"],
        "operator": row["operator_id"],
        "about": row["about"],
        "known": "; ".join(_known(row)) or None,
    }


def _known(row: dict[str, Any]) -> Iterator[str]:
    if row["owed_together"] > 1:
        yield f"{row['owed_together']} calls owed"
    if row["lowest_rating"] is not None:
        yield f"lowest rating {row['lowest_rating']}"
    if row["ticket_reopenings"]:
        yield f"reopened {row['ticket_reopenings']}x"
    if row["not_solved_before"]:
        yield f"not solved before {row['not_solved_before']}x"
    if row["contacts_30d"]:
        yield f"{row['contacts_30d']} contacts in 30 days"
    if row["last_comment"]:
        yield f"said: {row['last_comment']}"


@app.command()
def release(
    number: Annotated[int, typer.Argument(metavar="LOAD")],
    by: By,
    is_build: Annotated[bool, typer.Option("--build", help="The number is a build's.")] = False,
) -> None:
    """Let a held LOAD (or, with --build, a held build) pass."""
    if is_build:
        runner.release_build(number, by)
        typer.echo(f"build {number}: released by {by} and published")
        alerts.topic_surges(number)
        return
    runner.release(number, by)
    typer.echo(f"load {number}: released by {by} and promoted; run `quality build` to publish it")
    _print_accounting(number)


@app.command()
def reject(load_id: Annotated[int, typer.Argument(metavar="LOAD")], by: By) -> None:
    """Discard a held LOAD; its window is loaded again by the next night or by `quality load`."""
    runner.reject(load_id, by)
    typer.echo(f"load {load_id}: rejected by {by}")


@app.command()
def replay(
    table: Annotated[str, typer.Argument(help="Landed table, such as tickets.")],
    rule: Annotated[list[str], typer.Option("--rule", help="Rule that was fixed; may be repeated.")],
    by: By,
) -> None:
    """Bring quarantined rows of TABLE back that broke nothing but the fixed rules."""
    made = runner.replay(table, rule, by)
    if not made:
        typer.echo(f"no quarantined row of {table} broke only {', '.join(rule)}")
        return
    print_rows(f"{table}: replayed by {by}; run `quality build` to publish", made)


@app.command()
def review(
    week: Annotated[str | None, typer.Option(help="ISO week, as 2026-W45; the last complete one if left out.")] = None,
    branch: Annotated[str | None, typer.Option(help="Branch id; all branches together if left out.")] = None,
) -> None:
    """Print the weekly review as a page of Markdown."""
    with ops.connect() as conn:
        typer.echo(reports.weekly_review(conn, branch, week), nl=False)


@app.command("at-risk")
def at_risk(
    branch: Annotated[str | None, typer.Option(help="Branch id; all branches if left out.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many subscribers.")] = 20,
) -> None:
    """Print the subscribers who had a bad experience lately, in the order to look after them."""
    with ops.connect() as conn:
        typer.echo(reports.at_risk(conn, branch, limit), nl=False)


@app.command()
def check() -> None:
    """Check the configuration and the warehouse, and say what is configured."""
    settings = config.load()
    typer.echo(f"{config.config_dir()}: sound; sources: {', '.join(settings.sources) or 'none'}")
    with ops.connect() as conn:
        ops.prepare(conn)
        row = conn.execute("select split_part(version(), ' ', 2) as v, current_database() as d").fetchone()
    assert row is not None
    typer.echo(f"warehouse: database {row['d']}, PostgreSQL {row['v']}")


def _print_accounting(load_id: int) -> None:
    with ops.connect() as conn:
        rows = conn.execute(
            "select table_name, rows_read, rows_raw, rows_unchanged, rows_quarantined from ops.load_tables"
            " where load_id = %s order by table_name",
            (load_id,),
        ).fetchall()
        rules = conn.execute(
            "select table_name, rule_id, verdict, rows_failed, observed, expected from ops.gate_results"
            " where load_id = %s and verdict in ('quarantine', 'warn', 'fail') order by table_name, rule_id",
            (load_id,),
        ).fetchall()
    total: dict[str, Any] = {"table_name": "total"}
    for name in ("rows_read", "rows_raw", "rows_unchanged", "rows_quarantined"):
        total[name] = sum(r[name] or 0 for r in rows)
    print_rows("rows read = new in raw + unchanged + quarantined", [*rows, total])
    if rules:
        print_rows("rules that spoke", rules)


def print_rows(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows as a table with a heading."""
    typer.echo(f"\n{title}")
    if not rows:
        typer.echo("  (none)")
        return
    texts = [[_text(v) for v in r.values()] for r in rows]
    heads = list(rows[0])
    widths = [max(len(h), *(len(t[i]) for t in texts)) for i, h in enumerate(heads)]
    for line in [heads, *texts]:
        typer.echo("  " + "  ".join(v.ljust(w) for v, w in zip(line, widths, strict=True)).rstrip())


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}Z"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else " ".join(str(value).split())


def _span(days: list[date]) -> str:
    if not days:
        return "no day"
    return f"{len(days)} days, {min(days)} .. {max(days)}" if len(days) > 1 else f"{days[0]}"


def main() -> None:
    """Run the command; errors that a person can act on are one message and exit code 1 (held: 3)."""
    _guarded(app)


def _guarded(run: Callable[[], None]) -> None:
    try:
        run()
    except (runner.LoadHeld, runner.BuildHeld) as held:
        typer.echo(str(held), err=True)
        sys.exit(HELD)
    except (config.ConfigError, SourceError, BuildFailed, PublishRefused, LookupError, ValueError, RuntimeError,
            psycopg.Error) as error:  # fmt: skip
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
