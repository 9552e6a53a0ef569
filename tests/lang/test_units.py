"""Amounts and durations."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.lang import units
from inspect_agent.lang.parse import grammar
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.units import Quantity
from inspect_agent.model.metric import Kind, Metric, Unit

K, M, G, T, P = (1024.0**power for power in range(1, 6))


def metric(unit: Unit, kind: Kind = "gauge") -> Metric:
    """A metric of this unit."""
    return Metric("m", unit, kind, "a metric")


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        ("bytes", "500", 500),
        ("bytes", "500b", 500),
        ("bytes", "1k", K),
        ("bytes", "1kb", K),
        ("bytes", "1K", K),
        ("bytes", "500mb", 500 * M),
        ("bytes", "500 MB", 500 * M),
        ("bytes", "1.5g", 1.5 * G),
        ("bytes", "2T", 2 * T),
        ("bytes", "900pb", 900 * P),
        ("percent", "60", 60),
        ("percent", "60%", 60),
        ("percent", "0.5 %", 0.5),
        ("seconds", "90", 90),
        ("seconds", "90s", 90),
        ("seconds", "90 secs", 90),
        ("seconds", "2 minutes", 120),
        ("seconds", "2m", 120),
        ("seconds", "1.5h", 5400),
        ("seconds", "1 hour", 3600),
        ("seconds", "3 days", 259200),
        ("seconds", "3D", 259200),
        ("count", "12", 12),
        ("count", "1k", K),
        ("count", "2M", 2 * M),
        ("count", "1g", G),
        ("number", "0.75", 0.75),
    ],
)
def test_every_suffix(unit: Unit, text: str, value: float) -> None:
    """A suffix means what the metric's unit makes of it."""
    quantity = units.amount(text, metric(unit))
    assert isinstance(quantity, Quantity)
    assert (quantity.value, quantity.share, quantity.rate) == (value, False, False)


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("bytes", "5s"),
        ("bytes", "5 days"),
        ("bytes", "5e"),
        ("percent", "5m"),
        ("percent", "5b"),
        ("seconds", "5k"),
        ("seconds", "5%"),
        ("seconds", "5mb"),
        ("count", "5%"),
        ("count", "5t"),
        ("count", "5kb"),
        ("number", "5%"),
        ("number", "5m"),
        ("bytes", ""),
        ("bytes", "m"),
        ("bytes", "-5m"),
        ("bytes", "+5m"),
        ("bytes", ".5m"),
        ("bytes", "5."),
        ("bytes", "1e9"),
        ("bytes", "1_000"),
        ("bytes", "0x10"),
        ("bytes", "٥m"),
        ("bytes", "5m "),
        ("bytes", "5 m/min"),
        ("number", "9" * 21),
    ],
)
def test_what_is_no_amount(unit: Unit, text: str) -> None:
    """What does not fit the unit, or is no plain decimal number, is wrong."""
    assert isinstance(units.amount(text, metric(unit)), Wrong)


def test_a_percentage_of_bytes() -> None:
    """`%` on bytes is a share of the machine's memory."""
    assert units.amount("20%", metric("bytes")) == Quantity(0.2, True, False, "20%", "20%")
    assert isinstance(units.amount("20%/sec", metric("bytes", "counter")), Wrong)


@pytest.mark.parametrize("kind", ["gauge", "usage"])
def test_a_rate_wants_a_counter(kind: Kind) -> None:
    """`/sec` is only legal on a counter."""
    assert isinstance(units.amount("5/sec", metric("count", kind)), Wrong)
    assert units.amount("1k/sec", metric("count", "counter")) == Quantity(
        K, False, True, "1k/sec", "1k/sec"
    )
    assert units.amount("5 /sec", metric("bytes", "counter")) == Quantity(
        5.0, False, True, "5/sec", "5/sec"
    )


@pytest.mark.parametrize(
    ("unit", "text", "tidy", "canonical"),
    [
        ("bytes", "1024 MB", "1024m", "1g"),
        ("bytes", "1.50g", "1.50g", "1536m"),
        ("bytes", "1.2g", "1.2g", "1288490188.8"),
        ("bytes", "500", "500", "500"),
        ("bytes", "0", "0", "0"),
        ("percent", "60", "60%", "60%"),
        ("percent", "7.5 %", "7.5%", "7.5%"),
        ("seconds", "120", "120s", "2m"),
        ("seconds", "3 days", "3d", "3d"),
        ("seconds", "1.5s", "1.5s", "1.5s"),
        ("count", "2048", "2048", "2k"),
        ("number", "10.50", "10.50", "10.5"),
    ],
)
def test_how_amounts_are_written(unit: Unit, text: str, tidy: str, canonical: str) -> None:
    """The text keeps the number as it was written; the canonical one has one form an amount."""
    quantity = units.amount(text, metric(unit))
    assert isinstance(quantity, Quantity)
    assert (quantity.text, quantity.canonical) == (tidy, canonical)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), ("5m", 300), ("5 minutes", 300), ("1.5h", 5400), ("24h", 86400)],
)
def test_durations(text: str, seconds: float) -> None:
    """A duration is in seconds, with or without a unit."""
    assert units.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5x", "5%", "5k", "5 fortnights", "5s/sec"])
def test_what_is_no_duration(text: str) -> None:
    """Anything else is wrong."""
    assert isinstance(units.duration(text), Wrong)


@given(st.floats(min_value=0, max_value=1e18), st.sampled_from(["bytes", "seconds", "count"]))
def test_the_canonical_text_means_the_same(value: float, unit: Unit) -> None:
    """What is written canonically reads as the same amount, to 15 digits."""
    whole = float(round(value))
    quantity = units.amount(units.canonical(whole, unit), metric(unit))
    assert isinstance(quantity, Quantity)
    assert quantity.value == pytest.approx(whole, rel=1e-14)


def test_the_grammar_knows_the_same_units() -> None:
    """A unit may stand apart from its number just where it may be written behind it."""
    known = {name for sizes in units.SUFFIXES.values() for name in sizes} - {""}
    assert {name for name in known if _lexes("UNIT", name)} == known
    assert {name for name in known if _lexes("TIME_UNIT", name)} == set(
        units.SUFFIXES["seconds"]
    ) - {""}


def _lexes(terminal: str, text: str) -> bool:
    patterns = {item.name: item.pattern.to_regexp() for item in grammar("inq").terminals}
    return re.fullmatch(patterns[terminal], text) is not None
