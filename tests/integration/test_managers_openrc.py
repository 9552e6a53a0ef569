"""The OpenRC manager against a real OpenRC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from inspect_agent.errors import ManagerError
from inspect_agent.managers import detect
from inspect_agent.model.observation import Observation
from inspect_agent.model.rule import Verb
from tests.integration.asking import HOSTILE, Asked, asked, refused
from tests.integration.openrc_machine import DAEMON, ONESHOT, RELOADS, SUPERVISED, openrc_machine
from tests.integration.scandirs import until
from tests.integration.small_machine import SmallMachine

SERVICES = {
    **dict.fromkeys(("web", "stopped", "killed", "revived", "base"), DAEMON),
    "above": f"{DAEMON}depend() {{ need base; }}\n",
    "reloads": DAEMON + RELOADS,
    "oneshot": ONESHOT,
    "supervised": SUPERVISED,
    "orphan": SUPERVISED,
    "doomed": f"{SUPERVISED}respawn_max=1\nrespawn_period=600\n",
    "broken": "start() { eerror 'it is broken'; return 1; }\n",
    "slow": "start() { read go < /run/slow.go; }\nstop() { :; }\n",
    "nameless": ONESHOT,
}
STOPPED = Observation("down", reason="stopped")


@pytest.fixture(scope="module")
def machine() -> Iterator[SmallMachine]:
    """A machine that OpenRC runs."""
    with openrc_machine(SERVICES) as booted:
        booted.tell("mkfifo", "/run/slow.go")
        yield booted


@pytest.fixture(scope="module")
def openrc(machine: SmallMachine) -> Iterator[Asked]:
    """The manager, inside of it."""
    with asked(machine, "openrc") as manager:
        yield manager


def rc(machine: SmallMachine, name: str, word: str) -> str:
    """What rc-service says, whether it succeeds or not."""
    ran = machine.ask(["rc-service", "--", name, word])
    return ran.stdout + ran.stderr


def kill(machine: SmallMachine, *pids: int) -> None:
    """Kills processes of the machine, and waits until its init has reaped them."""
    machine.tell("kill", "-KILL", *map(str, pids))
    until(
        lambda: [pid for pid in pids if (machine.root / f"proc/{pid}").exists()],
        lambda left: not left,
    )


def started(machine: SmallMachine, openrc: Asked, name: str) -> int:
    """Starts a service; its process as the manager sees it."""
    rc(machine, name, "start")
    return up(openrc, name)


def up(openrc: Asked, name: str, *, but: int | None = None) -> int:
    """Waits until a service runs, as another process than `but`; its PID."""
    seen = until(lambda: openrc.look(name)[name], lambda seen: seen.pid not in (None, but))
    assert seen.pid is not None
    return seen.pid


def test_it_is_detected(machine: SmallMachine, openrc: Asked) -> None:
    """It runs here; its services are those scripts that rc-service lists and openrc-run runs."""
    listed = machine.tell("rc-service", "--list").split()
    own = [name for name in listed if is_openrcs(machine, name)]
    assert detect.openrc(str(machine.root))
    assert openrc.loaded() == sorted(own)
    assert set(own) >= set(SERVICES)


def is_openrcs(machine: SmallMachine, name: str) -> bool:
    """Whether the first line of a script says so."""
    line = (machine.root / "etc/init.d" / name).read_text().partition("\n")[0]
    return line.endswith("openrc-run")


def test_where_services_are(machine: SmallMachine, openrc: Asked) -> None:
    """Started is up with the daemon's PID, or without one where there is none; stopped is down."""
    pid = started(machine, openrc, "web")
    rc(machine, "oneshot", "start")
    rc(machine, "stopped", "start")
    rc(machine, "stopped", "stop")

    assert openrc.look("web", "oneshot", "stopped", "nope") == {
        "web": Observation("up", pid, "started, PID file /run/web.pid"),
        "oneshot": Observation("up", reason="started"),
        "stopped": STOPPED,
        "nope": Observation(
            "absent",
            reason="there is no executable nope in"
            " /usr/local/etc/init.d, /etc/init.d, /usr/etc/init.d",
        ),
    }
    assert machine.tell("cat", "/run/web.pid") == f"{pid}\n"
    assert [rc(machine, name, "status") for name in ("web", "oneshot", "stopped")] == [
        " * status: started\n",
        " * status: started\n",
        " * status: stopped\n",
    ]


def test_hostile_names(machine: SmallMachine, openrc: Asked) -> None:
    """Names that could be more than a name are no services, and no command is made of them."""
    assert openrc.look(*HOSTILE) == refused(HOSTILE)
    commands = {name: openrc.command("restart", name) for name in HOSTILE}
    assert commands == dict.fromkeys(HOSTILE)


def test_start_stop_restart(machine: SmallMachine, openrc: Asked) -> None:
    """Commands start, stop and restart; a restart starts what is stopped; a start is no restart."""
    pids = []
    verbs: tuple[Verb, ...] = ("start", "start", "restart", "stop", "restart")
    for verb in verbs:
        ran = openrc.do(verb, "revived")
        assert ran.returncode == 0, ran.stderr
        pids.append(openrc.look("revived")["revived"].pid)

    assert pids[0] == pids[1]
    assert pids[3] is None
    assert len({pids[0], pids[2], pids[4], None}) == 4


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_a_crash(machine: SmallMachine, openrc: Asked, verb: Verb) -> None:
    """A killed daemon has failed although OpenRC goes on counting it; both verbs bring it back."""
    pid = started(machine, openrc, "killed")
    kill(machine, pid)
    crashed = openrc.look("killed")["killed"]
    plain = machine.ask(["rc-service", "--", "killed", "start"])
    still = openrc.look("killed")["killed"]
    ran = openrc.do(verb, "killed")

    assert (
        crashed
        == still
        == Observation("failed", reason=f"started, but process {pid} of /run/killed.pid is gone")
    )
    assert "killed has already been started" in plain.stderr
    assert ran.returncode == 0, ran.stderr
    assert up(openrc, "killed", but=pid)
    assert openrc.command("restart", "killed") == ["rc-service", "--", "killed", "restart"]


def test_a_crash_below_another_service(machine: SmallMachine, openrc: Asked) -> None:
    """What another service needs is brought back; that one goes on, and is restarted with it."""
    above = started(machine, openrc, "above")
    base = up(openrc, "base")
    kill(machine, base)
    openrc.look("base")
    ran = openrc.do("restart", "base")

    assert ran.returncode == 0, ran.stderr
    again = up(openrc, "base", but=base)
    assert up(openrc, "above") == above
    assert openrc.do("restart", "base").returncode == 0
    assert up(openrc, "base", but=again)
    assert up(openrc, "above", but=above)


def test_a_stop_of_a_crashed_service(machine: SmallMachine, openrc: Asked) -> None:
    """It is stopped then, also where there is nothing left to be stopped."""
    kill(machine, started(machine, openrc, "killed"))
    openrc.look("killed")
    ran = openrc.do("stop", "killed")

    assert ran.returncode == 0, ran.stderr
    assert openrc.look("killed") == {"killed": STOPPED}


def test_supervised(machine: SmallMachine, openrc: Asked) -> None:
    """The service is supervise-daemon's child; what that brings back counts, a restart does not."""
    pid = started(machine, openrc, "supervised")
    first = openrc.look("supervised")["supervised"]
    kill(machine, pid)
    again = up(openrc, "supervised", but=pid)
    second = openrc.look("supervised")["supervised"]
    rc(machine, "supervised", "restart")
    last = up(openrc, "supervised", but=again)
    third = openrc.look("supervised")["supervised"]

    assert first == Observation("up", pid, "started, supervised", None, True, 0)
    assert second == first._replace(pid=again, restarts=1)
    assert third == first._replace(pid=last, restarts=1)
    assert machine.tell("cat", f"/proc/{pid_of_supervisor(machine)}/comm") == "supervise-daemo\n"
    assert pid_of_supervisor(machine) not in (pid, again, third.pid)


def pid_of_supervisor(machine: SmallMachine) -> int:
    """The supervise-daemon of `supervised`."""
    return int(machine.tell("cat", "/run/supervise-supervised.pid"))


def test_a_supervisor_that_was_killed(machine: SmallMachine, openrc: Asked) -> None:
    """Its child is up, and nobody brings it back; without both the service has failed."""
    pid = started(machine, openrc, "orphan")
    kill(machine, int(machine.tell("cat", "/run/supervise-orphan.pid")))
    alone = openrc.look("orphan")
    kill(machine, pid)
    gone = openrc.look("orphan")
    ran = openrc.do("start", "orphan")

    assert alone == {
        "orphan": Observation("up", pid, "started, unsupervised, for its supervise-daemon is gone")
    }
    assert gone == {
        "orphan": Observation(
            "failed", reason="started, but its daemon and its supervise-daemon are gone"
        )
    }
    assert ran.returncode == 0, ran.stderr
    assert up(openrc, "orphan", but=pid)


def test_given_up(machine: SmallMachine, openrc: Asked) -> None:
    """What supervise-daemon has brought back too often has failed, and can be started."""
    first = started(machine, openrc, "doomed")
    kill(machine, first)
    pid = up(openrc, "doomed", but=first)
    kill(machine, pid)
    failed = until(lambda: openrc.look("doomed")["doomed"], lambda seen: seen.status == "failed")

    assert failed == Observation("failed", reason="stopped, and marked as failed")
    assert openrc.command("start", "doomed") == ["rc-service", "--", "doomed", "start"]
    assert openrc.do("start", "doomed").returncode == 0
    assert up(openrc, "doomed", but=pid)


def test_a_start_that_fails(machine: SmallMachine, openrc: Asked) -> None:
    """OpenRC leaves it stopped, which it is not by anybody's wish."""
    before = openrc.look("broken")
    ran = openrc.do("restart", "broken")

    assert before == {"broken": STOPPED}
    assert ran.returncode == 1
    assert "it is broken" in ran.stderr
    assert openrc.look("broken") == {
        "broken": Observation("failed", reason="stopped: it was to start, and did not")
    }


def test_a_slow_start_and_one_that_was_interrupted(machine: SmallMachine, openrc: Asked) -> None:
    """It is starting while rc-service is at it; where that was killed, its start has failed."""
    with machine.popen(["rc-service", "--", "slow", "start"]):
        starting = until(lambda: openrc.look("slow")["slow"], lambda seen: seen != STOPPED)
        processes = until(
            lambda: words_of(machine, "/etc/init.d/slow"), lambda pids: len(pids) == 2
        )
        kill(machine, *processes)
    interrupted = openrc.look("slow")["slow"]
    with machine.popen(openrc.command("start", "slow") or ()) as process:
        (machine.root / "run/slow.go").write_text("\n")
        assert process.wait() == 0

    assert starting == Observation("starting", reason="starting")
    assert interrupted == Observation("failed", reason="starting, but its start was interrupted")
    assert openrc.look("slow")["slow"] == Observation("up", reason="started")


def words_of(machine: SmallMachine, word: str) -> list[int]:
    """The processes of the machine that have this word on their command line."""
    found = []
    for path in machine.root.glob("proc/[0-9]*/cmdline"):
        with suppress(OSError):
            if word.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def test_reload(machine: SmallMachine, openrc: Asked) -> None:
    """A reload keeps the process; where a script has none, it fails in OpenRC's words."""
    pid = started(machine, openrc, "reloads")
    web = started(machine, openrc, "web")
    failed = openrc.do("reload", "web")

    assert openrc.do("reload", "reloads").returncode == 0
    assert (machine.root / "run/reloads.reloaded").exists()
    assert (up(openrc, "reloads"), up(openrc, "web")) == (pid, web)
    assert failed.returncode == 1
    assert "web: unknown function `reload'" in failed.stderr


def test_a_daemon_without_a_pid_file(machine: SmallMachine, openrc: Asked) -> None:
    """OpenRC itself is asked for it: its start-stop-daemon, not Debian's, leaves such a record."""
    rc(machine, "nameless", "start")
    record = machine.root / "run/openrc/daemons/nameless"
    record.mkdir()
    (record / "001").write_text("exec=/sbin/openrc-init\nargv_0=openrc-init\npidfile=\n")
    up = openrc.look("nameless")
    (record / "001").write_text("exec=/bin/no-such\nargv_0=/bin/no-such\npidfile=\n")

    assert up == {"nameless": Observation("up", reason="started")}
    assert openrc.look("nameless") == {
        "nameless": Observation(
            "failed", reason="started, but its status action says: * status: crashed"
        )
    }


def test_a_glance_follows_the_real_thing(machine: SmallMachine, openrc: Asked) -> None:
    """The fingerprint changes with each of OpenRC's states, and at no other time."""
    rc(machine, "stopped", "stop")
    prints = [openrc.glance("stopped"), openrc.glance("stopped")]
    pid = started(machine, openrc, "stopped")
    prints += [openrc.glance("stopped"), openrc.glance("stopped")]
    kill(machine, pid)
    prints.append(openrc.glance("stopped"))
    openrc.look("stopped")
    openrc.do("stop", "stopped")
    prints.append(openrc.glance("stopped"))

    down, still_down, up, still_up, crashed, stopped = prints
    assert down == still_down == stopped
    assert up == still_up
    assert len({down, up, crashed}) == 3


def test_openrc_gone(machine: SmallMachine, openrc: Asked) -> None:
    """Without OpenRC's records nothing is known, and all is as before when they are back."""
    pid = started(machine, openrc, "web")
    machine.tell("mv", "/run/openrc", "/run/openrc.away")
    try:
        with pytest.raises(ManagerError) as raised:
            openrc.look("web")
    finally:
        machine.tell("mv", "/run/openrc.away", "/run/openrc")

    assert str(raised.value) == "there is no /run/openrc/softlevel: OpenRC is in no runlevel"
    assert openrc.look("web")["web"].pid == pid
