"""Services outside of any manager: workers as daemons with PID files."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WORKERS = Path(__file__).parent / "workers"
_PYTHON = (sys.executable, "-I", "-S")


class Daemons:
    """The workers of one test; `leash` is what they hang on."""

    def __init__(self, folder: Path, leash: Path) -> None:
        self._folder, self._leash = folder, leash

    def pidfile(self, name: str) -> Path:
        """Where a service's PID is."""
        return self._folder / f"{name}.pid"

    def pid(self, name: str) -> int:
        """The PID that was last written."""
        return int(self.pidfile(name).read_text())

    def run(self, name: str, worker: str = "idle", *arguments: str) -> int:
        """Starts a service; its PID."""
        subprocess.run(self.start(name, worker, *arguments), check=True, timeout=60)
        return self.pid(name)

    def start(self, name: str, worker: str = "idle", *arguments: str) -> list[str]:
        """The command that starts a service, and ends when it runs."""
        script = WORKERS / "daemon.py"
        where = [str(script), str(self.pidfile(name)), str(self._leash)]
        return [*_PYTHON, *where, str(WORKERS / f"{worker}.py"), *arguments]

    def stop(self, name: str) -> list[str]:
        """The command that stops it, and ends when it has ended."""
        return [*_PYTHON, str(WORKERS / "stop.py"), str(self.pidfile(name))]

    def restart(self, name: str, worker: str = "idle", *arguments: str) -> list[str]:
        """The command that does one after the other."""
        start = shlex.join(self.start(name, worker, *arguments))
        return ["/bin/sh", "-c", f"{shlex.join(self.stop(name))}; {start}"]

    def check(self, name: str, worker: str = "idle", *arguments: str, also: str = "") -> str:
        """`check service NAME with …` without its rules; `also` are further parameters."""
        return (
            f'check service {name} with pidfile "{self.pidfile(name)}",'
            f" start {_quoted(self.start(name, worker, *arguments))},"
            f" stop {_quoted(self.stop(name))},"
            f" restart {_quoted(self.restart(name, worker, *arguments))}"
            f"{', ' if also else ''}{also}\n"
        )


@contextmanager
def daemons(folder: Path) -> Iterator[Daemons]:
    """Workers that end when this does."""
    leash = folder / "leash"
    os.mkfifo(leash)
    held = os.open(leash, os.O_RDWR)
    try:
        yield Daemons(folder, leash)
    finally:
        os.close(held)


def _quoted(argv: list[str]) -> str:
    text = shlex.join(argv).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
