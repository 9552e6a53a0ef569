"""`set NAME VALUE`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from inspect_agent.lang import ast, values
from inspect_agent.lang.given import FileValue, given
from inspect_agent.lang.planned import not_yet, planned
from inspect_agent.lang.problems import Near, Read, Wrong
from inspect_agent.model.config import Settings

_HOUR_S, _DAY_S = 3600.0, 86400.0

SETTINGS: Mapping[str, tuple[str, Read[Any]]] = {
    "cycle_time": ("cycle_time_s", partial(values.duration, least_s=0.1, most_s=_HOUR_S)),
    "deploy_length": ("deploy_length_s", partial(values.duration, least_s=1.0, most_s=7 * _DAY_S)),
    "log_level": (
        "log_level",
        partial(values.choice, choices=("warn", "info", "debug", "verbose")),
    ),
    "hostname": ("hostname", values.text),
    "socket_group": ("socket_group", values.text),
    "state_dir": ("state_dir", values.path),
    "remind": ("remind_s", partial(values.duration, least_s=1.0)),
    "restart_timeout": ("restart_timeout_s", partial(values.duration, least_s=1.0, most_s=_DAY_S)),
    "restarts": ("restarts", values.budget),
    "settle": ("settle", partial(values.count, most=1000)),
    "start_delay": ("start_delay_s", partial(values.duration, most_s=_DAY_S)),
    "autoreload": ("autoreload", values.flag),
}
"""The field of Settings and how its value is read, for each."""

Complain = Callable[[ast.Word, Wrong], None]


def resolve(
    statements: Iterable[ast.Statement], complain: Complain, value_of: FileValue
) -> Settings:
    """All settings. What is wrong is complained of and left at its default; the first counts."""
    found: dict[str, Any] = {}
    first: dict[str, ast.Word] = {}
    for statement in statements:
        if not isinstance(statement, ast.Setting):
            continue
        name = statement.name.text
        if name in first:
            wrong = Wrong("{} is set twice", f"first in line {first[name].line}")
            complain(statement.name, wrong)
            continue
        first[name] = statement.name
        if name not in SETTINGS:
            complain(statement.name, _unknown(name))
            continue
        field, read = SETTINGS[name]
        value = given(statement.value.text, value_of, read)
        if isinstance(value, Wrong):
            complain(statement.value, value)
        else:
            found[field] = value
    return Settings(**found)


def _unknown(name: str) -> Wrong:
    if planned("setting", name):
        return not_yet(f"the setting {name}")
    return Wrong("unknown setting {}", "", Near(name, SETTINGS))
