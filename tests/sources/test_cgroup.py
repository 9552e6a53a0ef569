"""What control groups allow: files of both versions, and a real group where there is one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspect_agent.sources.cgroup import (
    Hierarchy,
    MemoryLimits,
    parse_groups,
    parse_hierarchies,
)

# Linux 6.18 with both versions side by side; the first is that of a process of a container
HYBRID_GROUPS = (
    "9:name=systemd:/\n4:memory:/docker/82d3\n1:cpu,cpuacct:/\n0::/system.slice/a b.service\n"
)
HYBRID_MOUNTS = """\
24 20 0:21 / /proc rw,nosuid shared:5 - proc proc rw
30 29 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
31 29 0:27 / /sys/fs/cgroup/cpu rw,relatime shared:10 - cgroup cgroup rw,cpu
32 29 0:28 /docker /sys/fs/cgroup/unified rw,relatime shared:11 - cgroup2 cgroup2 rw
"""
GIB = 1024.0**3


def test_the_groups_of_a_process() -> None:
    """One in each version; what is about something else is left out."""
    assert parse_groups(HYBRID_GROUPS) == {1: "/docker/82d3", 2: "/system.slice/a b.service"}
    assert parse_groups("0::/\n") == {2: "/"}
    assert parse_groups("") == parse_groups("rubbish\n:\n::\n") == {}


def test_where_groups_are() -> None:
    """The hierarchies that may limit memory, each with the group that stands at its mount."""
    assert list(parse_hierarchies(HYBRID_MOUNTS)) == [
        Hierarchy(1, "/", "/sys/fs/cgroup/memory"),
        Hierarchy(2, "/docker", "/sys/fs/cgroup/unified"),
    ]
    assert list(parse_hierarchies("rubbish\n - \n1 2 3 4 5 - cgroup2\n")) == []


def limits(folder: Path, group: str, version: int = 2, root: str = "/") -> MemoryLimits:
    """Those of a machine with one hierarchy, at folder/groups, on which process 7 is in a group."""
    kind, number = ("cgroup2", "0:") if version == 2 else ("cgroup", "4:memory")
    (folder / "7").mkdir()
    (folder / "7/cgroup").write_text(f"{number}:{group}\n")
    mounts = folder / "mountinfo"
    mounts.write_text(f"1 2 3:4 {root} {folder}/groups rw - {kind} none rw,memory\n")
    return MemoryLimits(str(mounts), str(folder))


def allow(folder: Path, group: str, limit: object, file: str = "memory.max") -> None:
    """A group's limit."""
    path = folder / f"groups{group}" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{limit}\n")


@pytest.mark.parametrize(
    ("around", "own", "limit"),
    [("max", 1024, 1024), (512, 1024, 512), (512, "max", 512), ("max", "max", None), (1, 0, 0)],
)
def test_the_smallest_limit_counts(
    tmp_path: Path, around: object, own: object, limit: float | None
) -> None:
    """Of the group and of all around it."""
    allow(tmp_path, "/system.slice", around)
    allow(tmp_path, "/system.slice/x.service", own)
    assert limits(tmp_path, "/system.slice/x.service").of(7) == limit


def test_version_1(tmp_path: Path) -> None:
    """Has another file, and a number for no limit."""
    allow(tmp_path, "", 9223372036854771712, "memory.limit_in_bytes")
    allow(tmp_path, "/x", int(GIB), "memory.limit_in_bytes")
    assert limits(tmp_path, "/x/y", version=1).of(7) == GIB


@pytest.mark.parametrize("group", ["/docker/82d3", "/docker/82d3/x", "/elsewhere", "/../.."])
def test_a_container_sees_its_own_part(tmp_path: Path, group: str) -> None:
    """Its group may stand at the mount; what is not below that is not looked for."""
    allow(tmp_path, "", 4096)
    allow(tmp_path, "/x", "max")
    assert limits(tmp_path, group, root="/docker/82d3").of(7) == 4096


def test_what_has_gone_limits_nothing(tmp_path: Path) -> None:
    """A process, a group, a machine without groups."""
    there = limits(tmp_path, "/x")
    assert (there.of(7), there.of(8)) == (None, None)
    assert MemoryLimits(str(tmp_path / "none"), str(tmp_path)).of(7) is None


@pytest.fixture
def group() -> Iterator[Path]:
    """A real group of the memory controller, of either version."""
    for hierarchy in parse_hierarchies(Path("/proc/self/mountinfo").read_text()):
        folder = Path(hierarchy.point) / f"inspect-agent-test-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        if any(folder.glob("memory.[lm][ia][mx]*")):
            yield folder
            folder.rmdir()
            return
        folder.rmdir()
    pytest.skip("no memory controller in which one may make a group")


def test_a_real_group(group: Path) -> None:
    """The limit that was written is the one that is read."""
    (file,) = (
        path
        for name in ("memory.max", "memory.limit_in_bytes")
        for path in [group / name]
        if path.exists()
    )
    file.write_text(str(256 * 1024 * 1024))
    process = subprocess.Popen(["/bin/sleep", "1000"])
    try:
        (group / "cgroup.procs").write_text(str(process.pid))
        assert MemoryLimits().of(process.pid) == 256 * 1024.0**2
    finally:
        process.kill()
        process.wait()
