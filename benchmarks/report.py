"""``benchmarks/results/latest.json``: what was measured, on which machine, of which commit."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks import reasons
from benchmarks.measure import Ratio

REPO = Path(__file__).resolve().parents[1]
LATEST = REPO / "benchmarks" / "results" / "latest.json"


@dataclass
class Result:
    """What one part of the benchmark found. ``ratios`` are judged, ``tables`` are shown (title: rows)."""

    part: str
    ratios: list[Ratio] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def machine() -> dict[str, Any]:
    """Cores, memory, kernel, Python: what figures depend on."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "cpu": _cpu_name(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def commit() -> str:
    """The checkout's commit, with "+changes" when files differ that are not our own results; "unknown" without git."""
    named = _git("rev-parse", "--short=12", "HEAD")
    if not named:
        return "unknown"
    own = (":!docs/performance.md", ":!benchmarks/results")
    return f"{named}+changes" if _git("status", "--porcelain", "--untracked-files=no", "--", ".", *own) else named


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=REPO, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def write(
    results: Sequence[Result], scale: str, failures: dict[str, str], path: Path = LATEST, *, keep: bool = False
) -> None:
    """Write ``latest.json``; parts that failed stand in it with their error, so that nothing is lost silently.

    ``keep``: what the file holds of other parts stays, when it was measured on this machine; each ratio names its own
    scale and commit.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        _write(results, scale, failures, path, keep)


def note(part: str, text: str, path: Path = LATEST) -> None:
    """Add a note to what is written."""
    content = json.loads(path.read_text())
    content["notes"].setdefault(part, []).append(text)
    path.write_text(_as_json(content))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Parts that run side by side write into the file one after the other."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(results: Sequence[Result], scale: str, failures: dict[str, str], path: Path, keep: bool) -> None:
    here = machine()
    found = json.loads(path.read_text()) if keep and path.exists() else {}
    if _kind(found.get("machine", {})) != _kind(here):
        found = {}
    parts = {*failures, *(r.part for r in results)}
    measured = {"scale": scale, "commit": commit()}
    content = {
        "ratios": {n: r for n, r in found.get("ratios", {}).items() if r["part"] not in parts},
        "tables": {n: t for n, t in found.get("tables", {}).items() if n.partition(": ")[0] not in parts},
    } | {
        of_parts: {part: x for part, x in found.get(of_parts, {}).items() if part not in parts}
        for of_parts in ("notes", "seconds", "failed")
    }
    for result in results:
        content["ratios"] |= {r.name: {"part": result.part} | _judged(r) | measured for r in result.ratios}
        content["tables"] |= {f"{result.part}: {title}": rows for title, rows in result.tables.items()}
        content["seconds"][result.part] = round(result.seconds, 1)
        if result.notes:
            content["notes"][result.part] = result.notes
    content["failed"] |= failures
    path.write_text(_as_json({**content, **measured, "machine": here}))


def _as_json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n"


def _kind(of: dict[str, Any]) -> dict[str, Any]:
    """What makes two machines the same for us: a virtual one may be given a little more or less memory at any time."""
    return {k: v for k, v in of.items() if k != "memory_gb"}


def _judged(ratio: Ratio) -> dict[str, Any]:
    return {
        "value": round(ratio.value, 4), "goal": ratio.goal, "met": ratio.met,
        "spread": [round(s, 4) for s in ratio.spread], "wanted": "at least" if ratio.at_least else "at most",
        "of": ratio.of, "note": ratio.note, "missed_by": reasons.missed(ratio), "why": reasons.why(ratio),
    }  # fmt: skip


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
