"""The settings of inspect.conf in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from inspect_agent.engine.quantities import duration, many
from inspect_agent.model.config import LogLevel, Settings

_LOGGED: Mapping[LogLevel, str] = {
    "warn": "what somebody should look at",
    "info": "what somebody should look at, and what happened",
    "debug": "what happened, changes of state, and which routes were told",
    "verbose": "everything, with each command that asks a service manager",
}
_UNLESS = ", unless its check says otherwise"


def _hostname(found: Settings) -> str:
    return f"alerts call the machine {found.hostname or 'by its own name'}"


def _socket_group(found: Settings) -> str:
    who = "root and the agent's own user"
    if found.socket_group:
        who = f"root, the agent's own user and the group {found.socket_group}"
    return f"{who} may use inspectctl, which means restarting services"


def _state_dir(found: Settings) -> str:
    where = (
        found.state_dir or "the usual folder (/var/lib/inspect-agent, where the agent is root's)"
    )
    return f"what has to survive the agent is kept in {where}"


def _remind(found: Settings) -> str:
    paced = "not repeated"
    if found.remind_s is not None:
        paced = f"repeated every {duration(found.remind_s)}"
    return f"while a rule stays true its alert is {paced}{_UNLESS}"


def _restarts(found: Settings) -> str:
    times, window = many(found.restarts.repairs, "time"), duration(found.restarts.window_s)
    return f"something is repaired at most {times} in {window}{_UNLESS}"


def _start_delay(found: Settings) -> str:
    if not found.start_delay_s:
        return "a service that is missing when the agent starts is told at once"
    return f"a missing service is not told in the agent's first {duration(found.start_delay_s)}"


def _autoreload(found: Settings) -> str:
    if found.autoreload:
        return "files of the configuration that change are loaded in the next cycle"
    return "files of the configuration that change are loaded by inspectctl reload alone"


SETTINGS: Mapping[str, Callable[[Settings], str]] = {
    "cycle_time": lambda found: f"everything is sampled every {duration(found.cycle_time_s)}",
    "deploy_length": lambda found: (
        "a deploy window that is given no length ends by itself after"
        f" {duration(found.deploy_length_s)}"
    ),
    "log_level": lambda found: f"{found.log_level}: the log has {_LOGGED[found.log_level]}",
    "hostname": _hostname,
    "socket_group": _socket_group,
    "state_dir": _state_dir,
    "remind": _remind,
    "restart_timeout": lambda found: (
        f"a command may take {duration(found.restart_timeout_s)}{_UNLESS}"
    ),
    "restarts": _restarts,
    "settle": lambda found: (
        f"after a deploy window nothing is told for {many(found.settle, 'more cycle')}"
    ),
    "start_delay": _start_delay,
    "autoreload": _autoreload,
}
"""What each setting means, by its name."""
