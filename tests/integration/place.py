"""Where an agent runs: this machine, or one that systemd runs."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

Process = subprocess.Popen[str]


class Place(Protocol):
    """A machine; SystemdMachine is one, too."""

    @property
    def root(self) -> Path:
        """Its root folder, as tests reach it."""
        ...

    def popen(self, argv: Sequence[str], **options: Any) -> Process:
        """Starts a command; the options are subprocess.Popen's."""
        ...

    def signal(self, process: Process, number: signal.Signals) -> None:
        """Sends a signal to what `popen` started."""
        ...


class Here:
    """The machine that the tests run on."""

    root = Path("/")

    def popen(self, argv: Sequence[str], **options: Any) -> Process:
        """Starts a command."""
        return subprocess.Popen(argv, text=True, **options)

    def signal(self, process: Process, number: signal.Signals) -> None:
        """Sends a signal to a command that `popen` started."""
        process.send_signal(number)
