"""Deaths, at once: a pidfd a process becomes readable when the process ends (pidfd_open(2)).

A thread-group leader that ended while its threads live is no death, and the kernel agrees: the
descriptor waits for the last thread. Where there are no pidfds (before Linux 5.3, not Linux)
`watch` says so, and the cycle finds out by PID and start time.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from inspect_agent.core.loop import Loop
from inspect_agent.errors import SourceError
from inspect_agent.model.target import Process


class Watch:
    """A watched process; `close` ends the watching, not the process."""

    def __init__(self, loop: Loop, fd: int) -> None:
        self._loop = loop
        self._fd = fd

    def close(self) -> None:
        """Gives the descriptor back."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._loop.remove(fd)
            os.close(fd)


def watch(
    loop: Loop,
    process: Process,
    identify: Callable[[int], Process | None],
    on_death: Callable[[], None],
) -> Watch | None:
    """Calls back once when the process has ended; None where that cannot be watched.

    Between learning a PID and opening it the process may have ended and its PID been given away:
    `identify` tells, once the descriptor pins the process.
    """
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        fd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        loop.call_soon_threadsafe(on_death)
        return None
    except OSError:  # an old kernel, or no descriptor left
        return None
    watched = Watch(loop, fd)
    try:
        same = process.same_as(identify(process.pid))
    except SourceError:  # /proc hides it (hidepid)
        watched.close()
        return None
    if not same:
        watched.close()
        loop.call_soon_threadsafe(on_death)
        return None

    def died() -> None:
        watched.close()
        on_death()

    loop.add_reader(fd, died)
    return watched
