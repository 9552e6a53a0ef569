"""The agent over services of a real s6."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspect_agent.managers.s6 import S6
from tests.integration.components import need
from tests.integration.running import RunningAgent
from tests.integration.scandirs import SLEEP, VISIBLE, leaky, until, written
from tests.integration.small_machine import SmallMachine

PLACE = "/run/service"
SVSCAN = ("s6-svscan", PLACE)
SERVICES = {
    **{
        name: {"run": SLEEP}
        for name in ("web", "a b", "killed", "left", "started", "restarted", "orphan", "other")
    },
    "finishing": {"run": SLEEP, "finish": "#!/bin/sh\nread line < ./go\n"},
    "given-up": {"run": SLEEP, "finish": "#!/bin/sh\nexit 125\n"},
    "leaky": {"run": leaky("64")},
    "stubborn": {"run": "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1000; done\n"},
    "reloads": {"run": "#!/bin/sh\ntrap '> ./done' HUP\nwhile :; do sleep 0.05; done\n"},
    "broken": {"run": "#!/bin/sh\nexit 7\n"},
}


@pytest.fixture(scope="module")
def machine() -> Iterator[SmallMachine]:
    """A machine that s6 runs, with its services supervised."""
    need("namespaces")
    need("s6")
    script = f"{written(PLACE, SERVICES)}\nmkfifo {PLACE}/finishing/go"
    with SmallMachine(SVSCAN, script, VISIBLE) as booted:
        until(lambda: S6(str(booted.root)).loaded(), lambda names: len(names) == len(SERVICES))
        yield booted


def pid(machine: SmallMachine, name: str) -> int:
    """The process that s6-svstat tells, -1 where there is none."""
    return int(machine.tell("s6-svstat", "-o", "pid", f"{PLACE}/{name}"))


def kill(machine: SmallMachine, pid: int) -> None:
    """Kills a process of the machine."""
    machine.tell("kill", "-KILL", str(pid))


def test_services_are_found(machine: SmallMachine, inside: Path) -> None:
    """Services are watched by their folder's names; what is none is absent, and nothing is run."""
    rules = 'check service web\ncheck service "a b"\ncheck service "../service/web"\n'
    rules += 'check service "--help" with manager s6\n'
    with RunningAgent(inside, rules, place=machine) as agent:
        pids = [agent.up(name) for name in ("web", "a b")]
        refused, missing = (
            agent.service(name, lambda service: service["state"] == "absent")
            for name in ("../service/web", "--help")
        )

        assert pids == [pid(machine, "web"), pid(machine, "a b")]
        assert f"\nService: web [Up/{pids[0]}] s6\n" in agent.say(b"status\n")
        assert "s6: '../service/web' cannot be the name of a service" in refused["reason"]
        assert missing["reason"] == f"s6: no folder '--help' in {PLACE}"


def test_a_crash_is_told_with_who_brought_it_back(machine: SmallMachine, inside: Path) -> None:
    """s6 brings back what was killed, and nobody else does."""
    rules = "check service killed\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("killed")
        kill(machine, before)
        # within a second of its start s6-supervise waits for the rest of that second
        again = r"(another process now: \d+, now|running as process) (\d+), (re)?started by (.+):"
        told = agent.logged(f"killed is {again}")

        assert (int(told[2]), told[4]) == (agent.up("killed", but=before), "its manager")
        assert agent.lines("start:") == []


def test_a_crash_that_is_cleaned_up_after(machine: SmallMachine, inside: Path) -> None:
    """While its finish script runs the service has failed; its manager is waited for."""
    rules = "check service finishing\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("finishing")
        kill(machine, before)
        agent.logged(r"finishing is not running .starting.: down .signal SIGKILL., .*want up")
        agent.logged("finishing: failed is true")
        agent.logged("start finishing refused, MANAGER_IS_RESTARTING")
        (machine.root / PLACE[1:] / "finishing/go").write_text("\n")
        agent.logged(r"finishing is running as process \d+, started by its manager")

        assert agent.up("finishing") != before
        assert agent.lines("start:") == []


def test_a_service_that_its_finish_script_gives_up(machine: SmallMachine, inside: Path) -> None:
    """It has failed, unlike one that was stopped, and is started again."""
    rules = "check service given-up\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("given-up")
        kill(machine, before)
        words = "down .signal SIGKILL., normally up, ready; stopped, or given up by its finish"
        agent.logged(f"given-up: failed .{words}")
        after = int(agent.logged(r"given-up: start succeeded, process (\d+)")[1])

        assert before != after == pid(machine, "given-up")


def test_a_restart_loop(machine: SmallMachine, inside: Path) -> None:
    """A service that ends at once, each time, is in its manager's hands, and never stopped."""
    rules = "check service broken\n  if failed for 2 cycles then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.logged("broken: failed for 2 cycles is true")
        agent.logged("restart broken refused, MANAGER_IS_RESTARTING")
        assert agent.lines("restart:") == []


def test_stopped_by_the_operator(machine: SmallMachine, inside: Path) -> None:
    """A service that somebody stopped is down, and no failure to repair."""
    rules = "check service left\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up("left")
        machine.tell("s6-svc", "-d", f"{PLACE}/left")
        ready = "down (signal SIGTERM), normally up, ready"
        left = agent.service("left", lambda left: left["reason"] == ready)
        agent.cycles(3)

        assert left["state"] == "down"
        assert agent.lines("start:") == []


@pytest.mark.parametrize(
    ("verb", "name", "command"),
    [("start", "started", "-wU -u"), ("restart", "restarted", "-wR -ru")],
)
def test_a_stopped_service_is_repaired(
    machine: SmallMachine, inside: Path, verb: str, name: str, command: str
) -> None:
    """What is down is started where a rule wants that; a restart starts it, too."""
    rules = f"check service {name}\n  if down then {verb}\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up(name)
        machine.tell("s6-svc", "-d", f"{PLACE}/{name}")
        agent.logged(f"{name}: {verb}: s6-svc -T 29500 {command} {PLACE}/{name}")
        after = agent.logged(rf"{name}: {verb} succeeded, process (\d+)")[1]
        agent.logged(f"{name} is running as process {after}, started by this agent")

        assert int(after) == pid(machine, name)


def test_a_running_service_is_restarted(machine: SmallMachine, inside: Path) -> None:
    """A service that is too large is restarted, and its new process is no news."""
    rules = "check service leaky with restarts 1/10m\n  if memory:rss > 50m then restart\n"
    before = pid(machine, "leaky")
    with RunningAgent(inside, rules, place=machine) as agent:
        after = int(agent.logged(r"leaky: restart succeeded, process (\d+)")[1])

        assert before != after == agent.up("leaky") == pid(machine, "leaky")
        assert len(agent.lines("restart:")) == 1
        assert agent.lines("another process|not running") == []


def test_a_restart_that_takes_too_long(machine: SmallMachine, inside: Path) -> None:
    """It is told in the words of s6-svc, which gives up before it would be killed."""
    rules = "check service stubborn with timeout 1s, restarts 1/10m\n"
    rules += "  if memory:rss > 1k then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("stubborn")
        told = agent.logged(r"stubborn: restart failed: (.*) \(RepairFailed\)")[1]

        assert told.endswith("s6-svlisten1: fatal: timed out")
        assert agent.up("stubborn") == before


def test_reload_keeps_the_process(machine: SmallMachine, inside: Path) -> None:
    """`then reload` is a HUP."""
    rules = "check service reloads\n  if memory:rss > 1k then reload\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("reloads")
        agent.logged("reloads: reload succeeded")
        until(lambda: machine.root / PLACE[1:] / "reloads/done", os.path.exists)

        assert agent.up("reloads") == before


def test_an_s6_supervise_that_dies(machine: SmallMachine, inside: Path) -> None:
    """Its service is unknown, the others are not; with the next one all is well again."""
    rules = "check service orphan\n  if failed then start\ncheck service other\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before, other = agent.up("orphan"), agent.up("other")
        supervise = machine.tell("ps", "-o", "ppid=", "-p", str(before)).strip()
        os.kill(machine.pid, signal.SIGSTOP)
        kill(machine, int(supervise))
        kill(machine, before)
        orphan = agent.service("orphan", lambda orphan: not orphan["answers"])
        kill(machine, other)
        after = agent.up("other", but=other)
        os.kill(machine.pid, signal.SIGCONT)

        assert orphan["reason"].startswith("s6: s6-svstat: fatal: ")
        assert orphan["reason"].endswith(f"{PLACE}/orphan: s6-supervise not running")
        assert agent.up("orphan", but=before) != before
        assert agent.up("other") == after
        assert agent.lines("start:") == []


def test_an_s6_svscan_that_ends_and_comes_back(inside: Path) -> None:
    """With all of s6 gone nobody knows its services; when it is back all is well again."""
    need("namespaces")
    need("s6")
    script, rules = (
        written(PLACE, {"web": {"run": SLEEP}}),
        "check service web\n  if failed then start\n",
    )
    with SmallMachine(["tini", "sleep", "1000"], script, VISIBLE) as machine:
        first = machine.popen(SVSCAN)
        with RunningAgent(inside, rules, place=machine) as agent:
            before = agent.up("web")
            machine.signal(first, signal.SIGTERM)
            lost = agent.service("web", lambda web: not web["answers"])
            agent.cycles(3)
            again = machine.popen(SVSCAN)
            after = agent.up("web", but=before)

            assert lost["reason"].endswith(f"{PLACE}/web: s6-supervise not running")
            assert after == pid(machine, "web")
            assert agent.lines("start:") == []
    first.wait(), again.wait()
