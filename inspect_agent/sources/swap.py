"""The machine's swap space."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from inspect_agent.model.metric import Family, Metric, MetricId, NoData, Value
from inspect_agent.ports import Reader, Subject
from inspect_agent.sources.polled import Polled
from inspect_agent.typed import Any

_SWAP = Family(
    "swap",
    "host",
    (Metric("", "percent", "gauge", "share of the swap space in use", 100.0),),
    help="the machine's swap space",
    origin="/proc/meminfo, by psutil",
)


class Swap:
    """How full the swap space is; a machine without swap has no value, and no breach."""

    families: tuple[Family, ...] = (_SWAP,)

    def names(self, subject: Subject) -> Sequence[MetricId]:
        """The one there is."""
        return [MetricId("swap")]

    def open(self, subject: Subject, metrics: Sequence[MetricId]) -> Reader:
        """A reader of the one figure."""
        return Polled(lambda: _values(psutil.swap_memory(), len(metrics)))


def _values(swap: Any, count: int) -> list[Value]:
    value: Value = 100 * swap.used / swap.total if swap.total else NoData("no swap")
    return [value] * count
