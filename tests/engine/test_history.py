"""History: what rules compare, what is kept, and why there may be no value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.engine.history import (
    FIRST_SAMPLE,
    NOT_A_NUMBER,
    NOT_SAMPLED,
    RESET,
    RING,
    Counter,
    Series,
    Usage,
    series,
)
from inspect_agent.model.config import Settings
from inspect_agent.model.metric import Kind, NoData, Value

KINDS: tuple[Kind, ...] = ("gauge", "counter", "usage")
GONE = NoData("not running")
PIB = 1024.0**5


def fed(kind: Kind, *samples: tuple[float, Value]) -> Series:
    """A series that took these samples, (seconds, value) each."""
    one = series(kind)
    for at, sample in samples:
        one.add(sample, at)
    return one


def seen(kind: Kind, *samples: tuple[float, Value]) -> list[tuple[Value, Value]]:
    """The latest value and the rate after each sample."""
    one, found = series(kind), []
    for at, sample in samples:
        one.add(sample, at)
        found.append((one.latest, one.per_second))
    return found


def test_each_kind_has_its_series() -> None:
    """Gauges are what they are, counters grow, usage is a share of time."""
    assert [type(series(kind)) for kind in KINDS] == [Series, Counter, Usage]


def test_the_reasons_are_fit_for_people() -> None:
    """Where there is no value, status shows why."""
    reasons = [reason.reason for reason in (NOT_SAMPLED, FIRST_SAMPLE, RESET, NOT_A_NUMBER)]
    assert reasons == ["not sampled yet", "first sample", "counter was reset", "not a number"]


def test_an_hour_is_kept_at_the_default_cycle() -> None:
    """240 samples, a quarter of a minute apart."""
    assert RING * Settings().cycle_time_s == 3600.0


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_known_before_the_first_sample(kind: Kind) -> None:
    """An empty series says that it was not sampled, and keeps nothing."""
    one = series(kind)
    assert (one.latest, one.values()) == (NOT_SAMPLED, [])


def test_a_gauge_is_what_was_read() -> None:
    """A gauge has a value from its first sample on, and never a rate."""
    no_rate = NoData("not a counter")
    assert seen("gauge", (0.0, 3.5), (1.0, GONE), (2.0, 0.0)) == [
        (3.5, no_rate),
        (GONE, no_rate),
        (0.0, no_rate),
    ]


def test_a_counter_is_its_growth_and_its_rate() -> None:
    """Growth is over the sample before, the rate over the time that really passed."""
    assert seen("counter", (5.0, 100.0), (15.0, 130.0), (19.0, 130.0), (21.5, 135.0)) == [
        (FIRST_SAMPLE, FIRST_SAMPLE),
        (30.0, 3.0),
        (0.0, 0.0),
        (5.0, 2.0),
    ]


def test_a_counter_that_fell_was_reset() -> None:
    """A reset is no growth below zero; the counter goes on from where it fell to."""
    assert seen("counter", (0.0, 100.0), (10.0, 20.0), (20.0, 50.0)) == [
        (FIRST_SAMPLE, FIRST_SAMPLE),
        (RESET, RESET),
        (30.0, 3.0),
    ]


def test_a_counter_that_starts_at_zero_has_a_first_sample_too() -> None:
    """Zero is a sample like any other, and not the absence of one."""
    assert [value for value, _ in seen("counter", (0.0, 0.0), (10.0, 5.0))] == [FIRST_SAMPLE, 5.0]


def test_a_rate_spans_the_time_in_which_nothing_was_known() -> None:
    """After a gap the rate is over all the time since the last sample that was read."""
    samples = ((0.0, 100.0), (10.0, GONE), (20.0, GONE), (30.0, 160.0))
    assert seen("counter", *samples) == [
        (FIRST_SAMPLE, FIRST_SAMPLE),
        (GONE, GONE),
        (GONE, GONE),
        (60.0, 2.0),
    ]


def test_a_reset_is_seen_over_a_gap() -> None:
    """A counter that comes back lower was reset, however long it was unknown."""
    assert seen("counter", (0.0, 100.0), (10.0, GONE), (20.0, 50.0))[-1] == (RESET, RESET)


def test_a_gap_at_the_beginning_is_no_first_sample() -> None:
    """The first number is the first sample, whatever was unknown before it."""
    values = [value for value, _ in seen("counter", (0.0, GONE), (10.0, 7.0), (20.0, 9.0))]
    assert values == [GONE, FIRST_SAMPLE, 2.0]


def test_usage_is_a_percentage_of_the_time_that_passed() -> None:
    """1.5 s of CPU in 10 s are 15 %; 20 s in 10 s are two cores."""
    samples = ((0.0, 4.0), (10.0, 5.5), (20.0, 25.5), (60.0, 25.5), (70.0, 1.0))
    found = [value for value, _ in seen("usage", *samples)]
    assert found == [FIRST_SAMPLE, 15.0, 200.0, 0.0, RESET]


def test_usage_spans_a_late_cycle() -> None:
    """A cycle that came late changes no percentage."""
    assert fed("usage", (0.0, 0.0), (10.0, 5.0), (40.0, 20.0)).latest == 50.0


@pytest.mark.parametrize("kind", ["counter", "usage"])
def test_a_second_reading_of_the_same_moment_tells_nothing_new(kind: Kind) -> None:
    """What was known stays known: growth needs time to mean anything."""
    one = fed(kind, (0.0, 100.0), (10.0, 130.0))
    before = (one.latest, one.per_second, one.values())
    one.add(131.0, 10.0)
    assert (one.latest, one.per_second, one.values()) == before
    one.add(150.0, 20.0)
    assert one.latest == (20.0 if kind == "counter" else 200.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")], ids=str)
def test_a_number_that_is_none_is_no_value(kind: Kind, number: float) -> None:
    """NaN and infinity are never compared, and do not spoil the sample after them."""
    one = fed(kind, (0.0, 1.0), (10.0, 2.0), (20.0, number))
    found = [one.latest, len(one.values())]
    one.add(4.0, 30.0)
    after = {"gauge": 4.0, "counter": 2.0, "usage": 10.0}[kind]
    assert [*found, one.latest] == [NOT_A_NUMBER, 2 if kind == "gauge" else 1, after]


def test_petabytes_are_exact_where_rules_compare_and_rounded_in_the_ring() -> None:
    """The latest value is the number that was read; the ring keeps it as float32."""
    one = fed("gauge", (0.0, PIB + 1.0))
    assert one.latest == PIB + 1.0
    assert one.values() == [PIB]
    big = fed("counter", (0.0, 900 * PIB), (1.0, 900 * PIB + 4096.0))
    assert (big.latest, big.per_second, big.values()) == (4096.0, 4096.0, [4096.0])


def test_the_ring_is_float32() -> None:
    """A thousandth in the history is as near as four bytes allow."""
    (kept,) = fed("gauge", (0.0, 0.1)).values()
    assert kept == 0.10000000149011612


def test_the_ring_leaves_out_what_was_not_known() -> None:
    """A sample without data has its place in the ring, and no value."""
    one = fed("gauge", (0.0, 1.0), (1.0, GONE), (2.0, 3.0))
    assert one.values() == [1.0, 3.0]
    for number in range(RING - 2):
        one.add(float(number), 3.0)
    assert len(one.values()) == RING - 1


def test_the_ring_keeps_rates_of_usage_and_growth_of_counters() -> None:
    """What is kept is what rules compare."""
    samples = ((0.0, 0.0), (10.0, 5.0), (30.0, 10.0))
    assert fed("usage", *samples).values() == [50.0, 25.0]
    assert fed("counter", *samples).values() == [5.0, 5.0]


@given(st.lists(st.integers(-1000, 1000), max_size=3 * RING))
def test_the_ring_holds_the_latest_samples_oldest_first(numbers: list[int]) -> None:
    """However many samples there were, the last 240 are kept, in their order."""
    one = series("gauge")
    for at, number in enumerate(numbers):
        one.add(float(number), float(at))
    assert one.values() == numbers[-RING:]


@pytest.mark.parametrize("extra", [-1, 0, 1, RING - 1, RING, RING + 1])
def test_the_ring_wraps(extra: int) -> None:
    """Around its size the ring drops exactly what is too old."""
    numbers = [float(number) for number in range(RING + extra)]
    one = fed("gauge", *((at, at) for at in numbers))
    assert one.values() == numbers[-RING:]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_forgotten_is_the_process_not_the_history(kind: Kind) -> None:
    """The ring goes on; the latest value is gone, for the reason that is given."""
    one = fed(kind, (0.0, 1.0), (10.0, 2.0))
    kept = one.values()
    one.forget()
    assert (one.latest, one.values()) == (NOT_SAMPLED, kept)
    one.forget(GONE)
    assert one.latest == GONE


@pytest.mark.parametrize("kind", ["counter", "usage"])
def test_no_rate_spans_two_processes(kind: Kind) -> None:
    """After a new process the next sample is a first one, also where it is higher."""
    one = fed(kind, (0.0, 1.0), (10.0, 2.0))
    one.forget()
    found = [one.per_second]
    for at, sample in ((20.0, 500.0), (30.0, 505.0)):
        one.add(sample, at)
        found.append(one.latest)
    assert found == [NOT_SAMPLED, FIRST_SAMPLE, 5.0 if kind == "counter" else 50.0]


@given(
    st.lists(
        st.tuples(st.integers(1, 100), st.integers(0, 10**9) | st.none()),
        min_size=1,
        max_size=40,
    )
)
def test_growth_adds_up(steps: list[tuple[int, int | None]]) -> None:
    """Whatever is unknown in between, a counter that never falls shows all of its growth."""
    one, total, first, now, grown = series("counter"), 0, None, 0, 0.0
    for after_s, growth in steps:
        now += after_s
        if growth is None:
            one.add(GONE, float(now))
            continue
        total += growth
        first = total if first is None else first
        one.add(float(total), float(now))
        if not isinstance(one.latest, NoData):
            assert one.latest >= 0.0
            grown += one.latest
    assert grown == total - (first if first is not None else total)
