"""Names and where the thing behind each is: nothing is imported before it is asked for.

A package of your own adds channels by entry points in the group `inspect_agent.channels`. Sources
and managers run in the core, which trusts nobody's code but its own: they come with the project.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module

from inspect_agent.typed import Any, Literal

Group = Literal["sources", "managers", "channels"]

_BUILT_IN: dict[Group, dict[str, str]] = {
    "sources": {
        "cpu": "inspect_agent.sources.cpu:Cpu",
        "load": "inspect_agent.sources.load:Load",
        "memory": "inspect_agent.sources.memory:Memory",
        "swap": "inspect_agent.sources.swap:Swap",
        "disk": "inspect_agent.sources.disk:Disk",
        "process": "inspect_agent.sources.process:ProcessSource",
    },
    "managers": {
        "systemd": "inspect_agent.managers.systemd:Systemd",
        "upstart": "inspect_agent.managers.upstart:Upstart",
        "openrc": "inspect_agent.managers.openrc:Openrc",
        "runit": "inspect_agent.managers.runit:Runit",
        "s6": "inspect_agent.managers.s6:S6",
        "supervisord": "inspect_agent.managers.supervisord:Supervisord",
        "init.d": "inspect_agent.managers.initd:InitD",
        "self": "inspect_agent.managers.itself:Itself",
        "pidfile": "inspect_agent.managers.pidfile:Pidfile",
    },
    "channels": {
        "email": "inspect_agent.channels.email:Email",
        "gmail": "inspect_agent.channels.gmail:Gmail",
        "apprise": "inspect_agent.channels.apprise:Apprise",
        "log": "inspect_agent.channels.log:Log",
        "null": "inspect_agent.channels.null:Null",
    },
}


def built_in(group: Group) -> dict[str, str]:
    """The names that come with the project, in the order in which they are tried."""
    return dict(_BUILT_IN[group])


def makers(group: Group) -> dict[str, Callable[[], Any]]:
    """What makes the thing behind each built-in name, when it is called."""
    return {name: partial(_make, where) for name, where in _BUILT_IN[group].items()}


def channels() -> dict[str, str]:
    """Every channel's name with its "module:Class"; built-in names win over entry points."""
    # importlib.metadata brings the email package, 2 MB; channels are the workers' business
    from importlib.metadata import entry_points

    found = {point.name: point.value for point in entry_points(group="inspect_agent.channels")}
    return {**found, **_BUILT_IN["channels"]}


def load(where: str) -> Any:
    """The class behind "module:Class". Raises ImportError or AttributeError."""
    module, _, attribute = where.partition(":")
    return getattr(import_module(module), attribute)


def _make(where: str) -> Any:
    return load(where)()
