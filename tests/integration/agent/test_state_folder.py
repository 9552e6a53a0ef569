"""A state folder that takes nothing: the agent goes on, says so, and catches up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.post import Postbox
from tests.integration.running import RunningAgent
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, exec_start

pytestmark = pytest.mark.systemd


@pytest.fixture
def disk(machine: SystemdMachine, inside: Path) -> Callable[[str], None]:
    """A small disk of its own for the agent's state: mounts it, or mounts it anew."""
    state = inside / "state"

    def mount(options: str) -> None:
        (machine.root / str(state).lstrip("/")).mkdir(parents=True, exist_ok=True)
        mounted = machine.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(state)])
        assert mounted.returncode == 0, mounted.stderr

    return mount


def fill(folder: Path) -> Path:
    """Fills a disk to its last byte; the file to remove."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 512):
                pass
        except OSError:
            return filler
    raise AssertionError("the disk takes everything")


def test_a_disk_that_is_full(
    machine: SystemdMachine,
    units: Units,
    inside: Path,
    post: Postbox,
    disk: Callable[[str], None],
) -> None:
    """On a full disk a death is told all the same; with room again the next agent knows of it."""
    before = units.start("web", exec_start("idle"))
    rules = "check service web\n  if failed then start\n"
    disk("size=1m")
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        agent.up("web")
        agent.cycles(1)
        filler = fill(agent.reach(inside / "state"))
        units.kill("web")
        after = agent.up("web", but=before)
        assert post.told(2) == ["CRITICAL web: not running", "RECOVERED web: running again"]
        filler.unlink()
        agent.until(lambda status: not status["not_durable"])
        agent.kill()
        agent.start()
        agent.cycles(3)

        # what fits on the last page is kept all the same
        assert "not durable: database or disk is full" in agent.lines("durable")
        assert agent.up("web") == after
        assert post.rest() == []


def test_a_disk_that_cannot_be_written_to(
    machine: SystemdMachine,
    units: Units,
    inside: Path,
    post: Postbox,
    disk: Callable[[str], None],
) -> None:
    """On a read-only disk the agent starts, watches and tells; it keeps its state when it can."""
    units.start("web", exec_start("idle"))
    disk("size=1m,ro")
    with RunningAgent(inside, "check service web\n", post.send(), place=machine) as agent:
        machine.systemctl("stop", "web")
        assert post.told(1) == ["CRITICAL web: not running"]
        shown = agent.say(b"status\n")
        machine.run(["mount", "-o", "remount,rw", str(inside / "state")])
        agent.until(lambda status: not status["not_durable"])
        agent.kill()
        agent.start()
        agent.cycles(3)

        assert shown.splitlines()[1].startswith("Not durable: ")
        assert post.rest() == []


@pytest.mark.parametrize("ending", ["end", "kill"])
@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_a_start_on_a_disk_that_takes_nothing(
    machine: SystemdMachine,
    units: Units,
    inside: Path,
    disk: Callable[[str], None],
    trouble: str,
    ending: str,
) -> None:
    """What lies on it is known all the same: a service in its window is not started."""
    units.start("web", exec_start("idle"))
    rules = "check service web\n  if down then start\n"
    disk("size=1m")
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up("web")
        agent.ask("start deploy", "web")
        machine.systemctl("stop", "web")
        agent.service("web", lambda web: web["state"] == "down")
        agent.stop() if ending == "end" else agent.kill()
        if trouble == "full":
            fill(agent.reach(inside / "state"))
        else:
            machine.run(["mount", "-o", "remount,ro", str(inside / "state")])
        agent.start()
        agent.cycles(3)
        status = agent.export()
        if trouble == "read-only":
            machine.run(["mount", "-o", "remount,rw", str(inside / "state")])

        assert [window["name"] for window in status["silences"]] == ["web"]
        assert [line for line in status["problems"] if "Lost" in line] == []
        assert agent.lines("web: start") == []


def test_a_state_folder_that_cannot_be_made(tmp_path: Path, post: Postbox) -> None:
    """Where the state folder cannot be, the agent watches and tells, and says what is wrong."""
    (tmp_path / "file").write_text("in its way")
    settings = {"state_dir": str(tmp_path / "file/state")}
    rules = f'check service gone with pidfile "{tmp_path}/none.pid"\n'
    with RunningAgent(tmp_path / "agent", rules, post.send(), settings) as agent:
        assert post.told(1) == ["CRITICAL gone: not running"]
        assert agent.say(b"status\n").splitlines()[1].startswith("Not durable: ")


def test_a_damaged_ledger_is_set_aside(tmp_path: Path, post: Postbox) -> None:
    """A ledger that cannot be read is kept for whoever wants to see it, and a new one begun."""
    rules = f'check service gone with pidfile "{tmp_path}/none.pid"\n'
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        assert post.told(1) == ["CRITICAL gone: not running"]
        agent.stop()
        ledger = agent.folder / "state/state.db"
        ledger.write_bytes(b"this is no database, " * 500)
        agent.start()
        agent.logged("state.db could not be used: file is not a database; kept as ")

        assert sorted(post.told(2)) == [
            "CRITICAL gone: not running",
            "WARNING agent: state lost, repairs wait",
        ]
        assert (agent.folder / "state/state.db.damaged-1").read_bytes().startswith(b"this is no")
