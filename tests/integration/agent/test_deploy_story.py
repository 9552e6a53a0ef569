"""The deploy that ran old code: quiet, unpack, stop, switch the symlink, start, as Capistrano does.

The agent looks every second, and starts what is down. `stale` is there for those without a window.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.post import Postbox
from tests.integration.running import RunningAgent
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, exec_start

pytestmark = pytest.mark.systemd

EVERY_SECOND = {"cycle_time": "1s"}
OURS = r"sidekiq: (re)?start"
"""What the agent logs when it starts or restarts the service."""


class Shop:
    """A Sidekiq that works in the current release of an application.

    top   the application's folder, as the machine sees it
    """

    def __init__(self, machine: SystemdMachine, units: Units, top: Path) -> None:
        self._machine, self._units = machine, units
        self._folder = machine.root / top.relative_to("/")
        self.top, self.current = top, top / "current"
        self.unpack(1)
        self.switch(1)

    @property
    def rules(self) -> str:
        """What the agent is to do about it."""
        return (
            f"check service sidekiq with release {self.current}\n"
            "  if down then start, alert\n"
            "  if stale for 2 cycles then restart, alert\n"
        )

    def install(self) -> int:
        """The service is there, and runs; its PID."""
        service = f"Type=notify\nWorkingDirectory={self.current}\n{exec_start('quieted')}"
        return self._units.start("sidekiq", service)

    def works_in(self) -> Path:
        """The folder in which its process works."""
        return linked(self._machine, self._units.pid("sidekiq"), "cwd")

    def release(self, number: int) -> Path:
        """Where a release is."""
        return self.top / "releases" / str(number)

    # the steps of a deploy

    def quiet(self) -> None:
        """It takes no more work, and finishes what it has."""
        self._machine.systemctl("kill", "--kill-who=main", "--signal=TSTP", "sidekiq")

    def unpack(self, number: int) -> None:
        """The new code is there."""
        (self._folder / "releases" / str(number)).mkdir(parents=True)

    def stop(self) -> None:
        """It ends."""
        self._machine.systemctl("stop", "sidekiq")

    def switch(self, number: int) -> None:
        """The new code is the current one."""
        (self._folder / "next").symlink_to(f"releases/{number}")
        (self._folder / "next").rename(self._folder / "current")

    def start(self) -> None:
        """It runs, whoever has started it."""
        self._machine.systemctl("start", "sidekiq")

    def runs(self) -> bool:
        """Whether it does."""
        shown = self._machine.run(["systemctl", "is-active", "sidekiq"])
        return shown.stdout == "active\n"


@pytest.fixture
def shop(machine: SystemdMachine, units: Units, tmp_path: Path) -> Iterator[Shop]:
    """An application with one release."""
    top = Path("/srv") / tmp_path.name
    yield Shop(machine, units, top)
    shutil.rmtree(machine.root / top.relative_to("/"))


def linked(machine: SystemdMachine, pid: int, name: str) -> Path:
    """Where a link of a process in /proc leads, as the machine sees it."""
    return Path(machine.run(["readlink", f"/proc/{pid}/{name}"]).stdout.rstrip("\n"))


def said(ran: subprocess.CompletedProcess[str]) -> str:
    """What inspectctl says where it succeeds."""
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


@pytest.mark.parametrize("killed", [False, True], ids=["", "the agent is killed in the gap"])
def test_a_deploy_inside_of_a_window(
    machine: SystemdMachine, shop: Shop, inside: Path, post: Postbox, killed: bool
) -> None:
    """Nothing is started in the gap, nothing is told, and the new process is accepted."""
    before = shop.install()
    with RunningAgent(inside, shop.rules, post.send(), EVERY_SECOND, machine) as agent:
        agent.up("sidekiq")
        opened = said(agent.ctl("start", "deploy", "sidekiq"))
        shop.quiet()
        shop.unpack(2)
        shop.stop()
        if killed:
            agent.kill()
            agent.start()
        agent.service("sidekiq", lambda sidekiq: sidekiq["state"] == "down")
        agent.cycles(1)
        ran_in_the_gap = shop.runs()
        shop.switch(2)
        shop.start()
        closed = said(agent.ctl("finish", "deploy", "sidekiq"))
        after = agent.up("sidekiq", but=before)
        agent.cycles(2)
        shown = agent.service("sidekiq", lambda sidekiq: sidekiq["freshness"][0]["holds"] is False)

        assert opened == "Starting deploy, now silenced (sidekiq): 5m\n"
        assert closed == "Finished deploy, watching again (sidekiq)\n"
        assert not ran_in_the_gap
        assert agent.lines(OURS) == []
        assert post.rest() == []
        assert (shown["state"], shown["pid"], shown["refused"]) == ("up", after, "")
        assert shop.works_in() == shop.release(2)


def test_a_deploy_without_a_window(
    machine: SystemdMachine, shop: Shop, inside: Path, post: Postbox
) -> None:
    """The agent starts last week's code in the gap; once the symlink is switched it finds that."""
    before = shop.install()
    with RunningAgent(inside, shop.rules, post.send(), EVERY_SECOND, machine) as agent:
        agent.up("sidekiq")
        shop.quiet()
        shop.unpack(2)
        shop.stop()
        in_the_gap = agent.up("sidekiq", but=before)
        ran = shop.works_in()
        shop.switch(2)
        shop.start()
        after = agent.up("sidekiq", but=in_the_gap)
        told = post.told(6)
        why = f"process {in_the_gap} works in {ran}, the release is {shop.release(2)}"

        assert ran == shop.release(1)
        assert shop.works_in() == shop.release(2)
        assert told == [
            "CRITICAL sidekiq: not running",
            "CRITICAL sidekiq: down",
            "RECOVERED sidekiq: down",
            "RECOVERED sidekiq: running again",
            "CRITICAL sidekiq: stale for 2 cycles",
            "RECOVERED sidekiq: stale for 2 cycles",
        ]
        assert any(why in mail.text for mail in post.read)
        assert agent.up("sidekiq") == after
        assert agent.say(b"status\n").count("stale") == 1


def test_a_release_behind_a_wrapper(
    machine: SystemdMachine, units: Units, shop: Shop, inside: Path
) -> None:
    """Where `su` is the main process, and stays in /, the process that it has started tells."""
    command = exec_start("leaky", "32").removeprefix("ExecStart=")
    script = f"cd {shop.current} && {command}; true"
    units.start("sidekiq", f"ExecStart=/bin/su root -s /bin/sh -c '{script}'")
    rules = (
        f"check service sidekiq with release {shop.current}\n  if stale for 3 cycles then alert\n"
    )
    with RunningAgent(inside, rules, place=machine) as agent:
        fresh = agent.service("sidekiq", lambda one: one["freshness"][0]["holds"] is False)
        shop.unpack(2)
        shop.switch(2)
        agent.logged("sidekiq: stale for 3 cycles is true")
        stale = agent.service("sidekiq", lambda one: one["freshness"][0]["holds"])

        where = f"works in {shop.release(1)}, the release is {shop.release(2)}"
        assert agent.lines("stale for 3 cycles") == ["sidekiq: stale for 3 cycles is true"]
        assert fresh["pid"] == stale["pid"]
        assert stale["freshness"][0]["why"].endswith(where)
        assert f"process {stale['pid']} works" not in stale["freshness"][0]["why"]


def test_a_program_that_was_upgraded(
    machine: SystemdMachine, units: Units, shop: Shop, inside: Path
) -> None:
    """A service whose program was replaced is restarted, and runs the new one."""
    program = shop.top / "tool"
    held = machine.root / program.relative_to("/")
    shutil.copy2("/bin/sleep", held)
    before = units.start("tool", f"ExecStart={program} infinity")
    shutil.copy2("/bin/sleep", held.with_name("fresh"))
    held.with_name("fresh").rename(held)
    rules = "check service tool\n  if outdated then restart\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.logged("tool: outdated is true")
        agent.up("tool", but=before)
        shown = agent.service("tool", lambda tool: tool["freshness"][0]["holds"] is False)

        assert shown["rules"][0]["phase"] == "ok"
        assert linked(machine, shown["pid"], "exe") == program
