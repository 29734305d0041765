"""``benchmarks/results/latest.json`` and ``docs/performance.md``: what was measured, on which machine, of which commit."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

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
    """The checkout's commit, with "+changes" when files differ from it; "unknown" outside a checkout."""
    done = subprocess.run(["git", "describe", "--always", "--dirty=+changes", "--abbrev=12"], cwd=REPO, capture_output=True,
                          text=True, check=False)  # fmt: skip
    return done.stdout.strip() or "unknown"


def write(results: Sequence[Result], scale: str, failures: dict[str, str], path: Path = LATEST) -> None:
    """Write ``latest.json``; parts that failed stand in it by name with their error, so that nothing is lost silently."""
    ratios = {
        r.name: {
            "value": round(r.value, 4), "goal": r.goal, "met": r.met, "spread": [round(s, 4) for s in r.spread],
            "wanted": "at least" if r.at_least else "at most", "of": r.of, "note": r.note,
        }
        for result in results for r in result.ratios
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({
        "ratios": ratios,
        "tables": {f"{r.part}: {title}": rows for r in results for title, rows in r.tables.items()},
        "notes": {r.part: r.notes for r in results if r.notes},
        "seconds": {r.part: round(r.seconds, 1) for r in results},
        "failed": failures,
        "scale": scale,
        "machine": machine(),
        "commit": commit(),
    }, indent=1, ensure_ascii=False, default=str) + "\n")  # fmt: skip


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
