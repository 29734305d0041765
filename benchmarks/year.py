"""What a whole year of a provider takes on disk; run by its name only, for ten minutes.

The 20,000 subscribers of the simulated provider give a year of some hundred thousand contacts, not of a million as the
provider of `storage` would have: those who leave are followed by neighbours who never called.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks import storage
from benchmarks.report import Result
from benchmarks.scale import Scale

STAGES = (91, 365)
CONTACTS_PER_DAY = 300


def run(scale: Scale) -> Result:
    """A provider, weighed after a quarter and a year."""
    result = Result("year")
    whole = replace(scale, storage_stages=STAGES, storage_contacts_per_day=CONTACTS_PER_DAY)
    storage.measure(result, whole, "storage after a year: raw + marts / the sources' own size")
    return result
