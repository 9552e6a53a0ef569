"""The agent over services of a real s6: what runit has not, or does otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.running import RunningAgent
from tests.integration.scandir_machine import S6_SVSCAN, ScandirMachine, scandir_machine
from tests.integration.scandirs import GIVE_UP, SLEEP

SERVICES = {
    "given-up": {"run": SLEEP, "finish": GIVE_UP},
    "broken": {"run": "#!/bin/sh\nexit 7\n"},
}


@pytest.fixture(scope="module")
def machine() -> Iterator[ScandirMachine]:
    """A machine that s6 runs, with its services supervised."""
    with scandir_machine(S6_SVSCAN, SERVICES) as booted:
        yield booted


def test_a_service_that_its_finish_script_gives_up(machine: ScandirMachine, inside: Path) -> None:
    """It has failed, unlike one that was stopped, and is started again."""
    rules = "check service given-up\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("given-up")
        machine.kill(before)
        words = "down .signal SIGKILL., normally up, ready; stopped, or given up by its finish"
        agent.logged(f"given-up: failed .{words}")
        after = int(agent.logged(r"given-up: start succeeded, process (\d+)")[1])

        assert before != after == machine.pid_of("given-up")


def test_a_restart_loop(machine: ScandirMachine, inside: Path) -> None:
    """A service that ends at once, each time, is in its manager's hands, and never stopped."""
    rules = "check service broken\n  if failed for 2 cycles then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.logged("broken: failed for 2 cycles is true")
        agent.logged("restart broken refused, MANAGER_IS_RESTARTING")
        assert agent.lines("restart:") == []
