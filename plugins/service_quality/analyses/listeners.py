"""How harsh or lenient each listener is, from calls that several of them scored.

The plain difference to the other listeners' mean of the same call blames those who share calls with a harsh one: he
pulls their comparison down. So the listeners' parts are solved for together, score = call + listener + rest by least
squares, and counted from the median listener, whom one harsh colleague does not move. Standard errors come from samples
of the calls with replacement, in which all of this is done again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from service_quality.analyses.base import HEARD_BY_SEVERAL, Analysis, Scope
from service_quality.ops import Conn

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

WINDOW_DAYS = 90
REPLICATES = 1000
SEED = 20240611
DIGITS = 9

Shared = dict[str, dict[str, float]]
"""Call -> listener -> score in points; two listeners or more."""


@dataclass(frozen=True)
class Bias:
    """One listener, in points: ``difference`` to the others' mean on shared calls (leave one out), ``bias`` to the
    median listener of his group once everybody's part is taken out, ``error`` its standard error (None: not known).
    ``group``: listeners who can be compared with him by shared calls, himself included."""

    listener: str
    calls: int
    difference: float
    bias: float
    error: float | None
    group: int


def biases(shared: Shared, replicates: int = REPLICATES, seed: int = SEED) -> list[Bias]:
    """The bias of each listener of ``shared``, in the order of their names."""
    found: list[Bias] = []
    for names in _groups(shared):
        calls = {c: by for c, by in sorted(shared.items()) if names.intersection(by)}
        found += _of_group(sorted(names), calls, replicates, seed)
    return sorted(found, key=lambda one: one.listener)


def _groups(shared: Shared) -> list[set[str]]:
    """Listeners that shared calls connect, directly or by others."""
    groups: list[set[str]] = []
    for by in shared.values():
        joined = set(by)
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined]
    return groups


def _of_group(names: list[str], calls: Shared, replicates: int, seed: int) -> Iterator[Bias]:
    import numpy as np

    place = {name: i for i, name in enumerate(names)}
    matrices = np.zeros((len(calls), len(names), len(names)))
    sums = np.zeros((len(calls), len(names)))
    gaps: dict[str, list[float]] = defaultdict(list)
    for row, by in enumerate(calls.values()):
        ordered = sorted(by)
        scores = np.array([by[name] for name in ordered])
        at = [place[name] for name in ordered]
        matrices[row][np.ix_(at, at)] = np.eye(len(at)) - 1 / len(at)
        sums[row, at] = scores - scores.mean()
        for name, score in zip(ordered, scores, strict=True):
            gaps[name].append(float(score - (scores.sum() - score) / (len(at) - 1)))
    whole = _solved(matrices.sum(axis=0)[None], sums.sum(axis=0)[None])[0]
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(calls), np.full(len(calls), 1 / len(calls)), size=replicates).astype(float)
    again = _solved(np.tensordot(counts, matrices, axes=1), counts @ sums)
    errors = again.std(axis=0, ddof=1) if len(calls) > 1 else None
    for name, i in place.items():
        yield Bias(
            name, len(gaps[name]), sum(gaps[name]) / len(gaps[name]), float(whole[i]),
            float(errors[i]) if errors is not None else None, len(names),
        )  # fmt: skip


def _solved(matrices: Floats, sums: Floats) -> Floats:
    """Least-squares parts of the listeners, counted from their median, for each system of normal equations."""
    import numpy as np

    parts = np.einsum("bij,bj->bi", np.linalg.pinv(matrices, hermitian=True), sums)
    return parts - np.median(parts, axis=1, keepdims=True)


def _calculate(conn: Conn, scope: Scope) -> Iterator[Sequence[Any]]:
    if scope.as_of_day is None:
        return
    days = (scope.as_of_day - timedelta(days=WINDOW_DAYS - 1), scope.as_of_day)
    rows = conn.execute(
        "with heard as (select * from candidate.fct_evaluations"
        " where business_day between %s and %s and contact_id is not null and evaluator_id is not null"
        " and score_raw is not null)"
        f" select contact_id, evaluator_id, score_raw from heard where {HEARD_BY_SEVERAL}"
        " order by contact_id, evaluator_id, evaluated_at, evaluation_id",
        days,
    )
    heard: Shared = defaultdict(dict)
    for row in rows:
        heard[row["contact_id"]][row["evaluator_id"]] = round(float(row["score_raw"]), 6)
    shared = {contact: by for contact, by in heard.items() if len(by) > 1}
    for one in biases(shared):
        yield (
            one.listener, one.calls, round(one.difference, DIGITS), round(one.bias, DIGITS),
            None if one.error is None else round(one.error, DIGITS), one.group,
        )  # fmt: skip


ANALYSIS = Analysis(
    "listener_bias",
    (
        ("evaluator_id", "text"), ("calls", "bigint"), ("loo_difference", "double precision"),
        ("bias", "double precision"), ("bias_error", "double precision"), ("group_listeners", "bigint"),
    ),
    _calculate,
)  # fmt: skip
