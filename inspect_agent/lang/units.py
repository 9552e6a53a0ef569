"""Amounts and durations: numbers with a unit.

Suffixes of bytes and counts are 1024-based, in either case. What a suffix means depends on the
unit of the metric that is compared, which its family declares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from inspect_agent.lang.problems import Near, Wrong
from inspect_agent.model.metric import Metric, Unit

_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([^0-9.].*)?", re.DOTALL)
_LONGEST_NUMBER = 20
_PER_SECOND = "/sec"


def _powers(suffixes: str, tail: str = "") -> dict[str, float]:
    named = {name: 1024.0 ** (i + 1) for i, name in enumerate(suffixes)}
    return named | {name + tail: size for name, size in named.items()}


_SECONDS = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
SUFFIXES: Mapping[Unit, Mapping[str, float]] = {
    "bytes": {"": 1.0, "b": 1.0, **_powers("kmgtp", "b")},
    "percent": {"": 1.0, "%": 1.0},
    "seconds": _SECONDS,
    "count": {"": 1.0, **_powers("kmg")},
    "number": {"": 1.0},
}
"""What a suffix multiplies by, for each unit; the empty one is a bare number."""

_SYMBOLS: Mapping[Unit, tuple[str, ...]] = {
    "bytes": ("p", "t", "g", "m", "k"),
    "percent": ("%",),
    "seconds": ("d", "h", "m"),
    "count": ("g", "m", "k"),
    "number": (),
}
_TAKES: Mapping[Unit, str] = {
    "bytes": "bytes take k, m, g, t, p or %",
    "percent": "a percentage takes % or no unit",
    "seconds": "a duration takes s, m, h or d",
    "count": "a count takes k, m, g or no unit",
    "number": "it is a plain number",
}


class Quantity(NamedTuple):
    """An amount as its metric reads it.

    value      in the metric's unit; a fraction where `share`
    share      a percentage of bytes: of the memory
    rate       written with /sec
    text       tidied, with the number as it was written: `1.50g`
    canonical  the same text for every way to write the same amount: `1536m`
    """

    value: float
    share: bool
    rate: bool
    text: str
    canonical: str


def amount(text: str, metric: Metric) -> Quantity | Wrong:
    """An amount that `metric` is compared with: `500m`, `1.5 g`, `20%`, `1k/sec`, `3 days`."""
    parts = _split(text)
    if parts is None:
        return _no_number(text, "{} is not an amount", "500m, 60%, 1.5g, 90s")
    number, suffix = parts
    rate = suffix.endswith(_PER_SECOND)
    suffix = suffix.removesuffix(_PER_SECOND)
    if rate and metric.kind != "counter":
        return Wrong("{} is a rate, and the metric is no counter", "leave out /sec")
    if suffix == "%" and metric.unit == "bytes":
        return Wrong("{} is a share, and a share has no rate") if rate else _share(number)
    return _quantity(number, suffix, rate, metric.unit)


def duration(text: str) -> float | Wrong:
    """Seconds: `30`, `90s`, `5m`, `5 minutes`, `1.5h`."""
    parts = _split(text)
    if parts is None:
        return _no_number(text, "{} is not a duration", "30s, 5m, 1.5h")
    number, suffix = parts
    if suffix not in _SECONDS:
        return _no_unit(suffix, "seconds")
    return float(number) * _SECONDS[suffix]


def _split(text: str) -> tuple[str, str] | None:
    """The number and its suffix, in small letters."""
    match = _AMOUNT.fullmatch(text)
    if match is None or len(match[1]) > _LONGEST_NUMBER:
        return None
    return match[1], (match[2] or "").lower().replace(f" {_PER_SECOND}", _PER_SECOND)


def _quantity(number: str, suffix: str, rate: bool, unit: Unit) -> Quantity | Wrong:
    sizes = SUFFIXES[unit]
    if suffix not in sizes:
        return _no_unit(suffix, unit)
    value = float(number) * sizes[suffix]
    tail = _PER_SECOND if rate else ""
    written = number + ("%" if unit == "percent" else _symbol(sizes[suffix], unit)) + tail
    return Quantity(value, False, rate, written, canonical(value, unit) + tail)


def _share(number: str) -> Quantity:
    return Quantity(float(number) / 100, True, False, f"{number}%", f"{_plain(float(number))}%")


def canonical(value: float, unit: Unit) -> str:
    """The shortest exact way to write a value of this unit: 524288000 bytes are `500m`."""
    if unit == "percent":
        return f"{_plain(value)}%"
    for symbol in _SYMBOLS[unit]:
        size = SUFFIXES[unit][symbol]
        if value and value % size == 0:
            return f"{_plain(value / size)}{symbol}"
    return _plain(value) + ("s" if unit == "seconds" else "")


def _symbol(size: float, unit: Unit) -> str:
    for symbol in _SYMBOLS[unit]:
        if SUFFIXES[unit][symbol] == size:
            return symbol
    return "s" if unit == "seconds" else ""


def _plain(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{value:.15g}"


def _no_number(text: str, message: str, examples: str) -> Wrong:
    if text[:1] in ("+", "-"):
        return Wrong(message, "a number has no sign")
    if _AMOUNT.fullmatch(text):
        return Wrong(message, f"a number has at most {_LONGEST_NUMBER} digits")
    return Wrong(message, f"a number and its unit, as in {examples}")


def _no_unit(suffix: str, unit: Unit) -> Wrong:
    known = {name for sizes in SUFFIXES.values() for name in sizes}
    if suffix in known | {"%"}:
        return Wrong(f"the unit {suffix} of {{}} does not fit", _TAKES[unit])
    near = Near(suffix, SUFFIXES[unit]) if len(suffix) > 2 else None
    return Wrong("{} has a unit that nobody knows", _TAKES[unit], near)
