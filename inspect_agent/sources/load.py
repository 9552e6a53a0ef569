"""The machine's load averages."""

from __future__ import annotations

import os
from collections.abc import Sequence

from inspect_agent.errors import SourceError
from inspect_agent.model.metric import Family, Metric, MetricId, Value
from inspect_agent.ports import Reader, Subject
from inspect_agent.sources.polled import Polled

_MINUTES = ("1", "5", "15")

_LOAD = Family(
    "load",
    "host",
    tuple(
        Metric(minutes, "number", "gauge", f"load average of the last {minutes} min")
        for minutes in _MINUTES
    ),
    help="how many tasks run or wait, on all cores together",
    origin="getloadavg(3)",
)


class Load:
    """How many tasks run or wait: getloadavg(3). Not divided by the number of cores."""

    families: tuple[Family, ...] = (_LOAD,)

    def names(self, subject: Subject) -> Sequence[MetricId]:
        """All of them."""
        return [MetricId("load", minutes) for minutes in _MINUTES]

    def open(self, subject: Subject, metrics: Sequence[MetricId]) -> Reader:
        """A reader of these averages."""
        places = [_MINUTES.index(metric.name) for metric in metrics]
        return Polled(lambda: _values(places))


def _values(places: Sequence[int]) -> list[Value]:
    try:
        averages = os.getloadavg()
    except OSError as error:
        raise SourceError("this system does not tell its load average") from error
    return [averages[place] for place in places]
