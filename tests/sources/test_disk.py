from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from inspect_agent.errors import SourceError
from inspect_agent.model.metric import MetricId, NoData
from inspect_agent.model.target import Machine
from inspect_agent.sources.disk import Disk
from inspect_agent.sources.mounts import Mount


class Mounted:
    """Mounts that are as a test says."""

    def __init__(self, *mounts: Mount) -> None:
        self.mounts = mounts

    def current(self) -> Mapping[str, Mount]:
        """The mounts by their points."""
        return {mount.point: mount for mount in self.mounts}


class NoMounts:
    """A machine whose mounts cannot be read."""

    def current(self) -> Mapping[str, Mount]:
        """Fails."""
        raise SourceError("/proc/self/mountinfo: Permission denied")


ROOT = Mount("/", "ext4", "/dev/vda", "254:0")


def read(disk: Disk, *points: str) -> list[object]:
    """The values of these mount points."""
    return list(disk.open(Machine(), [MetricId("disk", point) for point in points]).read())


def test_real_file_systems_are_shown_once(tmp_path: Path) -> None:
    """Shown are real file systems, each by its first mount point, and no pseudo file systems."""
    folder, file = tmp_path / "data", tmp_path / "hosts"
    folder.mkdir()
    file.touch()
    mounts = Mounted(
        ROOT,
        Mount("/proc", "proc", "proc", "0:21"),
        Mount(str(tmp_path), "ext4", "/dev/vda", "254:0"),
        Mount(str(file), "xfs", "/dev/vdb", "254:16"),
        Mount(str(folder), "xfs", "/dev/vdb", "254:16"),
        Mount("/home", "nfs4", "fs:/home", "0:51"),
        Mount("/home/local", "ext4", "/dev/vdc", "254:32"),
    )

    assert Disk(mounts).names(Machine()) == [MetricId("disk", "/"), MetricId("disk", str(folder))]


@pytest.mark.parametrize("fstype", ["overlay", "btrfs", "ubifs", "zfs"])
def test_any_root_is_shown(fstype: str) -> None:
    """The root is shown whatever it is, as in a container or on btrfs."""
    assert Disk(Mounted(Mount("/", fstype, fstype, "0:41"))).names(Machine()) == [
        MetricId("disk", "/")
    ]


def test_percent_as_df_shows_it() -> None:
    """The value is df's: what is used, of what ordinary users could have."""
    [value] = read(Disk(Mounted(ROOT)), "/")
    root = os.statvfs("/")
    used = root.f_blocks - root.f_bfree

    assert value == pytest.approx(100 * used / (used + root.f_bavail), abs=0.5)


def test_what_has_no_value() -> None:
    """A point without a mount, a network file system and all below it say why they have none."""
    mounts = Mounted(
        ROOT,
        Mount("/proc", "proc", "proc", "0:21"),
        Mount("/nowhere", "ext4", "/dev/vdb", "254:16"),
        Mount("/home", "nfs4", "fs:/home", "0:51"),
        Mount("/home/a/local", "ext4", "/dev/vdc", "254:32"),
    )
    hangs = NoData("nfs4 may hang, so it is not read in this version")

    assert read(Disk(mounts), "/srv", "/home", "/home/a/local", "/nowhere", "/proc", "x") == [
        NoData("nothing is mounted at /srv", failed=True),
        hangs,
        hangs,
        NoData("/nowhere: No such file or directory", failed=True),
        NoData("proc has no size"),
        NoData("nothing is mounted at x", failed=True),
    ]


def test_a_mount_comes_and_goes() -> None:
    """An open reader follows what is mounted."""
    mounts = Mounted()
    reader = Disk(mounts).open(Machine(), [MetricId("disk", "/")])
    before = reader.read()
    mounts.mounts = (ROOT,)

    assert before == [NoData("nothing is mounted at /", failed=True)]
    assert isinstance(reader.read()[0], float)


def test_unreadable_mounts_are_told_by_the_reading() -> None:
    """Where the mounts cannot be read, the root is shown and its reading says why."""
    disk = Disk(NoMounts())

    assert disk.names(Machine()) == [MetricId("disk", "/")]
    with pytest.raises(SourceError, match="mountinfo: Permission denied"):
        read(disk, "/")


def test_this_machine() -> None:
    """The root of this machine is among its disks, and has a value."""
    disk = Disk()
    names = disk.names(Machine())

    assert MetricId("disk", "/") in names
    assert read(disk, "/") == [pytest.approx(psutil.disk_usage("/").percent, abs=0.5)]
