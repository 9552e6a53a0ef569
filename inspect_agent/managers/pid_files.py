"""PID files, which are hostile until shown otherwise.

Whoever can write a PID file decides what is watched and repaired. So one is believed only when it
is a plain file of root's, or of the user that its process runs as, and neither it nor its place is
everybody's to write.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable

import psutil

from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Observation, Status
from inspect_agent.typed import NamedTuple

_PID_MAX = 2**31 - 1
_ENOUGH = 4096  # bytes; some daemons write more below their PID
_MEANS_MOST: tuple[Status, ...] = ("up", "unknown", "failed")


class PidFile(NamedTuple):
    """What a PID file says.

    pid     None: nothing is written in it
    owner   the user ID it belongs to
    mark    a text that is another one when the file is written anew
    """

    pid: int | None
    owner: int
    mark: str


def observe(paths: Iterable[str]) -> Observation | None:
    """Where a service is that has its PID in one of these files; None: none of them holds any.

    It is up when one of them names a living process, unknown when one must not be believed, and
    else failed, as far as one can tell: its process has ended and left its PID file behind, which
    is what a crash does, and a kill that somebody meant.
    """
    found = [seen for seen in map(_observe, paths) if seen is not None]
    found.sort(key=lambda seen: _MEANS_MOST.index(seen.status))
    return found[0] if found else None


def _observe(path: str) -> Observation | None:
    try:
        file = read_pidfile(path)
        if file is None or file.pid is None:
            return None
        alive = is_alive(file)
    except ManagerError as error:
        return Observation("unknown", reason=f"{path} {error}")
    if alive:
        return Observation("up", file.pid, f"PID file {path}")
    return Observation("failed", reason=f"process {file.pid} of {path} is gone", ambiguous=True)


def read_pidfile(path: str) -> PidFile | None:
    """A PID file; None: there is none. Raises ManagerError, saying what is wrong with it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _read(fd, path)
        finally:
            os.close(fd)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ManagerError(_explain(error)) from error


def _read(fd: int, path: str) -> PidFile:
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        raise ManagerError("is not a plain file")
    if info.st_mode & stat.S_IWOTH:
        raise ManagerError("may be written by everybody")
    _check_folder(os.path.dirname(path), info)
    return PidFile(parse_pid(os.read(fd, _ENOUGH)), info.st_uid, mark(info))


def parse_pid(text: bytes) -> int | None:
    """The PID on the first line, None where that is empty. Raises ManagerError for what is none."""
    line = text.partition(b"\n")[0].strip()
    if not line:
        return None
    if not line.isdigit() or len(line) > 10 or not 0 < int(line) <= _PID_MAX:
        raise ManagerError(f"holds no PID but {line[:40]!r}")
    return int(line)


def is_alive(file: PidFile) -> bool:
    """Whether its process lives. Raises ManagerError when the file must not be believed."""
    if file.pid is None:
        return False
    if file.pid == 1:
        raise ManagerError("names PID 1, which is not a service")
    if file.pid == os.getpid():
        raise ManagerError("names the agent itself")
    users = _users(file.pid)
    if users and file.owner not in {0, *users}:
        raise ManagerError(f"belongs to user {file.owner}, process {file.pid} to {min(users)}")
    return bool(users)


def is_taken(pid: int) -> bool:
    """Whether there is a process of this PID, whatever it does."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def mark(info: os.stat_result) -> str:
    """A text that is another one when a file is written anew."""
    return f"{info.st_dev}:{info.st_ino}:{info.st_mtime_ns}:{info.st_ctime_ns}"


def _check_folder(folder: str, file: os.stat_result) -> None:
    """Raises ManagerError where anybody could have put the file in its place."""
    mode = os.stat(folder or ".").st_mode
    if not mode & stat.S_IWOTH:
        return
    if not mode & stat.S_ISVTX:
        raise ManagerError("lies in a folder that everybody may write to")
    if file.st_uid not in (0, os.geteuid()):
        raise ManagerError(f"of user {file.st_uid} lies in a folder that everybody may write to")


def _users(pid: int) -> set[int]:
    """The real and effective user of a living process; empty: it is gone, or a zombie."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            users = process.uids()
            # a process whose first thread has ended looks like a zombie, but has others
            gone = process.status() == psutil.STATUS_ZOMBIE and process.num_threads() < 2
    except psutil.NoSuchProcess:
        if is_taken(pid):
            raise ManagerError(f"names process {pid}, which cannot be seen") from None
        return set()
    except psutil.Error as error:
        raise ManagerError(f"names process {pid}: {error}") from error
    return set() if gone else {users.real, users.effective}


def _explain(error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):
        return "cannot be a path"
    if error.errno == errno.ELOOP:  # open(2), O_NOFOLLOW
        return "is a symbolic link"
    return f"cannot be read: {error.strerror}"
