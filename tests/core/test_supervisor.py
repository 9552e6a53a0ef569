"""What systemd is told: sd_notify(3), one datagram each."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspect_agent.core.loop import Loop
from inspect_agent.core.supervisor import Supervisor
from tests.core.looping import FakeClock, looping, turns


class Manager:
    """The service manager's end of $NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(address)

    def heard(self) -> list[str]:
        """Every datagram since it was last asked for."""
        said = []
        while True:
            try:
                said.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return said

    def close(self) -> None:
        """It is gone."""
        self._socket.close()


@contextmanager
def supervised(address: str, **environment: str) -> Iterator[tuple[Manager, Supervisor, Loop]]:
    """A supervisor that speaks to a manager."""
    manager = Manager("\0" + address[1:] if address.startswith("@") else address)
    with looping(FakeClock()) as loop:
        yield manager, Supervisor(loop, {"NOTIFY_SOCKET": address, **environment}), loop
    manager.close()


def pass_time(loop: Loop, seconds: float) -> None:
    """Time passes."""
    assert isinstance(loop.now, FakeClock)
    loop.now.now += seconds
    turns(loop)


@pytest.mark.parametrize("abstract", [False, True])
def test_each_word_is_a_datagram(tmp_path: Path, abstract: bool) -> None:
    """A status that is the same is said once; the socket may be an abstract one."""
    address = f"@inspect-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with supervised(address) as (manager, supervisor, loop):
        supervisor.ready()
        supervisor.status("watching 3 services, 0 not up")
        supervisor.status("watching 3 services, 0 not up")
        supervisor.status("watching 3 services, 1 not up")
        supervisor.stopping()
        pass_time(loop, 3600.0)
        assert manager.heard() == [
            "READY=1",
            "STATUS=watching 3 services, 0 not up",
            "STATUS=watching 3 services, 1 not up",
            "STOPPING=1",
        ]


@pytest.mark.parametrize("pid", ["", str(os.getpid())])
def test_the_watchdog_is_patted_twice_an_interval(tmp_path: Path, pid: str) -> None:
    """From READY on, by the loop: one that hangs is noticed."""
    environment = {"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": pid}
    with supervised(str(tmp_path / "notify"), **environment) as (manager, supervisor, loop):
        pass_time(loop, 100.0)
        assert manager.heard() == []
        supervisor.ready()
        assert manager.heard() == ["READY=1", "WATCHDOG=1"]
        pass_time(loop, 9.0)
        assert manager.heard() == []
        for _ in range(3):
            pass_time(loop, 10.0)
            assert manager.heard() == ["WATCHDOG=1"]


@pytest.mark.parametrize(
    "environment",
    [
        {"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "0"},
        {},
    ],
)
def test_a_watchdog_of_others_is_left_alone(tmp_path: Path, environment: Mapping[str, str]) -> None:
    """One meant for another process, none, or one that nobody can read."""
    with supervised(str(tmp_path / "notify"), **environment) as (manager, supervisor, loop):
        supervisor.ready()
        pass_time(loop, 3600.0)
        assert manager.heard() == ["READY=1"]


def test_without_a_manager_nothing_is_said() -> None:
    """Nor is it a mistake."""
    with looping(FakeClock()) as loop:
        supervisor = Supervisor(loop, {})
        supervisor.ready()
        supervisor.status("fine")
        supervisor.stopping()


def test_a_manager_that_does_not_listen_holds_nothing_up(tmp_path: Path) -> None:
    """Whether its socket is gone or nobody reads it."""
    with supervised(str(tmp_path / "notify")) as (manager, supervisor, _):
        for number in range(5000):
            supervisor.status(f"status {number}")
        assert manager.heard()[0] == "STATUS=status 0"
        manager.close()
        supervisor.stopping()
