"""How far listeners agree about the same call: Krippendorff's alpha by criterion, with a bootstrap interval.

Source: Krippendorff 2004, Content Analysis, chapter 11: alpha = 1 - Do / De, both from the coincidence matrix
o_ck = sum over units of (pairs of a value c and a value k) / (values of the unit - 1).
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
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
DIGITS = 9

# Whole-call judgements beside the items of the form: name, column of the mart `evaluations`, metric, values in order.
JUDGEMENTS: tuple[tuple[str, str, str, tuple[Any, ...] | None], ...] = (
    ("(score)", "score_raw", "interval", None),
    ("(tone)", "tone", "ordinal", ("warm", "neutral", "cold", "rude")),
    ("(solved)", "is_solved", "nominal", (False, True)),
    ("(fatal error)", "fatal_errors > 0", "nominal", (False, True)),
)

Units = list[list[float]]
"""The values of each unit, two or more, as numbers whose order is that of the scale."""


def alpha(units: Units, metric: str) -> float | None:
    """Krippendorff's alpha of ``units`` for the metric nominal, ordinal or interval.

    Units with fewer than two values say nothing and are left out. None when nothing varies or nothing is paired.
    Raises ValueError for another metric.
    """
    import numpy as np

    paired = [u for u in units if len(u) > 1]
    if not paired:
        return None
    found = float(_alphas(paired, metric, np.ones((1, len(paired))))[0])
    return None if np.isnan(found) else found


def bootstrap(units: Units, metric: str, seed: int, replicates: int = REPLICATES) -> tuple[float, float] | None:
    """95 % interval of alpha: percentiles over ``replicates`` samples of the units with replacement.

    Samples in which nothing varies have no alpha and are left out; None when more than half are.
    """
    import numpy as np

    paired = [u for u in units if len(u) > 1]
    if len(paired) < 2:
        return None
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(paired), np.full(len(paired), 1 / len(paired)), size=replicates).astype(float)
    found = _alphas(paired, metric, counts)
    found = found[~np.isnan(found)]
    if len(found) * 2 < replicates:
        return None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def _alphas(units: Units, metric: str, counts: Floats) -> Floats:
    """Alpha for each row of ``counts``, which says how often each unit is taken; nan where nothing varies."""
    import numpy as np

    if metric == "interval":
        observed, expected = _interval(units, counts)
    elif metric in ("nominal", "ordinal"):
        observed, expected = _by_values(units, metric, counts)
    else:
        raise ValueError(f"'{metric}' is no metric: nominal, ordinal or interval")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - observed / expected, np.nan)


def _interval(units: Units, counts: Floats) -> tuple[Floats, Floats]:
    import numpy as np

    size = np.array([len(u) for u in units], dtype=float)
    total = np.array([sum(u) for u in units])
    squares = np.array([sum(x * x for x in u) for u in units])
    n, x, x2 = counts @ size, counts @ total, counts @ squares
    observed = counts @ (2 * (size * squares - total**2) / (size - 1)) / n
    return observed, 2 * (n * x2 - x**2) / (n * (n - 1))


def _by_values(units: Units, metric: str, counts: Floats) -> tuple[Floats, Floats]:
    import numpy as np

    scale = sorted({x for u in units for x in u})
    place = {x: i for i, x in enumerate(scale)}
    pairs = np.zeros((len(units), len(scale), len(scale)))
    for row, unit in enumerate(units):
        tally = np.bincount([place[x] for x in unit], minlength=len(scale)).astype(float)
        pairs[row] = (np.outer(tally, tally) - np.diag(tally)) / (len(unit) - 1)
    coincidences = np.tensordot(counts, pairs, axes=1)
    margins = coincidences.sum(axis=2)
    n = margins.sum(axis=1)
    if metric == "nominal":
        distance = np.broadcast_to(1 - np.eye(len(scale)), coincidences.shape)
    else:
        # Between c and k lie all values from c to k, the two ends by half.
        middle = np.cumsum(margins, axis=1) - margins / 2
        distance = (middle[:, :, None] - middle[:, None, :]) ** 2
    observed = (coincidences * distance).sum(axis=(1, 2)) / n
    chance = margins[:, :, None] * margins[:, None, :]
    expected = (chance * distance).sum(axis=(1, 2)) / (n * (n - 1))
    return observed, expected


def pair_agreement(units: Units) -> tuple[int, int, int]:
    """(pairs of listeners on the same unit, pairs that are equal, pairs at most 1 apart)."""
    pairs = exact = near = 0
    for unit in units:
        for i, one in enumerate(unit):
            for other in unit[i + 1 :]:
                pairs += 1
                exact += one == other
                near += abs(one - other) <= 1
    return pairs, exact, near


def commonest_share(units: Units) -> float:
    """Share of the most frequent value among all values of ``units``, 0 to 1."""
    values = [x for unit in units for x in unit]
    return max(Counter(values).values()) / len(values)


def _calculate(conn: Conn, scope: Scope) -> Iterator[Sequence[Any]]:
    if scope.as_of_day is None:
        return
    days = (scope.as_of_day - timedelta(days=WINDOW_DAYS - 1), scope.as_of_day)
    items = conn.execute(
        # A version may give other points for the criterion: brought to the largest scale in the window.
        "with heard as (select criterion_id, contact_id, evaluator_id, evaluated_at, evaluation_id,"
        " cast(item_score as numeric) * max(cast(item_max_score as numeric)) over (partition by criterion_id)"
        " / nullif(cast(item_max_score as numeric), 0) as value"
        " from candidate.evaluations where business_day between %s and %s and contact_id is not null"
        " and evaluator_id is not null and item_score is not null and is_applicable)"
        f" select criterion_id, contact_id, evaluator_id, value from heard where {HEARD_BY_SEVERAL}"
        " order by criterion_id, contact_id, evaluator_id, evaluated_at, evaluation_id",
        days,
    )
    by_criterion: dict[str, list[tuple[Hashable, Hashable, float]]] = defaultdict(list)
    for row in items:
        if row["value"] is not None:
            by_criterion[row["criterion_id"]].append((row["contact_id"], row["evaluator_id"], float(row["value"])))
    for criterion in sorted(by_criterion):
        yield from _row(criterion, "item", "ordinal", by_criterion[criterion])
    for name, column, metric, values in JUDGEMENTS:
        rows = conn.execute(
            f"with heard as (select distinct evaluation_id, contact_id, evaluator_id, evaluated_at, {column} as value"
            " from candidate.evaluations where business_day between %s and %s and contact_id is not null"
            f" and evaluator_id is not null and {column} is not null)"
            f" select * from heard where {HEARD_BY_SEVERAL}"
            " order by contact_id, evaluator_id, evaluated_at, evaluation_id",
            days,
        ).fetchall()
        known = [r for r in rows if values is None or r["value"] in values]
        heard = [
            (r["contact_id"], r["evaluator_id"], float(r["value"] if values is None else values.index(r["value"])))
            for r in known
        ]
        yield from _row(name, "judgement", metric, heard)


def _row(
    criterion: str, kind: str, metric: str, heard: list[tuple[Hashable, Hashable, float]]
) -> Iterator[Sequence[Any]]:
    """The criterion's row, if several listeners judged a call by it; of one listener the latest judgement counts."""
    latest: dict[Hashable, dict[Hashable, float]] = defaultdict(dict)
    for contact, listener, value in heard:
        latest[contact][listener] = value
    shared = {contact: by for contact, by in latest.items() if len(by) > 1}
    if not shared:
        return
    units = [list(by.values()) for by in shared.values()]
    whole = alpha(units, metric)
    interval = bootstrap(units, metric, zlib.crc32(criterion.encode()))
    pairs, exact, near = pair_agreement(units)
    yield (
        criterion, kind, metric, len(shared), len({one for by in shared.values() for one in by}),
        sum(map(len, units)), _rounded(whole), *(map(_rounded, interval) if interval else (None, None)),
        pairs, exact, None if metric == "nominal" else near, round(commonest_share(units), DIGITS),
    )  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


ANALYSIS = Analysis(
    "agreement",
    (
        ("criterion_id", "text"), ("kind", "text"), ("metric", "text"), ("calls", "bigint"), ("listeners", "bigint"),
        ("evaluations", "bigint"), ("alpha", "double precision"), ("alpha_low", "double precision"),
        ("alpha_high", "double precision"), ("pairs", "bigint"), ("pairs_exact", "bigint"),
        ("pairs_within_one", "bigint"), ("commonest_share", "double precision"),
    ),
    _calculate,
)  # fmt: skip
