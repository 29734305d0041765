"""Alerts: the right words, no secrets, and never a second failure."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from service_quality import alerts, runner
from service_quality.runner import LoadHeld


@pytest.fixture(autouse=True)
def no_ways_out(monkeypatch):
    for name in ("QUALITY_ALERT_WEBHOOK", "QUALITY_ALERT_EMAIL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def webhook(monkeypatch):
    """A server that keeps what is posted; ``status`` is what it answers."""
    received: list[dict] = []
    kept = SimpleNamespace(received=received, status=200)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(kept.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("QUALITY_ALERT_WEBHOOK", f"http://127.0.0.1:{server.server_port}/hook")
    yield kept
    server.shutdown()
    server.server_close()


def context(error: BaseException | None) -> dict:
    return {
        "task_instance": SimpleNamespace(dag_id="ingest_crm", task_id="gate", try_number=1, log_url="http://af/log"),
        "task": SimpleNamespace(owner="crm-data"),
        "run_id": "scheduled__2026-11-07",
        "exception": error,
    }


def test_a_held_load_says_what_who_and_that_the_marts_stay(webhook):
    alerts.task_failed(context(LoadHeld("CRM-004: observed 3, expected 40 .. 160")))
    (posted,) = webhook.received
    text = posted["text"]
    for part in (
        "ingest_crm: data held at gate",
        "observed 3, expected 40 .. 160",
        "crm-data",
        "marts stay",
        "http://af/log",
    ):
        assert part in text


def test_a_broken_task_is_no_held_data(webhook):
    alerts.task_failed(context(OSError("disk full")))
    text = webhook.received[0]["text"]
    assert "ingest_crm: failed at gate" in text and "disk full" in text and "marts stay" not in text


def test_a_process_that_was_killed_has_no_exception(webhook):
    alerts.task_failed(context(None))
    assert "without an error message" in webhook.received[0]["text"]


def test_a_missed_deadline_names_run_and_moment(webhook):
    run = {"dag_id": "build_quality_marts", "dag_run_id": "scheduled__x"}
    alerts.deadline_missed({"dag_run": run, "deadline": {"deadline_time": "2026-11-07T07:00:00Z"}})
    text = webhook.received[0]["text"]
    assert "build_quality_marts missed its deadline" in text and "scheduled__x" in text and "07:00" in text


def test_stale_sources_are_named(webhook):
    alerts.stale_sources(["crm", "survey"])
    assert "crm, survey" in webhook.received[0]["text"]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("cannot reach postgresql://crm:s3cr3t@db:5432/crm", "s3cr3t"),
        ("mysql+pymysql://u:p%40ss@h/x failed", "p%40ss"),
        ("FATAL: password=hunter2 rejected", "hunter2"),
        ('{"token": "abc123"}', "abc123"),
        ("api_key: k-42, retry", "k-42"),
    ],
)
def test_secrets_do_not_leave(webhook, caplog, text, secret):
    alerts.send("failed", text)
    assert secret not in webhook.received[0]["text"]
    assert secret not in caplog.text
    assert "***" in webhook.received[0]["text"]


def test_a_long_error_is_cut(webhook):
    alerts.task_failed(context(RuntimeError("x" * 100_000)))
    assert len(webhook.received[0]["text"]) < alerts.LONGEST + 500


def test_a_mute_webhook_does_not_fail_the_task(webhook, caplog):
    webhook.status = 500
    alerts.task_failed(context(OSError("disk full")))
    assert "was not delivered" in caplog.text
    assert "disk full" in caplog.text, "the log always has it"


def test_an_email_goes_to_all_recipients(monkeypatch):
    from airflow.providers.smtp.hooks import smtp

    sent: list[dict] = []

    class Hook:
        def __init__(self, smtp_conn_id):
            assert smtp_conn_id == "smtp_default"

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def send_email_smtp(self, **kwargs):
            sent.append(kwargs)

    monkeypatch.setattr(smtp, "SmtpHook", Hook)
    monkeypatch.setenv("QUALITY_ALERT_EMAIL", "a@example.org, b@example.org")
    alerts.send("failed", "a < b")
    assert sent == [
        {"to": ["a@example.org", "b@example.org"], "subject": "failed", "html_content": "<pre>a &lt; b</pre>"}
    ]


def surge(**changes):
    return {
        "branch_id": "nsk", "topic_id": "no_internet", "business_day": "2026-10-13", "contacts": 29, "expected": 9.44,
        "excess": 19.56, "leading_branch_id": None, "surge_start": "2026-10-13", "surge_days": 1, "outage_id": None,
        "outage_contacts": 0, "surge_id": "nsk|no_internet|2026-10-13", **changes,
    }  # fmt: skip


@pytest.fixture
def told(monkeypatch):
    """What is to be told, and what was noted as told."""
    kept = SimpleNamespace(found=[], noted=[])
    monkeypatch.setattr(runner, "surges_to_tell", lambda: kept.found)
    monkeypatch.setattr(runner, "surges_told", lambda build_id, found: kept.noted.append((build_id, len(found))))
    return kept


def test_new_surges_are_told_with_their_figures_and_what_to_do(webhook, told):
    everywhere = surge(branch_id="*", leading_branch_id="nsk", outage_contacts=8, outage_id="OUT-7", surge_days=3)
    told.found = [surge(), everywhere]
    alerts.topic_surges(7)
    (posted,) = webhook.received
    for part in (
        "Topic surge: no_internet in nsk and 1 more",
        "no_internet in nsk, new: 29 contacts on 2026-10-13, 9.4 expected [nsk|no_internet|2026-10-13]",
        "no_internet in all branches, since 2026-10-13",
        "most of it in nsk; 8 belong to outage OUT-7",
        "special measures",
    ):
        assert part in posted["text"], part
    assert told.noted == [(7, 2)]


def test_no_surge_is_no_alert_and_many_are_one_message(webhook, told):
    alerts.topic_surges(7)
    assert webhook.received == [] and told.noted == []
    told.found = [surge(topic_id=f"t{n}") for n in range(25)]
    alerts.topic_surges(7)
    (posted,) = webhook.received
    assert "t19 in nsk" in posted["text"] and "t20" not in posted["text"] and "5 more" in posted["text"]


def test_a_surge_counts_as_told_when_somebody_heard_of_it(webhook, told, monkeypatch):
    """A webhook that answers 500 tells nobody; with an e-mail beside it that goes out, somebody knows."""
    told.found = [surge()]
    webhook.status = 500
    alerts.topic_surges(7)
    assert len(webhook.received) == 1 and told.noted == []
    monkeypatch.setenv("QUALITY_ALERT_EMAIL", "a@example.org")
    monkeypatch.setattr(alerts, "_email", lambda *_: None)
    alerts.topic_surges(8)
    assert told.noted == [(8, 1)]
