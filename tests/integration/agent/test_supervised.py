"""What the agent tells the manager that runs it: sd_notify(3)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemons import Daemons
from tests.integration.following import GUARD_S
from tests.integration.running import RunningAgent


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """What NOTIFY_SOCKET names."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(GUARD_S)
        yield listening


def told(manager: socket.socket, last: str) -> list[str]:
    """What it was told, up to this."""
    messages = [""]
    while messages[-1] != last:
        messages.append(manager.recv(4096).decode())
    return messages[1:]


def test_ready_status_and_the_watchdog(
    tmp_path: Path, workers: Daemons, manager: socket.socket
) -> None:
    """It is ready after its first cycle, tells how many services are not up, and pats the dog."""
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "200000"}
    rules = workers.check("worker")
    with RunningAgent(tmp_path / "agent", rules, environment=environment) as agent:
        assert told(manager, "WATCHDOG=1") == [
            "STATUS=watching 1 service, 1 not up",
            "READY=1",
            "WATCHDOG=1",
        ]
        workers.run("worker")
        told(manager, "STATUS=watching 1 service, 0 not up")
        assert told(manager, "WATCHDOG=1") == ["WATCHDOG=1"]
        agent.stop()
        told(manager, "STOPPING=1")


def test_it_is_not_ready_before_it_watches(tmp_path: Path, manager: socket.socket) -> None:
    """An agent that cannot start was never ready."""
    environment = {"NOTIFY_SOCKET": manager.getsockname()}
    agent = RunningAgent(tmp_path / "agent", "check nonsense\n", environment=environment)
    agent.fail()

    assert told(manager, "STOPPING=1") == ["STOPPING=1"]
