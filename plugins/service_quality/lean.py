"""What dbt and Great Expectations spend on themselves and a build can do without."""

from __future__ import annotations

import gc
from collections.abc import Iterator
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
