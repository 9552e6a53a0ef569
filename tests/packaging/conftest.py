"""A machine that systemd runs, with inspect-agent installed as packaging/install.sh does it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.components import need
from tests.integration.systemd_machine import SystemdMachine

CHECKOUT = Path(__file__).resolve().parents[2]
GUARD_S = 300.0
ENVIRONMENT = {
    **{name: text for name, text in os.environ.items() if name != "TMPDIR"},
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
"""This one's, for it may say where pip finds its packages; but the system's own Python."""


@pytest.fixture(scope="session")
def installed() -> Iterator[SystemdMachine]:
    """All that is installed lies on the machine's overlay, and is gone with it."""
    need("systemd")
    with SystemdMachine([CHECKOUT]) as machine:
        if machine.run(["python3", "-c", "import ensurepip"], env=ENVIRONMENT).returncode:
            do(machine, "apt-get", "install", "--yes", "python3", "python3-venv")
        install(machine)
        yield machine


def install(machine: SystemdMachine) -> str:
    """Installs, or upgrades; what that printed."""
    return do(machine, str(CHECKOUT / "packaging/install.sh"))


def do(machine: SystemdMachine, *argv: str) -> str:
    """What a command prints inside; it must succeed."""
    ran = machine.run(argv, timeout=GUARD_S, env=ENVIRONMENT)
    assert ran.returncode == 0, f"{' '.join(argv)}: {ran.stdout}{ran.stderr}"
    return ran.stdout
