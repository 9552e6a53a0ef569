"""Numbers with their units, as sentences say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.engine.quantities import duration, many, number, quantity, size
from inspect_agent.model.metric import Unit

MIB = 1024.0**2


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (500 * MIB, "bytes", "500 MiB"),
        (90.0, "percent", "90 %"),
        (20.5, "percent", "20.5 %"),
        (14400.0, "seconds", "4 hours"),
        (1024.0, "count", "1024"),
        (0.75, "number", "0.75"),
    ],
)
def test_every_unit(value: float, unit: Unit, said: str) -> None:
    """A value is said in its unit."""
    assert quantity(value, unit) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0 bytes"),
        (1.0, "1 byte"),
        (1023.0, "1023 bytes"),
        (1024.0, "1 KiB"),
        (1536 * MIB, "1.5 GiB"),
        (0.1 * 1024 * MIB, "102.4 MiB"),
        (1025 * MIB, "1025 MiB"),
        (2 * 1024.0**5, "2 PiB"),
        (5000 * 1024.0**5, "5000 PiB"),
        (123456789.0, "123456789 bytes"),
    ],
)
def test_sizes(value: float, said: str) -> None:
    """Never rounded: where no unit fits, bytes are counted."""
    assert size(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0 s"),
        (0.1, "0.1 s"),
        (15.0, "15 s"),
        (60.0, "1 minute"),
        (90.0, "90 s"),
        (5400.0, "90 minutes"),
        (3600.0, "1 hour"),
        (129600.0, "36 hours"),
        (172800.0, "2 days"),
        (90000.5, "90000.5 s"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    """Never rounded: in the largest unit that fits."""
    assert duration(seconds) == said


def test_many() -> None:
    """One is one, everything else is many."""
    assert [many(count, "cycle") for count in (0, 1, 2)] == ["0 cycles", "1 cycle", "2 cycles"]


@given(st.floats(min_value=0, max_value=1e20))
def test_numbers_are_whole(value: float) -> None:
    """A number is said with all of its digits, and without an exponent."""
    said = number(value)
    assert float(said) == value
    assert "e" not in said
    assert not said.endswith(".0")
