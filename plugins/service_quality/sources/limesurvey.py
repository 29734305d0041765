"""LimeSurvey's RemoteControl 2: JSON-RPC over HTTP with a session key.

Its failures are answers with HTTP 200 and ``{"status": "..."}`` where a result is expected.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from service_quality.sources.base import SourceError

Response = dict[str, Any]

TRIES = 5
_LONGEST_WAIT_SECONDS = 60.0
_TIMEOUT_SECONDS = 120.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_METHOD_PATH = "remotecontrol"


class _Busy(Exception):
    """The server cannot answer now."""


class LimeSurvey:
    """A session on a LimeSurvey server, from ``with`` to the end of its block.

    ``url``: ``http(s)://user:password@host[:port][/folder]``; ``path``: where RemoteControl answers below
    it. Server errors, refused connections and time-outs are tried ``TRIES`` times, ``wait_seconds`` apart
    and twice as long each time. All failures are SourceError; none shows the password.
    """

    def __init__(self, url: str, path: str, wait_seconds: float = 1.0) -> None:
        """Nothing is sent before the ``with`` block. Raises SourceError when ``url`` cannot be one."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceError(f"the survey connection must be http(s)://user:password@host, not {parts.scheme}://")
        if not parts.username:
            raise SourceError(f"the survey connection to {parts.hostname} has no user and password in its URL")
        self._user, self._password = unquote(parts.username), unquote(parts.password or "")
        self.endpoint = _endpoint(url, path)
        # A proxy of the environment has no way to this machine's own addresses.
        self._client = httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=parts.hostname not in _LOOPBACK)
        self._retry = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(multiplier=wait_seconds, max=_LONGEST_WAIT_SECONDS),
            retry=retry_if_exception_type((_Busy, httpx.TransportError)),
            reraise=True,
        )
        self._key = ""

    def __enter__(self) -> Self:
        """Log in."""
        try:
            self._key = self._new_key()
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log out; a server that refuses that is left alone."""
        try:
            with contextlib.suppress(SourceError, httpx.HTTPError, _Busy):
                self._post("release_session_key", [self._key])
        finally:
            self._client.close()

    def responses(
        self, survey_id: str, first: int, last: int | None, language: str | None, fields: list[str] | None = None
    ) -> list[Response]:
        """Responses with ids ``first`` to ``last`` (None: to the end), finished or not, answers as codes.

        ``fields`` limits what is exported of each. "No Data" is an empty list. Raises SourceError naming
        the survey.
        """
        survey: int | str = int(survey_id) if survey_id.isdigit() else survey_id
        params = [survey, "json", language, "all", "code", "short", first, last]
        try:
            result = self._in_session("export_responses", [*params, fields] if fields else params)
        except SourceError as error:
            raise SourceError(f"survey {survey_id}: {error}") from None
        if (status := _status(result)) is not None:
            if status.lower().startswith("no data"):
                return []
            raise SourceError(f"survey {survey_id}: {self.endpoint} refuses the export: {status}")
        return [r for r in _decode(survey_id, result) if _is_within(r, first, last)]

    def _in_session(self, method: str, params: list[Any]) -> Any:
        result = self._call(method, [self._key, *params])
        if (_status(result) or "").lower().startswith("invalid session key"):
            self._key = self._new_key()
            result = self._call(method, [self._key, *params])
        return result

    def _new_key(self) -> str:
        result = self._call("get_session_key", [self._user, self._password])
        if not isinstance(result, str) or not result:
            told = _status(result) or "no session key"
            raise SourceError(f"{self.endpoint}: login refused: {told}; check user and password of the connection")
        return result

    def _call(self, method: str, params: list[Any]) -> Any:
        try:
            return self._retry(self._post, method, params)
        except (_Busy, httpx.TransportError) as error:
            told = str(error) or type(error).__name__
            raise SourceError(f"{self.endpoint}: no answer to {method} in {TRIES} tries: {told}") from None

    def _post(self, method: str, params: list[Any]) -> Any:
        answer = self._client.post(self.endpoint, json={"method": method, "params": params, "id": 1})
        if answer.status_code >= 500 or answer.status_code == 429:
            raise _Busy(f"HTTP {answer.status_code}")
        if answer.status_code != 200:
            raise SourceError(f"{self.endpoint}: HTTP {answer.status_code}; is survey.path right?")
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or "result" not in body:
            raise SourceError(
                f"{self.endpoint}: the answer is not JSON-RPC; RemoteControl must be switched on as JSON-RPC "
                "(Global settings, Interfaces) and survey.path must lead to it"
            )
        if body.get("error"):
            raise SourceError(f"{self.endpoint}: {method} failed: {body['error']}")
        return body["result"]


def _endpoint(url: str, path: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    folder, scheme = parts.path.rstrip("/"), parts.scheme
    if folder in ("/http", "/https"):  # how Airflow writes the scheme of an HTTP connection
        folder, scheme = "", folder.strip("/")
    if not folder.endswith(_METHOD_PATH):
        folder = f"{folder}/{path.lstrip('/')}"
    return urlunsplit((scheme, host, folder, "", ""))


def _status(result: Any) -> str | None:
    """The status in place of a result; None when ``result`` is none."""
    return str(result["status"]) if isinstance(result, dict) and "status" in result else None


def _decode(survey_id: str, result: Any) -> list[Response]:
    try:
        content = base64.b64decode(result, validate=False).decode("utf-8-sig")
        found = json.loads(content)["responses"] if content.strip() else []
    except (TypeError, ValueError, KeyError, binascii.Error) as error:
        raise SourceError(f"survey {survey_id}: the export cannot be decoded: {error!r:.200}") from None
    return [_flat(r) for r in (found.values() if isinstance(found, dict) else found)]


def _flat(response: Response) -> Response:
    """Older servers wrap each response: ``{"12": {...}}``."""
    if len(response) == 1:
        ((outer, inner),) = response.items()
        if isinstance(inner, dict):
            return {"id": outer, **inner}
    return response


def response_id(response: Response) -> int | None:
    """The id; None when it is missing or no number."""
    text = str(response.get("id", "")).strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _is_within(response: Response, first: int, last: int | None) -> bool:
    number = response_id(response)
    return number is None or (number >= first and (last is None or number <= last))
