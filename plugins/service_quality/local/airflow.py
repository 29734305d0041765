"""Airflow on this machine: separate components on the embedded Postgres, everything set by environment.

Its home is ``<home>/airflow``: ``passwords.json`` (the generated password of user ``admin``, readable by its
owner only), ``logs/``, ``state.json``. ``start`` and ``stop`` are idempotent; ``stop`` leaves no process.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg

from service_quality.local import postgres

DAGS = postgres.REPO / "dags"
USER = "admin"
COMPONENTS = ("api-server", "dag-processor", "scheduler")
FINISHED = ("success", "failed")
PATIENCE = 8.0  # seconds between asking to end and killing

Progress = Callable[[str, str], None]
"""Called with (task, state) whenever a task's state changes."""


@dataclass(frozen=True)
class Running:
    """A running Airflow. ``password_file`` holds ``{"admin": ...}``."""

    url: str
    user: str
    password_file: Path


def home() -> Path:
    """Airflow's home."""
    return postgres.home() / "airflow"


def environment(by_clock: bool = False) -> dict[str, str]:
    """The whole environment of every component; makes secrets, role and database on first use."""
    server = postgres.start()
    postgres.ensure_database(server, "warehouse")
    kept = _secrets()
    _ensure_metadata(server, kept["database_password"])
    port = _port()
    own = {
        "AIRFLOW_HOME": str(home()),
        "AIRFLOW_CONFIG": str(home() / "airflow.cfg"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(postgres.REPO / "plugins"),
        "AIRFLOW__CORE__FERNET_KEY": kept["fernet_key"],
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_password_file()),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.url("airflow", "airflow", kept["database_password"]).replace(
            "postgresql://", "postgresql+psycopg2://"
        ),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": kept["api_secret"],
        "AIRFLOW__API_AUTH__JWT_SECRET": kept["jwt_secret"],
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # else a slot is held 5 s after a short task
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
            [
                {
                    "name": "quality",
                    "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
                    "kwargs": {"path": str(DAGS), "refresh_interval": 60},
                }
            ]
        ),
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home() / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__OPENLINEAGE__DISABLED": str("AIRFLOW__OPENLINEAGE__TRANSPORT" not in os.environ),
        "DO_NOT_TRACK": "1",
        "WAREHOUSE_URL": os.environ.get("WAREHOUSE_URL") or server.url("warehouse"),
        "QUALITY_HOME": str(postgres.home()),
        "QUALITY_SCHEDULE": "nightly" if by_clock else "manual",
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    return {**os.environ, **own}


class AirflowFailed(RuntimeError):
    """Airflow did not start, does not answer or refuses; the message holds the log's end or the answer."""


def start(by_clock: bool = False) -> Running:
    """Start what does not run and wait until it works; a changed environment restarts everything.

    ``by_clock``: DAGs have their schedules, and new ones are paused until a person starts them. Else runs
    start only by ``trigger`` and by what loads change, and all DAGs are unpaused.
    Raises AirflowFailed with the log of the component that failed, or with the DAGs' import errors.
    """
    with _lock():
        env = environment(by_clock)
        fingerprint = _fingerprint(env)
        state = _state()
        if state.get("fingerprint") != fingerprint or running() is None:
            _stop()
            try:
                _start(env)
            except BaseException:
                _stop()
                raise
            _write_state({**_state(), "fingerprint": fingerprint})
        if not by_clock:
            unpause()
    return Running(_url(), USER, _password_file())


def _start(env: dict[str, str]) -> None:
    _migrate(env)
    since = datetime.now(UTC)
    components: dict[str, tuple[int, int]] = {}
    for name in COMPONENTS:
        components[name] = _spawn(name, env)
        _write_state({**_state(), "boot": _boot(), "components": components})
    _wait_until_ready(since)


def stop() -> bool:
    """End every process of this Airflow, also forked tasks; True when there was one."""
    with _lock():
        return _stop()


def running() -> Running | None:
    """Where it runs; None unless all components do. Starts nothing."""
    leaders = _leaders(_state())
    if leaders and all(x.lives for x in leaders.values()):
        return Running(_url(), USER, _password_file())
    return None


def trigger(dag_id: str, conf: dict[str, Any] | None = None) -> str:
    """Start a run with ``conf`` as its params and unpause the DAG; gives the run's id."""
    unpause(dag_id)
    made = call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf or {}})
    return str(made["dag_run_id"])


def wait(dag_id: str, run_id: str, on_progress: Progress | None = None, timeout: float = 1800) -> str:
    """Wait for a run's end; ``success`` or ``failed``. Raises AirflowFailed after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    seen: dict[str, str] = {}
    while True:
        state = str(call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])
        if on_progress is not None:
            _report(dag_id, run_id, seen, on_progress)
        if state in FINISHED:
            return state
        if time.monotonic() > deadline:
            raise AirflowFailed(f"{dag_id} {run_id} is still {state} after {timeout:.0f} s; its log: {home() / 'logs'}")
        time.sleep(0.5)


def wait_for_new_run(dag_id: str, known: Iterable[str], timeout: float = 120) -> str:
    """Id of the first run of ``dag_id`` that is not among ``known``, such as one that assets start."""
    deadline, old = time.monotonic() + timeout, set(known)
    while time.monotonic() < deadline:
        if new := [r for r in runs(dag_id) if r not in old]:
            return new[0]
        time.sleep(0.5)
    raise AirflowFailed(f"no new run of {dag_id} within {timeout:.0f} s")


def runs(dag_id: str) -> list[str]:
    """Ids of the latest runs of ``dag_id``, oldest first."""
    found = call("GET", f"/dags/{dag_id}/dagRuns?limit=100&order_by=-run_after")
    return [str(r["dag_run_id"]) for r in reversed(found["dag_runs"])]


def task_states(dag_id: str, run_id: str) -> dict[str, str]:
    """State of each task of a run."""
    found = call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")
    return {str(t["task_id"]): str(t["state"] or "none") for t in found["task_instances"]}


def unpause(*dag_ids: str) -> None:
    """Let the DAGs run; all of them when none is named."""
    _set_paused(dag_ids, False)


def pause(*dag_ids: str) -> None:
    """Let the DAGs start no more runs; all of them when none is named."""
    _set_paused(dag_ids, True)


def pause_all() -> None:
    """Let no DAG start a run."""
    pause()


def call(method: str, path: str, body: Any = None) -> Any:
    """Call the REST API (``path`` below /api/v2); gives the decoded answer. Raises AirflowFailed on refusal."""
    import httpx

    url = f"{_url()}/api/v2{path}"
    try:
        answer = httpx.request(method, url, json=body, timeout=30, headers=_headers(_url()), trust_env=False)
        if answer.status_code == 401:  # the token is of an earlier server, or too old
            _headers.cache_clear()
            answer = httpx.request(method, url, json=body, timeout=30, headers=_headers(_url()), trust_env=False)
    except httpx.HTTPError as error:
        raise AirflowFailed(f"Airflow does not answer at {url}: {error}") from error
    if answer.is_error:
        raise AirflowFailed(f"Airflow refused {method} {path}: {answer.status_code} {answer.text[:500]}")
    return answer.json() if answer.content else None


class _DagsBroken(AirflowFailed):
    pass


@lru_cache(maxsize=1)
def _headers(url: str) -> dict[str, str]:
    import httpx

    password = json.loads(_password_file().read_text())[USER]
    answer = httpx.post(f"{url}/auth/token", json={"username": USER, "password": password}, timeout=30, trust_env=False)
    answer.raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def _set_paused(dag_ids: tuple[str, ...], is_paused: bool) -> None:
    for dag_id in dag_ids or tuple(p.stem for p in sorted(DAGS.glob("*.py"))):
        call("PATCH", f"/dags/{dag_id}", {"is_paused": is_paused})


def _report(dag_id: str, run_id: str, seen: dict[str, str], on_progress: Progress) -> None:
    for task_id, state in task_states(dag_id, run_id).items():
        if state != seen.get(task_id, "none"):
            on_progress(task_id, state)
            seen[task_id] = state


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _write_private(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(content))


def _secrets() -> dict[str, str]:
    path = home() / "secrets.json"
    if not path.exists():
        _write_private(
            path,
            {
                "database_password": secrets.token_urlsafe(24),
                "fernet_key": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "api_secret": secrets.token_hex(32),
                "jwt_secret": secrets.token_hex(32),
            },
        )
    if not _password_file().exists():
        _write_private(_password_file(), {USER: secrets.token_urlsafe(12)})
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def _password_file() -> Path:
    return home() / "passwords.json"


def _state() -> dict[str, Any]:
    path = home() / "state.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _write_state(state: dict[str, Any]) -> None:
    _write_private(home() / "state.json", state)


def _url() -> str:
    port = _state().get("port")
    if port is None:
        raise AirflowFailed("Airflow was never started here: `make up`")
    return f"http://127.0.0.1:{port}"


def _port() -> int:
    """The port of the running API server, else the wanted one (``QUALITY_AIRFLOW_PORT``), else a free one."""
    state = _state()
    if any(x.lives for x in _leaders(state).values()):
        return int(state["port"])
    port = postgres._free_port(int(os.environ.get("QUALITY_AIRFLOW_PORT") or state.get("port") or 8080))
    _write_state({**state, "port": port})
    return port


def _ensure_metadata(server: postgres.Server, password: str) -> None:
    """Role and database of Airflow's own tables, apart from the warehouse."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        if not conn.execute("select 1 from pg_roles where rolname = 'airflow'").fetchone():
            conn.execute("create role airflow login")
        literal = psycopg.sql.Literal(password)
        conn.execute(psycopg.sql.SQL("alter role airflow password {}").format(literal))
        if not conn.execute("select 1 from pg_database where datname = 'airflow'").fetchone():
            conn.execute("create database airflow owner airflow")


def _fingerprint(env: dict[str, str]) -> str:
    ours = sorted((k, v) for k, v in env.items() if k.startswith(("AIRFLOW", "QUALITY_", "WAREHOUSE_URL", "DBT_")))
    return hashlib.sha256(json.dumps([sys.executable, ours]).encode()).hexdigest()


def _migrate(env: dict[str, str]) -> None:
    from importlib.metadata import version

    wanted = f"{version('apache-airflow')} {env['AIRFLOW__DATABASE__SQL_ALCHEMY_CONN'].rsplit('@', 1)[-1]}"
    with psycopg.connect(env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", ""), autocommit=True) as conn:
        row = conn.execute("select to_regclass('public.dag_run') is not null").fetchone()
        has_tables = bool(row and row[0])
    if has_tables and _state().get("migrated") == wanted:
        return
    log = home() / "logs" / "migrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=env, cwd=home(), check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    if done.returncode != 0:
        raise AirflowFailed(f"Airflow's database could not be prepared:\n{_tail(log)}")
    _write_state({**_state(), "migrated": wanted})


def _command(name: str) -> list[str]:
    if name != "scheduler":
        return [sys.executable, "-m", "airflow", name]
    # The scheduler ends when it reads a task's result that it cannot unpickle: start it again.
    again = 'while :; do "$0" -m service_quality.local.scheduler "$1"; sleep 1; done'
    return ["/bin/sh", "-c", again, sys.executable, f"{_url()}/api/v2/version"]


def _spawn(name: str, env: dict[str, str]) -> tuple[int, int]:
    """Start a component in a session of its own; (process id, birth)."""
    log = _log(name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        made = subprocess.Popen(
            _command(name), env=env, cwd=home(), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    stat = _stat(made.pid)
    assert stat is not None  # even an ended child stays in the table until it is waited for
    return made.pid, stat.born


def _log(name: str) -> Path:
    return home() / "logs" / f"{name}.log"


def _tail(path: Path, characters: int = 3000) -> str:
    return path.read_text(errors="replace")[-characters:] if path.exists() else "(no log)"


def _wait_until_ready(since: datetime, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while True:
        for name, leader in _leaders(_state()).items():
            if not leader.lives:
                raise AirflowFailed(f"Airflow's {name} ended:\n{_tail(_log(name))}")
        try:
            missing = _not_ready(since)
        except _DagsBroken:
            raise
        except AirflowFailed as error:
            missing = str(error)
        if not missing:
            _warm_up()
            return
        if time.monotonic() > deadline:
            raise AirflowFailed(f"Airflow is not ready after {seconds:.0f} s: {missing}; logs: {home() / 'logs'}")
        time.sleep(0.3)


def _warm_up() -> None:
    """Ask the tasks' API something. It makes its routes at the first question, for seconds in which it answers nobody:
    else that is the night's first task, and all others wait for it.
    """
    import httpx

    with contextlib.suppress(httpx.HTTPError):
        httpx.get(f"{_url()}/execution/health", timeout=60, trust_env=False)


def _not_ready(since: datetime) -> str:
    """What is still missing; empty when everything works. Raises AirflowFailed for broken DAG files."""
    health = call("GET", "/monitor/health")
    if not _after(health["scheduler"]["latest_scheduler_heartbeat"], since):
        return "the scheduler gives no sign of life"
    if errors := call("GET", "/importErrors")["import_errors"]:
        fresh = [e for e in errors if _after(e["timestamp"], since)]
        if fresh:
            raise _DagsBroken("\n".join(f"{e['filename']}: {e['stack_trace']}" for e in fresh))
    parsed = {d["dag_id"] for d in call("GET", "/dags?limit=100")["dags"] if _after(d["last_parsed_time"], since)}
    unparsed = {p.stem for p in DAGS.glob("*.py")} - parsed
    return f"not parsed yet: {', '.join(sorted(unparsed))}" if unparsed else ""


def _after(stamp: str | None, since: datetime) -> bool:
    return stamp is not None and datetime.fromisoformat(stamp) >= since


@dataclass(frozen=True)
class _Leader:
    """A component, the leader of its own session. ``born`` tells it from a later process of that number."""

    pid: int
    born: int

    @property
    def lives(self) -> bool:
        found = _stat(self.pid)
        return found is not None and found.born == self.born and found.state != "Z"


@dataclass(frozen=True)
class _Stat:
    state: str
    session: int
    born: int


def _leaders(state: dict[str, Any]) -> dict[str, _Leader]:
    if state.get("boot") != _boot():
        return {}
    return {name: _Leader(*pair) for name, pair in state.get("components", {}).items()}


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> _Stat | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return _Stat(fields[0], int(fields[3]), int(fields[19]))


def _processes(leaders: Iterable[_Leader]) -> list[int]:
    """Everything in the components' sessions: tasks change their process group, but stay in the session.

    The number of a session is not given away while one process of it lives, so a leader of another age
    means that the session is a stranger's.
    """
    sessions = {x.pid for x in leaders if (found := _stat(x.pid)) is None or found.born == x.born}
    numbers = [int(d.name) for d in Path("/proc").glob("[0-9]*")]
    return [n for n in numbers if (stat := _stat(n)) and stat.session in sessions and stat.state != "Z"]


def _stop() -> bool:
    state = _state()
    leaders = list(_leaders(state).values())
    found = left = _processes(leaders)
    number, deadline = signal.SIGTERM, time.monotonic() + PATIENCE
    while left:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(0.2)
        left = _processes(leaders)
        if number is signal.SIGTERM and time.monotonic() > deadline:
            number = signal.SIGKILL
    for leader in leaders:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(leader.pid, os.WNOHANG)
    if state:
        _write_state({k: v for k, v in state.items() if k in ("port", "migrated")})
    return bool(found)
