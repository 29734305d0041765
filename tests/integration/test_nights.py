"""Through the real scheduler: a clean night, a bad one, its repair, and a re-run that changes nothing.

A small provider stands behind the doors of a real one; Airflow's components, Postgres and the survey server
are real processes. The play runs once, what it showed is then checked sentence by sentence.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from service_quality import config, ops
from service_quality.local import airflow, postgres
from service_quality.window import Window, nights

from demo import provider, survey_server

pytestmark = [pytest.mark.airflow, pytest.mark.postgres]

SOURCES = ("crm", "telephony", "ivr", "survey")
FIRST_DAY, LAST_OF_HISTORY = date(2026, 10, 17), date(2026, 11, 5)
CLEAN, BAD = date(2026, 11, 6), date(2026, 11, 7)
BUILD = "build_quality_marts"


@dataclass
class Seen:
    """What the play left at each of its moments."""

    states: dict[str, dict[str, str]] = field(default_factory=dict)
    tasks: dict[str, dict[str, str]] = field(default_factory=dict)
    marts: dict[str, dict[str, str]] = field(default_factory=dict)
    review: dict[str, Any] = field(default_factory=dict)
    alert: str = ""
    builds: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> Iterator[Seen]:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("nights")
        set_stage(patch, home)
        try:
            with Surveys(home / "provider", patch):
                airflow.start()
                yield play(home / "provider")
        finally:
            airflow.stop()
            postgres.remove()


def set_stage(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name in ("WAREHOUSE_URL", "QUALITY_CONFIG_DIR"):
        patch.delenv(name, raising=False)
    patch.setenv("QUALITY_HOME", str(home))
    patch.setenv("QUALITY_PG_UNSAFE", "1")
    patch.setenv("QUALITY_PG_PORT", str(postgres._free_port(0)))
    patch.setenv("QUALITY_AIRFLOW_PORT", str(postgres._free_port(0)))
    server = postgres.start()
    postgres.ensure_database(server, "provider_crm")
    patch.setenv("DEMO_HOME", str(home / "provider"))
    patch.setenv("DEMO_CRM_URL", server.url("provider_crm"))
    patch.setenv("AIRFLOW_CONN_CRM", server.url("provider_crm"))
    provider.create(home / "provider", days=23, contacts_per_day=60, first_day=FIRST_DAY)


class Surveys:
    """The provider's survey server, in a thread."""

    def __init__(self, home: Path, patch: pytest.MonkeyPatch) -> None:
        account = survey_server.Options()
        self.server = survey_server.server(home, 0, account)
        address = f"{account.user}:{account.password}@127.0.0.1:{self.server.server_address[1]}"
        patch.setenv("AIRFLOW_CONN_SURVEY", f"http://{address}")

    def __enter__(self) -> None:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def play(home: Path) -> Seen:
    seen = Seen()

    def moment(name: str) -> None:
        seen.marts[name] = marts()
        seen.builds[name] = len(airflow.runs(BUILD))

    provider.play(home, LAST_OF_HISTORY)
    airflow.pause(BUILD)  # the clean night's build takes the history in
    load(seen, "history", nights(FIRST_DAY, LAST_OF_HISTORY, zone()))
    airflow.unpause(BUILD)
    provider.play(home, CLEAN)
    load(seen, "clean", nights(CLEAN, CLEAN, zone()))
    built(seen, "clean")
    moment("clean")

    provider.play(home, BAD, broken="telephony")
    load(seen, "bad", nights(BAD, BAD, zone()))
    moment("bad")
    seen.review, seen.alert = review(), alert()

    provider.play(home, BAD)
    load(seen, "repair", nights(BAD, BAD, zone()), "telephony")
    built(seen, "repair")
    moment("repair")

    load(seen, "again", nights(BAD, BAD, zone()))
    built(seen, "again")
    moment("again")
    return seen


def zone():
    return config.load().provider.zone


def load(seen: Seen, name: str, window: Window, *sources: str) -> None:
    """Trigger ingest runs for ``window`` at once, all sources unless some are named, and wait."""
    conf = {"from": window.start.isoformat(), "to": window.end.isoformat()}
    runs = {s: airflow.trigger(f"ingest_{s}", conf) for s in sources or SOURCES}
    seen.states[name] = {s: airflow.wait(f"ingest_{s}", run, timeout=240) for s, run in runs.items()}
    for source, run in runs.items():
        seen.tasks[f"{name} {source}"] = airflow.task_states(f"ingest_{source}", run)


def built(seen: Seen, name: str) -> None:
    """Wait for the build that the loads' assets start."""
    deadline = time.monotonic() + 240
    known = sum(1 for n in seen.states if f"{n} build" in seen.tasks)
    while len(airflow.runs(BUILD)) <= known and time.monotonic() < deadline:
        time.sleep(0.3)
    run = airflow.runs(BUILD)[-1]
    assert airflow.wait(BUILD, run, timeout=240) == "success", log_of(BUILD)
    seen.tasks[f"{name} build"] = airflow.task_states(BUILD, run)


def query(text: str) -> list[dict[str, Any]]:
    with ops.connect() as conn:
        return conn.execute(text).fetchall()


def marts() -> dict[str, str]:
    """A fingerprint of every published table's content."""
    tables = [
        r["t"] for r in query("select table_name as t from information_schema.tables where table_schema = 'marts'")
    ]
    found = {}
    for table in sorted(tables):
        rows = query(
            f"select md5(coalesce(string_agg(t::text, chr(10) order by t::text), '')) as m from marts.\"{table}\" t"
        )
        found[table] = rows[0]["m"]
    return found


def held() -> list[dict[str, Any]]:
    return query("select * from ops.loads where source = 'telephony' and message is not null order by load_id desc")


def review() -> dict[str, Any]:
    """The question that waits for a person."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for run in airflow.runs("review_held_load"):
            if airflow.task_states("review_held_load", run)["decide"] == "awaiting_input":
                path = f"/dags/review_held_load/dagRuns/{run}/taskInstances/decide/-1/hitlDetails"
                return airflow.call("GET", path)
        time.sleep(0.3)
    return {}


def alert() -> str:
    return "\n".join(line for line in log_of("ingest_telephony").splitlines() if "ALERT" in line)


def log_of(dag_id: str) -> str:
    logs = sorted((airflow.home() / "logs" / f"dag_id={dag_id}").rglob("*.log"), key=lambda p: p.stat().st_mtime)
    return "\n".join(p.read_text() for p in logs)[-20000:]


def test_a_clean_night_is_loaded_and_published(seen):
    assert seen.states["history"] == seen.states["clean"] == dict.fromkeys(SOURCES, "success")
    assert set(seen.tasks["clean build"].values()) == {"success"}
    assert len(seen.marts["clean"]) >= 15


def test_a_bad_night_holds_the_broken_source_and_only_that(seen):
    assert seen.states["bad"] == {**dict.fromkeys(SOURCES, "success"), "telephony": "failed"}
    assert seen.tasks["bad telephony"] == {
        "land": "success", "gate": "failed", "promote": "upstream_failed", "ask_for_review": "success",
    }  # fmt: skip


def test_a_bad_night_leaves_the_marts_as_they_were(seen):
    assert seen.marts["bad"] == seen.marts["clean"]
    assert seen.builds["bad"] == seen.builds["clean"], "no build before all sources have promoted"


def test_the_message_says_what_and_why(seen):
    message = seen.review["body"]
    assert seen.review["options"] == ["Release", "Reject"]
    for word in ("observed", "expected"):
        assert word in message.lower()
    assert "queue_log" in message


def test_the_alert_carries_the_same_message(seen):
    assert "ingest_telephony: data held at gate" in seen.alert
    assert "observed" in seen.alert.lower() and "telephony-data" in seen.alert


def test_the_repair_is_published(seen):
    assert seen.states["repair"] == {"telephony": "success"}
    changed = {t for t, m in seen.marts["repair"].items() if m != seen.marts["clean"][t]}
    assert {"fct_contacts", "fct_queue_visits", "operator_quality_daily"} <= changed


def test_a_rerun_changes_nothing(seen):
    assert seen.states["again"] == dict.fromkeys(SOURCES, "success")
    assert seen.marts["again"] == seen.marts["repair"]


def test_every_load_balances(seen):
    rows = query("select * from ops.loads where status = 'promoted'")
    assert len(rows) == 4 * 4
    for row in rows:
        assert row["rows_read"] == row["rows_raw"] + row["rows_unchanged"] + row["rows_quarantined"]


def test_the_superseded_load_is_not_decided_by_anybody(seen):
    assert [r["status"] for r in held() if r["status"] == "held"] == []


def test_nothing_is_left_running_after_stop(seen):
    leaders = list(airflow._leaders(airflow._state()).values())
    assert airflow._processes(leaders)
    airflow.stop()
    assert airflow._processes(leaders) == []
    listed = subprocess.run(["ps", "-eo", "sid,stat"], capture_output=True, text=True, check=True).stdout
    sessions = {str(x.pid) for x in leaders}
    assert [x for x in listed.splitlines() if x.split()[0] in sessions and "Z" not in x] == []
