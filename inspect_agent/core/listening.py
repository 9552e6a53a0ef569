"""A socket of one's own at a path: one agent each, and what a dead one left is replaced."""

from __future__ import annotations

import os
import socket
import stat

from inspect_agent.core.lock import hold
from inspect_agent.errors import ControlError

PROBE_S = 2.0


def claim(path: str) -> int:
    """Holds PATH.lock for as long as this agent lives. Raises ControlError."""
    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o755, exist_ok=True)
        return hold(f"{path}.lock")
    except BlockingIOError:
        raise ControlError(
            f"another agent serves {path}; stop it, or name another with -s"
        ) from None
    except FileExistsError as error:  # makedirs says so of a file where a folder should be
        raise ControlError(f"{path}: {error.filename} is no folder") from error
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror}") from error


def listen(path: str) -> socket.socket:
    """A socket at PATH; what a dead agent left there is replaced. Raises ControlError."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.setblocking(False)
    try:
        if os.path.lexists(path):
            _remove_stale(path)
        mask = os.umask(0o177)
        try:
            listening.bind(path)
        finally:
            os.umask(mask)
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise ControlError(f"{path}: {error.strerror or error}") from error
    return listening


def _remove_stale(path: str) -> None:
    # connect(2) refuses a plain file as it refuses a socket that nobody listens at
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise ControlError(f"{path} is there and is no socket; move it, or name another with -s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except FileNotFoundError:
            return
    raise ControlError(f"something else serves {path}; stop it, or name another socket with -s")
