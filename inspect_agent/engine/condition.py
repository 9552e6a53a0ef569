"""Conditions: a tree of tests becomes one function that is called every cycle.

Unknown values are three-valued (Kleene): `and` is CLEAR as soon as one test is, `or` is TRIPPED
as soon as one test is, whatever the unknown ones would say.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from enum import Enum
from functools import partial

from inspect_agent.engine.history import Series
from inspect_agent.model.metric import MetricId, NoData
from inspect_agent.model.rule import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Fails,
    Op,
    ServiceWord,
    StateTest,
    tests,
)
from inspect_agent.typed import Protocol


class Outcome(Enum):
    """What a cycle says of a condition; FROZEN: it was not judged (grace, silence, suspension)."""

    __hash__ = object.__hash__  # Enum's own hashes the name, in Python, at every look-up

    TRIPPED = "tripped"
    CLEAR = "clear"
    NO_DATA = "no data"
    FROZEN = "frozen"


# Looking a member up on its class costs as much as comparing two numbers.
TRIPPED, CLEAR, NO_DATA, FROZEN = Outcome

Test = Callable[[bool], Outcome]
"""Judges the latest values; its argument is whether the rule is TRIGGERED, for `until`."""


class Facts(Protocol):
    """What a condition may look at: one target.

    memory_bytes   what a share of the memory is a share of
    """

    memory_bytes: float

    def series(self, metric: MetricId) -> Series:
        """The series of one of its metrics."""
        ...

    def word(self, word: ServiceWord) -> bool | None:
        """Whether the service is `down`, …; None when its manager cannot be asked."""
        ...

    def fails(self, family: str) -> bool | None:
        """Whether the source of these metrics could not be asked; None while nobody has."""
        ...


_OPS: dict[Op, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


def build(condition: Condition, facts: Facts) -> Test:
    """The condition as a function."""
    if isinstance(condition, Comparison):
        return _comparison(condition, facts)
    if isinstance(condition, StateTest):
        return _answer(partial(facts.word, condition.word))
    if isinstance(condition, Fails):
        return _answer(partial(facts.fails, condition.family))
    parts = tuple(build(test, facts) for test in condition.tests)
    if isinstance(condition, AllOf):
        return _kleene(parts, decisive=CLEAR, otherwise=TRIPPED)
    return _kleene(parts, decisive=TRIPPED, otherwise=CLEAR)


def is_momentary(condition: Condition) -> bool:
    """Whether it cannot be true without `restarted`, which is over as soon as it is seen."""
    if isinstance(condition, AllOf):
        return any(is_momentary(test) for test in condition.tests)
    if isinstance(condition, AnyOf):
        return all(is_momentary(test) for test in condition.tests)
    return isinstance(condition, StateTest) and condition.word == "restarted"


def comparisons(condition: Condition) -> tuple[Comparison, ...]:
    """Its tests that compare a metric, in the order they are written."""
    return tuple(test for test in tests(condition) if isinstance(test, Comparison))


def failing(condition: Condition) -> tuple[Fails, ...]:
    """Its tests of whether a source fails, in the order they are written."""
    return tuple(test for test in tests(condition) if isinstance(test, Fails))


def words(condition: Condition) -> tuple[ServiceWord, ...]:
    """The states that it asks for, in the order they are written."""
    return tuple(test.word for test in tests(condition) if isinstance(test, StateTest))


def _comparison(condition: Comparison, facts: Facts) -> Test:
    series = facts.series(condition.metric)
    trips, bound = _OPS[condition.op], condition.amount.value

    def compare(triggered: bool) -> Outcome:
        value = series.latest
        if value.__class__ is NoData:
            return NO_DATA
        return TRIPPED if trips(value, bound) else CLEAR  # type: ignore[arg-type]  # faster than isinstance, which mypy knows

    def compare_rate(triggered: bool) -> Outcome:
        value = series.per_second
        if isinstance(value, NoData):
            return NO_DATA
        return TRIPPED if trips(value, bound) else CLEAR

    def compare_share(triggered: bool) -> Outcome:
        value = series.latest
        if isinstance(value, NoData):
            return NO_DATA
        return TRIPPED if trips(value, bound * facts.memory_bytes) else CLEAR

    test = compare_rate if condition.rate else compare
    test = compare_share if condition.amount.share else test
    if condition.until_op is None or condition.until is None:
        return test
    release = _comparison(
        condition._replace(
            op=condition.until_op, amount=condition.until, until_op=None, until=None
        ),
        facts,
    )
    return _until(test, release)


def _until(test: Test, release: Test) -> Test:
    """Once TRIGGERED, the test stays true until the second comparison holds."""

    def compare(triggered: bool) -> Outcome:
        if not triggered:
            return test(False)
        released = release(False)
        if released is NO_DATA:
            return NO_DATA
        return CLEAR if released is TRIPPED else TRIPPED

    return compare


def _answer(question: Callable[[], bool | None]) -> Test:
    def ask(triggered: bool) -> Outcome:
        answer = question()
        if answer is None:
            return NO_DATA
        return TRIPPED if answer else CLEAR

    return ask


def _kleene(tests: tuple[Test, ...], decisive: Outcome, otherwise: Outcome) -> Test:
    def judge(triggered: bool) -> Outcome:
        verdict = otherwise
        for test in tests:
            outcome = test(triggered)
            if outcome is decisive:
                return decisive
            if outcome is NO_DATA:
                verdict = NO_DATA
        return verdict

    return judge
