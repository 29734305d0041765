"""What a provider configures, read from ``config/sources.yml`` and checked before anything runs.

``QUALITY_CONFIG_DIR`` replaces the whole folder. ``${NAME}`` and ``${NAME:-default}`` in any text are taken
from the environment. Every error names the file and the key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import date, time
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from service_quality.contract import Source, tables_of

REPO = Path(__file__).resolve().parents[2]
BEGINNING = date(1900, 1, 1)

TopicClass = Literal["marketing", "technical", "client_service"]
Criterion = Literal["service_quality", "readiness_to_help", "politeness", "competence"]
SurveyKind = Literal["connection", "repair", "general"]


class ConfigError(ValueError):
    """The configuration cannot be used; the message names file and key."""


# Read with libyaml where there is one: each task of a night reads the configuration at least twice.
_YAML: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{value}' is no IANA time zone, such as Europe/Moscow") from error
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"'{value}' is no regular expression: {error}") from error
    return value


def _rooted(value: str) -> str:
    """A relative local folder counts from the checkout, wherever the process was started."""
    return value if "://" in value else str(REPO / value)


Spool = Annotated[str, AfterValidator(_rooted)]
ZoneName = Annotated[str, AfterValidator(_zone)]
Pattern = Annotated[str, AfterValidator(_pattern)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phone(_Strict):
    """How numbers are brought to one form before hashing: +7..., 8... and 7... are one person."""

    country_code: str = "7"
    trunk_prefix: str = "8"
    national_digits: int = Field(10, ge=4, le=15)


class BusinessHours(_Strict):
    """Local working hours. ``weekdays``: ISO numbers, 1 is Monday."""

    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = [1, 2, 3, 4, 5]
    opens: time = time(9)
    closes: time = time(18)

    @model_validator(mode="after")
    def _opens_first(self) -> BusinessHours:
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        return self


class Holiday(_Strict):
    """A local day off; for all branches unless ``branch_id`` is given."""

    day: date
    branch_id: str | None = None


class Branch(_Strict):
    """A branch declared here; joins or overrides what the CRM's ``branches`` table says."""

    branch_id: str
    branch_name: str | None = None
    region: str | None = None
    time_zone: ZoneName
    business_hours: BusinessHours | None = None


class Thresholds(_Strict):
    """Limits that turn times into outcomes, in the unit their names carry."""

    service_level_seconds: int = Field(20, ge=0)
    short_abandon_seconds: int = Field(5, ge=0)
    talk_suspect_seconds: int = Field(3600, ge=1)
    rating_match_minutes: int = Field(15, ge=1)


class Provider(_Strict):
    """The provider as a whole. ``time_zone`` sets the midnights between nightly windows."""

    name: str = "provider"
    time_zone: ZoneName = "UTC"
    default_branch_id: str = "main"
    phone: Phone = Phone()
    thresholds: Thresholds = Thresholds()
    business_hours: BusinessHours = BusinessHours()
    holidays: list[Holiday | date] = []

    @property
    def zone(self) -> ZoneInfo:
        """``time_zone`` as an object."""
        return ZoneInfo(self.time_zone)


class Queue(_Strict):
    """What a queue serves and its limits, from local day ``valid_from`` until before ``valid_to``."""

    queue: str
    server_id: str = "*"
    branch_id: str | None = None
    topic_class: TopicClass | None = None
    service_level_seconds: int | None = Field(None, ge=0)
    short_abandon_seconds: int | None = Field(None, ge=0)
    valid_from: date = BEGINNING
    valid_to: date | None = None


class AgentAlias(_Strict):
    """One more name of an operator."""

    alias: str
    operator_id: str
    server_id: str = "*"


class AgentPattern(_Strict):
    """Agent names that ``match`` wholly are read as ``name`` (``\\1`` for groups), then looked up as aliases."""

    match: Pattern
    name: str


class Agents(_Strict):
    """Names under which PBX and IVR know the operators, beside the CRM's ``operator_aliases``."""

    aliases: list[AgentAlias] = []
    patterns: list[AgentPattern] = []


class Crm(_Strict):
    """The CRM. ``tables`` None: every canonical table that has a file in ``crm/``."""

    connection: str = "crm"
    time_zone: ZoneName = "UTC"
    tables: list[str] | None = None
    batch_rows: int = Field(50_000, ge=1)

    @model_validator(mode="after")
    def _known_tables(self) -> Crm:
        known = {t.name for t in tables_of(Source.CRM)}
        for name in self.tables or []:
            if name not in known:
                raise ValueError(f"tables: '{name}' is no canonical table; there are {', '.join(sorted(known))}")
        return self


class FileDrop(_Strict):
    """A spool folder (local path or fsspec URL) and the files of interest in it."""

    spool: Spool
    pattern: str
    encoding: str = "utf-8"


class QueueLogFile(FileDrop):
    """queue_log as files: rotated ones match ``pattern`` too."""

    form: Literal["file"] = "file"
    pattern: str = "queue_log*"


class QueueLogTable(_Strict):
    """queue_log as a realtime table: id, time, callid, queuename, agent, event, data1..data5 (or data)."""

    form: Literal["realtime"]
    connection: str
    table: str = "queue_log"
    time_is_utc: bool = False


CDR_CORE = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip
CDR_OPTIONAL = ("uniqueid", "userfield", "peeraccount", "linkedid", "sequence")


class Cdr(FileDrop):
    """Master.csv. ``columns``: the optional columns after amaflags, in the PBX's order."""

    pattern: str = "Master.csv*"
    columns: list[str] = list(CDR_OPTIONAL)
    time_is_utc: bool = False
    turned_away_userfield: Pattern = r"(^|[^a-z])(qs|queuestatus)=(FULL|JOINEMPTY|JOINUNAVAIL|CLOSED)"
    turned_away_apps: list[str] = ["Queue"]
    inbound_contexts: list[str] = []

    @model_validator(mode="after")
    def _known_columns(self) -> Cdr:
        odd = [c for c in self.columns if c not in CDR_OPTIONAL]
        if odd or len(set(self.columns)) != len(self.columns):
            raise ValueError(f"columns: each of {', '.join(CDR_OPTIONAL)} at most once, not {self.columns}")
        if "uniqueid" not in self.columns:
            raise ValueError("columns: without uniqueid (loguniqueid=yes in cdr.conf) no record can be joined")
        return self


class Server(_Strict):
    """One PBX."""

    server_id: str = "pbx"
    time_zone: ZoneName
    queue_log: Annotated[QueueLogFile | QueueLogTable, Field(discriminator="form")]
    cdr: Cdr | None = None

    @model_validator(mode="before")
    @classmethod
    def _files_by_default(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("queue_log"), dict):
            return {**values, "queue_log": {"form": "file", **values["queue_log"]}}
        return values


class Telephony(_Strict):
    """All PBXs. ``processes``: how many read and land the files at the same time."""

    processes: int = Field(1, ge=1, le=16)
    servers: list[Server] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique_ids(self) -> Telephony:
        ids = [s.server_id for s in self.servers]
        if len(set(ids)) != len(ids):
            raise ValueError("servers: server_id must differ between servers")
        return self


class IvrDrop(FileDrop):
    """Rating files of one PBX. ``columns``: our name -> the file's heading."""

    server_id: str = "pbx"
    time_zone: ZoneName
    pattern: str = "*.csv"
    delimiter: str = Field(",", min_length=1, max_length=1)
    columns: dict[str, str] = {
        "time": "local_time", "callid": "uniqueid", "caller": "caller", "queue": "queue",
        "agent": "agent", "question": "question", "digit": "digit", "read_status": "readstatus",
    }  # fmt: skip
    questions: dict[str, Criterion] = {
        "1": "service_quality", "2": "readiness_to_help", "3": "politeness", "4": "competence",
    }  # fmt: skip

    @model_validator(mode="after")
    def _known_columns(self) -> IvrDrop:
        known = {"time", "callid", "caller", "queue", "agent", "question", "digit", "read_status"}
        if odd := set(self.columns) - known:
            raise ValueError(f"columns: unknown {', '.join(sorted(odd))}; there are {', '.join(sorted(known))}")
        if missing := {"time", "question", "digit"} - set(self.columns):
            raise ValueError(f"columns: {', '.join(sorted(missing))} must be named")
        return self


class Ivr(_Strict):
    """All rating files."""

    drops: list[IvrDrop] = Field(min_length=1)


SURVEY_MEANINGS = (
    "subscriber_id", "phone", "ticket_id", "connection_id", "call_id", "operator_id",
    "is_solved", "is_first_contact", "satisfaction", "recommend", "effort", "comment", "attempt_outcome",
)  # fmt: skip


class Survey(_Strict):
    """One survey. ``questions``: our meaning -> question code; ``values``: meaning -> {answer: ours}."""

    survey_id: str
    kind: SurveyKind
    questions: dict[str, str]
    values: dict[str, dict[str, str]] = {}
    language: str | None = None

    @model_validator(mode="after")
    def _known_meanings(self) -> Survey:
        if odd := (set(self.questions) | set(self.values)) - set(SURVEY_MEANINGS):
            raise ValueError(f"questions: unknown {', '.join(sorted(odd))}; there are {', '.join(SURVEY_MEANINGS)}")
        return self


class SurveyServer(_Strict):
    """A LimeSurvey server. ``path``: where its RemoteControl 2 answers."""

    connection: str = "survey"
    path: str = "/index.php/admin/remotecontrol"
    time_zone: ZoneName = "UTC"
    page_responses: int = Field(500, ge=1)
    reread_days: int = Field(14, ge=0)
    surveys: list[Survey] = Field(min_length=1)


class DueHours(_Strict):
    """Hours after which an owed call-back is late, by what it is owed for."""

    new_connection: int = Field(48, ge=1)
    repair_solved: int = Field(48, ge=1)
    support_solved: int = Field(48, ge=1)
    past_target: int = Field(48, ge=1)
    low_rating: int = Field(48, ge=1)


class Callbacks(_Strict):
    """Which call-backs are owed and until when.

    ``expires_days``: after so many days an owed call is given up, and a ticket that is opened again is another
    matter; ``low_rating``: the highest rating (1 to 5) that owes a call; ``max_attempts``: who was called so often
    without success is on no worklist any more.
    """

    due_hours: DueHours = DueHours()
    expires_days: int = Field(14, ge=1, le=28)
    low_rating: int = Field(2, ge=1, le=5)
    max_attempts: int = Field(5, ge=1)

    @model_validator(mode="after")
    def _due_before_it_expires(self) -> Callbacks:
        for reason, hours in self.due_hours.model_dump().items():
            if hours > 24 * self.expires_days:
                raise ValueError(f"due_hours.{reason}: {hours} hours are more than expires_days, {self.expires_days}")
        return self


class Gate(_Strict):
    """Limits of the like-for-like rules: share of the usual count of the same kind of day."""

    volume_low: float = Field(0.5, ge=0)
    volume_high: float = Field(2.0, ge=1)
    volume_days: int = Field(4, ge=1, description="Comparable days needed before volume is judged.")
    freshness_hours: float = Field(6.0, gt=0)


class Listening(_Strict):
    """Which calls quality staff should listen to, and how what they heard is weighted.

    ``plan_from``: the first day whose calls people listened to by the plan; None: they choose calls themselves.
    """

    calls_per_day: int = Field(28, ge=0)
    targeted_per_day: int = Field(6, ge=0)
    seed: str = Field("quality", pattern=r"^[A-Za-z0-9_-]+$")
    floor_per_operator_month: int = Field(2, ge=0, le=15)
    floor_days: int = Field(4, ge=1, le=15, description="An operator's working days from one floor call to the next.")
    least_talk_seconds: int = Field(30, ge=0)
    long_talk_seconds: tuple[int, int] = (120, 300)
    default_sd: int = Field(15, ge=1, le=50, description="Points, where nothing was heard yet.")
    margin_points: float = Field(3.0, gt=0, description="Wanted half-width of a branch's month.")
    bias_points: float = Field(3.0, ge=0, description="A listener's bias below this is nobody's concern.")
    plan_from: date | None = None

    @model_validator(mode="after")
    def _bands_in_order(self) -> Listening:
        if not self.least_talk_seconds < self.long_talk_seconds[0] < self.long_talk_seconds[1]:
            raise ValueError("long_talk_seconds: two limits in order, both above least_talk_seconds")
        return self


class Conduct(_Strict):
    """What speaks of an operator's conduct. A ticket of these kinds (and, when there are any, topics) that was opened
    after a call ended, at most ``complaint_days`` later, and names that call complains about how it was handled. A
    first reply is late beyond so many business minutes."""

    complaint_kinds: list[str] = ["complaint"]
    complaint_topics: list[str] = []
    complaint_days: int = Field(14, ge=1, le=60)
    late_reply_minutes: int = Field(240, ge=1)


class Settings(_Strict):
    """Everything in ``sources.yml``. A source without a section is not there and its marts say so."""

    provider: Provider = Provider()
    branches: list[Branch] = []
    queues: list[Queue] = []
    agents: Agents = Agents()
    callbacks: Callbacks = Callbacks()
    gate: Gate = Gate()
    listening: Listening = Listening()
    conduct: Conduct = Conduct()
    crm: Crm | None = None
    telephony: Telephony | None = None
    ivr: Ivr | None = None
    survey: SurveyServer | None = None

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """The configured sources."""
        return tuple(s for s in Source if getattr(self, s.value) is not None)


def config_dir() -> Path:
    """``QUALITY_CONFIG_DIR``, else ``config/`` of the checkout."""
    return Path(os.environ.get("QUALITY_CONFIG_DIR") or REPO / "config").resolve()


def load(folder: Path | None = None) -> Settings:
    """Read and check ``sources.yml``. Raises ConfigError naming file and key."""
    path = (folder or config_dir()) / "sources.yml"
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file; QUALITY_CONFIG_DIR names the folder that holds it")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _YAML) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: must be a mapping of sections, such as provider: and telephony:")
    try:
        return Settings.model_validate(_expand(content, path, ""))
    except ValidationError as error:
        raise ConfigError(f"{path}:\n{_explain(error)}") from error


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"] if part not in ("file", "realtime"))
        lines.append(f"  {key or '(top)'}: {problem['msg']} (found {problem['input']!r:.80})")
    return "\n".join(lines)


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def _expand(value: Any, path: Path, key: str) -> Any:
    if isinstance(value, dict):
        return {str(k): _expand(v, path, f"{key}.{k}".lstrip(".")) for k, v in value.items()}
    if isinstance(value, list):
        return [_expand(v, path, f"{key}.{i}") for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        found = os.environ.get(match[1], match[2])
        if found is None:
            raise ConfigError(f"{path}: {key}: the environment variable {match[1]} is not set")
        return found

    return _VARIABLE.sub(replace, value)


Resolver = Callable[[str], str]
"""Connection id -> URL with credentials."""


def connection_from_environment(name: str) -> str:
    """URL of connection ``name`` from ``AIRFLOW_CONN_<NAME>``, so that Airflow and the CLI share them.

    Raises ConfigError when it is not set.
    """
    variable = f"AIRFLOW_CONN_{name.upper()}"
    url = os.environ.get(variable)
    if not url:
        raise ConfigError(f"the connection '{name}' is not set: give its URL in {variable}")
    return url
