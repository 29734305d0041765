"""Make ``.venv`` as the lock says; nothing to do takes a few milliseconds. Standard library only.

Run by ``make setup`` with any Python 3.11: ``python3.11 scripts/setup.py``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import urljoin

REPO = Path(__file__).resolve().parents[1]
VENV = REPO / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
STAMP = VENV / "installed.sha256"
UV_VERSION = "0.13.9"
INPUTS = (REPO / "requirements.txt", REPO / "pyproject.toml", Path(__file__).resolve())


def main() -> None:
    """Install unless the stamp says that exactly this is installed. Exits with an explanation on failure."""
    if sys.version_info[:2] != (3, 11):
        sys.exit(
            f"setup: this is Python {sys.version.split()[0]} ({sys.executable}); Python 3.11 is needed."
            " Name it: make PYTHON=/path/to/python3.11 setup"
        )
    wanted = fingerprint()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    STAMP.unlink(missing_ok=True)
    make_venv()
    install()
    STAMP.write_text(wanted)
    print(f"setup: {VENV} is ready", flush=True)


def fingerprint() -> str:
    """What decides about the content of the venv; the path too, since scripts hold it."""
    digest = hashlib.sha256(f"{VENV} {sys.version_info[:3]}".encode())
    for path in INPUTS:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def make_venv() -> None:
    """Make the venv with uv in it, unless a working one stands there."""
    if UV.exists() and works([UV, "--version"], UV_VERSION) and works([PYTHON, "--version"], "3.11"):
        return
    print(f"setup: making {VENV}", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    if importlib.util.find_spec("ensurepip") is None:  # Debian ships venv without it
        run([sys.executable, "-m", "venv", "--without-pip", VENV])
        fetch_uv()
        return
    run([sys.executable, "-m", "venv", VENV])
    run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"uv=={UV_VERSION}"])


def fetch_uv() -> None:
    """Take uv's program out of its wheel in the package registry (``PIP_INDEX_URL``), checked by its hash."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/uv/"
    machine = platform.machine()
    name = f"uv-{UV_VERSION}-py3-none-manylinux_2_17_{machine}.manylinux2014_{machine}.whl"
    try:
        listing = json.loads(read(index))
        found = next(f for f in listing["files"] if f["filename"] == name)
        wheel = read(urljoin(index, found["url"]))
    except (OSError, ValueError, StopIteration) as error:
        sys.exit(f"setup: {name} could not be had from {index} ({error}). As root: apt-get install python3.11-venv")
    if hashlib.sha256(wheel).hexdigest() != found["hashes"]["sha256"]:
        sys.exit(f"setup: {name} from {index} is damaged")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        member = next(m for m in archive.namelist() if m.endswith("/scripts/uv"))
        UV.write_bytes(archive.read(member))
    UV.chmod(0o755)


def read(url: str) -> bytes:
    """What stands at ``url``; OSError when it cannot be had."""
    request = urllib.request.Request(url, headers={"Accept": "application/vnd.pypi.simple.v1+json, */*;q=0.1"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return bytes(answer.read())


def install() -> None:
    """The lock, byte-compiled whatever PYTHONDONTWRITEBYTECODE says, then this checkout, editable."""
    print("setup: installing requirements.txt", flush=True)
    run([UV, "pip", "sync", "--quiet", "-p", PYTHON, "--compile-bytecode", REPO / "requirements.txt"])
    run(
        [UV, "pip", "install", "--quiet", "-p", PYTHON, "--no-deps", "--no-build-isolation", "-e", REPO],
    )


def works(command: list[str | Path], expected: str) -> bool:
    """Does the command run and print ``expected``?"""
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.returncode == 0 and expected in done.stdout


def run(command: list[str | Path]) -> None:
    """Run a step; when it fails, end with its words and status."""
    env = dict(os.environ)
    if not os.access(Path.home(), os.W_OK):  # users without a home, such as nobody
        env.setdefault("UV_CACHE_DIR", str(VENV / "cache"))
    env.setdefault("UV_SYSTEM_CERTS", "true")  # pip trusts the machine's certificates too
    text = [str(c) for c in command]
    try:
        status = subprocess.run(text, env=env, cwd=REPO, check=False).returncode
    except OSError as error:
        sys.exit(f"setup: {text[0]}: {error.strerror}")
    if status:
        sys.exit(f"setup: failed with status {status}: {' '.join(text)}")


if __name__ == "__main__":
    main()
