"""A full rebuild of five million contacts, or of as many as the disk holds; run by its name only.

The part `rebuild` of the run of everything takes as many contacts as it has minutes for.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks import rebuild
from benchmarks.report import Result
from benchmarks.scale import Scale


def run(scale: Scale) -> Result:
    """The three rebuilds of `rebuild`, of all contacts that the disk holds."""
    result = Result("five_million")
    rebuild.make_and_compare(result, replace(scale, rebuild_by_both=True), None, "full rebuild of millions")
    return result
