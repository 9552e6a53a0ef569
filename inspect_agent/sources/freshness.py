"""Whether a process runs the code that is on disk now, as Linux shows it in /proc.

Seen are its working directory, its program and the libraries that it has mapped. Scripts are read
and closed again: that they were changed under an interpreter cannot be seen.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator

from inspect_agent.errors import SourceError
from inspect_agent.sources.mounts import Mounts, machine_mounts
from inspect_agent.typed import NamedTuple

MOST_MAPS_BYTES = 1024 * 1024
"""Ten thousand mappings, which take 7 ms; programs that map their data have more."""
MOST_LINKS = 40  # as the kernel follows: path_resolution(7)

_SINCE = "which was replaced or removed since"
_DELETED = " (deleted)"  # what the kernel writes behind a name that is gone; names may end so, too

# what programs map as code and delete on purpose, so that nobody has replaced it: what is no file
# (memfd, System V memory, aio, huge pages, devices), what is temporary, and what O_TMPFILE of
# open(2), libffi, JNA and ORC hide elsewhere
_DELIBERATE = re.compile(
    r"/(memfd:|SYSV|\[aio\]|anon_hugepage|dev/|tmp/|var/tmp/|run/|var/run/).*"
    r"|.*/(#\d+|ffi\w{6}|jna\d+\.tmp|orcexec\.\w+)",
    re.DOTALL,
)


class Verdict(NamedTuple):
    """`holds`: whether it is so, None where nobody can say; `why`: what was found, or why not."""

    holds: bool | None
    why: str = ""


class Release(NamedTuple):
    """Where the path of a release leads: its folder, and which one of that name it is."""

    folder: str
    device: int
    inode: int


class Code:
    """What processes run, and what releases are."""

    def __init__(self, mounts: Mounts | None = None) -> None:
        self._mounts = mounts or machine_mounts()

    def release(self, path: str) -> Release:
        """Where the path of a release leads now.

        Raises SourceError where it leads to no folder, or over a file system that could hang.
        """
        folder = self._resolve(path)
        try:
            status = os.stat(folder)
        except OSError as error:
            raise SourceError(f"{path}: {folder}: {error.strerror}") from error
        if not stat.S_ISDIR(status.st_mode):
            raise SourceError(f"{path} leads to {folder}, which is no folder")
        return Release(folder, status.st_dev, status.st_ino)

    def stale(self, pid: int, release: Release) -> Verdict:
        """Whether its working directory is outside of a release; one that was removed always is."""
        try:
            folder = os.readlink(f"/proc/{pid}/cwd")
            if not self._is_gone(folder) and _is_inside(folder, release.folder):
                return Verdict(False)
            if _is_elsewhere(pid):
                return Verdict(None, f"process {pid} has a root directory of its own")
        except OSError as error:
            return _hidden(pid, error)
        return Verdict(True, f"process {pid} works in {folder}, the release is {release.folder}")

    def outdated(self, pid: int) -> Verdict:
        """Whether its program, or a library that it has mapped, was replaced or removed."""
        try:
            program = os.readlink(f"/proc/{pid}/exe")
            maps = _read_maps(pid)
        except OSError as error:
            return _hidden(pid, error)
        if self._is_replaced(program):
            return Verdict(True, f"process {pid} runs {_plain(program)}, {_SINCE}")
        library = next(filter(self._is_replaced, deleted(maps)), None)
        if library is not None:
            return Verdict(True, f"process {pid} uses {_plain(library)}, {_SINCE}")
        if len(maps) > MOST_MAPS_BYTES:
            return Verdict(None, f"process {pid} has mapped too much to look through")
        return Verdict(False)

    def _is_replaced(self, path: str) -> bool:
        return self._is_gone(path) and not _DELIBERATE.fullmatch(_plain(path))

    def _is_gone(self, path: str) -> bool:
        return path.endswith(_DELETED) and not self._is_there(path)

    def _is_there(self, path: str) -> bool:
        try:
            self._resolve(path)
        except SourceError:
            return False
        return True

    def _resolve(self, path: str) -> str:
        """As realpath(3), but for file systems that could hang whoever looks at them."""
        mounts = self._mounts.current()
        at, ahead, links = "/", path.split("/")[::-1], 0
        while ahead:
            name = ahead.pop()
            if name in ("", ".", ".."):
                at = os.path.dirname(at) if name == ".." else at
                continue
            step = os.path.join(at, name)
            mount = mounts.get(step)
            if mount is not None and mount.remote:
                raise SourceError(f"{path}: {step} is {mount.fstype}, which may hang")
            target = _link(step, path)
            if target is None:
                at = step
                continue
            links += 1
            if links > MOST_LINKS:
                raise SourceError(f"{path}: {os.strerror(errno.ELOOP)}")
            at = "/" if target.startswith("/") else at
            ahead += target.split("/")[::-1]
        return at


def deleted(maps: bytes) -> Iterator[str]:
    """The files that are mapped as code and marked as deleted. Format: proc_pid_maps(5)."""
    mark = _DELETED.encode()
    for line in maps.split(b"\n") if mark in maps else ():
        # 7f0c91a28000-7f0c91b7d000 r-xp 00026000 fe:00 1189 /usr/lib/x86_64-linux-gnu/libc.so.6
        fields = line.split(None, 5)
        is_code = len(fields) == 6 and b"x" in fields[1] and fields[5].startswith(b"/")
        if is_code and line.endswith(mark):
            yield os.fsdecode(fields[5].replace(rb"\012", b"\n"))  # the one escape there is


def _read_maps(pid: int) -> bytes:
    """At most one byte more than MOST_MAPS_BYTES."""
    with open(f"/proc/{pid}/maps", "rb") as file:
        return file.read(MOST_MAPS_BYTES + 1)


def _link(step: str, path: str) -> str | None:
    """Where a link leads; None: it is none. Raises SourceError, about the whole path."""
    try:
        return os.readlink(step) if stat.S_ISLNK(os.lstat(step).st_mode) else None
    except OSError as error:
        where = path if step == path else f"{path}: {step}"
        raise SourceError(f"{where}: {error.strerror}") from error
    except ValueError as error:
        raise SourceError(f"{path!r} is no path: {error}") from error


def _hidden(pid: int, error: OSError) -> Verdict:
    return Verdict(None, f"process {pid} cannot be looked at: {error.strerror}")


def _is_inside(folder: str, top: str) -> bool:
    return folder == top or folder.startswith(top.rstrip("/") + "/")


def _is_elsewhere(pid: int) -> bool:
    """Whether paths mean other things to it: it is in a container, and not in a mere chroot(2)."""
    root = f"/proc/{pid}/root"
    return os.readlink(root) == "/" and not os.path.samestat(os.stat(root), os.stat("/"))


def _plain(path: str) -> str:
    return path.removesuffix(_DELETED)
