"""`show TARGET METRIC`: a sparkline of the last samples, with min, max and average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inspect_agent.export import values
from inspect_agent.typed import Any

_BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60


def render(shown: Mapping[str, Any]) -> str:
    """Two lines: the bars, and the figures; {"metric", "unit", "values": oldest first}."""
    samples, unit = shown["values"], shown["unit"]
    if not samples:
        return f"{shown['metric']}: no data ({shown['reason']})\n"
    low, high, mean = min(samples), max(samples), sum(samples) / len(samples)
    figures = ", ".join(
        f"{name} {values.show(value, unit)}"
        for name, value in (("min", low), ("max", high), ("avg", mean), ("now", samples[-1]))
    )
    return f"{shown['metric']} {bars(samples[-WIDTH:])}\n{figures} ({len(samples)} samples)\n"


def bars(samples: Sequence[float]) -> str:
    """One bar a sample, from the lowest to the highest of them."""
    low, high = min(samples), max(samples)
    span = high - low
    top = len(_BARS) - 1
    return "".join(_BARS[round((value - low) / span * top) if span else 0] for value in samples)
