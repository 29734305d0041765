"""Airflow on this machine: secrets, processes, state. The running whole is tested with the nights."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from service_quality.local import airflow, postgres, scheduler


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("QUALITY_HOME", str(tmp_path))
    airflow.home().mkdir()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def started(*commands: list[str]) -> list[int]:
    """Processes in sessions of their own, registered as components."""
    made = [subprocess.Popen(c, start_new_session=True) for c in commands]
    components = {f"c{i}": (p.pid, airflow._stat(p.pid).born) for i, p in enumerate(made)}  # type: ignore[union-attr]
    airflow._write_state({"boot": airflow._boot(), "port": 1, "components": components})
    return [p.pid for p in made]


def wait_until(true, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(found)


def lives(pid: int) -> bool:
    found = airflow._stat(pid)
    return found is not None and found.state != "Z"


def test_secrets_are_made_once_and_are_the_owners_only():
    first = airflow._secrets()
    assert airflow._secrets() == first
    assert all(len(v) >= 24 for v in first.values())
    password = json.loads((airflow.home() / "passwords.json").read_text())["admin"]
    assert len(password) >= 12
    for path in (airflow.home() / "secrets.json", airflow.home() / "passwords.json"):
        assert mode(path) == 0o600


def test_stop_ends_forked_tasks_too(tmp_path):
    """Tasks take a process group of their own; what they share with the scheduler is the session."""
    task = tmp_path / "task"
    code = (
        "import os, time, pathlib\n"
        "if os.fork() == 0:\n"
        "    os.setpgid(0, 0)\n"
        f"    pathlib.Path({str(task)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(60)"
    )
    (leader,) = started([sys.executable, "-c", code])
    assert wait_until(lambda: task.exists() and task.read_text())
    child = int(task.read_text())
    assert lives(child) and airflow.running() is not None
    assert airflow.stop() is True
    assert not lives(child) and not lives(leader)
    assert airflow.running() is None
    assert airflow.stop() is False


def test_stop_ends_what_a_killed_component_left(tmp_path):
    worker = tmp_path / "worker"
    (leader,) = started(["/bin/sh", "-c", f"sleep 60 & echo $! > {worker}; wait"])
    assert wait_until(lambda: worker.exists() and worker.read_text())
    os.kill(leader, 9)
    os.waitpid(leader, 0)
    assert airflow.running() is None
    assert lives(int(worker.read_text()))
    assert airflow.stop() is True
    assert not lives(int(worker.read_text()))


def test_a_component_that_ignores_the_end_is_killed(monkeypatch):
    monkeypatch.setattr(airflow, "PATIENCE", 0.3)
    (leader,) = started(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"])
    time.sleep(0.2)
    assert airflow.stop() is True
    assert not lives(leader)


def test_a_stranger_with_a_components_number_is_spared():
    (pid,) = started(["sleep", "60"])
    state = airflow._state()
    state["components"] = {"c0": (pid, 1)}  # born at another time: the number was given away
    airflow._write_state(state)
    try:
        assert airflow.running() is None
        assert airflow.stop() is False
        assert lives(pid)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_numbers_of_an_earlier_boot_mean_nothing():
    (pid,) = started(["sleep", "60"])
    airflow._write_state({**airflow._state(), "boot": "another"})
    try:
        assert airflow.stop() is False
        assert lives(pid)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_calls_before_the_first_start_say_what_to_do():
    with pytest.raises(airflow.AirflowFailed, match="make up"):
        airflow.call("GET", "/dags")


def test_a_silent_server_is_named(monkeypatch):
    airflow._secrets()
    airflow._write_state({"port": postgres._free_port(0)})
    with pytest.raises(airflow.AirflowFailed, match=r"does not answer at http://127\.0\.0\.1:"):
        airflow.call("GET", "/dags")


def test_waiting_for_the_api_server_gives_up_in_time():
    began = time.monotonic()
    scheduler.wait_for(f"http://127.0.0.1:{postgres._free_port(0)}/", seconds=0.5)
    assert time.monotonic() - began < 3


def test_what_the_scheduler_imports_beforehand_exists():
    import importlib.util

    assert [n for n in scheduler.HEAVY if importlib.util.find_spec(n) is None] == []
