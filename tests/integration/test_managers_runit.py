"""The runit manager against a real runsvdir."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

import pytest

from inspect_agent.managers import detect
from inspect_agent.model.observation import Observation
from tests.integration.scandir_machine import RUNIT, ScandirMachine, scandir_machine
from tests.integration.scandirs import SLEEP, STUBBORN, UNTIL_TOLD, VISIBLE, sleeping, until
from tests.integration.small_machine import PATH

PLACE = RUNIT.place
ASK = """
from inspect_agent.managers import detect
from inspect_agent.managers.runit import Runit
from tests.managers.builders import check
print(detect.runit(), Runit().loaded(), Runit().look([check("once")])["once"].reason)
"""
SERVICES = {
    **sleeping("web", "stopped", "once", "a b", "--help", "$(reboot)"),
    "down": {"run": SLEEP, "down": ""},
    "finishing": {"run": SLEEP, "finish": UNTIL_TOLD},
    "stubborn": {"run": STUBBORN},
    "broken": {"run": "#!/no/such/shell\n"},
}
STOPPED = Observation("down", None, "down, normally up")


@pytest.fixture(scope="module")
def machine() -> Iterator[ScandirMachine]:
    """A machine that runit runs, with its services supervised."""
    pipes = f"mkfifo {PLACE}/finishing/go"
    elsewhere = f"mkdir -p /etc/sv; mv {PLACE}/web /etc/sv; ln -s ../sv/web {PLACE}/web"
    links = "mkdir -p /run/runit; ln -s ../../../run/runit/web /etc/sv/web/supervise"
    settled = f"touch -d '1 minute ago' {PLACE}"
    script = "\n".join([pipes, elsewhere, links, settled])
    with scandir_machine(RUNIT, SERVICES, script) as booted:
        yield booted


def test_present_is_asked_of_the_running_system(machine: ScandirMachine) -> None:
    """It runs where a runsv supervises something; a folder alone says nothing."""
    assert detect.runit(str(machine.root))
    assert not detect.s6(str(machine.root))
    assert machine.manager.loaded() == sorted(SERVICES)


def test_where_services_are(machine: ScandirMachine) -> None:
    """Each is where sv says that it is, links to its folder and to supervise followed."""
    names = ["web", "down", "a b", "--help", "$(reboot)", "nothing"]
    seen = machine.look(*names)
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


def test_an_ordinary_user(machine: ScandirMachine) -> None:
    """Who may not look into supervise sees no runit, and is told why."""
    nobody = ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c", ASK]
    ran = machine.run(nobody, env={"PATH": PATH, "PYTHONPATH": str(VISIBLE[0])})

    assert (ran.stdout, ran.stderr) == (
        f"False [] no runsv supervises {PLACE}/once (supervise/ok: Permission denied)\n",
        "",
    )


def test_a_run_script_that_cannot_be_run(machine: ScandirMachine) -> None:
    """It is tried once a second, without end: in its restart loop, and not up."""
    seen = until(lambda: machine.one("broken"), lambda seen: seen.status != "up")
    assert seen == Observation("starting", None, "down, normally up, want up", restarts_itself=True)


def test_start_stop_restart(machine: ScandirMachine) -> None:
    """The commands start, stop and restart a service; a restart starts a stopped one."""
    before = machine.up("stopped")
    ended = [machine.do("restart", "stopped")]
    # sv counts seconds: in the one in which the service began it takes it for restarted at once
    restarted = machine.up("stopped", but=before)
    ended.append(machine.do("start", "stopped"))
    started = machine.one("stopped")
    ended.append(machine.do("stop", "stopped"))
    stopped = machine.one("stopped")
    ended.append(machine.do("restart", "stopped"))

    assert [ran.returncode for ran in ended] == [0, 0, 0, 0]
    assert (started.pid, stopped) == (restarted, STOPPED)
    assert machine.up("stopped") not in (before, restarted)


def test_stopped_by_the_operator(machine: ScandirMachine) -> None:
    """A service that was stopped is down, and stays so."""
    machine.tell("sv", "-w", "20", "stop", f"{PLACE}/a b")
    assert machine.one("a b") == STOPPED


def test_the_finish_script(machine: ScandirMachine) -> None:
    """While it runs the service is coming back, or down when it was asked to."""
    before, go = machine.up("finishing"), machine.folder("finishing") / "go"
    machine.kill(before)
    crashed = until(lambda: machine.one("finishing"), lambda seen: "finish" in seen.reason)
    go.write_text("\n")
    machine.up("finishing", but=before)
    machine.tell("sv", "down", f"{PLACE}/finishing")
    stopped = until(lambda: machine.one("finishing"), lambda seen: "finish" in seen.reason)
    go.write_text("\n")
    ended = until(lambda: machine.one("finishing"), lambda seen: "finish" not in seen.reason)

    assert crashed == Observation("starting", None, "finish", restarts_itself=True)
    assert stopped == Observation("down", None, "finish, want down")
    assert ended == STOPPED


def test_started_once(machine: ScandirMachine) -> None:
    """A service that was started once is up, not brought back, and its crash looks like a stop."""
    before = machine.up("once")
    machine.tell("sv", "once", f"{PLACE}/once")
    running = until(lambda: machine.one("once"), lambda seen: not seen.restarts_itself)
    machine.kill(before)

    assert running == Observation("up", before, "run, want down")
    assert until(lambda: machine.one("once"), lambda seen: seen.pid is None) == STOPPED


def test_a_service_that_ignores_term(machine: ScandirMachine) -> None:
    """sv gives up in time and says where the service is; it is up for as long as it runs."""
    until(lambda: machine.folder("stubborn") / "ready", os.path.exists)
    pid = machine.up("stubborn")
    stopped = machine.do("stop", "stubborn", timeout_s=1.5)

    assert stopped.returncode == 1
    assert re.fullmatch(
        rf"timeout: run: {PLACE}/stubborn: \(pid {pid}\) \d+s, want down, got TERM\n",
        stopped.stdout,
    )
    assert machine.one("stubborn") == Observation("up", pid, "run, want down, got TERM")
