"""A small LimeSurvey on a loopback port, for tests: RemoteControl 2 as the real one answers it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USER, PASSWORD = "robot", "s3cret:p@ss"
NO_TABLE = "No Data, survey table does not exist."
NO_MAX_ID = "No Data, could not get max id."


@dataclass
class FakeLimeSurvey:
    """``surveys``: survey id -> responses by id; None for a survey that was never activated."""

    port: int = 0
    surveys: dict[int, list[dict[str, Any]] | None] = field(default_factory=dict)
    wrapped: bool = False  # the older servers' {"12": {...}}
    calls_per_key: int = 1_000_000  # a key is worn out after so many exports
    failures: list[int] = field(default_factory=list)  # HTTP codes of the next answers; 0 drops the connection
    status: str | None = None  # answered to every export
    raw_answer: bytes | None = None  # body of every answer
    forbidden: frozenset[int] = frozenset()
    keys: dict[str, int] = field(default_factory=dict)
    keys_made: int = 0
    released: list[str] = field(default_factory=list)
    exports: list[tuple[int, int | None, int]] = field(default_factory=list)  # first, last, rows given

    @property
    def url(self) -> str:
        return f"http://{USER}:s3cret%3Ap%40ss@127.0.0.1:{self.port}"

    def call(self, method: str, params: list[Any]) -> Any:
        if method == "get_session_key":
            return self._log_in(*params)
        if method == "release_session_key":
            self.released.append(params[0])
            return "OK" if self.keys.pop(params[0], None) is not None else {"status": "Invalid session key"}
        if method == "export_responses":
            return self._export(*params)
        return {"status": f"no such method {method}"}

    def _log_in(self, user: str, password: str) -> Any:
        if (user, password) != (USER, PASSWORD):
            return {"status": "Invalid user name or password"}
        self.keys_made += 1
        key = f"key{self.keys_made}"
        self.keys[key] = self.calls_per_key
        return key

    def _export(
        self, key, sid, kind, language=None, completion="all", heading="code", answers="full",
        first=None, last=None, fields=None,
    ) -> Any:  # fmt: skip
        if self.keys.get(key, 0) < 1:
            return {"status": "Invalid session key"}
        self.keys[key] -= 1
        assert (kind, completion, heading, answers) == ("json", "all", "code", "short")
        if self.status or sid in self.forbidden:
            return {"status": self.status or "No permission"}
        if language not in (None, "ru"):
            return {"status": "Language code not found for this survey."}
        if sid not in self.surveys or self.surveys[sid] is None:
            return {"status": NO_TABLE}
        responses = self.surveys[sid] or []
        if not responses:
            return {"status": NO_MAX_ID}
        last_id = last if last is not None else max(int(r["id"]) for r in responses)
        chosen = [r for r in responses if (first or 1) <= int(r["id"]) <= last_id]
        self.exports.append((first, last, len(chosen)))
        shown = [{k: v for k, v in r.items() if not fields or k in fields} for r in chosen]
        content = [{str(r["id"]): r} for r in shown] if self.wrapped else shown
        return base64.b64encode(json.dumps({"responses": content}).encode()).decode()


@contextmanager
def serve() -> Iterator[FakeLimeSurvey]:
    """A running fake; stops at the end of the block."""
    fake = FakeLimeSurvey()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            code = fake.failures.pop(0) if fake.failures else 200
            if code == 0:
                self.close_connection = True
                return
            if self.path != "/index.php/admin/remotecontrol":
                code = 404
            result = fake.call(body["method"], body["params"]) if code == 200 else None
            answer = fake.raw_answer or json.dumps({"id": body["id"], "result": result, "error": None}).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
