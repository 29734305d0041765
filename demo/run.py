"""The whole story in one command: a provider's history and three nights through real Airflow.

Makes the simulated provider, starts the embedded Postgres, the survey server and Airflow, loads 90 days of
history and three single nights by the scheduler, and ends with a summary. The second night brings a broken
telephony extract: the gate holds it, the marts stay, the extract is repaired and the night loaded again.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from service_quality import config, ops
from service_quality.contract import Source
from service_quality.local import airflow, postgres
from service_quality.window import Window, nights

from demo.summary import print_summary

HISTORY = (date(2026, 8, 8), date(2026, 11, 5))
NIGHTS = (date(2026, 11, 6), date(2026, 11, 7), date(2026, 11, 8))
BROKEN_NIGHT = NIGHTS[1]
BUILD_DAG = "build_quality_marts"
STARTED = time.monotonic()


class DemoFailed(RuntimeError):
    """A night was not published in the end, or the gate let the broken night pass."""


def main() -> None:
    """Run the demo; exit code 0 only if every night was published in the end."""
    try:
        run()
    except (DemoFailed, airflow.AirflowFailed) as failure:
        say(f"FAILED: {failure}")
        sys.exit(1)


def run() -> None:
    """Set the stage, play the nights, tell the outcome; stops everything it started."""
    home = ops.home() / "demo"
    server = postgres.start()
    try:
        environment = prepare(server, home)
        with survey_server(home, environment["DEMO_SURVEY_PORT"]), airflow_components():
            play_history(home)
            for night in NIGHTS:
                play_night(home, night)
            airflow.pause_all()
        print_summary(server.url("warehouse"), home, nights(NIGHTS[0], NIGHTS[-1], config.load().provider.zone).end)
    finally:
        postgres.stop()
    say("done: every night is published, nothing is left running; `make up` starts the warehouse and Airflow again")


def say(text: str) -> None:
    """One line of progress with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:5.0f} s] {text}", flush=True)


def prepare(server: postgres.Server, home: Path) -> dict[str, str]:
    """Databases, the provider's data, and the environment in which Airflow and the loads find the doors."""
    os.environ.pop("QUALITY_CONFIG_DIR", None)
    reset_warehouse(server)
    postgres.ensure_database(server, "provider_crm")
    environment = {
        "DEMO_HOME": str(home),
        "DEMO_CRM_URL": server.url("provider_crm"),
        "DEMO_SURVEY_PORT": str(free_port()),
        "WAREHOUSE_URL": server.url("warehouse"),
        "AIRFLOW_CONN_CRM": server.url("provider_crm"),
    }
    port, user, password = environment["DEMO_SURVEY_PORT"], "quality", secrets.token_urlsafe(12)
    environment |= {
        "DEMO_SURVEY_USER": user,
        "DEMO_SURVEY_PASSWORD": password,
        "AIRFLOW_CONN_SURVEY": f"http://{user}:{password}@127.0.0.1:{port}",
    }
    os.environ.update(environment)
    shutil.rmtree(home, ignore_errors=True)
    say("the simulated provider: 6 branches, 60 operators, 20,000 subscribers, 93 days of contacts")
    provider("create")
    return environment


def reset_warehouse(server: postgres.Server) -> None:
    """An empty ``warehouse`` database. Refuses to drop one that the demo did not make."""
    import psycopg

    postgres.ensure_database(server, "warehouse")
    with ops.connect(server.url("warehouse")) as conn:
        kept = conn.execute("select to_regclass('ops.provider') as name").fetchone()
        owner = conn.execute("select name from ops.provider").fetchone() if kept and kept["name"] else None
    if owner and owner["name"] != config.load().provider.name:
        raise DemoFailed(
            f"the embedded warehouse holds the data of '{owner['name']}'; set QUALITY_HOME to another folder"
        )
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute("drop database if exists warehouse with (force)")
    postgres.ensure_database(server, "warehouse")
    with ops.connect(server.url("warehouse")) as conn:
        ops.prepare(conn)
        conn.commit()


def provider(*arguments: str) -> None:
    """One command of the simulated provider."""
    done = subprocess.run(
        [sys.executable, "-m", "demo", *arguments, "--home", os.environ["DEMO_HOME"]],
        cwd=config.REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DemoFailed(f"the simulated provider failed at '{' '.join(arguments)}':\n{done.stderr[-2000:]}")


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def survey_server(home: Path, port: str) -> Iterator[None]:
    """The survey server as a process of its own, ended with the block."""
    with (home / "survey.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", "serve-survey", "--home", str(home), "--port", port],
            cwd=config.REPO,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for_port(int(port), process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when ``port`` answers. Raises DemoFailed when the process ends or 20 s pass."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise DemoFailed(f"the survey server does not answer on port {port}")


@contextmanager
def airflow_components() -> Iterator[None]:
    """Airflow's components for the time of the block."""
    say("starting Airflow: api-server, scheduler, dag-processor")
    address = airflow.start()
    say(f"Airflow answers on {address.url}")
    try:
        yield
    finally:
        say("stopping Airflow")
        airflow.stop()


def play_history(home: Path) -> None:
    """Ninety days in one initial load."""
    first, last = HISTORY
    say(f"history: {first} .. {last} in one initial load")
    provider("play", "--until", str(last))
    load_all(nights(first, last, config.load().provider.zone))
    wait_for_publication(expected_loads=4)
    say(f"history is published: {counts()}")


def play_night(home: Path, night: date) -> None:
    """One night; on the broken one the gate must hold, the marts must stay, and the repair must heal."""
    window = nights(night, night, config.load().provider.zone)
    if night != BROKEN_NIGHT:
        say(f"night of {night}")
        provider("play", "--until", str(night))
        load_all(window)
    else:
        say(f"night of {night}: the telephony extract is broken this time")
        provider("play", "--until", str(night), "--break", "telephony")
        before = marts_state()
        held = load_all(window, expect_held="telephony")
        if marts_state() != before:
            raise DemoFailed("the marts changed although the night was held")
        say("the gate held the load, the marts are as they were. Its message:\n" + indent(held))
        say("the provider sends the extract again; the same window is loaded again")
        provider("play", "--until", str(night))
        load("telephony", window)
    wait_for_publication(expected_loads=4)
    say(f"night of {night} is published: {counts()}")


def load_all(window: Window, expect_held: str | None = None) -> str:
    """Trigger the four ingest DAGs for one window and wait; the message of the load expected to be held."""
    runs = {source.value: trigger(source.value, window) for source in Source}
    message = ""
    for source, run_id in runs.items():
        state = airflow.wait(f"ingest_{source}", run_id, timeout=300)
        if source == expect_held:
            if state == "success":
                raise DemoFailed(f"the gate let the broken {source} load pass")
            message = held_message(source)
        elif state != "success":
            raise DemoFailed(f"ingest_{source} ended as {state}: {last_error(source)}")
        say(f"  {source:<9} {told(source)}")
    return message


def load(source: str, window: Window) -> None:
    """Trigger one ingest DAG and wait for its success."""
    state = airflow.wait(f"ingest_{source}", trigger(source, window), timeout=300)
    if state != "success":
        raise DemoFailed(f"ingest_{source} ended as {state}: {last_error(source)}")
    say(f"  {source:<9} {told(source)}")


def trigger(source: str, window: Window) -> str:
    """Start ``ingest_<source>`` for ``window``; the run's id."""
    return airflow.trigger(f"ingest_{source}", {"from": window.start.isoformat(), "to": window.end.isoformat()})


def query(text: str) -> list[dict[str, Any]]:
    """Rows of a query on the warehouse."""
    with ops.connect() as conn:
        return conn.execute(text).fetchall()


def last_load(source: str) -> dict[str, Any]:
    """The latest row of ``ops.loads`` of a source."""
    rows = query(f"select * from ops.loads where source = '{Source(source)}' order by load_id desc limit 1")
    if not rows:
        raise DemoFailed(f"{source} has no load")
    return rows[0]


def told(source: str) -> str:
    """The latest load of a source in one line."""
    row = last_load(source)
    if row["status"] != "promoted":
        return f"load {row['load_id']}: {row['status']}"
    return (
        f"load {row['load_id']}: read {row['rows_read']:,} = new {row['rows_raw']:,}"
        f" + unchanged {row['rows_unchanged']:,} + quarantined {row['rows_quarantined']:,}"
    )


def last_error(source: str) -> str:
    """What the latest load of a source left as error or message."""
    row = last_load(source)
    return str(row["error"] or row["message"] or row["status"])


def held_message(source: str) -> str:
    """The gate's message of the latest load of a source, which must be held."""
    row = last_load(source)
    if row["status"] != "held" or not row["message"]:
        raise DemoFailed(f"the broken {source} load is {row['status']}, not held with a message")
    return str(row["message"])


def marts_state() -> list[dict[str, Any]]:
    """What was published when."""
    return query("select build_id, status from ops.builds where status = 'published' order by build_id")


def wait_for_publication(expected_loads: int) -> None:
    """Wait until the build that the scheduler starts on the sources' assets has published every load."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        waiting = query("select count(*) as n from ops.loads where status = 'promoted' and build_id is null")
        if waiting[0]["n"] == 0:
            return
        failed = query("select error, message from ops.builds where status in ('failed', 'held')"
                       " and build_id = (select max(build_id) from ops.builds)")  # fmt: skip
        if failed:
            raise DemoFailed(f"the build failed: {failed[0]['error'] or failed[0]['message']}")
        time.sleep(0.5)
    raise DemoFailed(f"{expected_loads} loads were promoted, but {BUILD_DAG} did not publish them in 600 s")


def counts() -> str:
    """Published contacts and days in words."""
    row = query(
        "select count(*) as contacts, min(business_day) as first, max(business_day) as last from marts.fct_contacts"
    )[0]
    return f"{row['contacts']:,} contacts, {row['first']} .. {row['last']}"


def indent(text: str) -> str:
    """The text with a margin."""
    return "\n".join(f"          | {line}" for line in text.splitlines())


if __name__ == "__main__":
    main()
