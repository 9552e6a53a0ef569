"""The one loop of the core: descriptors, timers, signals, and calls from the ledger's thread.

Nothing here waits but the selector. A callback that raises is reported and never stops the loop.
"""

from __future__ import annotations

import contextlib
import heapq
import selectors
import signal
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count

from inspect_agent.typed import Any

Callback = Callable[[], object]


class Timer:
    """A call in the future; `cancel` forgets it."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callback) -> None:
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        """The call will not be made; harmless when it has been."""
        self.callback = None


class Loop:
    """`now` gives the time that timers are set by; `report` is told of a callback that raised."""

    def __init__(
        self, now: Callable[[], float], report: Callable[[str, BaseException], None]
    ) -> None:
        self.now = now
        self._report = report
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._soon: deque[Callback] = deque()
        self._signals: dict[int, Callback] = {}
        self._arrived: set[int] = set()
        self._running = True
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self.add_reader(self._woken.fileno(), self._drain)

    def add_reader(self, fd: int, callback: Callback) -> None:
        """Calls back whenever `fd` can be read; one callback a descriptor."""
        self._watch(fd, selectors.EVENT_READ, callback)

    def add_writer(self, fd: int, callback: Callback) -> None:
        """Calls back whenever `fd` can be written."""
        self._watch(fd, selectors.EVENT_WRITE, callback)

    def remove(self, fd: int) -> None:
        """No more callbacks for `fd`; before it is closed."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def call_at(self, when: float, callback: Callback) -> Timer:
        """Calls back once, when the clock is at `when` or later."""
        timer = Timer(callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def call_later(self, delay_s: float, callback: Callback) -> Timer:
        """Calls back once, in so many seconds."""
        return self.call_at(self.now() + delay_s, callback)

    def call_soon_threadsafe(self, callback: Callback) -> None:
        """Calls back in the loop's own thread; for the ledger's."""
        self._soon.append(callback)
        with contextlib.suppress(OSError):  # full of wake-ups: the loop will wake; or it is closed
            self._wake.send(b"\0")

    def on_signal(self, number: int, callback: Callback) -> None:
        """Calls back in the loop when the signal arrives."""
        self._signals[number] = callback
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        # the descriptor only wakes: full of calls from other threads it takes no more numbers
        signal.signal(number, lambda *_: self._arrived.add(number))

    def stop(self) -> None:
        """Ends `run` after the callback that says so."""
        self._running = False

    def run(self) -> None:
        """Runs until `stop`."""
        while self._running:
            self.turn()

    def turn(self) -> None:
        """Waits for what comes first, and makes its calls."""
        watched = self._selector.get_map()
        for key, _ in self._selector.select(self._patience()):
            if watched.get(key.fd) is key:  # else a callback of this turn has removed it
                self._call(key.data)
        now = self.now()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.callback is not None:
                self._call(timer.callback)

    def close(self) -> None:
        """Gives the descriptors back."""
        if self._signals:
            signal.set_wakeup_fd(-1)
        self._selector.close()
        self._woken.close()
        self._wake.close()

    def _watch(self, fd: int, event: int, callback: Callback) -> None:
        if fd in self._selector.get_map():
            self._selector.modify(fd, event, callback)
        else:
            self._selector.register(fd, event, callback)

    def _patience(self) -> float | None:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - self.now()) if self._timers else None

    def _call(self, callback: Callback) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001 (one thing that raises must not stop the rest)
            self._report(_name(callback), error)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        arrived, self._arrived = self._arrived, set()
        for number in sorted(arrived):
            self._call(self._signals[number])
        for _ in range(len(self._soon)):
            self._call(self._soon.popleft())


def _name(callback: Any) -> str:
    """What a callback is called, however much of it was given beforehand."""
    while isinstance(callback, partial):
        callback = callback.func
    return str(getattr(callback, "__qualname__", repr(callback)))
