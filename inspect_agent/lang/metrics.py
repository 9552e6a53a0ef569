"""Metrics: what a rule names, found among what the families declare."""

from __future__ import annotations

from inspect_agent.lang import ast
from inspect_agent.lang.known import Around
from inspect_agent.lang.planned import not_yet, planned
from inspect_agent.lang.problems import Near, Wrong, listed
from inspect_agent.model.metric import Family, Metric, Scope

_ELSEWHERE: dict[Scope, tuple[Scope, str]] = {
    "host": ("service", "a service has it: check service NAME"),
    "service": ("host", "the machine has it: check host"),
}


def find(metric: ast.Metric, around: Around) -> Metric | None:
    """The declaration; None where there is none, which is reported."""
    found = around.known.vocabulary.metric(around.scope, metric.family, metric.name)
    if found is None:
        around.report.error(metric.word, _unknown(metric, around))
    return found


def _unknown(metric: ast.Metric, around: Around) -> Wrong:
    vocabulary = around.known.vocabulary
    written = f"{metric.family}:{metric.name}" if metric.name else metric.family
    other, hint = _ELSEWHERE[around.scope]
    family = vocabulary.family(around.scope, metric.family)
    if family is None and planned("family", metric.family):
        return not_yet(f"the metrics of {metric.family}")
    if vocabulary.metric(other, metric.family, metric.name):
        return Wrong("unknown metric {}", hint, said=written)
    if family and not metric.name:
        return Wrong(f"{{}} wants a name: {_wanted(family)}", said=written)
    near = Near(written, vocabulary.metrics(around.scope))
    return Wrong("unknown metric {}", "", near, written)


def _wanted(family: Family) -> str:
    names = [f"{family.name}:{metric.name}" for metric in family.metrics if metric.name]
    return listed(names) or f"{family.name}:…"
