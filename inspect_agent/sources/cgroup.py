"""How much memory the control group of a process allows: cgroups(7), versions 2 and 1."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property

from inspect_agent.sources.mounts import MOUNTINFO
from inspect_agent.typed import NamedTuple

_UNLIMITED = 2**62  # version 1 has a number for it, the largest that is a multiple of a page
_FILES = {1: "memory.limit_in_bytes", 2: "memory.max"}


class Hierarchy(NamedTuple):
    """Where groups are: `root` is the group that stands at the mount `point`."""

    version: int
    root: str
    point: str


class MemoryLimits:
    """Reads /proc/PID/cgroup and the limits of that group and of those around it."""

    def __init__(self, mountinfo: str = MOUNTINFO, proc: str = "/proc") -> None:
        self._mountinfo = mountinfo
        self._proc = proc

    def of(self, pid: int) -> float | None:
        """Bytes that it may use together with its group; None where nothing limits it."""
        groups = parse_groups(_read(f"{self._proc}/{pid}/cgroup"))
        limits = [
            limit
            for hierarchy in self._hierarchies
            if hierarchy.version in groups
            for limit in _limits(hierarchy, groups[hierarchy.version])
        ]
        return min(limits, default=None)

    @cached_property
    def _hierarchies(self) -> tuple[Hierarchy, ...]:
        return tuple(parse_hierarchies(_read(self._mountinfo)))


def parse_groups(text: str) -> dict[int, str]:
    """The group of a process in version 2, and in version 1 for memory: proc_pid_cgroup(5)."""
    groups = {}
    for line in text.splitlines():
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if number == "0" and not controllers:
            groups[2] = path
        elif "memory" in controllers.split(","):
            groups[1] = path
    return groups


def parse_hierarchies(text: str) -> Iterator[Hierarchy]:
    """The hierarchies that may limit memory, of a proc_pid_mountinfo(5)."""
    for line in text.splitlines():
        left, right = (part.split(" ") for part in (*line.split(" - ", 1), "")[:2])
        if len(left) < 5 or len(right) < 3:
            continue
        if right[0] == "cgroup2":
            yield Hierarchy(2, left[3], left[4])
        elif right[0] == "cgroup" and "memory" in right[2].split(","):
            yield Hierarchy(1, left[3], left[4])


def _limits(hierarchy: Hierarchy, group: str) -> Iterator[float]:
    """What the group and each around it may use, where that is limited."""
    version, root, point = hierarchy
    inside = group == root or group.startswith(f"{root.rstrip('/')}/")
    folder = os.path.normpath(f"{point}/{group[len(root) :]}") if inside else point
    while folder.startswith(point):
        limit = _read(f"{folder}/{_FILES[version]}").strip()
        if limit.isdigit() and int(limit) < _UNLIMITED:
            yield float(limit)
        folder = os.path.dirname(folder) if folder != point else ""


def _read(path: str) -> str:
    """What a file holds; nothing where it has gone, or may not be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""
