"""The set-up script, without installing anything."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import sys
import zipfile
from types import ModuleType

import pytest
from service_quality.config import REPO

SCRIPT = REPO / "scripts" / "setup.py"


@pytest.fixture
def setup(tmp_path, monkeypatch) -> ModuleType:
    """The script as a module, with its venv elsewhere and its steps recorded in ``setup.steps``."""
    spec = importlib.util.spec_from_file_location("setup_script", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv = tmp_path / ".venv"
    for name, value in {
        "VENV": venv, "PYTHON": venv / "bin" / "python", "UV": venv / "bin" / "uv", "STAMP": venv / "installed.sha256",
    }.items():  # fmt: skip
        monkeypatch.setattr(module, name, value)
    module.steps = []  # type: ignore[attr-defined]

    def run(command):
        module.steps.append([str(c) for c in command])  # type: ignore[attr-defined]
        if command[1:3] == ["-m", "venv"]:
            (venv / "bin").mkdir(parents=True)
            (venv / "bin" / "python").touch()

    monkeypatch.setattr(module, "run", run)
    return module


def test_the_first_time_installs_the_lock_compiled_and_the_checkout(setup):
    setup.main()
    words = [" ".join(s) for s in setup.steps]
    assert any(f"uv=={setup.UV_VERSION}" in w for w in words)
    assert any("pip sync" in w and "--compile-bytecode" in w and "requirements.txt" in w for w in words)
    assert any("--no-deps" in w and f"-e {REPO}" in w for w in words)


def test_the_second_time_does_nothing(setup):
    setup.main()
    setup.steps.clear()
    setup.main()
    assert setup.steps == []


def test_a_changed_lock_is_installed(setup, tmp_path, monkeypatch):
    lock = tmp_path / "requirements.txt"
    lock.write_text("a==1")
    monkeypatch.setattr(setup, "INPUTS", (lock,))
    setup.main()
    setup.steps.clear()
    lock.write_text("a==2")
    setup.main()
    assert any("sync" in s for step in setup.steps for s in step)


def test_an_interrupted_install_is_done_again(setup, monkeypatch):
    monkeypatch.setattr(setup, "install", lambda: sys.exit("setup: no network"))
    with pytest.raises(SystemExit):
        setup.main()
    assert not setup.STAMP.exists()


def _registry(setup, monkeypatch, content: bytes, digest: str | None = None) -> None:
    """No ensurepip, and a registry with one wheel of uv."""
    name = f"uv-{setup.UV_VERSION}-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    hashes = {"sha256": digest or hashlib.sha256(content).hexdigest()}
    listing = {"files": [{"filename": name, "url": f"../../{name}", "hashes": hashes}]}
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(setup.platform, "machine", lambda: "x86_64")
    pages = {"https://registry/simple/uv/": json.dumps(listing).encode(), f"https://registry/{name}": content}
    monkeypatch.setenv("PIP_INDEX_URL", "https://registry/simple/")
    monkeypatch.setattr(setup, "read", pages.__getitem__)


def _wheel() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("uv-1.data/scripts/uv", b"the program")
    return made.getvalue()


def test_without_ensurepip_uv_comes_from_the_registry(setup, monkeypatch):
    _registry(setup, monkeypatch, _wheel())
    setup.main()
    assert setup.steps[0][-2:] == ["--without-pip", str(setup.VENV)]
    assert setup.UV.read_bytes() == b"the program"
    assert os.access(setup.UV, os.X_OK)


def test_a_damaged_download_is_refused(setup, monkeypatch):
    _registry(setup, monkeypatch, _wheel(), digest="0" * 64)
    with pytest.raises(SystemExit, match="is damaged"):
        setup.main()


def test_without_ensurepip_and_registry_a_user_is_told_what_root_has_to_do(setup, monkeypatch):
    _registry(setup, monkeypatch, b"")

    def unreachable(url):
        raise OSError("no route")

    monkeypatch.setattr(setup, "read", unreachable)
    with pytest.raises(SystemExit, match=r"apt-get install python3\.11-venv"):
        setup.main()


def test_another_python_is_refused_by_version(setup, monkeypatch):
    monkeypatch.setattr(setup.sys, "version_info", (3, 13, 1))
    with pytest.raises(SystemExit, match=r"Python 3\.11 is needed"):
        setup.main()


def test_the_pinned_uv_is_named_once_more_in_the_image():
    script = SCRIPT.read_text().split('UV_VERSION = "')[1].split('"')[0]
    assert f"uv=={script}" in (REPO / "Dockerfile").read_text()
