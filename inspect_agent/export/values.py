"""Values as people read them: `131.42m`, `0.8%`, `3.50`, `2h5m`."""

from __future__ import annotations

from inspect_agent.model.metric import Unit

_SUFFIXES = ("b", "k", "m", "g", "t", "p")


def show(value: float, unit: Unit) -> str:
    """A value with its unit."""
    if unit == "bytes":
        return size(value)
    if unit == "percent":
        return f"{value:.1f}%"
    if unit == "seconds":
        return duration(value)
    if unit == "number":
        return f"{value:.2f}"
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"


def size(value_bytes: float) -> str:
    """Bytes with a 1024-based suffix and two decimals, as Inspeqtor shows them."""
    value, suffixes = float(value_bytes), iter(_SUFFIXES)
    suffix = next(suffixes)
    for following in suffixes:
        if abs(value) < 1024:
            break
        value, suffix = value / 1024, following
    return f"{value:.0f}b" if suffix == "b" else f"{value:.2f}{suffix}"


def duration(seconds: float) -> str:
    """Seconds as the two largest units that matter: `47m47s`, `2d3h`, `0.25s`."""
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.2f}s"
    left, parts = int(seconds), []
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts[:2]) or "0s"


def many(count: int, noun: str) -> str:
    """`1 service`, `2 services`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(text: str) -> str:
    """One line that tells a terminal nothing but what to show."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
