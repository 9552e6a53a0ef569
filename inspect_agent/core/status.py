"""What the agent knows, as one plain dict: the layout of `status` and `export` is made of it."""

from __future__ import annotations

from collections.abc import Container, Mapping

from inspect_agent.core.watched import Reading, Target, WatchedService
from inspect_agent.engine.condition import NO_DATA
from inspect_agent.engine.rules import Phase
from inspect_agent.export import values
from inspect_agent.model.metric import MetricId, NoData, Unit, Value
from inspect_agent.model.rule import ServiceWord
from inspect_agent.sources.tree import Processes
from inspect_agent.sources.wrapper import busy_child
from inspect_agent.typed import Any


def bare(watched: Target, name: str, repair: str, now: float) -> dict[str, Any]:
    """The machine, or a probe; what is done about it, as for a service."""
    return {
        "name": name,
        **_actions(watched, repair, now),
        "metrics": _metrics(watched),
        "rules": _rules(watched),
    }


def service(
    watched: WatchedService, repair: str, now: float, processes: Processes
) -> dict[str, Any]:
    """A service."""
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
        "freshness": _freshness(watched),
        **_actions(watched, repair, now),
        "metrics": _metrics(watched),
        "rules": _rules(watched),
    }


def _actions(watched: Target, repair: str, now: float) -> dict[str, Any]:
    """What its rules do; `paused_s` is how long that is held back for having been too much."""
    return {
        "repair": repair,
        "refused": watched.refusal if _wants_repair(watched) else "",
        "paused_s": max(0.0, watched.spent.paused_until - now),
    }


def _wants_repair(watched: Target) -> bool:
    rules = (rule for rule in watched.rules if rule.rule.steps)
    return any(rule.state.phase is Phase.TRIGGERED for rule in rules)


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


def _freshness(watched: WatchedService) -> list[dict[str, Any]]:
    """What its rules ask of the code that it runs; `holds` is null while nobody can say."""
    if watched.process is None:
        return []
    return [_found(word, watched.reading(word)) for word in watched.code_words]


def _found(word: ServiceWord, reading: Reading | None) -> dict[str, Any]:
    if reading is None:
        return {"word": word, "holds": None, "why": "it was not looked at yet"}
    return {"word": word, "holds": reading.holds, "why": reading.why}


def _metrics(target: Target) -> list[dict[str, Any]]:
    """One row a metric, in the order of their names; thresholds of all rules that compare it."""
    thresholds: dict[MetricId, list[str]] = {}
    triggered: set[MetricId] = set()
    for rule in target.rules:
        for test in rule.comparisons:
            thresholds.setdefault(test.metric, []).append(test.amount.text)
            if rule.state.phase is Phase.TRIGGERED:
                triggered.add(test.metric)
    metrics, units = target.metrics.series, target.metrics.units
    return [
        _row(metric, metrics[metric].latest, units[metric], thresholds, triggered)
        for metric in sorted(metrics)
    ]


def _row(
    metric: MetricId,
    latest: Value,
    unit: Unit,
    thresholds: Mapping[MetricId, list[str]],
    triggered: Container[MetricId],
) -> dict[str, Any]:
    if isinstance(latest, NoData):
        value, text = None, f"no data ({latest.reason})"
    else:
        value, text = latest, values.show(latest, unit)
    return {
        "metric": str(metric),
        "value": value,
        "text": text,
        "thresholds": thresholds.get(metric, []),
        "triggered": metric in triggered,
    }


def _rules(target: Target) -> list[dict[str, Any]]:
    """The rules that are not calm, and all that ask for more than metrics."""
    return [
        {
            "rule": watched.rule.text,
            "place": watched.rule.place,
            "phase": watched.state.phase.value,
            "has_metrics": bool(watched.comparisons),
            "known": watched.test(watched.state.phase is Phase.TRIGGERED) is not NO_DATA,
        }
        for watched in target.rules
        if watched.state.phase is not Phase.OK or not watched.comparisons
    ]
