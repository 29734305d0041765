"""The embedded server's ports."""

from __future__ import annotations

import os
import subprocess
import sys

from service_quality.local import postgres

START = "from service_quality.local import postgres; print(postgres.start().port)"


def test_servers_of_two_folders_that_start_at_once_take_different_ports(tmp_path, monkeypatch):
    folders = [tmp_path / "a", tmp_path / "b"]
    environment = {**os.environ, "QUALITY_PG_UNSAFE": "1"}
    try:
        starting = [
            subprocess.Popen(
                [sys.executable, "-c", START], env={**environment, "QUALITY_HOME": str(folder)},
                stdout=subprocess.PIPE, text=True,
            ) for folder in folders
        ]  # fmt: skip
        ports = [process.communicate()[0].strip() for process in starting]
        assert len(set(ports)) == 2 and all(port.isdigit() for port in ports), ports
    finally:
        for folder in folders:
            monkeypatch.setenv("QUALITY_HOME", str(folder))
            postgres.remove()
