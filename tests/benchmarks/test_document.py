"""docs/performance.md: figures are made anew, what was written by hand stays."""

from __future__ import annotations

import json

import pytest

from benchmarks import document, reasons, report
from benchmarks.measure import Ratio


@pytest.fixture
def latest(tmp_path):
    part = report.Result(
        "load",
        [
            Ratio("land: throughput", 1.25, 1.0, (1.2, 1.3), at_least=True, of="CPU"),
            Ratio("gate", 1.5, 1.0, (1, 2)),
            Ratio("gate 1 of 9 rows", 1.25, 1.0, (1, 2), note="few rows"),
            Ratio("gate 1 of 5 rows", 1.5, 1.0, (1, 2)),
        ],
        {"steps": [{"step": "land", "seconds": 1.25, "rows": 1_000_000}, {"step": "a|b", "more": "x"}]},
        ["the peer is not installed"],
        12.0,
    )
    path = tmp_path / "latest.json"
    report.write([part], "quick", {"peers": "OSError: no"}, path)
    return path


def test_a_document_holds_ratios_tables_failures_and_machine(latest, tmp_path):
    made = tmp_path / "docs" / "performance.md"
    document.write(latest, made)
    text = made.read_text()
    assert "| land: throughput | 1.25 | ≥ 1 | yes | 1.2 .. 1.3 | CPU |" in text
    assert "| gate | 1.5 | ≤ 1 | **no** | 1 .. 2 |  |" in text
    assert "1 of 4 goals are met" in text
    why = reasons.REASONS["gate 1"]
    assert "| few rows; missed by 25% (1) |" in text and "| missed by 50% (1) |" in text and "| missed by 50% |" in text
    assert text.count(why) == 1 and f"\n1. {why}\n" in text
    assert "- **peers** failed: OSError: no" in text
    assert "## Load: steps\n\n| step | seconds | rows | more |\n|---|---:|---:|---|" in text
    assert "| land | 1.25 | 1,000,000 |  |" in text and "| a\\|b |" in text
    assert "the peer is not installed" in text
    found = json.loads(latest.read_text())
    assert found["commit"] in text and f"{found['machine']['cores']} cores" in text


def test_what_is_written_by_hand_is_kept(latest, tmp_path):
    made = tmp_path / "performance.md"
    document.write(latest, made)
    made.write_text(made.read_text().replace(document.EMPTY, "## By hand\n\nfewer indexes: 2.9 -> 2.4"))
    document.write(latest, made)
    document.write(latest, made)
    assert made.read_text().count("fewer indexes: 2.9 -> 2.4") == 1
    assert document.EMPTY not in made.read_text()


def test_a_lost_marker_loses_no_text(latest, tmp_path):
    made = tmp_path / "performance.md"
    made.write_text(f"{document.BEGIN}\nprecious")
    with pytest.raises(ValueError, match="both markers"):
        document.write(latest, made)
    assert "precious" in made.read_text()


def test_a_part_measured_again_replaces_only_its_own_figures(latest):
    other = report.Result("gate", [Ratio("gate alone", 0.5, 1.0, (0.4, 0.6))])
    report.write([other], "full", {}, latest, keep=True)
    again = report.Result("load", [Ratio("land: throughput", 1.5, 1.0, (1.4, 1.6), at_least=True)])
    report.write([again], "full", {}, latest, keep=True)
    found = json.loads(latest.read_text())
    assert {name: (r["value"], r["scale"]) for name, r in found["ratios"].items()} == {
        "gate alone": (0.5, "full"), "land: throughput": (1.5, "full"),
    }  # fmt: skip
    assert found["tables"] == {} and found["failed"] == {"peers": "OSError: no"}
    report.write([other], "full", {}, latest)
    assert list(json.loads(latest.read_text())["ratios"]) == ["gate alone"]


def test_a_missed_goal_says_by_how_much_and_why():
    missed = Ratio("storage: raw + marts / the sources' own size", 3.75, 2.5, (3.75, 3.75))
    assert reasons.missed(missed) == "50%" and reasons.why(missed).startswith("The sources count mostly text")
    met = Ratio("storage: raw", 2.0, 2.5, (2, 2))
    assert reasons.missed(met) == reasons.why(met) == ""
    scans = Ratio("night after 365 days, tables read from end to end", 2, 0, (2, 2))
    assert reasons.missed(scans) == "2" and reasons.why(scans).startswith("The numbers look back")
    assert reasons.missed(Ratio("land 9 rows", 0.75, 1.0, (0.7, 0.8), at_least=True)) == "25%"
