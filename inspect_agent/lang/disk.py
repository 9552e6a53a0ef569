"""One file or folder of the configuration: its content, or why it is not to be used.

Run as root, the agent does what these files say, as root: so they have to be root's, and nobody
else may be able to write them.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple

from inspect_agent.lang.problems import Wrong, shown

ROOT = 0
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a pipe must not hold us up


class Content(NamedTuple):
    """A file's bytes; `public`: everybody on the machine may read them."""

    data: bytes
    public: bool


def read(path: str, user: int, most_bytes: int) -> Content | Wrong:
    """The content of a file, for an agent that runs as the user of this number."""
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        return _unreadable(path, error)
    try:
        status = os.fstat(descriptor)
        fault = _fault(status, user, most_bytes)
        data = b"" if fault else os.read(descriptor, most_bytes + 1)
    except OSError as error:
        return _unreadable(path, error)
    finally:
        os.close(descriptor)
    if len(data) > most_bytes:
        return _too_large(most_bytes)
    return fault or Content(data, bool(status.st_mode & stat.S_IROTH))


def names(path: str, user: int) -> tuple[str, ...] | Wrong:
    """What a folder holds, sorted; its dot files (those of editors) left out."""
    try:
        status = os.stat(path)
        if not stat.S_ISDIR(status.st_mode):
            return Wrong("not a folder")
        return _not_roots_alone(status, user) or tuple(
            sorted(name for name in os.listdir(path) if not name.startswith("."))
        )
    except (OSError, ValueError) as error:
        return _unreadable(path, error, "no such folder")


def _fault(status: os.stat_result, user: int, most_bytes: int) -> Wrong | None:
    if stat.S_ISDIR(status.st_mode):
        return Wrong("a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        return Wrong("not a regular file")
    if status.st_size > most_bytes:
        return _too_large(most_bytes)
    return _not_roots_alone(status, user)


def _not_roots_alone(status: os.stat_result, user: int) -> Wrong | None:
    if user != ROOT:
        return None
    if status.st_uid != ROOT:
        return Wrong("not owned by root, as whom the agent runs", "chown root")
    group = status.st_mode & stat.S_IWGRP and status.st_gid != ROOT
    if group or status.st_mode & stat.S_IWOTH:
        return Wrong("others than root may write it", "chmod go-w")
    return None


def _too_large(most_bytes: int) -> Wrong:
    return Wrong(f"too large: more than {most_bytes // 1024} KiB")


def _unreadable(path: str, error: Exception, missing: str = "no such file") -> Wrong:
    if not isinstance(error, OSError):  # a NUL in the path
        return Wrong("not a path")
    if error.errno == errno.ENOENT:
        return Wrong(
            f"a link to {_target(path)}, which is missing" if os.path.islink(path) else missing
        )
    if error.errno == errno.ELOOP:
        return Wrong("a loop of links")
    return Wrong(f"cannot be read: {(error.strerror or 'no reason given').lower()}")


def _target(path: str) -> str:
    try:
        return shown(os.readlink(path))
    except OSError:
        return "something"
