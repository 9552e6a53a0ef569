"""The machine's memory."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from inspect_agent.model.metric import Family, Metric, MetricId, NoData, Value
from inspect_agent.ports import Reader, Subject
from inspect_agent.sources.polled import Polled
from inspect_agent.typed import Any

_MEMORY = Family(
    "memory",
    "host",
    (
        Metric("free", "bytes", "gauge", "memory that nothing uses at all", noisy=True, low=True),
        Metric("available", "bytes", "gauge", "what programs can get without swapping", low=True),
        Metric("used", "bytes", "gauge", "what is not available"),
        Metric("percent", "percent", "gauge", "used, as a share of the machine's memory", 100.0),
    ),
    help="the machine's memory",
    origin="/proc/meminfo, by psutil",
)


class Memory:
    """Memory as free(1) counts it."""

    families: tuple[Family, ...] = (_MEMORY,)

    def names(self, subject: Subject) -> Sequence[MetricId]:
        """Those that people look at; `used` says the same as `percent`, `free` next to nothing."""
        return [MetricId("memory", "available"), MetricId("memory", "percent")]

    def open(self, subject: Subject, metrics: Sequence[MetricId]) -> Reader:
        """A reader of these figures."""
        return Polled(lambda: _values(psutil.virtual_memory(), metrics))


def _values(memory: Any, metrics: Sequence[MetricId]) -> list[Value]:
    # psutil's own `used` left the caches out until 7.1, so it did not fit `available`
    used = memory.total - memory.available
    figures: dict[str, Value] = {
        "free": memory.free,
        "available": memory.available,
        "used": used,
        "percent": 100 * used / memory.total if memory.total else NoData("no memory is reported"),
    }
    return [figures[metric.name] for metric in metrics]
