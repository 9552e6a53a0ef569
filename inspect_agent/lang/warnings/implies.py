"""What rules say of each other: that one is true wherever another is, or does all that it does.

These are pure judgements, and careful ones: where they say nothing, nothing is known.
"""

from __future__ import annotations

from inspect_agent.lang.warnings import regions
from inspect_agent.lang.warnings.regions import Region
from inspect_agent.model.metric import Metric, MetricId
from inspect_agent.model.rule import Action, Comparison, Cycles, Hold, OutOf, Rule, Span

Quantity = tuple[MetricId, bool, bool]
"""A metric, whether its rate is meant, and whether a share of the memory is."""

_NEVER_NEGATIVE = ("bytes", "percent", "count")


def domain(metric: Metric, comparison: Comparison) -> Region:
    """The values that a comparison may meet; what only grows is compared by its growth."""
    grows = metric.kind != "gauge"
    least = 0.0 if grows or metric.unit in _NEVER_NEGATIVE else None
    bounded = not comparison.amount.share and metric.kind != "counter"
    return regions.between(least, metric.most if bounded else None)


def begins(comparison: Comparison) -> Region:
    """The values at which it becomes true."""
    return regions.where(comparison.op, comparison.amount.value)


def ends(comparison: Comparison) -> Region:
    """The values at which it is over: where `until` says, or wherever it does not begin."""
    if comparison.until_op is None or comparison.until is None:
        return regions.outside(begins(comparison))
    return regions.where(comparison.until_op, comparison.until.value)


def quantity(comparison: Comparison) -> Quantity:
    """What it compares: only comparisons of one quantity can be set against each other."""
    return comparison.metric, comparison.rate, comparison.amount.share


def implies(one: Comparison, other: Comparison) -> bool:
    """Whether the other, of the same quantity, is true wherever the one is, begun or not."""
    if quantity(one) != quantity(other):
        return False
    lasts = regions.outside(ends(other))
    begun = regions.both(begins(other), lasts)
    return regions.within(begins(one), begun) and regions.within(regions.outside(ends(one)), lasts)


def no_later(one: Hold, other: Hold) -> bool:
    """Whether the one is met by then whenever the other is, for one and the same condition."""
    if isinstance(one, Span):
        return isinstance(other, Span) and one.seconds <= other.seconds
    return one.n <= _in_a_row(other)


def hides(one: Rule, other: Rule) -> bool:
    """Whether the one does all that the other does, no later, whenever that one acts.

    Their keys are not numbered yet.
    """
    if not _done(other.then) <= _done(one.then) or other.steps != one.steps[: len(other.steps)]:
        return False
    if not _done(other.otherwise) <= _done(one.otherwise):
        return False
    if one.key == other.key:
        return True
    # rungs of a ladder: where the one repairs, the other tells that repairing does not help
    if one.steps and not other.steps:
        return False
    return no_later(one.hold, other.hold) and _true_with(one, other)


def condition_of(rule: Rule) -> str:
    """The one way to write its condition: its key without the hold."""
    held = not isinstance(rule.hold, Cycles) or rule.hold.n > 1
    return rule.key.rpartition(" for ")[0] if held else rule.key


def _in_a_row(hold: Hold) -> int:
    """So many true samples in a row there are at least when it is met."""
    if isinstance(hold, OutOf):
        return 1
    return 2 if isinstance(hold, Span) else hold.n


def _true_with(one: Rule, other: Rule) -> bool:
    if isinstance(one.condition, Comparison) and isinstance(other.condition, Comparison):
        return implies(other.condition, one.condition)
    return condition_of(one) == condition_of(other)


def _done(actions: tuple[Action, ...]) -> set[tuple[type, Action]]:
    return {(type(action), action) for action in actions}
