"""Processes by psutil, where there is no /proc."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import psutil

from inspect_agent import clock
from inspect_agent.errors import ProcessGone, SourceError
from inspect_agent.model.metric import MetricId, Value
from inspect_agent.model.target import Process
from inspect_agent.ports import Reader
from inspect_agent.sources.tree import Pass, Sample

_TAKE: Mapping[MetricId, Callable[[psutil.Process], float]] = {
    MetricId("memory", "rss"): lambda process: process.memory_info().rss,
    MetricId("cpu", "user"): lambda process: process.cpu_times().user,
    MetricId("cpu", "system"): lambda process: process.cpu_times().system,
}


class PortableProcesses:
    """See tree.Processes."""

    def __init__(self, now: Callable[[], float] = clock.now) -> None:
        self._pass = Pass(_parents, now)
        self._booted_s = psutil.boot_time()

    def identify(self, pid: int) -> Process | None:
        """See tree.Processes."""
        sample = self.sample(pid)
        return None if sample is None or sample.ended else Process(pid, sample.started_s)

    def sample(self, pid: int) -> Sample | None:
        """See tree.Processes."""
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                return self._sample(process)
        except (psutil.Error, ValueError, OverflowError):  # no such process, or no such PID
            return None

    def below(self, pid: int) -> Collection[int]:
        """See tree.Processes."""
        return self._pass.below(pid)

    def members(self, process: Process) -> Collection[int] | None:
        """No system but Linux has control groups."""
        return None

    def memory_limit(self, process: Process) -> float | None:
        """No system but Linux has control groups."""
        return None

    def open(self, process: Process, metrics: Sequence[MetricId]) -> Reader:
        """See tree.Processes."""
        if not process.same_as(self.identify(process.pid)):
            raise ProcessGone(f"process {process.pid} is gone")
        return _Reader(psutil.Process(process.pid), metrics)

    def _sample(self, process: psutil.Process) -> Sample:
        times = process.cpu_times()
        return Sample(
            pid=process.pid,
            ppid=process.ppid(),
            comm=process.name(),
            started_s=round(process.create_time() - self._booted_s, 2),
            ended=process.status() == psutil.STATUS_ZOMBIE,
            rss_bytes=process.memory_info().rss,
            user_s=times.user,
            system_s=times.system,
            reaped_user_s=times.children_user,
            reaped_system_s=times.children_system,
        )


class _Reader:
    def __init__(self, process: psutil.Process, metrics: Sequence[MetricId]) -> None:
        self._process = process
        self._take = [_TAKE[metric] for metric in metrics]

    def read(self) -> Sequence[Value]:
        try:
            if not self._process.is_running() or self._process.status() == psutil.STATUS_ZOMBIE:
                raise ProcessGone(f"process {self._process.pid} is gone")
            return [take(self._process) for take in self._take]
        except psutil.NoSuchProcess as error:
            raise ProcessGone(f"process {self._process.pid} is gone") from error
        except psutil.Error as error:
            raise SourceError(f"process {self._process.pid}: {error}") from error

    def close(self) -> None:
        """Nothing is held open."""


def _parents() -> dict[int, int]:
    return {process.pid: process.info["ppid"] for process in psutil.process_iter(["ppid"])}
