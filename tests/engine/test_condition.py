"""Conditions: what each test says of the latest values, and how they combine."""

from __future__ import annotations

from itertools import product

import pytest

from inspect_agent.engine import condition
from inspect_agent.engine.condition import CLEAR, FROZEN, NO_DATA, TRIPPED, Outcome, Test
from inspect_agent.engine.history import Series, series
from inspect_agent.engine.rules import CALM, Decision, Phase, step
from inspect_agent.model.metric import Kind, MetricId, NoData, Value
from inspect_agent.model.rule import (
    AllOf,
    Amount,
    AnyOf,
    Comparison,
    Condition,
    Cycles,
    Fails,
    Op,
    ServiceWord,
    StateTest,
)
from tests.engine.builders import RESTARTED, RSS, alerting, over

GIB = 1024.0**3
A, B, C = (MetricId("test", name) for name in "abc")
OPS: tuple[Op, ...] = (">", "<", ">=", "<=", "==", "!=")
WORDS: tuple[ServiceWord, ...] = ("down", "failed", "restarted", "stale", "outdated")
KNOWN = (TRIPPED, CLEAR, NO_DATA)


class Facts:
    """A target with some series and some words."""

    def __init__(self, kind: Kind = "gauge", words: dict[str, bool | None] | None = None) -> None:
        self._series = {metric: series(kind) for metric in (RSS, A, B, C)}
        self._words = words or {}
        self.memory_bytes = 0.0

    def series(self, metric: MetricId) -> Series:
        """The series of a metric."""
        return self._series[metric]

    def word(self, word: ServiceWord) -> bool | None:
        """Whether the service is in a state."""
        return self._words[word]

    def fails(self, family: str) -> bool | None:
        """Whether a source fails."""
        return self._words[family]

    def say(self, metric: MetricId, outcome: Outcome) -> None:
        """Makes `metric > 5` have an outcome."""
        values: dict[Outcome, Value] = {TRIPPED: 9.0, CLEAR: 1.0, NO_DATA: NoData("none")}
        self._series[metric].add(values[outcome], 0.0)


def judge(
    test: Condition, value: Value, *, triggered: bool = False, memory: float = 0.0
) -> Outcome:
    """The outcome of a condition on memory:rss when that has this value."""
    facts = Facts()
    facts.memory_bytes = memory
    facts.series(RSS).add(value, 0.0)
    return condition.build(test, facts)(triggered)


def high(metric: MetricId) -> Comparison:
    """`metric > 5`."""
    return Comparison(metric, ">", Amount(5.0, "5"))


@pytest.mark.parametrize(
    ("op", "below", "equal", "above"),
    [
        (">", CLEAR, CLEAR, TRIPPED),
        ("<", TRIPPED, CLEAR, CLEAR),
        (">=", CLEAR, TRIPPED, TRIPPED),
        ("<=", TRIPPED, TRIPPED, CLEAR),
        ("==", CLEAR, TRIPPED, CLEAR),
        ("!=", TRIPPED, CLEAR, TRIPPED),
    ],
)
def test_an_operator(op: Op, below: Outcome, equal: Outcome, above: Outcome) -> None:
    """Each operator below, at and above its amount, whether the rule is TRIGGERED or not."""
    for triggered in (False, True):
        found = [judge(over(5.0, op), value, triggered=triggered) for value in (4.9, 5.0, 5.1)]
        assert found == [below, equal, above]


@pytest.mark.parametrize("op", OPS)
def test_a_missing_value_is_never_compared(op: Op) -> None:
    """NO_DATA is neither above nor below anything."""
    assert judge(over(0.0, op), NoData("no swap")) is NO_DATA


def test_an_amount_that_is_a_share_is_one_of_the_machines_memory() -> None:
    """`memory:rss > 20%` on a machine of 8 GiB trips above 1.6 GiB."""
    fifth = Comparison(RSS, ">", Amount(0.2, "20%", share=True))
    values = (1.5 * GIB, 1.6 * GIB, 1.7 * GIB)
    assert [judge(fifth, value, memory=8 * GIB) for value in values] == [CLEAR, CLEAR, TRIPPED]


def test_a_share_follows_what_it_is_a_share_of() -> None:
    """A control group's limit may be changed while its service runs."""
    facts = Facts()
    facts.series(RSS).add(3 * GIB, 0.0)
    share = Comparison(
        RSS,
        ">",
        Amount(0.5, "50%", share=True),
        until_op="<",
        until=Amount(0.25, "25%", share=True),
    )
    test = condition.build(share, facts)
    outcomes = []
    for memory in (8 * GIB, 4 * GIB, 16 * GIB):
        facts.memory_bytes = memory
        outcomes.append((test(False), test(True)))
    assert outcomes == [(CLEAR, TRIPPED), (TRIPPED, TRIPPED), (CLEAR, CLEAR)]


def test_a_petabyte_is_compared_exactly() -> None:
    """Limits and values are not rounded to the float32 of the history."""
    petabyte = 1024.0**5
    assert judge(over(petabyte), petabyte) is CLEAR
    assert judge(over(petabyte), petabyte + 1) is TRIPPED


def test_a_rate_compares_what_a_counter_gains_in_a_second() -> None:
    """`> 2/sec` sees 30 in 10 s as 3 a second; the same amount without /sec sees 30."""
    facts = Facts("counter")
    per_second = condition.build(high(RSS)._replace(amount=Amount(2.9, ""), rate=True), facts)
    growth = condition.build(over(30.0, "=="), facts)
    facts.series(RSS).add(100.0, 0.0)
    assert (per_second(False), growth(False)) == (NO_DATA, NO_DATA)
    facts.series(RSS).add(130.0, 10.0)
    assert (per_second(False), growth(False)) == (TRIPPED, TRIPPED)
    facts.series(RSS).add(150.0, 20.0)
    assert (per_second(False), growth(False)) == (CLEAR, CLEAR)
    facts.series(RSS).add(10.0, 30.0)
    assert (per_second(False), growth(False)) == (NO_DATA, NO_DATA)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    ("answer", "expected"), [(True, TRIPPED), (False, CLEAR), (None, NO_DATA)], ids=str
)
def test_a_word(word: ServiceWord, answer: bool | None, expected: Outcome) -> None:
    """A state is true, false, or unknown while its manager does not answer."""
    facts = Facts(words={word: answer})
    test = condition.build(StateTest(word), facts)
    assert (test(False), test(True)) == (expected, expected)


@pytest.mark.parametrize(
    ("answer", "expected"), [(True, TRIPPED), (False, CLEAR), (None, NO_DATA)], ids=str
)
def test_a_source_that_fails(answer: bool | None, expected: Outcome) -> None:
    """`redis fails` is true, false, or unknown while nobody has asked."""
    test = condition.build(Fails("redis"), Facts(words={"redis": answer}))
    assert (test(False), test(True)) == (expected, expected)


def test_the_sources_that_a_condition_wants_to_see_fail() -> None:
    """In the order they are written, wherever they stand."""
    tree = AnyOf((AllOf((high(A), Fails("http"))), Fails("tls"), high(B)))
    assert condition.failing(tree) == (Fails("http"), Fails("tls"))
    assert condition.comparisons(tree) == (high(A), high(B))


BELOW = Comparison(RSS, ">", Amount(500.0, "500"), until_op="<", until=Amount(400.0, "400"))


@pytest.mark.parametrize(
    ("value", "at_rest", "triggered"),
    [
        (501.0, TRIPPED, TRIPPED),
        (500.0, CLEAR, TRIPPED),
        (400.0, CLEAR, TRIPPED),
        (399.0, CLEAR, CLEAR),
        (NoData("gone"), NO_DATA, NO_DATA),
    ],
    ids=str,
)
def test_until(value: Value, at_rest: Outcome, triggered: Outcome) -> None:
    """Once TRIGGERED, a test stays true until its second comparison holds."""
    assert judge(BELOW, value) is at_rest
    assert judge(BELOW, value, triggered=True) is triggered


def test_until_takes_shares_too() -> None:
    """`> 20% until < 10%` of 1000 bytes lets go below 100."""
    test = BELOW._replace(amount=Amount(0.2, "", share=True), until=Amount(0.1, "", share=True))
    values = (201.0, 150.0, 99.0)
    found = [judge(test, value, triggered=True, memory=1000.0) for value in values]
    assert found == [TRIPPED, TRIPPED, CLEAR]


def test_until_of_a_rate_compares_rates() -> None:
    """`> 5/sec until < 3/sec` lets go below three a second, not below three."""
    facts = Facts("counter")
    test = condition.build(Comparison(RSS, ">", Amount(5.0, ""), True, "<", Amount(3.0, "")), facts)
    for at, sample in ((0.0, 0.0), (10.0, 60.0)):
        facts.series(RSS).add(sample, at)
    assert test(False) is TRIPPED
    facts.series(RSS).add(100.0, 20.0)
    assert (test(False), test(True)) == (CLEAR, TRIPPED)
    facts.series(RSS).add(120.0, 30.0)
    assert test(True) is CLEAR


def test_until_latches_the_rule_and_lets_it_go() -> None:
    """A rule with `until` fails once over a sawtooth between its two limits."""
    facts = Facts()
    rule = alerting(Cycles(1), BELOW)
    test = condition.build(BELOW, facts)
    state, decisions = CALM, []
    for cycle, value in enumerate((450.0, 510.0, 450.0, 520.0, 410.0, 390.0, 450.0)):
        facts.series(RSS).add(value, float(cycle))
        outcome = test(state.phase is Phase.TRIGGERED)
        state, decision = step(rule, state, outcome, float(cycle))
        decisions.append(decision)
    none = [None, None, None]
    assert decisions == [None, Decision.FAILED, *none, Decision.RECOVERED, None]


def kleene(operator: str, outcomes: tuple[Outcome, ...]) -> Outcome:
    """Kleene's tables: CLEAR < NO_DATA < TRIPPED, `and` is the least and `or` the greatest."""
    order = (CLEAR, NO_DATA, TRIPPED)
    places = [order.index(outcome) for outcome in outcomes]
    return order[min(places) if operator == "and" else max(places)]


@pytest.mark.parametrize("operator", ["and", "or"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_and_and_or_are_kleenes(operator: str, size: int) -> None:
    """The truth tables in full, for one, two and three tests."""
    metrics = (A, B, C)[:size]
    facts = Facts()
    tests = tuple(map(high, metrics))
    whole = AllOf(tests) if operator == "and" else AnyOf(tests)
    test = condition.build(whole, facts)
    for outcomes in product(KNOWN, repeat=size):
        for metric, outcome in zip(metrics, outcomes, strict=True):
            facts.say(metric, outcome)
        assert test(False) is kleene(operator, outcomes), outcomes


def test_and_inside_or() -> None:
    """`a or b and c` over every combination of what is known."""
    facts = Facts()
    test = condition.build(AnyOf((high(A), AllOf((high(B), high(C))))), facts)
    for a, b, c in product(KNOWN, repeat=3):
        for metric, outcome in ((A, a), (B, b), (C, c)):
            facts.say(metric, outcome)
        assert test(False) is kleene("or", (a, kleene("and", (b, c))))


def test_until_holds_inside_and() -> None:
    """Each test of an `and` is told that the rule is TRIGGERED."""
    test = AllOf((BELOW, over(0.0)))
    assert judge(test, 450.0) is CLEAR
    assert judge(test, 450.0, triggered=True) is TRIPPED
    assert judge(AnyOf((BELOW, over(1000.0))), 450.0, triggered=True) is TRIPPED


def test_no_condition_says_that_it_was_not_judged() -> None:
    """FROZEN is the cycle's word alone."""
    facts = Facts(words=dict.fromkeys(WORDS))
    tests: list[Test] = [condition.build(StateTest(word), facts) for word in WORDS]
    tests.append(condition.build(BELOW, facts))
    assert FROZEN not in {test(triggered) for test in tests for triggered in (False, True)}


@pytest.mark.parametrize(
    ("test", "momentary"),
    [
        (RESTARTED, True),
        (StateTest("down"), False),
        (StateTest("failed"), False),
        (over(1.0), False),
        (AllOf((RESTARTED, over(1.0))), True),
        (AllOf((over(1.0), over(2.0))), False),
        (AnyOf((RESTARTED, over(1.0))), False),
        (AnyOf((RESTARTED, AllOf((over(1.0), RESTARTED)))), True),
    ],
    ids=str,
)
def test_momentary(test: Condition, momentary: bool) -> None:
    """A condition is momentary when it cannot be true without `restarted`."""
    assert condition.is_momentary(test) is momentary


def test_a_rule_that_failed_by_its_lasting_half_recovers() -> None:
    """`restarted or memory:rss > 500` over the limit has a recovery to tell."""
    rule = alerting(Cycles(1), AnyOf((RESTARTED, over(500.0))))
    state, _ = step(rule, CALM, TRIPPED, 0.0)
    assert step(rule, state, CLEAR, 10.0) == (CALM, Decision.RECOVERED)


def test_metrics_are_named_in_the_order_they_are_written() -> None:
    """Every comparison counts, words have none."""
    test = AnyOf((AllOf((high(B), StateTest("down"))), BELOW, AnyOf((high(A), high(B)))))
    assert tuple(one.metric for one in condition.comparisons(test)) == (B, RSS, A, B)
    assert condition.comparisons(StateTest("failed")) == ()
