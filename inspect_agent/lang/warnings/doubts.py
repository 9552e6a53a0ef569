"""Conditions that can never be true, or always are.

Certain for every value that there is: a metric without data makes no condition true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from inspect_agent.lang import ast, units
from inspect_agent.lang.comparisons import written
from inspect_agent.lang.known import Around
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.warnings import implies, regions
from inspect_agent.lang.warnings.regions import Region
from inspect_agent.model.metric import Metric, MetricId
from inspect_agent.model.rule import AllOf, AnyOf, Comparison, Condition, StateTest, Test, tests

_MOST_JOINED = 8
"""So many tests of one quantity are set against each other."""

_WITHOUT_PROCESS = ("down", "failed")
"""A service in these states has no process, and without one its metrics have no values."""

_EITHER = "or, if one of them is enough"

Doubt = tuple[ast.Word, Wrong]

Joined = Sequence[tuple[ast.Test, Test]]
"""Tests joined by `and`: as they are written, and what came of them."""


class Compared(NamedTuple):
    """A comparison as it is written, and what came of it."""

    test: ast.Compare
    made: Comparison


def found(condition: ast.Condition, made: Condition, around: Around) -> list[Doubt]:
    """What is doubtful about single tests of a condition, or else about how they are joined."""
    if _is_ordinary(made, around):
        return []
    groups = alternatives(condition, made)
    doubts = [doubt for group in groups for doubt in _each(group, around)]
    if doubts:
        return doubts
    return [*_covering(groups), *(doubt for group in groups for doubt in _excluding(group))]


def _is_ordinary(made: Condition, around: Around) -> bool:
    """Whether each test is about something else, and none about an end of its values.

    So it is with nearly all rules, and quickly seen.
    """
    if isinstance(made, Comparison):
        return not _is_extreme(made, around)
    if not isinstance(made, AllOf):
        return not isinstance(made, AnyOf)
    metrics: set[MetricId] = set()
    for test in made.tests:
        if not isinstance(test, Comparison) or _is_extreme(test, around):
            return False
        metrics.add(test.metric)
    return len(metrics) == len(made.tests)


def alternatives(condition: ast.Condition, made: Condition) -> list[Joined]:
    """The groups of tests that are joined by `or`."""
    rest = iter(tests(made))
    return [[(test, next(rest)) for test in group] for group in condition]


def compared(group: Joined) -> list[Compared]:
    """The comparisons among tests."""
    return [
        Compared(test, made)
        for test, made in group
        if isinstance(test, ast.Compare) and isinstance(made, Comparison)
    ]


def said(comparison: Comparison) -> str:
    """`memory:rss > 500m`."""
    return f"{written(str(comparison.metric))} {comparison.op} {comparison.amount.text}"


def _each(group: Joined, around: Around) -> Iterator[Doubt]:
    """Comparisons with what is beyond all values."""
    for one in compared(group):
        metric = around.known.vocabulary.metric(around.scope, *one.made.metric)
        if metric and _is_extreme(one.made, around):
            yield from _beyond(one, metric)
            if one.made.amount.share:
                yield from _beyond_share(one)


def _is_extreme(comparison: Comparison, around: Around) -> bool:
    """Whether an amount may be at or beyond an end of what there is."""
    amount, until = comparison.amount, comparison.until
    if amount.value <= 0 or (until is not None and until.value <= 0):
        return True
    metric = around.known.vocabulary.metric(around.scope, *comparison.metric)
    most = 1.0 if amount.share else metric and metric.most
    return most is not None and (
        amount.value >= most or (until is not None and until.value >= most)
    )


def _beyond_share(one: Compared) -> Iterator[Doubt]:
    """No certainty: what is added up over processes, or swapped, may be more than that."""
    op, amount = one.made.op, one.made.amount
    if amount.value > 1 or (amount.value == 1 and op == ">"):
        more = amount.text if amount.value > 1 else f"> {amount.text}"
        hint = "a share is one of the machine's memory"
        yield one.test.amount, Wrong(f"{more} is more than the whole memory", hint)


def _beyond(one: Compared, metric: Metric) -> Iterator[Doubt]:
    test, made = one
    domain, limit = implies.domain(metric, made), _limit(made, metric)
    if not regions.both(implies.begins(made), domain):
        yield test.amount, Wrong(f"{said(made)} is never true", limit)
    elif not regions.both(implies.ends(made), domain):
        if test.until and made.until:
            until = f"until {made.until_op} {made.until.text}"
            yield test.until, Wrong(f"{until} is never true, so this is never over", limit)
        else:
            yield test.amount, Wrong(f"{said(made)} is always true", limit)


def _limit(comparison: Comparison, metric: Metric) -> str:
    """The end of the values that the comparison is about."""
    name = written(str(comparison.metric))
    highest = max(amount.value for amount in (comparison.amount, comparison.until) if amount)
    if metric.most is not None and highest >= metric.most:
        return f"{name} is at most {units.canonical(metric.most, metric.unit)}"
    return f"{name} is never less than 0"


def _covering(groups: Sequence[Joined]) -> Iterator[Doubt]:
    """`load:5 > 3 or load:5 < 10`: whatever the value is, one of them is true."""
    single = [one for group in groups if len(group) == 1 for one in compared(group)]
    for parts in _exhausting(single, lambda made: regions.outside(implies.begins(made))):
        whole = " or ".join(said(one.made) for one in parts)
        yield parts[-1].test.metric.word, Wrong(f"{whole} is always true", "and, if both are meant")


def _excluding(group: Joined) -> Iterator[Doubt]:
    """`load:5 > 10 and load:5 < 3`, and values of a service that has no process."""
    comparisons = compared(group)
    for parts in _exhausting(comparisons, implies.begins):
        whole = " and ".join(said(one.made) for one in parts)
        yield parts[-1].test.metric.word, Wrong(f"{whole} is never true", _EITHER)
    states = (made.word for _, made in group if isinstance(made, StateTest))
    word = next((word for word in states if word in _WITHOUT_PROCESS), None)
    for one in comparisons[: 1 if word else 0]:
        wrong = Wrong(f"a service that is {word} has no {{}}, so this is never true", _EITHER)
        yield one.test.metric.word, wrong


def _exhausting(
    comparisons: Iterable[Compared], region: Callable[[Comparison], Region]
) -> Iterator[list[Compared]]:
    """Comparisons of one quantity whose regions have no value in common, for each quantity."""
    of_quantity: dict[implies.Quantity, list[Compared]] = {}
    for one in comparisons:
        of_quantity.setdefault(implies.quantity(one.made), []).append(one)
    for same in of_quantity.values():
        left = regions.EVERYTHING
        for count, one in enumerate(same[:_MOST_JOINED], 1):
            left = regions.both(left, region(one.made))
            if not left:
                yield same[:count]
                break
