"""The agent over services of a real OpenRC."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.initd_machine import script
from tests.integration.openrc_machine import DAEMON, ONESHOT, RELOADS, SUPERVISED, openrc_machine
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent
from tests.integration.small_machine import SmallMachine

SERVICES = {
    **dict.fromkeys(("web", "large", "left", "stopped", "lost"), DAEMON),
    "reloads": DAEMON + RELOADS,
    "supervised": SUPERVISED,
    "doomed": f"{SUPERVISED}respawn_max=1\nrespawn_period=600\n",
    "fragile": f"{DAEMON}start_pre() {{ test ! -e /run/fragile.not; }}\n",
    "net.eth0": ONESHOT,
}


@pytest.fixture(scope="module")
def machine() -> Iterator[SmallMachine]:
    """A machine that OpenRC runs."""
    with openrc_machine(SERVICES) as booted:
        path = booted.root / "etc/init.d/plain"
        path.write_text(script("plain"))
        path.chmod(0o755)
        yield booted


def rc(machine: SmallMachine, name: str, verb: str) -> str:
    """What an operator does with a service, and what OpenRC says of it then."""
    # a daemon that keeps the pipes of its script would keep them from being at their end
    quiet = 'rc-service -- "$1" "$2" > /dev/null 2>&1; rc-service -- "$1" status'
    ran = machine.ask(["sh", "-c", quiet, "sh", name, verb])
    return (ran.stdout + ran.stderr).strip()


def kill(machine: SmallMachine, pid: int) -> None:
    """Kills a process of the machine."""
    machine.tell("kill", "-KILL", str(pid))


def test_services_are_found(machine: SmallMachine, inside: Path) -> None:
    """Services are OpenRC's by their scripts; plain scripts are init.d's; others are absent."""
    for name in ("web", "net.eth0"):
        assert rc(machine, name, "start") == "* status: started"
    machine.tell("sh", "-c", "/etc/init.d/plain start > /dev/null 2>&1")
    names = ("web", "net.eth0", "plain", "nope", "../init.d/web")
    rules = "".join(f'check service "{name}"\n' for name in names)
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up("web"), agent.up("plain")
        missing, refused = (
            agent.service(name, lambda service: service["state"] == "absent")
            for name in ("nope", "../init.d/web")
        )
        shown = agent.say(b"status\n")

        assert f"\nService: web [Up/{agent.up('web')}] openrc\n" in shown
        assert "\nService: net.eth0 [Up] openrc\n" in shown
        assert f"\nService: plain [Up/{agent.up('plain')}] init.d\n" in shown
        assert missing["reason"] == (
            "openrc: there is no executable nope in"
            " /usr/local/etc/init.d, /etc/init.d, /usr/etc/init.d;"
            " init.d: there is no executable nope in /etc/init.d"
        )
        assert "'../init.d/web' cannot be the name of an init script" in refused["reason"]


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_a_crash_is_told_and_repaired(
    machine: SmallMachine, inside: Path, post: Postbox, verb: str
) -> None:
    """What OpenRC still counts as started is brought back by either verb."""
    rc(machine, "web", "start")
    rules = f"check service web\n  if failed then {verb}\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        before = agent.up("web")
        kill(machine, before)
        agent.logged(f"not running .failed.: started, but process {before} of /run/web.pid is gone")
        after = int(agent.logged(rf"web: {verb} succeeded, process (\d+)")[1])
        agent.logged(f"web is running as process {after}, started by this agent")

        assert before != after == int((machine.root / "run/web.pid").read_text())
        assert rc(machine, "web", "status") == "* status: started"
        assert post.told(2) == ["CRITICAL web: not running", "RECOVERED web: running again"]


def test_a_running_service_is_restarted(machine: SmallMachine, inside: Path) -> None:
    """A restart is verified by its new process, which is no news."""
    rc(machine, "large", "start")
    rules = "check service large with restarts 1/10m\n  if memory:rss > 1k then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("large")
        agent.logged("large: restart: rc-service -- large restart")
        after = int(agent.logged(r"large: restart succeeded, process (\d+)")[1])

        assert before != after == agent.up("large")
        assert agent.lines("another process|not running") == []


def test_a_stop_by_the_operator(machine: SmallMachine, inside: Path) -> None:
    """A service that somebody stopped is down, and no failure to repair."""
    rc(machine, "left", "start")
    rules = "check service left\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up("left")
        assert rc(machine, "left", "stop") == "* status: stopped"
        agent.logged("left is not running .down.: (stopped|stopping)")
        agent.cycles(3)

        left = agent.service("left", lambda _: True)
        assert (left["state"], left["reason"]) == ("down", "stopped")
        assert agent.lines("left: start:") == []


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_a_stopped_service_is_started(machine: SmallMachine, inside: Path, verb: str) -> None:
    """What is down is started where a rule wants that; a restart starts it, too."""
    rc(machine, "stopped", "stop")
    rules = f"check service stopped\n  if down then {verb}\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.logged("stopped is not running .down.: stopped")
        agent.logged(f"stopped: {verb}: rc-service -- stopped {verb}")
        after = agent.logged(rf"stopped: {verb} succeeded, process (\d+)")[1]

        assert int(after) == agent.up("stopped")


def test_supervise_daemon_brings_it_back(machine: SmallMachine, inside: Path) -> None:
    """A crash that supervise-daemon mends is told with who did it, and not repaired."""
    rc(machine, "supervised", "start")
    rules = "check service supervised\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("supervised")
        kill(machine, before)
        told = agent.logged(r"supervised is .*(?:process|now) (\d+), (?:re)?started by (.+):")

        assert (int(told[1]), told[2]) == (agent.up("supervised", but=before), "its manager")
        assert agent.lines("supervised: start:") == []


def test_supervise_daemon_gives_up(machine: SmallMachine, inside: Path) -> None:
    """What it has brought back too often has failed, and is started by whoever watches."""
    rc(machine, "doomed", "start")
    rules = "check service doomed\n  if failed for 2 cycles then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        first = agent.up("doomed")
        kill(machine, first)
        second = agent.up("doomed", but=first)
        kill(machine, second)
        agent.logged("doomed: failed for 2 cycles is true")
        agent.logged(r"doomed: start succeeded, process \d+")

        assert agent.up("doomed") not in (first, second)


def test_a_repair_that_fails(machine: SmallMachine, inside: Path, post: Postbox) -> None:
    """A start that fails is told in OpenRC's words; the service stays failed, and is tried anew."""
    rc(machine, "fragile", "start")
    rules = "check service fragile with restarts 2/10m\n  if failed then restart\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        pid = agent.up("fragile")
        (machine.root / "run/fragile.not").touch()
        kill(machine, pid)
        agent.logged("fragile: restart failed: exit 1: .*ERROR: fragile failed to start")
        agent.service("fragile", lambda s: s["reason"] == "stopped: it was to start, and did not")

        assert post.told(4) == [
            "CRITICAL fragile: not running",
            "CRITICAL fragile: repair failed",
            "CRITICAL fragile: repair failed",
            "CRITICAL fragile: repair budget spent",
        ]
        assert agent.service("fragile", lambda _: True)["state"] == "failed"
        assert rc(machine, "fragile", "status") == "* status: stopped"


def test_reload(machine: SmallMachine, inside: Path) -> None:
    """A reload keeps the process; where the script has none, it fails in OpenRC's words."""
    rc(machine, "reloads", "start")
    rc(machine, "web", "start")
    rules = "check service reloads\n  if memory:rss > 1k then reload\n"
    rules += "check service web with restarts 1/10m\n  if memory:rss > 1k then reload\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        pid = agent.up("reloads")
        agent.service("reloads", lambda _: agent.lines("reloads: reload succeeded"))
        agent.service(
            "web", lambda _: agent.lines("web: reload failed: exit 1: .*unknown function")
        )

        assert (machine.root / "run/reloads.reloaded").exists()
        assert agent.up("reloads") == pid


def test_openrc_gone_from_under_the_agent(machine: SmallMachine, inside: Path) -> None:
    """Without OpenRC's records a service is unknown, and all heals when they are back."""
    rc(machine, "lost", "start")
    rc(machine, "web", "start")
    rules = "check service lost\n  if failed then start\ncheck service web\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before, other = agent.up("lost"), agent.up("web")
        machine.tell("mv", "/run/openrc", "/run/openrc.away")
        kill(machine, before)
        lost = agent.service("lost", lambda lost: not lost["answers"] or lost["state"] == "down")
        agent.cycles(3)
        machine.tell("mv", "/run/openrc.away", "/run/openrc")
        after = agent.up("lost", but=before)

        assert "there is no /run/openrc/softlevel: OpenRC is in no runlevel" in lost["reason"]
        assert after == int((machine.root / "run/lost.pid").read_text())
        assert agent.up("web") == other
