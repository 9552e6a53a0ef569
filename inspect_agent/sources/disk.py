"""How full the machine's file systems are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

import psutil

from inspect_agent.errors import SourceError
from inspect_agent.model.metric import Family, Metric, MetricId, NoData, Value
from inspect_agent.ports import Reader, Subject
from inspect_agent.sources.mounts import Mount, Mounts, machine_mounts
from inspect_agent.sources.polled import Polled

_DISK = Family(
    "disk",
    "host",
    (),
    Metric("MOUNT", "percent", "gauge", "space in use by mount point, as in df's Use%", 100.0),
    help="how full the file systems are",
    origin="statvfs(2) of the mount point, by psutil",
)


class Disk:
    """Used space by mount point, in percent of what ordinary users can have, as df counts it.

    Network file systems are not read here: one that hangs would hang the whole agent.
    """

    families: tuple[Family, ...] = (_DISK,)

    def __init__(self, mounts: Mounts | None = None) -> None:
        self._mounts = mounts or machine_mounts()

    def names(self, subject: Subject) -> Sequence[MetricId]:
        """Every real file system, once, by its first mount point."""
        try:
            return [MetricId("disk", point) for point in _real(self._mounts.current())]
        except SourceError:
            return [MetricId("disk", "/")]  # whose reading will tell the reason

    def open(self, subject: Subject, metrics: Sequence[MetricId]) -> Reader:
        """A reader of these mount points; they may come and go."""
        points = [metric.name for metric in metrics]
        return Polled(lambda: self._read(points))

    def _read(self, points: Sequence[str]) -> list[Value]:
        mounts = self._mounts.current()
        return [_used(point, mounts) for point in points]


def _real(mounts: Mapping[str, Mount]) -> Iterator[str]:
    seen = set()
    for mount in mounts.values():
        if mount.device in seen or not mount.real or _remote_on_the_way(mount.point, mounts):
            continue
        if os.path.isdir(mount.point):  # a container's /etc/hosts is a mount of the disk it is on
            seen.add(mount.device)
            yield mount.point


def _used(point: str, mounts: Mapping[str, Mount]) -> Value:
    mount = mounts.get(point)
    if mount is None:
        return NoData(f"nothing is mounted at {point}", failed=True)
    remote = _remote_on_the_way(point, mounts)
    if remote is not None:
        return NoData(f"{remote.fstype} may hang, so it is not read in this version")
    try:
        usage = psutil.disk_usage(point)
    except OSError as error:
        return NoData(f"{point}: {error.strerror}", failed=True)
    return usage.percent if usage.total else NoData(f"{mount.fstype} has no size")


def _remote_on_the_way(point: str, mounts: Mapping[str, Mount]) -> Mount | None:
    """The file system that looking at `point` could hang in: its own, or one it is mounted on.

    A remote root never counts: if it hangs, so does everything.
    """
    while point not in ("/", ""):
        mount = mounts.get(point)
        if mount is not None and mount.remote:
            return mount
        point = os.path.dirname(point)
    return None
