"""Landing against what people use: pandas, executemany, dlt and Meltano's target-postgres, each at its best setting.

All put the same rows (queue events of `benchmarks.tables`, with the columns landing adds) into the same server, from
what each likes best: Arrow batches (ours), a DataFrame, tuples, Parquet, dictionaries, Singer messages.
Making those is not measured, nor is the start of any process. dlt and target-postgres run in environments of their own,
installed on first use as pinned beside this file; our own environment never holds them.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from service_quality import landing, ops
from service_quality.contract import Source

from benchmarks import floor, tables
from benchmarks.measure import Cost, Meter, Ratio, median, ratio
from benchmarks.report import Result
from benchmarks.scale import Scale
from benchmarks.tables import QUEUE_LOG

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = ("dlt", "target-postgres")
MULTI_ROWS = 3_000  # a statement takes 65535 parameters at most
TARGET_BATCH = 100_000

Start = Callable[[], Any]
"""Prepares one run, unmeasured, and gives what is to be measured."""


@dataclass(frozen=True)
class _Rows:
    """The rows in the forms that the peers take."""

    batches: list[tables.Extracted]
    table: pa.Table
    folder: Path

    @property
    def parquet(self) -> Path:
        return self.folder / "rows.parquet"

    @property
    def messages(self) -> Path:
        return self.folder / "rows.jsonl"


def run(scale: Scale) -> Result:
    """One ratio per peer: how many times its throughput ours is, in wall time or CPU, whichever is less."""
    result = Result("peers")
    folder = Path(tempfile.mkdtemp(prefix="bench_peers_"))
    try:
        with floor.databases("bench_peers") as (url,), ExitStack() as running:
            rows = _rows(folder, scale.peer_rows)
            with ops.connect(url) as conn:
                ops.prepare(conn)
            peers = _peers(url, rows, running, result.notes)
            costs = _measured(Meter(url), url, peers, scale, result.notes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, found in costs.items():
        if name != "ours":
            result.ratios.append(_worse(name, found, costs["ours"][: len(found)]))
    result.tables[f"{scale.peer_rows:,} rows by"] = [_row(n, scale.peer_rows, median(c)) for n, c in costs.items()]
    return result


def _rows(folder: Path, count: int) -> _Rows:
    spool = tables.make(folder / "files", count)
    batches = list(tables.events(spool))
    before, numbered = 0, []
    for _, batch in batches:
        numbered.append(tables.with_load(batch, 1, before))
        before += batch.num_rows
    return _Rows(batches, pa.Table.from_batches(numbered), folder)


def _peers(url: str, rows: _Rows, running: ExitStack, notes: list[str]) -> dict[str, Start]:
    peers: dict[str, Start] = {"ours": lambda: lambda: _ours(url, rows)}
    frame = rows.table.to_pandas()
    tuples = list(zip(*(c.to_pylist() for c in rows.table.columns), strict=True))
    methods: dict[str, dict[str, Any]] = {
        "default": {}, "multi": {"method": "multi", "chunksize": MULTI_ROWS}, "COPY callable": {"method": _copy_rows},
    }  # fmt: skip
    for name, given in methods.items():
        peers[f"pandas.to_sql, {name}"] = lambda given=given: lambda: _to_sql(url, frame, given)
    peers["executemany (psycopg)"] = lambda: lambda: _executemany(url, rows.table, tuples)
    dlt, target = (_environment(name, notes) for name in ENVIRONMENTS)
    if dlt:
        pq.write_table(rows.table, rows.parquet)
        for mode, words in (("append", "Arrow and Parquet, append"), ("merge", "Arrow and Parquet, merge"),
                            ("rows", "default rows")):  # fmt: skip
            loads = running.enter_context(_dlt(dlt, url, rows, mode))
            peers[f"dlt, {words}"] = lambda loads=loads: loads
    if target:
        _write_messages(rows)
        peers["Meltano target-postgres"] = lambda: running.enter_context(_target(target, url, rows))
    return peers


def _measured(meter: Meter, url: str, peers: dict[str, Start], scale: Scale, notes: list[str]) -> dict[str, list[Cost]]:
    """Costs of all peers, in turns; one that fails is noted and left out from then on."""
    costs: dict[str, list[Cost]] = {name: [] for name in peers}
    for turn in range(-1 if scale.warm_up else 0, scale.rounds):
        for name in list(costs) if turn % 2 == 0 else reversed(list(costs)):
            _clean(url)
            try:
                cost = meter.measure(peers[name]())
            except Exception as error:  # noqa: BLE001 - a stranger's failure must not hide the others' figures
                notes.append(f"{name} failed: {type(error).__name__}: {str(error)[:300]}")
                del costs[name]
                continue
            if turn >= 0:
                costs[name].append(cost)
    return costs


def _clean(url: str) -> None:
    with ops.connect(url) as conn:
        for row in conn.execute("select load_id from ops.loads where status = 'landing'").fetchall():
            ops.drop_landing(conn, row["load_id"])
        conn.execute("update ops.loads set status = 'failed' where status = 'landing'")
        found = conn.execute("select nspname from pg_namespace where nspname like 'peer%'").fetchall()
        for row in found:
            conn.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(row["nspname"])))
        conn.execute("create schema peer")


def _worse(name: str, theirs: list[Cost], ours: list[Cost]) -> Ratio:
    title, of = f"we against {name}", "its seconds / ours for the same rows; the less of wall and CPU"
    found = [ratio(title, figure, theirs, ours, 1.0, at_least=True, of=of) for figure in ("wall", "cpu")]
    return min(found, key=lambda r: r.value)


def _row(name: str, rows: int, cost: Cost) -> dict[str, Any]:
    return {
        "by": name, "rows per second": round(rows / cost.wall),
        "rows per CPU-second": round(rows / max(cost.cpu, 1e-9)),
        "WAL MB": round(cost.wal / 1e6, 1),
    }  # fmt: skip


# Ours, and those of our own environment


def _ours(url: str, rows: _Rows) -> None:
    with ops.connect(url) as conn:
        load = ops.open_load(conn, Source.TELEPHONY, tables.all_time())
        landing.land(conn, load, iter(rows.batches), [QUEUE_LOG])


def _engine(url: str) -> Any:
    import sqlalchemy as sa

    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)


def _to_sql(url: str, frame: Any, given: dict[str, Any]) -> None:
    frame.to_sql("rows", _engine(url), schema="peer", index=False, **given)


def _copy_rows(table: Any, conn: Any, keys: list[str], data: Iterable[Any]) -> None:
    """The COPY callable of pandas' own documentation, with psycopg 3."""
    import csv

    text = io.StringIO()
    csv.writer(text).writerows(data)
    names = ", ".join(f'"{k}"' for k in keys)
    statement = f"copy {table.schema}.{table.name} ({names}) from stdin with csv"
    with conn.connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(text.getvalue())


def _executemany(url: str, table: pa.Table, tuples: list[tuple[Any, ...]]) -> None:
    marks = ", ".join(["%s"] * table.num_columns)
    with psycopg.connect(url) as conn, conn.cursor() as cursor:
        cursor.execute("create table peer.rows (like landing.queue_log)")
        cursor.executemany(f"insert into peer.rows ({', '.join(table.column_names)}) values ({marks})", tuples)  # type: ignore[arg-type]


# Those of environments of their own


def install() -> None:
    """Make the environments of those who have one of their own, where they are not there yet."""
    for name in ENVIRONMENTS:
        _environment(name, [])


def _environment(name: str, notes: list[str]) -> Path | None:
    """``bin`` of the environment pinned in ``peers-<name>.txt``, made on first use; None where it cannot be made."""
    pinned = HERE / f"peers-{name}.txt"
    home = Path(sys.prefix) / f"bench-{name}"  # beside our own: lanes come and go
    stamp = home / "installed.txt"
    if stamp.exists() and stamp.read_text() == pinned.read_text():
        return home / "bin"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        notes.append(f"{name} was not measured: there is no uv to install it with")
        return None
    for command in ([uv, "venv", "-q", "--clear", "-p", sys.executable, home],
                    [uv, "pip", "install", "-q", "-p", home, "-r", pinned]):  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            notes.append(f"{name} was not measured, it could not be installed: {done.stderr.strip()[-300:]}")
            return None
    stamp.write_text(pinned.read_text())
    return home / "bin"


@contextmanager
def _dlt(environment: Path, url: str, rows: _Rows, mode: str) -> Iterator[Callable[[], None]]:
    """dlt in a process that has imported it; each call is a word to it that loads the rows once more."""
    home = rows.folder / f"dlt_{mode}"
    env = {
        **os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(home), "DO_NOT_TRACK": "1",
        "DESTINATION__POSTGRES__CREDENTIALS": url, "RUNTIME__LOG_LEVEL": "ERROR", "PYTHONPATH": "",
    }  # fmt: skip
    command = [environment / "python", HERE / "peer_dlt.py", rows.parquet, mode, home]
    errors = rows.folder / f"dlt_{mode}.err"
    with errors.open("w") as log, subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        words = process.stdout

        def await_word(word: str) -> None:
            while (line := words.readline().strip()) != word:
                if not line and process.poll() is not None:
                    raise RuntimeError(errors.read_text()[-300:])

        def go() -> None:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            await_word("done")

        await_word("ready")
        yield go
        process.stdin.close()


def _write_messages(rows: _Rows) -> None:
    """Singer messages: the schema, a record per row."""
    kinds: dict[str, Any] = {"string": {"type": ["null", "string"]}, "int64": {"type": ["null", "integer"]}}
    at = {"type": ["null", "string"], "format": "date-time"}
    properties = {f.name: kinds.get(str(f.type), at) for f in rows.table.schema}
    with rows.messages.open("w") as sink:
        sink.write(json.dumps({"type": "SCHEMA", "stream": "rows", "key_properties": [],
                               "schema": {"type": "object", "properties": properties}}) + "\n")  # fmt: skip
        for batch in rows.table.to_batches(max_chunksize=10_000):
            for record in batch.to_pylist():
                sink.write(json.dumps({"type": "RECORD", "stream": "rows", "record": record}, default=_iso) + "\n")


def _iso(value: Any) -> str:
    return str(value.isoformat())


@contextmanager
def _target(environment: Path, url: str, rows: _Rows) -> Iterator[Callable[[], None]]:
    """target-postgres in a process that has read its schema and waits for records."""
    given = conninfo_to_dict(url)
    config = rows.folder / "target.json"
    config.touch(mode=0o600)
    config.write_text(json.dumps({
        "host": given["host"], "port": int(str(given["port"])), "user": given["user"], "password": given["password"],
        "database": given["dbname"], "default_target_schema": "peer", "use_copy": True, "load_method": "append-only",
        "batch_size_rows": TARGET_BATCH, "validate_records": False, "add_record_metadata": False,
        "activate_version": False,
    }))  # fmt: skip
    errors = rows.folder / "target.err"
    with errors.open("w") as log, rows.messages.open("rb") as messages, subprocess.Popen(
        [environment / "target-postgres", "--config", config],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, "PYTHONPATH": ""},
    ) as process:  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(messages.readline())
        process.stdin.flush()
        _wait_for_table(url, process)

        def go() -> None:
            assert process.stdin is not None
            shutil.copyfileobj(messages, process.stdin, 1 << 20)
            process.stdin.close()
            if process.wait():
                raise RuntimeError(errors.read_text()[-300:])

        yield go


def _wait_for_table(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the target is up: it makes the table when it knows the schema, or reads quietly for some seconds."""
    deadline = time.monotonic() + 6
    with psycopg.connect(url, autocommit=True) as conn:
        while time.monotonic() < deadline and process.poll() is None:
            if conn.execute("select to_regclass('peer.rows') is not null").fetchone() == (True,):
                return
            time.sleep(0.1)
