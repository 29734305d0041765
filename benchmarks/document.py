"""``docs/performance.md``: the figures of ``latest.json`` as tables, beside what was written by hand about them.

The hand-written part stands between the two markers and is kept as it is; everything else is made anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.report import LATEST, REPO

DOCUMENT = REPO / "docs" / "performance.md"
BEGIN, END = "<!-- written by hand: begin -->", "<!-- written by hand: end -->"
EMPTY = "## What was changed, and what it gave\n\nNothing is noted yet."


def write(latest: Path = LATEST, document: Path = DOCUMENT) -> None:
    """Make ``document`` from ``latest``, keeping what stands between its markers.

    Raises ValueError for one marker alone.
    """
    found = json.loads(latest.read_text())
    by_hand = kept(document.read_text()) if document.exists() else EMPTY
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(text(found, by_hand))


def kept(before: str) -> str:
    """The hand-written part of a document. Raises ValueError when only one of the markers stands in it."""
    if BEGIN not in before and END not in before:
        return EMPTY
    if before.count(BEGIN) != 1 or before.count(END) != 1 or before.index(BEGIN) > before.index(END):
        raise ValueError(f"the document needs both markers once, in this order: {BEGIN} {END}")
    return before.split(BEGIN, 1)[1].split(END, 1)[0].strip()


def text(found: dict[str, Any], by_hand: str) -> str:
    """The whole document."""
    return "\n\n".join([
        "# Performance",
        "Made by `make bench` from `benchmarks/results/latest.json`; only the part between the markers is"
        " written by hand."
        " Machines are noisy: ratios of one run are judged, absolute times are shown and never judged.",
        _where(found),
        _ratios(found["ratios"]),
        *_failures(found.get("failed", {})),
        f"{BEGIN}\n\n{by_hand}\n\n{END}",
        *_notes(found.get("notes", {})),
        *(f"## {title[:1].upper()}{title[1:]}\n\n{table(rows)}" for title, rows in found.get("tables", {}).items()),
    ]) + "\n"  # fmt: skip


def _where(found: dict[str, Any]) -> str:
    machine = found["machine"]
    told = ", ".join(str(x) for x in (
        f"{machine['cores']} cores", machine["cpu"], f"{machine['memory_gb']} GB", machine["system"],
        f"Python {machine['python']}",
    ))  # fmt: skip
    seconds = ", ".join(f"{part} {value:.0f} s" for part, value in found.get("seconds", {}).items())
    return f"Scale *{found['scale']}*, commit `{found['commit']}`, {told}. Duration of the parts: {seconds or 'none'}."


def _ratios(ratios: dict[str, Any]) -> str:
    met = sum(1 for r in ratios.values() if r["met"])
    whys = list(dict.fromkeys(r["why"] for r in ratios.values() if r["why"]))
    rows = [
        {
            "ratio": name,
            "value": number(r["value"]),
            "goal": f"{'≥' if r['wanted'] == 'at least' else '≤'} {number(r['goal'])}",
            "met": "yes" if r["met"] else "**no**",
            "spread": f"{number(r['spread'][0])} .. {number(r['spread'][1])}",
            "of": r["of"],
            "measured": f"{r['scale']}, {r['commit']}",
            "note": "; ".join(told for told in (r["note"], _missed(r, whys)) if told),
        }
        for name, r in ratios.items()
    ]
    reasons = "\n".join(f"{place}. {why}" for place, why in enumerate(whys, start=1))
    return "\n\n".join([
        "## Ratios", f"{met} of {len(ratios)} goals are met.", table(rows),
        *(["Why goals are missed, by the numbers in the notes:", reasons] if whys else []),
    ])  # fmt: skip


def _missed(ratio: dict[str, Any], whys: list[str]) -> str:
    """By how much a goal is missed, and which of the reasons below the table says why."""
    if not ratio["missed_by"]:
        return ""
    told = f"missed by {ratio['missed_by']}"
    return f"{told} ({whys.index(ratio['why']) + 1})" if ratio["why"] else told


def _failures(failed: dict[str, str]) -> list[str]:
    if not failed:
        return []
    return ["## Not measured\n\n" + "\n".join(f"- **{part}** failed: {error}" for part, error in failed.items())]


def _notes(notes: dict[str, list[str]]) -> list[str]:
    if not notes:
        return []
    return ["## Notes\n\n" + "\n".join(f"- {part}: {note}" for part, own in notes.items() for note in own)]


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table of rows that need not have the same keys; a column that is empty everywhere is left out."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    names = [n for n in names if any(row.get(n) not in (None, "") for row in rows)]
    if not names:
        return "(nothing)"
    right = [all(isinstance(row.get(n), int | float | type(None)) for row in rows) for n in names]
    lines = ["| " + " | ".join(names) + " |", "|" + "|".join("---:" if r else "---" for r in right) + "|"]
    lines += ["| " + " | ".join(_cell(row.get(n)) for n in names) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return number(value)
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")


def number(value: float) -> str:
    """Three digits that count, thousands set apart."""
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
