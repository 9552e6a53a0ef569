"""A source or manager that raises harms what comes from it, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.integration.daemons import Daemons
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent, metric_of
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, exec_start

SCRIPT = Path(__file__).parents[1] / "faulty_agent.py"


def faulty(fault: str) -> tuple[str, ...]:
    """The command that runs an agent with this fault."""
    return (sys.executable, "-I", str(SCRIPT), fault)


@pytest.mark.parametrize("fault", ["source names", "source open", "source read"])
def test_a_source_that_raises(fault: str, tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """Its metrics have no data, with the reason, and rules on others fire."""
    workers.run("worker", "leaky", "64")
    rules = workers.check("worker") + "  if memory:rss > 50m then alert\n"
    rules += "check host\n  if load:1 > 0 then alert\n"
    agent = RunningAgent(tmp_path / "agent", rules, post.send(), argv=faulty(fault))
    with agent:
        agent.cycles(3)
        load = metric_of(agent.export()["host"], "load:1")

        assert load["text"] == "no data (RuntimeError: boom)"
        assert post.told(1) == ["CRITICAL worker: memory:rss > 50m"]
        assert post.rest() == []


def test_a_source_that_raises_when_it_is_let_go(tmp_path: Path, workers: Daemons) -> None:
    """A reload is not kept from coming into force by what is gone."""
    agent = RunningAgent(tmp_path / "agent", argv=faulty("source close"))
    with agent:
        agent.write("more", workers.check("more"))

        assert agent.ask("reload")["added"] == ["more"]


@pytest.fixture
def two_managers(machine: SystemdMachine, units: Units, inside: Path) -> str:
    """The rules of two services: `web` is systemd's, `legacy` is known by its PID file alone."""
    units.start("web", exec_start("idle"))
    told = "ExecStartPost=/bin/sh -c 'echo $MAINPID > /run/legacy.pid'"
    units.start("legacy", f"{exec_start('idle')}\n{told}")
    return (
        "check service web\n  if failed then start\n"
        'check service legacy with pidfile /run/legacy.pid, start "systemctl start legacy"\n'
        "  if failed then start\n"
    )


@pytest.mark.systemd
@pytest.mark.parametrize("fault", ["manager detection", "manager glance"])
def test_a_manager_that_raises_on_the_way(
    fault: str, two_managers: str, machine: SystemdMachine, units: Units, inside: Path
) -> None:
    """Where a full look still tells where a service is, it is watched and repaired."""
    with RunningAgent(inside, two_managers, place=machine, argv=faulty(fault)) as agent:
        pids = {name: agent.up(name) for name in ("web", "legacy")}
        for name in pids:
            units.kill(name)

        assert agent.up("web", but=pids["web"]) == units.pid("web")
        assert agent.up("legacy", but=pids["legacy"]) == units.pid("legacy")


@pytest.mark.systemd
def test_a_manager_that_raises_when_it_looks(
    two_managers: str, machine: SystemdMachine, units: Units, inside: Path
) -> None:
    """Its services are unknown, with the reason; those of others are watched and repaired."""
    fault = faulty("manager look")
    with RunningAgent(inside, two_managers, place=machine, argv=fault) as agent:
        web = agent.up("web")
        units.kill("web")
        agent.up("web", but=web)

        assert "Service: legacy [Unknown]\n  pidfile: RuntimeError: boom\n" in agent.say(
            b"status\n"
        )


@pytest.mark.systemd
def test_a_manager_that_raises_when_it_is_to_repair(
    two_managers: str, machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """The repair has failed, which is told, and is tried again; others are repaired."""
    fault = faulty("manager command")
    agent = RunningAgent(inside, two_managers, post.send(), place=machine, argv=fault)
    with agent:
        pids = {name: agent.up(name) for name in ("web", "legacy")}
        units.kill("legacy")
        for _ in range(2):
            agent.logged("legacy: start failed: pidfile: RuntimeError: boom")
        units.kill("web")
        agent.up("web", but=pids["web"])
        post.until(
            lambda mails: mails and mails[-1].headlines == ("CRITICAL legacy: repair failed",)
        )
