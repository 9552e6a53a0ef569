"""A service manager that hangs, or cannot be asked: nobody waits for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.post import Postbox
from tests.integration.running import RunningAgent
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, exec_start, leaky

pytestmark = pytest.mark.systemd

SYSTEMCTL = "/usr/bin/systemctl"


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that does nothing meanwhile, not even end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def missing(machine: SystemdMachine, file: str) -> Iterator[None]:
    """A file of the machine that is not there meanwhile."""
    machine.run(["mv", file, f"{file}.away"])
    try:
        yield
    finally:
        machine.run(["mv", f"{file}.away", file])


def test_a_manager_that_hangs(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """While systemd does nothing a death is noticed, the service is unknown, and cycles go on."""
    before = units.start("web", exec_start("idle"))
    units.start("other", leaky())
    rules = "check service web\ncheck service other\n  if memory:rss > 50m then alert\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        agent.up("web")
        agent.up("other")
        units.kill("other", signal.SIGUSR1)
        assert post.told(1) == ["CRITICAL other: memory:rss > 50m"]
        with stopped(machine.pid):
            units.kill("web")
            agent.logged(f"web: process {before} ended")
            units.kill("other", signal.SIGUSR2)
            assert post.told(1) == ["RECOVERED other: memory:rss > 50m"]
            web = agent.service("web", lambda web: not web["answers"])
            shown = agent.say(b"status\n")
        agent.service("web", lambda web: web["state"] == "failed" and web["answers"])

        assert web["reason"] == "systemd: systemctl: killed after 20 s without an end"
        assert f"Service: web [Unknown] systemd\n  {web['reason']}\n" in shown
        assert post.told(1) == ["CRITICAL web: not running"]


def test_a_manager_that_cannot_be_asked(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """Without systemctl an end is told all the same; when it is back so is the service."""
    before = units.start("web", f"{exec_start('idle')}\nRestart=on-failure\nRestartSec=100ms")
    with RunningAgent(inside, "check service web\n", post.send(), place=machine) as agent:
        agent.up("web")
        agent.cycles(1)
        with missing(machine, SYSTEMCTL):
            units.kill("web")
            assert post.told(1) == ["CRITICAL web: not running"]
            web = agent.service("web", lambda web: web["state"] == "down")
        after = agent.up("web", but=before)

        cannot = "systemd: systemctl: cannot run systemctl: No such file or directory"
        assert web["reason"] == f"its process has ended; {cannot}"
        assert post.told(1) == ["RECOVERED web: running again"]
        assert f"web is running as process {after}, started by its manager" in post.read[-1].text
