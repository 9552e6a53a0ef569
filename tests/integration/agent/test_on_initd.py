"""The agent over init scripts: redis-server's own, and such as do what many do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.initd_machine import REDIS, REDIS_CONF, REDIS_PID, initd_machine, script
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent
from tests.integration.small_machine import SmallMachine

LATE = "(read go < /run/late.go; setsid sleep 1000 & echo $! > $PIDFILE) > /dev/null 2>&1 &"
SCRIPTS = {
    **{name: script(name) for name in ("web", "stopped", "deployed", "reloads", "away")},
    "late": script("late", LATE),
    "quiet": "#!/bin/sh\n",
    "broken": script("broken", "echo it is broken >&2; exit 7"),
}


@pytest.fixture(scope="module")
def machine() -> Iterator[SmallMachine]:
    """A machine with init scripts."""
    with initd_machine(SCRIPTS) as booted:
        booted.tell("mkfifo", "/run/late.go")
        yield booted


def run(machine: SmallMachine, name: str, verb: str) -> None:
    """What an operator does, who waits for nothing more."""
    # a daemon that keeps the pipes of its script would keep them from being at their end
    machine.tell("sh", "-c", '"/etc/init.d/$1" "$2" > /dev/null 2>&1', "sh", name, verb)


@contextmanager
def spoilt(machine: SmallMachine) -> Iterator[None]:
    """A configuration that redis-server does not start with."""
    conf = machine.root / "etc/redis/redis.conf"
    conf.write_text("garbage\n")
    try:
        yield
    finally:
        conf.write_text(REDIS_CONF)


def test_a_crash_is_told_and_repaired(machine: SmallMachine, inside: Path, post: Postbox) -> None:
    """redis-server is found by its script, and started again when it was killed."""
    run(machine, REDIS, "start")
    rules = f"check service {REDIS}\n  if failed then start\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        before = agent.up(REDIS)
        shown = agent.say(b"status\n")
        machine.tell("kill", "-KILL", str(before))
        agent.logged(f"not running .failed.: process {before} of /{REDIS_PID} is gone")
        agent.logged(f"{REDIS}: start: /etc/init.d/{REDIS} start")
        after = int(agent.logged(rf"{REDIS}: start succeeded, process (\d+)")[1])
        agent.logged(f"{REDIS} is running as process {after}, started by this agent")

        assert before != after == int((machine.root / REDIS_PID).read_text())
        assert f"Service: {REDIS} [Up/{before}] init.d\n" in shown
        assert post.told(2) == [
            f"CRITICAL {REDIS}: not running",
            f"RECOVERED {REDIS}: running again",
        ]


def test_a_running_service_is_restarted(machine: SmallMachine, inside: Path) -> None:
    """A restart is verified by its new process, which is no news."""
    run(machine, REDIS, "start")
    rules = f"check service {REDIS} with restarts 1/10m\n  if memory:rss > 1k then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up(REDIS)
        after = int(agent.logged(rf"{REDIS}: restart succeeded, process (\d+)")[1])

        assert before != after == agent.up(REDIS)
        assert agent.lines("another process|not running") == []


def test_a_stopped_service_is_restarted(machine: SmallMachine, inside: Path) -> None:
    """A restart starts what was stopped before the agent came."""
    run(machine, "web", "stop")
    rules = "check service web\n  if down then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.logged("web is not running .down.: stopped or crashed: no PID in /run/web.pid")
        agent.logged(r"web: restart succeeded, process (\d+)")

        assert agent.up("web") == int((machine.root / "run/web.pid").read_text())


def test_a_start_that_ends_well_and_starts_nothing(
    machine: SmallMachine, inside: Path, post: Postbox
) -> None:
    """redis-server's script says `failed` and ends with 0: the service itself tells the truth."""
    run(machine, REDIS, "stop")
    rules = f"check service {REDIS} with timeout 2s, restarts 1/10m\n  if down then start\n"
    with spoilt(machine), RunningAgent(inside, rules, post.send(), place=machine) as agent:
        told = agent.logged(rf"{REDIS}: start failed: (.*) \(RepairFailed\)")[1]

        assert told == (
            "not up with a new process: it is down (stopped or crashed: its status action says:"
            " redis-server is not running ... failed!)"
        )
        assert post.told(2) == [
            f"CRITICAL {REDIS}: not running",
            f"CRITICAL {REDIS}: repair failed",
        ]


def test_a_stop_by_the_operator_cannot_be_told_from_a_crash(
    machine: SmallMachine, inside: Path
) -> None:
    """What nobody asked this agent for has failed, and its reason says that nobody can tell."""
    run(machine, "stopped", "start")
    rules = "check service stopped\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("stopped")
        run(machine, "stopped", "stop")
        agent.logged("not running .failed.: stopped or crashed: no PID in /run/stopped.pid")

        assert agent.up("stopped", but=before) != before


def test_a_stop_within_a_deploy_is_none(machine: SmallMachine, inside: Path) -> None:
    """An end that a deploy asked for is down, and not repaired as a failure when that is over."""
    run(machine, "deployed", "start")
    rules = "check service deployed\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up("deployed")
        agent.ask("start deploy", "deployed")
        run(machine, "deployed", "stop")
        agent.logged(r"deployed: process \d+ ended")
        agent.ask("finish deploy", "deployed")
        agent.logged("deployed is not running .down.")
        agent.cycles(3)

        assert agent.service("deployed", lambda _: True)["state"] == "down"
        assert agent.lines("deployed: start:") == []


def test_a_pid_file_that_appears_late(machine: SmallMachine, inside: Path, post: Postbox) -> None:
    """A script may end long before its daemon has a PID file: its absence is told once."""
    rules = "check service late\n  if down then start\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        agent.logged("late: start: /etc/init.d/late start")
        agent.service("late", lambda late: late["repair"] == "start, verifying")
        agent.cycles(3)
        (machine.root / "run/late.go").write_text("\n")
        pid = int(agent.logged(r"late: start succeeded, process (\d+)")[1])

        assert pid == int((machine.root / "run/late.pid").read_text())
        assert len(agent.lines("late: start:")) == 1
        assert post.told(2) == ["CRITICAL late: not running", "RECOVERED late: running again"]


def test_reload(machine: SmallMachine, inside: Path) -> None:
    """A reload keeps the process; where the script has none, it fails in the script's words."""
    run(machine, "reloads", "start")
    run(machine, REDIS, "start")
    rules = "check service reloads\n  if memory:rss > 1k then reload\n"
    rules += f"check service {REDIS} with restarts 1/10m\n  if memory:rss > 1k then reload\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        pid = agent.up("reloads")
        agent.service("reloads", lambda _: agent.lines("reloads: reload succeeded"))
        agent.service(REDIS, lambda _: agent.lines(f"{REDIS}: reload failed: exit 1: Usage: "))

        assert (machine.root / "run/reloads.reloaded").exists()
        assert agent.up("reloads") == pid


def test_services_that_are_none(machine: SmallMachine, inside: Path) -> None:
    """What has no script, or only half a name, is absent with the reason; nothing is run for it."""
    rules = 'check service nope\ncheck service "../init.d/web"\n  if down then start\n'
    rules += "check service quiet\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        seen = {
            name: agent.service(name, lambda service: service["reason"] != "not asked yet")
            for name in ("nope", "../init.d/web", "quiet")
        }
        agent.logged("start failed: no manager has a command for it")

        assert "init.d: there is no executable nope in /etc/init.d" in seen["nope"]["reason"]
        assert "init.d: '../init.d/web' cannot be the name" in seen["../init.d/web"]["reason"]
        assert "/etc/init.d/quiet names no PID file and has no status" in seen["quiet"]["reason"]


def test_a_start_that_is_refused(machine: SmallMachine, inside: Path) -> None:
    """A script that fails is told with its last words."""
    rules = "check service broken with restarts 1/10m\n  if down then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.logged("broken: start failed: exit 7: it is broken")


def test_a_script_that_goes_and_comes_back(machine: SmallMachine, inside: Path) -> None:
    """Without its script a death is told, and nothing can be run; with it all heals."""
    run(machine, "away", "start")
    rules = "check service away with restarts 1000/10m\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("away")
        machine.tell("mv", "/etc/init.d/away", "/run/away.script")
        machine.tell("kill", "-KILL", str(before))
        agent.logged("away is not running .absent.: .*init.d: there is no executable away")
        agent.logged("away: start failed: no manager has a command for it")
        machine.tell("mv", "/run/away.script", "/etc/init.d/away")

        assert agent.up("away", but=before) == int((machine.root / "run/away.pid").read_text())


def test_a_crash_whose_repair_fails_stays_a_failure(machine: SmallMachine, inside: Path) -> None:
    """The script cannot tell why redis does not run; that nothing has recovered is plain."""
    run(machine, REDIS, "start")
    rules = f"check service {REDIS} with timeout 3s, restarts 2/10m\n  if failed then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        pid = agent.up(REDIS)
        with spoilt(machine):
            machine.tell("kill", "-KILL", str(pid))
            for _ in range(2):
                agent.logged(f"{REDIS}: restart failed")
                assert agent.service(REDIS, lambda redis: redis["pid"] is None)["state"] == "failed"


def test_a_restart_that_does_not_bring_it_back(machine: SmallMachine, inside: Path) -> None:
    """What it stopped was not meant to stay so."""
    run(machine, REDIS, "start")
    rules = f"check service {REDIS} with timeout 3s, restarts 1/10m\n"
    rules += "  if memory:rss > 1k then restart\n"
    with spoilt(machine), RunningAgent(inside, rules, place=machine) as agent:
        agent.up(REDIS)
        agent.logged(f"{REDIS}: restart failed")
        agent.cycles(2)
        assert agent.service(REDIS, lambda redis: redis["pid"] is None)["state"] == "failed"
