"""A manager that runs inside of a machine, where PIDs and files are what it takes them for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Observation
from inspect_agent.model.rule import Verb
from inspect_agent.registry import built_in
from tests.integration.daemons import WORKERS
from tests.integration.namespaces import Finished
from tests.integration.small_machine import SmallMachine

HOSTILE = (
    *("", "a b", "--help", "-l", "../init.d/web", "/etc/init.d/web", "web;reboot", "$(id)"),
    *("a\nb", 'a"b', "*", "web\0", "x" * 4096),
)
"""Names that are more than a name to a shell, a tool, or the file system."""


class Asked:
    """Answers as the manager inside does; what that raises is raised here."""

    def __init__(self, machine: SmallMachine, process: subprocess.Popen[str]) -> None:
        self._machine, self._process = machine, process

    def look(self, *names: str) -> Mapping[str, Observation]:
        """Where these services are."""
        said: dict[str, list[Any]] = self._ask("look", *names)
        return {name: Observation(*members) for name, members in said.items()}

    def glance(self, name: str) -> str:
        """The fingerprint of this service."""
        return str(self._ask("glance", name)[name])

    def loaded(self) -> list[str]:
        """The services that it knows of."""
        return list(self._ask("loaded"))

    def command(self, verb: Verb, name: str) -> list[str] | None:
        """The command for this verb."""
        argv: list[str] | None = self._ask("command", verb, name)
        return argv

    def do(self, verb: Verb, name: str) -> Finished:
        """Runs the command for this verb."""
        argv = self.command(verb, name)
        assert argv is not None
        return self._machine.ask(argv)

    def _ask(self, *request: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        if isinstance(said, dict) and "raised" in said:
            raise ManagerError(said["raised"])
        return said


@contextmanager
def asked(machine: SmallMachine, manager: str) -> Iterator[Asked]:
    """The manager of this name, inside."""
    argv = [sys.executable, str(WORKERS / "manager.py"), built_in("managers")[manager]]
    pipe = subprocess.PIPE
    with machine.popen(argv, stdin=pipe, stdout=pipe) as process:
        yield Asked(machine, process)


def refused(names: Sequence[str]) -> Mapping[str, Observation]:
    """What a manager of init scripts says of names that no script can have."""
    return {
        name: Observation("absent", reason=f"{name[:80]!r} cannot be the name of an init script")
        for name in names
    }
