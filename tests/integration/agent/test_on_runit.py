"""The agent over services of a real runit."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspect_agent.managers.runit import Runit
from inspect_agent.model.observation import Observation
from tests.integration.components import need
from tests.integration.running import RunningAgent
from tests.integration.scandirs import SLEEP, VISIBLE, leaky, until, written
from tests.integration.small_machine import SmallMachine
from tests.managers.builders import check

PLACE = "/etc/service"
SERVICES = {
    **{
        name: {"run": SLEEP}
        for name in (
            *("web", "a b", "killed", "left", "started", "restarted", "orphan", "other"),
            *("worker@1", "worker@2"),
        )
    },
    "finishing": {"run": SLEEP, "finish": "#!/bin/sh\nread line < ./go\n"},
    "leaky": {"run": leaky("64")},
    "stubborn": {"run": "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1000; done\n"},
    "reloads": {"run": "#!/bin/sh\ntrap '> ./done' HUP\nwhile :; do sleep 0.05; done\n"},
    "broken": {"run": "#!/no/such/shell\n"},
}


@pytest.fixture(scope="module")
def machine() -> Iterator[SmallMachine]:
    """A machine that runit runs, with its services supervised."""
    need("namespaces")
    need("runit")
    script = f"rm -r {PLACE}\n{written(PLACE, SERVICES)}\nmkfifo {PLACE}/finishing/go"
    with SmallMachine(["runsvdir", "-P", PLACE], script, VISIBLE) as booted:
        until(lambda: Runit(str(booted.root)).loaded(), lambda names: len(names) == len(SERVICES))
        yield booted


def sv(machine: SmallMachine, word: str, name: str) -> str:
    """What sv says."""
    return machine.tell("sv", word, f"{PLACE}/{name}")


def look(machine: SmallMachine, name: str) -> Observation:
    """Where a service is."""
    return Runit(str(machine.root)).look([check(name)])[name]


def kill(machine: SmallMachine, pid: int) -> None:
    """Kills a process of the machine."""
    machine.tell("kill", "-KILL", str(pid))


def test_services_are_found(machine: SmallMachine, inside: Path) -> None:
    """Services are watched by their folder's names; what is none is absent, and nothing is run."""
    rules = 'check service web\ncheck service "a b"\ncheck service "../service/web"\n'
    rules += 'check service "--help" with manager runit\n'
    with RunningAgent(inside, rules, place=machine) as agent:
        pids = [agent.up(name) for name in ("web", "a b")]
        refused, missing = (
            agent.service(name, lambda service: service["state"] == "absent")
            for name in ("../service/web", "--help")
        )

        assert f"(pid {pids[0]})" in sv(machine, "status", "web")
        assert f"(pid {pids[1]})" in sv(machine, "status", "a b")
        assert f"\nService: web [Up/{pids[0]}] runit\n" in agent.say(b"status\n")
        assert "runit: '../service/web' cannot be the name of a service" in refused["reason"]
        assert missing["reason"] == f"runit: no folder '--help' in {PLACE}"


def test_instances_are_folders(machine: SmallMachine, inside: Path) -> None:
    """One check stands for all folders of a template's name."""
    with RunningAgent(inside, "check service worker@*\n", place=machine) as agent:
        pids = {name: agent.up(name) for name in ("worker@1", "worker@2")}

        assert pids == {name: look(machine, name).pid for name in pids}


def test_a_crash_is_told_with_who_brought_it_back(machine: SmallMachine, inside: Path) -> None:
    """runit brings back what was killed, and nobody else does."""
    rules = "check service killed\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("killed")
        kill(machine, before)
        # within a second of its start runsv takes the rest of that second
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
        agent.logged("finishing is not running .starting.: ")
        agent.logged("finishing: failed is true")
        agent.logged("start finishing refused, MANAGER_IS_RESTARTING")
        (machine.root / PLACE[1:] / "finishing/go").write_text("\n")
        agent.logged(r"finishing is running as process \d+, started by its manager")

        assert agent.up("finishing") != before
        assert agent.lines("start:") == []


def test_a_restart_loop(machine: SmallMachine, inside: Path) -> None:
    """A service whose run script cannot be run has failed, and is left to its manager."""
    rules = "check service broken\n  if failed then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.logged("broken: failed is true")
        agent.logged("restart broken refused, MANAGER_IS_RESTARTING")
        assert agent.lines("restart:") == []


def test_stopped_by_the_operator(machine: SmallMachine, inside: Path) -> None:
    """A service that somebody stopped is down, and no failure to repair."""
    rules = "check service left\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up("left")
        sv(machine, "down", "left")
        left = agent.service("left", lambda left: left["state"] == "down")
        agent.cycles(3)

        assert left["reason"] == "down, normally up"
        assert agent.lines("start:") == []


@pytest.mark.parametrize(("verb", "name"), [("start", "started"), ("restart", "restarted")])
def test_a_stopped_service_is_repaired(
    machine: SmallMachine, inside: Path, verb: str, name: str
) -> None:
    """What is down is started where a rule wants that; a restart starts it, too."""
    rules = f"check service {name}\n  if down then {verb}\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up(name)
        sv(machine, "down", name)
        agent.logged(f"{name}: {verb}: sv -w 29 {verb} {PLACE}/{name}")
        after = agent.logged(rf"{name}: {verb} succeeded, process (\d+)")[1]
        agent.logged(f"{name} is running as process {after}, started by this agent")

        assert f"(pid {after})" in sv(machine, "status", name)


def test_a_running_service_is_restarted(machine: SmallMachine, inside: Path) -> None:
    """A service that is too large is restarted, and its new process is no news."""
    rules = "check service leaky with restarts 1/10m\n  if memory:rss > 50m then restart\n"
    before = until(lambda: look(machine, "leaky").pid, lambda pid: pid)
    with RunningAgent(inside, rules, place=machine) as agent:
        after = int(agent.logged(r"leaky: restart succeeded, process (\d+)")[1])

        assert before != after == agent.up("leaky") == look(machine, "leaky").pid
        assert len(agent.lines("restart:")) == 1
        assert agent.lines("another process|not running") == []


def test_a_restart_that_takes_too_long(machine: SmallMachine, inside: Path) -> None:
    """It is told in the words of sv, which gives up before it would be killed."""
    rules = "check service stubborn with timeout 1s, restarts 1/10m\n"
    rules += "  if memory:rss > 1k then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        pid = agent.up("stubborn")
        told = agent.logged(r"stubborn: restart failed: (.*) \(RepairFailed\)")[1]

        assert told.startswith(f"exit 1: timeout: run: {PLACE}/stubborn: (pid {pid}) ")
        assert told.endswith("got TERM")
        assert agent.up("stubborn") == pid


def test_reload_keeps_the_process(machine: SmallMachine, inside: Path) -> None:
    """`then reload` is a HUP."""
    rules = "check service reloads\n  if memory:rss > 1k then reload\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        pid = agent.up("reloads")
        agent.logged("reloads: reload succeeded")
        until(lambda: machine.root / PLACE[1:] / "reloads/done", os.path.exists)

        assert agent.up("reloads") == pid


def test_a_runsv_that_dies(machine: SmallMachine, inside: Path) -> None:
    """Its service is unknown, the others are not; with the next runsv all is well again."""
    rules = "check service orphan\n  if failed then start\ncheck service other\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before, other = agent.up("orphan"), agent.up("other")
        runsv = machine.tell("ps", "-o", "ppid=", "-p", str(before)).strip()
        os.kill(machine.pid, signal.SIGSTOP)
        kill(machine, int(runsv))
        kill(machine, before)
        orphan = agent.service("orphan", lambda orphan: not orphan["answers"])
        kill(machine, other)
        after = agent.up("other", but=other)
        os.kill(machine.pid, signal.SIGCONT)

        assert orphan["reason"] == (
            f"runit: no runsv supervises {PLACE}/orphan (nobody reads supervise/ok)"
        )
        assert agent.up("orphan", but=before) != before
        assert agent.up("other") == after
        assert agent.lines("start:") == []


def test_a_runsvdir_that_ends_and_comes_back(inside: Path) -> None:
    """With all of runit gone nobody knows its services; when it is back all is well again."""
    need("namespaces")
    need("runit")
    runsvdir, rules = ["runsvdir", "-P", PLACE], "check service web\n  if failed then start\n"
    script = f"rm -r {PLACE}\n{written(PLACE, {'web': {'run': SLEEP}})}"
    with SmallMachine(["tini", "sleep", "1000"], script, VISIBLE) as machine:
        first = machine.popen(runsvdir)
        with RunningAgent(inside, rules, place=machine) as agent:
            before = agent.up("web")
            machine.signal(first, signal.SIGHUP)
            lost = agent.service("web", lambda web: not web["answers"])
            agent.cycles(3)
            again = machine.popen(runsvdir)
            after = agent.up("web", but=before)

            assert lost["reason"] == (
                f"runit: no runsv supervises {PLACE}/web (nobody reads supervise/ok)"
            )
            assert after == look(machine, "web").pid
            assert agent.lines("start:") == []
    first.wait(), again.wait()
