"""Verdicts and intervals of the scorecards in worlds whose truth is known: 30 seeds a kind, the models' own SQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import calibration

pytestmark = pytest.mark.postgres
SEEDS = range(30)


@pytest.fixture(scope="module")
def judge(server) -> Iterator[calibration.Judge]:
    for url in calibration.scratch(server.url):
        made = calibration.Judge(url)
        yield made
        made.close()


@pytest.fixture(scope="module")
def found(judge) -> dict[str, calibration.Figures]:
    kinds = (calibration.PLANTED, calibration.USUAL, calibration.NULL)
    figures = {kind.name: calibration.measure_worlds(judge, kind, SEEDS) for kind in kinds}
    for name, one in figures.items():
        print(f"\n{name}, {one.worlds} worlds\n{one.told()}")
    return figures


def test_nine_of_ten_verdicts_worse_hit_a_fault_and_plain_ranking_is_far_from_it(found):
    planted = found["planted"]
    assert planted.flags > 100 and planted.precision >= 0.9
    assert planted.recall >= 0.5
    assert planted.raw_precision < planted.precision - 0.15


def test_intervals_hold_the_truth_at_their_rate(found):
    for name in ("planted", "usual"):
        for what in found[name].covered:
            assert 0.92 <= found[name].coverage(what) <= 0.985, (name, what)
    # Where nobody differs, the intervals allow for a difference that is not there: they hold more than they promise.
    assert all(found["null"].coverage(what) >= 0.94 for what in found["null"].covered)


def test_where_nobody_differs_hardly_anybody_is_called_worse(found):
    """Of 30 worlds with 40 operators, 4 measures, 2 windows and an index at most 5 % hold a single false 'worse'."""
    assert found["null"].worlds_with_false_flag <= 0.05 * found["null"].worlds
    # Ordinary differences between ordinary operators are no fault either.
    assert found["usual"].worlds_with_false_flag <= 0.1 * found["usual"].worlds


def test_who_gets_the_hard_topics_looks_worst_and_is_not_called_so(found):
    for name in ("planted", "usual", "null"):
        one = found[name]
        assert one.unfair_raw > 0.6 * one.unfair_rows and one.unfair_flags <= 0.01 * one.unfair_rows, name


def test_nobody_has_a_place_below_the_reliability(found):
    assert all(one.places_unreliable == 0 for one in found.values())
