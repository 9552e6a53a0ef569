"""The agent as a service of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.components import need
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent, metric_of
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, exec_start
from tests.integration.upstart_machine import Upstart, upstart_machine

RULES = """check service inspect-agent
  if memory:rss > 1k then alert
  if cpu:user > 9000% then alert
"""


@pytest.fixture
def alone() -> Iterator[Upstart]:
    """A machine whose manager knows nothing of the agent."""
    need("namespaces")
    with upstart_machine() as machine:
        yield machine


def test_rules_on_its_own_memory(alone: Upstart, tmp_path: Path, post: Postbox) -> None:
    """It is up with its own process, which is sampled and judged as any other."""
    inside = Path("/run") / tmp_path.name
    with RunningAgent(inside, RULES, post.send(), place=alone.machine) as agent:
        pid = agent.up("inspect-agent")
        assert post.told(1) == ["CRITICAL inspect-agent: memory:rss > 1k"]
        itself = agent.service("inspect-agent", lambda itself: itself["rules"])

        assert (pid, itself["manager"]) == (agent.pid, "self")
        assert f"\nService: inspect-agent [Up/{pid}] self\n" in agent.say(b"status\n")
        assert metric_of(itself, "memory:rss")["value"] > 1 << 20


def test_names_of_its_own(alone: Upstart, tmp_path: Path) -> None:
    """Inspeqtor's name means it, too, and any name of a check that says so."""
    rules = "check service inspeqtor\ncheck service watcher with manager self\n"
    rules += "check service another with manager self\ncheck service nosuch\n"
    inside = Path("/run") / tmp_path.name
    with RunningAgent(inside, rules, place=alone.machine) as agent:
        pids = {agent.up(name) for name in ("inspeqtor", "watcher", "another")}
        nosuch = agent.service("nosuch", lambda nosuch: nosuch["state"] == "absent")

        assert pids == {agent.pid}
        assert nosuch["reason"] == "upstart: Unknown job: nosuch"


def test_it_does_not_restart_itself(alone: Upstart, tmp_path: Path, post: Postbox) -> None:
    """A rule that wants that is told that there is no command for it, and the agent goes on."""
    rules = "check service inspect-agent with restarts 1/10m\n  if memory:rss > 1k then restart\n"
    inside = Path("/run") / tmp_path.name
    with RunningAgent(inside, rules, post.send(), place=alone.machine) as agent:
        pid = agent.up("inspect-agent")
        told = agent.logged(r"inspect-agent: (restart failed: .*) \(RepairFailed\)")[1]
        mail = post.next()
        agent.cycles(2)

        assert told == "restart failed: self has no command for it"
        assert mail.headlines == ("CRITICAL inspect-agent: repair failed",)
        assert "self has no command for it" in mail.text
        assert agent.pid == pid


@pytest.mark.systemd
def test_a_service_of_that_name_comes_first(
    machine: SystemdMachine, units: Units, inside: Path
) -> None:
    """Where a manager knows a service of the agent's name that one is watched."""
    pid = units.start("inspect-agent", exec_start("idle"))
    with RunningAgent(inside, "check service inspect-agent\n", place=machine) as agent:
        assert agent.up("inspect-agent") == pid != agent.pid
