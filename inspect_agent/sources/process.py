"""Memory and CPU time of a service: of its main process, and of all its processes together."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from inspect_agent.model.metric import Family, Metric, MetricId, Value
from inspect_agent.model.target import Process
from inspect_agent.ports import Reader, Subject
from inspect_agent.sources.linux import LinuxProcesses
from inspect_agent.sources.portable import PortableProcesses
from inspect_agent.sources.tree import Processes, Sample, tree
from inspect_agent.sources.usage import Key, Spent, Usage

_MEMORY = Family(
    "memory",
    "service",
    (
        Metric("rss", "bytes", "gauge", "resident memory of the main process"),
        # between fork and exec a child's memory is its parent's once more
        Metric("total_rss", "bytes", "gauge", "resident memory of all its processes", noisy=True),
    ),
    help="a service's resident memory",
    origin="/proc/PID/stat",
)
_CPU = Family(
    "cpu",
    "service",
    (
        Metric("user", "percent", "usage", "the main process in its programs"),
        Metric("system", "percent", "usage", "the main process in the kernel"),
        Metric("total_user", "percent", "usage", "all its processes in their programs"),
        Metric("total_system", "percent", "usage", "all its processes in the kernel"),
    ),
    help="a service's CPU time",
    origin="/proc/PID/stat",
)
_SHOWN = (MetricId("cpu", "user"), MetricId("cpu", "system"), MetricId("memory", "rss"))

Tree = Mapping[int, Sample]
Total = Callable[[Tree], float]


def machine_processes() -> Processes:
    """How this system shows its processes."""
    return LinuxProcesses() if os.path.exists("/proc/self/task") else PortableProcesses()


class ProcessSource:
    """Metrics of a service's processes. A total covers its process tree, or its control group."""

    families: tuple[Family, ...] = (_MEMORY, _CPU)

    def __init__(self, processes: Processes | None = None) -> None:
        self._processes = processes or machine_processes()

    def names(self, subject: Subject) -> Sequence[MetricId]:
        """Those of the main process: they come with one read."""
        return _SHOWN

    def open(self, subject: Subject, metrics: Sequence[MetricId]) -> Reader:
        """A reader of one process; totals cost a look at all its processes, so are on demand."""
        assert isinstance(subject, Process)
        own = [metric for metric in metrics if not metric.name.startswith("total_")]
        reader = self._processes.open(subject, own)
        if len(own) == len(metrics):
            return reader
        return _TreeReader(subject, metrics, reader, self._processes)


class _TreeReader:
    def __init__(
        self,
        process: Process,
        metrics: Sequence[MetricId],
        own: Reader,
        processes: Processes,
    ) -> None:
        self._process = process
        self._processes = processes
        self._own = own
        self._total = [self._totals(metric) for metric in metrics]
        self.close = own.close

    def read(self) -> Sequence[Value]:
        own = iter(self._own.read())
        found = tree(self._process, self._processes)
        return [next(own) if total is None else total(found) for total in self._total]

    def _totals(self, metric: MetricId) -> Total | None:
        if metric.name == "total_rss":
            return _rss
        if metric.name == "total_user":
            return self._used(_user)
        if metric.name == "total_system":
            return self._used(_system)
        return None

    def _used(self, spent: Callable[[Sample], Spent]) -> Total:
        usage = Usage()
        return lambda found: usage.advance(
            {(pid, sample.started_s): spent(sample) for pid, sample in found.items()},
            self._exists,
        )

    def _exists(self, key: Key) -> bool:
        pid, started_s = key
        sample = self._processes.sample(pid)
        return sample is not None and sample.started_s == started_s


def _rss(found: Tree) -> int:
    return sum(sample.rss_bytes for sample in found.values())


def _user(sample: Sample) -> Spent:
    return Spent(sample.user_s, sample.reaped_user_s)


def _system(sample: Sample) -> Spent:
    return Spent(sample.system_s, sample.reaped_system_s)
