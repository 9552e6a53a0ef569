"""The agent over services of a real runit: what s6 has not, or does otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.running import RunningAgent
from tests.integration.scandir_machine import RUNIT, ScandirMachine, scandir_machine
from tests.integration.scandirs import sleeping

SERVICES = {**sleeping("worker@1", "worker@2"), "broken": {"run": "#!/no/such/shell\n"}}


@pytest.fixture(scope="module")
def machine() -> Iterator[ScandirMachine]:
    """A machine that runit runs, with its services supervised."""
    with scandir_machine(RUNIT, SERVICES) as booted:
        yield booted


def test_instances_are_folders(machine: ScandirMachine, inside: Path) -> None:
    """One check stands for all folders of a template's name."""
    with RunningAgent(inside, "check service worker@*\n", place=machine) as agent:
        pids = {name: agent.up(name) for name in ("worker@1", "worker@2")}

        assert pids == {name: machine.pid_of(name) for name in pids}


def test_a_restart_loop(machine: ScandirMachine, inside: Path) -> None:
    """A service whose run script cannot be run has failed, and is left to its manager."""
    rules = "check service broken\n  if failed then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.logged("broken: failed is true")
        agent.logged("restart broken refused, MANAGER_IS_RESTARTING")
        assert agent.lines("restart:") == []
