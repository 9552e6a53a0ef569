"""How a worker talks with the core: one JSON object a line, in on stdin, out on stdout.

Standard error is for people: the core puts each line of it into its log.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

from inspect_agent.errors import WorkerError
from inspect_agent.model import wire

USER = "inspect"

_PR_SET_PDEATHSIG = 1  # prctl(2)


def leave_root() -> None:
    """Goes on as the user `inspect` where root's agent started this worker.

    To be called before `end_with_parent`: the kernel forgets that wish when the user changes.
    """
    if os.geteuid() != 0:
        return
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        _stay(f"there is no user {USER}; `useradd --system {USER}` mends it")
        return
    os.setgroups([])
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    unreadable = _unreadable()
    os.seteuid(0)
    if unreadable:
        _stay(f"user {USER} may not read {unreadable}")
        return
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def _unreadable() -> str:
    """What this user would need and may not read, of Python and of this package; "" for nothing."""
    for path in (os.__file__, __file__):
        if not os.access(path, os.R_OK, effective_ids=True):
            return path
    return ""


def _stay(why: str) -> None:
    print(f"this worker runs as root: {why}", file=sys.stderr, flush=True)


def end_with_parent() -> None:
    """Asks the kernel to kill this process when the core ends, however it ends."""
    if not sys.platform.startswith("linux"):
        return  # end of file on stdin has to do
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)


class Lines:
    """Both directions of a worker's pipes; `write` may be called from any thread."""

    def __init__(self) -> None:
        self._writing = threading.Lock()
        self._out = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)  # a library that prints must not break the protocol

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Every object the core sends, until it closes. Raises WorkerError for other text."""
        for line in sys.stdin.buffer:
            try:
                value = json.loads(line)
            except ValueError as error:
                raise WorkerError(f"not a line of JSON: {error}") from error
            if not isinstance(value, dict):
                raise WorkerError("not a JSON object")
            yield value

    def write(self, value: dict[str, Any]) -> None:
        """Sends one object to the core; ends the process when the core no longer listens."""
        rest = memoryview(wire.line(value))
        try:
            with self._writing:
                while rest:
                    rest = rest[self._out.write(rest) :]
        except BrokenPipeError:
            os._exit(0)
