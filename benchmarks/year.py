"""What a whole year of a provider takes on disk; run by its name only.

The simulated provider is generated day by day, which takes most of the half hour.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks import storage
from benchmarks.report import Result
from benchmarks.scale import Scale

STAGES = (91, 365)


def run(scale: Scale) -> Result:
    """The provider of `storage`, weighed after a quarter and a year."""
    result = Result("year")
    whole = replace(scale, storage_stages=STAGES, storage_fewer_contacts=None)
    storage.measure(result, whole, "storage after a year: raw + marts / the sources' own size")
    return result
