"""Processes by /proc: the fast path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from functools import cached_property

from inspect_agent import clock
from inspect_agent.errors import ProcessGone, SourceError
from inspect_agent.model.metric import MetricId, Value
from inspect_agent.model.target import Process
from inspect_agent.ports import Reader
from inspect_agent.sources import procfs
from inspect_agent.sources.cgroup import MemoryLimits
from inspect_agent.sources.mounts import MOUNTINFO, cgroup2_point
from inspect_agent.sources.procfs import CLK_TCK, PAGE_BYTES, RSS, STARTTIME, STIME, UTIME
from inspect_agent.sources.tree import Pass, Sample

_TAKE: Mapping[MetricId, Callable[[Sequence[bytes]], float]] = {
    MetricId("memory", "rss"): lambda fields: int(fields[RSS]) * PAGE_BYTES,
    MetricId("cpu", "user"): lambda fields: int(fields[UTIME]) / CLK_TCK,
    MetricId("cpu", "system"): lambda fields: int(fields[STIME]) / CLK_TCK,
}


class LinuxProcesses:
    """See tree.Processes; `below` finds the descendants of a process."""

    def __init__(
        self, below: Callable[[int], Collection[int]] | None = None, mountinfo: str = MOUNTINFO
    ) -> None:
        self._below = below or _below()
        self._mountinfo = mountinfo
        self._limits = MemoryLimits(mountinfo)

    def identify(self, pid: int) -> Process | None:
        """See tree.Processes. Raises SourceError where /proc hides it (hidepid, not root)."""
        try:
            with closing(procfs.StatFile(pid)) as file:
                return Process(pid, _started_s(file.fields()))
        except ProcessGone:
            return None

    def sample(self, pid: int) -> Sample | None:
        """See tree.Processes."""
        stat = procfs.read_stat(pid)
        return None if stat is None else _sample(pid, stat)

    def below(self, pid: int) -> Collection[int]:
        """See tree.Processes."""
        return self._below(pid)

    def members(self, process: Process) -> Collection[int] | None:
        """What its control group holds, provided that holds it: `su` moves its process away."""
        if self._cgroup2 is None or process.cgroup in (None, "", "/"):
            return None
        pids = procfs.cgroup_pids(f"{self._cgroup2}{process.cgroup}")
        return pids if process.pid in pids else None

    def memory_limit(self, process: Process) -> float | None:
        """What its control group and those around it allow."""
        return self._limits.of(process.pid)

    def open(self, process: Process, metrics: Sequence[MetricId]) -> Reader:
        """See tree.Processes."""
        file = procfs.StatFile(process.pid)
        try:
            _check(file, process)
        except SourceError:
            file.close()
            raise
        return _Reader(file, metrics)

    @cached_property
    def _cgroup2(self) -> str | None:
        return cgroup2_point(self._mountinfo)


class _Reader:
    def __init__(self, file: procfs.StatFile, metrics: Sequence[MetricId]) -> None:
        self._file = file
        self._take = [_TAKE[metric] for metric in metrics]
        self.close = file.close

    def read(self) -> Sequence[Value]:
        fields = self._file.fields()
        return [take(fields) for take in self._take]


def _below() -> Callable[[int], Collection[int]]:
    return (
        procfs.children_below if procfs.lists_children() else Pass(procfs.parents, clock.now).below
    )


def _started_s(fields: Sequence[bytes]) -> float:
    return int(fields[STARTTIME]) / CLK_TCK


def _check(file: procfs.StatFile, process: Process) -> None:
    if _started_s(file.fields()) != process.started_s:
        raise ProcessGone(f"process {process.pid} is gone, and its PID another's")


def _sample(pid: int, stat: procfs.Stat) -> Sample:
    return Sample(
        pid=pid,
        ppid=stat.ppid,
        comm=stat.comm,
        started_s=stat.starttime / CLK_TCK,
        ended=stat.state in ("Z", "X"),
        rss_bytes=stat.rss * PAGE_BYTES,
        user_s=stat.utime / CLK_TCK,
        system_s=stat.stime / CLK_TCK,
        reaped_user_s=stat.cutime / CLK_TCK,
        reaped_system_s=stat.cstime / CLK_TCK,
    )
