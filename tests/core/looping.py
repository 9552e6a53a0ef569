"""A real loop for tests: run until something has happened, and everything put back."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inspect_agent import clock
from inspect_agent.core.loop import Loop

PATIENCE_S = 30.0
"""A test that waits longer has failed."""


class Reports:
    """What a loop was told of callbacks that raised."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, where: str, error: BaseException) -> None:
        """As Loop tells it."""
        self.texts.append(f"{where}: {error!r}")


@contextmanager
def looping(now: Callable[[], float] = clock.now, reports: Reports | None = None) -> Iterator[Loop]:
    """A loop whose signal handlers and descriptors are given back; nothing may raise in it."""
    told = reports if reports is not None else Reports()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGCHLD, signal.SIGUSR1)}
    loop = Loop(now, told)
    try:
        yield loop
    finally:
        loop.close()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if reports is None:
        assert told.texts == []


def run_until(loop: Loop, done: Callable[[], object]) -> None:
    """Turns the loop until `done()` is true."""
    late: list[bool] = []
    deadline = loop.call_later(PATIENCE_S, lambda: late.append(True))
    while not done():
        assert not late, "what the test waits for did not happen"
        loop.turn()
    deadline.cancel()


class FakeClock:
    """Time that passes when it is told to: now on the loop's clock, wall for people."""

    def __init__(self, now: float = 1000.0, wall: float = 1795254531.0) -> None:
        self.now = now
        self._wall_at_zero = wall - now

    def __call__(self) -> float:
        """Seconds, as a loop reads them."""
        return self.now

    def wall(self) -> float:
        """Seconds since 1970."""
        return self._wall_at_zero + self.now

    def boot(self, now: float) -> float:
        """The loop's clock begins anew, wall time goes on; by how much they parted."""
        parted = self.now - now
        self._wall_at_zero += parted
        self.now = now
        return parted


def spin(loop: Loop, done: Callable[[], object]) -> None:
    """Turns a loop on a fake clock until `done()` is true, without waiting for its timers."""
    late = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < late, "what the test waits for did not happen"
        turns(loop, 1)


def turns(loop: Loop, count: int = 5) -> None:
    """Some turns that wait for nothing."""
    for _ in range(count):
        loop.call_soon_threadsafe(_nothing)
        loop.turn()


def _nothing() -> None:
    """Wakes the loop."""


def has_ended(pid: int) -> bool:
    """Waits for the end of any process; whether it came."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], PATIENCE_S)[0])
    finally:
        os.close(fd)
