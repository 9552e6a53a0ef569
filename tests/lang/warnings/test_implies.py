"""What is said of two rules, held against the engine that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from hypothesis import assume, event, given
from hypothesis import strategies as st

from inspect_agent.engine import condition, rules
from inspect_agent.engine.condition import CLEAR, FROZEN, NO_DATA, TRIPPED, Outcome
from inspect_agent.engine.history import Series
from inspect_agent.engine.rules import CALM, Decision, Phase
from inspect_agent.lang.warnings import implies, regions
from inspect_agent.model.metric import Kind, Metric, MetricId, Unit
from inspect_agent.model.rule import (
    Alert,
    Amount,
    Comparison,
    Cycles,
    Hold,
    Op,
    OutOf,
    Rule,
    ServiceWord,
    Span,
)
from tests.lang.compiling import rules_of

X = MetricId("x")
VALUES = (0.0, 1.0, 2.0, 3.0)
SAMPLES = tuple(n / 2 for n in range(-2, 10))
OPS: tuple[Op, ...] = (">", "<", ">=", "<=", "==", "!=")


class Sampled:
    """A target with one metric."""

    memory_bytes = 0.0

    def __init__(self) -> None:
        self._series = Series()

    def add(self, value: float) -> None:
        """The next sample."""
        self._series.add(value, 0.0)

    def series(self, metric: MetricId) -> Series:
        """The metric."""
        return self._series

    def word(self, word: ServiceWord) -> bool | None:
        """No state is known."""
        return None

    def fails(self, family: str) -> bool | None:
        """No source is known."""
        return None


def trips(comparison: Comparison, value: float, triggered: bool) -> bool:
    """What the engine says of a value."""
    target = Sampled()
    target.add(value)
    return condition.build(comparison, target)(triggered) is TRIPPED


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    """Any comparison of one metric that the language allows, with or without `until`."""
    op: Op = draw(st.sampled_from(OPS))
    value = draw(st.sampled_from(VALUES))
    plain = Comparison(X, op, Amount(value, ""))
    if op in ("==", "!=") or draw(st.booleans()):
        return plain
    falls = op.startswith(">")
    ends: list[Op] = ["<", "<="] if falls else [">", ">="]
    beyond = [end for end in VALUES if (end <= value if falls else end >= value)]
    until = Amount(draw(st.sampled_from(beyond)), "")
    return plain._replace(until_op=draw(st.sampled_from(ends)), until=until)


@given(comparisons(), comparisons())
def test_implied_comparisons(one: Comparison, other: Comparison) -> None:
    """What is implied trips at every value at which the other does, before and after it begun."""
    implied = implies.implies(one, other)
    event(f"implied: {implied}")
    begins = all(
        trips(other, value, triggered)
        for value in SAMPLES
        if trips(one, value, triggered=False)
        for triggered in (False, True)
    )
    lasts = all(trips(other, value, True) for value in SAMPLES if trips(one, value, True))
    assert implied == (begins and lasts)


def test_other_quantities_imply_nothing() -> None:
    """Another metric, a rate and a share are not to be compared with."""
    plain = Comparison(X, ">", Amount(1.0, ""))
    others = [
        plain._replace(metric=MetricId("y")),
        plain._replace(rate=True),
        plain._replace(amount=Amount(1.0, "", share=True)),
    ]
    assert implies.implies(plain, plain)
    assert [implies.implies(plain, other) for other in others] == [False] * 3
    assert [implies.implies(other, plain) for other in others] == [False] * 3


DOMAINS: tuple[tuple[Kind, Unit, float | None], ...] = (
    ("gauge", "percent", 3.0),
    ("gauge", "bytes", None),
    ("gauge", "count", 2.0),
    ("gauge", "number", None),
    ("gauge", "seconds", 3.0),
    ("counter", "count", 2.0),
    ("usage", "percent", None),
)


@given(st.sampled_from(DOMAINS), comparisons())
def test_never_and_always(declared: tuple[Kind, Unit, float | None], one: Comparison) -> None:
    """No value that the metric can have is where it never begins, or outside where it always does.

    A counter is compared by its growth: its largest value says nothing about that.
    """
    kind, unit, most = declared
    negative = kind == "gauge" and unit in ("number", "seconds")
    bounded = most is not None and kind != "counter"
    values = [
        value
        for value in SAMPLES
        if (negative or value >= 0) and not (bounded and most is not None and value > most)
    ]
    domain = implies.domain(Metric("x", unit, kind, "", most), one)
    assert bool(regions.both(implies.begins(one), domain)) == any(
        trips(one, value, triggered=False) for value in values
    )
    assert bool(regions.both(implies.ends(one), domain)) == (
        not all(trips(one, value, triggered=True) for value in values)
    )


def test_a_share_has_no_upper_end() -> None:
    """The largest value is one in the metric's unit, not a share of the memory."""
    one = Comparison(X, ">", Amount(1.5, "150%", share=True))
    domain = implies.domain(Metric("x", "bytes", "gauge", "", most=1.0), one)
    assert regions.both(implies.begins(one), domain)


HOLDS: st.SearchStrategy[Hold] = st.one_of(
    st.builds(Cycles, st.integers(1, 4)),
    st.builds(lambda n, more: OutOf(n, n + more), st.integers(1, 3), st.integers(0, 3)),
    st.builds(Span, st.sampled_from((5.0, 10.0, 20.0, 30.0))),
)
SEQUENCE = st.lists(
    st.tuples(
        st.sampled_from(
            [
                (TRIPPED, TRIPPED),
                (TRIPPED, TRIPPED),
                (TRIPPED, CLEAR),
                (CLEAR, CLEAR),
                (NO_DATA, NO_DATA),
                (FROZEN, FROZEN),
            ]
        ),
        st.sampled_from((1.0, 10.0, 30.0)),
    ),
    min_size=1,
    max_size=40,
)


def rule(hold: Hold) -> Rule:
    """A rule that alerts, with this hold."""
    test = Comparison(X, ">", Amount(1.0, "1"))
    return Rule("x > 1", "x > 1", "a.inq:1", test, hold, (Alert(""),))


def phases(
    one: Hold, other: Hold, sequence: list[tuple[tuple[Outcome, Outcome], float]]
) -> Iterator[tuple[Phase, bool]]:
    """Step by step, where the one is, and whether the other acts; it trips no more than the one."""
    states, now = [CALM, CALM], 0.0
    for outcomes, passed_s in sequence:
        now += passed_s
        decision = None
        for n, hold in enumerate((one, other)):
            states[n], decision = rules.step(rule(hold), states[n], outcomes[n], now)
        yield states[0].phase, decision is Decision.FAILED


@given(HOLDS, HOLDS, SEQUENCE)
def test_a_hold_that_is_met_no_later(
    one: Hold, other: Hold, sequence: list[tuple[tuple[Outcome, Outcome], float]]
) -> None:
    """Whenever the other rule fails, the one with the earlier hold has failed and still does."""
    assume(implies.no_later(one, other))
    acted = [phase for phase, acts in phases(one, other, sequence) if acts]
    event(f"acted: {bool(acted)}")
    assert all(phase is Phase.TRIGGERED for phase in acted)


def test_all_short_stories() -> None:
    """The same for every story of eight samples that both rules judge alike, ten seconds apart."""
    holds: list[Hold] = [Cycles(1), Cycles(2), Cycles(3), Span(10.0), Span(20.0)]
    holds += [OutOf(n, m) for n in (1, 2, 3) for m in (3, 4, 5)]
    pairs = product(range(len(holds)), repeat=2)
    said = [(i, k) for i, k in pairs if implies.no_later(holds[i], holds[k])]
    for outcomes in product((TRIPPED, CLEAR), repeat=8):
        story = [((outcome, outcome), 10.0) for outcome in outcomes]
        told = [list(phases(hold, hold, story)) for hold in holds]
        for i, k in said:
            assert all(
                phase is Phase.TRIGGERED
                for (phase, _), (_, acts) in zip(told[i], told[k], strict=True)
                if acts
            )


def test_holds_that_are_met_no_later() -> None:
    """It is not only said of what is the same."""
    holds: list[Hold] = [Cycles(1), Cycles(2), Cycles(3), OutOf(2, 5), Span(5.0), Span(60.0)]
    said = {
        (i, k)
        for i, one in enumerate(holds)
        for k, other in enumerate(holds)
        if implies.no_later(one, other) and i != k
    }
    assert said == {
        *((0, k) for k in range(1, 6)),
        *((1, 2), (1, 4), (1, 5)),
        *((3, 1), (3, 2), (3, 4), (3, 5)),
        (4, 5),
    }


def test_conditions_without_their_holds() -> None:
    """Whatever the hold is, and with the word `for` in a metric's name."""
    made = rules_of(
        'if "disk:/for for" > 5% then alert\n'
        'if "disk:/for for" > 5% for 2 cycles then alert\n'
        'if "disk:/for for" > 5% for 1 of 1 cycles then alert\n'
        'if "disk:/for for" > 5% for 1s then alert\n',
        "check host",
    )
    assert {implies.condition_of(rule) for rule in made[:1]} == {'"disk:/for for" > 5%'}
    assert {implies.condition_of(rule) for rule in made} == {'"disk:/for for" > 5%'}
