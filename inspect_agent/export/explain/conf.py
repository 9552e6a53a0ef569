"""inspect.conf in plain words, or what stands at one of its lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from inspect_agent.export.explain.layout import EMPTY, Line, laid
from inspect_agent.export.explain.settings import SETTINGS
from inspect_agent.export.explain.whole import Whole
from inspect_agent.lang.statements import Statement

_DELIVERY = "Each recipient gets a message of its own; what is not taken is tried again for a day."


def page(file: str, statements: Collection[Statement], whole: Whole) -> str:
    """Every setting, and every route with its destinations."""
    written = {statement.name for statement in statements if statement.kind == "setting"}
    return laid(
        (
            Line(f"{file}  settings", 0),
            EMPTY,
            *(_setting(name, whole, "" if name in written else " (default)") for name in SETTINGS),
            EMPTY,
            Line(f"{file}  who is alerted", 0),
            EMPTY,
            *(Line(route, mark="- ") for route in whole.routes.values()),
            Line(_DELIVERY),
        )
    )


def standing(file: str, statements: Collection[Statement], whole: Whole) -> str:
    """These statements."""
    return laid(line for statement in statements for line in _statement(file, statement, whole))


def _statement(file: str, statement: Statement, whole: Whole) -> Iterator[Line]:
    sends = statement.kind == "send"
    what = "send alerts" if sends else f"set {statement.name}"
    yield Line(f"{file}:{statement.first}  {what}", 0)
    yield EMPTY
    yield Line(whole.routes[statement.name]) if sends else _setting(statement.name, whole)


def _setting(name: str, whole: Whole, note: str = "") -> Line:
    if name not in SETTINGS:  # as inspeqtor.conf may have it
        return Line(f"{name}: not known here, it changes nothing", mark="- ")
    return Line(f"{name}: {SETTINGS[name](whole.settings)}{note}", mark="- ")
