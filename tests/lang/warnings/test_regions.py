"""Sets of numbers are what comparing number for number says."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.lang.warnings import regions
from inspect_agent.lang.warnings.regions import Region
from inspect_agent.model.rule import Op

OPS: Mapping[Op, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
VALUES = (0.0, 1.0, 2.0, 3.0)
SAMPLES = tuple(n / 2 for n in range(-2, 10))
"""The values, a number on either side of each, and between each two."""

Compared = tuple[Op, float]
ONE: st.SearchStrategy[Compared] = st.tuples(st.sampled_from(list(OPS)), st.sampled_from(VALUES))


def region(*compared: Compared) -> Region:
    """Where all of these are true."""
    found = regions.EVERYTHING
    for op, value in compared:
        found = regions.both(found, regions.where(op, value))
    return found


def true(sample: float, *compared: Compared) -> bool:
    """The same, of one number."""
    return all(OPS[op](sample, value) for op, value in compared)


@given(st.lists(ONE, max_size=4))
def test_what_is_true_together(compared: list[Compared]) -> None:
    """A region is empty exactly where no number passes all comparisons; so is what is outside."""
    passing = [true(sample, *compared) for sample in SAMPLES]
    assert bool(region(*compared)) == any(passing)
    assert bool(regions.outside(region(*compared))) == (not all(passing))


@given(st.lists(ONE, max_size=3), st.lists(ONE, max_size=3))
def test_within(inner: list[Compared], outer: list[Compared]) -> None:
    """One is within another exactly where no number passes the one and not the other."""
    strays = [s for s in SAMPLES if true(s, *inner) and not true(s, *outer)]
    assert regions.within(region(*inner), region(*outer)) == (not strays)


def test_between() -> None:
    """Both ends are included, and one that is not known is none."""
    assert regions.between(0, 100) == region((">=", 0), ("<=", 100))
    assert regions.between(None, 100) == region(("<=", 100))
    assert regions.between(0, None) == region((">=", 0))
    assert regions.between(None, None) == regions.EVERYTHING
