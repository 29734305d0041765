"""A survey server that speaks LimeSurvey's RemoteControl 2 (JSON-RPC over HTTP) on loopback.

Failures are answers with HTTP 200 and a ``status``; an export is base64 text; session keys expire.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from demo import surveys

PATHS = ("/index.php/admin/remotecontrol", "/admin/remotecontrol")
INVALID_KEY = {"status": "Invalid session key"}


@dataclass
class Options:
    """How the server behaves. ``key_seconds``: life of a session key; ``fail_every``: each n-th request is
    answered with HTTP 500 (0: none); ``calls_per_key``: a key expires after so many calls (0: by time only)."""

    user: str = "quality"
    password: str = "quality"
    key_seconds: float = 7200.0
    calls_per_key: int = 0
    fail_every: int = 0


@dataclass
class _Session:
    until: float
    calls: int = 0


@dataclass
class RemoteControl:
    """The methods. ``home``: folder of the simulated provider; what it shows is read anew for each call."""

    home: Path
    options: Options = field(default_factory=Options)
    _sessions: dict[str, _Session] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _read_at: tuple[int, int] = (0, 0)

    def call(self, method: str, params: list[Any]) -> Any:
        """Result of one remote call. Raises LookupError for an unknown method, TypeError for wrong parameters."""
        methods: dict[str, Callable[..., Any]] = {
            "get_session_key": self.get_session_key,
            "release_session_key": self.release_session_key,
            "list_surveys": self.list_surveys,
            "export_responses": self.export_responses,
        }
        if method not in methods:
            raise LookupError(method)
        return methods[method](*params)

    def get_session_key(self, username: str, password: str, plugin: str = "Authdb") -> Any:
        """A fresh key, or a status when name or password is wrong."""
        known = secrets.compare_digest(f"{username}\0{password}", f"{self.options.user}\0{self.options.password}")
        if not known:
            return {"status": "Invalid user name or password"}
        key = secrets.token_urlsafe(24)
        with self._lock:
            self._sessions[key] = _Session(time.monotonic() + self.options.key_seconds)
        return key

    def release_session_key(self, key: str) -> str:
        """End a session; OK whether there was one or not."""
        with self._lock:
            self._sessions.pop(key, None)
        return "OK"

    def list_surveys(self, key: str, username: str | None = None) -> Any:
        """All surveys of the user."""
        if not self._is_valid(key):
            return INVALID_KEY
        return [
            {
                "sid": sid, "surveyls_title": title, "startdate": None, "expires": None,
                "active": "N" if sid == surveys.INACTIVE else "Y",
            }
            for sid, title in surveys.TITLES.items()
        ]  # fmt: skip

    def export_responses(
        self, key: str, sid: Any, document: str = "json", language: str | None = None, completion: str = "all",
        heading: str = "code", response_type: str = "short", from_id: Any = None, to_id: Any = None,
        fields: list[str] | None = None,
    ) -> Any:  # fmt: skip
        """Responses of a survey as base64 text of JSON or CSV, or a status."""
        if not self._is_valid(key):
            return INVALID_KEY
        survey = str(sid)
        if survey not in surveys.QUESTIONS:
            return {"status": "No Data, survey table does not exist."}
        if language not in (None, "", "ru", "en"):
            return {"status": "Language code not found for this survey."}
        rows = self._rows(survey)
        if not rows:
            return {"status": "No Data, could not get max id."}
        low, high = int(from_id or 1), int(to_id or rows[-1]["id"])
        wanted = [r for r in rows if low <= int(r["id"]) <= high and _is_wanted(r, completion)]
        if fields:
            wanted = [{k: v for k, v in r.items() if k in fields} for r in wanted]
        text = _as_csv(wanted) if document == "csv" else json.dumps({"responses": wanted})
        return base64.b64encode(text.encode()).decode()

    def _is_valid(self, key: str) -> bool:
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return False
            session.calls += 1
            most = self.options.calls_per_key
            if time.monotonic() >= session.until or (most and session.calls > most):
                del self._sessions[key]
                return False
            return True

    def _rows(self, survey: str) -> list[dict[str, Any]]:
        state = self.home / "state.json"
        if not state.is_file():
            return []
        until = int(json.loads(state.read_text())["shown_until"])
        stored = self.home / "generated" / "surveys.json"
        with self._lock:
            read_at = (stored.stat().st_mtime_ns, stored.stat().st_size)
            if read_at != self._read_at:
                self._tables, self._read_at = json.loads(stored.read_text()), read_at
            table = self._tables[survey]
        return surveys.shown(table, survey, until)


def _is_wanted(row: dict[str, Any], completion: str) -> bool:
    if completion == "complete":
        return row["submitdate"] is not None
    if completion == "incomplete":
        return row["submitdate"] is None
    return True


def _as_csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), delimiter=",", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    remote: RemoteControl
    requests = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.split("?")[0] not in PATHS:
            self._answer(404, b"Not found", "text/plain")
            return
        type(self).requests += 1
        every = self.remote.options.fail_every
        if every and type(self).requests % every == 0:
            self._answer(500, b"<h1>Internal Server Error</h1>", "text/html")
            return
        self._answer(200, json.dumps(self._reply(body)).encode(), "application/json")

    def _reply(self, body: bytes) -> dict[str, Any]:
        number = None
        try:
            request = json.loads(body)
            number = request.get("id")
            result = self.remote.call(request["method"], list(request.get("params") or []))
        except (ValueError, KeyError, AttributeError, LookupError, TypeError) as error:
            problem = f"unknown method or incorrect parameters ({type(error).__name__})"
            return {"id": number, "result": None, "error": problem}
        return {"id": number, "result": result, "error": None}

    def do_GET(self) -> None:
        self._answer(200, b"JSON-RPC is served by POST", "text/plain")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests hold credentials."""


def server(home: Path, port: int = 0, options: Options | None = None) -> ThreadingHTTPServer:
    """A server on loopback, not yet serving; port 0 takes a free one (see ``server_address``)."""
    handler = type("Handler", (_Handler,), {"remote": RemoteControl(home, options or Options()), "requests": 0})
    made = ThreadingHTTPServer(("127.0.0.1", port), handler)
    made.daemon_threads = True
    return made
