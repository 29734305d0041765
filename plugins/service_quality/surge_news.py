"""Which topic surges people have to hear of: those that run, and those nobody was told about yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from service_quality.ops import Conn

# A day counts as judged once any branch of the provider is: branches further west, and so the sum over all branches,
# end their day later than the provider and are judged a night later.
LAG_DAYS = 1

_NEWEST = "select max(business_day) as day from marts.topic_surges where p_value is not null"

_RUNNING = """
select branch_id, topic_id, business_day, contacts, expected, excess, q_value, verdict, detected_by,
    leading_branch_id, surge_start, surge_days, outage_id, outage_contacts, surge_id
from (
    select *, row_number() over (partition by branch_id, topic_id order by business_day desc) as place
    from marts.topic_surges
    where p_value is not null and business_day between %(day)s::date - %(lag)s and %(day)s::date
) as judged
where place = 1 and verdict in ('surge', 'known_outage')
order by excess desc, surge_id
"""


def running(conn: Conn, day: date | None = None) -> list[dict[str, Any]]:
    """Published surges of local ``day`` (by default the newest that is judged), the largest excess first.

    By default a series that is not judged on the newest day yet counts with the day before.
    """
    if not _is_published(conn):
        return []
    newest = day or conn.execute(_NEWEST).fetchone()["day"]  # type: ignore[index]
    return conn.execute(_RUNNING, {"day": newest, "lag": 0 if day else LAG_DAYS}).fetchall()


def to_tell(conn: Conn) -> list[dict[str, Any]]:
    """Surges that run as of the newest day and were not told before, the largest excess first; writes nothing.

    What a known outage explains is not told, and neither are surges of the past that a late load brings to light.
    """
    found = [row for row in running(conn) if row["verdict"] == "surge"]
    rows = conn.execute(
        "select surge_id from ops.surge_alerts where surge_id = any(%s)", ([row["surge_id"] for row in found],)
    )
    known = {row["surge_id"] for row in rows}
    return [row for row in found if row["surge_id"] not in known]


def told(conn: Conn, build_id: int, found: Sequence[Mapping[str, Any]]) -> None:
    """Note that people heard of these surges after the publication of a build: they are not told again. Commits."""
    with conn.transaction():
        conn.execute(
            "insert into ops.surge_alerts (surge_id, build_id, business_day)"
            " select surge_id, %s, business_day"
            " from unnest(%s::text[], %s::date[]) as news (surge_id, business_day)"
            " on conflict (surge_id) do nothing",
            (build_id, [row["surge_id"] for row in found], [row["business_day"] for row in found]),
        )
    conn.commit()


def in_words(row: dict[str, Any]) -> str:
    """One surge as a line for people."""
    where = "all branches" if row["branch_id"] == "*" else row["branch_id"]
    days = f"since {row['surge_start']}" if row["surge_days"] > 1 else "new"
    text = (
        f"{row['topic_id']} in {where}, {days}: {row['contacts']} contacts on {row['business_day']},"
        f" {row['expected']:.1f} expected"
    )
    if row["leading_branch_id"]:
        text += f"; most of it in {row['leading_branch_id']}"
    if row["outage_contacts"]:
        text += f"; {row['outage_contacts']} belong to outage {row['outage_id']}"
    return f"{text} [{row['surge_id']}]"


def _is_published(conn: Conn) -> bool:
    return conn.execute("select to_regclass('marts.topic_surges') as name").fetchone()["name"] is not None  # type: ignore[index]
