"""Metrics: what a rule names, found among what the families declare."""

from __future__ import annotations

from inspect_agent.lang import ast
from inspect_agent.lang.known import Around
from inspect_agent.lang.planned import not_yet, planned
from inspect_agent.lang.problems import Near, Wrong, listed
from inspect_agent.model.metric import Family, Metric, Scope

_HAS_IT: dict[Scope, str] = {
    "host": "the machine has it: check host",
    "service": "a service has it: check service NAME",
    "probe": "a probe has it: check probe NAME",
}


def family(metric: ast.Metric, around: Around) -> Family | None:
    """The family in `FAMILY fails`; None where there is none, which is reported."""
    found = around.known.vocabulary.family(around.scope, metric.family)
    if found and not metric.name:
        return found
    around.report.error(metric.word, _no_family(metric, found, around))
    return None


def find(metric: ast.Metric, around: Around) -> Metric | None:
    """The declaration; None where there is none, which is reported."""
    found = around.known.vocabulary.metric(around.scope, metric.family, metric.name)
    if found is None:
        around.report.error(metric.word, _unknown(metric, around))
    return found


def _unknown(metric: ast.Metric, around: Around) -> Wrong:
    vocabulary = around.known.vocabulary
    written = f"{metric.family}:{metric.name}" if metric.name else metric.family
    found = vocabulary.family(around.scope, metric.family)
    if found is None and planned("family", metric.family):
        return not_yet(f"the metrics of {metric.family}")
    for scope, hint in _HAS_IT.items():
        if vocabulary.metric(scope, metric.family, metric.name):
            return Wrong("unknown metric {}", hint, said=written)
    if found and not metric.name:
        return Wrong(f"{{}} wants a name: {_wanted(found)}", said=written)
    near = Near(written, vocabulary.metrics(around.scope))
    return Wrong("unknown metric {}", "", near, written)


def _no_family(metric: ast.Metric, found: Family | None, around: Around) -> Wrong:
    if found:
        return Wrong("a family fails, not one metric of it", f"{metric.family} fails")
    if planned("family", metric.family):
        return not_yet(f"the metrics of {metric.family}")
    vocabulary = around.known.vocabulary
    for scope, hint in _HAS_IT.items():
        if vocabulary.family(scope, metric.family):
            return Wrong("unknown family {}", hint, said=metric.family)
    names = sorted(name for scope, name in vocabulary.families if scope == around.scope)
    return Wrong("unknown family {}", listed(names), Near(metric.family, names), metric.family)


def _wanted(family: Family) -> str:
    names = [f"{family.name}:{metric.name}" for metric in family.metrics if metric.name]
    return listed(names) or f"{family.name}:…"
