"""Values as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.export import values
from inspect_agent.model.metric import Unit


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0, "percent", "0.0%"),
        (0.84, "percent", "0.8%"),
        (312.55, "percent", "312.6%"),
        (0.0, "bytes", "0b"),
        (1023.0, "bytes", "1023b"),
        (1024.0, "bytes", "1.00k"),
        (137_803_858.0, "bytes", "131.42m"),
        (1.5 * 1024**3, "bytes", "1.50g"),
        (3.25 * 1024**4, "bytes", "3.25t"),
        (2.0 * 1024**6, "bytes", "2048.00p"),
        (0.0, "number", "0.00"),
        (3.5, "number", "3.50"),
        (0.0, "count", "0"),
        (1234567.0, "count", "1234567"),
        (2.5, "count", "2.50"),
        (0.0, "seconds", "0s"),
        (0.25, "seconds", "0.25s"),
        (9.0, "seconds", "9s"),
        (59.9, "seconds", "59s"),
        (60.0, "seconds", "1m"),
        (2867.0, "seconds", "47m47s"),
        (7500.0, "seconds", "2h5m"),
        (183_600.0, "seconds", "2d3h"),
        (86_400.0 * 400, "seconds", "400d"),
    ],
)
def test_a_value_is_shown_in_its_unit(value: float, unit: Unit, shown: str) -> None:
    """With a suffix that keeps it short, and two decimals at most."""
    assert values.show(value, unit) == shown


@given(st.floats(0.0, 1e18), st.sampled_from(["bytes", "percent", "seconds", "count", "number"]))
def test_any_value_is_short(value: float, unit: Unit) -> None:
    """It is one word, and begins with a digit."""
    shown = values.show(value, unit)
    assert shown[0].isdigit()
    assert shown.split() == [shown]
    assert len(shown) <= 22


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 rules"), (1, "1 rule"), (2, "2 rules"), (21, "21 rules")]
)
def test_one_is_no_plural(count: int, text: str) -> None:
    """As people say it."""
    assert values.many(count, "rule") == text
