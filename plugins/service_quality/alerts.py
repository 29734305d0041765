"""Who is told when a night goes wrong, and in which words.

Every alert is logged. ``QUALITY_ALERT_WEBHOOK`` (a URL that takes ``{"text": ...}``, as Slack, Mattermost or
Teams do) and ``QUALITY_ALERT_EMAIL`` (comma-separated; Airflow's connection ``smtp_default`` sends) add two
ways out. An alert that cannot be delivered never fails a task; credentials never leave in one.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

log = logging.getLogger("service_quality.alerts")

LONGEST = 3000  # characters of an error that are worth sending
MOST_SURGES = 20  # lines of one alert

_SECRETS = (
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@]+@", re.IGNORECASE), r"\1:***@"),
    (re.compile(r"\b(password|passwd|pwd|token|secret|api_?key)(['\"]?\s*[=:]\s*)['\"]?[^\s'\",;&]+",
                re.IGNORECASE), r"\1\2***"),
)  # fmt: skip


def task_failed(context: Mapping[str, Any]) -> None:
    """Airflow's ``on_failure_callback``: tell what failed, why, who owns it and what to do."""
    send(*failure_text(context))


def deadline_missed(context: Mapping[str, Any], **_: Any) -> None:
    """Airflow's deadline callback: the morning's marts are late."""
    run, deadline = context["dag_run"], context.get("deadline") or {}
    send(
        f"{run['dag_id']} missed its deadline",
        f"Run {run['dag_run_id']} should have published by {deadline.get('deadline_time') or '(see the DAG)'};"
        " readers still see the previous numbers.\n"
        "To do: see which task runs or waits; `quality status` names loads that are held.",
    )


def stale_sources(sources: list[str]) -> None:
    """The morning's marts are built without these sources' last night."""
    send(
        f"Built without fresh data of: {', '.join(sources)}",
        "Their columns keep the last loaded state and say so. To do: see their ingest runs; when a load is held,"
        " `quality release LOAD` or `quality reject LOAD` decides it, and the next build takes it in.",
    )


def topic_surges(build_id: int) -> None:
    """Topics that are called about far more than usual, each surge once; silent when there are none.

    They count as told when the alert was delivered. What was not is tried again after the next publication, as long as
    the surge runs. A process that dies between the two tells a surge twice, which is better than never.
    """
    from service_quality import runner

    found = runner.surges_to_tell()
    if found and send(*surge_text(found)):
        runner.surges_told(build_id, found)


def surge_text(found: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Subject and body for surges, the largest excess first."""
    from service_quality import surge_news

    first = found[0]
    where = "all branches" if first["branch_id"] == "*" else first["branch_id"]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    lines = [surge_news.in_words(dict(row)) for row in found[:MOST_SURGES]]
    if len(found) > MOST_SURGES:
        lines.append(f"... {len(found) - MOST_SURGES} more: `quality surges` lists all")
    lines.append(
        "To do: take special measures, and note them in the CRM with the surge's id in brackets, so that the review"
        " sees how soon they began and what came after. `quality surges` shows the ones that run."
    )
    return f"Topic surge: {first['topic_id']} in {where}{more}", "\n".join(lines)


def failure_text(context: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and body for a failed task. Held data is told apart from broken machinery."""
    task = context.get("task_instance") or context.get("ti")
    error = context.get("exception")
    dag_id, task_id = getattr(task, "dag_id", "?"), getattr(task, "task_id", "?")
    held = type(error).__name__ in ("LoadHeld", "BuildHeld")
    what = str(error) if error else "the process ended without an error message (killed or lost)"
    lines = [
        what[:LONGEST] + (" ..." if len(what) > LONGEST else ""),
        f"Owner: {getattr(context.get('task'), 'owner', None) or 'unknown'}."
        f" Run: {context.get('run_id', '?')}, try {getattr(task, 'try_number', '?')}.",
    ]
    if held:
        lines.append("The marts stay as they were.")
    if url := getattr(task, "log_url", None):
        lines.append(f"Log: {url}")
    return f"{dag_id}: {'data held' if held else 'failed'} at {task_id}", "\n".join(lines)


def send(subject: str, body: str) -> bool:
    """Log the alert and deliver it in every configured way. Never raises.

    True when somebody can know: it went out in at least one way, or the log is the only way there is.
    """
    subject, body = redact(subject), redact(body)
    log.error("ALERT %s\n%s", subject, body)
    ways = 0
    delivered = 0
    for variable, deliver in (("QUALITY_ALERT_WEBHOOK", _webhook), ("QUALITY_ALERT_EMAIL", _email)):
        if target := os.environ.get(variable):
            ways += 1
            try:
                deliver(target, subject, body)
                delivered += 1
            except Exception as error:  # noqa: BLE001 a mute alarm must not break the night as well
                log.warning("the alert was not delivered by %s: %s", variable, type(error).__name__)
    return delivered > 0 or ways == 0


def redact(text: str) -> str:
    """``text`` without passwords of URLs and without values that are called secrets."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _webhook(url: str, subject: str, body: str) -> None:
    import httpx

    httpx.post(url, json={"text": f"*{subject}*\n{body}"}, timeout=10).raise_for_status()


def _email(recipients: str, subject: str, body: str) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    to = [address.strip() for address in recipients.split(",") if address.strip()]
    with SmtpHook(smtp_conn_id="smtp_default") as smtp:
        smtp.send_email_smtp(to=to, subject=subject, html_content=_as_html(body))


def _as_html(text: str) -> str:
    import html

    return f"<pre>{html.escape(text)}</pre>"
