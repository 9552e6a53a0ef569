"""Signals to real processes: the right one, and no other."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator

import pytest

from inspect_agent.core.repairs.signalling import send
from inspect_agent.errors import SourceError, StepError
from inspect_agent.model.target import Process
from inspect_agent.sources.process import machine_processes
from tests.sources.living import FIRST_THREAD_ENDED, gone, identified, living, python, zombie

PROCESSES = machine_processes()

# says which signals it gets, each on a line of its own
LISTENS = """
import signal
for name in ("SIGTSTP", "SIGUSR1", "SIGTERM"):
    signal.signal(getattr(signal, name), lambda number, frame: print(number, flush=True))
print("ready", flush=True)
while True:
    signal.pause()
"""
SLEEPS = ("/bin/sh", "-c", "echo ready; exec sleep 1000")


@pytest.fixture(autouse=True)
def _descriptors() -> Iterator[None]:
    """Fails a test that leaves a descriptor open."""
    before = sorted(os.listdir("/proc/self/fd"))
    yield
    assert sorted(os.listdir("/proc/self/fd")) == before


@pytest.fixture(params=["pidfd", "not in this Python", errno.ENOSYS, errno.EMFILE])
def _pidfds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With pidfds, and with the several ways to have none."""
    how = request.param

    def refuse(pid: int) -> int:
        raise OSError(how, "refused")

    if how == "not in this Python":
        monkeypatch.delattr(os, "pidfd_open")
    elif how != "pidfd":
        monkeypatch.setattr(os, "pidfd_open", refuse)


@pytest.mark.usefixtures("_pidfds")
@pytest.mark.parametrize("name", ["TSTP", "USR1", "TERM"])
def test_a_process_gets_the_signal(name: str) -> None:
    """The one that was named, once; a process that catches it lives on."""
    with python(LISTENS) as process:
        send(identified(PROCESSES, process.pid), name, PROCESSES.identify)
        assert process.stdout is not None
        assert int(process.stdout.readline()) == getattr(signal, f"SIG{name}")
        assert process.poll() is None


@pytest.mark.usefixtures("_pidfds")
def test_a_process_dies_of_kill() -> None:
    """Whatever it does."""
    with living(*SLEEPS) as process:
        send(identified(PROCESSES, process.pid), "KILL", PROCESSES.identify)
        assert process.wait() == -signal.SIGKILL


def test_a_process_whose_first_thread_ended_is_signalled() -> None:
    """It lives as long as its last thread."""
    with python(FIRST_THREAD_ENDED) as process:
        send(identified(PROCESSES, process.pid), "KILL", PROCESSES.identify)
        assert process.wait() == -signal.SIGKILL


@pytest.mark.usefixtures("_pidfds")
def test_a_stranger_with_the_same_pid_gets_none() -> None:
    """A PID alone may have been given away since it was learnt."""
    with living(*SLEEPS) as process:
        stranger = identified(PROCESSES, process.pid)
        known = stranger._replace(started_s=stranger.started_s - 5.0)
        with pytest.raises(StepError, match=f"^process {process.pid} has ended$"):
            send(known, "KILL", PROCESSES.identify)
        assert process.poll() is None


@pytest.mark.usefixtures("_pidfds")
def test_a_process_that_is_gone() -> None:
    """Whether somebody has waited for it or not."""
    with zombie() as pid:
        for dead in (pid, gone()):
            with pytest.raises(StepError, match=f"^process {dead} has ended$"):
                send(Process(dead, 1.0), "TERM", PROCESSES.identify)


@pytest.mark.parametrize(("pid", "whose"), [(1, "init"), (os.getpid(), "this agent")])
def test_init_and_the_agent_itself_get_none(pid: int, whose: str) -> None:
    """Whatever a PID file or a manager says."""
    own = identified(PROCESSES, pid)
    with pytest.raises(StepError) as refused:
        send(own, "KILL", PROCESSES.identify)
    assert str(refused.value) == f"process {pid} is {whose}, which gets no signals from rules"


@pytest.mark.parametrize("name", ["NOSUCH", "_IGN", "nal", ""])
def test_a_signal_that_there_is_not(name: str) -> None:
    """Another system may have had it."""
    with pytest.raises(StepError, match=f"^this system has no signal {name}$"):
        send(Process(gone(), 1.0), name, PROCESSES.identify)


def test_a_process_that_may_not_be_looked_at() -> None:
    """Where /proc hides it nobody can say whose the PID is."""

    def hidden(pid: int) -> Process | None:
        raise SourceError(f"process {pid}: Permission denied")

    with living(*SLEEPS) as process:
        known = identified(PROCESSES, process.pid)
        with pytest.raises(StepError) as refused:
            send(known, "KILL", hidden)
        assert process.poll() is None
    why = f"process {process.pid}: Permission denied"
    assert str(refused.value) == f"process {process.pid} cannot be signalled: {why}"


@pytest.mark.usefixtures("_pidfds")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_process_of_somebody_else() -> None:
    """An agent that is not root may not signal everybody."""
    with living(*SLEEPS) as process:
        known = identified(PROCESSES, process.pid)
        os.setresuid(65534, 65534, 0)
        try:
            with pytest.raises(StepError) as refused:
                send(known, "KILL", PROCESSES.identify)
        finally:
            os.setresuid(0, 0, 0)
        assert process.poll() is None
    why = "Operation not permitted"
    assert str(refused.value) == f"process {process.pid} cannot be signalled: {why}"
