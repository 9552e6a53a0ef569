"""What is mounted, and what kind of file system it is."""

from __future__ import annotations

import io
import os
import re
import select
from collections.abc import Mapping

import psutil

from inspect_agent.errors import SourceError
from inspect_agent.typed import NamedTuple, Protocol

MOUNTINFO = "/proc/self/mountinfo"

# statfs(2) on these waits for another machine, or for a program
_REMOTE = re.compile(
    r"9p|afs|autofs|beegfs|ceph|cifs|coda|davfs|fuse(blk|\..*)?|gfs2|glusterfs|gpfs|lustre|ncpfs"
    r"|nfs4?|ocfs2|orangefs|pvfs2|smb(3|fs)|webdav"
)
# real, though their source is a name and not a device
_POOLED = frozenset(("apfs", "bcachefs", "btrfs", "hammer2", "zfs"))
# full by nature
_IMAGES = frozenset(("cd9660", "cramfs", "erofs", "iso9660", "squashfs", "udf"))


class Mount(NamedTuple):
    """One mounted file system.

    point    where it is mounted
    fstype   ext4, overlay, nfs4, …
    source   the device, or whatever the file system calls itself
    device   the same text for all mounts of one file system: `254:0`
    """

    point: str
    fstype: str
    source: str
    device: str

    @property
    def remote(self) -> bool:
        """Whether asking it may wait for something else than this machine's disks."""
        return _REMOTE.fullmatch(self.fstype) is not None

    @property
    def real(self) -> bool:
        """Whether it is a file system with data of its own that one would want to watch."""
        if self.point == "/" and self.fstype not in _IMAGES:
            return True  # in a container an overlay, which is else part of another's machine
        if self.remote or self.fstype in _IMAGES:
            return False
        return self.fstype in _POOLED or self.source.startswith("/")


class Mounts(Protocol):
    """Knows what is mounted now."""

    def current(self) -> Mapping[str, Mount]:
        """Every mount by its point, in the order they were mounted; the topmost of a point."""
        ...


class LinuxMounts:
    """Reads mountinfo anew only when the kernel says that it changed (proc_pid_mounts(5))."""

    def __init__(self, path: str = MOUNTINFO) -> None:
        self._path = path
        self._file: io.FileIO | None = None
        self._changed = select.poll()
        self._mounts: dict[str, Mount] = {}

    def current(self) -> Mapping[str, Mount]:
        """See Mounts. Raises SourceError where mountinfo cannot be read."""
        if self._file is None:
            self._file = _open(self._path)
            self._changed.register(self._file, select.POLLPRI)
            self._mounts = _read(self._file)
        elif self._changed.poll(0):
            self._mounts = _read(self._file)
        return self._mounts


def _open(path: str) -> io.FileIO:
    try:
        return io.FileIO(path)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


def _read(file: io.FileIO) -> dict[str, Mount]:
    file.seek(0)
    return {mount.point: mount for mount in parse_mountinfo(file.readall())}


class PortableMounts:
    """Asks psutil, where there is no mountinfo."""

    def current(self) -> Mapping[str, Mount]:
        """See Mounts."""
        found = psutil.disk_partitions(all=True)
        return {
            part.mountpoint: Mount(part.mountpoint, part.fstype, part.device, part.device)
            for part in found
        }


def machine_mounts() -> Mounts:
    """The one of both that fits this system."""
    return LinuxMounts() if os.path.exists(MOUNTINFO) else PortableMounts()


def cgroup2_point(path: str = MOUNTINFO) -> str | None:
    """Where the cgroup2 hierarchy is mounted: also below the others, in a hybrid layout."""
    with _open(path) as file:
        mounts = _read(file).values()
    return next((mount.point for mount in mounts if mount.fstype == "cgroup2"), None)


def parse_mountinfo(text: bytes) -> list[Mount]:
    """The mounts in the order they are listed. Format: proc_pid_mountinfo(5).

    Raises SourceError for anything else.
    """
    return [_parse_line(line) for line in text.split(b"\n") if line]


def _parse_line(line: bytes) -> Mount:
    # 36 35 98:0 /root /point rw,noatime shared:1 - ext3 /dev/sda1 rw
    mount, dash, filesystem = line.partition(b" - ")
    left, right = mount.split(b" "), filesystem.split(b" ")
    if not dash or len(left) < 5 or len(right) < 2:
        raise SourceError(f"not a line of mountinfo: {line!r}")
    point, fstype, source, device = map(_text, (left[4], right[0], right[1], left[2]))
    return Mount(point, fstype, source, device)


def _text(field: bytes) -> str:
    # space, tab, newline and backslash are written as octal
    plain = re.sub(rb"\\([0-3][0-7]{2})", lambda found: bytes([int(found[1], 8)]), field)
    return os.fsdecode(plain)
