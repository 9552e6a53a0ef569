"""Sets of numbers: where a comparison is true, and what such sets have in common.

A region is a row of disjoint ranges, each from one cut to the next. A cut lies right before a
number or right behind it, so ranges with their ends and ranges without need no cases of their own.
"""

from __future__ import annotations

from math import inf

from inspect_agent.model.rule import Op

Cut = tuple[float, bool]
"""A place between numbers: before this one, or behind it."""

Range = tuple[Cut, Cut]
Region = tuple[Range, ...]

LOWEST: Cut = (-inf, False)
HIGHEST: Cut = (inf, True)
EVERYTHING: Region = ((LOWEST, HIGHEST),)


def where(op: Op, value: float) -> Region:
    """The numbers that compare so with this one."""
    before, behind = (value, False), (value, True)
    regions: dict[Op, Region] = {
        ">": ((behind, HIGHEST),),
        ">=": ((before, HIGHEST),),
        "<": ((LOWEST, before),),
        "<=": ((LOWEST, behind),),
        "==": ((before, behind),),
        "!=": ((LOWEST, before), (behind, HIGHEST)),
    }
    return regions[op]


def between(least: float | None, most: float | None) -> Region:
    """The numbers from `least` to `most`, both included; None: without an end."""
    low = LOWEST if least is None else (least, False)
    high = HIGHEST if most is None else (most, True)
    return ((low, high),)


def both(one: Region, other: Region) -> Region:
    """The numbers in both."""
    met = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple((low, high) for low, high in met if low < high)


def outside(region: Region) -> Region:
    """All other numbers."""
    lows = [LOWEST, *(high for _, high in region)]
    highs = [*(low for low, _ in region), HIGHEST]
    return tuple((low, high) for low, high in zip(lows, highs, strict=True) if low < high)


def within(inner: Region, outer: Region) -> bool:
    """Whether every number of the one is in the other."""
    return not both(inner, outside(outer))
