"""What dbt and Great Expectations spend on themselves and a build can do without."""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

# New objects before Python looks for unreachable ones among them, and how many times that before it looks through
# older ones. With its own 700, 10 and 10 a twelfth of a small night's CPU goes into looking through what stays.
SELDOM = (50_000, 20, 100)


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Garbage is collected less often meanwhile, in the whole process."""
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def dbt_without_waste() -> Iterator[None]:
    """One command of dbt without what is named below."""
    with (
        flags_without_source(), unheard_events(), macros_listed_once(), templates_compiled_once(),
        results_without_parsers(),
    ):  # fmt: skip
        yield


@contextmanager
def flags_without_source() -> Iterator[None]:
    """dbt does not look for the module that defines a behavior flag, half a second for each command: it reads the
    source of every module on the stack, and only a warning that nobody sees would name the one it finds.
    """
    from dbt_common.behavior_flags import BehaviorFlagRendered as Flag

    found = Flag._default_source
    Flag._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]
    try:
        yield
    finally:
        Flag._default_source = staticmethod(found)  # type: ignore[method-assign]


@contextmanager
def unheard_events() -> Iterator[None]:
    """dbt makes no messages of what it has to tell unless a log takes them; warnings and errors stay.

    Neither does an event check what it is about against its type before somebody looks at it.
    """
    from dbt_common.events import event_manager_client as client
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager

    make, read = BaseEvent.__init__, BaseEvent.__dict__.get("pb_msg")

    def keep(event: BaseEvent, *args: Any, **kwargs: Any) -> None:
        event.__dict__["told"] = args, kwargs

    def look(event: BaseEvent) -> Any:
        if "told" in event.__dict__:
            args, kwargs = event.__dict__.pop("told")
            make(event, *args, **kwargs)
        return event.__dict__["pb_msg"]

    def set_to(event: BaseEvent, message: Any) -> None:
        event.__dict__["pb_msg"] = message

    class Manager(EventManager):
        def fire_event(
            self,
            e: BaseEvent,
            level: EventLevel | None = None,
            node: object = None,
            force_warn_or_error_handling: bool = False,
        ) -> None:
            loud = (level or e.level_tag()) in (EventLevel.WARN, EventLevel.ERROR)
            if loud or force_warn_or_error_handling or self.loggers:
                super().fire_event(e, level, node, force_warn_or_error_handling)

    before = client.get_event_manager()
    client.ctx_set_event_manager(Manager())
    BaseEvent.__init__ = keep  # type: ignore[method-assign, assignment]
    BaseEvent.pb_msg = property(look, set_to)
    try:
        yield
    finally:
        BaseEvent.__init__ = make  # type: ignore[method-assign]
        if read is None:
            del BaseEvent.pb_msg
        else:  # one command within another
            BaseEvent.pb_msg = read
        client.ctx_set_event_manager(before)


@contextmanager
def macros_listed_once() -> Iterator[None]:
    """dbt names each of its and our 800 macros for every node; meanwhile it does so without asking each of them where
    it belongs, and without looking each name up in five places.
    """
    from dbt.clients.jinja import MacroGenerator
    from dbt.context import macros

    class Generator(MacroGenerator):
        def __init__(self, macro: Any, context: Any, node: Any, stack: Any) -> None:
            self.macro, self.context, self.node, self.stack = macro, context, node, stack

    class Namespace(macros.MacroNamespace):
        def __init__(self, *places: Any) -> None:
            super().__init__(*places)
            self.listed: dict[str, Any] = {}
            for names in reversed(list(self._search_order())):
                self.listed.update(names)

        def __iter__(self) -> Iterator[str]:
            return iter(self.listed)

        def __len__(self) -> int:
            return len(self.listed)

        def __getitem__(self, key: str) -> Any:
            return self.listed[key]

    def build(self: Any, macros_by_package: Mapping[str, Mapping[str, Any]], ctx: dict[str, Any]) -> Namespace:
        made = {
            package: {name: Generator(macro, ctx, self.node, self.thread_ctx) for name, macro in named.items()}
            for package, named in macros_by_package.items()
        }
        internal: dict[str, Any] = {}
        for package in reversed(self.internal_package_names_order):
            internal.update(made.pop(package, {}))
        shared = {} if self.search_package == self.root_package else made.get(self.root_package, {})
        return Namespace(shared, made.get(self.search_package, {}), internal, made)

    before = macros.MacroNamespaceBuilder.build_namespace
    macros.MacroNamespaceBuilder.build_namespace = build  # type: ignore[method-assign]
    try:
        yield
    finally:
        macros.MacroNamespaceBuilder.build_namespace = before  # type: ignore[method-assign]


@contextmanager
def templates_compiled_once() -> Iterator[None]:
    """What several nodes have word for word (tests of one kind, hooks, references) dbt compiles once for a command."""
    from dbt_common.clients import jinja
    from jinja2 import Environment

    kinds = (jinja.MacroFuzzEnvironment, jinja.NativeSandboxEnvironment)
    before = [kind.__dict__.get("compile") for kind in kinds]
    compiled: dict[tuple[type, str], Any] = {}

    def compile_once(self: Environment, source: Any, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs or not isinstance(source, str):
            return Environment.compile(self, source, *args, **kwargs)
        key = type(self), source
        if key not in compiled:
            compiled[key] = Environment.compile(self, source)
        return compiled[key]

    for kind in kinds:
        kind.compile = compile_once  # type: ignore[method-assign]
    try:
        yield
    finally:
        for kind, own in zip(kinds, before, strict=True):
            if own is None:
                del kind.compile
            else:  # one command within another
                kind.compile = own  # type: ignore[method-assign]


@contextmanager
def results_without_parsers() -> Iterator[None]:
    """dbt keeps what it reads the columns of a result with, and the empty result: each statement, also one that gives
    no rows, would make parsers of dates in all languages anew.
    """
    from dbt_common.clients import agate_helper

    make, empty = agate_helper.build_type_tester, agate_helper.empty_table
    kept = functools.lru_cache(1000)(lambda text, nulls: make(text, nulls))

    def find(text_columns: Iterable[str], string_null_values: Iterable[str] | None = ("null", "")) -> Any:
        return kept(tuple(text_columns), None if string_null_values is None else tuple(string_null_values))

    nothing = empty()
    agate_helper.build_type_tester, agate_helper.empty_table = find, lambda: nothing
    try:
        yield
    finally:
        agate_helper.build_type_tester, agate_helper.empty_table = make, empty


@contextmanager
def columns_without_rows() -> Iterator[None]:
    """Great Expectations asks a query for its columns alone: it would run it and take all rows into memory to learn
    the names, two kilobytes for each contact of a night.
    """
    import sqlalchemy as sa
    from great_expectations.expectations.metrics import util

    ask = util.column_reflection_fallback

    def ask_for_no_rows(selectable: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(selectable, sa.TextClause):
            selectable = sa.text(f"select * from ({selectable.text}) as asked limit 0")
        return ask(selectable, *args, **kwargs)

    util.column_reflection_fallback = ask_for_no_rows
    try:
        yield
    finally:
        util.column_reflection_fallback = ask
