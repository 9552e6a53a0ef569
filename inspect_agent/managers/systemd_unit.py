"""What systemctl prints, and what the states of a unit mean.

Properties and states: org.freedesktop.systemd1(5); the states of a service: systemd.service(5).
"""

from __future__ import annotations

import shlex
import signal
from collections.abc import Mapping

from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Observation, Status

PROPERTIES = (
    "Id,Names,LoadState,LoadError,ActiveState,SubState,Result,MainPID,ControlGroup,Restart,"
    "ExecMainCode,ExecMainStatus,Job,NRestarts"
)

Unit = Mapping[str, str]
"""A unit's properties as `systemctl show` prints them; of a socket, say, some are missing."""

_BY_ACTIVE_STATE: Mapping[str, Status] = {
    "active": "up",
    "reloading": "up",
    "refreshing": "up",
    "activating": "starting",
    "maintenance": "failed",
}
# a service that was skipped because of its ExecCondition= has not failed
_NO_FAILURE = ("", "success", "exec-condition")
_RESTARTS_FAILED = ("always", "on-failure")
_CLD_EXITED = "1"  # sigaction(2); the others are ended by a signal


def parse_show(text: str) -> dict[str, Unit]:
    """Units by each of their names. Raises ManagerError for anything but blocks of NAME=VALUE."""
    found: dict[str, Unit] = {}
    for block in filter(None, text.split("\n\n")):
        unit = dict(map(_property, filter(None, block.split("\n"))))
        if not unit.get("Id") or not unit.get("ActiveState"):
            raise ManagerError(f"systemctl printed no unit: {block[:80]!r}")
        for name in {unit["Id"], *_names(unit)}:
            found[name] = unit
    return found


def _property(line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals:
        raise ManagerError(f"systemctl printed no property: {line[:80]!r}")
    return name, value


def _names(unit: Unit) -> list[str]:
    try:
        return shlex.split(unit.get("Names", ""))  # a name with a backslash is quoted
    except ValueError as error:
        raise ManagerError(f"systemctl printed Names={unit['Names'][:80]!r}: {error}") from error


def parse_list(text: str) -> dict[str, str]:
    """Each listed unit's `LOAD ACTIVE SUB`. Raises ManagerError for lines that hold less."""
    found = {}
    for line in filter(None, text.split("\n")):
        words = line.split(None, 4)
        if len(words) < 4:
            raise ManagerError(f"systemctl listed no unit: {line[:80]!r}")
        found[words[0]] = " ".join(words[1:4])
    return found


def observe(unit: Unit) -> Observation:
    """Where a unit is. Raises ManagerError for numbers that are none."""
    status = _status(unit)
    return Observation(
        status,
        pid=_pid(unit),
        reason=_reason(unit, status),
        cgroup=unit.get("ControlGroup") or None,
        restarts_itself=_restarts_itself(unit, status),
        restarts=_number(unit, "NRestarts") if "NRestarts" in unit else None,
    )


def _status(unit: Unit) -> Status:
    active = unit["ActiveState"]
    if active in ("inactive", "failed"):
        return _at_rest(unit)
    if active == "deactivating":
        return "up" if _pid(unit) else _ended(unit)
    return _BY_ACTIVE_STATE.get(active, "unknown")


def _at_rest(unit: Unit) -> Status:
    load = unit.get("LoadState")
    if load == "not-found":
        return "absent"
    if unit.get("Job") or unit.get("SubState", "").endswith("-before-auto-restart"):
        return "starting"
    if load in ("bad-setting", "error") or unit["ActiveState"] == "failed":
        return "failed"
    return _ended(unit)


def _ended(unit: Unit) -> Status:
    return "down" if unit.get("Result", "") in _NO_FAILURE else "failed"


def _pid(unit: Unit) -> int | None:
    return _number(unit, "MainPID") or None


def _number(unit: Unit, name: str) -> int:
    value = unit.get(name) or "0"
    if not (value.isascii() and value.isdigit() and len(value) <= 10):
        raise ManagerError(f"systemctl printed {name}={value[:80]}")
    return int(value)


def _restarts_itself(unit: Unit, status: Status) -> bool:
    if "auto-restart" in unit.get("SubState", ""):
        return True
    if unit["ActiveState"] == "deactivating" and status == "failed":
        return unit.get("Restart", "no") != "no"
    return status in ("up", "starting") and unit.get("Restart") in _RESTARTS_FAILED


def _reason(unit: Unit, status: Status) -> str:
    if status in ("down", "failed", "absent") and unit.get("LoadState") != "loaded":
        return _message(unit.get("LoadError", ""))
    active, sub = unit["ActiveState"], unit.get("SubState", "")
    words = [active if sub in ("", active) else f"{active} ({sub})"]
    result = unit.get("Result", "")
    if result not in _NO_FAILURE:
        words += [f"Result={result}", *_exit(unit)]
    elif status == "down" and result:
        words.append(f"Result={result}")
    if status == "starting" and unit.get("Job"):
        words.append(f"job {unit['Job']} is queued")
    return ", ".join(words)


def _message(error: str) -> str:
    # org.freedesktop.systemd1.NoSuchUnit "Unit x.service not found."
    return error.partition('"')[2].rpartition('"')[0] or error


def _exit(unit: Unit) -> list[str]:
    code, status = unit.get("ExecMainCode", "0"), _number(unit, "ExecMainStatus")
    if code in ("", "0"):
        return []
    if code == _CLD_EXITED:
        return [f"status={status}"]
    try:
        return [f"signal={signal.Signals(status).name.removeprefix('SIG')}"]
    except ValueError:
        return [f"signal={status}"]
