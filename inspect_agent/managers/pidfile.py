"""Services that no manager runs: a PID file says where they are, the check how to start them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.managers.pid_files import PidFile, is_alive, is_taken, mark, read_pidfile
from inspect_agent.model.observation import Command, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations


class Pidfile:
    """Looks at files and processes itself, so it answers at once.

    A PID file whose process is gone is what a crash leaves. One that is gone, too, tells nothing: a
    clean stop removes it, and so do some that crash.
    """

    name = "pidfile"

    def __init__(self) -> None:
        self._up: dict[str, PidFile] = {}

    def look(self, checks: Sequence[ServiceCheck]) -> Observations:
        """Where the processes of these PID files are."""
        return {check.name: self._look(check.pidfile) for check in checks}

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints:
        """The mark of a file whose process was up and is still there, else what a look says."""
        return {check.name: self._glance(check.pidfile) for check in checks}

    def loaded(self) -> Sequence[str]:
        """None: only a check says that there is one."""
        return ()

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """The check's own commands; a restart is not made up of a stop and a start."""
        given = {"start": check.start, "stop": check.stop, "restart": check.restart}
        argv = given.get(verb, ())
        return Command(argv, check.timeout_s) if argv else None

    def _look(self, path: str | None) -> Observation:
        if path is None:
            return Observation("absent", reason="its check names no pidfile")
        self._up.pop(path, None)
        try:
            file = read_pidfile(path)
            if file is None:
                reason = f"stopped or crashed: no PID file {path}"
                return Observation("down", reason=reason, ambiguous=True)
            alive = is_alive(file)
        except ManagerError as error:
            return Observation("unknown", reason=f"{path} {error}")
        if file.pid is None:
            return Observation("unknown", reason=f"{path} is empty")
        if not alive:
            return Observation("failed", reason=f"process {file.pid} is gone")
        self._up[path] = file
        return Observation("up", file.pid)

    def _glance(self, path: str | None) -> str:
        file = self._up.get(path or "")
        if path is not None and file is not None and _unchanged(path, file):
            return file.mark
        return repr(self._look(path))


def _unchanged(path: str, file: PidFile) -> bool:
    try:
        return mark(os.lstat(path)) == file.mark and is_taken(file.pid or 0)
    except OSError:
        return False
