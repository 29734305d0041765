"""The two PBXs: queue_log events and Master.csv records of what happened, dirt included."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from demo import calls as c
from demo import world as w

Line = tuple[int, str]
"""Instant (UTC epoch seconds) at which a line appears, and the line without its end."""

SECOND_LINE = "second_line"
UNKNOWN_VERBS = ("CALLERONHOLD", "INFO", "FROBNICATE")


@dataclass
class Spool:
    """All lines a PBX ever writes, sorted by the instant they appear."""

    queue_log: list[Line] = field(default_factory=list)
    cdr: list[Line] = field(default_factory=list)


@dataclass
class _Leg:
    """One call detail record before it is written; times are UTC epoch seconds, ``answer`` 0 for none."""

    did: str
    src: str
    dst: str
    context: str
    clid: str
    channel: str
    dstchannel: str
    app: str
    data: str
    start: int
    answer: int
    end: int
    disposition: str
    uniqueid: str
    userfield: str
    peer: str
    linkedid: str


class Pbx:
    """Writes one server's log. ``write`` gives contacts their call ids."""

    def __init__(self, world: w.World, server_id: str) -> None:
        self.world = world
        self.server_id = server_id
        self.zone = ZoneInfo(w.SERVER_ZONES[server_id])
        self.dice = c.Dice(world.rng(10 + sorted(w.SERVER_ZONES).index(server_id)))
        self.channels = 0
        self.booted = world.start
        self.events: list[Line] = []
        self.legs: list[_Leg] = []

    @cached_property
    def crashes(self) -> list[w.Crash]:
        """This server's crashes within the simulated days."""
        return [x for x in w.CRASHES if x.server_id == self.server_id and self.world.start < x.at < self.world.end]

    def write(self, days: c.Days, borrowed: dict[int, str]) -> None:
        """Write what happened on this server. ``borrowed``: contact number -> call id shared with the other one."""
        for contact in days.contacts:
            if contact.kind == "call" and contact.server == self.server_id:
                self._contact(contact, borrowed)
        for shift in days.shifts:
            self._session(shift)
        for pause in days.pauses:
            self._pause(pause)
        self._server_events()
        self._outbound()

    def spool(self) -> Spool:
        """Everything written so far, in the order in which it appears."""
        return Spool(sorted(self.events, key=lambda line: line[0]), self._cdr_lines())

    # -- names ------------------------------------------------------------------------------------------

    def _uniqueid(self, at: int) -> str:
        """A new channel's id; the counter begins anew when the PBX restarts."""
        restarted = max((x.at + x.down for x in self.crashes if x.at + x.down <= at), default=self.world.start)
        if restarted > self.booted:
            self.booted, self.channels = restarted, 0
        self.channels += 1
        return f"{at}.{self.channels - 1}"

    def _login(self, operator: int, at: int, branch: str) -> w.Login:
        day = w.local_day(at, w.BRANCH[branch].zone)
        return self.world.operators[operator].login(self.server_id, day)

    def _member(self, operator: int | None, at: int, branch: str) -> str:
        return "NONE" if operator is None else self._login(operator, at, branch).member

    # -- contacts ---------------------------------------------------------------------------------------

    def _contact(self, contact: c.Contact, borrowed: dict[int, str]) -> None:
        contact.callid = borrowed.get(contact.number) or self._uniqueid(contact.start)
        before = len(self.events), len(self.legs)
        trunk = f"PJSIP/trunk-{self.channels:08x}"
        if contact.outcome == "left_in_menu":
            self._leg(contact, "ivr-main", trunk, "", "BackGround", "menu-main", contact.start, contact.ended, "s")
        elif contact.turned_away:
            self._leg(
                contact, "from-trunk", trunk, "", "Queue", _queue_data(contact.transfer_to), contact.start,
                contact.ended, f"q{contact.transfer_to}", userfield=f"qs={contact.turned_away}",
            )  # fmt: skip
        for visit in contact.visits:
            visit.callid = contact.callid
            if visit.leg != "caller":
                contact.consult = visit.callid = self._uniqueid(visit.entered - 1)
        for visit in contact.visits:
            self._visit(contact, visit, trunk)
        self._after(contact, trunk)
        if contact.forced == "crashed":
            self._cut(contact, *before)

    def _cut(self, contact: c.Contact, events: int, legs: int) -> None:
        crash = next(x for x in self.crashes if x.at <= contact.ended <= x.at + x.down)
        self.events[events:] = [line for line in self.events[events:] if line[0] < crash.at]
        ended = [] if any(v.ended is None for v in contact.visits) else self.legs[legs:]
        self.legs[legs:] = [leg for leg in ended if leg.end < crash.at]

    def _event(self, at: int, callid: str, queue: str, agent: str, *rest: object) -> None:
        self.events.append((at, "|".join([str(at), callid, queue, agent, *map(str, rest)])))

    def _visit(self, contact: c.Contact, visit: c.Visit, trunk: str) -> None:
        entered_as = visit.callid
        name = ["", contact.caller, visit.position]
        if self.server_id == "kiv":
            name.append(f"Abonent {contact.caller[-4:]}")
        self._event(visit.entered, entered_as, visit.queue, "NONE", "ENTERQUEUE", *name)
        if self.server_id == "kiv" and self.dice.chance(0.25):
            self._event(visit.entered, entered_as, visit.queue, "NONE", "DID", w.BRANCH[contact.branch].did)
        answered_as = contact.callid if visit.leg == "swapped" else entered_as
        agent_leg = self._rings(contact, visit, trunk, answered_as)
        position = visit.position
        if visit.connected is not None:
            member = self._member(visit.operator, visit.connected, contact.branch)
            self._event(visit.connected, answered_as, visit.queue, member, "CONNECT", visit.wait, agent_leg, visit.ring)
            if visit.ended is not None:
                self._end(contact, visit, member, answered_as)
        elif visit.outcome == "abandoned":
            waited = "" if self.dice.chance(0.006) else visit.wait
            ringing = visit.rings and visit.rings[-1].kind == "cancelled" and self.dice.chance(0.05)
            agent = self._member(visit.rings[-1].operator, visit.entered, contact.branch) if ringing else "NONE"
            self._event(visit.ended or 0, entered_as, visit.queue, agent, "ABANDON", 1, position, waited)
        elif visit.outcome == "timed_out":
            self._event(visit.ended or 0, entered_as, visit.queue, "NONE", "EXITWITHTIMEOUT", 1, position, visit.wait)
        elif visit.outcome == "left_by_key":
            self._event(
                visit.ended or 0, entered_as, visit.queue, "NONE", "EXITWITHKEY", visit.key, 1, position, visit.wait
            )

    def _rings(self, contact: c.Contact, visit: c.Visit, trunk: str, callid: str) -> str:
        """Ring attempts in the log, and the records of every rung leg. Gives the id of the answered one."""
        answered_leg = ""
        data = _queue_data(visit.queue)
        entered = visit.entered
        stop = visit.ended or visit.connected or entered
        if not visit.rings:
            self._leg(contact, "from-trunk", trunk, "", "Queue", data, entered, stop, f"q{visit.queue}", visit=visit)
        for ring in visit.rings:
            login = self._login(ring.operator, ring.at, contact.branch)
            leg_id = self._uniqueid(ring.at)
            self.channels += 1
            local = f"{login.interface.removesuffix('/n')}-{self.channels:08x}"
            ends = ring.at + ring.ms // 1000
            if ring.kind == "answered":
                answered_leg, ends, status = leg_id, visit.ended or ends, "ANSWERED"
            else:
                verb = "RINGNOANSWER" if ring.kind == "no_answer" else "RINGCANCELED"
                at = ends if ring.kind == "no_answer" else (visit.ended or ends)
                self._event(at, callid, visit.queue, login.member, verb, ring.ms)
                status = "NO ANSWER"
            start = contact.start if visit is contact.visits[0] else entered
            self._leg(
                contact, "from-trunk", trunk, f"{local};1", "Queue", data, start, ends, f"q{visit.queue}",
                disposition=status, visit=visit,
            )  # fmt: skip
            self._leg(
                contact, "agents", f"{local};2", f"PJSIP/{login.extension}-{self.channels:08x}", "Dial",
                f"PJSIP/{login.extension},60", ring.at, ends, login.extension,
                answer=(visit.connected or 0) if ring.kind == "answered" else 0, disposition=status, own=leg_id,
            )  # fmt: skip
        return answered_leg

    def _end(self, contact: c.Contact, visit: c.Visit, member: str, callid: str) -> None:
        ended, hold, talk, position = visit.ended or 0, visit.wait, visit.talk, visit.position
        times = (hold, talk, position)
        if visit.ended_by == "blind":
            exten = contact.transfer_to
            context = "queues" if exten in w.QUEUE else SECOND_LINE
            exten = f"q{exten}" if exten in w.QUEUE else exten
            self._event(ended, callid, visit.queue, member, "BLINDTRANSFER", exten, context, *times)
        elif visit.ended_by == "attended":
            target = next((v for v in contact.visits if v.leg == "swapped"), None)
            form = {
                "BRIDGE": ["BRIDGE", f"{ended:08x}-185a-4a09-85cd-{talk:012x}"],
                "APP": ["APP", "Queue" if target or contact.transfer_to in w.QUEUE else "Dial"],
                "LINK": ["LINK", f"PJSIP/{member.split('/')[-1]}-0000{talk:04x}", f"PJSIP/trunk-0000{hold:04x}"],
            }[visit.transfer_form or "BRIDGE"]
            logged_as = callid if target is None else target.callid
            self._event(ended, logged_as, visit.queue, member, "ATTENDEDTRANSFER", *form, *times)
        else:
            verb = "COMPLETEAGENT" if visit.ended_by == "agent" else "COMPLETECALLER"
            self._event(ended, callid, visit.queue, member, verb, *times)
            if self.server_id == "kiv" and self.dice.chance(0.2):
                self._event(ended, callid, visit.queue, member, "WRAPUPSTART", "")
        if self.dice.chance(0.004):
            verb = UNKNOWN_VERBS[self.dice.whole(0, len(UNKNOWN_VERBS))]
            self._event(max(visit.connected or 0, ended - 5), callid, visit.queue, member, verb, "1")

    def _after(self, contact: c.Contact, trunk: str) -> None:
        last = contact.visits[-1] if contact.visits else None
        if last is None or last.ended is None:
            return
        if contact.transfer and contact.transfer_to not in w.QUEUE and last.outcome == "answered":
            self._leg(
                contact, SECOND_LINE, trunk, f"PJSIP/{contact.transfer_to}-{self.channels:08x}", "Dial",
                f"PJSIP/{contact.transfer_to},30", last.ended, last.ended + 40 + (last.talk or 0) % 300,
                contact.transfer_to,
            )  # fmt: skip
        elif contact.outcome == "timed_out":
            self._leg(
                contact, "after", trunk, "", "Hangup", "", last.ended, last.ended + 1, "s", userfield="qs=TIMEOUT"
            )
        elif contact.outcome == "left_by_key":
            self._leg(
                contact, "qkeys", trunk, "", "Hangup", "", last.ended, last.ended + 1, last.key,
                userfield="callback_requested",
            )  # fmt: skip

    def rated(self, contact: c.Contact, until: int, digits: str) -> None:
        """The record of the rating menu after a call; ``until`` when the caller left it."""
        ended = contact.visits[-1].ended or until
        self._leg(
            contact, "rating", f"PJSIP/trunk-{contact.number:08x}", "", "Hangup", "", ended, until, "s",
            userfield=f"rating={digits}",
        )  # fmt: skip

    # -- records ----------------------------------------------------------------------------------------

    def _leg(
        self, contact: c.Contact, context: str, channel: str, dstchannel: str, app: str, data: str, start: int,
        end: int, dst: str, *, answer: int | None = None, disposition: str = "ANSWERED", userfield: str = "",
        own: str = "", visit: c.Visit | None = None,
    ) -> None:  # fmt: skip
        uniqueid = own or (visit.callid if visit is not None else contact.callid)
        clid = f'"{contact.caller}" <{contact.caller}>' if contact.caller else '"" <>'
        self.legs.append(_Leg(
            w.BRANCH[contact.branch].did, contact.caller, dst, context, clid, channel, dstchannel, app, data, start,
            start if answer is None else answer, end, disposition, uniqueid, userfield, "", contact.callid,
        ))  # fmt: skip

    def _outbound(self) -> None:
        """Calls the operators make themselves: in the records, but no contacts."""
        extensions = [o.logins[0].extension for o in self.world.operators if o.logins[0].server_id == self.server_id]
        for number in range(self.world.days):
            for _ in range(4):
                at = self.world.start + number * 86400 + 8 * 3600 + self.dice.whole(0, 36_000)
                extension = extensions[self.dice.whole(0, len(extensions))]
                own = self._uniqueid(at)
                self.legs.append(_Leg(
                    "", extension, f"89{self.dice.whole(100_000_000, 999_999_999)}", "from-internal",
                    f'"{extension}" <{extension}>', f"PJSIP/{extension}-{self.channels:08x}",
                    f"PJSIP/trunk-{self.channels:08x}", "Dial", "PJSIP/trunk,60", at, at + 8, at + 70, "ANSWERED",
                    own, "", "", own,
                ))  # fmt: skip

    def _cdr_lines(self) -> list[Line]:
        order = sorted(range(len(self.legs)), key=lambda i: (self.legs[i].end, i))
        starts, answers, ends = (
            local_texts([getattr(leg, name) for leg in self.legs], self.zone) for name in ("start", "answer", "end")
        )
        text, lines = io.StringIO(), []
        writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        for i in order:
            leg = self.legs[i]
            talked = leg.end - leg.answer if leg.answer else 0
            writer.writerow([
                leg.did, leg.src, leg.dst, leg.context, leg.clid, leg.channel, leg.dstchannel, leg.app, leg.data,
                starts[i], answers[i] if leg.answer else "", ends[i], leg.end - leg.start, talked, leg.disposition,
                "DOCUMENTATION", leg.uniqueid, leg.userfield, leg.peer, leg.linkedid, i,
            ])  # fmt: skip
        for i, line in zip(order, text.getvalue().splitlines(), strict=True):
            lines.append((self.legs[i].end, line))
        return lines

    # -- members, pauses, the server itself -------------------------------------------------------------

    def _queues(self, branch: str, team: str) -> list[str]:
        teams = ["technical"] if team == "technical" else ["client_service", "marketing"]
        named = [f"{w.PREFIX[t]}_{branch}" for t in teams]
        return [name for name in named if name in w.QUEUE]

    def _session(self, shift: c.Shift) -> None:
        if w.BRANCH[shift.branch].server_id != self.server_id:
            return
        interface = self._login(shift.operator, shift.since, shift.branch).interface
        who = "MANAGER" if self.dice.chance(0.8) else "CLI"
        for queue in self._queues(shift.branch, shift.team):
            self._event(shift.since, who, queue, interface, "ADDMEMBER", "")
            self._event(shift.until, who, queue, interface, "REMOVEMEMBER", "")
        if self.dice.chance(0.1):
            member = self._login(shift.operator, shift.since, shift.branch).member
            self._event(shift.since + 1, "NONE", "NONE", member, "UNPAUSEALL", "")

    def _pause(self, pause: c.Pause) -> None:
        if w.BRANCH[pause.branch].server_id != self.server_id:
            return
        member = self._login(pause.operator, pause.since, pause.branch).member
        reason = "" if self.dice.chance(0.1) else pause.reason
        if self.dice.chance(0.85):
            self._event(pause.since, "NONE", "NONE", member, "PAUSEALL", reason)
        for queue in self._queues(pause.branch, pause.team):
            self._event(pause.since, "NONE", queue, member, "PAUSE", reason)
        self._event(pause.until, "NONE", "NONE", member, "UNPAUSEALL", "")
        for queue in self._queues(pause.branch, pause.team):
            self._event(pause.until, "NONE", queue, member, "UNPAUSE", "")

    def _server_events(self) -> None:
        self._event(self.world.start, "NONE", "NONE", "NONE", "QUEUESTART", "")
        for crash in self.crashes:
            self._event(crash.at + crash.down, "NONE", "NONE", "NONE", "QUEUESTART", "")
        for at in rotations(self.world, self.server_id):
            self._event(at, "NONE", "NONE", "NONE", "CONFIGRELOAD", "")
        broken = ("{at}|{at}.7", "{at}", "||||", "{at}|NONE|NONE|NONE", "17e8|NONE|x|NONE|ABANDON|1|1|1")
        for number, day in enumerate(range(11, self.world.days, 13)):
            at = self.world.start + day * 86400 + 11 * 3600 + 17
            self.events.append((at, broken[number % len(broken)].format(at=at)))


def _queue_data(queue: str) -> str:
    return f"{queue},crt,,,{w.QUEUE_TIMEOUT[w.QUEUE[queue].team]}"


def rotations(world: w.Period, server_id: str) -> list[int]:
    """Instants (UTC epoch) at which a server's queue_log is rotated: weekly on one, daily on the other."""
    zone = ZoneInfo(w.SERVER_ZONES[server_id])
    days = (world.first_day + timedelta(days=n) for n in range(1, world.days + 1))
    if server_id == "msk":
        return [w.epoch(day, zone, 3) + 600 for day in days if day.weekday() == 0]
    return [w.epoch(day, zone) for day in days]


def offsets(instants: Iterable[int], zone: ZoneInfo) -> w.Ints:
    """Seconds by which local time is ahead of UTC at each instant."""
    hours, place = np.unique(np.fromiter(instants, dtype=np.int64) // 900, return_inverse=True)
    ahead = [
        int((datetime.fromtimestamp(h * 900, UTC).astimezone(zone).utcoffset() or timedelta()).total_seconds())
        for h in hours.tolist()
    ]
    return np.array(ahead, dtype=np.int64)[place]


def local_texts(instants: list[int], zone: ZoneInfo) -> list[str]:
    """Local ``YYYY-MM-DD HH:MM:SS`` without a zone, as the PBX writes it."""
    if not instants:
        return []
    local = np.array(instants, dtype=np.int64) + offsets(instants, zone)
    return [text.replace("T", " ") for text in np.datetime_as_string(local.astype("datetime64[s]")).tolist()]
