"""Signals to processes that were identified before, and to nobody else.

A PID may have been given away since. A pidfd pins the process; where there is none (before Linux
5.3, not Linux) its PID and start are compared just before the signal goes out, as near as one gets.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from inspect_agent.errors import SourceError, StepError
from inspect_agent.model.target import Process

Identify = Callable[[int], "Process | None"]


def send(process: Process, name: str, identify: Identify) -> None:
    """Sends a signal, named without its SIG. Raises StepError."""
    number = getattr(signal, f"SIG{name}", None)
    if not isinstance(number, signal.Signals):
        raise StepError(f"this system has no signal {name}")
    if process.pid in (1, os.getpid()):
        whose = "init" if process.pid == 1 else "this agent"
        raise StepError(f"process {process.pid} is {whose}, which gets no signals from rules")
    try:
        _send(process, number, identify)
    except ProcessLookupError:
        raise StepError(f"process {process.pid} has ended") from None
    except (OSError, SourceError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise StepError(f"process {process.pid} cannot be signalled: {why}") from error


def _send(process: Process, number: int, identify: Identify) -> None:
    fd = _open(process.pid)
    try:
        if not process.same_as(identify(process.pid)):
            raise ProcessLookupError
        if fd is None:
            os.kill(process.pid, number)
        else:
            signal.pidfd_send_signal(fd, number)
    finally:
        if fd is not None:
            os.close(fd)


def _open(pid: int) -> int | None:
    """A pidfd; None where there are none. Raises ProcessLookupError."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError:  # an old kernel, or no descriptor left
        return None
