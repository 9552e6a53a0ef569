"""Numbers with their units, as sentences say them: `500 MiB`, `90 minutes`, `60 %`."""

from __future__ import annotations

from decimal import Decimal

from inspect_agent.model.metric import Unit

_SIZES = (
    ("PiB", 1024.0**5),
    ("TiB", 1024.0**4),
    ("GiB", 1024.0**3),
    ("MiB", 1024.0**2),
    ("KiB", 1024.0),
)
_TIMES = (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0))


def quantity(value: float, unit: Unit) -> str:
    """A value of this unit."""
    if unit == "bytes":
        return size(value)
    if unit == "seconds":
        return duration(value)
    return f"{number(value)} %" if unit == "percent" else number(value)


def size(value_bytes: float) -> str:
    """Bytes, in the largest unit that takes three decimals at most."""
    for name, factor in _SIZES:
        count = value_bytes / factor
        if count >= 1 and round(count, 3) == count:
            return f"{number(count)} {name}"
    return many(value_bytes, "byte")


def duration(seconds: float) -> str:
    """Seconds, in the largest unit that takes no decimals."""
    for name, factor in _TIMES:
        if seconds >= factor and seconds % factor == 0:
            return many(seconds / factor, name)
    return f"{number(seconds)} s"


def many(count: float, noun: str) -> str:
    """`1 cycle`, `2 cycles`."""
    return f"{number(count)} {noun}" if count == 1 else f"{number(count)} {noun}s"


def number(value: float) -> str:
    """All digits of it, and none that says nothing."""
    return f"{Decimal(repr(value)):f}".removesuffix(".0")
