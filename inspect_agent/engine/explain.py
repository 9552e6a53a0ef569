"""Conditions and holds in plain words.

    memory:rss > 500m     the resident memory of sidekiq's main process is over 500 MiB
    for 2 cycles          in 2 consecutive samples

What a metric is comes from its declaration: these are sentences around it.
"""

from __future__ import annotations

from collections.abc import Mapping

from inspect_agent.engine.condition import is_momentary
from inspect_agent.engine.quantities import duration, many, quantity
from inspect_agent.model.metric import Family, Metric, MetricId, Scope
from inspect_agent.model.rule import (
    Amount,
    AnyOf,
    Comparison,
    Condition,
    Cycles,
    Hold,
    Op,
    OutOf,
    ServiceWord,
    StateTest,
    Test,
    tests,
)
from inspect_agent.typed import NamedTuple

_LEVEL: dict[Op, str] = {
    ">": "over",
    "<": "under",
    ">=": "at least",
    "<=": "at most",
    "==": "exactly",
    "!=": "anything but",
}
_GROWTH: dict[Op, str] = {**_LEVEL, ">": "more than", "<": "less than"}
_STATES: dict[ServiceWord, str] = {
    "down": "down (not running, whatever the reason)",
    "failed": "failed (not running although it should be: crashed, given up by its manager, in"
    " its restart loop, or gone)",
    "restarted": "restarted (its process was replaced since the last cycle, not by this agent)",
    "stale": "stale (its working directory is not in the release that `release` points to)",
    "outdated": "outdated (its program or a library that it uses was replaced since it started)",
}
_OWNED = (
    ("the main process", "{}'s main process"),
    ("all its processes", "all processes of {}"),
)
"""How the help of a service's metrics speaks of processes, and how that is said of one service."""
_FAILING = "failing (their source could not be asked, or answered badly)"


class About(NamedTuple):
    """What a condition is about.

    who       what has the metrics: `sidekiq`; "" for the machine
    families  as they are declared, by scope and name
    """

    scope: Scope
    who: str
    families: Mapping[tuple[Scope, str], Family]


def alternatives(condition: Condition) -> tuple[tuple[Test, ...], ...]:
    """What is joined by `or`; the tests of each are joined by `and`."""
    parts = condition.tests if isinstance(condition, AnyOf) else (condition,)
    return tuple(tests(part) for part in parts)


def sentence(test: Test, about: About, be: str = "is") -> str:
    """When one test is true; `be` is its verb: `is` or `has been`.

    Raises LookupError for a metric that no family declares.
    """
    if isinstance(test, Comparison):
        return _compared(test, about, be)
    if isinstance(test, StateTest):
        return f"{about.who} {be} {_STATES[test.word]}"
    have = "have been" if be == "has been" else "are"
    return f"the metrics of {test.family}{_whose(about)} {have} {_FAILING}"


def at_once(hold: Hold) -> bool:
    """Whether one sample is enough."""
    return isinstance(hold, Cycles) and hold.n == 1


def held(hold: Hold) -> str:
    """In how many samples a condition has to be true."""
    if isinstance(hold, OutOf):
        return f"in {hold.n} of the last {many(hold.m, 'sample')}"
    if isinstance(hold, Cycles):
        return "in a single sample" if at_once(hold) else f"in {hold.n} consecutive samples"
    return f"in every sample for {duration(hold.seconds)}"


def end(condition: Condition, hold: Hold) -> str:
    """When a rule is over."""
    if is_momentary(condition):
        return "at once"
    if isinstance(hold, OutOf):
        return f"when the latest sample says otherwise and fewer than {hold.n} of {hold.m} say so"
    return "with the first sample that says otherwise"


def _compared(test: Comparison, about: About, be: str) -> str:
    metric = _declared(test.metric, about)
    subject = _subject(test.metric, metric, about)
    if metric.kind == "counter":
        said = f"{subject} has grown by {_grown(test.op, test.amount, test.rate, metric)}"
        said += " since the sample before"
    else:
        said = f"{subject} {be} {_LEVEL[test.op]} {_amount(test.amount, metric)}"
    notes = "; ".join(_notes(test, metric, about))
    return f"{said} ({notes})" if notes else said


def _notes(test: Comparison, metric: Metric, about: About) -> list[str]:
    notes = []
    if test.amount.share and about.scope == "service":
        notes.append("or of what its control group allows, where that is less")
    if metric.kind == "usage":
        notes.append("100 % is one core, busy ever since the sample before")
    if test.until and test.until_op:
        if metric.kind == "counter":
            until = f"it grows by {_grown(test.until_op, test.until, test.rate, metric)}"
        else:
            until = f"it is {_LEVEL[test.until_op]} {_amount(test.until, metric)}"
        notes.append(f"once that has triggered, until {until}")
    return notes


def _grown(op: Op, amount: Amount, rate: bool, metric: Metric) -> str:
    return f"{_GROWTH[op]} {_amount(amount, metric)}" + (" a second" if rate else "")


def _amount(amount: Amount, metric: Metric) -> str:
    if amount.share:
        return f"{amount.text.removesuffix('%')} % of the machine's memory"
    return quantity(amount.value, metric.unit)


def _declared(metric: MetricId, about: About) -> Metric:
    found = about.families[about.scope, metric.family].find(metric.name)
    if found is None:
        raise LookupError(f"no family declares {metric}")
    return found


def _subject(metric: MetricId, declared: Metric, about: About) -> str:
    """A phrase that says what it is and whose, or the metric's name with what it is."""
    for words, owned in _OWNED:
        before, found, after = declared.help.partition(words)
        if found:
            phrase = before + owned.format(about.who) + after
            return f"the {phrase}" if before else f"{metric} ({phrase})"
    return f"{metric}{_whose(about)} ({declared.help})"


def _whose(about: About) -> str:
    return f" of {about.who}" if about.who else ""
