"""What is left out of dbt and Great Expectations comes back afterwards, and is left out meanwhile."""

from __future__ import annotations

import gc
import inspect

import pytest
from service_quality import lean


def test_garbage_is_collected_as_before_after_an_error() -> None:
    before = gc.get_threshold()
    with pytest.raises(RuntimeError), lean.collected_seldom():
        assert gc.get_threshold() == lean.SELDOM
        raise RuntimeError
    assert gc.get_threshold() == before


def test_dbt_does_not_read_its_own_source_for_a_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt_common.behavior_flags import Behavior, BehaviorFlag

    flag: BehaviorFlag = {"name": "a_flag", "default": True, "docs_url": "http://127.0.0.1"}
    assert _looks(monkeypatch, flag, Behavior) == 1
    with lean.flags_without_source():
        assert _looks(monkeypatch, flag, Behavior) == 0
    assert _looks(monkeypatch, flag, Behavior) == 1


def _looks(monkeypatch: pytest.MonkeyPatch, flag: object, behavior: type) -> int:
    """How many times dbt asks for the stack while it makes a flag that works."""
    looks: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(inspect, "stack", lambda: looks.append(1) or [])
        assert behavior([flag], {}).a_flag.setting
    return len(looks)
