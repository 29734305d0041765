"""A night on which a million contacts come, after a month, a year and four years of history; run by its name only.

It takes more than an hour and a half on two cores and 25 GB of disk; one history after the other.
"""

from __future__ import annotations

from datetime import timedelta

from benchmarks.history import History, fill, last_day, loaded, many_contacts
from benchmarks.measure import Meter
from benchmarks.report import Result
from benchmarks.scale import Scale

CONTACTS = 1_000_000
DAYS = (30, 365, 1461)


def run(scale: Scale) -> Result:
    """The one night after each length of history against the shortest."""
    result = Result("million")
    with loaded("million", scale.contacts_per_day, 1) as place:
        histories = [History(days, f"bench_million_{days}") for days in DAYS]
        fill(place, histories)
        many_contacts(
            result, place, histories, Meter(place.url("postgres")), last_day(place) + timedelta(days=1), CONTACTS
        )
    return result
