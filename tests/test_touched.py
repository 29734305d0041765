"""Which days a build has to do though nothing was loaded for them: what only the passing of time changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from service_quality import ops, touched
from service_quality.contract import Source
from service_quality.window import Window

pytestmark = pytest.mark.postgres

ZONE = "Europe/Moscow"
ZONES = [ZONE, "Asia/Novosibirsk", "Europe/Kaliningrad"]
BEFORE = datetime(2026, 11, 7, 21, tzinfo=UTC)
UNTIL = datetime(2026, 11, 8, 21, tzinfo=UTC)


@pytest.fixture
def conn(database_url):
    with ops.connect(database_url) as conn:
        ops.prepare(conn)
        for number, zone in enumerate(ZONES):
            write(conn, "branches", branch_id=f"b{number}", time_zone=zone, updated_at=BEFORE)
        conn.commit()
        yield conn


def write(conn, table, **row):
    """A row in raw as its present version."""
    full = {"_load_id": 1, "_row_no": 1, "_row_hash": 0, **row}
    marks = ", ".join(f"%({name})s" for name in full)
    conn.execute(f"insert into raw.{table} ({', '.join(full)}) values ({marks})", full)


def days(conn, until=UNTIL, before=BEFORE):
    return touched.touched_days(conn, [], ZONE, until, before)


def test_a_night_touches_the_days_whose_windows_close_and_no_others(conn):
    closing = set()
    for window in (timedelta(0), *touched.REPEAT_WINDOWS):  # what waits for an answer is a day older
        for minute in range(24 * 60 + 1):
            at = BEFORE - window + timedelta(minutes=minute)
            closing |= {at.astimezone(ZoneInfo(zone)).date() for zone in ZONES}
    assert days(conn) == sorted(closing)
    assert len(closing) == 10, "three days for each window: time zones spread a day over its neighbours; two overlap"


def test_nothing_closes_while_time_stands_still(conn):
    assert days(conn, until=BEFORE) == []
    assert days(conn, before=None) == []


def test_a_window_that_is_loaded_again_touches_only_what_changed(conn):
    def load(source):
        made = ops.open_load(conn, source, Window(BEFORE, UNTIL))
        ops.set_load(conn, made.load_id, "promoted", rows_read=0, rows_raw=0, rows_unchanged=0, rows_quarantined=0)
        conn.commit()
        return made.load_id

    load(Source.CRM)  # the one that brought the branches
    first = load(Source.IVR)
    windows_days = touched.touched_days(conn, [first], ZONE, BEFORE, BEFORE)
    assert windows_days == [date(2026, 11, 7), date(2026, 11, 8), date(2026, 11, 9)]
    again = load(Source.IVR)
    assert touched.touched_days(conn, [first, again], ZONE, BEFORE, BEFORE) == windows_days
    assert touched.touched_days(conn, [again], ZONE, BEFORE, BEFORE) == []


def test_a_contact_that_only_repeats_an_earlier_one_does_not_change_its_day(conn):
    """The earlier day is built again, for its repeats; what does not look at repeats is as it was."""
    write(conn, "subscribers", subscriber_id="s", phone_hash="h", updated_at=BEFORE - timedelta(days=90))
    for line, load, at in ((1, 1, BEFORE - timedelta(days=12)), (2, 7, BEFORE + timedelta(hours=12))):
        write(conn, "queue_log", server_id="pbx", file_id="f", line_no=line, log_seq=line, time_text="t", event_at=at,
              callid=f"{line}.1", queue="q", agent="NONE", event="ENTERQUEUE", caller_hash="h", params="",
              _load_id=load, _loaded_at=BEFORE)  # fmt: skip
    conn.commit()
    found = touched.touched(conn, [7], ZONE, BEFORE, BEFORE)
    earlier, now = ((BEFORE + timedelta(hours=h)).date() for h in (-12 * 24, 12))
    assert earlier in found.days and now in found.days
    assert now in found.changed_days and earlier not in found.changed_days
    assert set(found.changed_days) <= set(found.days)


NIGHT = BEFORE + timedelta(hours=12)


@pytest.mark.parametrize(
    ("changed", "before"),
    [
        ("line", timedelta(days=2)),
        ("line", timedelta(days=4)),
        ("line of a leg", timedelta(days=2)),
        ("connection", timedelta(days=2)),
        ("note of a leg", timedelta(days=2)),
        ("note of a leg", timedelta(days=40)),
        ("late line", timedelta(days=2)),
        ("late line", timedelta(days=40)),
    ],
)
def test_what_changes_of_a_call_touches_the_days_of_its_other_rows(conn, before, changed):
    """A line or connection of the night is of a call of a few days ago at most; a note or a late file of any."""
    began = NIGHT - before
    late = changed == "late line"
    sources = (Source.IVR, Source.TELEPHONY, Source.CRM)  # the first load has the number of the one with the branches
    _, *loads = [ops.open_load(conn, source, Window(BEFORE, UNTIL)).load_id for source in sources]
    for load in loads:
        ops.set_load(conn, load, "promoted", rows_read=0, rows_raw=0, rows_unchanged=0, rows_quarantined=0)

    def log(line, at, load=0, callid="1.1"):
        write(conn, "queue_log", server_id="pbx", file_id="f", line_no=line, log_seq=line, time_text="t", event_at=at,
              callid=callid, queue="q", agent="NONE", event="ENTERQUEUE", params="", _load_id=load)  # fmt: skip

    def connection(uniqueid, at, load=0):
        write(conn, "cdr", server_id="pbx", file_id="c", line_no=int(uniqueid[-1]), uniqueid=uniqueid, linkedid="1.1",
              start_at=at, _load_id=load)  # fmt: skip

    log(1, began)
    connection("1.2", began + timedelta(days=1))  # only the line is of the day
    if changed == "connection":
        connection("1.3", NIGHT, loads[0])
    elif changed == "note of a leg":
        write(conn, "wrap_ups", wrap_up_id="w", call_id="1.2", noted_at=NIGHT, updated_at=NIGHT, _load_id=loads[1])
    else:
        leg = "1.2" if changed == "line of a leg" else "1.1"
        log(2, began + timedelta(days=1) if late else NIGHT, loads[0], leg)
    conn.commit()
    found = touched.touched(conn, loads, ZONE, BEFORE, BEFORE)
    assert began.date() in found.changed_days
    assert (began + timedelta(days=1)).date() in found.days or not late
    assert (began - timedelta(days=2)).date() not in found.days


def test_time_that_passes_changes_the_days_it_passed_and_closes_windows_of_others(conn):
    found = touched.touched(conn, [], ZONE, UNTIL, BEFORE)
    passed = {(BEFORE + timedelta(minutes=m)).astimezone(ZoneInfo(z)).date() for m in range(24 * 60 + 1) for z in ZONES}
    assert set(found.changed_days) == passed < set(found.days)


def test_a_night_that_was_left_out_is_made_up_for(conn):
    one = set(days(conn, until=UNTIL - timedelta(days=1), before=BEFORE - timedelta(days=1)))
    assert one | set(days(conn)) == set(days(conn, before=BEFORE - timedelta(days=1)))


@pytest.mark.parametrize(
    ("order", "is_touched"),
    [
        ({}, True),
        ({"connected_at": BEFORE}, False),
        ({"cancelled_at": BEFORE}, False),
        ({"promised_on": date(2026, 11, 15)}, False),
    ],
    ids=["still open", "connected", "withdrawn", "not due yet"],
)
def test_an_open_order_touches_its_day_when_its_promise_passes(conn, order, is_touched):
    ordered = datetime(2026, 10, 20, 9, tzinfo=UTC)
    made = {"connection_id": "k", "ordered_at": ordered, "promised_on": date(2026, 11, 8), "updated_at": ordered}
    write(conn, "connections", **(made | order))
    assert (ordered.date() in days(conn)) is is_touched


@pytest.mark.parametrize(
    ("due", "event", "is_touched"),
    [
        (BEFORE + timedelta(hours=1), "replied", True),
        (BEFORE + timedelta(hours=1), "solved", False),
        (UNTIL + timedelta(hours=1), "replied", False),
        (BEFORE - timedelta(hours=1), "replied", False),
    ],
    ids=["still open", "solved", "not due yet", "told last night"],
)
def test_an_open_ticket_touches_its_day_when_its_target_passes(conn, due, event, is_touched):
    opened = datetime(2026, 10, 20, 9, tzinfo=UTC)
    write(conn, "tickets", ticket_id="t", opened_at=opened, due_at=due, updated_at=opened)
    write(conn, "ticket_events", ticket_event_id="e", ticket_id="t", event=event, event_at=opened, updated_at=opened)
    assert (opened.date() in days(conn)) is is_touched


@pytest.mark.parametrize(
    ("before", "now", "wanted"),
    [
        (None, date(2026, 9, 20), {date(2026, 9, 20), date(2026, 10, 18), date(2026, 11, 8)}),
        (date(2026, 10, 20), date(2026, 10, 25), {date(2026, 10, 20), date(2026, 10, 25), date(2026, 11, 8)}),
        (date(2026, 10, 25), date(2026, 10, 25), set()),
        (None, date(2020, 1, 1), set()),
    ],
    ids=["leaves", "left later than was known", "as was known", "left before anything was loaded"],
)
def test_who_leaves_touches_the_weeks_from_then_on(conn, before, now, wanted):
    """Owed calls look 28 days and more ahead, so that every fourth week reaches all of them."""
    conn.execute(
        "insert into ops.loads (source, window_start, window_end, status) values ('crm', '2026-08-08', %s, 'promoted')",
        (UNTIL,),
    )
    write(conn, "subscribers", subscriber_id="s", left_on=before, _superseded_at=UNTIL, _loaded_at=BEFORE)
    write(conn, "subscribers", subscriber_id="s", left_on=now, _load_id=2, _loaded_at=UNTIL)
    assert touched._leaving_days(conn, [2]) == wanted


@pytest.mark.parametrize(
    ("load", "valid_from", "valid_to", "is_reclassified"),
    [
        (7, date(2026, 1, 1), None, True),  # the build's loads brought it
        (1, date(2026, 1, 1), None, False),
        (1, date(2026, 11, 8), None, True),  # it begins on the new last whole day
        (1, date(2026, 11, 7), None, False),  # it held at the last publication
        (1, date(2026, 11, 9), None, False),  # it is still to come
        (1, date(2026, 1, 1), date(2026, 11, 8), True),  # it has ended since
        (1, date(2026, 1, 1), date(2026, 11, 7), False),
        (1, date(2026, 1, 1), date(2026, 11, 9), False),
    ],
)
def test_topics_belong_to_other_classes_when_a_mapping_came_began_or_ended(
    conn, load, valid_from, valid_to, is_reclassified
):
    write(conn, "topics", topic_id="t", topic_class="technical", valid_from=valid_from, valid_to=valid_to,
          updated_at=BEFORE, _load_id=load, _loaded_at=BEFORE)  # fmt: skip
    before, now = date(2026, 11, 7), date(2026, 11, 8)
    assert touched.reclassified(conn, [7], before, now) is is_reclassified
    assert touched.reclassified(conn, [7], now, before) is is_reclassified  # data that goes back
    assert touched.reclassified(conn, [], now, now) is False
    assert touched.reclassified(conn, [], None, now) is True  # nothing was published yet
