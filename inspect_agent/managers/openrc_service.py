"""Where a service of OpenRC is, by OpenRC's records and the processes that these name.

stopped    down
failed     failed: supervise-daemon has given it up, or it failed in a change of runlevel
starting   starting while somebody is at it; else its start was interrupted: failed
started    up while all its daemons live, else failed: OpenRC itself says crashed
inactive   the same: it waits for something outside, as a VPN does for its network
stopping   up until its process has ended, then down
"""

from __future__ import annotations

from inspect_agent.managers import pid_files
from inspect_agent.managers.init_script import Script
from inspect_agent.managers.openrc_state import Records
from inspect_agent.managers.openrc_supervised import Supervised
from inspect_agent.managers.script_status import Answer
from inspect_agent.model.observation import Observation
from inspect_agent.typed import Union

Clue = Union[Observation, Script]
"""Where a service is, or the script that has to be asked."""

_GONE = (1, 2, 3, 32)
"""What `status` ends with when the daemon is gone: by the LSB, and by OpenRC itself."""


class Services:
    """Judges services one by one."""

    def __init__(self, records: Records) -> None:
        self._records, self._supervised = records, Supervised(records)

    def clue(self, name: str, script: Script) -> Clue:
        """Where a service is, or its script where only that can tell. Raises ManagerError."""
        state = self._records.state(name)
        if state == "stopped":
            return Observation("down", reason=state)
        if state == "failed":
            return Observation("failed", reason="stopped, and marked as failed")
        if state == "starting" and self._records.is_busy(name):
            return Observation("starting", reason=state)
        if state == "starting":
            # it gets its next state before it is unlocked
            if self._records.state(name) != state:
                return self.clue(name, script)
            return Observation("failed", reason="starting, but its start was interrupted")
        found = self._running(name, script)
        if isinstance(found, Script) and state == "started":
            return found
        return _in_state(state, Observation("up") if isinstance(found, Script) else found)

    def _running(self, name: str, script: Script) -> Clue:
        """By the PID files that OpenRC knows of, else by those that the script names."""
        if self._records.is_supervised(name):
            return self._supervised.observe(name)
        files = self._records.pid_files(name)
        if "" in files:
            return script
        if files:
            return _all(files)
        seen = None if script.guessed else pid_files.observe(script.pid_files)
        if seen is None and script.tells_status:
            return script
        return seen or Observation("up")


def told(answer: Answer | None) -> Observation:
    """Where a service is that OpenRC has started, by its script's own word."""
    if answer is None:
        return Observation("unknown", reason="its status action said nothing")
    if answer.exit_status == 0 or answer.is_usage():
        return Observation("up", reason="started")
    if answer.exit_status in _GONE:
        return Observation("failed", reason=f"started, but {answer.said()}")
    return Observation("unknown", reason=answer.said())


def _all(files: list[str]) -> Observation:
    """The first of several daemons while all live, else one that does not."""
    seen = [
        pid_files.observe([file]) or Observation("failed", reason=f"there is no PID in {file}")
        for file in files
    ]
    return next((one for one in seen if one.status != "up"), seen[0])


def _in_state(state: str, seen: Observation) -> Observation:
    """What is seen of its processes, in the light of OpenRC's state."""
    if seen.status == "unknown":
        return seen
    if seen.status == "up":
        return seen._replace(reason=f"{state}, {seen.reason}" if seen.reason else state)
    if state == "stopping":
        return Observation("down", reason=state)
    # OpenRC would have another state, had somebody stopped it
    return seen._replace(reason=f"{state}, but {seen.reason}", ambiguous=False)
