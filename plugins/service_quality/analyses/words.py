"""What subscribers say more often this week than in the weeks before: words of survey comments, with masked examples.

A word is counted once per comment. Of each group (a branch or all, all topics or one) the comments of an ISO week
stand against those of the eight weeks before by the log-odds ratio with an informative Dirichlet prior (Monroe,
Colaresi and Quinn 2008, equations 16, 19, 20, 22): the prior is the words of all comments of the weeks before, at the
weight of `PRIOR_WORDS` words, so that a word that is rare anyway does not rise by one person saying it. A word nobody
said before has a prior of half a comment (Jeffreys): with less its variance would be so large that nothing new rises.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from service_quality.analyses import text
from service_quality.analyses.base import Analysis, Scope
from service_quality.ops import Conn
from service_quality.window import Reach

WEEKS_BEFORE = 8
PRIOR_WORDS = 100.0
LEAST_PRIOR = 0.5
LEAST_COMMENTS = 3  # a word that rises is in at least so many comments of the week
LEAST_Z = 2.33  # 1 % of words by chance, one-sided
MOST_WORDS = 10  # a group and week
MOST_EXAMPLES = 3
EXAMPLE_LENGTH = 160

ALL = "*"
Group = tuple[str, str]
"""branch_id and topic_id, either may be '*'."""

COLUMNS = (
    ("branch_id", "text"),
    ("topic_id", "text"),
    ("kind", "text"),
    ("rank", "bigint"),
    ("term", "text"),
    ("comments", "bigint"),
    ("comments_all", "bigint"),
    ("comments_before", "bigint"),
    ("comments_all_before", "bigint"),
    ("log_odds", "double precision"),
    ("z", "double precision"),
    ("note", "text"),
    ("business_day", "date"),
)

_QUERY = """
select survey_response_id as id, branch_id, coalesce(topic_id, 'unmapped') as topic_id, comment, satisfaction,
    coalesce(satisfaction <= 3, false) or coalesce(nps_group = 'detractor', false) as is_dissatisfied, business_day
from candidate.fct_survey_responses
where business_day between %s and %s and is_complete and comment <> ''
order by survey_response_id
"""


@dataclass(frozen=True, slots=True)
class Comment:
    """One interview's comment, masked and as long as an example, with its words (stem -> as written) and the Monday of
    its week.
    """

    id: str
    branch_id: str
    topic_id: str
    shown: str
    words: dict[str, str]
    satisfaction: int
    is_dissatisfied: bool
    day: date
    week: date

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups it counts for."""
        return (
            (self.branch_id, self.topic_id), (self.branch_id, ALL), (ALL, self.topic_id), (ALL, ALL),
        )  # fmt: skip


@dataclass(frozen=True)
class Risen:
    """A word (stem) of one group and week: in how many comments it is now and before, and how much it rose."""

    term: str
    comments: int
    comments_before: int
    log_odds: float
    z: float


def tested(now: Counter[str]) -> list[str]:
    """The words of a week's group that can rise: each has a chance of 1 % (LEAST_Z) to do so for no reason."""
    return sorted(term for term, comments in now.items() if comments >= LEAST_COMMENTS)


def risen(now: Counter[str], before: Counter[str], prior: Counter[str]) -> list[Risen]:
    """Words by how much more often they occur ``now`` than ``before``, most first; all counts are of comments.

    ``prior``: counts of the words everywhere before. Words in fewer than LEAST_COMMENTS comments, or below LEAST_Z,
    are left out. Without anything before there is nothing to compare: an empty list.
    """
    if not before:
        return []
    known = set(now) | set(before) | set(prior)
    all_now, all_before = now.total(), before.total()
    all_prior = max(prior.total(), 1)
    weight = {term: max(PRIOR_WORDS * prior[term] / all_prior, LEAST_PRIOR) for term in sorted(known)}
    whole = math.fsum(weight.values())
    found = []
    for term in tested(now):
        y, x = now[term] + weight[term], before[term] + weight[term]
        log_odds = math.log(y / (all_now + whole - y)) - math.log(x / (all_before + whole - x))
        z = log_odds / math.sqrt(1 / y + 1 / x)
        if z >= LEAST_Z:
            found.append(Risen(term, now[term], before[term], log_odds, z))
    return sorted(found, key=lambda one: (-round(one.z, 9), one.term))


def calculate(conn: Conn, scope: Scope) -> Iterator[Sequence[Any]]:
    """Rows of the weeks that the touched days reach, in order of week, group and rank."""
    weeks = sorted({day for day in WORDS_REACH.widen(scope.touched_days) if day.weekday() == 0})
    if not weeks:
        return
    first, last = weeks[0] - timedelta(weeks=WEEKS_BEFORE), weeks[-1] + timedelta(days=6)
    by_week: dict[date, list[Comment]] = defaultdict(list)
    with conn.cursor("review_words") as cursor:  # at the server: rows come as they are read
        for row in cursor.execute(_QUERY, (first, last)):
            comment = _comment(row)
            by_week[comment.week].append(comment)
    for week in weeks:
        yield from of_week(week, by_week.get(week, []), _weeks_before(by_week, week))


def _weeks_before(by_week: Mapping[date, list[Comment]], week: date) -> list[Comment]:
    return [c for n in range(1, WEEKS_BEFORE + 1) for c in by_week.get(week - timedelta(weeks=n), [])]


def _comment(row: dict[str, Any]) -> Comment:
    shown, day = text.masked(row["comment"]), row["business_day"]
    points = 9 if row["satisfaction"] is None else row["satisfaction"]
    return Comment(
        row["id"], row["branch_id"], row["topic_id"], shown[:EXAMPLE_LENGTH], text.words(shown), points,
        row["is_dissatisfied"], day, day - timedelta(days=day.weekday()),
    )  # fmt: skip


def of_week(week: date, comments: list[Comment], before: list[Comment]) -> Iterator[Sequence[Any]]:
    """Rows of one week: the words that rose, and what dissatisfied subscribers wrote, by group."""
    prior = Counter(term for c in before for term in c.words)
    now, past = _grouped(comments), _grouped(before)
    for group in sorted(now):
        mine, earlier = now[group], past.get(group, [])
        found = risen(_counted(mine), _counted(earlier), prior)[:MOST_WORDS]
        for rank, one in enumerate(found, 1):
            having = [c for c in mine if one.term in c.words]
            yield [
                *group, "word", rank, _as_written(having, one.term), one.comments, len(mine), one.comments_before,
                len(earlier), round(one.log_odds, 9), round(one.z, 9), _examples(having), week,
            ]  # fmt: skip
        unhappy = [c for c in mine if c.is_dissatisfied]
        if unhappy:
            yield [
                *group, "comment", 1, "", len(unhappy), len(mine), sum(c.is_dissatisfied for c in earlier),
                len(earlier), None, None, _examples(unhappy), week,
            ]  # fmt: skip


def _grouped(comments: list[Comment]) -> dict[Group, list[Comment]]:
    found: dict[Group, list[Comment]] = defaultdict(list)
    for comment in comments:
        for group in comment.groups:
            found[group].append(comment)
    return found


def _counted(comments: list[Comment]) -> Counter[str]:
    return Counter(term for c in comments for term in c.words)


def _as_written(comments: list[Comment], term: str) -> str:
    """The form of the word that most wrote."""
    forms = Counter(c.words[term] for c in comments)
    return min(forms, key=lambda form: (-forms[form], form))


def _examples(comments: list[Comment]) -> str:
    """A few different comments, those of the least satisfied first, the newest of these."""
    order = sorted(comments, key=lambda c: (c.satisfaction, -c.day.toordinal(), c.id))
    shown = list(dict.fromkeys(c.shown for c in order))
    return " | ".join(shown[:MOST_EXAMPLES])


WORDS_REACH = Reach(6, 7 * WEEKS_BEFORE)
WORDS = Analysis("review_words", COLUMNS, calculate, WORDS_REACH)
