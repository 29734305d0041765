"""The demo's last page shows what was planted where the marts found it."""

from __future__ import annotations

import pytest
from service_quality import ops

from demo.findings import print_findings

pytestmark = pytest.mark.postgres


def _lines(page: str, title: str) -> list[str]:
    """The rows of the table under a title."""
    lines = page.split(f"\n{title}", 1)[1].splitlines()[2:]
    return lines[: lines.index("")] if "" in lines else lines


def test_the_page_puts_fair_judgement_beside_the_raw_list(planted_stage, planted, capsys):
    with ops.connect(planted_stage.url) as conn:
        print_findings(conn, planted_stage.home)
    page = capsys.readouterr().out
    polite = _lines(page, "Sorted by mean politeness")
    unfair = next(line for line in polite if "only takes hard topics" in line)
    assert int(unfair.split()[0]) <= 5 and " usual " in unfair and " review " not in unfair
    slow = _lines(page, "Sorted by mean time of talk")
    for lines, word in ((polite, "rude"), (slow, "slow")):
        marked = [line for line in lines if line.endswith(f"  {word}")]
        assert len(marked) == len(planted[f"{word}_operators"])
        assert all(" worse " in line and " review " in line for line in marked)
    assert [line for line in _lines(page, "Surges found") if "3 times until" in line]
    assert [line.split()[0] for line in _lines(page, "Listeners") if " harsh " in line] == [planted["biased_listener"]]
    assert "connects late" in page and "Call first this morning" in page
