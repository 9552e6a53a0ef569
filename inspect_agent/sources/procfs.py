"""Processes as Linux shows them in /proc: proc_pid_stat(5) and its neighbours."""

from __future__ import annotations

import contextlib
import os

from inspect_agent.errors import ProcessGone, SourceError
from inspect_agent.typed import NamedTuple

CLK_TCK = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

# places in a stat line's fields, counted from the state, which is the manual's field 3
STATE, PPID, UTIME, STIME, CUTIME, CSTIME, STARTTIME, RSS = 0, 1, 11, 12, 13, 14, 19, 21
_ENDED = (b"Z", b"X")
_ENOUGH = 1024  # bytes; the fields up to rss always fit


class Stat(NamedTuple):
    """What is used of /proc/PID/stat; times in clock ticks (CLK_TCK a second), rss in pages.

    utime, stime     of the process, all its threads together
    cutime, cstime   of the children it has waited for, and of theirs
    starttime        after boot
    """

    comm: str
    state: str
    ppid: int
    utime: int
    stime: int
    cutime: int
    cstime: int
    starttime: int
    rss: int


def parse_stat(text: bytes) -> Stat:
    """One line of /proc/PID/stat. Raises SourceError for anything else."""
    fields = split_stat(text)
    comm = text[text.find(b"(") + 1 : text.rfind(b")")]
    try:
        numbers = [
            int(fields[place]) for place in (PPID, UTIME, STIME, CUTIME, CSTIME, STARTTIME, RSS)
        ]
    except ValueError as error:
        raise SourceError(f"not a line of /proc/PID/stat: {error}") from error
    return Stat(os.fsdecode(comm), fields[STATE].decode("latin-1"), *numbers)


def split_stat(text: bytes) -> list[bytes]:
    """The fields from the state to rss, and the rest. Raises SourceError where some are missing.

    The command name, in parentheses, may itself hold spaces and parentheses.
    """
    end = text.rfind(b")")
    fields = text[end + 2 :].split(b" ", RSS + 1)
    if end < 0 or len(fields) <= RSS:
        raise SourceError(f"not a line of /proc/PID/stat: {text[:80]!r}")
    return fields


class StatFile:
    """/proc/PID/stat, kept open.

    It belongs to the one process: when that is gone a read fails, also where the PID lives again.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        try:
            self._file = open(f"/proc/{pid}/stat", "rb", buffering=0)  # noqa: SIM115  kept open
        except (FileNotFoundError, ProcessLookupError):
            raise ProcessGone(f"process {pid} is gone") from None
        except OSError as error:
            raise SourceError(f"process {pid}: {error.strerror}") from error

    def fields(self) -> list[bytes]:
        """The fields now, as split_stat gives them. Raises ProcessGone, also for a zombie."""
        try:
            fields = split_stat(os.pread(self._file.fileno(), _ENOUGH, 0))
        except ProcessLookupError:
            raise ProcessGone(f"process {self._pid} is gone") from None
        return self._alive(fields) if fields[STATE] in _ENDED else fields

    def _alive(self, fields: list[bytes]) -> list[bytes]:
        thread = living_thread(self._pid)
        if thread is None:
            raise ProcessGone(f"process {self._pid} is gone")
        return [*fields[:RSS], *thread[RSS:]]

    def close(self) -> None:
        """Closes the file; again is harmless."""
        self._file.close()


def living_thread(pid: int) -> list[bytes] | None:
    """The fields of a thread that lives on though the first one has ended; None: none does.

    The state and the memory in /proc/PID/stat go with the first thread; times stay the process's.
    """
    with contextlib.suppress(OSError):  # it has ended
        for thread in os.listdir(f"/proc/{pid}/task"):
            text = read(f"/proc/{pid}/task/{thread}/stat")
            if text and split_stat(text)[STATE] not in _ENDED:
                return split_stat(text)
    return None


def read_stat(pid: int) -> Stat | None:
    """A process once, zombies included; None: there is none."""
    text = read(f"/proc/{pid}/stat")
    if not text:
        return None
    stat = parse_stat(text)
    thread = living_thread(pid) if stat.state in ("Z", "X") else None
    if thread is None:
        return stat
    return stat._replace(state=thread[STATE].decode(), rss=int(thread[RSS]))


def read(path: str) -> bytes:
    """The start of a stat file, read by one call; empty where its process is gone."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(fd, _ENOUGH)
    except OSError:
        return b""
    finally:
        os.close(fd)


def lists_children() -> bool:
    """Whether this kernel was built with CONFIG_PROC_CHILDREN."""
    return os.path.exists(f"/proc/{os.getpid()}/task/{os.getpid()}/children")


def children_below(pid: int) -> list[int]:
    """The children of a process, theirs and so on, from /proc/PID/task/*/children.

    A child may be missing when another ends in the same moment: proc_pid_children(5).
    """
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    pids: list[int] = []
    with contextlib.suppress(OSError):  # it has ended
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                pids += map(int, file.read().split())
    return pids


def parents() -> dict[int, int]:
    """Every process of the machine and its parent: one pass over /proc."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    stats = ((pid, read_stat(pid)) for pid in pids)
    return {pid: stat.ppid for pid, stat in stats if stat is not None}


def cgroup_pids(folder: str) -> list[int]:
    """The processes of a control group and of those nested in it; none where it is not there."""
    pids: list[int] = []
    folders = [folder]
    while folders:
        folder = folders.pop()
        with contextlib.suppress(OSError):  # it has gone, or has threads for members
            with open(f"{folder}/cgroup.procs", "rb", buffering=0) as file:
                pids += map(int, file.read().split())
            if os.stat(folder).st_nlink != 2:  # 2: the kernel counts no folder below it
                folders += [entry.path for entry in os.scandir(folder) if entry.is_dir()]
    return [pid for pid in pids if pid]  # 0: a process outside of our PID namespace
