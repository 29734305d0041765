"""The provider as a whole: make it once, then show it as it is at the end of a day."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from demo import callbacks, calls, churn, crm, crm_db, ivr, orders, pbx, surveys, truth
from demo import world as w

SERVERS = tuple(sorted(w.SERVER_ZONES, reverse=True))
BROKEN_SHARE = 0.35
GARBAGE = (
    "\x00\x00\x00\x00\x00\x00\x00\x00", "179", "scp: /var/log/asterisk/queue_log: Connection reset by peer",
    "\x7fELF\x02\x01", "rsync error: timeout in data send/receive (code 30)",
)  # fmt: skip


class DemoError(RuntimeError):
    """The provider cannot be shown; the message says what to do."""


def create(
    home: Path, seed: int = 7, days: int = 93, contacts_per_day: int = 600, first_day: date = w.FIRST_DAY
) -> w.World:
    """Generate everything that happens in ``days`` days into ``home``, the truth into ``home/truth``.

    What was shown before is taken back. Raises ValueError for numbers below 1.
    """
    world = w.build(seed, days, contacts_per_day, first_day)
    placed = orders.orders(world)
    happened = calls.simulate(world, orders.complaints(world, placed))
    leaves = churn.leaves(world, happened, placed)
    pbxs = {server: pbx.Pbx(world, server) for server in SERVERS}
    pbxs["msk"].write(happened, {})
    pbxs["kiv"].write(happened, _borrowed(happened))
    presses = ivr.ratings(world, happened, pbxs)
    customers = crm.happenings(world, happened, placed, leaves)
    store = home / "generated"
    store.mkdir(parents=True, exist_ok=True)
    for server, one in pbxs.items():
        spool = one.spool()
        _keep(store / f"queue_log.{server}.parquet", at=[at for at, _ in spool.queue_log],
              line=[text for _, text in spool.queue_log])  # fmt: skip
        _keep(store / f"cdr.{server}.parquet", at=[at for at, _ in spool.cdr], line=[text for _, text in spool.cdr])
        pressed = ivr.lines(presses, server)
        _keep(store / f"ivr.{server}.parquet", at=[p[0] for p in pressed], day=[p[1] for p in pressed],
              line=[p[2] for p in pressed])  # fmt: skip
    crm_db.save(crm.versions(world, customers), store / "crm")
    owed = callbacks.owed(happened, customers, presses)
    interviews = surveys.responses(world, happened, customers)
    answered = surveys.numbered(interviews + callbacks.attempts(world, owed, interviews))
    _write(store / "surveys.json", json.dumps(surveys.stored(answered)))
    truth.write(home / "truth", world, happened, presses, customers, placed, owed)
    _write(home / "world.json", json.dumps({
        "seed": seed, "days": days, "contacts_per_day": contacts_per_day, "first_day": first_day.isoformat(),
        "last_day": world.last_day.isoformat(),
        "digest": hashlib.sha256((home / "truth" / "contacts.csv").read_bytes()).hexdigest(),
    }))  # fmt: skip
    (home / "state.json").unlink(missing_ok=True)
    return world


def _borrowed(happened: calls.Days) -> dict[int, str]:
    """Call ids that the second PBX happens to give as well."""
    first = {id(one): one.callid for one in happened.contacts}
    return {
        one.number: first[one.shares_id]
        for one in happened.contacts
        if one.shares_id is not None and first.get(one.shares_id)
    }


def _keep(path: Path, **columns: list[Any]) -> None:
    pq.write_table(pa.table(columns), path)


def _write(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Replace a file in one step, so that a reader sees the old or the new one; an equal one stays."""
    data = text.encode(encoding, errors="surrogateescape")
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def play(home: Path, until: date, broken: str | None = None, crm_url: str | None = None) -> dict[str, int]:
    """Show the provider as it is at the end of local day ``until``; counts of what each door shows.

    ``broken="telephony"`` cuts the last day's queue_log off as if its transfer had died; playing the day
    again without it repairs that. ``crm_url``: the CRM's database, else ``DEMO_CRM_URL``; without either
    the CRM is left as it is. Raises DemoError when there is nothing to show.
    """
    if broken not in (None, "telephony"):
        raise DemoError(f"only 'telephony' can be broken, not '{broken}'")
    period = _period(home)
    if not period.first_day <= until <= period.last_day:
        raise DemoError(f"{until} is not simulated: the days are {period.first_day} .. {period.last_day}")
    end = w.epoch(until + timedelta(days=1), w.PROVIDER_ZONE)
    counts = {}
    for server in SERVERS:
        cut = w.epoch(until, w.PROVIDER_ZONE) if broken else None
        counts[f"queue_log {server}"] = _queue_log(home, period, server, end, cut)
        counts[f"cdr {server}"] = _cdr(home, period, server, end)
        counts[f"ivr {server}"] = _ivr(home, server, end)
    url = crm_url or os.environ.get("DEMO_CRM_URL")
    if url:
        counts["crm rows written"] = crm_db.play(url, home / "generated" / "crm", _identity(home), end)
    _write(home / "state.json", json.dumps({"shown_until": end, "day": until.isoformat(), "broken": broken}))
    return counts


def _period(home: Path) -> w.Period:
    path = home / "world.json"
    if not path.is_file():
        raise DemoError(f"{path}: there is no provider; make one with `python -m demo create --home {home}`")
    made = json.loads(path.read_text())
    return w.Period(made["seed"], date.fromisoformat(made["first_day"]), made["days"], made["contacts_per_day"])


def _identity(home: Path) -> str:
    """Tells the CRM's database whether it shows this provider or an earlier one."""
    return str(json.loads((home / "world.json").read_text())["digest"])


def _lines(home: Path, name: str, end: int) -> tuple[list[tuple[int, str]], tuple[int, str] | None]:
    """Lines that appeared before ``end``, and the first one after it."""
    table = pq.read_table(home / "generated" / name)
    found = list(zip(table["at"].to_pylist(), table["line"].to_pylist(), strict=True))
    shown = [one for one in found if one[0] < end]
    return shown, found[len(shown)] if len(found) > len(shown) else None


def _queue_log(home: Path, period: w.Period, server: str, end: int, broken_day: int | None) -> int:
    shown, following = _lines(home, f"queue_log.{server}.parquet", end)
    if broken_day is not None:
        cut = broken_day + int((end - broken_day) * BROKEN_SHARE)
        shown, following = [one for one in shown if one[0] < cut], None
    turns = [at for at in pbx.rotations(period, server) if at <= (shown[-1][0] if shown else 0)]
    pieces = _pieces(shown, turns)
    texts = ["".join(f"{line}\n" for _, line in piece) for piece in pieces]
    if broken_day is not None:
        texts[-1] += "".join(f"{line}\n" for line in GARBAGE * 5) + "17"
    elif following is not None and not any(end <= at <= following[0] for at in pbx.rotations(period, server)):
        # The log is written in blocks: its last line is not there yet as a whole.
        texts[-1] += following[1][: len(following[1]) * 2 // 3]
    _replace_rotated(home / "spool" / server, "queue_log", texts, newest_is_highest=server == "kiv")
    return len(shown)


def _pieces(shown: list[tuple[int, str]], turns: list[int]) -> list[list[tuple[int, str]]]:
    """Lines by file, oldest first. A rotation's own first line is CONFIGRELOAD."""
    pieces: list[list[tuple[int, str]]] = [[]]
    left = list(turns)
    for one in shown:
        if left and one[0] >= left[0] and (one[1].endswith("|CONFIGRELOAD|") or one[0] > left[0]):
            left.pop(0)
            pieces.append([])
        pieces[-1].append(one)
    return pieces


def _replace_rotated(folder: Path, name: str, texts: list[str], newest_is_highest: bool) -> None:
    """Oldest first in ``texts``, the last one is the live file."""
    *old, live = texts
    numbers = range(len(old)) if newest_is_highest else range(len(old), 0, -1)
    wanted = {f"{name}.{number}": text for number, text in zip(numbers, old, strict=True)} | {name: live}
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(f"{name}*"):
        if path.name not in wanted:
            path.unlink()
    for file_name, text in wanted.items():
        _write(folder / file_name, text)


def _cdr(home: Path, period: w.Period, server: str, end: int) -> int:
    shown, _ = _lines(home, f"cdr.{server}.parquet", end)
    months = [at for at in _months(period) if at <= (shown[-1][0] if shown else 0)] if server == "msk" else []
    pieces: list[list[str]] = [[] for _ in range(len(months) + 1)]
    for at, line in shown:
        pieces[sum(at >= turn for turn in months)].append(line)
    texts = ["".join(f"{line}\n" for line in piece) for piece in pieces]
    _replace_rotated(home / "spool" / server, "Master.csv", texts, newest_is_highest=False)
    return len(shown)


def _months(period: w.Period) -> Iterable[int]:
    day = period.first_day
    for number in range(1, period.days):
        if (turn := day + timedelta(days=number)).day == 1:
            yield w.epoch(turn, w.PROVIDER_ZONE)


def _ivr(home: Path, server: str, end: int) -> int:
    table = pq.read_table(home / "generated" / f"ivr.{server}.parquet")
    files: dict[date, list[str]] = {}
    for at, day, line in zip(*(table[name].to_pylist() for name in ("at", "day", "line")), strict=True):
        if at < end and not _is_held_back(server, day, end):
            files.setdefault(day, [ivr.HEADERS[server]]).append(line)
    folder = home / "ivr" / server
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"ratings_{day:%Y%m%d}.csv": "\n".join(lines) + "\n" for day, lines in files.items()}
    for path in folder.glob("ratings_*.csv"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        _write(folder / name, text)
    return sum(len(lines) - 1 for lines in files.values())


def _is_held_back(server: str, day: date, end: int) -> bool:
    """A file that is late by a day appears with the next day's."""
    if server != w.LATE_FILE_SERVER or day not in w.LATE_FILE_DAYS:
        return False
    return end <= w.epoch(day + timedelta(days=1), w.PROVIDER_ZONE) + 2 * 3600
