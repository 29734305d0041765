"""Who and what the simulated provider consists of: branches, topics, queues, operators, subscribers, plants."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

FIRST_DAY = date(2026, 8, 8)
PROVIDER_ZONE = ZoneInfo("Europe/Moscow")
SUBSCRIBERS = 20_000
TECHNOLOGIES = ("GPON", "FTTB", "ADSL")
TARIFFS = ("Start 100", "Home 300", "Home 500", "Giga 1000", "Home 300 + TV", "Village 20")

Rng = np.random.Generator
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Branch:
    """A branch: its PBX, its share of the subscribers, its team sizes (technical, service, sales)."""

    branch_id: str
    name: str
    region: str
    time_zone: str
    server_id: str
    share: float
    teams: tuple[int, int, int]
    did: str

    @property
    def zone(self) -> ZoneInfo:
        """The branch's time zone."""
        return ZoneInfo(self.time_zone)


BRANCHES = (
    Branch("msk", "Moscow", "Centre", "Europe/Moscow", "msk", 0.28, (7, 5, 3), "74950000100"),
    Branch("ekb", "Yekaterinburg", "Urals", "Asia/Yekaterinburg", "msk", 0.19, (5, 4, 2), "73430000100"),
    Branch("nsk", "Novosibirsk", "Siberia", "Asia/Novosibirsk", "msk", 0.17, (5, 3, 2), "73830000100"),
    Branch("sam", "Samara", "Volga", "Europe/Samara", "msk", 0.14, (4, 3, 2), "78460000100"),
    Branch("kgd", "Kaliningrad", "North-West", "Europe/Kaliningrad", "msk", 0.10, (4, 2, 2), "74012000100"),
    Branch("kiv", "Chisinau", "South-West", "Europe/Chisinau", "kiv", 0.12, (4, 3, 0), "73730000100"),
)
BRANCH = {b.branch_id: b for b in BRANCHES}
SERVER_ZONES = {"msk": "Europe/Moscow", "kiv": "Europe/Chisinau"}

TEAMS = ("technical", "client_service", "marketing")
PREFIX = {"technical": "tech", "client_service": "service", "marketing": "sales"}
QUEUE_TIMEOUT = {"technical": 150, "client_service": 120, "marketing": 60}


@dataclass(frozen=True)
class Queue:
    """A queue serves one class of topics of one branch."""

    name: str
    branch_id: str
    team: str
    server_id: str


QUEUES = tuple(
    Queue(f"{PREFIX[team]}_{b.branch_id}", b.branch_id, team, b.server_id)
    for b in BRANCHES
    for team, size in zip(TEAMS, b.teams, strict=True)
    if size
)
QUEUE = {q.name: q for q in QUEUES}


@dataclass(frozen=True)
class Topic:
    """A topic. ``weight``: share of contacts; ``talk``: median seconds; ``solve``: chance that a contact
    solves it; ``ticket``: chance that a ticket is opened; ``ticket_kind``: fault, request or complaint."""

    topic_id: str
    name: str
    topic_class: str
    weight: float
    talk: int
    solve: float
    ticket: float
    ticket_kind: str
    hard: bool = False


def _topics() -> tuple[Topic, ...]:
    technical = [
        ("no_internet", "No internet", 10.0, 300, 0.66, 0.55, "fault", False),
        ("slow_speed", "Slow speed", 7.0, 330, 0.64, 0.45, "fault", False),
        ("wifi_setup", "Wi-Fi set-up", 6.0, 390, 0.84, 0.08, "request", False),
        ("tv_picture", "No TV picture", 4.0, 270, 0.74, 0.40, "fault", False),
        ("router_fault", "Router out of order", 4.0, 300, 0.70, 0.50, "fault", False),
        ("line_break", "Line break", 3.0, 270, 0.45, 0.80, "fault", True),
        ("packet_loss", "Packet loss", 3.0, 450, 0.38, 0.60, "fault", True),
        ("ont_config", "Optical terminal settings", 2.0, 370, 0.66, 0.35, "request", False),
        ("no_dial_tone", "No dial tone", 2.0, 260, 0.68, 0.50, "fault", False),
    ]
    service = [
        ("bill_question", "Question about a bill", 9.0, 210, 0.90, 0.05, "request", False),
        ("payment_lost", "Payment not credited", 5.0, 200, 0.80, 0.30, "request", False),
        ("contract_change", "Change of contract", 3.0, 280, 0.88, 0.20, "request", False),
        ("address_move", "Move to another address", 2.0, 310, 0.84, 0.40, "request", False),
        ("tariff_change", "Change of tariff", 5.0, 220, 0.93, 0.08, "request", False),
        ("visit_reschedule", "Another day for the visit", 3.0, 140, 0.94, 0.10, "request", False),
        ("service_complaint", "Complaint about service", 2.0, 360, 0.45, 0.75, "complaint", True),
        ("debt_block", "Blocked for debt", 4.0, 180, 0.86, 0.08, "request", False),
    ]
    marketing = [
        ("new_connection", "New connection", 6.0, 300, 0.93, 0.08, "request", False),
        ("connection_delay", "Connection is late", 1.5, 240, 0.50, 0.45, "complaint", True),
        ("promo_question", "Question about an offer", 4.0, 170, 0.95, 0.02, "request", False),
        ("tv_packages", "TV packages", 3.0, 190, 0.95, 0.03, "request", False),
        ("upgrade_gpon", "Move to GPON", 3.0, 270, 0.92, 0.10, "request", False),
        ("retention", "Wants to leave", 2.0, 340, 0.72, 0.10, "request", False),
        ("business_tariff", "Tariffs for business", 1.0, 300, 0.90, 0.03, "request", False),
    ]
    named = (("technical", technical), ("client_service", service), ("marketing", marketing))
    return tuple(
        Topic(code, name, cls, weight, talk, solve, ticket, kind, hard)
        for cls, rows in named
        for code, name, weight, talk, solve, ticket, kind, hard in rows
    )


TOPICS = _topics()
TOPIC = {t.topic_id: t for t in TOPICS}

REMAPPED_TOPIC = "tariff_change"
REMAPPED_ON = date(2026, 10, 1)
REMAPPED_TO = "marketing"


def topic_class(topic_id: str, day: date) -> str:
    """The class ``topic_id`` is mapped to on local ``day``."""
    if topic_id == REMAPPED_TOPIC and day >= REMAPPED_ON:
        return REMAPPED_TO
    return TOPIC[topic_id].topic_class


@dataclass(frozen=True)
class Posting:
    """An operator's place from local day ``since`` until before ``until``."""

    branch_id: str
    team: str
    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether ``day`` lies in the period."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True)
class Login:
    """An operator's account on a PBX: one extension, known under a member name and an interface."""

    server_id: str
    extension: str
    member: str
    interface: str
    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether ``day`` lies in the period."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass
class Operator:
    """A person who takes calls. ``pace`` multiplies talk, ``manner`` shifts the politeness rating."""

    operator_id: str
    first_name: str
    last_name: str
    hired: date
    left: date | None
    rank: int
    postings: list[Posting]
    logins: list[Login] = field(default_factory=list)
    pace: float = 1.0
    skill: float = 0.0
    manner: float = 0.0
    takes_hard: bool = False
    is_rude: bool = False
    waits_for_hang_up: bool = False
    is_slow: bool = False

    def login(self, server_id: str, day: date) -> Login:
        """The account on ``server_id`` on ``day``; the nearest one when none covers it."""
        mine = [one for one in self.logins if one.server_id == server_id]
        return next((one for one in mine if one.covers(day)), mine[-1])


@dataclass(frozen=True)
class Surge:
    """A topic that is ``times`` as frequent in a branch from ``first`` to ``last`` (local days)."""

    branch_id: str = "nsk"
    topic_id: str = "no_internet"
    first: date = date(2026, 10, 13)
    last: date = date(2026, 10, 15)
    times: float = 3.0


@dataclass(frozen=True)
class LateConnections:
    """A branch that connects late what was promised between ``first`` and ``last``."""

    branch_id: str = "ekb"
    first: date = date(2026, 9, 21)
    last: date = date(2026, 10, 11)
    late_share: float = 0.6


@dataclass(frozen=True)
class NeglectedCallbacks:
    """A branch that leaves most of the calls alone that it came to owe between ``first`` and ``last`` (local days)."""

    branch_id: str = "kgd"
    first: date = date(2026, 9, 14)
    last: date = date(2026, 10, 4)
    called_share: float = 0.12


@dataclass(frozen=True)
class Crash:
    """The PBX dies at ``at`` (UTC) and is back after ``down`` seconds."""

    server_id: str
    at: int
    down: int


@dataclass(frozen=True)
class Measure:
    """What somebody did against a surge; instants are UTC epoch seconds. ``branch_id`` None: in all branches."""

    branch_id: str | None
    topic_id: str
    surge_id: str | None
    what: str
    owner: str
    begun: int
    finished: int | None = None


def _at(branch_id: str, day: date, hour: int) -> int:
    return int(datetime.combine(day, time(hour), BRANCH[branch_id].zone).timestamp())


SURGE = Surge()
SURGE_ID = f"{SURGE.branch_id}|{SURGE.topic_id}|{SURGE.first.isoformat()}"
MEASURES = (
    Measure("nsk", "no_internet", None, "Crew sent to the broken ring, notice in the voice menu", "Duty engineer",
            _at("nsk", date(2026, 10, 14), 11), _at("nsk", date(2026, 10, 16), 18)),
    Measure("nsk", "no_internet", SURGE_ID, "Two operators of sales take technical calls", "Shift lead",
            _at("nsk", date(2026, 10, 15), 9), _at("nsk", date(2026, 10, 17), 20)),
    Measure("ekb", "connection_delay", None, "Second crew connects new lines", "Head of installation",
            _at("ekb", date(2026, 10, 12), 8)),
    Measure(None, "bill_question", None, "Leaflet with the bill, ask +7 495 000-01-00", "Billing",
            _at("msk", date(2026, 10, 20), 9)),
    Measure("sam", "router_fault", None, "Routers lent for two weeks", "Warehouse",
            _at("sam", date(2026, 11, 7), 10)),
)  # fmt: skip
LATE_CONNECTIONS = LateConnections()
NEGLECTED_CALLBACKS = NeglectedCallbacks()
GPON_BRANCH = "sam"
RENAMED_BRANCH = "sam"
RENAMED_ON = date(2026, 9, 14)
MOVED_ON = date(2026, 9, 28)
NEW_EXTENSION_ON = date(2026, 9, 21)
LEFT_ON = date(2026, 9, 2)
HIRED_ON = date(2026, 9, 7)
LISTENERS = ("L01", "L02", "L03", "L04", "L05")
BIASED_LISTENER = "L03"
LATE_FILE_DAYS = (date(2026, 9, 23), date(2026, 11, 6))
LATE_FILE_SERVER = "kiv"
DOUBLED_HOUR_DAY = date(2026, 10, 25)
"""Summer time ends in Chisinau: one local hour occurs twice."""

CRASHES = (
    Crash("msk", int(datetime(2026, 9, 9, 8, 20, 7, tzinfo=UTC).timestamp()), 55),
    Crash("kiv", int(datetime(2026, 10, 5, 11, 2, 31, tzinfo=UTC).timestamp()), 70),
)

_FIRST_NAMES = (
    "Anna", "Boris", "Vera", "Gleb", "Darya", "Egor", "Zhanna", "Ivan", "Kira", "Lev", "Maria", "Nikita",
    "Olga", "Pavel", "Raisa", "Stepan", "Tamara", "Fedor", "Elena", "Yuri",
)  # fmt: skip
_LAST_NAMES = (
    "Abramova", "Belov", "Vasileva", "Gromov", "Dmitrieva", "Efimov", "Zhukova", "Ivanov", "Kozlova", "Lebedev",
    "Morozova", "Nikitin", "Orlova", "Petrov", "Romanova", "Sokolov", "Titova", "Ushakov", "Filatova",
    "Kharitonov", "Tsvetkova", "Chernov", "Shubina", "Shcherbakov", "Erokhina", "Yudin", "Yakovleva", "Antonov",
    "Baranova", "Volkov",
)  # fmt: skip
_KIV_NAMES = (
    ("Ion", "Munteanu"), ("Elena", "Rusu"), ("Andrei", "Ceban"), ("Maria", "Popa"), ("Vasile", "Lungu"),
    ("Ana", "Moraru"), ("Mihai", "Cojocaru"),
)  # fmt: skip


def operators(rng: Rng) -> list[Operator]:
    """The 60 operators, with what is planted on some of them."""
    staff: list[Operator] = []
    for branch in BRANCHES:
        for team, size in zip(TEAMS, branch.teams, strict=True):
            for rank in range(size):
                staff.append(_operator(rng, len(staff), branch, team, rank))
    _plant_operators(staff)
    return staff


def _operator(rng: Rng, number: int, branch: Branch, team: str, rank: int) -> Operator:
    hired = FIRST_DAY - timedelta(days=int(rng.integers(60, 3000)))
    first, last = (
        _KIV_NAMES[number - 53] if branch.server_id == "kiv"
        else (_FIRST_NAMES[number % 20], _LAST_NAMES[(number * 7 + number // 30) % 30])
    )  # fmt: skip
    person = Operator(
        f"T{1001 + number}", first, last, hired, None, rank, [Posting(branch.branch_id, team, hired)],
        pace=float(np.exp(rng.normal(0, 0.08))), skill=float(rng.normal(0, 0.03)),
        manner=float(rng.normal(0, 0.12)),
    )  # fmt: skip
    person.logins.append(_login(person, branch.server_id, number, hired))
    return person


def _login(person: Operator, server_id: str, number: int, since: date, until: date | None = None) -> Login:
    """On one server the member name is the extension, on the other the person's name."""
    if server_id == "kiv":
        extension = str(2001 + number)
        member = f"{person.first_name} {person.last_name}"
        return Login(server_id, extension, member, f"PJSIP/{extension}", since, until)
    extension = str(1001 + number)
    return Login(server_id, extension, f"Agent/{extension}", f"Local/{extension}@agents/n", since, until)


def _of(staff: list[Operator], branch_id: str, team: str) -> list[Operator]:
    return [o for o in staff if o.postings[0].branch_id == branch_id and o.postings[0].team == team]


def _plant_operators(staff: list[Operator]) -> None:
    for branch_id, team, rank in (("ekb", "client_service", 1), ("msk", "client_service", 3)):
        rude = _of(staff, branch_id, team)[rank]
        rude.is_rude, rude.manner, rude.skill = True, -1.9, 0.0
    for branch_id, team, rank in (("msk", "technical", 5), ("nsk", "client_service", 2)):
        slow = _of(staff, branch_id, team)[rank]
        slow.is_slow, slow.pace = True, 1.8
    _of(staff, "ekb", "technical")[2].waits_for_hang_up = True
    unfair = _of(staff, "sam", "technical")[0]
    unfair.takes_hard, unfair.skill, unfair.manner, unfair.pace = True, 0.0, 0.0, 1.0
    _move(_of(staff, "msk", "technical")[6], "sam", 901)
    _move(_of(staff, "ekb", "client_service")[3], "kiv", 902)
    _replace(*_of(staff, "nsk", "technical")[3:5])
    for number, (branch_id, team, rank) in enumerate(
        (("msk", "client_service", 0), ("ekb", "client_service", 2), ("kgd", "marketing", 1))
    ):
        _change_extension(_of(staff, branch_id, team)[rank], 800 + number)


def _move(person: Operator, branch_id: str, number: int) -> None:
    was = person.postings[0]
    person.postings = [
        Posting(was.branch_id, was.team, was.since, MOVED_ON),
        Posting(branch_id, was.team, MOVED_ON),
    ]
    if BRANCH[branch_id].server_id != person.logins[0].server_id:
        old = person.logins[0]
        person.logins = [
            Login(old.server_id, old.extension, old.member, old.interface, old.since, MOVED_ON),
            _login(person, BRANCH[branch_id].server_id, number, MOVED_ON),
        ]


def _replace(leaver: Operator, newcomer: Operator) -> None:
    """The newcomer takes over the leaver's extension, so the same alias names two people in turn."""
    was, old = leaver.postings[0], leaver.logins[0]
    leaver.left = LEFT_ON
    leaver.postings = [Posting(was.branch_id, was.team, was.since, LEFT_ON)]
    leaver.logins = [Login(old.server_id, old.extension, old.member, old.interface, old.since, LEFT_ON)]
    newcomer.hired, newcomer.rank = HIRED_ON, leaver.rank
    newcomer.postings = [Posting(was.branch_id, was.team, HIRED_ON)]
    newcomer.logins = [Login(old.server_id, old.extension, old.member, old.interface, HIRED_ON)]


def _change_extension(person: Operator, number: int) -> None:
    old = person.logins[0]
    person.logins = [
        Login(old.server_id, old.extension, old.member, old.interface, old.since, NEW_EXTENSION_ON),
        _login(person, old.server_id, number, NEW_EXTENSION_ON),
    ]


@dataclass
class Subscribers:
    """All subscribers as columns. ``joins``: day the line works first when that lies in the simulated
    period (-1 otherwise); their rows appear with the order to connect."""

    ids: list[str]
    phone: list[str]
    branch: Ints
    technology: Ints
    tariff: Ints
    connected: list[date]
    is_new: npt.NDArray[np.bool_]
    eagerness: npt.NDArray[np.float64]


def subscribers(rng: Rng, days: int) -> Subscribers:
    """20,000 subscribers; some of them are connected during the simulated ``days``."""
    branch = rng.choice(len(BRANCHES), SUBSCRIBERS, p=[b.share for b in BRANCHES])
    technology = np.empty(SUBSCRIBERS, dtype=np.int64)
    for index, one in enumerate(BRANCHES):
        mask = branch == index
        shares = (0.25, 0.35, 0.40) if one.branch_id == GPON_BRANCH else (0.45, 0.42, 0.13)
        technology[mask] = rng.choice(3, int(mask.sum()), p=shares)
    numbers = rng.choice(90_000_000, SUBSCRIBERS, replace=False) + 900_000_000
    age = rng.integers(30, 4000, SUBSCRIBERS)
    return Subscribers(
        ids=[f"C{100_000 + i}" for i in range(SUBSCRIBERS)],
        phone=[f"79{n}" for n in numbers.tolist()],
        branch=branch.astype(np.int64),
        technology=technology,
        tariff=rng.integers(0, len(TARIFFS), SUBSCRIBERS),
        connected=[FIRST_DAY - timedelta(days=int(a)) for a in age.tolist()],
        is_new=rng.random(SUBSCRIBERS) < min(0.09, days * 0.001),
        eagerness=rng.gamma(0.7, 1.0, SUBSCRIBERS) + 0.02,
    )


@dataclass
class Period:
    """Which days are simulated, and how; enough to show what was generated."""

    seed: int
    first_day: date
    days: int
    contacts_per_day: int

    @property
    def start(self) -> int:
        """UTC epoch of the provider's midnight that begins the first day."""
        return epoch(self.first_day, PROVIDER_ZONE)

    @property
    def end(self) -> int:
        """UTC epoch of the provider's midnight after the last day."""
        return epoch(self.last_day + timedelta(days=1), PROVIDER_ZONE)

    @property
    def last_day(self) -> date:
        """The last simulated day of the provider."""
        return self.first_day + timedelta(days=self.days - 1)


@dataclass
class World(Period):
    """Everything that does not happen but is."""

    operators: list[Operator]
    subscribers: Subscribers

    def rng(self, stage: int) -> Rng:
        """The generator of one stage, so that stages do not shift each other's draws."""
        return np.random.default_rng([self.seed, stage])


def build(seed: int, days: int, contacts_per_day: int, first_day: date = FIRST_DAY) -> World:
    """The world for ``seed``. Raises ValueError for a world without days or contacts."""
    if days < 1 or contacts_per_day < 1:
        raise ValueError("days and contacts per day must be at least 1")
    rng = np.random.default_rng([seed, 0])
    return World(seed, first_day, days, contacts_per_day, operators(rng), subscribers(rng, days))


def epoch(day: date, zone: ZoneInfo, hour: int = 0) -> int:
    """UTC epoch seconds of local ``hour`` on ``day``."""
    return int(datetime.combine(day, time(hour), zone).timestamp())


def doubled_hour(branch: Branch, day: date) -> int | None:
    """UTC epoch at which the local hour that occurs twice on ``day`` begins for the first time; None without one."""
    hours = [epoch(day, branch.zone) + 3600 * number for number in range(25)]
    clock = [datetime.fromtimestamp(at, branch.zone).hour for at in hours]
    return next((at for at, one, two in zip(hours, clock, clock[1:], strict=False) if one == two), None)


def local_day(at: int, zone: ZoneInfo) -> date:
    """The local day of an instant in UTC epoch seconds."""
    return datetime.fromtimestamp(at, zone).date()
