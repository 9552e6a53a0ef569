"""Services that no manager runs: a PID file says where they are, the check how to start them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence

import psutil

from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Command, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations
from inspect_agent.typed import NamedTuple

_PID_MAX = 2**31 - 1
_ENOUGH = 4096  # bytes; some daemons write more below their PID


class PidFile(NamedTuple):
    """What a PID file says.

    owner   the user ID it belongs to
    mark    a text that is another one when the file is written anew
    """

    pid: int
    owner: int
    mark: str


class Pidfile:
    """Looks at files and processes itself, so it answers at once.

    Whoever can write a PID file decides what is watched and repaired. So it is believed only when
    it is a plain file of root's, or of the user that its process runs as, and not everybody's to
    write.
    """

    name = "pidfile"

    def __init__(self) -> None:
        self._up: dict[str, PidFile] = {}

    def look(self, checks: Sequence[ServiceCheck]) -> Observations:
        """Where the processes of these PID files are."""
        return {check.name: self._look(check.pidfile) for check in checks}

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints:
        """The mark of a file whose process was up and is still there, else what a look says."""
        return {check.name: self._glance(check.pidfile) for check in checks}

    def loaded(self) -> Sequence[str]:
        """None: only a check says that there is one."""
        return ()

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """The check's own commands; a restart is not made up of a stop and a start."""
        given = {"start": check.start, "stop": check.stop, "restart": check.restart}
        argv = given.get(verb, ())
        return Command(argv, check.timeout_s) if argv else None

    def _look(self, path: str | None) -> Observation:
        if path is None:
            return Observation("absent", reason="its check names no pidfile")
        self._up.pop(path, None)
        try:
            file = read_pidfile(path)
            alive = _believe(file)
        except ManagerError as error:
            return Observation("unknown", reason=f"{path} {error}")
        if file is None:
            return Observation("down", reason=f"no pid file {path}")
        if not alive:
            return Observation("failed", reason=f"process {file.pid} is gone")
        self._up[path] = file
        return Observation("up", file.pid)

    def _glance(self, path: str | None) -> str:
        file = self._up.get(path or "")
        if path is not None and file is not None and _unchanged(path, file):
            return file.mark
        return repr(self._look(path))


def read_pidfile(path: str) -> PidFile | None:
    """A PID file; None: there is none. Raises ManagerError, saying what is wrong with it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ManagerError(_explain(error)) from error
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise ManagerError("is not a plain file")
        if info.st_mode & stat.S_IWOTH:
            raise ManagerError("may be written by everybody")
        return PidFile(parse_pid(os.read(fd, _ENOUGH)), info.st_uid, _mark(info))
    finally:
        os.close(fd)


def parse_pid(text: bytes) -> int:
    """The PID on the first line. Raises ManagerError for what is none."""
    line = text.partition(b"\n")[0].strip()
    if not line:
        raise ManagerError("is empty")
    if not line.isdigit() or len(line) > 10 or not 0 < int(line) <= _PID_MAX:
        raise ManagerError(f"holds no PID but {line[:40]!r}")
    return int(line)


def _believe(file: PidFile | None) -> bool:
    """Whether the process lives. Raises ManagerError when the file must not be believed."""
    if file is None:
        return False
    if file.pid == 1:
        raise ManagerError("names PID 1, which is not a service")
    if file.pid == os.getpid():
        raise ManagerError("names the agent itself")
    users = _users(file.pid)
    if users and file.owner not in {0, *users}:
        raise ManagerError(f"belongs to user {file.owner}, process {file.pid} to {min(users)}")
    return bool(users)


def _users(pid: int) -> set[int]:
    """The real and effective user of a living process; empty: it is gone, or a zombie."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            users = process.uids()
            # a process whose first thread has ended looks like a zombie, but has others
            gone = process.status() == psutil.STATUS_ZOMBIE and process.num_threads() < 2
    except psutil.NoSuchProcess:
        if _taken(pid):
            raise ManagerError(f"names process {pid}, which cannot be seen") from None
        return set()
    except psutil.Error as error:
        raise ManagerError(f"names process {pid}: {error}") from error
    return set() if gone else {users.real, users.effective}


def _unchanged(path: str, file: PidFile) -> bool:
    try:
        return _mark(os.lstat(path)) == file.mark and _taken(file.pid)
    except OSError:
        return False


def _taken(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _mark(info: os.stat_result) -> str:
    return f"{info.st_dev}:{info.st_ino}:{info.st_mtime_ns}:{info.st_ctime_ns}"


def _explain(error: OSError) -> str:
    if error.errno == errno.ELOOP:  # open(2), O_NOFOLLOW
        return "is a symbolic link"
    return f"cannot be read: {error.strerror}"
