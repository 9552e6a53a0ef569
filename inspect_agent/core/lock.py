"""A file that is locked for as long as a process lives (flock(2)): a kill -9 gives it back."""

from __future__ import annotations

import fcntl
import os


def hold(path: str) -> int:
    """The descriptor that holds the lock. Raises BlockingIOError when another process has it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise
    return fd
