"""One check for all instances of a template of systemd's, as they come and go."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.post import Postbox
from tests.integration.running import RunningAgent
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, exec_start

pytestmark = pytest.mark.systemd

NAMES = ("worker@1", "worker@2")
WORKER = f"[Service]\n{exec_start('idle')}\n[Install]\nWantedBy=basic.target\n"


@pytest.fixture(autouse=True)
def template(machine: SystemdMachine, units: Units) -> Iterator[None]:
    """A template that is there, and no instance of which is enabled afterwards."""
    units.install("worker@", WORKER)
    yield
    machine.systemctl("disable", "worker@.service")


def instances(status: dict[str, Any]) -> list[str]:
    """The services that are watched."""
    return [service["name"] for service in status["services"]]


def test_instances_come_and_go(machine: SystemdMachine, inside: Path, post: Postbox) -> None:
    """One crashes and is started, one is stopped and disabled, one is started later."""
    machine.systemctl("enable", "--now", "worker@1", "worker@2", "worker@10")
    rules = "check service worker@*\n  if failed then start\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        before = {name: agent.up(name) for name in ("worker@1", "worker@2", "worker@10")}
        machine.systemctl("kill", "--signal=KILL", "worker@1")
        agent.up("worker@1", but=before["worker@1"])
        crashed = post.told(2)
        machine.systemctl("disable", "--now", "worker@2")
        agent.until(lambda status: instances(status) == ["worker@1", "worker@10"])
        machine.systemctl("start", "worker@4")
        agent.up("worker@4")
        status = agent.export()

        assert agent.up("worker@10") == before["worker@10"]
        assert instances(status) == ["worker@1", "worker@4", "worker@10"]
        assert status["templates"] == [
            {"name": "worker@*", "instances": instances(status), "trouble": ""}
        ]
        assert crashed == ["CRITICAL worker@1: not running", "RECOVERED worker@1: running again"]
        assert post.told(2) == [
            "CRITICAL worker@2: not running",
            "RECOVERED worker@2: no longer watched: process",
        ]
        agent.cycles(3)
        assert post.rest() == []
        assert agent.lines("start:") == [
            "worker@1: start: systemctl --no-ask-password start -- worker@1.service"
        ]


def test_a_deploy_of_all_instances(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """Stop, switch, start: nothing is started in the gap, also not by an agent that was killed."""
    machine.systemctl("start", *NAMES)
    rules = "check service worker@*\n  if down then start\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        before = [agent.up(name) for name in NAMES]
        agent.ask("start deploy", "worker@*")
        machine.systemctl("stop", *NAMES)
        agent.until(lambda status: [one["state"] for one in status["services"]] == ["down"] * 2)
        agent.cycles(3)
        agent.signal(signal.SIGKILL)
        agent.ended()
        agent.start()
        agent.cycles(3)
        units.install("worker@", WORKER.replace("[Service]", "[Service]\nEnvironment=RELEASE=2"))
        machine.systemctl("start", *NAMES)
        agent.ask("finish deploy", "worker@*")
        after = [agent.up(name, but=pid) for name, pid in zip(NAMES, before, strict=True)]
        agent.cycles(4)

        assert after == [units.pid("worker@1"), units.pid("worker@2")]
        assert agent.lines("worker@.: start") == []
        assert post.rest() == []


def test_what_a_deploy_leaves_stopped(machine: SystemdMachine, inside: Path, post: Postbox) -> None:
    """It is told once when the window has settled; its rule does not bring it back."""
    machine.systemctl("start", *NAMES)
    rules = "check service worker@*\n  if down then start, alert\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        agent.up("worker@2")
        agent.ask("start deploy")
        machine.systemctl("stop", "worker@2")
        agent.service("worker@2", lambda worker: worker["state"] == "down")
        agent.cycles(3)
        agent.ask("finish deploy")
        agent.until(lambda status: instances(status) == ["worker@1"])

        assert post.told(2) == [
            "CRITICAL worker@2: not running",
            "RECOVERED worker@2: no longer watched: process",
        ]
        agent.cycles(3)
        assert agent.lines("worker@2: start") == []


def test_a_template_without_an_instance(machine: SystemdMachine, inside: Path) -> None:
    """The agent is ready, says so in status, and finds the first one that is started."""
    with RunningAgent(inside, "check service worker@*\n", place=machine) as agent:
        shown = agent.say(b"status\n")
        machine.systemctl("start", "worker@1")
        agent.up("worker@1")

        assert "\nworker@*: no instance is loaded\n" in shown
        assert "worker@*" not in agent.say(b"status\n")
