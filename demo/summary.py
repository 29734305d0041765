"""The demo's last page: what was loaded, what the gates said, what the marts show."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from service_quality import ops
from service_quality.cli import print_rows
from service_quality.ops import Conn

from demo.compare import compare
from demo.findings import print_findings

LOADS = """
select load_id, source, to_char(window_start, 'YYYY-MM-DD HH24:MI') as from_utc,
    to_char(window_end, 'YYYY-MM-DD HH24:MI') as to_utc, status, rows_read as read, rows_raw as new,
    rows_unchanged as unchanged, rows_quarantined as quarantined, build_id as build
from ops.loads order by load_id
"""
QUARANTINE = """
select g.table_name, g.rule_id, sum(g.rows_failed) as rows, max(g.why) as why
from ops.gate_results as g inner join ops.loads as l using (load_id)
where g.verdict = 'quarantine' and l.status = 'promoted'
group by g.table_name, g.rule_id order by rows desc
"""
BRANCHES = """
select branch_id as branch, sum(contacts_offered) as offered, sum(visits_answered) as answered,
    sum(contacts_turned_away) as turned_away,
    round(cast(sum(answered_within_20s) as numeric)
        / nullif(sum(visits_answered) + sum(visits_abandoned), 0), 3) as service_level_20s,
    round(cast(sum(wait_seconds_sum) as numeric) / nullif(sum(wait_seconds_count), 0), 1) as wait_s,
    round(1 - cast(sum(repeat_7d_repeats) as numeric) / nullif(sum(repeat_7d_index), 0), 3) as fcr_7d
from marts.branch_quality_daily group by branch_id
order by service_level_20s nulls last, branch
"""
TOPICS = """
select topic_id as topic, max(topic_class) as class, sum(contacts_offered) as offered,
    sum(repeat_7d_index) as closed_7d,
    round(1 - cast(sum(repeat_7d_repeats) as numeric) / nullif(sum(repeat_7d_index), 0), 3) as fcr_7d
from marts.topic_quality_daily group by topic_id having sum(repeat_7d_index) >= 50
order by fcr_7d {direction}, topic limit 5
"""


def print_summary(url: str, home: Path, until: datetime) -> None:
    """Print loads, quarantine, mart sizes, the comparison with the truth, worst and best, and the plants."""
    with ops.connect(url) as conn:
        _table("Loads and verdicts", conn, LOADS)
        _table("Quarantined rows by rule", conn, QUARANTINE)
        _sizes(conn)
        print_rows("Marts against what the simulated provider really did", [
            {"what": c.what, "compared": f"{c.compared:,}", "differences": c.differences or "none"}
            for c in compare(conn, home / "truth", until)
        ])  # fmt: skip
        _table("Branches, lowest service level first", conn, BRANCHES)
        _table("Topics, least often solved at the first contact", conn, TOPICS.format(direction="asc"))
        _table("Topics, most often solved at the first contact", conn, TOPICS.format(direction="desc"))
        print_findings(conn, home)
    print(
        "\nWhere to look next\n"
        "  make up                    Airflow and the warehouse, with their addresses\n"
        "  .venv/bin/quality status   loads, builds and what waits for a decision\n"
        "  .venv/bin/quality review   the week on a page; also: surges, worklist, at-risk\n"
        "  make docs                  every mart, column and test\n"
        f"  {home / 'truth'}   what the simulated provider really did"
    )


def _sizes(conn: Conn) -> None:
    names = conn.execute(
        "select relname as name from pg_class where relnamespace = 'marts'::regnamespace and relkind = 'r' order by 1"
    ).fetchall()
    rows = []
    for row in names:
        found = conn.execute(f'select count(*) as rows from marts."{row["name"]}"').fetchone()
        rows.append({"mart": row["name"], "rows": f"{found['rows']:,}" if found else "?"})
    print_rows("Published marts", rows)


def _table(title: str, conn: Conn, text: str) -> None:
    print_rows(title, conn.execute(text).fetchall())
