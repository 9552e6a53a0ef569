"""What rules do beside repairs, by the real agent: commands, signals, and leaving alone."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import psutil
import pytest

from tests.integration.daemons import Daemons
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, leaky

HOST = "check host\n  if memory:available > 1m then "


def quoted(script: str) -> str:
    """A command as a rule has it."""
    text = script.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def test_a_command_of_the_machine(tmp_path: Path) -> None:
    """It knows of the event and of nothing of the agent's, and is logged by its place alone."""
    out = tmp_path / "out"
    script = f'env | grep -v "^PWD=" | sort > {out}.new; mv {out}.new {out}; : secret'
    with RunningAgent(tmp_path / "agent") as agent:
        agent.write("rules", f"{HOST}run {quoted(script)}\n")
        agent.ctl("reload")
        agent.logged(r"host: run \(services.d/rules.inq:2\) succeeded")
        told = dict(line.split("=", 1) for line in out.read_text().splitlines())
        available = float(told.pop("INSPECT_VALUE"))

        assert told == {
            "INSPECT_HOST": "web-1",
            "INSPECT_METRIC": "memory:available",
            "INSPECT_PID": "",
            "INSPECT_PLACE": "services.d/rules.inq:2",
            "INSPECT_RULE": "memory:available > 1m",
            "INSPECT_SERVICE": "",
            "INSPECT_TARGET": "host",
            "LC_ALL": "C",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        }
        assert 1 << 20 < available <= psutil.virtual_memory().total
        assert agent.lines("secret") == []


def test_a_command_that_fails(tmp_path: Path, post: Postbox) -> None:
    """Its last lines are in the letter; the budget of the machine ends it."""
    rules = f"{HOST}run {quoted('echo one; echo two >&2; exit 7')}\n"
    settings = {"cycle_time": "0.2s", "restarts": "2/10m"}
    with RunningAgent(tmp_path / "agent", rules, post.send(), settings) as agent:
        told = post.told(3)
        shown = agent.say(b"status\n")

        assert told == [
            "CRITICAL host: repair failed",
            "CRITICAL host: repair failed",
            "CRITICAL host: repair budget spent",
        ]
        failed = "host: run (services.d/rules.inq:2) failed: exit 7: two (RepairFailed)"
        assert agent.lines("RepairFailed.$") == [failed] * 2
        assert "  repairs paused for 4m5" in shown


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_command_as_another_user(tmp_path: Path) -> None:
    """With that user's home, and no right to what is root's."""
    nobody = pwd.getpwnam("nobody")
    rules = f"{HOST}run {quoted('echo $HOME $(id -u); cat /etc/shadow')} as nobody\n"
    with RunningAgent(tmp_path / "agent", rules) as agent:
        failed = agent.logged(r"host: run \(services.d/rules.inq:2\) failed: exit 1: (.*) \(")
        assert failed[1] == "cat: /etc/shadow: Permission denied"
    rules = f"{HOST}run {quoted('echo $HOME $(id -u); exit 1')} as nobody\n"
    with RunningAgent(tmp_path / "second", rules) as agent:
        failed = agent.logged(r"host: run \(services.d/rules.inq:2\) failed: exit 1: (.*) \(")
        assert failed[1] == f"{nobody.pw_dir} {nobody.pw_uid}"


def test_a_command_outlives_the_agent(tmp_path: Path) -> None:
    """Killed in the middle of it, the next agent does not know how it went, and says so."""
    begun, go_on, ended = (tmp_path / name for name in ("begun", "go_on", "ended"))
    for fifo in (begun, go_on, ended):
        os.mkfifo(fifo)
    rules = f"{HOST}run {quoted(f'echo begun > {begun}; read x < {go_on}; echo $x > {ended}')}\n"
    with RunningAgent(tmp_path / "agent", rules, settings={"restarts": "1/10m"}) as agent:
        assert begun.read_text() == "begun\n"
        agent.kill()
        agent.start()
        step = r"host: run \(services.d/rules.inq:2\)"
        agent.logged(f"{step} was under way when the agent ended; it counts as ended")
        agent.logged(f"{step} refused, BUDGET_SPENT")
        go_on.write_text("on and on\n")

        assert ended.read_text() == "on and on\n"


def test_a_signal_that_kills(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """The right process dies of it, and the list goes on: the start is verified."""
    before = workers.run("worker", "leaky", "64")
    rules = workers.check("worker") + "  if memory:rss > 50m then signal KILL, start\n"
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        agent.logged(f"worker: signal KILL to process {before}")
        after = int(agent.logged(r"worker: start succeeded, process (\d+)")[1])

        assert before != after == agent.up("worker")
        assert agent.lines("is not running|another process|CrashLoop") == []


@pytest.mark.systemd
def test_a_signal_to_what_systemd_restarts(
    machine: SystemdMachine, units: Units, inside: Path
) -> None:
    """It was the rule's wish: neither the loss nor the new process is told."""
    before = units.start("leaky", f"{leaky('64')}\nRestart=always\nRestartSec=0")
    rules = "check service leaky with restarts 1/10m\n  if memory:rss > 50m then signal KILL\n"
    settings = {"cycle_time": "1s"}
    with RunningAgent(inside, rules, settings=settings, place=machine) as agent:
        agent.logged(f"leaky: signal KILL to process {before}")
        agent.up("leaky", but=before)
        agent.logged("refused, BUDGET_SPENT")

        assert agent.lines("is not running|another process|CrashLoop") == []


def test_a_signal_that_is_caught(tmp_path: Path, workers: Daemons) -> None:
    """The process that gives back what it leaked on SIGUSR2 is the same afterwards."""
    before = workers.run("worker", "leaky", "64")
    rules = workers.check("worker") + "  if memory:rss > 50m then signal USR2, alert\n"
    with RunningAgent(tmp_path / "agent", rules) as agent:
        agent.logged("worker: signal USR2 succeeded")
        agent.logged(r"worker: memory:rss > 50m is over")

        assert agent.up("worker") == before


def test_leaving_alone(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """The alert of the rule goes out, and nothing after it, also by the next agent."""
    rules = workers.check("worker") + "  if down for 3 cycles then unmonitor, alert\n"
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        told = post.told(2)
        agent.until(lambda status: status["unmonitored"] == ["worker"] and not status["alerts"])
        agent.restart()
        agent.cycles(5)

        assert told == ["CRITICAL worker: not running", "CRITICAL worker: down for 3 cycles"]
        assert agent.export()["unmonitored"] == ["worker"]
        assert post.rest() == []
