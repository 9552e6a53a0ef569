"""Services of a systemd machine, for one test."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.daemons import WORKERS
from tests.integration.systemd_machine import SystemdMachine


class Units:
    """Writes, starts and kills units; those it wrote are stopped and gone at the end."""

    def __init__(self, machine: SystemdMachine) -> None:
        self._machine = machine
        self._written: list[str] = []

    def install(self, name: str, text: str) -> None:
        """Writes NAME.service."""
        self._machine.write_unit(f"{name}.service", text)
        self._written.append(name)

    def write(self, name: str, service: str, unit: str = "") -> None:
        """Writes NAME.service; `service` are the lines of its [Service]."""
        self.install(name, f"[Unit]\n{unit}\n[Service]\n{service}\n")

    def start(self, name: str, service: str, unit: str = "") -> int:
        """Writes and starts it; its main process as the machine counts, 0 where it has none."""
        self.write(name, service, unit)
        self._machine.systemctl("start", name)
        return self.pid(name)

    def pid(self, name: str) -> int:
        """The main process that systemd itself tells."""
        told = self._machine.systemctl("show", "--property=MainPID", "--value", "--", name)
        return int(told)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> float:
        """Kills all processes of a unit below system.slice; the wall time just before."""
        group = self._machine.root / f"sys/fs/cgroup/system.slice/{name}.service/cgroup.procs"
        pids = [int(pid) for pid in group.read_text().split()]
        before = time.time()
        for pid in pids:
            os.kill(pid, number)
        return before

    def remove_all(self) -> None:
        """Stops what was written, and removes it."""
        for name in self._written:
            self._machine.run(["systemctl", "stop", f"{name.removesuffix('@')}*.service"])
            (self._machine.root / f"run/systemd/system/{name}.service").unlink(missing_ok=True)
        self._machine.run(["systemctl", "daemon-reload"])
        self._machine.run(["systemctl", "reset-failed"])


@contextmanager
def units_of(machine: SystemdMachine) -> Iterator[Units]:
    """Units that are gone when this ends."""
    units = Units(machine)
    try:
        yield units
    finally:
        units.remove_all()


def leaky(*arguments: str) -> str:
    """The lines of a leaky service; it is up when it can be told to leak."""
    return f"Type=notify\n{exec_start('leaky', *arguments)}"


def exec_start(worker: str, *arguments: str) -> str:
    """`ExecStart=` of a worker."""
    script = str(WORKERS / f"{worker}.py")
    return " ".join(["ExecStart=" + sys.executable, "-I", "-S", script, *arguments])
