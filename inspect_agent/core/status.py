"""What the agent knows, as one plain dict: the layout of `status` and `export` is made of it."""

from __future__ import annotations

from collections.abc import Iterable

from inspect_agent.core.metrics import Catalogue
from inspect_agent.core.watched import Target, WatchedHost, WatchedRule, WatchedService
from inspect_agent.engine.rules import Phase
from inspect_agent.export import values
from inspect_agent.model.metric import MetricId, NoData, Scope
from inspect_agent.model.rule import AllOf, AnyOf, Comparison, Condition
from inspect_agent.sources.tree import Processes
from inspect_agent.sources.wrapper import busy_child
from inspect_agent.typed import Any


def host(watched: WatchedHost, hostname: str, catalogue: Catalogue) -> dict[str, Any]:
    """The machine: {"name", "metrics": [...], "rules": [...]}."""
    return {
        "name": hostname,
        "metrics": _metrics(watched, "host", catalogue),
        "rules": [_rule(rule) for rule in watched.rules],
    }


def service(
    watched: WatchedService, now: float, catalogue: Catalogue, processes: Processes
) -> dict[str, Any]:
    """A service; `paused_s` is how long its repairs are held back for having been too many."""
    state, seen = watched.state, watched.seen
    process = seen.process
    return {
        "name": watched.check.name,
        "state": seen.status if watched.held else state.status,
        "pid": process.pid if process is not None and seen.status == "up" else None,
        "reason": state.unanswered or seen.reason,
        "answers": not state.unanswered,
        "manager": watched.manager.name if watched.manager is not None else None,
        "uptime_s": now - process.started_s if process is not None else None,
        "crash_loop": state.looping,
        "wrapper": _wrapper(watched, processes),
        "repairing": watched.repairing,
        "refused": watched.refusal,
        "paused_s": max(0.0, watched.spent.paused_until - now),
        "metrics": _metrics(watched, "service", catalogue),
        "rules": [_rule(rule) for rule in watched.rules],
    }


def _wrapper(watched: WatchedService, processes: Processes) -> str:
    """Says so where the main process only wraps the one that works."""
    if not watched.is_wrapped or watched.process is None:
        return ""
    child = busy_child(watched.process, processes)
    if child is None:
        return ""
    return (
        f"process {watched.process.pid} only wraps {child.comm} (process {child.pid},"
        f" {values.size(child.rss_bytes)}): memory:rss is the wrapper's, memory:total_rss is both's"
    )


def _metrics(target: Target, scope: Scope, catalogue: Catalogue) -> list[dict[str, Any]]:
    """One row a metric, in the order of their names; thresholds of all rules that compare it."""
    bounds: dict[MetricId, list[str]] = {}
    bad: set[MetricId] = set()
    for rule in target.rules:
        for test in _comparisons(rule.rule.condition):
            bounds.setdefault(test.metric, []).append(test.amount.text)
            if rule.state.phase is Phase.TRIGGERED:
                bad.add(test.metric)
    return [
        {
            "metric": str(metric),
            "thresholds": bounds.get(metric, []),
            "triggered": metric in bad,
            **_value(target, metric, scope, catalogue),
        }
        for metric in sorted(target.metrics.series)
    ]


def _value(target: Target, metric: MetricId, scope: Scope, catalogue: Catalogue) -> dict[str, Any]:
    latest = target.series(metric).latest
    if isinstance(latest, NoData):
        return {"value": None, "text": f"no data ({latest.reason})"}
    unit = catalogue.declaration(scope, metric).unit
    return {"value": latest, "text": values.show(latest, unit)}


def _rule(watched: WatchedRule) -> dict[str, Any]:
    return {
        "rule": watched.rule.text,
        "place": watched.rule.place,
        "phase": watched.state.phase.value,
        "has_metrics": bool(watched.metrics),
    }


def _comparisons(condition: Condition) -> Iterable[Comparison]:
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, (AllOf, AnyOf)):
        for test in condition.tests:
            yield from _comparisons(test)
