"""What was measured: the latest value of each metric, and a ring of those before it."""

from __future__ import annotations

from array import array
from math import isfinite, isnan, nan

from inspect_agent.model.metric import Kind, NoData, Value

RING = 240
"""Samples kept per metric: an hour at the default cycle. 960 bytes as float32."""

FIRST_SAMPLE = NoData("first sample")
RESET = NoData("counter was reset")
NOT_SAMPLED = NoData("not sampled yet")
NOT_A_NUMBER = NoData("not a number")


class Series:
    """One metric of one target. Gauges are what they are; the subclasses make rates.

    latest      the value that rules compare, or why there is none
    per_second  the same as a rate, where the metric is a counter
    """

    __slots__ = ("_next", "_ring", "latest")

    def __init__(self) -> None:
        self.latest: Value = NOT_SAMPLED
        self._ring = array("f")
        self._next = 0

    @property
    def per_second(self) -> Value:
        """The latest value as a rate; only a counter has one."""
        return NoData("not a counter")

    def add(self, sample: Value, now: float) -> None:
        """Takes one sample of the metric, as its source read it."""
        self._keep(sample)

    def forget(self, reason: NoData = NOT_SAMPLED) -> None:
        """The samples to come are another process's: no rate may span both."""
        self.latest = reason

    def values(self) -> list[float]:
        """The ring, oldest first; a sample without data is left out."""
        ring = self._ring[self._next :] + self._ring[: self._next]
        return [value for value in ring if not isnan(value)]

    def _keep(self, value: Value) -> None:
        number = nan
        if not isinstance(value, NoData):
            if isfinite(value):
                number = value
            else:
                value = NOT_A_NUMBER
        self.latest = value
        ring = self._ring
        if len(ring) < RING:
            ring.append(number)
        else:
            ring[self._next] = number
            self._next = (self._next + 1) % RING


class Counter(Series):
    """A counter is compared by its growth since the sample before, or by its rate."""

    __slots__ = ("_at", "_sample", "_span_s")

    def __init__(self) -> None:
        super().__init__()
        self._sample: float | None = None
        self._at = self._span_s = 0.0

    @property
    def per_second(self) -> Value:
        """The growth a second, over the time that really passed."""
        latest = self.latest
        return latest if isinstance(latest, NoData) else latest / self._span_s

    def add(self, sample: Value, now: float) -> None:
        """Takes the counter as it stands; a second reading of one moment tells nothing."""
        if isinstance(sample, NoData) or not isfinite(sample):
            self._keep(sample)
            return
        before, span_s = self._sample, now - self._at
        if before is not None and span_s <= 0:
            return
        self._sample, self._at, self._span_s = sample, now, span_s
        if before is None:
            self._keep(FIRST_SAMPLE)
        elif sample < before:
            self._keep(RESET)
        else:
            self._keep(self._growth(sample - before))

    def forget(self, reason: NoData = NOT_SAMPLED) -> None:
        """The next sample starts anew, as a first one."""
        super().forget(reason)
        self._sample = None

    def _growth(self, growth: float) -> float:
        return growth


class Usage(Counter):
    """Seconds of use are compared as a percentage of the time that passed, 100 a core."""

    __slots__ = ()

    def _growth(self, growth: float) -> float:
        return 100.0 * growth / self._span_s


_SERIES: dict[Kind, type[Series]] = {"gauge": Series, "counter": Counter, "usage": Usage}


def series(kind: Kind) -> Series:
    """An empty series for a metric of this kind."""
    return _SERIES[kind]()
