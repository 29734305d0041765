"""The Airflow side: ingest, build and review as fixed task shapes.

A DAG file names a shape and its words. All work is done by ``runner``, imported inside the tasks, so that
parsing stays cheap. ``QUALITY_SCHEDULE=manual`` takes the clock away: runs start by hand or by assets only.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    CronDataIntervalTimetable,
    CronTriggerTimetable,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    get_current_context,
    task,
)
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowSkipException

from service_quality import alerts, config
from service_quality.contract import Source
from service_quality.window import Window, midnight, parse_instant

log = logging.getLogger(__name__)

FIRST_NIGHT = datetime(2024, 1, 1, tzinfo=UTC)
BUILD_DAG = "build_quality_marts"
REVIEW_DAG = "review_held_load"
RELEASE, REJECT = "Release", "Reject"
WORKED = "worked"

P, R = ParamSpec("P"), TypeVar("R")

_TEXT = ["null", "string"]


def raw_asset(source: str) -> Asset:
    """What a promoted load of ``source`` changes."""
    return Asset(name=f"raw_{source}", uri=f"quality://raw/{source}")


MARTS = Asset(name="quality_marts", uri="quality://marts")


def ingest(source: str, *, description: str, doc_md: str | None, at: str, owner: str, tags: list[str]) -> DAG:
    """The DAG ``ingest_<source>``: land -> gate -> promote, and a person is asked when the gate holds.

    ``at``: cron in the provider's zone; each run loads the local days before it. A source without a section
    in ``sources.yml`` gets no schedule.
    """
    settings = _settings()
    configured = settings is None or Source(source) in settings.sources
    with DAG(
        dag_id=f"ingest_{source}",
        description=description,
        doc_md=doc_md,
        schedule=CronDataIntervalTimetable(at, timezone=_zone(settings)) if configured and _by_clock() else None,
        start_date=FIRST_NIGHT,
        catchup=False,
        max_active_runs=1,  # two loads of one source never race
        tags=["ingest", *tags, *([] if configured else ["not configured"])],
        default_args=_default_args(owner),
        params={
            "from": Param(None, type=_TEXT, title="From", description=_FROM_DOC),
            "to": Param(None, type=_TEXT, title="To (not included)", description=_TO_DOC),
        },
    ) as dag:
        landed: Any = _land.override(**_EXTRACT)(source)
        gated: Any = _gate(landed)
        _promote.override(outlets=[raw_asset(source)])(gated)
        gated >> _AskForReview(task_id="ask_for_review", source=source)
    return dag


def build(*, description: str, doc_md: str | None, at: str, late_after: timedelta, owner: str, tags: list[str]) -> DAG:
    """The DAG ``build_quality_marts``: plan -> transform -> gate -> publish.

    It runs when every configured source has promoted something new, and at ``at`` (cron in the provider's
    zone) with what has arrived by then. The morning's run raises an alert when it has not published
    ``late_after`` that moment.
    """
    with DAG(
        dag_id=BUILD_DAG,
        description=description,
        doc_md=doc_md,
        schedule=_build_schedule(at),
        start_date=FIRST_NIGHT,
        catchup=False,
        max_active_runs=1,
        tags=["build", *tags],
        default_args=_default_args(owner),
        deadline=DeadlineAlert(
            name="marts in the morning",
            reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
            interval=late_after,
            callback=SyncCallback(alerts.deadline_missed),
        ),
        params={
            "days": Param(None, type=["null", "array"], items={"type": "string", "format": "date"}, title="Days",
                          description="Business days to build again, such as 2025-03-30; empty: what changed."),
            "full": Param(False, type="boolean", title="Full", description="Build every day from raw again."),
        },
    ) as dag:  # fmt: skip
        planned: Any = _plan()
        transformed: Any = _transform(planned)
        judged: Any = _gate_build(transformed)
        _publish.override(outlets=[MARTS])(judged)
    return dag


def review(*, description: str, doc_md: str | None, answer_within: timedelta, owner: str, tags: list[str]) -> DAG:
    """The DAG ``review_held_load``: a person reads why a load is held and releases or rejects it.

    It is a DAG of its own, so that the next loads do not wait for the answer.
    """
    with DAG(
        dag_id=REVIEW_DAG,
        description=description,
        doc_md=doc_md,
        schedule=None,
        start_date=FIRST_NIGHT,
        catchup=False,
        max_active_runs=16,
        tags=["review", *tags],
        default_args=_default_args(owner),
        params={
            "load_id": Param(0, type="integer", title="Load"),
            "source": Param("", type="string", title="Source"),
            "message": Param("", type="string", title="Why it is held"),
        },
    ) as dag:
        decide = HITLOperator(
            task_id="decide",
            subject="Load {{ params.load_id }} of {{ params.source }} is held",
            body="{{ params.message }}\n\n"
            "**Release** takes its rows into the warehouse (those that broke a row rule go to quarantine) and builds"
            " the marts. **Reject** leaves it out; the next night reads its window again.",
            options=[RELEASE, REJECT],
            response_timeout=answer_within,
        )
        answer: Any = decide.output
        settled = _settle(answer)
        settled >> TriggerDagRunOperator(task_id="build", trigger_dag_id=BUILD_DAG, logical_date=None)
    return dag


def connection_url(connection_id: str) -> str:
    """URL with credentials of an Airflow connection, from wherever Airflow keeps it.

    ``AIRFLOW_CONN_<ID>`` in the environment is taken as it is written. Raises ConfigError when there is none.
    """
    written = os.environ.get(f"AIRFLOW_CONN_{connection_id.upper()}", "")
    if "://" in written:
        return written
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

    try:
        return url_of(Connection.get(connection_id))
    except (AirflowNotFoundException, AirflowRuntimeError) as error:
        raise config.ConfigError(
            f"the connection '{connection_id}' is not known to Airflow: add it there, or give its URL in"
            f" AIRFLOW_CONN_{connection_id.upper()}"
        ) from error


def url_of(connection: Any) -> str:
    """The URL of an Airflow connection; HTTP ones may hold the scheme in host or schema, as Airflow allows."""
    scheme = {"postgres": "postgresql"}.get(connection.conn_type, connection.conn_type)
    host, path = connection.host or "", connection.schema or ""
    if "://" in host:
        scheme, host = host.split("://", 1)
    elif scheme in ("http", "https") and path in ("http", "https"):
        scheme, path = path, ""
    user = quote(connection.login or "", safe="")
    password = f":{quote(connection.password, safe='')}" if connection.password else ""
    at = f"{user}{password}@" if user or password else ""
    port = f":{connection.port}" if connection.port else ""
    extra = {k: v for k, v in (connection.extra_dejson or {}).items() if isinstance(v, str | int | float)}
    query = f"?{urlencode(extra)}" if extra else ""
    return f"{scheme}://{at}{host.rstrip('/')}{port}{'/' if path or query else ''}{path.lstrip('/')}{query}"


def window_asked(
    params: Mapping[str, Any], interval: tuple[datetime | None, datetime | None], run_after: datetime, zone: ZoneInfo
) -> tuple[Window, bool]:
    """The window a run is for, and whether a person named it.

    ``params``: ``from`` and ``to`` as ISO dates or instants, local to ``zone`` when they name no zone; ``to``
    empty: up to the last local midnight. Without them whole local days: those of the data interval, else the
    last one before ``run_after``. Raises ConfigError for what cannot be read.
    """
    today = midnight(run_after.astimezone(zone).date(), zone)
    first, last = params.get("from"), params.get("to")
    try:
        if first:
            return Window(parse_instant(first, zone), parse_instant(last, zone) if last else today), True
        if last:
            raise ValueError("'to' is given without 'from'")
        start, end = (midnight(at.astimezone(zone).date(), zone) if at else None for at in interval)
        if start is None or end is None:
            start, end = midnight((run_after.astimezone(zone) - timedelta(days=1)).date(), zone), today
        return Window(start, end), False
    except ValueError as error:
        raise config.ConfigError(f"params 'from' and 'to': {error}") from error


_FROM_DOC = (
    "ISO date or date-time in the provider's zone, such as 2025-01-01. For the first load of a long past or for"
    " the repair of chosen days; empty: the night's window, extended back to where the last load ended."
)
_TO_DOC = "The first instant that is not loaded any more; empty: the last midnight."

_EXTRACT: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=20),
    "retry_policy": ExceptionRetryPolicy(
        rules=[
            RetryRule(exception=config.ConfigError, action=RetryAction.FAIL, reason="a person has to correct it first")
        ]
    ),
    "execution_timeout": timedelta(hours=6),  # a hung source must not block the next night
}


def _default_args(owner: str) -> dict[str, Any]:
    return {
        "owner": owner,
        "retries": 0,  # judging or promoting the same rows again gives the same verdict
        "on_failure_callback": alerts.task_failed,
        "execution_timeout": timedelta(hours=3),
    }


def _settings() -> config.Settings | None:
    """The configuration; None when it is broken.

    A broken file must not make DAGs vanish from the scheduler, which nobody would notice before the morning:
    they stay, on UTC, and the night's first task fails with the message, which raises an alert.
    """
    try:
        return config.load()
    except config.ConfigError as error:
        log.error("%s", error)
        return None


def _zone(settings: config.Settings | None) -> str:
    return settings.provider.time_zone if settings else "UTC"


def _by_clock() -> bool:
    return os.environ.get("QUALITY_SCHEDULE", "nightly") != "manual"


def _build_schedule(at: str) -> Any:
    settings = _settings()
    assets = [raw_asset(s) for s in (settings.sources if settings else tuple(Source))]
    morning = CronTriggerTimetable(at, timezone=_zone(settings))
    if not assets:
        return morning if _by_clock() else None
    return AssetOrTimeSchedule(timetable=morning, assets=assets) if _by_clock() else assets


def _timed(work: Callable[P, R]) -> Callable[P, R]:
    """``work`` that leaves its own seconds as the XCom ``worked``: the rest of a task's time is Airflow's."""

    @functools.wraps(work)
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        started = time.monotonic()
        try:
            return work(*args, **kwargs)
        finally:
            with contextlib.suppress(RuntimeError):  # outside a task there is nobody to tell
                get_current_context()["ti"].xcom_push(key=WORKED, value=round(time.monotonic() - started, 3))

    return timed


@task(task_id="land")
@_timed
def _land(source: str, params: Any = None, dag_run: Any = None) -> int:
    """Extract the run's window to ``landing``; gives the load's id."""
    from service_quality import runner

    zone = config.load().provider.zone
    interval = (dag_run.data_interval_start, dag_run.data_interval_end)
    window, named = window_asked(params, interval, dag_run.run_after, zone)
    if not named:
        # A ValueError says that the night is loaded already: a run that was cleared loads it again.
        with contextlib.suppress(ValueError):
            window = runner.next_window(source, window.start, window.end)
    return runner.land(source, window, connection_url)


@task(task_id="gate")
@_timed
def _gate(load_id: int, ti: Any = None) -> int:
    """Judge the load; a held one fails this task with the gate's message. Gives the load's id."""
    from service_quality import runner

    try:
        runner.raise_if_held(load_id, runner.judge(load_id))
    except runner.LoadHeld as held:
        ti.xcom_push(key="held", value={"load_id": load_id, "message": str(held)})
        raise
    return load_id


@task(task_id="promote")
@_timed
def _promote(load_id: int) -> dict[str, Any]:
    """Take the load into ``raw`` and ``quarantine``; gives its accounting."""
    from service_quality import runner

    return runner.promote_load(load_id)


class _AskForReview(TriggerDagRunOperator):
    """Starts a review when the gate held a load, and nothing when the run failed for other reasons."""

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(trigger_dag_id=REVIEW_DAG, logical_date=None, trigger_rule="one_failed", conf={}, **kwargs)
        self.source = source

    def execute(self, context: Any) -> None:
        held = context["ti"].xcom_pull(task_ids="gate", key="held")
        if not held:
            raise AirflowSkipException("no load is held")
        self.conf = {"source": self.source, **held}
        super().execute(context)


@task.short_circuit(task_id="plan")
@_timed
def _plan(params: Any = None, dag_run: Any = None) -> int | None:
    """Fix what this build takes in; None, and the rest is skipped, when nothing is new."""
    from service_quality import ops, runner

    days = [date.fromisoformat(day) for day in params["days"] or ()]
    build_id = runner.plan_build(days, params["full"])
    if build_id is not None and dag_run.run_type == "scheduled":
        with ops.connect() as conn:
            row = conn.execute("select stale_sources from ops.builds where build_id = %s", (build_id,)).fetchone()
        if row and row["stale_sources"]:
            alerts.stale_sources(row["stale_sources"])
    return build_id


@task(task_id="transform")
@_timed
def _transform(build_id: int) -> int:
    """Run dbt for the touched days into ``candidate``; gives the build's id."""
    from service_quality import runner

    runner.transform_build(build_id)
    return build_id


@task(task_id="gate")
@_timed
def _gate_build(build_id: int) -> int:
    """Judge the candidate marts; a held build fails this task and publishes nothing. Gives the build's id."""
    from service_quality import runner

    runner.raise_if_build_held(build_id, runner.judge_build(build_id))
    return build_id


@task(task_id="publish")
@_timed
def _publish(build_id: int) -> dict[str, int]:
    """Replace the touched days in ``marts`` and tell new topic surges; gives the rows written per mart."""
    from service_quality import runner

    written = runner.publish_build(build_id)
    alerts.topic_surges(build_id)
    return written


@task.short_circuit(task_id="settle")
@_timed
def _settle(answer: dict[str, Any], params: Any = None) -> bool:
    """Do what the person decided; True when the marts are to be built."""
    from service_quality import runner

    who = (answer.get("responded_by_user") or {}).get("name") or "airflow"
    if answer["chosen_options"] == [RELEASE]:
        runner.release(params["load_id"], who)
        return True
    runner.reject(params["load_id"], who)
    return False
