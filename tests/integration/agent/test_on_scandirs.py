"""The agent over folders of services, once with a real runit, once with a real s6."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.running import RunningAgent
from tests.integration.scandir_machine import SUPERVISORS, ScandirMachine, scandir_machine
from tests.integration.scandirs import (
    RELOADS,
    SLEEP,
    STUBBORN,
    UNTIL_TOLD,
    leaky,
    sleeping,
    until,
)

SERVICES = {
    **sleeping("web", "a b", "killed", "left", "started", "restarted", "orphan", "other"),
    "finishing": {"run": SLEEP, "finish": UNTIL_TOLD},
    "leaky": {"run": leaky("64")},
    "stubborn": {"run": STUBBORN},
    "reloads": {"run": RELOADS},
}


class Words(NamedTuple):
    """What the agent says of a supervisor's services.

    finishing  a pattern of why one does not run whose finish script runs after a crash; "" is any
    stopped    why one does not run that was stopped, from the first reason to the last
    commands   its commands by their verbs, up to the service's folder
    gave_up    a pattern of why one could not be restarted that ignores SIGTERM; {} is its PID
    """

    finishing: str
    stopped: tuple[str, ...]
    commands: Mapping[str, str]
    gave_up: str


WORDS = {
    "runit": Words(
        finishing="",
        stopped=("down, normally up",),
        commands={"start": "sv -w 29 start", "restart": "sv -w 29 restart"},
        gave_up=r"exit 1: timeout: run: /etc/service/stubborn: \(pid {}\) .*got TERM",
    ),
    "s6": Words(
        finishing="down .signal SIGKILL., .*want up",
        stopped=(
            "down (signal SIGTERM), normally up",
            "down (signal SIGTERM), normally up, ready",
        ),
        commands={"start": "s6-svc -T 29500 -wU -u", "restart": "s6-svc -T 29500 -wR -ru"},
        gave_up=".*s6-svlisten1: fatal: timed out",
    ),
}


@pytest.fixture(scope="module", params=SUPERVISORS, ids=lambda by: by.name)
def machine(request: pytest.FixtureRequest) -> Iterator[ScandirMachine]:
    """A machine that runit or s6 runs, with its services supervised."""
    pipe = f"mkfifo {request.param.place}/finishing/go"
    with scandir_machine(request.param, SERVICES, pipe) as booted:
        yield booted


@pytest.fixture
def words(machine: ScandirMachine) -> Words:
    """What the agent says there."""
    return WORDS[machine.by.name]


def test_services_are_found(machine: ScandirMachine, inside: Path) -> None:
    """Services are watched by their folder's names; what is none is absent, and nothing is run."""
    manager = machine.by.name
    rules = 'check service web\ncheck service "a b"\ncheck service "../service/web"\n'
    rules += f'check service "--help" with manager {manager}\n'
    with RunningAgent(inside, rules, place=machine) as agent:
        pids = [agent.up(name) for name in ("web", "a b")]
        refused, missing = (
            agent.service(name, lambda service: service["state"] == "absent")
            for name in ("../service/web", "--help")
        )

        assert pids == [machine.pid_of("web"), machine.pid_of("a b")]
        assert f"\nService: web [Up/{pids[0]}] {manager}\n" in agent.say(b"status\n")
        assert f"{manager}: '../service/web' cannot be the name of a service" in refused["reason"]
        assert missing["reason"] == f"{manager}: no folder '--help' in {machine.by.place}"


def test_a_crash_is_told_with_who_brought_it_back(machine: ScandirMachine, inside: Path) -> None:
    """The manager brings back what was killed, and nobody else does."""
    rules = "check service killed\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("killed")
        machine.kill(before)
        # within a second of its start runsv and s6-supervise wait for the rest of that second
        again = r"(another process now: \d+, now|running as process) (\d+), (re)?started by (.+):"
        told = agent.logged(f"killed is {again}")

        assert (int(told[2]), told[4]) == (agent.up("killed", but=before), "its manager")
        assert agent.lines("start:") == []


def test_a_crash_that_is_cleaned_up_after(
    machine: ScandirMachine, words: Words, inside: Path
) -> None:
    """While its finish script runs the service has failed; its manager is waited for."""
    rules = "check service finishing\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("finishing")
        machine.kill(before)
        agent.logged(f"finishing is not running .starting.: {words.finishing}")
        agent.logged("finishing: failed is true")
        agent.logged("start finishing refused, MANAGER_IS_RESTARTING")
        (machine.folder("finishing") / "go").write_text("\n")
        agent.logged(r"finishing is running as process \d+, started by its manager")

        assert agent.up("finishing") != before
        assert agent.lines("start:") == []


def test_stopped_by_the_operator(machine: ScandirMachine, words: Words, inside: Path) -> None:
    """A service that somebody stopped is down, and no failure to repair."""
    rules = "check service left\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up("left")
        machine.down("left")
        first = agent.service("left", lambda left: left["state"] == "down")
        last = agent.service("left", lambda left: left["reason"] == words.stopped[-1])
        agent.cycles(3)

        assert first["reason"] in words.stopped
        assert last["state"] == "down"
        assert agent.lines("start:") == []


@pytest.mark.parametrize(("verb", "name"), [("start", "started"), ("restart", "restarted")])
def test_a_stopped_service_is_repaired(
    machine: ScandirMachine, words: Words, inside: Path, verb: str, name: str
) -> None:
    """What is down is started where a rule wants that; a restart starts it, too."""
    rules = f"check service {name}\n  if down then {verb}\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up(name)
        machine.down(name)
        agent.logged(f"{name}: {verb}: {words.commands[verb]} {machine.by.place}/{name}")
        after = agent.logged(rf"{name}: {verb} succeeded, process (\d+)")[1]
        agent.logged(f"{name} is running as process {after}, started by this agent")

        assert int(after) == machine.pid_of(name)


def test_a_running_service_is_restarted(machine: ScandirMachine, inside: Path) -> None:
    """A service that is too large is restarted, and its new process is no news."""
    rules = "check service leaky with restarts 1/10m\n  if memory:rss > 50m then restart\n"
    before = until(lambda: machine.pid_of("leaky"), lambda pid: pid)
    with RunningAgent(inside, rules, place=machine) as agent:
        after = int(agent.logged(r"leaky: restart succeeded, process (\d+)")[1])

        assert before != after == agent.up("leaky") == machine.pid_of("leaky")
        assert len(agent.lines("restart:")) == 1
        assert agent.lines("another process|not running") == []


def test_a_restart_that_takes_too_long(machine: ScandirMachine, words: Words, inside: Path) -> None:
    """It is told in the words of the manager's tool, which gives up before it would be killed."""
    rules = "check service stubborn with timeout 1s, restarts 1/10m\n"
    rules += "  if memory:rss > 1k then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("stubborn")
        told = agent.logged(r"stubborn: restart failed: (.*) \(RepairFailed\)")[1]

        assert re.fullmatch(words.gave_up.format(before), told)
        assert agent.up("stubborn") == before


def test_reload_keeps_the_process(machine: ScandirMachine, inside: Path) -> None:
    """`then reload` is a HUP."""
    rules = "check service reloads\n  if memory:rss > 1k then reload\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before = agent.up("reloads")
        agent.logged("reloads: reload succeeded")
        until(lambda: machine.folder("reloads") / "done", os.path.exists)

        assert agent.up("reloads") == before


def test_a_supervisor_that_dies(machine: ScandirMachine, inside: Path) -> None:
    """Its service is unknown, the others are not; with the next one all is well again."""
    by, rules = machine.by, "check service orphan\n  if failed then start\ncheck service other\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        before, other = agent.up("orphan"), agent.up("other")
        with machine.orphaned(before):
            machine.kill(before)
            orphan = agent.service("orphan", lambda orphan: not orphan["answers"])
            machine.kill(other)
            after = agent.up("other", but=other)

        assert re.fullmatch(f"{by.name}: {by.lost.format('orphan')}", orphan["reason"])
        assert agent.up("orphan", but=before) != before
        assert agent.up("other") == after
        assert agent.lines("start:") == []


def test_all_of_a_manager_ends_and_comes_back(machine: ScandirMachine, inside: Path) -> None:
    """With all of it gone nobody knows its services; when it is back all is well again."""
    by, rules = machine.by, "check service web\n  if failed then start\n"
    with ScandirMachine(by, sleeping("web"), init=("tini", "sleep", "1000")) as another:
        first = another.popen(by.scan)
        with RunningAgent(inside, rules, place=another) as agent:
            before = agent.up("web")
            another.signal(first, by.end)
            lost = agent.service("web", lambda web: not web["answers"])
            agent.cycles(3)
            again = another.popen(by.scan)
            after = agent.up("web", but=before)

            assert re.fullmatch(f"{by.name}: {by.lost.format('web')}", lost["reason"])
            assert after == another.pid_of("web")
            assert agent.lines("start:") == []
    first.wait(), again.wait()
