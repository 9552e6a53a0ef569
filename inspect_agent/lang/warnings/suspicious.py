"""Warnings about the rules of a check: what is legal, and surely or probably not meant.

docs/language.md tells people what each means.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from inspect_agent.lang import ast, units
from inspect_agent.lang.known import Around
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.warnings import doubts, implies
from inspect_agent.lang.warnings.doubts import Doubt
from inspect_agent.model.metric import MetricId
from inspect_agent.model.rule import Comparison, Rule, Span

_MOST_COMPARED = 8
"""Rules about one metric that the next one is compared with."""

_MOST_RULES = 1000
"""Rules of one check that are compared at all, so that large checks stay cheap."""

_DISTURBING = ("restart", "reload", "stop")


class Found(NamedTuple):
    """A rule as it is written, and what came of it."""

    written: ast.Rule
    rule: Rule


def warn(rules: Sequence[Found], around: Around) -> None:
    """Says what is suspicious about the rules of one check; their keys are not numbered yet."""
    possible: list[Found] = []
    doubtful: list[Doubt] = []
    for found in rules:
        written, rule = found
        about_condition = doubts.found(written.condition, rule.condition, around)
        if about_condition:
            doubtful += about_condition
        else:
            possible.append(found)
        if written.hold is None:
            doubtful += _hasty(found, around)
        elif isinstance(written.hold, ast.Span):
            doubtful += _short(found, around)
    for at, wrong in (*doubtful, *_hidden(possible[:_MOST_RULES])):
        around.report.warning(at, wrong)


def _hasty(found: Found, around: Around) -> Iterator[Doubt]:
    """A repair at one sample of what jumps. Whoever means it writes `for 1 cycle`."""
    verb = _disturbs(found.written)
    groups = doubts.alternatives(found.written.condition, found.rule.condition) if verb else []
    for group in groups:
        metrics = [one.made.metric for one in doubts.compared(group)]
        if verb and len(metrics) == len(group) and all(_jumps(one, around) for one in metrics):
            message = f"{{}} at a single sample of {metrics[0]}, which jumps up and down"
            hint = "for 2 cycles, before then; or for 1 cycle, if it is meant"
            yield verb, Wrong(message, hint)
            return


def _disturbs(rule: ast.Rule) -> ast.Word | None:
    """What takes a running service away from those who use it."""
    for action in rule.then:
        if isinstance(action, ast.Manage) and action.verb.text in _DISTURBING:
            return action.verb
    return None


def _jumps(metric: MetricId, around: Around) -> bool:
    declared = around.known.vocabulary.metric(around.scope, *metric)
    return declared is not None and (declared.noisy or declared.kind != "gauge")


def _short(found: Found, around: Around) -> Iterator[Doubt]:
    """A hold of less than a cycle."""
    held, hold = found.written.hold, found.rule.hold
    cycle_time_s = around.known.settings.cycle_time_s
    if isinstance(held, ast.Span) and isinstance(hold, Span) and hold.seconds < cycle_time_s:
        cycle = units.canonical(cycle_time_s, "seconds")
        message = f"{{}} is less than a cycle of {cycle}: any two samples in a row span it"
        yield held.duration, Wrong(message, "for 2 cycles")


def _hidden(rules: Sequence[Found]) -> Iterator[Doubt]:
    """Rules that do nothing which another does not do."""
    if len({found.rule.key.partition(" ")[0] for found in rules}) == len(rules):
        return  # no two are about the same metric or state
    kept: dict[Hashable, list[Found]] = {}
    for found in rules:
        others = kept.setdefault(_about(found.rule), [])
        by = next((other for other in others if implies.hides(other.rule, found.rule)), None)
        if by:
            yield _needless(found, by)
            continue
        for other in [other for other in others if implies.hides(found.rule, other.rule)]:
            others.remove(other)
            yield _needless(other, found)
        if len(others) < _MOST_COMPARED:
            others.append(found)


def _about(rule: Rule) -> Hashable:
    """Rules can only hide each other where this is the same."""
    if isinstance(rule.condition, Comparison):
        return implies.quantity(rule.condition)
    return implies.condition_of(rule)


def _needless(hidden: Found, by: Found) -> Doubt:
    line = by.written.word.line
    if hidden.rule.key == by.rule.key:
        wrong = Wrong(f"the rule in line {line} does the same", "one is enough")
    else:
        message = f"whenever this rule acts, the one in line {line} has done the same already"
        apart = "another severity, or another route, would tell them apart"
        wrong = Wrong(message, "one is enough" if hidden.rule.steps else apart)
    return hidden.written.word, wrong
