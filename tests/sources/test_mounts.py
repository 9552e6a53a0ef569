from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import SourceError
from inspect_agent.sources.mounts import (
    LinuxMounts,
    Mount,
    PortableMounts,
    cgroup2_point,
    parse_mountinfo,
)
from tests.integration.components import need

HYBRID = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
50 27 8:1 /@home /mnt/my\040disk\134x rw - btrfs /dev/sda1 rw,subvol=/@home
51 27 0:50 / /anonymous rw - tmpfs  rw
"""


def test_parse_mountinfo() -> None:
    """A line gives its mount; optional fields, escaped spaces and empty sources included."""
    assert parse_mountinfo(HYBRID) == [
        Mount("/proc", "proc", "proc", "0:21"),
        Mount("/", "ext4", "/dev/vda", "254:0"),
        Mount("/sys/fs/cgroup", "tmpfs", "tmpfs", "0:28"),
        Mount("/sys/fs/cgroup/systemd", "cgroup", "cgroup", "0:37"),
        Mount("/sys/fs/cgroup/unified", "cgroup2", "cgroup2", "0:38"),
        Mount("/mnt/my disk\\x", "btrfs", "/dev/sda1", "8:1"),
        Mount("/anonymous", "tmpfs", "", "0:50"),
    ]


@given(st.binary() | st.binary().map(lambda junk: HYBRID + junk))
def test_parse_mountinfo_gives_mounts_or_an_error(text: bytes) -> None:
    """No bytes make anything but mounts or a SourceError."""
    with suppress(SourceError):
        assert all(isinstance(mount, Mount) for mount in parse_mountinfo(text))


def test_garbage_is_shown() -> None:
    """What is no line of mountinfo is named in the error."""
    with pytest.raises(SourceError, match=r"not a line of mountinfo: b'rubbish'"):
        parse_mountinfo(HYBRID + b"rubbish")


@pytest.mark.parametrize(
    ("mount", "real", "remote"),
    [
        (Mount("/", "ext4", "/dev/vda", "254:0"), True, False),
        (Mount("/", "overlay", "overlay", "0:41"), True, False),
        (Mount("/var/lib/docker/x/merged", "overlay", "overlay", "0:42"), False, False),
        (Mount("/", "btrfs", "/dev/sda", "0:33"), True, False),
        (Mount("/tank", "zfs", "tank", "0:34"), True, False),
        (Mount("/snap/core/1", "squashfs", "/dev/loop0", "7:0"), False, False),
        (Mount("/run", "tmpfs", "tmpfs", "0:24"), False, False),
        (Mount("/proc", "proc", "proc", "0:21"), False, False),
        (Mount("/home", "nfs", "fs:/home", "0:51"), False, True),
        (Mount("/home", "nfs4", "fs:/home", "0:51"), False, True),
        (Mount("/share", "cifs", "//fs/share", "0:52"), False, True),
        (Mount("/s3", "fuse.s3fs", "s3fs", "0:53"), False, True),
        (Mount("/usb", "fuseblk", "/dev/sdb1", "8:17"), False, True),
        (Mount("/net", "autofs", "/etc/auto.net", "0:54"), False, True),
        (Mount("/sys/fs/fuse/connections", "fusectl", "fusectl", "0:55"), False, False),
    ],
)
def test_kinds_of_file_systems(mount: Mount, real: bool, remote: bool) -> None:
    """Real ones are worth watching; remote ones may hang, so they are never touched."""
    assert (mount.real, mount.remote) == (real, remote)


def test_the_topmost_mount_of_a_point_counts(tmp_path: Path) -> None:
    """Of two mounts on one point the later one is what one sees there."""
    path = tmp_path / "mountinfo"
    path.write_bytes(b"1 1 8:1 / /a rw - ext4 /dev/a rw\n2 1 8:2 / /a rw - xfs /dev/b rw\n")

    assert LinuxMounts(str(path)).current() == {"/a": Mount("/a", "xfs", "/dev/b", "8:2")}


def test_without_mountinfo(tmp_path: Path) -> None:
    """Where mountinfo cannot be read the error names it."""
    with pytest.raises(SourceError, match=r"/nowhere: No such file or directory"):
        LinuxMounts(f"{tmp_path}/nowhere").current()


def test_cgroup2_below_the_others(tmp_path: Path) -> None:
    """The cgroup2 hierarchy is found in a hybrid layout; where there is none, none is."""
    path = tmp_path / "mountinfo"
    path.write_bytes(HYBRID)
    assert cgroup2_point(str(path)) == "/sys/fs/cgroup/unified"
    path.write_bytes(b"1 1 8:1 / / rw - ext4 /dev/a rw\n")
    assert cgroup2_point(str(path)) is None


def test_linux_and_psutil_see_the_same_mounts() -> None:
    """Both ways to ask know the same mount points and types."""

    def kinds(mounts: LinuxMounts | PortableMounts) -> dict[str, str]:
        return {point: mount.fstype for point, mount in mounts.current().items()}

    assert kinds(LinuxMounts()) == kinds(PortableMounts())


def test_a_new_mount_is_noticed() -> None:
    """Mounts that come and go are seen at the next look, without reading the list each time."""
    need("root")
    ran = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", COME_AND_GO],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.stdout, ran.stderr) == ("False True False\n", "")


COME_AND_GO = """
import os, subprocess, tempfile
from inspect_agent.sources.mounts import LinuxMounts
mounts, seen = LinuxMounts(), []
with tempfile.TemporaryDirectory() as folder:
    seen.append(folder in mounts.current())
    before = mounts.current()
    assert mounts.current() is before
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
    seen.append(folder in mounts.current())
    subprocess.run(["umount", folder], check=True)
    seen.append(folder in mounts.current())
print(*seen)
"""
