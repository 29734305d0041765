"""The steps of a load and of a build, composed from the stages.

The DAG tasks and the command line call these same functions. Each opens its own connection, takes and gives
plain values, and leaves its outcome in ``ops``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from psycopg import sql

from service_quality import (
    analyse,
    config,
    contract,
    gate,
    landing,
    ops,
    promote,
    publish,
    rebuild,
    surge_news,
    touched,
    transform,
)
from service_quality import settings as settings_sync
from service_quality.analyses.base import Scope
from service_quality.contract import Source
from service_quality.ops import Conn
from service_quality.sources.base import History, SharedReader, SourceReader
from service_quality.window import Window, last_whole_day


class LoadHeld(RuntimeError):
    """The gate held a load; the message says what was observed, expected and what to do."""


class BuildHeld(RuntimeError):
    """The gate held a build; nothing was published."""


def next_window(source: str, start: datetime, end: datetime) -> Window:
    """The window of a scheduled run: begins where the source is loaded to, so that missed nights are made up.

    Raises ValueError when everything before ``end`` is loaded already.
    """
    with _warehouse() as conn:
        until = ops.loaded_until(conn, Source(source))
    return Window(min(until, end) if until is not None else start, end)


def land(source: str, window: Window, resolve: config.Resolver) -> int:
    """Extract ``window`` and land it; the new load's id. Raises SourceError, ConfigError."""
    settings = _settings_with(source)
    with _warehouse() as conn:
        _refuse_strangers(conn, settings)
        reader = _reader(conn, Source(source), settings, resolve)
        load = ops.open_load(conn, Source(source), window)
        conn.commit()
        tables = _tables(Source(source), settings)
        if isinstance(reader, SharedReader) and len(shares := reader.shares(window)) > 1:
            landing.land_shares(conn, load, shares, tables)
        else:
            landing.land(conn, load, reader.read(window), tables)
        conn.commit()
    return load.load_id


def judge(load_id: int) -> str:
    """Gate 1 on a landed load: ``gated`` or ``held``. The message is in ``ops.loads``."""
    settings = config.load()
    with _warehouse() as conn:
        load = ops.get_load(conn, load_id)
        verdict = gate.judge_load(conn, load, settings, _tables(load.source, settings))
        conn.commit()
    return "held" if verdict.is_held else "gated"


def promote_load(load_id: int) -> dict[str, Any]:
    """Promote a gated load; its accounting by table. Raises RuntimeError when it is not gated."""
    settings = config.load()
    with _warehouse() as conn:
        accounting = promote.promote(conn, ops.get_load(conn, load_id), ops.pepper(), settings.provider.phone)
        conn.commit()
    return accounting


def load(source: str, window: Window, resolve: config.Resolver) -> dict[str, Any]:
    """Land, judge and promote one window; {load_id, tables}. Raises LoadHeld with the gate's message."""
    load_id = land(source, window, resolve)
    raise_if_held(load_id, judge(load_id))
    return {"load_id": load_id, "tables": promote_load(load_id)}


def raise_if_held(load_id: int, status: str) -> None:
    """Raises LoadHeld with the stored message when ``status`` is ``held``."""
    if status == "held":
        with _warehouse() as conn:
            raise LoadHeld(ops.get_load(conn, load_id).message or f"load {load_id} was held")


def release(load_id: int, by: str) -> dict[str, Any]:
    """Promote a held load on a person's decision; rows that break row rules still go to quarantine."""
    settings = config.load()
    with _warehouse() as conn:
        accounting = promote.release(conn, load_id, by, ops.pepper(), settings.provider.phone)
        conn.commit()
    return accounting


def reject(load_id: int, by: str) -> None:
    """Discard a held load on a person's decision; its window counts as not loaded."""
    with _warehouse() as conn:
        promote.reject(conn, load_id, by)
        conn.commit()


def replay(table: str, rule_ids: Sequence[str], by: str) -> list[dict[str, Any]]:
    """Bring quarantined rows back after the rules they broke were fixed; the promoted loads this made.

    Raises LookupError for an unknown table.
    """
    with _warehouse() as conn:
        made = promote.replay(conn, table, rule_ids, by)
        conn.commit()
    return made


def plan_build(days: Sequence[date] | None = None, full: bool = False) -> int | None:
    """Fix what the next build has to do: promoted, not yet published loads and the days they touch.

    ``days``: build these days too; ``full``: all days. None when there is nothing to do.
    """
    settings = config.load()
    with _warehouse() as conn, conn.transaction():
        conn.execute("select pg_advisory_xact_lock(hashtext('quality_line_plan'))")
        conn.execute(
            "update ops.builds set status = 'failed', ended_at = now(), error = 'given up for a newer build'"
            " where status in ('planned', 'built')"
        )
        loads = [
            r["load_id"]
            for r in conn.execute(
                "select load_id from ops.loads where status = 'promoted' and build_id is null order by load_id"
            )
        ]
        print_before, until_before = _last_published(conn)
        fingerprint = settings_sync.fingerprint(settings, transform.PROJECT)
        full = full or print_before != fingerprint
        if not loads and not days and (not full or not _has_data(conn)):
            return None
        settings_sync.sync(conn, settings, _crm_tables(settings), loads, full)
        until = _data_until(conn)
        if full:
            every = touched.all_days(conn)
            found, reclassified = touched.Touched(every, every), True
        else:
            found = touched.touched(conn, loads, settings.provider.time_zone, until, until_before)
            found = touched.Touched(*(sorted({*some, *(days or ())}) for some in found))
            as_of = [at and last_whole_day(at, settings.provider.zone) for at in (until_before, until)]
            reclassified = touched.reclassified(conn, loads, *as_of)
        return _open_build(conn, settings, loads, found, until, fingerprint, full, reclassified)


def transform_build(build_id: int, engine: rebuild.Engine | None = None) -> dict[str, str]:
    """Run dbt for a planned build, and between its two halves what SQL cannot compute; {node: status}.

    ``engine``: what builds facts and quality marts when all days are built; see `rebuild.engine`. A build that brings
    nothing runs no model: see _brings_nothing.
    Raises transform.BuildFailed, ValueError when the engine cannot do this build.
    """
    settings = config.load()
    with _warehouse() as conn, _build_step(conn, build_id, "planned") as build:
        plan = transform_plan(build, settings)
        url = ops.warehouse_url()
        chosen = rebuild.engine(plan.is_full, engine)
        parsed = transform.parse(url, plan.scalars)  # also for the gate and publication, which read the manifest
        if _brings_nothing(conn, build):
            return {}
        if chosen == "duckdb":
            statuses = rebuild.run_models(conn, url, plan, transform.BEFORE_ANALYSES, parsed)
        else:
            statuses = transform.run_models(conn, url, plan, transform.BEFORE_ANALYSES, parsed=parsed)
        analyse.run(conn, Scope(plan.changed(), plan.as_of_day, plan.is_full))
        return statuses | transform.run_models(conn, url, plan, transform.AFTER_ANALYSES, parsed=parsed)


def transform_plan(build: dict[str, Any], settings: config.Settings) -> transform.Plan:
    """What the models need to know of a planned build, a row of ``ops.builds``."""
    until = build["data_until"]
    return transform.Plan(
        build["build_id"],
        build["touched_days"],
        until,
        last_whole_day(until, settings.provider.zone) if until else None,
        build["is_full"],
        settings_sync.scalars(settings),
        build["changed_days"],
        build["reclassified"],
    )


def judge_build(build_id: int) -> str:
    """Gate 2 on the touched days: ``built`` or ``held``. The message is in ``ops.builds``."""
    with _warehouse() as conn, _build_step(conn, build_id, "planned") as build:
        reaches = {mart.name: mart.reach for mart in publish.marts_of(transform.manifest())}
        verdict = gate.judge_build(
            conn, build_id, build["touched_days"], build["is_full"], build["reclassified"], reaches=reaches,
            changed_days=build["changed_days"],
        )
        status = "held" if verdict.is_held else "built"
        conn.execute(
            "update ops.builds set status = %s, message = %s, ended_at = now() where build_id = %s",
            (status, verdict.message, build_id),
        )
        conn.commit()
    return status


def publish_build(build_id: int) -> dict[str, int]:
    """Publish a judged build; {mart: rows written}. Raises PublishRefused, RuntimeError."""
    with _warehouse() as conn, _build_step(conn, build_id, "built") as build:
        marts = publish.marts_of(transform.manifest())
        written = publish.publish(
            conn, build_id, build["load_ids"], build["touched_days"], marts, build["is_full"], build["reclassified"],
            build["changed_days"],
        )
        conn.commit()
    return written


def surges_to_tell() -> list[dict[str, Any]]:
    """Topic surges that run as of the newest published day and were not told before."""
    with _warehouse() as conn:
        return surge_news.to_tell(conn)


def surges_told(build_id: int, found: Sequence[Mapping[str, Any]]) -> None:
    """Note that people heard of these surges after the publication of a build."""
    with _warehouse() as conn:
        surge_news.told(conn, build_id, found)


def running_surges(day: date | None = None) -> list[dict[str, Any]]:
    """Published topic surges of ``day``, by default of the newest day that is judged."""
    with _warehouse() as conn:
        return surge_news.running(conn, day)


def build(
    days: Sequence[date] | None = None, full: bool = False, engine: rebuild.Engine | None = None
) -> dict[str, Any]:
    """Plan, transform, judge and publish; {build_id, days, written}. Raises BuildHeld with the message.

    ``engine``: see `transform_build`.
    """
    build_id = plan_build(days, full)
    if build_id is None:
        return {"build_id": None, "days": [], "written": {}}
    transform_build(build_id, engine)
    raise_if_build_held(build_id, judge_build(build_id))
    written = publish_build(build_id)
    with _warehouse() as conn:
        return {"build_id": build_id, "days": get_build(conn, build_id)["touched_days"], "written": written}


def raise_if_build_held(build_id: int, status: str) -> None:
    """Raises BuildHeld with the stored message when ``status`` is ``held``."""
    if status == "held":
        with _warehouse() as conn:
            raise BuildHeld(get_build(conn, build_id)["message"] or f"build {build_id} was held")


def release_build(build_id: int, by: str) -> dict[str, int]:
    """Publish a held build on a person's decision. It must be the latest one."""
    with _warehouse() as conn:
        newest = conn.execute("select max(build_id) as id from ops.builds").fetchone()
        if newest is None or newest["id"] != build_id:
            raise RuntimeError(f"build {build_id} is not the latest one: run a new build instead")
        done = conn.execute(
            "update ops.builds set status = 'built', message = message || %s where build_id = %s and status = 'held'",
            (f"\nreleased by {by}", build_id),
        )
        if done.rowcount != 1:
            raise RuntimeError(f"build {build_id} is not held")
        conn.commit()
    return publish_build(build_id)


@contextmanager
def _warehouse() -> Iterator[Conn]:
    with ops.connect() as conn:
        ops.prepare(conn)
        yield conn


def _refuse_strangers(conn: Conn, settings: config.Settings) -> None:
    """Two providers in one warehouse could never be told apart again."""
    owner = ops.own(conn, settings.provider.name)
    if owner != settings.provider.name:
        raise config.ConfigError(
            f"{config.config_dir() / 'sources.yml'}: provider.name is '{settings.provider.name}', but this warehouse"
            f" holds the data of '{owner}': name another one in WAREHOUSE_URL, or another folder for the embedded"
            " one in QUALITY_HOME"
        )


def _settings_with(source: str) -> config.Settings:
    settings = config.load()
    if Source(source) not in settings.sources:
        raise config.ConfigError(
            f"{config.config_dir() / 'sources.yml'}: there is no section '{source}:', so there is nothing to load"
        )
    return settings


def _crm_tables(settings: config.Settings) -> list[str]:
    if settings.crm is None:
        return []
    if settings.crm.tables is not None:
        return list(settings.crm.tables)
    folder = config.config_dir() / "crm"
    return [t.name for t in contract.tables_of(Source.CRM) if (folder / f"{t.name}.sql").is_file()]


def _tables(source: Source, settings: config.Settings) -> list[contract.Table]:
    """The landed tables of ``source`` that this provider has."""
    wanted = {t.name for t in contract.tables_of(source)}
    if source is Source.CRM:
        wanted &= set(_crm_tables(settings))
    if settings.telephony and not any(s.cdr for s in settings.telephony.servers):
        wanted.discard("cdr")
    return [t for t in contract.tables_of(source) if t.name in wanted]


def _reader(conn: Conn, source: Source, settings: config.Settings, resolve: config.Resolver) -> SourceReader:
    makers: dict[Source, Callable[[], SourceReader]] = {
        Source.CRM: lambda: _crm_reader(settings, resolve),
        Source.TELEPHONY: lambda: _telephony_reader(conn, settings, resolve),
        Source.IVR: lambda: _ivr_reader(conn, settings),
        Source.SURVEY: lambda: _survey_reader(conn, settings, resolve),
    }
    return makers[source]()


def _crm_reader(settings: config.Settings, resolve: config.Resolver) -> SourceReader:
    from service_quality.sources.crm import CrmSource

    assert settings.crm is not None
    return CrmSource(settings.crm, config.config_dir() / "crm", resolve(settings.crm.connection))


def _telephony_reader(conn: Conn, settings: config.Settings, resolve: config.Resolver) -> SourceReader:
    from service_quality.sources.telephony import TelephonySource

    assert settings.telephony is not None
    history = {name: _history(conn, Source.TELEPHONY, name) for name in ("queue_log", "cdr")}
    return TelephonySource(settings.telephony, resolve, history)


def _ivr_reader(conn: Conn, settings: config.Settings) -> SourceReader:
    from service_quality.sources.ivr import IvrSource

    assert settings.ivr is not None
    return IvrSource(settings.ivr, _history(conn, Source.IVR, "ivr_ratings"))


def _survey_reader(conn: Conn, settings: config.Settings, resolve: config.Resolver) -> SourceReader:
    from service_quality.sources.survey import SurveySource

    assert settings.survey is not None
    known = conn.execute(
        "select survey_id, max(response_id) as newest,"
        " coalesce(array_agg(response_id) filter (where not is_complete), '{}') as incomplete"
        " from raw.survey_responses where _superseded_at is null group by survey_id"
    ).fetchall()
    newest = {r["survey_id"]: r["newest"] for r in known}
    incomplete = {r["survey_id"]: r["incomplete"] for r in known}
    return SurveySource(settings.survey, resolve(settings.survey.connection), newest, incomplete)


def _history(conn: Conn, source: Source, table: str) -> History:
    since = conn.execute("select min(window_start) as at from ops.coverage where source = %s", (source,)).fetchone()
    rows = conn.execute("select file_id, last_line from ops.files where table_name = %s", (table,)).fetchall()
    lines = {r["file_id"]: r["last_line"] for r in rows}
    # Rows that wait for a decision in landing must not come in again as a late file of the next night.
    waiting = conn.execute(sql.SQL("select distinct file_id from landing.{}").format(sql.Identifier(table)))
    files = frozenset(lines) | {r["file_id"] for r in waiting}
    return History(since["at"] if since else None, files, lines)


def _last_published(conn: Conn) -> tuple[str | None, datetime | None]:
    row = conn.execute(
        "select settings_hash, data_until from ops.builds where status = 'published' order by build_id desc limit 1"
    ).fetchone()
    return (row["settings_hash"], row["data_until"]) if row else (None, None)


def _has_data(conn: Conn) -> bool:
    return conn.execute("select 1 from ops.coverage limit 1").fetchone() is not None


def _data_until(conn: Conn) -> datetime | None:
    """To where telephony is loaded (else any source), never later than the moment of that load."""
    row = conn.execute(
        "select coalesce("
        " max(least(window_end, started_at)) filter (where source = 'telephony'), max(least(window_end, started_at))"
        ") as at from ops.loads where status = 'promoted'"
    ).fetchone()
    return row["at"] if row else None


def _stale(conn: Conn, settings: config.Settings, until: datetime | None) -> list[str]:
    """Configured sources that are loaded less far than ``until``."""
    loaded = {
        r["source"]: r["at"]
        for r in conn.execute("select source, max(window_end) as at from ops.coverage group by source")
    }
    beginning = datetime.min.replace(tzinfo=UTC)
    return [s.value for s in settings.sources if until and loaded.get(s.value, beginning) < until]


def _open_build(
    conn: Conn,
    settings: config.Settings,
    loads: list[int],
    found: touched.Touched,
    until: datetime | None,
    fingerprint: str,
    full: bool,
    reclassified: bool,
) -> int:
    row = conn.execute(
        "insert into ops.builds"
        " (status, load_ids, touched_days, changed_days, data_until, settings_hash, is_full, reclassified,"
        " stale_sources) values ('planned', %s, %s, %s, %s, %s, %s, %s, %s) returning build_id",
        (loads, found.days, found.changed_days, until, fingerprint, full, reclassified, _stale(conn, settings, until)),
    ).fetchone()
    assert row is not None
    conn.execute("delete from ops.touched_days")
    conn.execute("insert into ops.touched_days select %s, unnest(%s::date[])", (row["build_id"], found.days))
    return int(row["build_id"])


def _brings_nothing(conn: Conn, build: dict[str, Any]) -> bool:
    """Whether every model would come out as it is: no day is touched, no load of the build brought a new row of any
    table, and the build before it was published with the same settings, as of the same moment.
    """
    if build["is_full"] or build["touched_days"]:
        return False
    row = conn.execute(
        "select before.status = 'published' and before.settings_hash = %(settings)s"
        " and before.data_until is not distinct from %(until)s"
        " and not exists (select 1 from ops.loads where load_id = any(%(loads)s) and coalesce(rows_raw, 1) > 0)"
        " as brings_nothing"
        " from ops.builds as before where before.build_id < %(build)s order by before.build_id desc limit 1",
        {
            "build": build["build_id"],
            "settings": build["settings_hash"],
            "until": build["data_until"],
            "loads": build["load_ids"],
        },
    ).fetchone()
    return bool(row and row["brings_nothing"])


def get_build(conn: Conn, build_id: int) -> dict[str, Any]:
    """The row of ``ops.builds``. Raises LookupError."""
    row = conn.execute("select * from ops.builds where build_id = %s", (build_id,)).fetchone()
    if row is None:
        raise LookupError(f"there is no build {build_id}")
    return row


@contextmanager
def _build_step(conn: Conn, build_id: int, expect: str) -> Iterator[dict[str, Any]]:
    """One step of a build at a time; a step that raises marks the build as failed."""
    found = get_build(conn, build_id)
    if found["status"] != expect:
        raise RuntimeError(f"build {build_id} is {found['status']}, not {expect}")
    conn.execute("select pg_advisory_lock(hashtext('quality_line_build'))")
    conn.commit()
    try:
        yield found
    except BaseException as error:
        conn.rollback()
        conn.execute(
            "update ops.builds set status = 'failed', ended_at = now(), error = %s where build_id = %s",
            (str(error)[:4000], build_id),
        )
        conn.commit()
        raise
    finally:
        conn.execute("select pg_advisory_unlock(hashtext('quality_line_build'))")
        conn.commit()
