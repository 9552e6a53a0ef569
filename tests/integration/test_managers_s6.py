"""The s6 manager against a real s6-svscan."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from inspect_agent.managers import detect
from inspect_agent.model.observation import Observation
from inspect_agent.model.rule import Verb
from tests.integration.scandir_machine import S6_SVSCAN, ScandirMachine, scandir_machine
from tests.integration.scandirs import GIVE_UP, SLEEP, STUBBORN, UNTIL_TOLD, sleeping, until

PLACE = S6_SVSCAN.place
SERVICES = {
    **sleeping("web", "stopped", "once", "a b", "--help", "$(reboot)"),
    "down": {"run": SLEEP, "down": ""},
    "finishing": {"run": SLEEP, "finish": UNTIL_TOLD},
    "given-up": {"run": "#!/bin/sh\nexit 3\n", "finish": GIVE_UP},
    "stoppable": {"run": SLEEP, "finish": GIVE_UP},
    "ready": {
        "run": "#!/bin/sh\nread line < ./go\necho >&3\nexec sleep 1000\n",
        "notification-fd": "3\n",
    },
    "stubborn": {"run": STUBBORN},
    "broken": {"run": "#!/no/such/shell\n"},
}


@pytest.fixture(scope="module")
def machine() -> Iterator[ScandirMachine]:
    """A machine that s6 runs, with its services supervised."""
    pipes = f"mkfifo {PLACE}/finishing/go {PLACE}/ready/go"
    with scandir_machine(S6_SVSCAN, SERVICES, pipes) as booted:
        yield booted


def test_present_is_asked_of_the_running_system(machine: ScandirMachine) -> None:
    """It runs where an s6-svscan reads its orders; a folder alone says nothing."""
    assert detect.s6(str(machine.root))
    assert not detect.runit(str(machine.root))
    assert machine.manager.loaded() == sorted(SERVICES)


def test_where_services_are(machine: ScandirMachine) -> None:
    """Each is where s6-svstat says that it is, all asked in one command."""
    names = ("web", "a b", "--help", "$(reboot)")
    seen = machine.look(*names, "down", "nothing")

    assert seen == {
        **{
            name: Observation("up", machine.pid_of(name), "up", restarts_itself=True)
            for name in names
        },
        "down": Observation("down", None, "down (exitcode 0), ready"),
        "nothing": Observation("absent", reason=f"no folder 'nothing' in {PLACE}"),
    }


def test_start_stop_restart(machine: ScandirMachine) -> None:
    """The commands start, stop and restart a service; a restart starts a stopped one."""
    pids = [machine.up("stopped")]
    verbs: tuple[Verb, ...] = ("restart", "start", "stop", "restart")
    for verb in verbs:
        ended = machine.do(verb, "stopped")
        assert (ended.returncode, ended.stdout) == (0, "")
        pids.append(machine.one("stopped").pid or 0)

    assert pids[1] == pids[2]
    assert pids[3] == 0
    assert len({*pids}) == 4


def test_stopped_by_the_operator(machine: ScandirMachine) -> None:
    """A service that was stopped is down, and no end that needs an explanation."""
    for name in ("a b", "stoppable"):
        machine.tell("s6-svc", "-wD", "-d", f"{PLACE}/{name}")
        assert machine.one(name) == Observation(
            "down", None, "down (signal SIGTERM), normally up, ready"
        )


def test_the_finish_script(machine: ScandirMachine) -> None:
    """While it runs the service is coming back, or down when it was asked to."""
    before, go = machine.up("finishing"), machine.folder("finishing") / "go"
    machine.kill(before)
    crashed = until(lambda: machine.one("finishing"), lambda seen: seen.status != "up")
    go.write_text("\n")
    machine.up("finishing", but=before)
    machine.tell("s6-svc", "-wd", "-d", f"{PLACE}/finishing")
    stopped = machine.one("finishing")
    go.write_text("\n")
    ended = until(lambda: machine.one("finishing"), lambda seen: "ready" in seen.reason)

    words = "down (signal SIGKILL), normally up, want up"
    assert crashed == Observation("starting", None, words, restarts_itself=True)
    assert stopped == Observation("down", None, "down (signal SIGTERM), normally up")
    assert ended == Observation("down", None, "down (signal SIGTERM), normally up, ready")


def test_given_up_by_its_finish_script(machine: ScandirMachine) -> None:
    """With exit code 125 of finish a service stays down, and it may not be its operator's will."""
    seen = until(lambda: machine.one("given-up"), lambda seen: seen.status == "down")
    words = "down (exitcode 3), normally up, ready; stopped, or given up by its finish script"
    assert seen == Observation("down", None, words, ambiguous=True)


def test_a_run_script_that_cannot_be_run(machine: ScandirMachine) -> None:
    """It is tried without end: in its restart loop, and not up."""
    seen = until(lambda: machine.one("broken"), lambda seen: seen.status != "up")
    assert (seen.status, seen.restarts_itself) == ("starting", True)
    assert seen.reason.endswith(", normally up, want up, ready")


def test_readiness(machine: ScandirMachine) -> None:
    """A start waits for the notification of a service that gives one; it is up before."""
    go = machine.folder("ready") / "go"
    pid = machine.up("ready")
    late = machine.do("start", "ready", timeout_s=0.7)
    before = machine.one("ready")
    go.write_text("\n")
    ready = machine.do("start", "ready")

    assert (late.returncode, late.stderr) == (99, "s6-svlisten1: fatal: timed out\n")
    assert (ready.returncode, ready.stderr) == (0, "")
    assert before == Observation("up", pid, "up", restarts_itself=True)
    assert machine.one("ready") == Observation("up", pid, "up, ready", restarts_itself=True)


def test_started_once(machine: ScandirMachine) -> None:
    """A service that was started once is up, not brought back, and its crash looks like a stop."""
    before = machine.up("once")
    machine.tell("s6-svc", "-o", f"{PLACE}/once")
    running = until(lambda: machine.one("once"), lambda seen: not seen.restarts_itself)
    machine.kill(before)
    ended = until(lambda: machine.one("once"), lambda seen: "ready" in seen.reason)

    assert running == Observation("up", before, "up, want down")
    assert ended == Observation("down", None, "down (signal SIGKILL), normally up, ready")


def test_a_service_that_ignores_term(machine: ScandirMachine) -> None:
    """s6-svc gives up in time; the service is up for as long as it runs."""
    until(lambda: machine.folder("stubborn") / "ready", os.path.exists)
    pid = machine.up("stubborn")
    stopped = machine.do("stop", "stubborn", timeout_s=0.7)

    assert (stopped.returncode, stopped.stderr) == (99, "s6-svlisten1: fatal: timed out\n")
    assert machine.one("stubborn") == Observation("up", pid, "up, want down")
