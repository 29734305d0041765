from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from service_quality.contract import ARROW_TYPES, BY_NAME, Column
from service_quality.sources import convert

BERLIN = ZoneInfo("Europe/Berlin")


def converted(kind: str, values: list, zone: ZoneInfo = BERLIN, arrow: pa.DataType | None = None):
    problems: convert.Problems = {}
    array = convert.convert(Column("c", kind, ""), pa.array(values, arrow), zone, problems)
    assert array.type == ARROW_TYPES[kind]
    return array.to_pylist(), problems


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("text", ["a", None, "", " b "], ["a", None, "", " b "]),
        ("text", ["a\x00b", "c"], ["ab", "c"]),
        ("text", [1, None, 20], ["1", None, "20"]),
        ("text", [5.0, 2.5], ["5", "2.5"]),
        ("text", [Decimal("1.50")], ["1.50"]),
        ("text", [True, False], ["true", "false"]),
        ("text", [date(2026, 1, 2)], ["2026-01-02"]),
        ("text", [datetime(2026, 1, 2, 3, 4, 5)], ["2026-01-02 03:04:05"]),
        ("bigint", ["7", None, " 8 ", ""], [7, None, 8, None]),
        ("bigint", [Decimal("12.00"), Decimal("3")], [12, 3]),
        ("bigint", ["12.00", "9007199254740993"], [12, 9007199254740993]),
        ("bigint", [True, False], [1, 0]),
        ("double precision", ["1.5", None, " 2 ", ""], [1.5, None, 2.0, None]),
        ("double precision", [Decimal("0.10"), Decimal("2")], [0.1, 2.0]),
        ("double precision", [3, 4], [3.0, 4.0]),
        ("boolean", [1, 0, None], [True, False, None]),
        ("boolean", ["Y", "n", "t", "F", "1", "0", "Да", "нет", "", None], [True, False] * 4 + [None] * 2),
        ("date", [date(2026, 1, 2), None], [date(2026, 1, 2), None]),
        ("date", [datetime(2026, 1, 2, 23, 59)], [date(2026, 1, 2)]),
        ("date", [datetime(2026, 1, 2, 23, 30, tzinfo=UTC)], [date(2026, 1, 3)]),
        ("date", ["2026-01-02", "2026-01-03 10:00:00", "", None], [date(2026, 1, 2), date(2026, 1, 3), None, None]),
        ("date", ["infinity", "2026-01-02"], [None, date(2026, 1, 2)]),
        ("timestamptz", ["infinityZ", "2026-01-02 00:00:00Z"], [None, datetime(2026, 1, 2, tzinfo=UTC)]),
    ],
)  # fmt: skip
def test_values_are_read_in_whatever_type_they_come(kind, given, expected):
    assert converted(kind, given) == (expected, {})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-01-02 03:04:05", datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)),
        ("2026-07-02T03:04:05.123456", datetime(2026, 7, 2, 1, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02 03:04:05+03", datetime(2026, 1, 2, 0, 4, 5, tzinfo=UTC)),
        ("2026-01-02 03:04:05 +03:00", datetime(2026, 1, 2, 0, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 1, 23, tzinfo=UTC)),
        # The doubled hour: its first pass. The skipped hour: as if the clock had not been changed yet.
        ("2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-03-29 02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_instants_without_zone_are_local(given, expected):
    assert converted("timestamptz", [given]) == ([expected], {})
    if "+" not in given and not given.endswith("Z"):
        naive = datetime.fromisoformat(given)
        assert converted("timestamptz", [naive]) == ([expected], {})


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("bigint", "abc"), ("bigint", "1.5"), ("bigint", "1_000"), ("bigint", "9" * 30), ("bigint", "nan"),
        ("double precision", "abc"), ("double precision", "inf"), ("double precision", "1,5"),
        ("boolean", "2"), ("boolean", "maybe"),
        ("date", "0000-00-00"), ("date", "2026-02-30"), ("date", "31.12.2026"), ("date", "20260102"),
        ("timestamptz", "0000-00-00 00:00:00"), ("timestamptz", "1700000000"), ("timestamptz", "soon"),
        ("timestamptz", "-infinity"), ("timestamptz", "2026-01-02 25:00:00"), ("timestamptz", "0001-01-01 00:00:00"),
    ],
)  # fmt: skip
def test_a_bad_value_is_null_and_told_and_its_neighbours_are_kept(kind, bad):
    good = {"bigint": "7", "double precision": "1.5", "boolean": "y"}.get(kind, "2026-01-02")
    values, problems = converted(kind, [good, bad, None, good])
    assert values[1:3] == [None, None]
    assert values[0] == values[3] is not None
    assert problems == {1: [f"c: cannot read '{bad}' as {kind}"]}


@pytest.mark.parametrize("kind", ["date", "timestamptz"])
def test_numbers_are_no_moments(kind):
    values, problems = converted(kind, [1_700_000_000])
    assert (values, list(problems)) == ([None], [0])


@pytest.mark.parametrize("kind", ["bigint", "double precision", "boolean"])
def test_moments_are_no_numbers(kind):
    values, problems = converted(kind, [datetime(2026, 1, 2)])
    assert (values, list(problems)) == ([None], [0])


def test_a_long_bad_value_is_shortened_in_the_note():
    _, problems = converted("date", ["x" * 500])
    assert len(problems[0][0]) < 100


def test_a_batch_names_its_rows_and_collects_all_problems():
    table = BY_NAME["evaluation_items"]
    columns = {c.name: pa.array([None, None], pa.string()) for c in table.columns}
    columns |= {
        "evaluation_id": pa.array(["e1", None]),
        "item_id": pa.array([4, 5]),
        "score": pa.array(["ten", "10"]),
        "is_fatal": pa.array(["?", "y"]),
    }
    batch = convert.to_batch(table, columns, BERLIN)
    assert batch.schema == table.arrow_schema()
    first, second = batch.to_pylist()
    assert first["_source_ref"] == "evaluation_items evaluation_id=e1,item_id=4"
    assert first["_problems"] == "score: cannot read 'ten' as double precision; is_fatal: cannot read '?' as boolean"
    assert second["_source_ref"] == "evaluation_items evaluation_id=null,item_id=5"
    assert (second["_problems"], second["score"], second["is_fatal"]) == (None, 10.0, True)
