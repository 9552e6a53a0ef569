"""The init.d manager against real init scripts: redis-server's own, as Debian ships it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspect_agent.managers import detect
from inspect_agent.model.observation import Observation, Status
from inspect_agent.model.rule import Verb
from tests.integration.asking import HOSTILE, Asked, asked, refused
from tests.integration.initd_machine import REDIS, REDIS_CONF, REDIS_PID, initd_machine, script
from tests.integration.scandirs import until
from tests.integration.small_machine import SmallMachine

SCRIPTS = {
    "web": script("web"),
    "quiet": "#!/bin/sh\n# pidfile: none\n",
    "lies": '#!/bin/sh\ncase "$1" in status) echo "lies is running"; ;; esac\n',
}
NOT_RUNNING = Observation(
    "down",
    reason="stopped or crashed: its status action says: redis-server is not running ... failed!",
    ambiguous=True,
)


@pytest.fixture(scope="module")
def machine() -> Iterator[SmallMachine]:
    """A machine with init scripts."""
    with initd_machine(SCRIPTS) as booted:
        yield booted


@pytest.fixture(scope="module")
def initd(machine: SmallMachine) -> Iterator[Asked]:
    """The manager, inside of it."""
    with asked(machine, "init.d") as manager:
        yield manager


@pytest.fixture
def redis(machine: SmallMachine, initd: Asked) -> Iterator[int]:
    """A redis-server that its script has started; its PID."""
    machine.tell(f"/etc/init.d/{REDIS}", "start")
    pid = where(initd, "up").pid
    assert pid is not None
    yield pid
    machine.tell(f"/etc/init.d/{REDIS}", "stop")


def where(initd: Asked, status: Status) -> Observation:
    """Waits until redis-server is there: it writes its PID file when its script has ended."""
    return until(lambda: initd.look(REDIS)[REDIS], lambda seen: seen.status == status)


def kill(machine: SmallMachine, pid: int) -> None:
    """Kills a process of the machine, and waits until its init has reaped it."""
    machine.tell("kill", "-KILL", str(pid))
    until((machine.root / f"proc/{pid}").exists, lambda there: not there)


def test_it_is_detected(machine: SmallMachine, initd: Asked) -> None:
    """It runs where there are scripts; all that can be run are services, but those of OpenRC."""
    loaded = initd.loaded()
    assert detect.initd(str(machine.root))
    assert {REDIS, *SCRIPTS} <= set(loaded)
    assert not {"agetty", ".depend.start"} & set(loaded)


def test_a_stopped_service(initd: Asked) -> None:
    """Without its PID file the script is asked, which cannot know why it does not run."""
    assert initd.look(REDIS) == {REDIS: NOT_RUNNING}


def test_a_running_service(machine: SmallMachine, initd: Asked, redis: int) -> None:
    """The PID file that the script names is found, variables and all."""
    assert initd.look(REDIS) == {REDIS: Observation("up", redis, f"PID file /{REDIS_PID}")}
    assert machine.tell("cat", f"/proc/{redis}/comm") == "redis-server\n"


def test_a_crash(machine: SmallMachine, initd: Asked, redis: int) -> None:
    """A killed server leaves its PID file, so it is told from one that was stopped."""
    before = initd.glance(REDIS)
    kill(machine, redis)

    assert initd.look(REDIS) == {
        REDIS: Observation(
            "failed", reason=f"process {redis} of /{REDIS_PID} is gone", ambiguous=True
        )
    }
    assert initd.glance(REDIS) != before


def test_start_stop_restart(machine: SmallMachine, initd: Asked) -> None:
    """Commands start, stop and restart; a restart starts what is stopped; a start is no restart."""
    pids = []
    verbs: tuple[Verb, ...] = ("start", "start", "restart", "stop", "restart", "stop")
    for verb in verbs:
        ran = initd.do(verb, REDIS)
        assert ran.returncode == 0, ran.stderr
        pids.append(where(initd, "down" if verb == "stop" else "up").pid)

    assert pids[0] == pids[1]
    assert pids[3] is pids[5] is None
    assert len({pids[0], pids[2], pids[4], None}) == 4


def test_a_start_that_fails_with_exit_status_0(machine: SmallMachine, initd: Asked) -> None:
    """redis-server's script says `failed`, ends with 0 and leaves an empty PID file: it is down."""
    conf = machine.root / "etc/redis/redis.conf"
    conf.write_text("garbage\n")
    ran = initd.do("start", REDIS)
    empty = (machine.root / REDIS_PID).read_text()
    seen = initd.look(REDIS)
    conf.write_text(REDIS_CONF)
    (machine.root / REDIS_PID).unlink()

    assert (ran.returncode, ran.stdout) == (0, "Starting redis-server: failed\n")
    assert empty == ""
    assert seen == {REDIS: NOT_RUNNING}


def test_reload(machine: SmallMachine, initd: Asked, redis: int) -> None:
    """A reload is the script's own; one without says how it is used, and fails."""
    failed = initd.do("reload", REDIS)
    reloaded = initd.do("reload", "web")

    assert failed.returncode == 1
    assert failed.stderr.endswith("{start|stop|restart|force-reload|status}\n")
    assert reloaded.returncode == 0
    assert (machine.root / "run/web.reloaded").exists()
    assert initd.look(REDIS)[REDIS].pid == redis


def test_scripts_that_cannot_tell(initd: Asked) -> None:
    """Each for itself is unknown with the reason, or believed where nothing speaks against it."""
    assert initd.look("quiet", "lies") == {
        "quiet": Observation(
            "unknown",
            reason="/etc/init.d/quiet names no PID file and has no status action,"
            " and there is no /run/quiet.pid or /run/quiet/quiet.pid",
        ),
        "lies": Observation("up", reason="its status action says: lies is running"),
    }


def test_hostile_names(machine: SmallMachine, initd: Asked) -> None:
    """Names that could be more than a name are no services, and no command is made of them."""
    assert initd.look(*HOSTILE) == refused(HOSTILE)
    commands = {name: initd.command("restart", name) for name in HOSTILE}
    assert commands == dict.fromkeys(HOSTILE)


def test_a_script_that_others_may_write(machine: SmallMachine, initd: Asked) -> None:
    """It is not run as root, not even for its status."""
    path = machine.root / "etc/init.d/evil"
    path.write_text('#!/bin/sh\ntouch /run/evil; case "$1" in status) ;; esac\n')
    os.chmod(path, 0o777)

    assert initd.look("evil") == {
        "evil": Observation(
            "unknown", reason="/etc/init.d/evil may be written by others, so it is not run as root"
        )
    }
    assert not Path(machine.root / "run/evil").exists()


def test_a_script_that_is_gone(machine: SmallMachine, initd: Asked, redis: int) -> None:
    """Without its script a service is absent, and there again with it."""
    machine.tell("mv", f"/etc/init.d/{REDIS}", "/run/away")
    try:
        without = initd.look(REDIS)
    finally:
        machine.tell("mv", "/run/away", f"/etc/init.d/{REDIS}")

    assert without == {
        REDIS: Observation("absent", reason="there is no executable redis-server in /etc/init.d")
    }
    assert initd.look(REDIS)[REDIS].pid == redis
