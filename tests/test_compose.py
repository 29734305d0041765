"""The production shape is valid, asks for its secrets and opens nothing to the world."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose
from service_quality.config import REPO
from service_quality.local import postgres

FILE = REPO / "docker-compose.yml"
TEXT = FILE.read_text()
NEEDED = set(re.findall(r"\$\{([A-Z_]+):\?", TEXT))
PLAIN = re.sub(r"\$\{[A-Z_]+:([-?])([^}]*)\}", lambda m: m[2] if m[1] == "-" else "abc", TEXT)
FLAT = yaml.safe_dump(yaml.safe_load(PLAIN), sort_keys=False)  # the validator knows no merge keys
SERVICES = yaml.safe_load(TEXT)["services"]
SECRET = re.compile(r"PASSWORD|SECRET|KEY|PEPPER")


def podman_compose(folder: Path, variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """``podman-compose config`` interpolates and checks references; it needs no engine, only its version."""
    fake = folder / "podman"
    fake.write_text("#!/bin/sh\necho podman version 4.9.0\n")
    fake.chmod(0o755)
    clean = {k: v for k, v in os.environ.items() if k not in NEEDED}
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    command = [str(Path(sys.executable).parent / "podman-compose"), *arguments, "-f", str(FILE), "config"]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env={**clean, **variables, "PATH": path}
    )


def test_keys_and_types_are_the_specifications():
    compose = PyCompose.from_yaml(FLAT)
    assert {str(s) for s in compose.services} == set(SERVICES)


def test_an_unknown_key_would_be_found():
    with pytest.raises(Exception, match="helthcheck"):
        PyCompose.from_yaml(FLAT.replace("    healthcheck:\n", "    helthcheck:\n", 1))


def test_it_is_complete_with_its_secrets(tmp_path):
    done = podman_compose(tmp_path, dict.fromkeys(NEEDED, "abc"), "--profile", "sample")
    assert done.returncode == 0, done.stderr
    assert "abc" in done.stdout


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_a_missing_secret_is_named(tmp_path, name):
    done = podman_compose(tmp_path, {n: "abc" for n in NEEDED if n != name})
    assert done.returncode != 0
    assert name in done.stderr + done.stdout


def test_no_secret_has_a_value_in_the_file():
    assert {"WAREHOUSE_PASSWORD", "AIRFLOW_DB_PASSWORD", "AIRFLOW_JWT_SECRET", "QUALITY_PEPPER"} <= NEEDED
    for name, service in SERVICES.items():
        if "sample" in service.get("profiles", []):
            continue
        for key, value in (service.get("environment") or {}).items():
            if SECRET.search(key) and not key.endswith("_FILE"):
                assert str(value).startswith("${"), f"{name}: {key}"


def test_ports_are_on_loopback():
    ports = [p for s in SERVICES.values() for p in s.get("ports", [])]
    assert len(ports) >= 2
    assert [p for p in ports if not p.startswith("127.0.0.1:")] == []


def test_every_lasting_service_has_a_health_check():
    lasting = {n for n, s in SERVICES.items() if s.get("restart") == "unless-stopped" and "profiles" not in s}
    assert lasting == {"postgres", "api-server", "scheduler", "dag-processor", "triggerer"}
    assert [n for n in lasting if "healthcheck" not in SERVICES[n]] == []


def test_data_outlives_containers():
    volumes = [v for s in SERVICES.values() for v in s.get("volumes", [])]
    for path in ("/var/lib/postgresql", "/var/lib/airflow", "/var/lib/quality"):
        assert any(v.split(":")[1] == path for v in volumes), path


def test_files_that_it_names_exist():
    for name in ("Dockerfile", "docker/postgres-init.sh", "docker/init.sh", "docker/health.py"):
        assert (REPO / name).is_file()
        assert name == "Dockerfile" or name in TEXT


def test_postgres_is_started_with_the_embedded_servers_settings(tmp_path):
    entry = tmp_path / "docker-entrypoint.sh"
    entry.write_text('#!/bin/sh\necho "$@"\n')
    entry.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    started = subprocess.run(
        ["sh", REPO / "docker" / "postgres.sh"], capture_output=True, text=True, check=True, env=env
    )
    told = dict(setting.split("=", 1) for setting in started.stdout.split()[1:] if setting != "-c")
    ours = postgres._settings()
    shared = set(told) & set(ours)
    assert shared >= {"shared_buffers", "effective_cache_size", "max_parallel_workers", "max_wal_size", "jit"}
    assert told["wal_compression"] == ours["wal_compression"]

    def megabytes(value: str) -> int | str:
        return round(int(value.removesuffix("MB")) / 64) if value.endswith("MB") else value

    assert {n: megabytes(told[n]) for n in shared} == {n: megabytes(ours[n]) for n in shared}
