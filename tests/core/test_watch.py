"""Deaths by pidfd: of real processes, once each, and where there are no pidfds."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from inspect_agent.core.loop import Loop
from inspect_agent.core.watch import watch
from inspect_agent.errors import SourceError
from inspect_agent.model.target import Process
from inspect_agent.sources.process import machine_processes
from tests.core.looping import looping, run_until, turns
from tests.sources.living import FIRST_THREAD_ENDED, gone, living, python

PROCESSES = machine_processes()


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop in which nothing may raise."""
    with looping() as running:
        yield running


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Fails a test that leaves a descriptor open."""
    before = sorted(os.listdir("/proc/self/fd"))
    yield
    assert sorted(os.listdir("/proc/self/fd")) == before


class Deaths:
    """How often a death was told."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        """As `watch` tells it."""
        self.count += 1


def identified(pid: int) -> Process:
    """A living process."""
    process = PROCESSES.identify(pid)
    assert process is not None
    return process


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_kill_is_noticed_once(number: int) -> None:
    """Also of a process that nobody has waited for yet."""
    deaths = Deaths()
    with looping() as loop, living("/bin/sh", "-c", "echo ready; exec sleep 1000") as process:
        watched = watch(loop, identified(process.pid), PROCESSES.identify, deaths)
        turns(loop)
        assert (watched is None, deaths.count) == (False, 0)
        os.kill(process.pid, number)
        run_until(loop, lambda: deaths.count)
        turns(loop)
        assert watched is not None
        watched.close()
    assert deaths.count == 1


@pytest.mark.usefixtures("descriptors")
def test_a_watch_that_is_closed_tells_nothing() -> None:
    """Who lets a process go does not hear of it again; to close twice is harmless."""
    deaths = Deaths()
    with looping() as loop, living("/bin/sh", "-c", "echo ready; exec sleep 1000") as process:
        watched = watch(loop, identified(process.pid), PROCESSES.identify, deaths)
        assert watched is not None
        process.kill()
        process.wait()
        watched.close()
        watched.close()
        turns(loop)
    assert deaths.count == 0


@pytest.mark.usefixtures("descriptors")
def test_a_process_that_is_gone_already_is_told_in_the_loop() -> None:
    """Not before `watch` has returned."""
    deaths = Deaths()
    with looping() as loop:
        watched = watch(loop, Process(gone(), 1.0), PROCESSES.identify, deaths)
        assert (watched, deaths.count) == (None, 0)
        turns(loop)
    assert deaths.count == 1


@pytest.mark.usefixtures("descriptors")
def test_a_pid_that_was_given_away_is_a_death() -> None:
    """Between the moment it was learnt and the moment it was opened; the stranger is let alone."""
    deaths = Deaths()
    with looping() as loop, living("/bin/sh", "-c", "echo ready; exec sleep 1000") as process:
        stranger = identified(process.pid)
        known = stranger._replace(started_s=stranger.started_s - 5.0)
        assert watch(loop, known, PROCESSES.identify, deaths) is None
        assert deaths.count == 0
        turns(loop)
        process.kill()
        process.wait()
        turns(loop)
    assert deaths.count == 1


@pytest.mark.usefixtures("descriptors")
def test_a_process_that_may_not_be_looked_at_is_not_watched() -> None:
    """Where /proc hides it nobody can say whose the PID is."""

    def hidden(pid: int) -> Process | None:
        raise SourceError(f"process {pid}: Permission denied")

    deaths = Deaths()
    with looping() as loop:
        assert watch(loop, identified(os.getpid()), hidden, deaths) is None
        turns(loop)
    assert deaths.count == 0


def test_a_process_whose_first_thread_ended_lives(loop: Loop) -> None:
    """It is dead when its last thread is."""
    deaths = Deaths()
    with python(FIRST_THREAD_ENDED) as process:
        watched = watch(loop, identified(process.pid), PROCESSES.identify, deaths)
        turns(loop)
        assert deaths.count == 0
        process.kill()
        run_until(loop, lambda: deaths.count)
    assert watched is not None


@pytest.mark.parametrize("how", ["not in this Python", errno.ENOSYS, errno.EMFILE])
def test_without_pidfds_nothing_is_watched(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, how: str | int
) -> None:
    """None says so: the cycle finds out by PID and start time."""

    def refuse(pid: int) -> int:
        raise OSError(how, "refused")

    if isinstance(how, str):
        monkeypatch.delattr(os, "pidfd_open")
    else:
        monkeypatch.setattr(os, "pidfd_open", refuse)
    deaths = Deaths()
    assert watch(loop, identified(os.getpid()), PROCESSES.identify, deaths) is None
    turns(loop)
    assert deaths.count == 0


def test_two_hundred_deaths_at_once(loop: Loop) -> None:
    """Each is told once."""
    processes = [subprocess.Popen(["/bin/sleep", "1000"]) for _ in range(200)]
    deaths = [Deaths() for _ in processes]
    for process, death in zip(processes, deaths, strict=True):
        watch(loop, identified(process.pid), PROCESSES.identify, death)
    for process in processes:
        process.kill()
    run_until(loop, lambda: all(death.count for death in deaths))
    for process in processes:
        process.wait()
    turns(loop)
    assert [death.count for death in deaths] == [1] * 200
