"""Repairs of services without a manager, and of those that resist."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.integration.daemons import Daemons
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent, metric_of
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, exec_start


def lives(pid: int) -> bool:
    """Whether a process is there and more than a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_command_that_does_not_end(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """It is killed at its deadline with all that it started, told, and tried within the budget."""
    command = f"/bin/sh -c 'sleep 1000 & echo $! >> {tmp_path}/sleeps; wait'"
    check = f'check service stuck with pidfile "{tmp_path}/stuck.pid", start "{command}"'
    rules = f"{check}, timeout 1s, restarts 2/10m\n  if down then start\n"
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        told = post.told(4)
        shown = agent.say(b"status\n")
        sleeps = [int(pid) for pid in (tmp_path / "sleeps").read_text().split()]

        assert told == [
            "CRITICAL stuck: not running",
            "CRITICAL stuck: repair failed",
            "CRITICAL stuck: repair failed",
            "CRITICAL stuck: repair budget spent",
        ]
        assert (
            agent.lines("RepairFailed.$")
            == ["stuck: start failed: killed after 1 s without an end (RepairFailed)"] * 2
        )
        assert "  repairs paused for 4m5" in shown
        assert [lives(pid) for pid in sleeps] == [False, False]


def test_a_command_that_cannot_be_run(tmp_path: Path, post: Postbox) -> None:
    """A command that is not there is told by its name, and nothing else is harmed."""
    check = f'check service odd with pidfile "{tmp_path}/odd.pid", start "/no/such/command"'
    rules = f"{check}, restarts 1/10m\n  if down then start\n"
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        agent.logged("odd: start failed: cannot run /no/such/command: No such file or directory")

        assert post.told(2) == ["CRITICAL odd: not running", "CRITICAL odd: repair failed"]


def test_a_repair_that_failed_and_then_succeeds(
    tmp_path: Path, workers: Daemons, post: Postbox
) -> None:
    """Who heard that a repair failed hears when one has succeeded."""
    first = f'test -e {tmp_path}/mended || exit 3; exec \\"$@\\"'
    check = workers.check("worker").replace('start "', f"start \"/bin/sh -c '{first}' sh ")
    rules = check + "  if down then start\n"
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        agent.logged("worker: start failed: exit 3")
        (tmp_path / "mended").touch()
        agent.up("worker")

        told = post.told(4)
        assert told[:2] == ["CRITICAL worker: not running", "CRITICAL worker: repair failed"]
        assert sorted(told[-2:]) == [
            "RECOVERED worker: repaired",
            "RECOVERED worker: running again",
        ]


def test_a_death_is_noticed_without_a_cycle(
    tmp_path: Path, workers: Daemons, post: Postbox
) -> None:
    """Where no manager tells, and no cycle looks, the kernel does: a death is mailed at once."""
    pid = workers.run("worker")
    settings = {"cycle_time": "1h"}
    with RunningAgent(tmp_path / "agent", workers.check("worker"), post.send(), settings) as agent:
        agent.up("worker")
        os.kill(pid, signal.SIGKILL)
        agent.logged(f"worker: process {pid} ended")

        assert post.told(1) == ["CRITICAL worker: not running"]


def test_a_restart_by_its_own_command(tmp_path: Path, workers: Daemons) -> None:
    """A service with a PID file is restarted by the command of its check, and has a new process."""
    before = workers.run("worker", "leaky", "64")
    rules = workers.check("worker") + "  if memory:rss > 50m then restart\n"
    with RunningAgent(tmp_path / "agent", rules) as agent:
        after = int(agent.logged(r"worker: restart succeeded, process (\d+)")[1])

        assert before != after == agent.up("worker")


def test_a_service_that_forks(tmp_path: Path, workers: Daemons) -> None:
    """The memory of its children counts in the total, and in the total alone."""
    workers.run("worker", "forking")
    rules = workers.check("worker") + "  if memory:total_rss > 64m then alert\n"
    with RunningAgent(tmp_path / "agent", rules) as agent:
        agent.logged("worker: memory:total_rss > 64m is true")
        worker = agent.service("worker", lambda _: True)

        assert metric_of(worker, "memory:rss")["value"] < 32 << 20
        assert metric_of(worker, "memory:total_rss")["triggered"]


@pytest.mark.systemd
def test_a_service_that_ignores_term(machine: SystemdMachine, units: Units, inside: Path) -> None:
    """systemd kills what does not end; that takes its time, and is one restart."""
    before = units.start("stubborn", f"{exec_start('stubborn')}\nTimeoutStopSec=2s")
    rules = "check service stubborn\n  if memory:rss > 1m then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.service("stubborn", lambda stubborn: stubborn["repair"])
        shown = agent.say(b"status\n")
        after = int(agent.logged(r"stubborn: restart succeeded, process (\d+)")[1])

        assert re.search(r"\n  under repair: restart", shown)
        assert after != before
        assert agent.lines("is not running|another process") == []


def test_an_agent_that_was_stopped_for_a_while(tmp_path: Path, workers: Daemons) -> None:
    """After a pause it says so, judges nothing once, and then sees what has happened meanwhile."""
    before = workers.run("worker")
    rules = workers.check("worker") + "  if down then start\n"
    with RunningAgent(tmp_path / "agent", rules) as agent:
        agent.up("worker")
        agent.signal(signal.SIGSTOP)
        os.kill(before, signal.SIGKILL)
        time.sleep(1.0)  # the pause itself
        agent.signal(signal.SIGCONT)
        agent.logged("the machine was suspended or overloaded: nothing is judged this once")

        agent.up("worker", but=before)
