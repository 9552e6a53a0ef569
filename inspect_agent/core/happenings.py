"""The events the core tells, in words; each is built from what was just decided."""

from __future__ import annotations

from inspect_agent.core.watched import Target, WatchedRule, WatchedService
from inspect_agent.engine import condition
from inspect_agent.engine.services import Told
from inspect_agent.export import values
from inspect_agent.model.event import By, Event, EventKind
from inspect_agent.model.metric import MetricId, NoData
from inspect_agent.model.rule import Severity


class Happenings:
    """Builds events; `machine_id` is the first part of every incident's key."""

    def __init__(self, machine_id: str) -> None:
        self._machine_id = machine_id

    def rule(self, kind: EventKind, target: Target, watched: WatchedRule, at: float) -> Event:
        """RuleFailed, RuleRecovered or RuleReminder."""
        value = self._value(target, watched)
        verbs = {
            "RuleFailed": "is true",
            "RuleRecovered": "is over",
            "RuleReminder": "is still true",
        }
        measured = f" ({value})" if value else ""
        return Event(
            kind=kind,
            target=target.name,
            at=at,
            text=f"{title(target)}: {watched.rule.text} {verbs[kind]}{measured}",
            incident=self._incident(target.name, watched.rule.key),
            severity="info" if kind == "RuleRecovered" else "critical",
            resolves=kind == "RuleRecovered",
            rule=watched.rule.text,
            value=value,
            detail=self._detail(target, watched),
        )

    def withdrawn(self, key: str, at: float) -> Event:
        """RuleWithdrawn, of a rule or check that is gone; `key` is TARGET/RULE."""
        target, _, rule = key.partition("/")
        return Event(
            kind="RuleWithdrawn",
            target=target,
            at=at,
            text=f"{target}: {rule} is no longer watched for",
            incident=f"{self._machine_id}/{key}",
            severity="info",
            resolves=True,
            rule=rule,
        )

    def process(
        self, kind: Told, service: WatchedService, before: int | None, at: float, by: By
    ) -> Event:
        """A service that vanished, came back, changed its process, or keeps dying."""
        state, name = service.state, service.check.name
        pid = state.process.pid if state.process is not None else None
        texts: dict[Told, str] = {
            "ProcessDoesNotExist": f"{name} is not running ({state.status})",
            "ProcessExists": f"{name} is running"
            + (f" as process {pid}" if pid else "")
            + (f", started by {by}" if by else ""),
            "ProcessChanged": f"{name} is another process now: {before}, now {pid}"
            + (f", restarted by {by}" if by else ""),
            "CrashLoop": f"{name} died {len(state.deaths)} times within 10 minutes",
        }
        severities: dict[Told, Severity] = {"ProcessExists": "info", "ProcessChanged": "warning"}
        return Event(
            kind=kind,
            target=service.name,
            at=at,
            text=texts[kind],
            incident=self._incident(service.name, "process"),
            severity=severities.get(kind, "critical"),
            resolves=kind == "ProcessExists",
            detail=state.reason,
            by=by,
        )

    def repair(
        self, kind: EventKind, target: Target, text: str, at: float, detail: str = ""
    ) -> Event:
        """RepairSucceeded, RepairFailed, RepairExhausted or RepairNotNeeded."""
        is_over = kind in ("RepairSucceeded", "RepairNotNeeded")
        return Event(
            kind=kind,
            target=target.name,
            at=at,
            text=f"{title(target)}: {text}",
            incident=self._incident(target.name, "repair"),
            severity="info" if is_over else "critical",
            resolves=is_over,
            detail=detail,
        )

    def agent(
        self, kind: EventKind, key: str, text: str, at: float, severity: Severity, detail: str = ""
    ) -> Event:
        """Something about the agent itself, or its windows."""
        return Event(
            kind=kind,
            target="agent",
            at=at,
            text=text,
            incident=self._incident("agent", key),
            severity=severity,
            resolves=kind == "ConfigurationAccepted",
            detail=detail,
        )

    def _incident(self, target: str, key: str) -> str:
        return f"{self._machine_id}/{target}/{key}"

    def _value(self, target: Target, watched: WatchedRule) -> str:
        """What the first metric of the rule measured, as shown."""
        found = measured(target, watched)
        if found is None:
            return ""
        metric, value = found
        shown = values.show(value, target.metrics.units[metric])
        return shown if len(watched.comparisons) == 1 else f"{metric} {shown}"

    def _detail(self, target: Target, watched: WatchedRule) -> str:
        """The manager's words, what is wrong with the code, and why what is said to fail does."""
        failing = condition.failing(watched.rule.condition)
        troubles = (target.metrics.trouble(test.family) for test in failing)
        if not isinstance(target, WatchedService):
            return "; ".join(filter(None, troubles))
        readings = map(target.reading, condition.words(watched.rule.condition))
        found = (reading.why for reading in readings if reading is not None and reading.holds)
        return "; ".join(filter(None, (target.state.reason, *found, *troubles)))


def measured(target: Target, watched: WatchedRule) -> tuple[MetricId, float] | None:
    """The first metric of a rule that has a value, and the value, in the metric's unit."""
    for test in watched.comparisons:
        latest = target.series(test.metric).latest
        if not isinstance(latest, NoData):
            return test.metric, latest
    return None


def title(target: Target) -> str:
    """What people call a target: `host`, `sidekiq`."""
    kind, _, name = target.name.partition(" ")
    return name or kind
