"""The list of conduct_review in simulated worlds: right names, few misses, almost nobody where nobody is at fault."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import psycopg
import pytest
from service_quality.config import REPO

from benchmarks import conduct

pytestmark = pytest.mark.postgres

WORLDS, NULL_WORLDS = 32, 12


@pytest.fixture(scope="module")
def bench(server) -> Iterator[conduct.Bench]:
    name = "test_conduct_calibration"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database if exists {name} with (force)")
        conn.execute(f"create database {name}")
    yield conduct.Bench(server.url(name))
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def found(bench):
    return conduct.measure(bench, range(WORLDS))


@pytest.fixture(scope="module")
def null(bench):
    return conduct.measure(bench, range(NULL_WORLDS), is_null=True)


def test_nine_names_of_ten_are_right(found, null, capsys):
    with capsys.disabled():
        print(f"\n{conduct.told(found, null)}")
    for aspect, one in found.items():
        assert one.worlds >= 30 and one.names >= 30, aspect
        assert one.precision >= 0.9, aspect


def test_most_of_the_planted_are_found(found):
    assert found["rudeness"].recall >= 0.85
    assert found["slowness"].recall >= 0.6


def test_where_nobody_is_at_fault_almost_nobody_is_named(null):
    """At most one name in 12 call centres of 60 people, in each aspect."""
    assert all(one.names <= 1 for one in null.values()), null


def test_a_ranking_by_raw_figures_is_wrong_more_often(found):
    assert found["slowness"].raw_wrong > found["slowness"].wrong
    assert found["rudeness"].raw_wrong > found["rudeness"].wrong


def test_the_published_share_of_wrong_names_is_not_better_than_measured(found):
    with (REPO / "dbt_project" / "seeds" / "conduct_calibration.csv").open(encoding="utf-8") as file:
        seed = {r["aspect"]: r for r in csv.DictReader(file)}
    for aspect, one in found.items():
        assert int(seed[aspect]["worlds"]) >= 30
        assert one.wrong / one.names <= float(seed[aspect]["wrong_share_high"]), aspect
        told = conduct.wilson_high(int(seed[aspect]["wrong_names"]), int(seed[aspect]["names"]))
        assert float(seed[aspect]["wrong_share_high"]) == pytest.approx(told, abs=1e-3)


def test_a_hostile_listener_and_hard_topics_hang_nobody(found, null):
    """One listener hears rudeness in one person only, three people get the hard calls, in every world."""
    assert all(one.trapped == 0 for one in (*found.values(), *null.values()))
