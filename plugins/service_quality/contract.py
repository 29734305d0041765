"""The landed tables: columns, keys, versions and personal data.

This is the one list that sources, landing, gate, promote and the dbt sources read. A source yields
Arrow record batches with exactly ``Table.arrow_schema()``; landing adds ``_load_id`` and ``_row_no``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import pyarrow as pa

SqlType = Literal["text", "bigint", "double precision", "boolean", "date", "timestamptz"]

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}


class Source(StrEnum):
    """The four kinds of source a provider has."""

    CRM = "crm"
    TELEPHONY = "telephony"
    IVR = "ivr"
    SURVEY = "survey"


class Personal(StrEnum):
    """What promote does with a column that can identify a subscriber."""

    PHONE = "phone"  # becomes <column>_hash, a keyed hash of the normalised number
    FREE_TEXT = "free_text"  # long digit runs are masked
    DROP = "drop"  # never leaves landing


@dataclass(frozen=True)
class Column:
    """One column of a landed table. ``doc`` says the meaning and, for quantities, the unit."""

    name: str
    type: SqlType
    doc: str
    personal: Personal | None = None

    @property
    def raw_name(self) -> str | None:
        """Name of the column in ``raw`` and ``quarantine``; None when it is dropped there."""
        if self.personal is Personal.DROP:
            return None
        return f"{self.name}_hash" if self.personal is Personal.PHONE else self.name


@dataclass(frozen=True)
class Table:
    """One landed table.

    ``key``: what identifies a record at its source. ``version``: the column that orders versions of a
    record; None for immutable records, which are written once. ``event_time``: the instant a row is
    about, used for volume by day and for freshness. ``daily``: rows are expected every night. ``lookups``:
    columns of ``raw`` by which single rows are looked up, each with an index.
    """

    name: str
    source: Source
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    version: str | None
    event_time: str
    daily: bool
    lookups: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column called ``name``; KeyError when the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    def arrow_schema(self) -> pa.Schema:
        """Schema of the batches a source yields: the columns, then ``_source_ref`` and ``_problems``."""
        return arrow_schema([*self.columns, *SOURCE_COLUMNS])


SOURCE_COLUMNS: tuple[Column, ...] = (
    Column("_source_ref", "text", "Where the row came from: file and line, or the source's key."),
    Column("_problems", "text", "What could not be read, '; ' between entries; null when the row is sound."),
)


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """Arrow schema for ``columns``; instants are UTC microseconds."""
    return pa.schema([pa.field(c.name, ARROW_TYPES[c.type]) for c in columns])


def _text(name: str, doc: str, personal: Personal | None = None) -> Column:
    return Column(name, "text", doc, personal)


def _at(name: str, doc: str) -> Column:
    return Column(name, "timestamptz", doc)


_UPDATED = _at("updated_at", "When the record last changed at the source (UTC).")

_FILE_KEY = (
    _text("server_id", "Which PBX wrote the record, as named in config/sources.yml."),
    _text("file_id", "Fingerprint of the log file that survives its rotation; 'table' for a realtime table."),
    Column("line_no", "bigint", "Line in the file, from 1; the id for a realtime table."),
    Column("log_seq", "bigint", "Order of the record within its server's log, across rotated files."),
)

CRM_TABLES: tuple[Table, ...] = (
    Table(
        "branches",
        Source.CRM,
        "Branches of the provider, with validity periods.",
        (
            _text("branch_id", "Branch."),
            _text("branch_name", "Name people use."),
            _text("region", "Region the branch belongs to."),
            _text("time_zone", "IANA name of the branch's time zone."),
            Column("valid_from", "date", "First local day this description holds."),
            Column("valid_to", "date", "First local day it no longer holds; null when it still does."),
            _UPDATED,
        ),
        ("branch_id", "valid_from"),
        "updated_at",
        "updated_at",
        False,
    ),
    Table(
        "operators",
        Source.CRM,
        "People who take calls.",
        (
            _text("operator_id", "Operator."),
            _text("operator_name", "Name people use."),
            Column("hired_on", "date", "First working day."),
            Column("left_on", "date", "First day no longer employed; null while employed."),
            _UPDATED,
        ),
        ("operator_id",),
        "updated_at",
        "updated_at",
        False,
    ),
    Table(
        "operator_branches",
        Source.CRM,
        "In which branch and team an operator worked when.",
        (
            _text("operator_id", "Operator."),
            _text("branch_id", "Branch."),
            _text("team", "Team within the branch."),
            Column("valid_from", "date", "First local day of the assignment."),
            Column("valid_to", "date", "First local day after it; null while it lasts."),
            _UPDATED,
        ),
        ("operator_id", "valid_from"),
        "updated_at",
        "updated_at",
        False,
    ),
    Table(
        "operator_aliases",
        Source.CRM,
        "Names under which the PBX and other systems know an operator.",
        (
            _text("alias", "Agent name, interface or extension, exactly as the other system writes it."),
            _text("server_id", "PBX on which the alias holds; '*' for all."),
            _text("operator_id", "Operator."),
            Column("valid_from", "date", "First day of the alias."),
            Column("valid_to", "date", "First day after it; null while it lasts."),
            _UPDATED,
        ),
        ("alias", "server_id", "valid_from"),
        "updated_at",
        "updated_at",
        False,
    ),
    Table(
        "subscribers",
        Source.CRM,
        "Subscribers and the line they have.",
        (
            _text("subscriber_id", "Subscriber."),
            _text("phone", "Number they call from.", Personal.PHONE),
            _text("branch_id", "Branch that serves the line."),
            _text("technology", "Access technology: GPON, FTTB, ADSL or the provider's own word."),
            _text("tariff", "Tariff plan."),
            Column("connected_on", "date", "Local day the line first worked."),
            Column("left_on", "date", "Local day the contract ended; null while it lasts."),
            _UPDATED,
        ),
        ("subscriber_id",),
        "updated_at",
        "updated_at",
        False,
        ("phone_hash",),
    ),
    Table(
        "topics",
        Source.CRM,
        "What contacts are about, each mapped to one of three classes for a period.",
        (
            _text("topic_id", "Topic."),
            _text("topic_name", "Name people use."),
            _text("topic_class", "marketing, technical or client_service."),
            Column("valid_from", "date", "First local day of the mapping."),
            Column("valid_to", "date", "First local day after it; null while it lasts."),
            _UPDATED,
        ),
        ("topic_id", "valid_from"),
        "updated_at",
        "updated_at",
        False,
    ),
    Table(
        "wrap_ups",
        Source.CRM,
        "The topic an operator noted after a call.",
        (
            _text("wrap_up_id", "Note."),
            _text("server_id", "PBX of the call; null when there is only one."),
            _text("call_id", "Call id (uniqueid or linkedid) of the call."),
            _text("operator_id", "Operator who noted it."),
            _text("topic_id", "Topic."),
            _at("noted_at", "When it was noted (UTC)."),
            _UPDATED,
        ),
        ("wrap_up_id",),
        "updated_at",
        "noted_at",
        True,
        ("call_id",),
    ),
    Table(
        "tickets",
        Source.CRM,
        "Requests, faults and complaints.",
        (
            _text("ticket_id", "Ticket."),
            _text("subscriber_id", "Subscriber."),
            _text("branch_id", "Branch that works on it."),
            _text("topic_id", "Topic."),
            _text("kind", "request, fault or complaint."),
            _text("channel", "phone, chat, email, office or the provider's own word."),
            _text("priority", "Priority that sets the target."),
            _text("server_id", "PBX of the call that opened it; null when there is only one."),
            _text("call_id", "Call id of the call that opened it; null when opened without a call."),
            _text("operator_id", "Operator who opened it; null when nobody did."),
            Column(
                "is_valid_fault",
                "boolean",
                "False when the fault was found invalid or on the customer's side.",
            ),
            _text("fault_part", "access or other: which part of the network was at fault; null for other kinds."),
            _text("outage_id", "Known outage it is a child of; null when none."),
            _at("opened_at", "When it was opened (UTC)."),
            _at(
                "due_at",
                "When it must be solved by the target in force at opening (UTC); null without target.",
            ),
            _text("status", "open, solved or closed."),
            _UPDATED,
        ),
        ("ticket_id",),
        "updated_at",
        "updated_at",
        True,
        ("call_id", "subscriber_id", "opened_at", "due_at"),
    ),
    Table(
        "ticket_events",
        Source.CRM,
        "Status changes and replies of tickets.",
        (
            _text("ticket_event_id", "Event."),
            _text("ticket_id", "Ticket."),
            _text("event", "opened, replied, solved, reopened, closed or assigned."),
            Column("is_public", "boolean", "True when the subscriber could see it."),
            _text("operator_id", "Who did it; null for the system."),
            _at("event_at", "When (UTC)."),
            _UPDATED,
        ),
        ("ticket_event_id",),
        "updated_at",
        "event_at",
        True,
        ("ticket_id",),
    ),
    Table(
        "connections",
        Source.CRM,
        "Orders to connect a line.",
        (
            _text("connection_id", "Order."),
            _text("subscriber_id", "Subscriber."),
            _text("branch_id", "Branch that installs."),
            _text("technology", "Access technology ordered."),
            _at("ordered_at", "When the valid order was received (UTC)."),
            Column("promised_on", "date", "Local day agreed with the subscriber."),
            _at("connected_at", "When the service worked (UTC); null until then."),
            _at("cancelled_at", "When the order was withdrawn (UTC); null when it was not."),
            _UPDATED,
        ),
        ("connection_id",),
        "updated_at",
        "updated_at",
        False,
        ("subscriber_id", "ordered_at", "promised_on"),
    ),
    Table(
        "evaluations",
        Source.CRM,
        "Calls that quality staff listened to.",
        (
            _text("evaluation_id", "Evaluation."),
            _text("server_id", "PBX of the call; null when there is only one."),
            _text("call_id", "Call id of the call."),
            _text("operator_id", "Operator who was heard."),
            _text("evaluator_id", "Listener."),
            _text("form_id", "Form."),
            _text("form_version", "Version of the form."),
            _text("tone", "Emotional colour of the operator's talk: warm, neutral, cold or rude."),
            Column("is_solved", "boolean", "Whether the question was solved, in the listener's judgement."),
            _at("evaluated_at", "When (UTC)."),
            _UPDATED,
        ),
        ("evaluation_id",),
        "updated_at",
        "evaluated_at",
        True,
        ("call_id",),
    ),
    Table(
        "evaluation_items",
        Source.CRM,
        "Scores of one evaluation, one row per criterion of the form.",
        (
            _text("evaluation_id", "Evaluation."),
            _text("item_id", "Criterion."),
            Column("score", "double precision", "Points given; null when not applicable."),
            Column("max_score", "double precision", "Most points the criterion can get."),
            Column("weight", "double precision", "Weight in the form."),
            Column("is_applicable", "boolean", "False when the criterion did not apply to the call."),
            Column("is_fatal", "boolean", "True when failing it fails the call."),
            Column("is_failed", "boolean", "True when a fatal criterion was failed."),
            _text("fatal_kind", "customer, business or compliance for fatal criteria; else null."),
            _UPDATED,
        ),
        ("evaluation_id", "item_id"),
        "updated_at",
        "updated_at",
        True,
    ),
    Table(
        "measures",
        Source.CRM,
        "Special measures that people took against a surge of a topic.",
        (
            _text("measure_id", "Measure."),
            _text("branch_id", "Branch it was taken in; null for all branches."),
            _text("topic_id", "Topic it is meant to help with."),
            _text("surge_id", "Surge it answers, as topic_surges names it; null where nobody noted it."),
            _text("what", "What was done, in words.", Personal.FREE_TEXT),
            _text("owner", "Who answers for it."),
            _at("started_at", "When it began to work (UTC)."),
            _at("ended_at", "When it ended (UTC); null while it lasts."),
            _UPDATED,
        ),
        ("measure_id",),
        "updated_at",
        "updated_at",
        False,
    ),
)

TELEPHONY_TABLES: tuple[Table, ...] = (
    Table(
        "queue_log",
        Source.TELEPHONY,
        "Asterisk queue events, one row per line, file and realtime form alike.",
        (
            *_FILE_KEY,
            _text("time_text", "Time exactly as logged: epoch seconds, or local time of a realtime table."),
            _at("event_at", "The time as an instant, cut to whole seconds (UTC)."),
            _text("callid", "Unique id of the caller's channel, or NONE, MANAGER, REALTIME, CLI."),
            _text("queue", "Queue, or NONE."),
            _text("agent", "Member name or interface, exactly as logged, or NONE."),
            _text("event", "Verb."),
            _text("caller", "ENTERQUEUE only: the caller's number.", Personal.PHONE),
            _text("caller_name", "ENTERQUEUE only: the caller's name, where logged.", Personal.DROP),
            _text(
                "params",
                "Parameters joined by '|', without trailing empty ones; caller and name blanked.",
                Personal.FREE_TEXT,
            ),
        ),
        ("server_id", "file_id", "line_no"),
        None,
        "event_at",
        True,
        ("callid", "caller_hash"),
    ),
    Table(
        "cdr",
        Source.TELEPHONY,
        "Asterisk call detail records, one row per leg and ring attempt.",
        (
            *_FILE_KEY,
            _text("accountcode", "Account code."),
            _text("src", "Caller's number.", Personal.PHONE),
            _text("dst", "Dialled number or extension.", Personal.FREE_TEXT),
            _text("dcontext", "Dialplan context."),
            _text("clid", "Caller id with name.", Personal.DROP),
            _text("channel", "Caller's channel.", Personal.FREE_TEXT),
            _text("dstchannel", "Called channel.", Personal.FREE_TEXT),
            _text("lastapp", "Last application."),
            _text("lastdata", "Its arguments.", Personal.FREE_TEXT),
            _text("start_text", "Start exactly as logged."),
            _text("answer_text", "Answer exactly as logged; empty when not answered."),
            _text("end_text", "End exactly as logged."),
            _at("start_at", "Start as an instant (UTC)."),
            _at("answer_at", "Answer as an instant (UTC); null when not answered."),
            _at("end_at", "End as an instant (UTC)."),
            _text("duration", "Seconds from start to end, as logged."),
            _text("billsec", "Seconds from answer to end, as logged; contains the queue wait."),
            _text("disposition", "ANSWERED, NO ANSWER, BUSY, FAILED, CONGESTION or CANCEL."),
            _text("amaflags", "AMA flags."),
            _text("uniqueid", "Unique id of the channel."),
            _text("userfield", "User field.", Personal.FREE_TEXT),
            _text("peeraccount", "Peer's account code."),
            _text("linkedid", "Id shared by all legs of a call; null where the layout has none."),
            _text("sequence", "Sequence number; null where the layout has none."),
        ),
        ("server_id", "file_id", "line_no"),
        None,
        "start_at",
        True,
        ("uniqueid", "linkedid", "src_hash"),
    ),
)

IVR_TABLES: tuple[Table, ...] = (
    Table(
        "ivr_ratings",
        Source.IVR,
        "Digits pressed (or not) when the IVR asked for a rating.",
        (
            _text("server_id", "PBX that asked."),
            _text("file_id", "Fingerprint of the file."),
            Column("line_no", "bigint", "Line in the file, from 1."),
            _text("time_text", "Local time exactly as logged."),
            _at("rated_at", "The time as an instant (UTC)."),
            _text("callid", "Call id of the rated call; null where the IVR does not know it."),
            _text("caller", "Caller's number.", Personal.PHONE),
            _text("queue", "Queue of the rated call; null where not known."),
            _text("agent", "Operator as the IVR knows him; null where not known."),
            _text("question", "Question exactly as logged."),
            _text("criterion", "service_quality, readiness_to_help, politeness or competence, by configuration."),
            _text("digit", "Key pressed exactly as logged; empty for a time-out."),
            _text("read_status", "The IVR's own status; null where it has none."),
        ),
        ("server_id", "file_id", "line_no"),
        None,
        "rated_at",
        True,
        ("callid",),
    ),
)

SURVEY_TABLES: tuple[Table, ...] = (
    Table(
        "survey_responses",
        Source.SURVEY,
        "Responses to call-back surveys, finished or not, and attempts that reached nobody.",
        (
            _text("survey_id", "Survey id on the survey server."),
            Column("response_id", "bigint", "Response id within the survey."),
            _text("survey_kind", "connection, repair or general, by configuration."),
            _at("started_at", "When it was begun (UTC); null where not recorded."),
            _at("submitted_at", "When it was finished (UTC); null while incomplete."),
            _at("updated_at", "Last moment the server dates the response (UTC)."),
            Column("is_complete", "boolean", "True when submitted."),
            _text("subscriber_id", "Subscriber the interview was with; null where not asked."),
            _text("phone", "Number that was called.", Personal.PHONE),
            _text("ticket_id", "Ticket it is about; null where none."),
            _text("connection_id", "Connection it is about; null where none."),
            _text("call_id", "Call it is about; null where none."),
            _text("operator_id", "Operator it is about; null where none."),
            _text(
                "is_solved",
                "Answer to 'is it solved', exactly as given after the value map: yes, no or other.",
            ),
            _text("is_first_contact", "Answer to 'was it solved at the first contact': yes, no or other."),
            _text("satisfaction", "Satisfaction 1 to 5, exactly as given."),
            _text("recommend", "Readiness to recommend 0 to 10, exactly as given."),
            _text("effort", "Customer effort 1 to 7, exactly as given."),
            _text("comment", "What the subscriber said.", Personal.FREE_TEXT),
            _text(
                "attempt_outcome",
                "How the call went, exactly as given after the value map: reached, no_answer, refused,"
                " wrong_number or other; null where the survey does not ask the interviewer.",
            ),
        ),
        ("survey_id", "response_id"),
        "updated_at",
        "updated_at",
        True,
        ("ticket_id", "call_id", "subscriber_id"),
    ),
)

TABLES: tuple[Table, ...] = (*CRM_TABLES, *TELEPHONY_TABLES, *IVR_TABLES, *SURVEY_TABLES)
BY_NAME: dict[str, Table] = {t.name: t for t in TABLES}


def tables_of(source: Source) -> tuple[Table, ...]:
    """The landed tables of one source, in load order."""
    return tuple(t for t in TABLES if t.source is source)
