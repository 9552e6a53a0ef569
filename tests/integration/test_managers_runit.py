"""The runit manager against a real runsvdir."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator

import pytest

from inspect_agent.managers import detect
from inspect_agent.managers.runit import Runit
from inspect_agent.model.observation import Observation
from inspect_agent.model.rule import Verb
from tests.integration.components import need
from tests.integration.namespaces import Finished
from tests.integration.scandirs import SLEEP, VISIBLE, until, written
from tests.integration.small_machine import PATH, SmallMachine
from tests.managers.builders import check

PLACE = "/etc/service"
ASK = """
from inspect_agent.managers import detect
from inspect_agent.managers.runit import Runit
from tests.managers.builders import check
print(detect.runit(), Runit().loaded(), Runit().look([check("killed")])["killed"].reason)
"""
UNTIL_TOLD = "#!/bin/sh\nread line < ./go\n"
SERVICES = {
    **{
        name: {"run": SLEEP}
        for name in ("web", "stopped", "killed", "once", "orphan", "a b", "--help", "$(reboot)")
    },
    "down": {"run": SLEEP, "down": ""},
    "finishing": {"run": SLEEP, "finish": UNTIL_TOLD},
    "stubborn": {"run": "#!/bin/sh\ntrap '' TERM\n> ./ready\nwhile :; do sleep 1000; done\n"},
    "reloads": {"run": "#!/bin/sh\ntrap '> ./done' HUP\n> ./ready\nwhile :; do sleep 0.05; done\n"},
    "broken": {"run": "#!/no/such/shell\n"},
}
STOPPED = Observation("down", None, "down, normally up")


@pytest.fixture(scope="module")
def machine() -> Iterator[SmallMachine]:
    """A machine that runit runs, with its services supervised."""
    need("namespaces")
    need("runit")
    pipes = f"mkfifo {PLACE}/finishing/go"
    elsewhere = f"mkdir -p /etc/sv; mv {PLACE}/web /etc/sv; ln -s ../sv/web {PLACE}/web"
    links = "mkdir -p /run/runit; ln -s ../../../run/runit/web /etc/sv/web/supervise"
    script = f"rm -r {PLACE}\n{written(PLACE, SERVICES)}\n{pipes}\n{elsewhere}\n{links}"
    script += f"\ntouch -d '1 minute ago' {PLACE}"
    with SmallMachine(["runsvdir", "-P", PLACE], script, VISIBLE) as booted:
        until(lambda: Runit(str(booted.root)).loaded(), lambda names: len(names) == len(SERVICES))
        yield booted


def look(machine: SmallMachine, name: str) -> Observation:
    """Where a service is."""
    return Runit(str(machine.root)).look([check(name)])[name]


def up(machine: SmallMachine, name: str, *, but: int | None = None) -> int:
    """Waits until a service runs, as another process than `but`; its PID."""
    seen = until(lambda: look(machine, name), lambda seen: seen.pid not in (None, but))
    assert seen.pid is not None
    return seen.pid


def do(machine: SmallMachine, verb: Verb, name: str, timeout_s: float = 30.0) -> Finished:
    """Runs what the manager gives as the command for this verb."""
    command = Runit(str(machine.root)).command(verb, check(name, timeout_s=timeout_s))
    assert command is not None
    return machine.ask(command.argv)


def kill(machine: SmallMachine, pid: int) -> None:
    """Kills a process of the machine."""
    machine.tell("kill", "-KILL", str(pid))


def test_present_is_asked_of_the_running_system(machine: SmallMachine) -> None:
    """It runs where a runsv supervises something; a folder alone says nothing."""
    assert detect.runit(str(machine.root))
    assert not detect.s6(str(machine.root))
    assert Runit(str(machine.root)).loaded() == sorted(SERVICES)


def test_where_services_are(machine: SmallMachine) -> None:
    """Each is where sv says that it is, links to its folder and to supervise followed."""
    names = ["web", "down", "a b", "--help", "$(reboot)", "nothing"]
    seen = Runit(str(machine.root)).look([check(name) for name in names])
    told = machine.tell("sv", "status", *(f"{PLACE}/{name}" for name in names[:-1]))
    pids = dict(re.findall(rf"^run: {PLACE}/(.*): \(pid (\d+)\)", told, re.MULTILINE))

    assert pids.keys() == {"web", "a b", "--help", "$(reboot)"}
    assert seen == {
        **{
            name: Observation("up", int(pid), "run", restarts_itself=True)
            for name, pid in pids.items()
        },
        "down": Observation("down", None, "down"),
        "nothing": Observation("absent", reason=f"no folder 'nothing' in {PLACE}"),
    }


def test_an_ordinary_user(machine: SmallMachine) -> None:
    """Who may not look into supervise sees no runit, and is told why."""
    nobody = ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c", ASK]
    ran = machine.run(nobody, env={"PATH": PATH, "PYTHONPATH": str(VISIBLE[0])})

    assert (ran.stdout, ran.stderr) == (
        f"False [] no runsv supervises {PLACE}/killed (supervise/ok: Permission denied)\n",
        "",
    )


def test_a_run_script_that_cannot_be_run(machine: SmallMachine) -> None:
    """It is tried once a second, without end: in its restart loop, and not up."""
    seen = until(lambda: look(machine, "broken"), lambda seen: seen.status != "up")
    assert seen == Observation("starting", None, "down, normally up, want up", restarts_itself=True)


def test_start_stop_restart(machine: SmallMachine) -> None:
    """The commands start, stop and restart a service; a restart starts a stopped one."""
    before = up(machine, "stopped")
    ended = [do(machine, "restart", "stopped")]
    # sv counts seconds: in the one in which the service began it takes it for restarted at once
    restarted = up(machine, "stopped", but=before)
    ended.append(do(machine, "start", "stopped"))
    started = look(machine, "stopped")
    ended.append(do(machine, "stop", "stopped"))
    stopped = look(machine, "stopped")
    ended.append(do(machine, "restart", "stopped"))

    assert [ran.returncode for ran in ended] == [0, 0, 0, 0]
    assert (started.pid, stopped) == (restarted, STOPPED)
    assert up(machine, "stopped") not in (before, restarted)


def test_stopped_by_the_operator(machine: SmallMachine) -> None:
    """A service that was stopped is down, and stays so."""
    machine.tell("sv", "-w", "20", "stop", f"{PLACE}/a b")
    assert look(machine, "a b") == STOPPED


def test_killed(machine: SmallMachine) -> None:
    """A service whose process was killed is brought back, and is never seen as stopped."""
    before = up(machine, "killed")
    kill(machine, before)
    seen = until(lambda: look(machine, "killed"), lambda seen: seen.pid != before)

    assert seen.restarts_itself
    assert up(machine, "killed", but=before) != before


def test_the_finish_script(machine: SmallMachine) -> None:
    """While it runs the service is coming back, or down when it was asked to."""
    before, go = up(machine, "finishing"), machine.root / PLACE[1:] / "finishing/go"
    kill(machine, before)
    crashed = until(lambda: look(machine, "finishing"), lambda seen: "finish" in seen.reason)
    go.write_text("\n")
    up(machine, "finishing", but=before)
    machine.tell("sv", "down", f"{PLACE}/finishing")
    stopped = until(lambda: look(machine, "finishing"), lambda seen: "finish" in seen.reason)
    go.write_text("\n")
    ended = until(lambda: look(machine, "finishing"), lambda seen: "finish" not in seen.reason)

    assert crashed == Observation("starting", None, "finish", restarts_itself=True)
    assert stopped == Observation("down", None, "finish, want down")
    assert ended == STOPPED


def test_started_once(machine: SmallMachine) -> None:
    """A service that was started once is up, not brought back, and its crash looks like a stop."""
    before = up(machine, "once")
    machine.tell("sv", "once", f"{PLACE}/once")
    running = until(lambda: look(machine, "once"), lambda seen: not seen.restarts_itself)
    kill(machine, before)

    assert running == Observation("up", before, "run, want down")
    assert until(lambda: look(machine, "once"), lambda seen: seen.pid is None) == STOPPED


def test_a_service_that_ignores_term(machine: SmallMachine) -> None:
    """sv gives up in time and says where the service is; it is up for as long as it runs."""
    until(lambda: machine.root / PLACE[1:] / "stubborn/ready", os.path.exists)
    pid = up(machine, "stubborn")
    stopped = do(machine, "stop", "stubborn", timeout_s=1.5)

    assert stopped.returncode == 1
    assert re.fullmatch(
        rf"timeout: run: {PLACE}/stubborn: \(pid {pid}\) \d+s, want down, got TERM\n",
        stopped.stdout,
    )
    assert look(machine, "stubborn") == Observation("up", pid, "run, want down, got TERM")


def test_reload(machine: SmallMachine) -> None:
    """A reload is a HUP, and keeps the process."""
    folder = machine.root / PLACE[1:] / "reloads"
    until(lambda: folder / "ready", os.path.exists)
    pid = up(machine, "reloads")
    reloaded = do(machine, "reload", "reloads")
    until(lambda: folder / "done", os.path.exists)

    assert reloaded.returncode == 0
    assert up(machine, "reloads") == pid


def test_a_runsv_that_is_killed(machine: SmallMachine) -> None:
    """Nobody knows where its service is until runsvdir has started another."""
    before = up(machine, "orphan")
    parent = machine.tell("ps", "-o", "ppid=", "-p", str(before)).strip()
    os.kill(machine.pid, signal.SIGSTOP)
    kill(machine, int(parent))
    unknown = until(lambda: look(machine, "orphan"), lambda seen: seen.status != "up")
    os.kill(machine.pid, signal.SIGCONT)

    assert unknown == Observation(
        "unknown", reason=f"no runsv supervises {PLACE}/orphan (nobody reads supervise/ok)"
    )
    assert up(machine, "orphan", but=before) != before
