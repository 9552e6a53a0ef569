"""What supervisord tells of its processes, and what that means.

Members: http://supervisord.org/api.html (getProcessInfo); states:
http://supervisord.org/subprocess.html#process-states
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Observation, Status
from inspect_agent.typed import Any, NamedTuple

_MOST_WORDS = 200
_BY_SIGNAL = -1  # all that supervisord keeps of it
_STATUS: Mapping[str, Status] = {
    "STOPPED": "down",
    "STARTING": "starting",
    "RUNNING": "up",
    "BACKOFF": "starting",
    "FATAL": "failed",
}


class Process(NamedTuple):
    """One process; the members are called as supervisord calls them.

    pid          0: it has none
    spawnerr     why it could not start, or ended although it should not; else ""
    exitstatus   of its last end; -1: a signal ended it
    comes_back   supervisord restarts it when it fails, as far as its configuration tells

    A STARTING one has a `spawnerr` where supervisord was seen to restart it.
    """

    group: str
    name: str
    statename: str
    pid: int = 0
    spawnerr: str = ""
    exitstatus: int = 0
    comes_back: bool = False

    @property
    def full_name(self) -> str:
        """`group:name`, which supervisord takes for no other one."""
        return f"{self.group}:{self.name}"

    @property
    def short_name(self) -> str:
        """As supervisorctl lists it."""
        return self.name if self.name == self.group else self.full_name


_KINDS = {name: type(value) for name, value in Process("", "", "")._asdict().items()}

Groups = Mapping[str, Sequence[Process]]
"""Processes by the names of their groups."""


def to_text(processes: Iterable[Process]) -> str:
    """Processes as JSON."""
    return json.dumps([process._asdict() for process in processes])


def parse(text: str) -> list[Process]:
    """What `to_text` was given. Raises ManagerError for anything else."""
    try:
        return read(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ManagerError(f"no processes, but {text[:80]!r}") from error


def read(answer: Any) -> list[Process]:
    """Processes of a list of dicts that hold their members. Raises ManagerError for others."""
    if not isinstance(answer, list):
        raise ManagerError(f"no list of processes, but {answer!r:.80}")
    return [_process(members) for members in answer]


def _process(members: Any) -> Process:
    try:
        process = Process(**{name: members[name] for name in _KINDS if name in members})
    except TypeError as error:
        raise ManagerError(f"no process, but {members!r:.80}") from error
    kinds = {name: type(value) for name, value in process._asdict().items()}
    if kinds != _KINDS or process.pid == 1 or not 0 <= process.pid < 2**31:
        raise ManagerError(f"no process, but {members!r:.80}")
    return process


def by_group(processes: Iterable[Process]) -> Groups:
    """Processes by the names of their groups."""
    groups: dict[str, list[Process]] = {}
    for process in processes:
        groups.setdefault(process.group, []).append(process)
    return groups


def find(name: str, groups: Groups) -> Process | None:
    """The process of this name: `group:name`, or `name` where both are the same.

    A group's name alone is that of its only process, too.
    """
    group, colon, rest = name.partition(":")
    members = groups.get(group, ())
    named = [process for process in members if process.name == (rest if colon else group)]
    if not named and not colon and len(members) == 1:
        return members[0]
    return named[0] if named else None


def absence(name: str, groups: Groups) -> str:
    """Why there is no process of this name."""
    members = groups.get(name, ())
    if members:
        return f"{name} is a group of {len(members)}: name one, as {members[0].short_name}"
    for process in (process for group in groups.values() for process in group):
        if process.name == name:
            return f"it knows no {name}, but {process.short_name}"
    return f"it knows no {name}"


def observe(process: Process, last: Observation) -> Observation:
    """Where a process is; `last` is what was observed of it before."""
    words, comes_back = reason(process), _restarts_itself(process, last)
    if words == "STARTING" and comes_back:
        words = "STARTING: supervisord restarts it"
    return Observation(
        _status(process), pid=process.pid or None, reason=words, restarts_itself=comes_back
    )


def reason(process: Process) -> str:
    """Its state, in supervisord's words."""
    words = " ".join(process.spawnerr.split())[:_MOST_WORDS]
    if process.statename == "EXITED":
        words = words or f"exit status {process.exitstatus}"
        words += " (a signal)" if process.exitstatus == _BY_SIGNAL else ""
    return f"{process.statename}: {words}" if words else process.statename


def _status(process: Process) -> Status:
    if process.statename == "STOPPING":
        return "up" if process.pid else "down"
    if process.statename == "EXITED":  # with a status that its configuration does not expect
        return "failed" if process.spawnerr else "down"
    return _STATUS.get(process.statename, "unknown")


def _restarts_itself(process: Process, last: Observation) -> bool:
    if process.statename == "STARTING":  # by whom is not told: it goes on as what it was
        return bool(process.spawnerr) or last.restarts_itself
    comes_back = process.statename == "RUNNING" and process.comes_back
    return comes_back or process.statename == "BACKOFF"
