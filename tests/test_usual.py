"""Like-for-like limits: what a window usually brings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from landed import MONDAY, NOW, all_rows, batch, emptied, land, rows
from service_quality import config, usual
from service_quality.contract import BY_NAME, Source
from service_quality.usual import Limit, NotJudged
from service_quality.window import Window, midnight

SETTINGS = config.Settings(
    provider=config.Provider(
        time_zone="Europe/Moscow", holidays=[date(2026, 2, 23), config.Holiday(day=date(2026, 2, 16), branch_id="b1")]
    )
)
ZONE = ZoneInfo("Europe/Moscow")
TODAY = date(2026, 3, 2)  # a Monday
WEEKS = [TODAY - timedelta(days=n) for n in range(1, 57)]


@pytest.fixture
def conn(prepared_url):
    with emptied(prepared_url) as conn:
        yield conn


def window(first, days=1, hours=0):
    shift = timedelta(hours=hours)
    return Window(midnight(first, ZONE) + shift, midnight(first + timedelta(days=days), ZONE) + shift)


def loaded(conn, table, span, events):
    """A promoted load of ``span`` with so many events by day."""
    row = conn.execute(
        "insert into ops.loads (source, window_start, window_end, status, started_at, rows_read, rows_raw,"
        " rows_unchanged, rows_quarantined) values (%s, %s, %s, 'promoted', %s, 0, 0, 0, 0) returning load_id",
        (BY_NAME[table].source, span.start, span.end, span.end),
    ).fetchone()
    for day, count in events.items():
        given = (table, day, row["load_id"], count, count)
        conn.execute("insert into ops.load_days values (%s, %s, %s, %s, %s)", given)


def nights(conn, table, events):
    for day, count in sorted(events.items()):
        loaded(conn, table, window(day), {day: count} if count else {})


def limits(conn, table="queue_log", span=None, count=0, now=NOW, settings=SETTINGS, at=None, other=()):
    span = span or window(TODAY)
    source = BY_NAME[table].source
    dated = BY_NAME[table].event_time
    given = rows(table, count, **{dated: at or span.start + timedelta(hours=1)})
    load = land(conn, source, [batch(table, given), *other], [table], span)
    return usual.parameters(conn, load, BY_NAME[table], settings, now)


def weekly(working=100, off=20):
    return {d: working if d.isoweekday() < 6 else off for d in WEEKS}


def test_a_day_is_compared_with_the_same_weekday(conn):
    events = weekly()
    for d in WEEKS:
        if d.weekday() == 0:
            events[d] = 300
    nights(conn, "queue_log", events)
    found = limits(conn)
    assert (found["rows_min"].value, found["rows_max"].value) == (150, 600)
    assert "usual is 300, by 7 days like Monday" in found["rows_min"].text


def test_a_holiday_is_compared_with_days_off_and_is_no_example_for_its_weekday(conn):
    events = weekly(working=400)
    nights(conn, "queue_log", events)
    off = limits(conn, settings=SETTINGS.model_copy(update={
        "provider": SETTINGS.provider.model_copy(update={"holidays": [TODAY]})}))  # fmt: skip
    assert off["rows_max"].value == 40
    assert "days off" in off["rows_max"].text
    assert "7 days like Monday" in limits(conn)["rows_max"].text  # the 23rd of February is left out


def test_a_holiday_of_one_branch_is_a_working_day_of_the_provider(conn):
    nights(conn, "queue_log", weekly())
    assert limits(conn, span=window(date(2026, 2, 16)))["rows_min"].value == 50


def test_with_few_same_weekdays_the_kind_of_day_decides(conn):
    days = [TODAY - timedelta(days=n) for n in range(1, 8)]
    nights(conn, "queue_log", {d: 100 if d.isoweekday() < 6 else 0 for d in days})
    found = limits(conn)
    assert found["rows_min"].value == 50 and "4 working days" in found["rows_min"].text  # one is a holiday


def test_without_comparable_days_volume_is_not_judged_and_says_why(conn):
    nights(conn, "queue_log", {TODAY - timedelta(days=n): 100 for n in (1, 2, 3, 4)})
    found = limits(conn)
    assert found["rows_min"] == NotJudged("fewer than 4 comparable days are loaded") == found["rows_max"]


def test_small_counts_are_left_room_for_chance(conn):
    nights(conn, "queue_log", dict.fromkeys(WEEKS, 16))
    assert (limits(conn)["rows_min"].value, limits(conn)["rows_max"].value) == (4, 32)
    conn.execute("update ops.load_days set events = 4")
    assert (limits(conn)["rows_min"].value, limits(conn)["rows_max"].value) == (0, 10)
    conn.execute("update ops.load_days set events = 6")
    assert limits(conn)["rows_min"].value == 1


def test_rows_of_other_days_do_not_fill_up_a_short_night(conn):
    nights(conn, "queue_log", dict.fromkeys(WEEKS, 100))
    late = batch("queue_log", rows("queue_log", 70, line_no=lambda n: 1000 + n, event_at=MONDAY - timedelta(days=3)))
    found = limits(conn, count=10, other=[late])
    assert found["rows_min"].value == 50 + 70 and "70 of other days" in found["rows_min"].text


def test_a_night_that_was_not_loaded_is_no_example_of_an_empty_one(conn):
    events = weekly()
    for d in WEEKS:
        if d.weekday() == 0 and d > date(2026, 1, 19):
            del events[d]
    nights(conn, "queue_log", events)
    assert "working days" in limits(conn)["rows_min"].text


def test_windows_over_many_days_are_compared_day_by_day(conn):
    nights(conn, "queue_log", weekly())
    assert limits(conn, span=window(TODAY, days=7))["rows_min"].value == (5 * 100 + 2 * 20) / 2


def test_windows_that_are_not_cut_at_midnight_are_compared_by_the_share_of_each_day(conn):
    for day in sorted(WEEKS)[:-1]:
        loaded(conn, "queue_log", window(day, hours=3), {day: 96})
    found = limits(conn, span=window(TODAY, hours=3))
    assert found["rows_min"].value == 48


def test_a_window_much_shorter_than_a_day_is_not_judged(conn):
    nights(conn, "queue_log", weekly())
    short = Window(midnight(TODAY, ZONE), midnight(TODAY, ZONE) + timedelta(hours=6))
    found = limits(conn, span=short)
    assert {type(found[n]) for n in ("rows_min", "rows_max", "rows_present")} == {NotJudged}


def test_hours_that_have_not_come_yet_are_not_expected(conn):
    nights(conn, "queue_log", weekly())
    assert isinstance(limits(conn, now=midnight(TODAY, ZONE) + timedelta(hours=9))["rows_min"], NotJudged)


def test_a_long_window_is_no_measure_for_tables_dated_by_their_last_change(conn):
    loaded(conn, "tickets", window(WEEKS[-1], days=56), dict.fromkeys(WEEKS, 30))
    loaded(conn, "ticket_events", window(WEEKS[-1], days=56), dict.fromkeys(WEEKS, 30))
    assert isinstance(limits(conn, "tickets")["rows_min"], NotJudged)
    assert isinstance(limits(conn, "ticket_events")["rows_min"], Limit)


def test_nights_measure_tables_dated_by_their_last_change(conn):
    nights(conn, "tickets", dict.fromkeys(WEEKS, 40))
    assert limits(conn, "tickets")["rows_min"].value == 20


def test_an_empty_working_day_without_history_is_no_quiet_day(conn):
    found = limits(conn)
    assert found["rows_present"] == Limit(1, "at least 1 row: 2026-03-02 was a working day")
    assert isinstance(found["rows_present_in_source"], Limit)


def test_one_filled_table_shows_that_the_source_was_there(conn):
    cdr = batch("cdr", rows("cdr", 1))
    load = land(conn, Source.TELEPHONY, [cdr], ["queue_log", "cdr"], window(TODAY))
    found = usual.parameters(conn, load, BY_NAME["queue_log"], SETTINGS, NOW)
    assert isinstance(found["rows_present"], Limit)
    assert isinstance(found["rows_present_in_source"], NotJudged)


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2026, 2, 23)], ids=["Sunday", "holiday"])
def test_a_silent_day_off_without_history_is_believed(conn, day):
    assert isinstance(limits(conn, span=window(day))["rows_present"], NotJudged)


def raw_lines(conn, instants):
    for n, at in enumerate(instants):
        conn.execute(
            "insert into raw.queue_log (server_id, file_id, line_no, event_at, _row_hash)"
            " values ('p', 'f', %s, %s, 0)",
            (n, at),
        )


def test_the_last_row_is_compared_with_the_last_rows_of_comparable_days(conn):
    nights(conn, "queue_log", dict.fromkeys(WEEKS, 10))
    raw_lines(conn, [midnight(d + timedelta(days=1), ZONE) - timedelta(hours=1) for d in WEEKS])
    found = limits(conn)["freshness_min"]
    assert found.value == midnight(date(2026, 3, 3), ZONE) - timedelta(hours=7)
    assert "silent for at most 1.0 h" in found.text


def test_freshness_is_not_judged_where_comparable_days_were_silent(conn):
    nights(conn, "queue_log", dict.fromkeys(WEEKS, 10))
    assert "the last 24 hours brought nothing" in limits(conn)["freshness_min"].reason


def test_freshness_is_not_judged_without_history(conn):
    assert limits(conn)["freshness_min"] == NotJudged("fewer than 4 comparable days are loaded")


def test_events_end_with_the_window_and_records_a_day_after_their_reading(conn):
    assert limits(conn)["latest_allowed"].value == window(TODAY).end
    read_at = datetime(2026, 5, 1, tzinfo=UTC)
    assert limits(conn, "tickets", now=read_at)["latest_allowed"].value == read_at + timedelta(days=1)


def test_loads_that_were_not_promoted_are_no_history(conn):
    nights(conn, "queue_log", weekly())
    conn.execute("update ops.loads set status = 'held'")
    assert isinstance(limits(conn)["rows_min"], NotJudged)


def test_days_are_local_days_over_the_change_of_the_clock(conn):
    zone = ZoneInfo("Europe/Berlin")
    settings = SETTINGS.model_copy(update={"provider": config.Provider(time_zone="Europe/Berlin")})
    sunday = date(2026, 3, 29)  # 23 hours long
    for n in range(1, 57):
        day = sunday - timedelta(days=n)
        loaded(conn, "queue_log", Window(midnight(day, zone), midnight(day + timedelta(days=1), zone)), {day: 100})
    span = Window(midnight(sunday, zone), midnight(sunday + timedelta(days=1), zone))
    last = span.end - timedelta(minutes=1)
    found = limits(conn, span=span, settings=settings, count=80, at=last)
    assert found["rows_min"] == Limit(50, "at least 50 rows of the window's days (usual is 100, by 8 days like Sunday)")
    assert all_rows(conn, "select count(*) from landing.queue_log") == [(80,)]
