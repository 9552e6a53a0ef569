"""The s6 manager against a real s6-svscan."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Mapping

import pytest

from inspect_agent.managers import detect
from inspect_agent.managers.runit import Runit
from inspect_agent.managers.s6 import S6
from inspect_agent.model import observation
from inspect_agent.model.observation import Observation
from inspect_agent.model.rule import Verb
from inspect_agent.ports import Question
from tests.integration.components import need
from tests.integration.namespaces import Finished
from tests.integration.scandirs import SLEEP, until, written
from tests.integration.small_machine import SmallMachine
from tests.managers.builders import check

PLACE = "/run/service"
GIVE_UP = "#!/bin/sh\nexit 125\n"
SERVICES = {
    **{
        name: {"run": SLEEP}
        for name in ("web", "stopped", "killed", "once", "orphan", "a b", "--help", "$(reboot)")
    },
    "down": {"run": SLEEP, "down": ""},
    "finishing": {"run": SLEEP, "finish": "#!/bin/sh\nread line < ./go\n"},
    "given-up": {"run": "#!/bin/sh\nexit 3\n", "finish": GIVE_UP},
    "stoppable": {"run": SLEEP, "finish": GIVE_UP},
    "ready": {
        "run": "#!/bin/sh\nread line < ./go\necho >&3\nexec sleep 1000\n",
        "notification-fd": "3\n",
    },
    "stubborn": {"run": "#!/bin/sh\ntrap '' TERM\n> ./ready\nwhile :; do sleep 1000; done\n"},
    "reloads": {"run": "#!/bin/sh\ntrap '> ./done' HUP\n> ./ready\nwhile :; do sleep 0.05; done\n"},
    "broken": {"run": "#!/no/such/shell\n"},
}


@pytest.fixture(scope="module")
def machine() -> Iterator[SmallMachine]:
    """A machine that s6 runs, with its services supervised."""
    need("namespaces")
    need("s6")
    pipes = f"mkfifo {PLACE}/finishing/go {PLACE}/ready/go"
    with SmallMachine(["s6-svscan", PLACE], f"{written(PLACE, SERVICES)}\n{pipes}") as booted:
        until(lambda: S6(str(booted.root)).loaded(), lambda names: len(names) == len(SERVICES))
        yield booted


def look(machine: SmallMachine, *names: str) -> Mapping[str, Observation]:
    """Where services are."""
    question = S6(str(machine.root)).look([check(name) for name in names])
    if not isinstance(question, Question):
        return question
    ran = machine.ask(question.command.argv)
    seen: Mapping[str, Observation] = question.parse(
        observation.Finished(ran.returncode, ran.stdout, ran.stderr)
    )
    return seen


def one(machine: SmallMachine, name: str) -> Observation:
    """Where a service is."""
    return look(machine, name)[name]


def glance(machine: SmallMachine, name: str) -> str:
    """The fingerprint of a service."""
    return S6(str(machine.root)).glance([check(name)])[name]


def up(machine: SmallMachine, name: str, *, but: int | None = None) -> int:
    """Waits until a service runs, as another process than `but`; its PID."""
    seen = until(lambda: one(machine, name), lambda seen: seen.pid not in (None, but))
    assert seen.pid is not None
    return seen.pid


def do(machine: SmallMachine, verb: Verb, name: str, timeout_s: float = 30.0) -> Finished:
    """Runs what the manager gives as the command for this verb."""
    command = S6(str(machine.root)).command(verb, check(name, timeout_s=timeout_s))
    assert command is not None
    return machine.ask(command.argv)


def kill(machine: SmallMachine, pid: int) -> None:
    """Kills a process of the machine."""
    machine.tell("kill", "-KILL", str(pid))


def test_present_is_asked_of_the_running_system(machine: SmallMachine) -> None:
    """It runs where an s6-svscan reads its orders; a folder alone says nothing."""
    assert detect.s6(str(machine.root))
    assert not detect.runit(str(machine.root))
    assert S6(str(machine.root)).loaded() == sorted(SERVICES)


def test_where_services_are(machine: SmallMachine) -> None:
    """Each is where s6-svstat says that it is, all asked in one command."""
    names = ("web", "a b", "--help", "$(reboot)")
    seen = look(machine, *names, "down", "nothing")

    assert seen == {
        **{
            name: Observation(
                "up",
                int(machine.tell("s6-svstat", "-o", "pid", f"{PLACE}/{name}")),
                "up",
                restarts_itself=True,
            )
            for name in names
        },
        "down": Observation("down", None, "down (exitcode 0), ready"),
        "nothing": Observation("absent", reason=f"no folder 'nothing' in {PLACE}"),
    }


def test_start_stop_restart(machine: SmallMachine) -> None:
    """The commands start, stop and restart a service; a restart starts a stopped one."""
    pids = [up(machine, "stopped")]
    verbs: tuple[Verb, ...] = ("restart", "start", "stop", "restart")
    for verb in verbs:
        ended = do(machine, verb, "stopped")
        assert (ended.returncode, ended.stdout) == (0, "")
        pids.append(one(machine, "stopped").pid or 0)

    assert pids[1] == pids[2]
    assert pids[3] == 0
    assert len({*pids}) == 4


def test_stopped_by_the_operator(machine: SmallMachine) -> None:
    """A service that was stopped is down, and no end that needs an explanation."""
    for name in ("a b", "stoppable"):
        machine.tell("s6-svc", "-wD", "-d", f"{PLACE}/{name}")
        assert one(machine, name) == Observation(
            "down", None, "down (signal SIGTERM), normally up, ready"
        )


def test_killed(machine: SmallMachine) -> None:
    """A service whose process was killed is brought back, and is never seen as stopped."""
    before = up(machine, "killed")
    kill(machine, before)
    seen = until(lambda: one(machine, "killed"), lambda seen: seen.pid != before)

    assert seen.restarts_itself
    assert up(machine, "killed", but=before) != before


def test_the_finish_script(machine: SmallMachine) -> None:
    """While it runs the service is coming back, or down when it was asked to."""
    before, go = up(machine, "finishing"), machine.root / PLACE[1:] / "finishing/go"
    kill(machine, before)
    crashed = until(lambda: one(machine, "finishing"), lambda seen: seen.status != "up")
    go.write_text("\n")
    up(machine, "finishing", but=before)
    machine.tell("s6-svc", "-wd", "-d", f"{PLACE}/finishing")
    stopped = one(machine, "finishing")
    go.write_text("\n")
    ended = until(lambda: one(machine, "finishing"), lambda seen: "ready" in seen.reason)

    words = "down (signal SIGKILL), normally up, want up"
    assert crashed == Observation("starting", None, words, restarts_itself=True)
    assert stopped == Observation("down", None, "down (signal SIGTERM), normally up")
    assert ended == Observation("down", None, "down (signal SIGTERM), normally up, ready")


def test_given_up_by_its_finish_script(machine: SmallMachine) -> None:
    """With exit code 125 of finish a service stays down, and it may not be its operator's will."""
    seen = until(lambda: one(machine, "given-up"), lambda seen: seen.status == "down")
    words = "down (exitcode 3), normally up, ready; stopped, or given up by its finish script"
    assert seen == Observation("down", None, words, ambiguous=True)


def test_a_run_script_that_cannot_be_run(machine: SmallMachine) -> None:
    """It is tried without end: in its restart loop, and not up."""
    seen = until(lambda: one(machine, "broken"), lambda seen: seen.status != "up")
    assert (seen.status, seen.restarts_itself) == ("starting", True)
    assert seen.reason.endswith(", normally up, want up, ready")


def test_readiness(machine: SmallMachine) -> None:
    """A start waits for the notification of a service that gives one; it is up before."""
    go = machine.root / PLACE[1:] / "ready/go"
    pid = up(machine, "ready")
    late = do(machine, "start", "ready", timeout_s=0.7)
    before = one(machine, "ready")
    go.write_text("\n")
    ready = do(machine, "start", "ready")

    assert (late.returncode, late.stderr) == (99, "s6-svlisten1: fatal: timed out\n")
    assert (ready.returncode, ready.stderr) == (0, "")
    assert before == Observation("up", pid, "up", restarts_itself=True)
    assert one(machine, "ready") == Observation("up", pid, "up, ready", restarts_itself=True)


def test_started_once(machine: SmallMachine) -> None:
    """A service that was started once is up, not brought back, and its crash looks like a stop."""
    before = up(machine, "once")
    machine.tell("s6-svc", "-o", f"{PLACE}/once")
    running = until(lambda: one(machine, "once"), lambda seen: not seen.restarts_itself)
    kill(machine, before)
    ended = until(lambda: one(machine, "once"), lambda seen: "ready" in seen.reason)

    assert running == Observation("up", before, "up, want down")
    assert ended == Observation("down", None, "down (signal SIGKILL), normally up, ready")


def test_a_service_that_ignores_term(machine: SmallMachine) -> None:
    """s6-svc gives up in time; the service is up for as long as it runs."""
    until(lambda: machine.root / PLACE[1:] / "stubborn/ready", os.path.exists)
    pid = up(machine, "stubborn")
    stopped = do(machine, "stop", "stubborn", timeout_s=0.7)

    assert (stopped.returncode, stopped.stderr) == (99, "s6-svlisten1: fatal: timed out\n")
    assert one(machine, "stubborn") == Observation("up", pid, "up, want down")


def test_reload(machine: SmallMachine) -> None:
    """A reload is a HUP, and keeps the process."""
    folder = machine.root / PLACE[1:] / "reloads"
    until(lambda: folder / "ready", os.path.exists)
    pid = up(machine, "reloads")
    reloaded = do(machine, "reload", "reloads")
    until(lambda: folder / "done", os.path.exists)

    assert (reloaded.returncode, reloaded.stderr) == (0, "")
    assert up(machine, "reloads") == pid


def test_an_s6_supervise_that_is_killed(machine: SmallMachine) -> None:
    """Nobody knows where its service is until s6-svscan has started another."""
    before, glanced = up(machine, "orphan"), glance(machine, "orphan")
    parent = machine.tell("ps", "-o", "ppid=", "-p", str(before)).strip()
    os.kill(machine.pid, signal.SIGSTOP)
    kill(machine, int(parent))
    until(lambda: glance(machine, "orphan"), lambda text: text != glanced)
    unknown = one(machine, "orphan")
    os.kill(machine.pid, signal.SIGCONT)

    assert unknown.status == "unknown"
    assert re.fullmatch(
        rf"s6-svstat: fatal: .*unable to read status for {PLACE}/orphan: s6-supervise not running",
        unknown.reason,
    )
    assert up(machine, "orphan", but=before) != before


def test_runit_and_s6_on_one_machine() -> None:
    """Neither takes a service of the other's for its own, even where both have one of its name."""
    need("namespaces")
    need("runit")
    need("s6")
    theirs = {"web": {"run": SLEEP}, "db": {"run": SLEEP}}
    ours = {"web": {"run": SLEEP}, "mq": {"run": SLEEP}}
    script = f"rm -r /etc/service\n{written('/etc/service', theirs)}\n{written('/service', ours)}"
    both = "runsvdir -P /etc/service & exec s6-svscan /service"
    with SmallMachine(["tini", "--", "sh", "-c", both], script) as machine:
        root = str(machine.root)
        runit, s6 = Runit(root), S6(root)
        until(lambda: len(runit.loaded()) + len(s6.loaded()), lambda count: count == 4)
        checks = [check(name) for name in ("web", "db", "mq")]
        of_runit = until(lambda: runit.look(checks), lambda seen: seen["web"].pid)
        of_s6 = until(lambda: look(machine, "web", "db", "mq"), lambda seen: seen["web"].pid)

        assert (detect.runit(root), detect.s6(root)) == (True, True)
        assert (runit.loaded(), s6.loaded()) == (["db", "web"], ["mq", "web"])
        assert of_runit["mq"] == Observation(
            "absent", reason="another than runsv supervises /service/mq"
        )
        assert of_s6["db"].status == "absent"
        assert of_runit["web"].pid != of_s6["web"].pid
