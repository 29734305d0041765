"""Which business days' numbers can change when loads are promoted.

The answer may be larger than needed, never smaller: a day that is built again without cause comes out equal.
Rows are turned into instants first, then into local days of every time zone in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from psycopg import sql

from service_quality.contract import BY_NAME
from service_quality.ops import Conn

REPEAT_WINDOWS = (timedelta(hours=24), timedelta(days=7), timedelta(days=30))
LONGEST_CALL = timedelta(days=4)  # between two rows of a call: models read three days after a touched one

# Versions written by the loads, and the versions they replaced.
_CHANGED = """
create temporary view changed_{name} as
select * from raw.{name} where _load_id = any({loads})
union all
select old.* from raw.{name} as old
inner join raw.{name} as new on {same_key} and old._superseded_at = new._loaded_at
where new._load_id = any({loads}) and old._superseded_at is not null
"""

# All versions of a record: keys have an index of what holds and one of what was superseded. One look-up a row of
# `named`: the planner takes so many rows of a load for usual as the first load brought, and would read all history.
_VERSIONS = """lateral (
    select {columns} from raw.{name} where {key} = named.{key} and _superseded_at is null
    union all
    select {columns} from raw.{name} where {key} = named.{key} and _superseded_at is not null
    offset 0
)"""

_INSTANTS = """
-- Tickets that are new or moved to another call, person, place or topic; a new status alone moves nothing else.
create temporary table moved_tickets on commit drop as
select side.*
from raw.tickets as new
left join raw.tickets as old on old.ticket_id = new.ticket_id and old._superseded_at = new._loaded_at
cross join lateral (
    values
    (new.ticket_id, new.server_id, new.call_id, new.subscriber_id, new.opened_at),
    (old.ticket_id, old.server_id, old.call_id, old.subscriber_id, old.opened_at)
) as side (ticket_id, server_id, call_id, subscriber_id, opened_at)
where new._load_id = any({loads}) and side.ticket_id is not null
    and (old.ticket_id is null or (
        new.subscriber_id, new.branch_id, new.topic_id, new.server_id, new.call_id, new.operator_id,
        new.opened_at, new.channel, new.kind
    ) is distinct from (
        old.subscriber_id, old.branch_id, old.topic_id, old.server_id, old.call_id, old.operator_id,
        old.opened_at, old.channel, old.kind
    ));

-- From when on a new version of a subscriber describes him: the first version also holds before.
create temporary table moved_subscribers on commit drop as
select new.subscriber_id, new.phone_hash, old.phone_hash as phone_hash_before,
    old.subscriber_id is null or new.phone_hash is distinct from old.phone_hash as is_another_number,
    case when exists (
        select 1 from raw.subscribers as earlier
        where earlier.subscriber_id = new.subscriber_id and earlier._superseded_at is null
            and earlier.updated_at < new.updated_at
    ) or exists (
        select 1 from raw.subscribers as earlier
        where earlier.subscriber_id = new.subscriber_id and earlier._superseded_at is not null
            and earlier.updated_at < new.updated_at
    ) then new.updated_at else timestamptz '-infinity' end as since
from raw.subscribers as new
left join raw.subscribers as old
    on old.subscriber_id = new.subscriber_id and old._superseded_at = new._loaded_at
where new._load_id = any({loads});

create temporary table moved_numbers on commit drop as
select distinct subscriber_id, phone_hash, since, is_another_number from moved_subscribers where phone_hash is not null
union
select distinct subscriber_id, phone_hash_before, since, true from moved_subscribers
where is_another_number and phone_hash_before is not null;

-- Of a new table the planner expects hundreds of rows: it would read all history to meet a few.
analyze moved_tickets;
analyze moved_subscribers;
analyze moved_numbers;

-- Calls named by changed rows, also by their other ids. is_moved: their contact, topic or person may be another.
-- is_near: telephony loaded a row of it, so all of its rows are around that time, which is read once. Other calls are
-- looked up one by one: joined with tables of all history, these would be read whole for a large load.
create temporary table touched_calls on commit drop as
select callid, bool_or(is_moved) as is_moved, bool_or(is_near) as is_near from (
    select callid, true as is_moved, event_at >= {loaded_from} and event_at < {loaded_until} as is_near
    from changed_queue_log
    where callid not in ('NONE', 'MANAGER', 'REALTIME', 'CLI')
    union all select call_id, true, false from changed_wrap_ups
    union all select call_id, true, false from moved_tickets
    union all
    select unnest(array[uniqueid, linkedid]), true, start_at >= {loaded_from} and start_at < {loaded_until}
    from changed_cdr
    union all select callid, false, false from changed_ivr_ratings
    union all select call_id, false, false from changed_evaluations
    union all select e.call_id, false, false from (
        select evaluation_id from changed_evaluation_items except select evaluation_id from changed_evaluations
    ) as named
    cross join {evaluations} as e
) as named
where callid is not null
group by callid;
analyze touched_calls;

-- Blocks know their times; by the order of the whole table the planner expects to need nearly all of them.
set local enable_seqscan = off;
create temporary table near_cdr on commit drop as
select uniqueid, linkedid, start_at from raw.cdr where start_at >= {near_from} and start_at < {near_until};
create temporary table near_queue_log on commit drop as
select callid, caller_hash, event_at from raw.queue_log where event_at >= {near_from} and event_at < {near_until};
set local enable_seqscan = on;
analyze near_cdr;
analyze near_queue_log;

insert into touched_calls
select c.linkedid, t.is_moved, true from near_cdr as c inner join touched_calls as t on c.uniqueid = t.callid
where t.is_near and c.linkedid is not null
union select c.linkedid, t.is_moved, false from touched_calls as t
cross join lateral (select linkedid from raw.cdr where uniqueid = t.callid offset 0) as c
where t.is_near is not true and c.linkedid is not null
except select * from touched_calls;
insert into touched_calls
select c.uniqueid, t.is_moved, true from near_cdr as c inner join touched_calls as t on c.linkedid = t.callid
where t.is_near
union select c.uniqueid, t.is_moved, false from touched_calls as t
cross join lateral (select uniqueid from raw.cdr where linkedid = t.callid offset 0) as c
where t.is_near is not true
except select * from touched_calls;
analyze touched_calls;

-- One look-up a call: half of the log has the id NONE, so the planner takes thousands of events for usual.
create temporary table call_events on commit drop as
select t.is_moved, q.caller_hash, q.event_at
from near_queue_log as q inner join touched_calls as t on q.callid = t.callid
where t.is_near
union all
select t.is_moved, q.caller_hash, q.event_at
from touched_calls as t
cross join lateral (select caller_hash, event_at from raw.queue_log where callid = t.callid offset 0) as q
where t.is_near is not true;
analyze call_events;

create temporary table called_tickets on commit drop as
select r.ticket_id, r.subscriber_id, r.opened_at, r.due_at
from raw.tickets as r inner join touched_calls as t on r.call_id = t.callid
where t.is_moved;
analyze called_tickets;

-- Contacts that may stand in another subscriber's or topic's row of repeats.
create temporary table touched_contacts on commit drop as
select distinct s.subscriber_id, q.event_at as at
from call_events as q inner join raw.subscribers as s on q.caller_hash = s.phone_hash
where q.is_moved
union
select subscriber_id, opened_at from moved_tickets where subscriber_id is not null
union
select subscriber_id, opened_at from called_tickets where subscriber_id is not null
union
select n.subscriber_id, q.event_at from moved_numbers as n
inner join raw.queue_log as q on n.phone_hash = q.caller_hash and q.event_at >= n.since
where n.is_another_number;

create temporary table touched_instants on commit drop as
select event_at as at from call_events
union all select c.start_at from near_cdr as c inner join touched_calls as t on c.uniqueid = t.callid where t.is_near
union all select c.start_at from touched_calls as t
cross join lateral (select start_at from raw.cdr where uniqueid = t.callid offset 0) as c where t.is_near is not true
union all select event_at from changed_queue_log
union all select start_at from changed_cdr
union all select end_at from changed_cdr
union all select rated_at from changed_ivr_ratings
union all select noted_at from changed_wrap_ups
union all select opened_at from changed_tickets
union all select e.event_at from raw.ticket_events as e inner join moved_tickets using (ticket_id)
union all select event_at from changed_ticket_events
union all select moment.at from (
    select ticket_id from changed_ticket_events except select ticket_id from changed_tickets
) as named
cross join {tickets} as t cross join lateral (values (t.opened_at), (t.due_at)) as moment (at)
-- A target that passed owes a call; what happened to a ticket before tells which of its later solutions count.
union all select due_at from changed_tickets
union all select later.event_at from changed_ticket_events as e
inner join raw.ticket_events as later on e.ticket_id = later.ticket_id and e.event_at < later.event_at
union all select ordered_at from changed_connections
union all select connected_at from changed_connections
union all select started_at from changed_measures
union all select evaluated_at from changed_evaluations
union all select e.evaluated_at from (
    select evaluation_id from changed_evaluation_items except select evaluation_id from changed_evaluations
) as named
cross join {evaluations} as e
union all select coalesce(submitted_at, started_at, updated_at) from changed_survey_responses
union all select coalesce(r.submitted_at, r.started_at, r.updated_at) from raw.survey_responses as r
inner join moved_tickets using (ticket_id)
union all select coalesce(r.submitted_at, r.started_at, r.updated_at) from raw.survey_responses as r
inner join touched_calls as t on r.call_id = t.callid where t.is_moved
-- What was loaded before the call it is about stood on its own day until now.
union all select moment.at from called_tickets as r cross join lateral (values (r.opened_at), (r.due_at)) as moment (at)
union all select e.event_at from raw.ticket_events as e inner join called_tickets using (ticket_id)
union all select r.evaluated_at from raw.evaluations as r
inner join touched_calls as t on r.call_id = t.callid where t.is_moved
-- A restart closes the visits that a crash left open, after an outage of up to three days.
union all select q.event_at - outage.days * interval '1 day'
from changed_queue_log as q cross join generate_series(1, 3) as outage (days)
where q.event = 'QUEUESTART'
union all select q.event_at from moved_numbers as n
inner join raw.queue_log as q on n.phone_hash = q.caller_hash and q.event_at >= n.since
union all select c.start_at from moved_numbers as n
inner join raw.cdr as c on n.phone_hash = c.src_hash and c.start_at >= n.since
union all select t.opened_at from moved_subscribers as m
inner join raw.tickets as t on m.subscriber_id = t.subscriber_id and t.opened_at >= m.since
union all select t.due_at from moved_subscribers as m
inner join raw.tickets as t on m.subscriber_id = t.subscriber_id and t.opened_at >= m.since
union all select e.event_at from moved_subscribers as m
inner join raw.tickets as t on m.subscriber_id = t.subscriber_id and t.opened_at >= m.since
inner join raw.ticket_events as e on t.ticket_id = e.ticket_id
union all select c.ordered_at from moved_subscribers as m
inner join raw.connections as c on m.subscriber_id = c.subscriber_id and c.ordered_at >= m.since
union all select c.connected_at from moved_subscribers as m
inner join raw.connections as c on m.subscriber_id = c.subscriber_id and c.ordered_at >= m.since
union all select coalesce(r.submitted_at, r.started_at, r.updated_at) from moved_subscribers as m
inner join raw.survey_responses as r
    on m.subscriber_id = r.subscriber_id and coalesce(r.submitted_at, r.started_at, r.updated_at) >= m.since;

-- A target ahead of everything loaded has not passed: no mart has that day yet.
delete from touched_instants where at > (select max(window_end) + interval '1 day' from ops.coverage);

analyze touched_contacts;
"""

_REPEATED = """
-- Earlier contacts of the same subscribers whose repeat windows a touched contact falls into, those of a day together.
create temporary table repeated_instants on commit drop as
select distinct earlier.at from (
    select subscriber_id, min(at) as first_at, max(at) as last_at from touched_contacts
    group by subscriber_id, date_bin('1 day', at, timestamptz '2000-01-01 00:00:00+00')
) as t
inner join (
    select s.subscriber_id, q.event_at as at from raw.subscribers as s
    inner join raw.queue_log as q on s.phone_hash = q.caller_hash
    where s.subscriber_id in (select subscriber_id from touched_contacts) and q.event_at >= {since}
    union all
    select subscriber_id, opened_at from raw.tickets
    where subscriber_id in (select subscriber_id from touched_contacts) and opened_at >= {since}
) as earlier
    on t.subscriber_id = earlier.subscriber_id
    and earlier.at < t.last_at and earlier.at >= t.first_at - interval '31 days';
"""

_DAYS = """
with zones as (
    select time_zone from raw.branches where _superseded_at is null and time_zone is not null
    union select time_zone from ops.setting_branches
    union select cast(%(zone)s as text)
),
instants as (
    select at, false as by_repeat from touched_instants
    union all
    select at, true from repeated_instants
),
slots as (
    select date_bin('15 minutes', at, timestamptz '2000-01-01 00:00:00+00') as at, bool_and(by_repeat) as by_repeat
    from (
        select at, by_repeat from instants
        union all
        -- Calls that began before midnight and end, are rated or linked after it.
        select at - interval '6 hours', by_repeat from instants
    ) as spread
    where at is not null
    group by 1
),
days as (
    select cast(slots.at at time zone zones.time_zone as date) as day, slots.by_repeat
    from slots cross join zones
    union all
    select cast(generate_series(
        date_trunc('day', l.window_start at time zone zones.time_zone),
        (l.window_end - interval '1 microsecond') at time zone zones.time_zone,
        interval '1 day'
    ) as date), false
    from ops.loads as l cross join zones
    where l.load_id = any(%(loads)s)
        -- A window that was loaded before says nothing new about what is loaded.
        and not exists (
            select 1 from ops.coverage as c
            where c.source = l.source and c.load_id <> all(%(loads)s)
                and c.window_start = l.window_start and c.window_end = l.window_end
        )
)
select day, bool_and(by_repeat) as by_repeat from days group by day
"""

# Days of contacts whose repeat windows end between the two instants, in every time zone in use.
_CLOSING = """
with zones as (
    select time_zone from raw.branches where _superseded_at is null and time_zone is not null
    union select time_zone from ops.setting_branches where time_zone is not null
    union select cast(%(zone)s as text)
)
select distinct cast(generate_series(
    date_trunc('day', (%(before)s - closing.after) at time zone zones.time_zone),
    (%(until)s - closing.after) at time zone zones.time_zone,
    interval '1 day'
) as date) as day
from zones cross join unnest(%(windows)s::interval[]) as closing (after)
"""

# Orders and tickets that were not done when their promise or target passed between the two instants.
_DEADLINES = """
insert into touched_instants
select ordered_at from raw.connections
where _superseded_at is null and connected_at is null and cancelled_at is null
    and promised_on between cast(%(before)s as date) - 1 and cast(%(until)s as date) + 1
union all
select t.opened_at from raw.tickets as t
where t._superseded_at is null and t.due_at >= %(before)s and t.due_at < %(until)s
    and not exists (
        select 1 from raw.ticket_events as e
        where e.ticket_id = t.ticket_id and e._superseded_at is null and e.event in ('solved', 'closed')
    )
"""

_ASSIGNMENTS = ("branches", "operator_branches", "operator_aliases", "topics")


class Touched(NamedTuple):
    """Days to build, in order. ``changed_days``: those of them on which more can change than whether a contact was
    repeated later; for numbers that do not look at repeats the others come out as they are.
    """

    days: list[date]
    changed_days: list[date]


def touched_days(
    conn: Conn,
    load_ids: Sequence[int],
    zone: str,
    data_until: datetime | None,
    data_until_before: datetime | None,
) -> list[date]:
    """Days to build for these promoted loads, in order, within the span of loaded windows.

    ``data_until`` and ``data_until_before``: to where telephony is loaded now and at the last publication; days
    whose repeat windows close in between are included, and those of orders and tickets whose promise or target
    passes in between unkept.
    """
    return touched(conn, load_ids, zone, data_until, data_until_before).days


def touched(
    conn: Conn,
    load_ids: Sequence[int],
    zone: str,
    data_until: datetime | None,
    data_until_before: datetime | None,
) -> Touched:
    """`touched_days`, and which of them changed otherwise than by repeats."""
    with conn.transaction():
        # A few rows are looked up in tables of all history, mostly at its end, which is in memory.
        conn.execute("set local random_page_cost = 1.1")
        conn.execute("set local enable_mergejoin = off")  # it would read their indexes from end to end
        changed, repeated = _days_of_loads(conn, load_ids, zone, data_until, data_until_before)
        changed |= _closing_days(conn, zone, data_until, data_until_before, [timedelta(0)])
        changed |= _assignment_days(conn, load_ids, data_until)
        changed |= _leaving_days(conn, load_ids)
        repeated |= _closing_days(conn, zone, data_until, data_until_before, REPEAT_WINDOWS)
        _drop_views(conn)
    return Touched(sorted(changed | repeated), sorted(changed))


def reclassified(conn: Conn, load_ids: Sequence[int], before: date | None, now: date | None) -> bool:
    """Whether topics can belong to other classes on the last whole day ``now`` than on ``before``, that of the last
    publication: the loads brought a topic, or a mapping began or ended in between.
    """
    if before is None or now is None:
        return True
    row = conn.execute(
        "select exists (select 1 from raw.topics where _load_id = any(%(loads)s) or _superseded_at is null and ("
        "valid_from > %(first)s and valid_from <= %(last)s or valid_to > %(first)s and valid_to <= %(last)s)) as it_is",
        {"loads": list(load_ids), "first": min(before, now), "last": max(before, now)},
    ).fetchone()
    return bool(row and row["it_is"])


def all_days(conn: Conn) -> list[date]:
    """Every day on which any landed row happened, and every day of a promoted window."""
    rows = conn.execute(
        "select distinct day from ops.load_days"
        " union select cast(generate_series(date_trunc('day', window_start) - interval '1 day', window_end"
        " + interval '1 day', interval '1 day') as date) from ops.loads where status = 'promoted'"
    )
    return sorted(r["day"] for r in rows)


def _days_of_loads(
    conn: Conn, load_ids: Sequence[int], zone: str, until: datetime | None, before: datetime | None
) -> tuple[set[date], set[date]]:
    """The days on which the loads change something, and those of repeats only."""
    loads = sql.SQL("array[{}]::bigint[]").format(sql.SQL(", ").join(map(sql.Literal, load_ids)))
    _drop_views(conn)
    for table in BY_NAME.values():
        same_key = sql.SQL(" and ").join(sql.SQL("old.{0} = new.{0}").format(sql.Identifier(k)) for k in table.key)
        statement = sql.SQL(_CHANGED).format(name=sql.SQL(table.name), loads=loads, same_key=same_key)
        conn.execute(statement)
    conn.execute(sql.SQL(_INSTANTS).format(
        loads=loads, **_around_telephony(conn, load_ids),
        tickets=_versions_of("tickets", "ticket_id", "opened_at", "due_at"),
        evaluations=_versions_of("evaluations", "evaluation_id", "call_id", "evaluated_at"),
    ))  # fmt: skip
    # A moment that the planner knows: else it would read subscribers' contacts of all years.
    since = conn.execute("select cast(min(at) - interval '31 days' as text) as at from touched_contacts").fetchone()
    conn.execute(sql.SQL(_REPEATED).format(since=sql.Literal(since["at"] if since else None)))
    if until is not None and before is not None and until > before:
        conn.execute(_DEADLINES, {"until": until, "before": before})
    found = conn.execute(_DAYS, {"zone": zone, "loads": list(load_ids)}).fetchall()
    return {r["day"] for r in found if not r["by_repeat"]}, {r["day"] for r in found if r["by_repeat"]}


def _around_telephony(conn: Conn, load_ids: Sequence[int]) -> dict[str, sql.Literal]:
    """From and until when telephony was loaded, and where all rows of its calls are; nothing without telephony."""
    row = conn.execute(
        "select min(window_start) as start, max(window_end) as ended from ops.loads"
        " where load_id = any(%s) and source = 'telephony'",
        (list(load_ids),),
    ).fetchone()
    names = ("loaded_from", "loaded_until", "near_from", "near_until")
    if row is None or row["start"] is None:
        return dict.fromkeys(names, sql.Literal(None))
    moments = (row["start"], row["ended"], row["start"] - LONGEST_CALL, row["ended"] + LONGEST_CALL)
    # Moments that the planner knows: it could not tell a few days from all history.
    return {name: sql.Literal(str(moment)) for name, moment in zip(names, moments, strict=True)}


def _versions_of(name: str, key: str, *columns: str) -> sql.Composed:
    return sql.SQL(_VERSIONS).format(
        name=sql.Identifier(name), key=sql.Identifier(key), columns=sql.SQL(", ").join(map(sql.Identifier, columns))
    )


def _drop_views(conn: Conn) -> None:
    for name in BY_NAME:
        conn.execute(sql.SQL("drop view if exists pg_temp.{}").format(sql.Identifier(f"changed_{name}")))


def _closing_days(
    conn: Conn, zone: str, until: datetime | None, before: datetime | None, windows: Sequence[timedelta]
) -> set[date]:
    """Days that change because time passed: those from which on ``windows`` close between the two instants. A window
    of nothing gives all days in between, from which what waits for an answer reaches back.
    """
    if until is None or before is None or until <= before:
        return set()
    values = {"zone": zone, "until": until, "before": before, "windows": list(windows)}
    return {r["day"] for r in conn.execute(_CLOSING, values)}


def _assignment_days(conn: Conn, load_ids: Sequence[int], until: datetime | None) -> set[date]:
    """Days on which a changed branch, assignment, alias or topic mapping holds or held.

    When only the end of its validity moved, the days in between.
    """
    if until is None:
        return set()
    first = conn.execute("select min(window_start)::date - 1 as day from ops.coverage").fetchone()
    last = until.date() + timedelta(days=1)
    days: set[date] = set()
    for name in _ASSIGNMENTS:
        for start, end in _changed_spans(conn, name, load_ids):
            begin = max(start, first["day"]) if first else start
            finish = min(end or last, last)
            days |= {begin + timedelta(days=n) for n in range(max((finish - begin).days, 0))}
    days |= _employment_days(conn, load_ids, last)
    return days


def _changed_spans(conn: Conn, name: str, load_ids: Sequence[int]) -> list[tuple[date, date | None]]:
    table = BY_NAME[name]
    others = [c.name for c in table.columns if c.name not in (*table.key, "valid_from", "valid_to", "updated_at")]
    same_key = sql.SQL(" and ").join(sql.SQL("old.{0} = new.{0}").format(sql.Identifier(k)) for k in table.key)
    same_rest = sql.SQL(" and ").join(
        sql.SQL("old.{0} is not distinct from new.{0}").format(sql.Identifier(c)) for c in others
    )
    rows = conn.execute(
        sql.SQL(
            "select new.valid_from, new.valid_to, old.valid_to as valid_to_before,"
            " old.valid_from is not null and ({same_rest}) as only_the_end"
            " from raw.{name} as new left join raw.{name} as old on {same_key}"
            " and old._superseded_at = new._loaded_at where new._load_id = any(%s)"
        ).format(same_rest=same_rest, name=sql.Identifier(name), same_key=same_key),
        (list(load_ids),),
    ).fetchall()
    spans: list[tuple[date, date | None]] = []
    for row in rows:
        ends = (row["valid_to"], row["valid_to_before"])
        if row["only_the_end"]:
            known = [e for e in ends if e is not None]
            if known and ends[0] != ends[1]:
                spans.append((min(known), None if None in ends else max(known)))
        else:
            spans.append((row["valid_from"] or date.min, None if None in ends else max(ends)))
    return spans


def _employment_days(conn: Conn, load_ids: Sequence[int], last: date) -> set[date]:
    """Days between the old and new first or last working day of changed operators."""
    rows = conn.execute(
        "select new.hired_on, new.left_on, old.hired_on as hired_before, old.left_on as left_before,"
        " old.operator_id is null as is_new from raw.operators as new left join raw.operators as old"
        " on old.operator_id = new.operator_id and old._superseded_at = new._loaded_at"
        " where new._load_id = any(%s)",
        (list(load_ids),),
    ).fetchall()
    first = conn.execute("select min(window_start)::date - 1 as day from ops.coverage").fetchone()
    earliest = first["day"] if first and first["day"] else last
    days: set[date] = set()
    for row in rows:
        pairs = [(row["hired_on"] or earliest, row["left_on"] or last)]
        if not row["is_new"]:
            pairs = [
                (row["hired_on"] or earliest, row["hired_before"] or earliest),
                (row["left_on"] or last, row["left_before"] or last),
            ]
        for one, other in pairs:
            begin, finish = max(min(one, other), earliest), min(max(one, other), last)
            days |= (
                {begin + timedelta(days=n) for n in range(max((finish - begin).days + 1, 0))} if one != other else set()
            )
    return days


def _leaving_days(conn: Conn, load_ids: Sequence[int]) -> set[date]:
    """Days that change because a subscriber leaves on another day than was known.

    Calls owed in the weeks before and after it end with it. A mart reaches back from a touched day by more than 28
    days, so every fourth week until now is enough.
    """
    rows = conn.execute(
        "select distinct least(cast(generate_series(side.left_on, loaded.last + 27, interval '28 days') as date),"
        " loaded.last) as day"
        " from raw.subscribers as new"
        " left join raw.subscribers as old"
        " on old.subscriber_id = new.subscriber_id and old._superseded_at = new._loaded_at"
        " cross join lateral (values (new.left_on), (old.left_on)) as side (left_on)"
        " cross join (select min(window_start)::date - 1 as first, max(window_end)::date as last from ops.coverage)"
        " as loaded"
        " where new._load_id = any(%s) and new.left_on is distinct from old.left_on"
        " and side.left_on between loaded.first and loaded.last",
        (list(load_ids),),
    )
    return {row["day"] for row in rows}
