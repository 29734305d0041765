"""Call-back surveys from a LimeSurvey server.

The server exports by response id only. With what was loaded before, the source reads back from the newest
known response until a whole page is older than ``reread_days`` before the window, then forward to the
end; without, it reads all. It gives

- every response last dated (finished, changed or begun) within the window, so one that was begun in an
  earlier night and finished in this one comes again, as a newer version;
- responses dated up to ``reread_days`` before the window that were incomplete when last loaded, or have a
  higher id than any loaded: finished, or brought in by an interviewer, with a date in the past.

A survey that is not "date stamped" has no dates (LimeSurvey writes 1980-01-01 as date of finishing). Its
responses are taken by id, once, and dated with the last second of the window that found them; one
finished after it was loaded as incomplete is not noticed: date-stamp the surveys. Dates are the server's
local time; in the doubled autumn hour a response is finished after it was begun.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from service_quality.config import SURVEY_MEANINGS, Survey, SurveyServer
from service_quality.contract import BY_NAME
from service_quality.sources import convert
from service_quality.sources.base import Extracted, SourceError
from service_quality.sources.limesurvey import LimeSurvey, Response, response_id
from service_quality.window import Window

TABLE = BY_NAME["survey_responses"]

_NOT_DATED = "1980-01-01"
_METADATA = frozenset(
    {"id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp", "ipaddr", "refurl", "token"}
)

Row = dict[str, str | None]
Export = Callable[[int, int | None], list[Response]]


@dataclass(frozen=True)
class Loaded:
    """What is known of a survey: the newest response id and the ids last seen incomplete."""

    newest: int = 0
    incomplete: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class _Dates:
    """A response's instants (UTC); ``unread``: column -> text that is no date."""

    started: datetime | None
    stamped: datetime | None
    submitted: datetime | None
    is_complete: bool
    unread: Mapping[str, str]

    @property
    def last(self) -> datetime | None:
        return max((d for d in (self.started, self.stamped, self.submitted) if d), default=None)


class SurveySource:
    """The surveys in ``config`` on the server at ``url``."""

    def __init__(
        self,
        config: SurveyServer,
        url: str,
        history_max: Mapping[str, int] | None = None,
        incomplete: Mapping[str, Collection[int]] | None = None,
        wait_seconds: float = 1.0,
    ) -> None:
        """What is loaded already, by survey id: the highest response id and the ids last seen incomplete.

        ``wait_seconds``: pause before the first repeated try; see ``LimeSurvey``.
        """
        self._config, self._url, self._wait = config, url, wait_seconds
        self._zone = ZoneInfo(config.time_zone)
        self._loaded = {
            survey: Loaded(newest, frozenset((incomplete or {}).get(survey, ())))
            for survey, newest in (history_max or {}).items()
        }

    def read(self, window: Window) -> Iterator[Extracted]:
        """Batches of at most ``page_responses`` rows. Raises SourceError."""
        with LimeSurvey(self._url, self._config.path, self._wait) as server:
            for place, survey in enumerate(self._config.surveys):
                yield from self._read_survey(server, survey, place, window)

    def _read_survey(self, server: LimeSurvey, survey: Survey, place: int, window: Window) -> Iterator[Extracted]:
        headings: set[str] = set()
        for page in self._pages(server, survey, window):
            headings.update(*page)
            rows = [row for r in page if (row := self._row(survey, r, window)) is not None]
            if rows:
                yield Extracted(TABLE, self._batch(rows))
        if headings:
            _check_questions(survey, place, headings)

    def _pages(self, server: LimeSurvey, survey: Survey, window: Window) -> Iterator[list[Response]]:
        def export(first: int, last: int | None) -> list[Response]:
            fields = ["id"] if last is None else None
            return server.responses(survey.survey_id, first, last, survey.language, fields)

        newest = self._newest(survey)
        yield from self._backward(export, newest, self._floor(window))
        yield from self._forward(export, newest + 1, survey.survey_id)

    def _backward(self, export: Export, last: int, floor: datetime) -> Iterator[list[Response]]:
        while last >= 1:
            first = max(1, last - self._config.page_responses + 1)
            page = export(first, last)
            yield page
            moments = [self._dates(r).last for r in page]
            if page and all(m is None or m < floor for m in moments):
                return
            last = first - 1

    def _forward(self, export: Export, first: int, survey_id: str) -> Iterator[list[Response]]:
        size = self._config.page_responses
        while True:
            if page := export(first, first + size - 1):
                yield page
            if any(response_id(r) is not None for r in page):
                first += size
                continue
            # Deleted responses leave gaps, so an empty page is not the end.
            following = [i for r in export(first, None) if (i := response_id(r)) is not None]
            if not following:
                return
            if min(following) < first + size:
                raise SourceError(f"survey {survey_id}: response {min(following)} is listed but not exported")
            first = min(following)

    def _row(self, survey: Survey, response: Response, window: Window) -> Row | None:
        """The response as our columns, as text; None when it does not belong to the window."""
        dates, number = self._dates(response), response_id(response)
        if not self._belongs(survey, number, dates.last, window):
            return None
        updated = dates.last or window.end - timedelta(seconds=1)
        submitted = dates.submitted or (updated if dates.is_complete else None)
        shown_id = str(response.get("id", "")).strip() or None
        row: Row = {
            "survey_id": survey.survey_id,
            "response_id": shown_id,
            "survey_kind": survey.kind,
            "started_at": dates.unread.get("started_at") or _iso(dates.started),
            "submitted_at": dates.unread.get("submitted_at") or _iso(submitted),
            "updated_at": dates.unread.get("updated_at") or _iso(updated),
            "is_complete": "true" if dates.is_complete else "false",
        }
        for meaning in SURVEY_MEANINGS:
            row[meaning] = _answer(survey, meaning, response)
        return row

    def _belongs(self, survey: Survey, number: int | None, at: datetime | None, window: Window) -> bool:
        is_new = number is None or number > self._newest(survey)
        if at is None:
            return is_new
        if at in window:
            return True
        known = self._loaded.get(survey.survey_id)
        if known is None or not self._floor(window) <= at < window.start:
            return False
        return is_new or number in known.incomplete

    def _newest(self, survey: Survey) -> int:
        return self._loaded.get(survey.survey_id, Loaded()).newest

    def _floor(self, window: Window) -> datetime:
        return window.start - timedelta(days=self._config.reread_days)

    def _dates(self, response: Response) -> _Dates:
        unread: dict[str, str] = {}

        def read(heading: str, column: str, not_before: datetime | None = None) -> datetime | None:
            text = _text(response.get(heading))
            if text is None or text.startswith(_NOT_DATED):
                return None
            try:
                first, second = (convert.instant(text, self._zone, fold) for fold in (0, 1))
            except (ValueError, OverflowError):
                unread[column] = text
                return None
            return second if not_before and first < not_before <= second else first

        started = read("startdate", "started_at")
        stamped = read("datestamp", "updated_at", started)
        submitted = read("submitdate", "submitted_at", started)
        return _Dates(started, stamped, submitted, _text(response.get("submitdate")) is not None, unread)

    def _batch(self, rows: list[Row]) -> pa.RecordBatch:
        columns = {c.name: pa.array([r[c.name] for r in rows], pa.string()) for c in TABLE.columns}
        references = [f"survey={r['survey_id']},response={r['response_id']}" for r in rows]
        return convert.to_batch(TABLE, columns, self._zone, references)


def _check_questions(survey: Survey, place: int, headings: set[str]) -> None:
    """A question code that no response has is a mistake in the configuration, not an unanswered question."""
    for meaning, code in survey.questions.items():
        if code not in headings:
            raise SourceError(
                f"survey {survey.survey_id} has no question '{code}' (survey.surveys.{place}.questions.{meaning}); "
                f"it has {', '.join(sorted(headings - _METADATA))}"
            )


def _answer(survey: Survey, meaning: str, response: Response) -> str | None:
    code = survey.questions.get(meaning)
    text = _text(response.get(code)) if code is not None else None
    return text if text is None else survey.values.get(meaning, {}).get(text, text)


def _text(value: object) -> str | None:
    return (convert.plain(value).strip() or None) if value is not None else None


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
