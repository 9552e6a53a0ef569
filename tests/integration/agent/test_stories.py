"""What the people who asked for such an agent told of their machines."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from tests.integration.daemons import Daemons
from tests.integration.post import Postbox
from tests.integration.running import BIN, RunningAgent
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, exec_start, leaky

UNIT = Path(__file__).parents[3] / "packaging/systemd/inspect-agent.service"
SIDEKIQ = """check service {name}
  if memory:rss > 500m then restart
  if cpu:user > 60% for 2 cycles then restart
"""


@pytest.mark.systemd
def test_the_queue_that_nobody_emptied(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """A Sidekiq that dies is told, one that leaks restarted, one that was given up told as gone."""
    service = f"{leaky('0', '520')}\nRestart=on-failure\nRestartSec=500ms"
    limit = "StartLimitBurst=3\nStartLimitIntervalSec=30"
    units.write("sidekiq@", service, limit)
    machine.systemctl("start", "sidekiq@0")
    rules = SIDEKIQ.format(name="sidekiq@0")
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        first = agent.up("sidekiq@0")
        machine.systemctl("kill", "--signal=KILL", "sidekiq@0")
        second = agent.up("sidekiq@0", but=first)
        assert post.told(2) == [
            "CRITICAL sidekiq@0: not running",
            "RECOVERED sidekiq@0: running again",
        ]
        machine.systemctl("kill", "--signal=USR1", "sidekiq@0")
        third = int(agent.logged(r"sidekiq@0: restart succeeded, process (\d+)")[1])
        agent.service("sidekiq@0", lambda sidekiq: not sidekiq["rules"])
        machine.systemctl("kill", "--signal=KILL", "sidekiq@0")
        agent.service("sidekiq@0", lambda sidekiq: sidekiq["state"] == "failed")
        agent.cycles(3)

        assert len({first, second, third}) == 3
        assert (
            "Service: sidekiq@0 [Failed] systemd\n  failed, Result=signal, signal=KILL\n"
            in agent.say(b"status\n")
        )
        assert post.told(1) == ["CRITICAL sidekiq@0: not running"]
        assert post.rest() == []


@pytest.mark.systemd
def test_rules_that_a_deploy_hook_drops(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """Status shows that they are in force, and that one on the memory of `su` can never fire."""
    command = exec_start("leaky", "600").removeprefix("ExecStart=")
    units.start("sidekiq", f"ExecStart=/bin/su root -s /bin/sh -c '{command}; true'")
    agent = RunningAgent(inside, sends=post.send(), place=machine)
    units.install("inspect-agent", unit_of(agent))
    restart = "systemctl restart inspect-agent || systemctl start inspect-agent"
    agent.write("sidekiq", SIDEKIQ.format(name="sidekiq"))
    assert machine.run(["sh", "-c", restart]).returncode == 0
    shown = agent.ctl("status").stdout
    agent.write("sidekiq", SIDEKIQ.format(name="sidekiq").replace("memory:rss", "memory:total_rss"))
    assert machine.run(["sh", "-c", restart]).returncode == 0
    mail = post.next()

    assert "Service: sidekiq [Up/" in shown
    assert "only wraps python" in shown
    assert "memory:rss is the wrapper's, memory:total_rss is both's" in shown
    assert mail.headlines == ("CRITICAL sidekiq: repair budget spent",)


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    """A folder where a deploy finds `1` in force, and makes `2` so; `starts` tells what ran."""
    folder = tmp_path / "app"
    for release in ("1", "2"):
        (folder / release).mkdir(parents=True)
    (folder / "current").symlink_to("1")
    (folder / "starts").touch()
    return folder


def batch(workers: Daemons, releases: Path) -> str:
    """The check of a service that notes which release it was started from."""
    note = f'readlink {releases}/current >> {releases}/starts; exec \\"$@\\"'
    check = workers.check("batch").replace('start "', f"start \"/bin/sh -c '{note}' sh ")
    return check + "  if down then start\n"


def switch(releases: Path) -> None:
    """Puts release 2 in force."""
    (releases / "new").symlink_to("2")
    os.replace(releases / "new", releases / "current")


def shell(argv: list[str]) -> None:
    """What a deploy script runs."""
    assert os.system(shlex.join(argv)) == 0


@pytest.mark.parametrize("killed", [False, True])
def test_the_deploy_that_ran_old_code(
    killed: bool, tmp_path: Path, workers: Daemons, releases: Path
) -> None:
    """Between stop and switch nothing is started, also by an agent that was killed in between."""
    workers.run("batch")
    with RunningAgent(tmp_path / "agent", batch(workers, releases)) as agent:
        agent.up("batch")
        assert agent.ctl("start", "deploy", "batch").returncode == 0
        shell(workers.stop("batch"))
        if killed:
            agent.kill()
            agent.start()
        agent.service("batch", lambda batch: batch["state"] in ("down", "failed"))
        agent.cycles(5)
        switch(releases)
        after = workers.run("batch")
        assert agent.ctl("finish", "deploy", "batch").returncode == 0
        agent.cycles(5)

        assert (releases / "starts").read_text() == ""
        assert agent.up("batch") == after


def test_without_a_window_the_old_code_is_started(
    tmp_path: Path, workers: Daemons, releases: Path
) -> None:
    """What the window is for: without one, what is stopped for a deploy is started at once."""
    workers.run("batch")
    with RunningAgent(tmp_path / "agent", batch(workers, releases)) as agent:
        before = agent.up("batch")
        shell(workers.stop("batch"))
        agent.up("batch", but=before)

        assert (releases / "starts").read_text() == "1\n"


@pytest.mark.systemd
def test_the_go_service(machine: SystemdMachine, units: Units, inside: Path, post: Postbox) -> None:
    """A crash is told by an agent that does what its manager demands: ready, SIGHUP, SIGTERM."""
    units.start("go", f"{exec_start('idle')}\nRestart=on-failure\nRestartSec=500ms")
    agent = RunningAgent(inside, "check service go", post.send(), place=machine)
    units.install("inspect-agent", unit_of(agent))
    machine.systemctl("start", "inspect-agent")
    ready = agent.export()["services"][0]["state"]
    pid = units.pid("inspect-agent")
    agent.write("more", "check service more")
    machine.systemctl("reload", "inspect-agent")
    agent.service("more", lambda more: more["state"] == "absent")
    units.kill("go")
    told = sorted(post.told(3))
    agent.up("go")
    running = units.pid("inspect-agent")
    machine.systemctl("stop", "inspect-agent")
    result = machine.systemctl("show", "--property=Result,ActiveState", "inspect-agent")

    assert ready == "up"
    assert running == pid
    assert told == [
        "CRITICAL go: not running",
        "CRITICAL more: not running",
        "RECOVERED go: running again",
    ]
    assert sorted(result.split()) == ["ActiveState=inactive", "Result=success"]


def unit_of(agent: RunningAgent) -> str:
    """The unit that is shipped, for an agent that runs from here."""
    places = f"-c {agent.folder}/etc -s {agent.socket_path}"
    return UNIT.read_text().replace("/usr/bin/inspect-agent", f"{BIN}/inspect-agent {places}")
