"""The simulated provider at full size, played to its end and built once, for what was planted in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from service_quality import runner

from tests.integration.provider import Stage, stage

FIRST, LAST = date(2026, 8, 8), date(2026, 11, 8)


@pytest.fixture(scope="package")
def planted_stage(server, tmp_path_factory) -> Iterator[Stage]:
    """600 contacts a day: `rows(sql)` reads the warehouse, `truth(name)` a truth file."""
    with stage(server, tmp_path_factory.mktemp("planted") / "home", 600) as (play, _):
        play.play(LAST)
        play.load(FIRST, LAST)
        runner.build()
        yield play


@pytest.fixture(scope="package")
def planted(planted_stage) -> dict[str, Any]:
    """What was planted, with the warehouse's ids."""
    return json.loads((planted_stage.home / "truth" / "planted.json").read_text())
