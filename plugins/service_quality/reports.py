"""Marts as pages people read: the weekly review, and the subscribers to look after. Text only, nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from service_quality.ops import Conn

Row = Mapping[str, Any]

MOST_TOPICS = 8
MOST_FIGURES_OF_WORDS = 10
_HEADINGS = {
    "kpi": "Key figures",
    "callbacks": "Call-backs owed in the week (of days whose deadlines have passed; reopened: when expired)",
    "surge": "Surges",
    "volume_class": "Contacts by class",
    "volume_topic": "Contacts by topic, the most unusual first",
    "worst_waits": "Longest waits, queue and local hour",
    "repeat_topics": "Topics people come back about (share served in the 7 days before)",
    "low_ratings": "Topics rated low (share of rated calls with a 1 or 2)",
}
_FIGURES = {
    "service_level_offered_20s": "Answered within 20 s, of answered and abandoned",
    "abandon_rate": "Gave up waiting, of calls in a queue",
    "wait_seconds_mean": "Wait of answered calls",
    "rating_service_quality_top2": "Service rated 4 or 5",
    "rating_readiness_to_help_top2": "Readiness to help rated 4 or 5",
    "rating_politeness_top2": "Politeness rated 4 or 5",
    "rating_competence_top2": "Competence rated 4 or 5",
    "fcr_24h": "Did not come back with the topic within 24 hours",
    "fcr_7d": "Did not come back with the topic within 7 days",
    "survey_solved_share": "Solved, by survey",
    "satisfaction_top2": "Satisfied (4 or 5), by survey",
    "ticket_within_target_share": "Tickets solved within target",
    "repairs_within_target": "Faults repaired within target",
    "connections_on_promise": "Lines connected by the promised day",
    "callbacks_owed": "Became owed",
    "callbacks_on_time": "Reached by the deadline",
    "callbacks_reached": "Reached, of those tried",
    "callbacks_confirmed_solved": "Solved in the subscriber's word",
    "callbacks_reopened": "Opened again after the solution",
}
_VERDICTS = {"new_surge": "new", "goes_on": "goes on", "known_outage": "known outage", "not_enough_data": "-"}

_WEEK = """
select iso_week from marts.weekly_review where branch_id = %s and is_complete order by business_day desc limit 1
"""
# A week that is whole in some branches and not yet in this one.
_WAITING = """
select iso_week, days_loaded from marts.weekly_review as own
where branch_id = %(who)s and not is_complete
    and business_day > (select max(business_day) from marts.weekly_review where iso_week = %(week)s)
    and exists (select 1 from marts.weekly_review as other where other.business_day = own.business_day and is_complete)
order by business_day limit 1
"""
_REVIEW = """
select * from marts.weekly_review where branch_id = %s and iso_week = %s order by section, place, item
"""
_AT_RISK = """
select * from marts.subscribers_at_risk
where place in (
    select distinct place from marts.subscribers_at_risk where %(branch)s::text is null or branch_id = %(branch)s
    order by place limit %(limit)s
)
order by place, weight desc, reason
"""


def weekly_review(conn: Conn, branch: str | None = None, week: str | None = None) -> str:
    """The review of an ISO week (``2026-W45``; the last complete one by default) as Markdown of about a page.

    ``branch``: a branch id; None is the provider as a whole. Raises LookupError when there is no such review.
    """
    who = branch or "*"
    is_newest = week is None
    if week is None:
        found = conn.execute(_WEEK, (who,)).fetchone()
        week = found["iso_week"] if found else None
    rows = conn.execute(_REVIEW, (who, week)).fetchall() if week else []
    if not rows:
        raise LookupError(f"there is no review of {week or 'any complete week'} for {branch or 'the provider'}")
    sections: dict[str, list[Row]] = {}
    for row in rows:
        sections.setdefault(row["section"], []).append(row)
    monday: date = rows[0]["business_day"]
    lines = [f"# {'All branches' if who == '*' else f'Branch {who}'}, week {week}", ""]
    lines.append(f"{monday} to {monday + timedelta(days=6)}. {_state(rows[0], sections)}")
    if is_newest and (later := conn.execute(_WAITING, {"who": who, "week": week}).fetchone()):
        lines += [
            "",
            f"Week {later['iso_week']} is not whole yet, {later['days_loaded']} of 7 days are loaded"
            " to their end: a branch west of the provider's clock ends its day after the night's load.",
        ]
    for name, heading in _HEADINGS.items():
        shown = sections.get(name, [])
        if name == "volume_topic":
            shown = shown[:MOST_TOPICS]
        if shown:
            lines += ["", f"## {heading}", "", *_table(name, shown)]
        elif name == "surge":
            lines += ["", f"## {heading}", "", "None."]
    lines += _said(sections)
    lines += [
        "",
        "Usual: 95 % of weeks lie in this range, by the up to eight complete weeks before. A verdict other than"
        " usual has a false discovery rate of at most 5 % among the lines of its table.",
    ]
    return "\n".join(lines) + "\n"


def _state(row: Row, sections: Mapping[str, list[Row]]) -> str:
    if not row["is_complete"]:
        return f"**Incomplete: {row['days_loaded']} of 7 days are loaded; nothing is compared.**"
    total = sections.get("volume", [None])[0]
    if total is None:
        return "No contacts."
    change = "" if total["change"] is None else f", {total['change']:+.0%} on the week before"
    return f"{total['value']:,.0f} contacts{change}: {_VERDICTS.get(total['verdict'], total['verdict'])}."


def _table(section: str, rows: Iterable[Row]) -> list[str]:
    if section == "surge":
        heads = ["topic", "contacts", "expected", "days", "verdict", "note"]
        body = [
            [r["title"], _number(r, "value"), _number(r, "expected"), str(r["observations"]), _verdict(r), r["note"]]
            for r in rows
        ]
    elif section.startswith("volume"):
        heads = ["", "contacts", "week before", "change", "usual", "verdict"]
        body = [
            [r["title"], _number(r, "value"), _number(r, "value_before"), _change(r), _range(r, "usual"), _verdict(r)]
            for r in rows
        ]
    else:
        heads = ["", "value", "95 % interval", "of", "week before", "usual", "verdict"]
        body = [
            [_FIGURES.get(r["item"], r["title"]), _number(r, "value"), _range(r, "value"), f"{r['observations']:,}",
             _number(r, "value_before"), _range(r, "usual"), _verdict(r)]
            for r in rows
        ]  # fmt: skip
    return [_line(heads), _line(["---"] * len(heads)), *map(_line, body)]


def _said(sections: Mapping[str, list[Row]]) -> list[str]:
    lines: list[str] = []
    risen = [r for r in sections.get("words", []) if r["topic_id"] is None][:MOST_FIGURES_OF_WORDS]
    if risen:
        lines += ["", "## Words that rose in comments", ""]
        for r in risen:
            word = r["item"].split("|", 1)[1]
            expected = 0.0 if r["expected"] is None else r["expected"]
            lines.append(
                f"- **{word}**: {r['events']:.0f} of {r['observations']} comments, {expected:.1f} expected: {r['note']}"
            )
    by_topic = [r for r in sections.get("comments", []) if r["topic_id"] is not None]
    if by_topic:
        lines += ["", "## What dissatisfied subscribers said", ""]
        for r in sorted(by_topic, key=lambda r: (-r["events"], r["item"]))[:MOST_TOPICS]:
            lines.append(f"- {r['title']} ({r['events']:.0f} of {r['observations']} comments): {r['note']}")
    return lines


def at_risk(conn: Conn, branch: str | None = None, limit: int = 20) -> str:
    """The first ``limit`` subscribers of the list, each with the reasons, as Markdown; ids only, no phone numbers."""
    rows = conn.execute(_AT_RISK, {"branch": branch, "limit": limit}).fetchall()
    lines = ["# Subscribers to look after", ""]
    if not rows:
        return "\n".join([*lines, "None.", ""])
    lines.append(f"Bad experiences of the 28 days up to {rows[0]['as_of_day']}. The shares are what was observed of"
                 " others with a like experience, not a forecast for one person.")  # fmt: skip
    place = None
    for r in rows:
        if r["place"] != place:
            place = r["place"]
            since = "" if r["customer_for_days"] is None else f", customer for {r['customer_for_days']} days"
            lines += ["", f"## {place}. {r['subscriber_id']} ({r['branch_id']}, {r['technology']}{since})", ""]
        lines.append(f"- {r['title']}: {r['events']}x, last on {r['last_day']} ({r['last_reference']}){_like(r)}")
    return "\n".join(lines) + "\n"


def _like(row: Row) -> str:
    if row["like_churn_share_30d"] is None:
        return ""
    low, high = row["like_churn_share_30d_low"], row["like_churn_share_30d_high"]
    return f"; of {row['like_subscribers']:,} like it {row['like_churn_share_30d']:.1%} left in 30 days" + (
        f" ({low:.1%} to {high:.1%})" if low is not None else ""
    )


def _number(row: Row, name: str) -> str:
    value = row[name]
    if value is None:
        return "-"
    return {"count": f"{value:,.0f}", "rate": f"{value:.1%}"}.get(row["kind"], f"{value:,.1f} s")


def _range(row: Row, name: str) -> str:
    low, high = f"{name}_low", f"{name}_high"
    return "-" if row[low] is None else f"{_number(row, low)} to {_number(row, high)}"


def _change(row: Row) -> str:
    return "-" if row["change"] is None else f"{row['change']:+.0%}"


def _verdict(row: Row) -> str:
    told = _VERDICTS.get(row["verdict"], row["verdict"])
    return told if told in ("usual", "-", "incomplete") else f"**{told}**"


def _line(cells: Iterable[str | None]) -> str:
    return "| " + " | ".join((c or "").replace("|", "/") for c in cells) + " |"
