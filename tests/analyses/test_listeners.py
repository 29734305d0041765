"""A harsh listener is found, and nobody is blamed for sharing calls with him."""

from __future__ import annotations

import numpy as np
import pytest
from service_quality.analyses import listeners


def scored(parts, calls=150, noise=4.0, seed=1, each=3):
    """Calls that `each` listeners in turn scored: the call's own points, the listener's part, noise."""
    rng = np.random.default_rng(seed)
    names = sorted(parts)
    shared = {}
    for number in range(calls):
        heard = [names[(number + step) % len(names)] for step in range(each)]
        worth = rng.normal(85, 6)
        shared[f"c{number}"] = {name: float(worth + parts[name] + rng.normal(0, noise)) for name in heard}
    return shared


HARSH = {"a": 0.0, "b": 0.0, "c": -20.0, "d": 0.0, "e": 0.0}


def test_a_harsh_listener_is_found_and_nobody_else():
    found = {one.listener: one for one in listeners.biases(scored(HARSH))}
    assert found["c"].bias == pytest.approx(-20, abs=1.5)
    assert all(abs(one.bias) < 3 * one.error for name, one in found.items() if name != "c")
    # The plain difference to the others' mean blames those who share calls with him.
    assert found["b"].difference > 5 and found["c"].difference < -18
    assert all(one.group == 5 for one in found.values())


def test_the_parts_are_least_squares():
    shared = scored(HARSH, calls=40)
    names, rows, scores = sorted(HARSH), [], []
    for number, by in enumerate(shared.values()):
        for name, score in by.items():
            row = np.zeros(40 + 5)
            row[number], row[40 + names.index(name)] = 1, 1
            rows.append(row)
            scores.append(score)
    parts = np.linalg.lstsq(np.array(rows), np.array(scores), rcond=None)[0][40:]
    assert [one.bias for one in listeners.biases(shared)] == pytest.approx(parts - np.median(parts))


def test_the_error_is_as_large_as_the_estimates_scatter():
    found = [listeners.biases(scored(HARSH, calls=60, seed=s), replicates=200) for s in range(60)]
    errors = np.mean([[one.error for one in by] for by in found], axis=0)
    scatter = np.std([[one.bias for one in by] for by in found], axis=0, ddof=1)
    assert errors == pytest.approx(scatter, rel=0.3)


def test_listeners_who_share_no_call_are_not_compared():
    shared = {"c1": {"a": 60.0, "b": 80.0}, "c2": {"a": 70.0, "b": 90.0}, "c3": {"x": 10.0, "y": 10.0}}
    found = {one.listener: one for one in listeners.biases(shared)}
    assert {name: one.group for name, one in found.items()} == {"a": 2, "b": 2, "x": 2, "y": 2}
    assert (found["a"].bias, found["b"].bias) == pytest.approx((-10, 10))
    assert found["x"].bias == pytest.approx(0) and found["x"].error is None
    assert listeners.biases({}) == []


def test_a_chain_of_shared_calls_makes_one_group():
    shared = {"c1": {"a": 1.0, "b": 2.0}, "c2": {"c": 3.0, "d": 4.0}, "c3": {"b": 2.0, "c": 3.0}}
    assert {one.group for one in listeners.biases(shared)} == {4}


def test_the_same_calls_give_the_same_figures():
    assert listeners.biases(scored(HARSH)) == listeners.biases(dict(reversed(scored(HARSH).items())))
