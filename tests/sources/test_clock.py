"""Local time -> instants, above all in the hours that occur twice or never."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from service_quality.sources.clock import (
    HOUR,
    SECOND,
    Clock,
    channel_created,
    epoch_seconds,
    instants_array,
    micros,
    neighbours,
    read_local,
)

from tests.pbx import instant

RIGA = ZoneInfo("Europe/Riga")


def resolve(clock: Clock, *texts: str, created: list[int | None] | None = None) -> list[str]:
    local, readable = read_local(pa.array([f"2026-10-25 {t}" for t in texts]))
    assert readable.all()
    found = instants_array(clock.instants(local, created)).to_pylist()
    return [f"{at:%H:%M:%S}" for at in found]


def test_time_going_back_in_the_doubled_hour_begins_its_second_pass():
    found = resolve(Clock(RIGA), "02:59:59", "03:30:00", "03:59:58", "03:00:01", "03:30:00", "04:00:00")
    assert found == ["23:59:59", "00:30:00", "00:59:58", "01:00:01", "01:30:00", "02:00:00"]


def test_the_second_pass_is_remembered_between_batches():
    clock = Clock(RIGA)
    assert resolve(clock, "03:50:00") == ["00:50:00"]
    assert resolve(clock, "03:10:00", "03:20:00") == ["01:10:00", "01:20:00"]
    assert resolve(clock, "03:55:00") == ["01:55:00"]


def test_slight_disorder_is_no_second_pass():
    assert resolve(Clock(RIGA), "03:30:30", "03:30:00", "03:31:00") == ["00:30:30", "00:30:00", "00:31:00"]


def test_a_record_written_after_the_hour_is_of_its_second_pass():
    assert resolve(Clock(RIGA), "04:10:00", "03:40:00") == ["02:10:00", "01:40:00"]


def test_a_channel_made_in_the_second_pass_decides_without_any_sequence():
    created = micros(instant("2026-10-25 01:29:50"))
    assert resolve(Clock(RIGA), "03:30:00", created=[created]) == ["01:30:00"]


def test_a_channel_made_before_the_hour_leaves_the_first_pass_possible():
    created = micros(instant("2026-10-24 23:50:00"))
    assert resolve(Clock(RIGA), "03:30:00", created=[created]) == ["00:30:00"]


def test_a_stray_time_far_ahead_does_not_turn_the_first_pass_into_the_second():
    clock = Clock(RIGA)
    local, _ = read_local(pa.array(["2027-10-31 03:30:00", "2026-10-25 03:30:00"]))
    assert clock.instants(local)[1] == micros(instant("2026-10-25 00:30:00"))


def test_the_skipped_spring_hour_is_shifted_forward():
    local, _ = read_local(pa.array(["2026-03-29 02:59:59", "2026-03-29 03:30:00", "2026-03-29 04:00:00"]))
    found = instants_array(Clock(RIGA).instants(local)).to_pylist()
    assert [f"{at:%H:%M:%S}" for at in found] == ["00:59:59", "01:30:00", "01:00:00"]


@pytest.mark.parametrize("zone", ["Europe/Riga", "Europe/Chisinau", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])
def test_every_instant_of_two_years_survives_the_way_to_local_time_and_back(zone):
    there = ZoneInfo(zone)
    start = micros(instant("2026-01-01 00:00:00"))
    instants = start + np.arange(0, 2 * 365 * 24 * 6) * 10 * 60 * SECOND
    local = np.array([micros(at.astimezone(there).replace(tzinfo=None)) for at in instants_array(instants).to_pylist()])
    assert (Clock(there).instants(local) == instants).all()


def test_a_log_in_utc_needs_no_zone():
    local, _ = read_local(pa.array(["2026-10-25 03:30:00"]))
    assert Clock(None).instants(local)[0] == micros(instant("2026-10-25 03:30:00"))


def test_local_times_are_read_in_all_their_spellings():
    same = ["2026-10-25 03:30:00", "2026-10-25T03:30:00", "2026-10-25 03:30", "25.10.2026 03:30:00"]
    fractions = ["2026-10-25 03:30:00.000000", "2026-10-25 03:30:00.000000001"]
    local, readable = read_local(pa.array(same + fractions))
    assert readable.all()
    assert set(local) == {micros(instant("2026-10-25 03:30:00"))}
    assert read_local(pa.array(["2026-10-25 03:30:00.25"]))[0][0] % SECOND == SECOND // 4


@pytest.mark.parametrize(
    "text",
    ["", None, "yesterday", "2026-13-01 00:00:00", "2026-10-25", "0000-00-00 00:00:00", "1970-01-01 00:00:00",
     "2026-10-25 03:30:00+02:00", "3026-10-25 03:30:00", "2026-02-30 10:00:00"],
)  # fmt: skip
def test_what_is_no_local_time_is_unreadable_and_spoils_no_other(text):
    local, readable = read_local(pa.array([text, "2026-10-25 03:30:00"], pa.string()))
    assert list(readable) == [False, True]
    assert local[1] == micros(instant("2026-10-25 03:30:00"))


def test_seconds_since_1970():
    assert epoch_seconds("1795417639") == 1795417639 * SECOND
    assert epoch_seconds("1795417639.5") == 1795417639 * SECOND + SECOND // 2
    assert [epoch_seconds(t) for t in ("", "12", "9999999999", "179541763a", "-1795417639")] == [None] * 5


def test_channel_ids_tell_when_the_channel_was_made():
    assert channel_created("1795417664.0") == 1795417664 * SECOND
    assert channel_created("pbx-1-1795417664.12") == 1795417664 * SECOND
    assert [channel_created(c) for c in ("NONE", "MANAGER", "", None)] == [None] * 4


def test_unreadable_times_get_the_time_of_their_neighbour():
    times = np.array([0, 5, 0, 0, 7], np.int64)
    assert list(neighbours(times, times > 0, 3)) == [3, 5, 5, 5, 7]


def test_offsets_are_looked_up_by_the_hour_not_by_the_row():
    clock = Clock(RIGA)
    clock.instants(np.arange(100_000, dtype=np.int64) * SECOND + micros(instant("2026-06-01 00:00:00")))
    assert len(clock._offsets) <= 100_000 * SECOND // HOUR + 2
