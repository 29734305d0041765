"""A throw-away MariaDB server for tests: the fixture ``mariadb_server``, on a free loopback port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

PASSWORD = "test-Only:p@ss"
_SERVER = ("mariadbd", "mysqld")
_INSTALL = ("mariadb-install-db", "mysql_install_db")
_SECONDS_TO_START = 60


@dataclass(frozen=True)
class MariaDb:
    """A running server; user ``quality`` may do everything."""

    port: int

    def url(self, database: str, password: str = PASSWORD) -> str:
        from urllib.parse import quote

        return f"mysql://quality:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str | None = None) -> pymysql.Connection:
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="quality", password=PASSWORD, database=database,
            autocommit=True, charset="utf8mb4",
        )  # fmt: skip

    def create_database(self) -> str:
        """Name of a new empty database."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with self.connect() as conn, conn.cursor() as cursor:
            cursor.execute(f"create database {name} character set utf8mb4")
        return name

    def execute(self, database: str, *statements: str) -> None:
        with self.connect(database) as conn, conn.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def find_binary(*names: str) -> str | None:
    """The first of ``names`` on PATH or in the folders where servers are installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/libexec"])
    return next((found for n in names if (found := shutil.which(n, path=path))), None)


def start(folder: Path) -> tuple[MariaDb, subprocess.Popen[bytes]]:
    """Make a server in ``folder`` and start it. Raises RuntimeError with its log when it stays down."""
    server, install = find_binary(*_SERVER), find_binary(*_INSTALL)
    if server is None or install is None:
        raise FileNotFoundError("no mariadbd")
    user = _user(folder)
    data, socket_file, log = folder / "data", folder / "s", folder / "log"
    options = ["--no-defaults", f"--datadir={data}", *([f"--user={user}"] if user else [])]
    done = subprocess.run(
        [install, *options, "--auth-root-authentication-method=normal", "--skip-test-db"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"mariadb-install-db failed: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    port = _free_port()
    process = subprocess.Popen(
        [
            server, *options, "--bind-address=127.0.0.1", f"--port={port}", f"--socket={socket_file}",
            f"--pid-file={folder / 'pid'}", f"--log-error={log}", "--skip-log-bin", "--skip-name-resolve",
            "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--performance-schema=off",
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(process, socket_file, log)
        root = pymysql.connect(unix_socket=str(socket_file), user="root", autocommit=True)
        with root, root.cursor() as cursor:
            cursor.execute("create user quality@'127.0.0.1' identified by %s", (PASSWORD,))
            cursor.execute("grant all on *.* to quality@'127.0.0.1'")
    except BaseException:
        stop(process)
        raise
    return MariaDb(port), process


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server that ``start`` made."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _user(folder: Path) -> str | None:
    """As root: the user the server drops to, made owner of ``folder``; else None."""
    if os.geteuid() != 0:
        return None
    for name in ("mysql", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        return name
    raise RuntimeError("neither user mysql nor nobody exists")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(process: subprocess.Popen[bytes], socket_file: Path, log: Path) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < until and process.poll() is None:
        try:
            pymysql.connect(unix_socket=str(socket_file), user="root").close()
            return
        except pymysql.err.OperationalError:
            time.sleep(0.1)
    told = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    raise RuntimeError(f"MariaDB did not start: {told}")


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDb]:
    """A throw-away server; skips, and says so, where MariaDB is not installed."""
    if None in (find_binary(*_SERVER), find_binary(*_INSTALL)):
        pytest.skip("THE MARIADB TEST DID NOT RUN: there is no mariadbd; `apt-get install mariadb-server` has it")
    # Not under pytest's own folder: the server's user may not enter it, and socket paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="qlmdb", dir="/tmp"))
    process = None
    try:
        server, process = start(folder)
        yield server
    finally:
        if process is not None:
            stop(process)
        shutil.rmtree(folder, ignore_errors=True)
