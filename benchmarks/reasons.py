"""Why a goal is missed where it is: what was tried and what stands in the way, by the beginning of a ratio's name.

Shown under the table of ratios, and only where a goal is missed; figures of what was tried stand in the hand-written
part of docs/performance.md.
"""

from __future__ import annotations

from benchmarks.measure import Ratio

WINDOWS = (
    "The numbers look back: repeats 30 days, scorecards 90 and 180, clocks 155, surges 180, retention 270. A short"
    " history cannot fill that, so the longer one has more to read; what grows beyond that shows between histories that"
    " fill all windows. WAL is mostly pages logged whole after a checkpoint, and more pages hold what a longer history"
    " changes: keys without order, and surges and clocks of many months. Tried: data tests, marts, gate 2 and"
    " publication read the days that change only, days that only repeats touch are built where repeats come in, rows"
    " are written where they differ, lie by day and fill no old pages, small samples for statistics, look-ups as if"
    " from memory, joins by hash of what days bound, retention in one pass, like days of a series in one row, bitmaps"
    " for days, the time around a load read once, no index that no plan uses, compressed pages in WAL. Tables of"
    " history that are read from end to end are named below. What every night pays, dbt and its look-ups in the"
    " catalog, became smaller: all nights are cheaper (a month's by half of its blocks), and what windows add is a"
    " larger share of them."
)
REASONS = {
    "land": (
        "Reading the log, landing and the server's copy are work for one core and a half in one process already; two"
        " processes gain what is idle. Tried: fewer passes over the text, frozen rows, an unlogged landing, smaller"
        " blocks, the load's id and what a file's lines have alike filled in by the server, empty columns left out,"
        " a partition for each process, digits read by words. psql's own CPU for the same rows differs by a seventh"
        " between runs on one machine."
    ),
    "whole load": (
        "psql writes each row once, unlogged and without index. Beyond that a load reads it for the rules, hashes and"
        " masks personal data, writes it again and keeps three indexes. Tried: one pass for new rows, indexes made"
        " afterwards, no WAL of a first load, bounds of blocks instead of two indexes, hashes of 64 bits, cheap looks"
        " before masking."
    ),
    "gate 1": "Every rule reads landing once; small loads pay for starting Great Expectations.",
    "unchanged night": (
        "What is written are the books of the load, the same for few rows and many: a small night's share is large."
    ),
    "night after": WINDOWS,
    "night of": WINDOWS,
    "days loaded again": (
        "Records of the CRM and answers are looked up by key, through an index that has one level more once a table is"
        " so much larger. WAL is two megabytes in all: the books of the loads and pages that are marked as seen. Tried:"
        " one look-up instead of two, lines of a file in one pass."
    ),
    "full rebuild": (
        "Postgres writes every table with WAL and indexes, by two threads of statements; DuckDB's columns need neither."
    ),
    "storage": (
        "The sources count mostly text without headers and indexes; raw keeps it typed, with its history and what"
        " look-ups need, marts keep facts by contact. Tried: short ids of files, no `_source_ref`, columns in the order"
        " of their width, bounds of blocks instead of indexes, hashes of 64 bits."
    ),
}


def missed(ratio: Ratio) -> str:
    """By how much a ratio misses its goal, as "57%" of the goal or, of a goal of nothing, its value; empty when met."""
    if ratio.met:
        return ""
    return f"{abs(ratio.value / ratio.goal - 1):.0%}" if ratio.goal else f"{ratio.value:g}"


def why(ratio: Ratio) -> str:
    """Why a ratio misses its goal; empty where it is met."""
    found = [text for beginning, text in REASONS.items() if ratio.name.startswith(beginning)]
    return " ".join([] if ratio.met else found)
