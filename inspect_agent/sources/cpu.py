"""The machine's CPU time."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from inspect_agent.model.metric import Family, Metric, MetricId, NoData, Value
from inspect_agent.ports import Reader, Subject
from inspect_agent.sources.polled import Polled
from inspect_agent.typed import Any

# user holds guest, and nice holds guest_nice, already: proc_stat(5)
_BUSY = ("user", "nice", "system", "irq", "softirq", "steal")

_CPU = Family(
    "cpu",
    "host",
    (
        Metric("", "percent", "usage", "all CPU time that was not idle and not iowait"),
        Metric("user", "percent", "usage", "in programs of ordinary priority"),
        Metric("system", "percent", "usage", "in the kernel, interrupts not counted"),
        Metric("iowait", "percent", "usage", "idle while waiting for a disk"),
        Metric("steal", "percent", "usage", "wanted, but given to other virtual machines"),
    ),
    help="the machine's CPU time",
    origin="/proc/stat, by psutil",
)


class Cpu:
    """CPU seconds since boot, summed over all cores: 100 % is one busy core."""

    families: tuple[Family, ...] = (_CPU,)

    def names(self, subject: Subject) -> Sequence[MetricId]:
        """All of them."""
        return [MetricId("cpu", metric.name) for metric in _CPU.metrics]

    def open(self, subject: Subject, metrics: Sequence[MetricId]) -> Reader:
        """A reader of these columns."""
        return Polled(lambda: _values(psutil.cpu_times(), metrics))


def _values(times: Any, metrics: Sequence[MetricId]) -> list[Value]:
    return [_column(times, metric.name) if metric.name else _busy(times) for metric in metrics]


def _busy(times: Any) -> float:
    return sum(getattr(times, column, 0.0) for column in _BUSY)


def _column(times: Any, name: str) -> Value:
    seconds: float | None = getattr(times, name, None)
    return NoData(f"this system does not count {name}") if seconds is None else seconds
