"""What is not work in a night: Airflow's own seconds, and dbt's for models that have nothing to do.

- A whole night in the real Airflow (api-server, scheduler, dag-processor, LocalExecutor): four ingest DAGs at once, the
  build that their assets start, up to the published marts. Judged is its wall time minus the critical path of work: the
  slowest source's land -> gate -> promote, then plan -> transform -> gate -> publish, each by the seconds that the
  task's own code took. The provider is small: what Airflow adds does not depend on the rows.
- A build of all models with no touched days against a run of one model, in one warm process, CPU of client and server.

Everything lives in a home of its own below the embedded server's (``bench``): its own Postgres and its own Airflow.
"""

from __future__ import annotations

import os
import secrets
import shutil
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from service_quality import config, ops, runner
from service_quality.contract import Source
from service_quality.local import airflow, postgres
from service_quality.window import Window, nights

from benchmarks import measure, storage
from benchmarks.measure import Meter, Ratio
from benchmarks.report import Result
from benchmarks.scale import Scale
from demo import provider
from demo.run import BUILD_DAG, free_port, load_all, reset_warehouse, survey_server, wait_for_publication

FIRST_DAY = date(2026, 8, 8)
GOAL_SECONDS = 15.0
GOAL_EMPTY = 1.5
EVERY = "every model on empty days"
ONE_MODEL = ("--select", "dim_date", "--exclude-resource-type", "test")


@dataclass(frozen=True)
class Step:
    """One task of one night: seconds it waited after its forerunners, seconds from queue to start, in the task, and of
    its own work. ``begin`` and ``end`` on the wall clock.
    """

    dag: str
    task: str
    queued: datetime
    begin: datetime
    end: datetime
    worked: float


def run(scale: Scale) -> Result:
    """Nights in Airflow, then empty builds in the warehouse they left."""
    result = Result("orchestration")
    with stage(scale) as home:
        played = _play_nights(home, scale)
        result.ratios.append(overhead(played))
        result.tables["seconds of a night by task (medians)"] = by_task(played)
        result.tables["nights"] = [_night_row(night) for night in played]
        if scale.weigh_nights:
            storage.vacuum()
            storage.weigh(result, home, scale.nights_after + scale.nights, scale.nights_contacts_per_day)
        ratio, rows = empty_builds(scale.rounds if scale.nights > 1 else 2, scale.nights > 1)
        result.ratios.append(ratio)
        result.tables["builds of nothing"] = rows
    return result


# -- the night ---------------------------------------------------------------------------------------------------------


@contextmanager
def stage(scale: Scale) -> Iterator[Path]:
    """A small provider with open doors, an empty warehouse and a home of its own; nothing of it is left running."""
    home = postgres.home() / "bench"
    kept = dict(os.environ)
    os.environ["QUALITY_HOME"] = str(home)
    os.environ.pop("QUALITY_CONFIG_DIR", None)
    os.environ.pop("WAREHOUSE_URL", None)
    try:
        server = postgres.start()
        reset_warehouse(server)
        postgres.ensure_database(server, "provider_crm")
        shutil.rmtree(home / "provider", ignore_errors=True)
        days = scale.nights_after + scale.nights
        provider.create(home / "provider", 7, days, scale.nights_contacts_per_day, FIRST_DAY)
        port, password = str(free_port()), secrets.token_urlsafe(12)
        os.environ.update({
            "DEMO_HOME": str(home / "provider"),
            "DEMO_CRM_URL": server.url("provider_crm"),
            "DEMO_SURVEY_USER": "quality",
            "DEMO_SURVEY_PASSWORD": password,
            "WAREHOUSE_URL": server.url("warehouse"),
            "AIRFLOW_CONN_CRM": server.url("provider_crm"),
            "AIRFLOW_CONN_SURVEY": f"http://quality:{password}@127.0.0.1:{port}",
        })  # fmt: skip
        with survey_server(home / "provider", port):
            yield home / "provider"
    finally:
        postgres.stop()
        os.environ.clear()
        os.environ.update(kept)


def _play_nights(home: Path, scale: Scale) -> list[list[Step]]:
    """The history without Airflow, then the nights by it; the steps of each night.

    A single night builds the history too, which saves the quick run a build: work is subtracted anyway.
    """
    last = FIRST_DAY + timedelta(days=scale.nights_after - 1)
    provider.play(home, last)
    window = _window(FIRST_DAY, last)
    for source in Source:
        runner.load(source.value, window, config.connection_from_environment)
    if scale.nights > 1:
        runner.build()
    airflow.start()
    try:
        played = []
        for number in range(1, scale.nights + 1):
            night = last + timedelta(days=number)
            provider.play(home, night)
            since = _now()
            load_all(_window(night, night))
            wait_for_publication(len(Source))
            _wait_for_end_of_build(since)
            played.append(steps_since(since))
        return played
    finally:
        airflow.stop()


def _window(first: date, last: date) -> Window:
    return nights(first, last, config.load().provider.zone)


def _now() -> datetime:
    with _metadata() as conn:
        row = conn.execute("select now() as at").fetchone()
    assert row is not None
    return row["at"]  # type: ignore[no-any-return]


def _metadata() -> psycopg.Connection[dict[str, Any]]:
    url = airflow.environment()["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "")
    return psycopg.connect(url, row_factory=dict_row)


def _wait_for_end_of_build(since: datetime, seconds: float = 60) -> None:
    """The books of the last task are written a moment after its work is published."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with _metadata() as conn:
            done = conn.execute(
                "select 1 from dag_run where dag_id = %s and queued_at >= %s and state in ('success', 'failed')",
                (BUILD_DAG, since),
            ).fetchone()
        if done:
            return
        time.sleep(0.2)
    raise RuntimeError(f"{BUILD_DAG} did not end within {seconds:.0f} s of its publication")


def steps_since(since: datetime) -> list[Step]:
    """The steps of all runs that were queued after ``since``, by Airflow's own books, in the order of their start."""
    with _metadata() as conn:
        rows = conn.execute(
            "select ti.dag_id, ti.task_id, coalesce(ti.queued_dttm, ti.start_date) as queued, ti.start_date,"
            " ti.end_date,"
            " x.value as worked, r.queued_at"
            " from task_instance as ti inner join dag_run as r using (dag_id, run_id)"
            " left join xcom as x on x.task_id = ti.task_id and x.run_id = ti.run_id and x.dag_id = ti.dag_id"
            " and x.key = 'worked'"
            " where r.queued_at >= %s and ti.state = 'success' order by ti.start_date",
            (since,),
        ).fetchall()
    made = [
        Step(r["dag_id"], r["task_id"], r["queued"], r["start_date"], r["end_date"], float(r["worked"] or 0))
        for r in rows
    ]
    asked = min((r["queued_at"] for r in rows), default=since)
    return [Step("night", "asked for", asked, asked, asked, 0.0), *made]


def overhead(played: list[list[Step]]) -> Ratio:
    """Median over the nights of wall minus critical path, in seconds."""
    over = [wall(night) - critical_path(night) for night in played]
    return Ratio(
        "orchestration: wall of a night minus its critical path of work (s)", statistics.median(over), GOAL_SECONDS,
        (min(over), max(over)), of="seconds from the first run's queueing to the end of publish, minus the longest"
        " chain of work; four sources in parallel",
    )  # fmt: skip


def wall(night: list[Step]) -> float:
    """Seconds from the first run's queueing to the end of the last task."""
    return (max(s.end for s in night) - night[0].begin).total_seconds()


def critical_path(night: list[Step]) -> float:
    """Seconds of the longest chain of work: the slowest source, then the build."""
    chains: dict[str, float] = {}
    for step in night:
        chains[step.dag] = chains.get(step.dag, 0.0) + step.worked
    return chains.pop(BUILD_DAG, 0.0) + max(chains.values())


def by_task(played: list[list[Step]]) -> list[dict[str, Any]]:
    """Medians over the nights: seconds from the night's beginning to queued, started, ended; worked; not worked."""
    found: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for night in played:
        zero = night[0].begin
        for s in night[1:]:
            at = [(moment - zero).total_seconds() for moment in (s.queued, s.begin, s.end)]
            found.setdefault((s.dag, s.task), []).append((*at, s.worked, (s.end - s.begin).total_seconds() - s.worked))
    names = ("queued at", "started at", "ended at", "worked", "around the work")
    rows = [
        {"dag": dag, "task": task}
        | {n: round(statistics.median(values), 2) for n, values in zip(names, zip(*seen, strict=True), strict=True)}
        for (dag, task), seen in found.items()
    ]
    return sorted(rows, key=lambda row: row["started at"])


def _night_row(night: list[Step]) -> dict[str, Any]:
    return {
        "wall s": round(wall(night), 1),
        "critical path s": round(critical_path(night), 1),
        "all work s": round(sum(s.worked for s in night), 1),
        "tasks": len(night) - 1,
    }


# -- dbt's own cost ----------------------------------------------------------------------------------------------------


def empty_builds(rounds: int, with_every: bool = True) -> tuple[Ratio, list[dict[str, Any]]]:
    """What a build costs that has no touched days, by what a run of one model costs; in the warehouse of the nights.

    Judged is the product's way (`runner.transform_build`). Shown beside it, ``with_every``: the same when every model
    and test is run although its days are empty.
    """
    import dbt.adapters.postgres
    import dbt.cli.main  # noqa: F401 - imported by the scheduler before the night, so not a build's cost
    from service_quality import settings as settings_sync
    from service_quality import transform
    from service_quality.window import last_whole_day

    url = ops.warehouse_url()
    settings = config.load()
    with ops.connect(url) as conn:
        until = conn.execute("select max(data_until) as at from ops.builds").fetchone()["at"]  # type: ignore[index]
        conn.commit()
        scalars = settings_sync.scalars(settings)
        as_of = last_whole_day(until, settings.provider.zone)

        def models(*selections: tuple[str, ...]) -> None:
            plan = transform.Plan(_empty_build(conn), [], until, as_of, False, scalars)
            parsed = transform.parse(url, scalars)
            for selection in selections:
                transform.run_models(conn, url, plan, selection, parsed=parsed)

        work = {
            "one model": lambda: models(ONE_MODEL),
            "empty touched days": lambda: runner.transform_build(_empty_build(conn)),
        }
        meter = Meter(url)
        costs = measure.alternate(meter, work, rounds, warm_up=with_every)
        if with_every:
            every = lambda: models(transform.BEFORE_ANALYSES, transform.AFTER_ANALYSES)  # noqa: E731
            costs[EVERY] = measure.alternate(meter, {EVERY: every}, 1, warm_up=False)[EVERY]
    ratio = measure.ratio(
        "dbt: build of all models with empty touched days / run of one model", "cpu", costs["empty touched days"],
        costs["one model"], GOAL_EMPTY, of="CPU of client and server, parsing included, in one warm process",
        note=_every_model(costs),
    )  # fmt: skip
    return ratio, [_cost_row(name, made) for name, made in costs.items()]


def _empty_build(conn: ops.Conn) -> int:
    """A planned build without days and loads after the last published one; earlier such ones are taken away."""
    empty = "select build_id from ops.builds where touched_days = '{}' and load_ids = '{}'"
    conn.execute(f"delete from ops.build_nodes where build_id in ({empty})")
    conn.execute(f"delete from ops.builds where build_id in ({empty})")
    row = conn.execute(
        "insert into ops.builds (status, load_ids, touched_days, data_until, settings_hash)"
        " select 'planned', '{}', '{}', data_until, settings_hash from ops.builds order by build_id desc limit 1"
        " returning build_id"
    ).fetchone()
    conn.commit()
    assert row is not None
    return int(row["build_id"])


def _every_model(costs: Mapping[str, list[measure.Cost]]) -> str:
    told = "no model is run where no day is touched and no load brought a new row"
    if EVERY not in costs:
        return f"{told}; what running all of them would cost is measured in the full run"
    times = costs[EVERY][0].cpu / measure.median(costs["one model"]).cpu
    return f"{told}; running all models and tests on empty days all the same costs {times:.1f} times one model"


def _cost_row(name: str, made: list[measure.Cost]) -> dict[str, Any]:
    cost = measure.median(made)
    return {
        "build": name,
        "wall s": round(cost.wall, 2),
        "client CPU s": round(cost.client_cpu, 2),
        "server CPU s": round(cost.server_cpu, 2),
        "WAL kB": cost.wal // 1024,
    }
