"""What is left out of dbt and Great Expectations comes back afterwards, and is left out meanwhile."""

from __future__ import annotations

import gc
import inspect
import io
from types import SimpleNamespace
from typing import Any

import pytest
from service_quality import gate, lean


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


def test_dbt_makes_messages_of_warnings_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt_common.events import event_manager
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.event_manager_client import get_event_manager
    from dbt_common.events.functions import fire_event
    from dbt_common.events.types import Note

    made: list[EventLevel | None] = []
    before = get_event_manager()
    make = event_manager.msg_from_base_event
    monkeypatch.setattr(event_manager, "msg_from_base_event", lambda e, level: made.append(level) or make(e, level))
    with lean.unheard_events():
        fire_event(Note(msg="unheard"), level=EventLevel.INFO)
        fire_event(Note(msg="a warning"), level=EventLevel.WARN)
    assert made == [EventLevel.WARN]
    assert get_event_manager() is before


def test_dbt_makes_messages_for_a_log() -> None:
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.event_manager_client import add_logger_to_manager
    from dbt_common.events.functions import fire_event
    from dbt_common.events.logger import LoggerConfig
    from dbt_common.events.types import Note

    told = io.StringIO()
    with lean.unheard_events():
        add_logger_to_manager(LoggerConfig(name="a log", level=EventLevel.INFO, output_stream=told))
        fire_event(Note(msg="heard"), level=EventLevel.INFO)
    assert "heard" in told.getvalue()


def test_an_event_checks_what_it_is_about_when_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt_common.events import base_types
    from dbt_common.events.functions import fire_event
    from dbt_common.events.types import Note

    checked: list[dict[str, object]] = []
    check = base_types.ParseDict
    monkeypatch.setattr(base_types, "ParseDict", lambda told, *rest: checked.append(told) or check(told, *rest))
    earlier = Note(msg="made before")
    with lean.unheard_events():
        with lean.unheard_events():
            fire_event(Note(msg="nobody asks"))
        unheard, seen, changed = (Note(msg=text) for text in ("nobody asks", "asked", "changed"))
        fire_event(unheard)
        assert (seen.msg, seen.message(), earlier.msg) == ("asked", "asked", "made before")
        changed.msg = "later"
        assert changed.msg == "later"
    assert [told["msg"] for told in checked] == ["made before", "asked", "changed"]
    assert (seen.msg, earlier.msg, Note(msg="afterwards").msg) == ("asked", "made before", "afterwards")


def test_dbt_finds_each_macro_where_it_found_it_before() -> None:
    from dbt.clients.jinja import MacroStack
    from dbt.context import macros

    def macro(package: str, name: str) -> Any:
        return SimpleNamespace(package_name=package, name=name, unique_id=f"macro.{package}.{name}")

    packages = {
        "dbt": ["everywhere", "only_dbt", "adapter_wins"], "dbt_postgres": ["everywhere", "adapter_wins"],
        "ours": ["everywhere", "ours_alone"], "theirs": ["everywhere", "theirs_alone"],
    }  # fmt: skip
    named = {package: {name: macro(package, name) for name in names} for package, names in packages.items()}

    def found(search: str) -> dict[str, Any]:
        builder = macros.MacroNamespaceBuilder("ours", search, MacroStack(), ["dbt_postgres", "dbt"], "a node")
        namespace = builder.build_namespace(named, {"a": "context"})
        told: dict[str, Any] = {}
        for key in sorted(namespace):
            value = namespace[key]
            told[key] = sorted(value) if isinstance(value, dict) else (value.macro, value.context, value.node)
        for package, name in [("dbt", "adapter_wins"), ("theirs", "theirs_alone"), (None, "everywhere")]:
            given = namespace.get_from_package(package, name)
            told[f"{name} of {package}"] = given and given.macro
        return told | {"count": len(namespace)}

    for search in ("ours", "theirs", "dbt"):
        usual = found(search)
        with lean.macros_listed_once():
            assert found(search) == usual
        assert usual["everywhere"][0].package_name == ("theirs" if search == "theirs" else "ours")


def test_dbt_compiles_the_same_text_once_and_renders_it_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt.clients.jinja import get_rendered
    from dbt_common.clients import jinja

    parsed: list[str] = []
    parse = jinja.MacroFuzzEnvironment._parse
    monkeypatch.setattr(
        jinja.MacroFuzzEnvironment, "_parse", lambda self, text, *rest: parsed.append(text) or parse(self, text, *rest)
    )
    with lean.templates_compiled_once():
        assert [get_rendered("{{ who }} 1", {"who": who}) for who in ("a", "b")] == ["a 1", "b 1"]
        assert [get_rendered("{{ n }}", {"n": 2}, native=native) for native in (True, False)] == [2, "2"]
    assert parsed == ["{{ who }} 1", "{{ n }}", "{{ n }}"]
    get_rendered("{{ who }} 1", {"who": "c"})
    assert len(parsed) == 4


def test_dbt_reads_results_by_their_own_columns_and_makes_its_parsers_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import parsedatetime
    from dbt_common.clients import agate_helper

    made: list[int] = []
    make = parsedatetime.Constants.__init__
    monkeypatch.setattr(
        parsedatetime.Constants, "__init__", lambda self, *a, **k: made.append(1) or make(self, *a, **k)
    )
    with lean.results_without_parsers():
        made.clear()
        for text in ([], ["n"], [], ["n"]):
            table = agate_helper.table_from_data_flat([{"n": "7", "at": "null"}], ["n", "at"])
            typed = agate_helper.table_from_rows([["7", None]], ["n", "at"], text)
            assert typed.columns["n"].values() == (("7",) if text else (7,))
            assert len(table.rows) == 1 and not agate_helper.empty_table().rows
        parsers = len(made)
        agate_helper.table_from_rows([["8", None]], ["n", "at"], ["n"])
        assert len(made) == parsers


@pytest.mark.postgres
def test_a_query_is_asked_for_its_columns_without_its_rows(database_url: str) -> None:
    import great_expectations as gx
    import sqlalchemy as sa

    taken: list[int] = []

    def hear(_: object, cursor: Any, *__: object) -> None:
        taken.append(cursor.rowcount)

    sa.event.listen(sa.Engine, "after_cursor_execute", hear)
    try:
        with gate.datasource(database_url) as source:
            batch = source.query("select n, '::100%'::text as word from generate_series(1, 500) as n where n > 0")
            told = [
                batch.validate(gx.expectations.ExpectColumnValuesToNotBeNull(column=name)).success
                for name in ("n", "word", "absent")
            ]
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", hear)
    assert told == [True, True, False]
    assert 0 in taken and max(taken) <= 1
