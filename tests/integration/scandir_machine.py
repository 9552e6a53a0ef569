"""Machines on which runit or s6 supervises folders of services, and what an operator does there."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from inspect_agent.managers.runit import Runit
from inspect_agent.managers.s6 import S6
from inspect_agent.model import observation
from inspect_agent.model.observation import Observation
from inspect_agent.model.rule import Verb
from inspect_agent.ports import Question
from tests.integration.components import need
from tests.integration.namespaces import Finished
from tests.integration.scandirs import VISIBLE, Files, until, written
from tests.integration.small_machine import SmallMachine
from tests.managers.builders import check


class Supervisor(NamedTuple):
    """A manager of folders of services, with its operator's words; a folder is their last one.

    scan   supervises the folders in `place`; the signal `end` ends it, and all that it supervises
    lost   a pattern of why nobody knows where a service is whose supervisor died; {} is its name
    """

    name: str
    manager: type[Runit] | type[S6]
    place: str
    scan: tuple[str, ...]
    end: signal.Signals
    status: tuple[str, ...]
    down: tuple[str, ...]
    lost: str


RUNIT = Supervisor(
    "runit",
    Runit,
    place="/etc/service",
    scan=("runsvdir", "-P", "/etc/service"),
    end=signal.SIGHUP,
    status=("sv", "status"),
    down=("sv", "down"),
    lost=r"no runsv supervises /etc/service/{} \(nobody reads supervise/ok\)",
)
S6_SVSCAN = Supervisor(
    "s6",
    S6,
    place="/run/service",
    scan=("s6-svscan", "/run/service"),
    end=signal.SIGTERM,
    status=("s6-svstat",),
    down=("s6-svc", "-d"),
    lost="s6-svstat: fatal: .*unable to read status for /run/service/{}: s6-supervise not running",
)
SUPERVISORS = (RUNIT, S6_SVSCAN)


class ScandirMachine(SmallMachine):
    """Its PID 1 is what supervises, or another `init` where that comes and goes."""

    def __init__(
        self,
        by: Supervisor,
        services: Mapping[str, Files],
        prepare: str = ":",
        init: Sequence[str] = (),
    ) -> None:
        """`prepare` is a shell's script that runs when the services' folders are there."""
        # Debian's runit brings services of its own
        script = f"rm -rf {by.place}\n{written(by.place, services)}\n{prepare}"
        super().__init__(init or by.scan, script, VISIBLE)
        self.by = by

    @property
    def manager(self) -> Runit | S6:
        """The agent's manager of its services."""
        return self.by.manager(str(self.root))

    def folder(self, name: str) -> Path:
        """The folder of a service, as tests reach it."""
        return self.root / self.by.place[1:] / name

    def look(self, *names: str) -> Mapping[str, Observation]:
        """Where services are."""
        return look(self, self.manager, *names)

    def one(self, name: str) -> Observation:
        """Where a service is."""
        return self.look(name)[name]

    def glance(self, name: str) -> str:
        """The fingerprint of a service."""
        return self.manager.glance([check(name)])[name]

    def up(self, name: str, *, but: int | None = None) -> int:
        """Waits until a service runs, as another process than `but`; its PID."""
        seen = until(lambda: self.one(name), lambda seen: seen.pid not in (None, but))
        assert seen.pid is not None
        return seen.pid

    def do(self, verb: Verb, name: str, timeout_s: float = 30.0) -> Finished:
        """Runs what the manager gives as the command for this verb."""
        command = self.manager.command(verb, check(name, timeout_s=timeout_s))
        assert command is not None
        return self.ask(command.argv)

    def pid_of(self, name: str) -> int:
        """The process of a service, as its operator is told; 0 where it has none."""
        told = re.search(r"\(pid (\d+)\)", self._operate(self.by.status, name))
        return int(told[1]) if told else 0

    def down(self, name: str) -> None:
        """Stops a service as its operator does."""
        self._operate(self.by.down, name)

    def kill(self, pid: int) -> None:
        """Kills a process."""
        self.tell("kill", "-KILL", str(pid))

    @contextmanager
    def orphaned(self, pid: int) -> Iterator[None]:
        """The supervisor of this process has been killed, and meanwhile none takes its place."""
        supervisor = self.tell("ps", "-o", "ppid=", "-p", str(pid)).strip()
        os.kill(self.pid, signal.SIGSTOP)
        try:
            self.kill(int(supervisor))
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def _operate(self, command: Sequence[str], name: str) -> str:
        return self.tell(*command, f"{self.by.place}/{name}")


@contextmanager
def scandir_machine(
    by: Supervisor, services: Mapping[str, Files], prepare: str = ":"
) -> Iterator[ScandirMachine]:
    """All of these services are supervised."""
    need("namespaces")
    need(by.name)
    with ScandirMachine(by, services, prepare) as machine:
        until(machine.manager.loaded, lambda names: len(names) == len(services))
        yield machine


def look(machine: SmallMachine, manager: Runit | S6, *names: str) -> Mapping[str, Observation]:
    """Where services are that this manager has in a machine."""
    question = manager.look([check(name) for name in names])
    if not isinstance(question, Question):
        return question
    ran = machine.ask(question.command.argv)
    seen: Mapping[str, Observation] = question.parse(
        observation.Finished(ran.returncode, ran.stdout, ran.stderr)
    )
    return seen
