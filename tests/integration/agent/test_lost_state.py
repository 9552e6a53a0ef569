"""State that was cut off, spoilt or cannot be read: the agent starts, says so, repairs nothing.

What it was to leave alone may have been forgotten with the rest: so nothing is started or restarted
before a deploy's time has passed, or an operator says that nothing is being deployed.
"""

from __future__ import annotations

import os
import random
import shlex
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemons import Daemons
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent, named

STEP = 512
START = "  if down then start\n"
REFUSED = "start {0} refused, STATE_LOST: state was lost, and with it perhaps a deploy window"
SUFFIXES = ("", "-wal", "-shm", "-commits")


class Deploy:
    """An agent that was killed in the middle of a deploy, and its state to be spoilt.

    Of its three services one runs, one is stopped in its window, and one is not monitored.
    """

    def __init__(self, folder: Path, workers: Daemons, sends: str = "") -> None:
        self._starts, self._workers = folder / "starts", workers
        self.pid = workers.run("runs")
        for name in ("stopped", "alone"):
            workers.run(name)
        rules = "".join(self._check(name) for name in ("runs", "stopped", "alone"))
        self.agent = RunningAgent(folder / "agent", rules, sends)
        self.state, self._kept = self.agent.folder / "state", folder / "kept"

    def begin(self) -> None:
        """Up to the kill -9."""
        agent = self.agent
        agent.start()
        for name in ("stopped", "alone"):
            agent.up(name)
        agent.ask("start deploy", "stopped", "for", "1h")
        agent.ask("unmonitor", "alone")
        for name in ("stopped", "alone"):
            os.kill(self._workers.pid(name), signal.SIGKILL)
            agent.service(name, lambda service: service["state"] == "failed")
        agent.cycles(1)
        agent.kill()
        self.keep()

    def keep(self) -> None:
        """Its state is that to be restored, from now on."""
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self.state, self._kept)

    def restore(self) -> Path:
        """The state as it was kept; state.db."""
        shutil.rmtree(self.state)
        shutil.copytree(self._kept, self.state)
        return self.state / "state.db"

    def started(self) -> list[str]:
        """The services that were started since the kill, by name."""
        return self._starts.read_text().split() if self._starts.exists() else []

    def judge(self) -> dict[str, Any]:
        """Starts the agent and kills it after some cycles: nothing may have been repaired."""
        self.agent.start()
        self.agent.cycles(2)
        status = self.agent.export()
        (runs,) = named(status, "runs")
        assert (self.started(), runs["pid"]) == ([], self.pid)
        silent = {window["name"] for window in status["silences"]} | {*status["unmonitored"]}
        assert status["no_repairs_until"] or silent == {"stopped", "alone"}
        told = [problem for problem in status["problems"] if problem.startswith("Lost when")]
        assert bool(told) is bool(status["no_repairs_until"])
        self.agent.kill()
        return status

    def _check(self, name: str) -> str:
        count = f'echo {name} >> {shlex.quote(str(self._starts))}; exec \\"$@\\"'
        check = self._workers.check(name).replace('start "', f"start \"/bin/sh -c '{count}' sh ")
        return check + START


@pytest.fixture
def deploy(tmp_path: Path, workers: Daemons) -> Iterator[Deploy]:
    """One that was killed."""
    one = Deploy(tmp_path, workers)
    with one.agent.ending():
        one.begin()
        yield one


def lengths(path: Path, count: int) -> list[int]:
    """At which every 512th byte a file is cut off."""
    places = range(0, path.stat().st_size, STEP)
    return sorted(random.Random(2).sample(places, min(count, len(places))))


def cut(path: Path, length: int) -> None:
    """Cuts it off."""
    with path.open("r+b") as file:
        file.truncate(length)


EVERY = pytest.param(1 << 30, marks=[pytest.mark.acceptance, pytest.mark.timeout(3000)])


def test_nothing_is_missing(deploy: Deploy) -> None:
    """After the kill alone the window is open and the other service is left alone."""
    status = deploy.judge()
    assert (status["no_repairs_until"], status["problems"]) == (None, [])


@pytest.mark.parametrize("count", [4, EVERY])
def test_the_log_is_cut_anywhere(deploy: Deploy, count: int) -> None:
    """What was committed last is missing: the agent starts, says so, and repairs nothing."""
    for length in lengths(deploy.restore().with_name("state.db-wal"), count):
        path = deploy.restore()
        cut(path.with_name("state.db-wal"), length)
        status = deploy.judge()
        assert status["no_repairs_until"]
        assert " changes of state.db are gone" in status["problems"][0]


@pytest.mark.parametrize("count", [4, EVERY])
def test_the_file_is_cut_anywhere(deploy: Deploy, count: int) -> None:
    """After an end in peace, too; what is left of it is kept for whoever wants to see it."""
    deploy.agent.start()
    assert deploy.agent.stop() == 0
    deploy.keep()
    for length in lengths(deploy.state / "state.db", count):
        cut(deploy.restore(), length)
        status = deploy.judge()
        if status["no_repairs_until"]:  # not so where SQLite has an unused page at the end
            assert "state.db.damaged-1" in status["problems"][0]
            assert (deploy.state / "state.db.damaged-1").stat().st_size == length


@pytest.mark.parametrize("seeds", [range(4), pytest.param(range(200), marks=EVERY.marks)])
def test_bytes_are_others(deploy: Deploy, seeds: range) -> None:
    """Eight of them, anywhere in the file and its log: nothing of what is wrong is believed."""
    for seed in seeds:
        dice, path = random.Random(seed), deploy.restore()
        for suffix in dice.choices(("", "-wal"), k=8):
            spoilt = path.with_name(f"state.db{suffix}")
            data = bytearray(spoilt.read_bytes())
            data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
            spoilt.write_bytes(data)
        deploy.judge()


def empty(path: Path) -> None:
    """As a disk that was full leaves it."""
    path.write_bytes(b"")


def newer(path: Path) -> None:
    """Written by a version to come."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def folder(path: Path) -> None:
    """A folder in its place."""
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (Path.unlink, "state.db is gone"),
        (empty, "state.db is empty; kept as "),
        (newer, "state.db could not be used: written by a newer version (format 99); kept as "),
        (folder, "state.db could not be used: unable to open database file; kept as "),
    ],
)
def test_what_is_no_ledger_of_ours(deploy: Deploy, spoil: Callable[[Path], None], why: str) -> None:
    """Each is told for what it is; the next start finds nothing missing."""
    spoil(deploy.restore())
    (problem,) = deploy.judge()["problems"]
    assert problem.startswith(f"Lost when the agent started: {why}")
    deploy.agent.start()
    status = deploy.agent.export()
    assert (status["problems"], bool(status["no_repairs_until"])) == ([], True)


def test_the_owner_is_told_and_may_end_the_wait(
    tmp_path: Path, workers: Daemons, post: Postbox
) -> None:
    """Once, by an alert; deaths are told as ever. `finish deploy` says that nothing is open."""
    deploy = Deploy(tmp_path, workers, post.send())
    agent = deploy.agent
    with agent.ending():
        deploy.begin()
        post.rest()
        empty(deploy.restore())
        agent.start()
        agent.logged(REFUSED.format("stopped"))
        lost = post.next()
        assert lost.headlines == ("WARNING agent: state lost, repairs wait",)
        assert "state was lost: nothing is repaired for 5m" in lost.text
        assert "state.db is empty; kept as " in lost.text
        shown = agent.say(b"status\n").splitlines()
        assert shown[1].startswith("No repairs until: 20")
        assert shown[2].startswith("Lost when the agent started: state.db is empty; kept as ")
        assert sorted(post.told(2)) == [
            "CRITICAL alone: not running",
            "CRITICAL stopped: not running",
        ]
        agent.restart()
        assert deploy.started() == []
        agent.ask("finish deploy")
        agent.up("stopped")
        agent.up("alone")
        assert sorted(deploy.started()) == ["alone", "stopped"]
        assert not any("state lost" in line for mail in post.rest() for line in mail.headlines)


def test_a_start_that_nobody_remembers_is_not_made_twice(tmp_path: Path, workers: Daemons) -> None:
    """The agent is killed while its command runs, and its log is lost: the command ends alone."""
    gate, starts = tmp_path / "gate", tmp_path / "starts"
    os.mkfifo(gate)
    slow = f"echo x >> {starts}; read open < {gate}; exec "
    check = workers.check("worker", also="timeout 60s").replace(
        'start "', f'start "/bin/sh -c \'{slow}\\"$@\\"\' sh '
    )
    pid = workers.run("worker")
    with RunningAgent(tmp_path / "agent", check + START) as agent:
        agent.up("worker")
        os.kill(pid, signal.SIGKILL)
        agent.log.until(starts.exists, lambda: "it is not being started")
        agent.kill()
        cut(agent.folder / "state" / "state.db-wal", 0)
        agent.start()
        agent.logged(REFUSED.format("worker"))
        agent.cycles(2)
        with gate.open("w") as opened:
            opened.write("now\n")
        agent.up("worker", but=pid)
        assert starts.read_text() == "x\n"
