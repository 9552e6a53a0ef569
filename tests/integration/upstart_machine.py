"""A small machine that the double of Upstart runs: tests/doubles says what that is worth."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.doubles.upstart import INITCTL, init
from tests.integration.daemons import WORKERS
from tests.integration.small_machine import SmallMachine

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = Path("/run/upstart-double")
JOBS = Path("/etc/init")
_TINI = "/usr/bin/tini"
_INIT = "/run/init"  # PID 1 is called init where Upstart runs
_OTHERS = ("/etc/supervisor", "/etc/supervisord.conf", "/etc/init.d")  # which run here, too


class Upstart:
    """Writes jobs, and does with them what an operator does."""

    def __init__(self, machine: SmallMachine) -> None:
        self.machine = machine

    def write(self, name: str, *stanzas: str) -> None:
        """Writes /etc/init/NAME.conf."""
        file = self.machine.root / str(JOBS)[1:] / f"{name}.conf"
        file.write_text("\n".join([*stanzas, ""]))

    def start(self, name: str, *variables: str) -> int:
        """Starts a job, or an instance of it; its process."""
        told = self.say("start", name, *variables)
        match = re.search(r"start/running, process (\d+)$", told)
        assert match is not None, told
        return int(match[1])

    def say(self, *words: str) -> str:
        """What initctl prints; it must succeed."""
        return self.machine.tell("initctl", *words).strip()

    def pid(self, name: str, *variables: str) -> int:
        """The process of what runs."""
        return int(self.say("status", name, *variables).rpartition(" ")[2])

    def log(self, name: str) -> Path:
        """What a job has printed, as tests reach it."""
        return self.machine.root / str(FOLDER)[1:] / f"{name}.log"

    def kill(self, pid: int, signal: str = "KILL") -> None:
        """Sends a signal to a process, as the machine counts it."""
        self.machine.tell("kill", f"-{signal}", str(pid))

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Init cannot be reached meanwhile."""
        socket = self.machine.root / str(FOLDER)[1:] / "socket"
        away = socket.with_name("away")
        socket.rename(away)
        try:
            yield
        finally:
            away.rename(socket)


@contextmanager
def upstart_machine() -> Iterator[Upstart]:
    """A machine without jobs."""
    visible = [CHECKOUT, Path(sys.prefix), Path(sys.base_prefix)]
    prepare = f"cp {_TINI} {_INIT}; rm -rf {' '.join(_OTHERS)}; mkdir -p {FOLDER} {JOBS}"
    with SmallMachine([_INIT, "--", "sleep", "infinity"], prepare, visible) as small:
        tool = small.root / "usr/sbin/initctl"
        tool.write_text(f"#!{sys.executable} -IS\n{INITCTL.read_text()}")
        tool.chmod(0o755)
        with init(small, FOLDER, JOBS):
            yield Upstart(small)


def execute(worker: str, *arguments: str) -> str:
    """`exec` of a worker."""
    return " ".join(["exec", *command(worker, *arguments)])


def command(worker: str, *arguments: str) -> Sequence[str]:
    """The command of a worker."""
    return [sys.executable, "-I", "-S", str(WORKERS / f"{worker}.py"), *arguments]
