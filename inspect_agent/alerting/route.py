"""Who hears of an event: which routes, and how severe it is for each.

    event                                   heard by
    RuleFailed                              the routes of the rule's `then alert …`
    RuleReminder, RuleWithdrawn             the routes that heard of the failure
    RuleRecovered                           these, and the routes of its `else alert …`
    a process, a repair that failed, …      the owner of the check (OWNERS_EVENTS)
    RepairSucceeded                         nobody, or who heard of a repair that failed before it

Pure; the core asks and stores `routes(...)` of a failure with the state of its rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inspect_agent.model.event import Event, EventKind
from inspect_agent.model.rule import Alert, Rule, Severity
from inspect_agent.typed import NamedTuple

OWNERS_EVENTS: frozenset[EventKind] = frozenset(
    {
        "ProcessDoesNotExist",
        "ProcessExists",
        "ProcessChanged",
        "CrashLoop",
        "RepairFailed",
        "RepairExhausted",
        "RepairNotNeeded",
        "WindowEnded",
        "ConfigurationRejected",
        "ConfigurationAccepted",
        "StateLost",
    }
)
"""What the owner of a check is told without any rule; the agent's own owner is the machine's."""

_RANK: dict[Severity, int] = {"info": 0, "warning": 1, "critical": 2}


class Told(NamedTuple):
    """An event as one route hears it; "" is the default route."""

    route: str
    event: Event


def routes(told: Iterable[Told]) -> tuple[str, ...]:
    """The routes that heard, each once, in the order they heard."""
    return tuple(dict.fromkeys(item.route for item in told))


def failed(event: Event, rule: Rule) -> tuple[Told, ...]:
    """RuleFailed, for every route that the rule alerts; none where it only repairs."""
    return _told(event, _severities(rule.alerts))


def reminded(event: Event, rule: Rule, heard: Sequence[str]) -> tuple[Told, ...]:
    """RuleReminder, for the routes that heard of the failure, as severe as it was for each."""
    severities = _severities(rule.alerts)
    return _told(event, {route: severities.get(route, event.severity) for route in heard})


def recovered(event: Event, rule: Rule, heard: Sequence[str]) -> tuple[Told, ...]:
    """RuleRecovered, for the routes that heard of the failure and those of `else alert`."""
    otherwise = tuple(action for action in rule.otherwise if isinstance(action, Alert))
    return _told(event, {**dict.fromkeys(heard, event.severity), **_severities(otherwise)})


def withdrawn(event: Event, heard: Sequence[str]) -> tuple[Told, ...]:
    """RuleWithdrawn, for the routes that heard of the failure; the rule is gone by then."""
    return _told(event, dict.fromkeys(heard, event.severity))


def owned(event: Event, owner: str) -> tuple[Told, ...]:
    """An event that no rule is asked about, for the owner of its check."""
    return (Told(owner, event),) if event.kind in OWNERS_EVENTS else ()


def _severities(alerts: Iterable[Alert]) -> dict[str, Severity]:
    """The routes in the order they are written; of two alerts to one route the graver counts."""
    found: dict[str, Severity] = {}
    for alert in alerts:
        known = found.get(alert.route)
        if known is None or _RANK[alert.severity] > _RANK[known]:
            found[alert.route] = alert.severity
    return found


def _told(event: Event, severities: dict[str, Severity]) -> tuple[Told, ...]:
    return tuple(
        Told(route, event._replace(severity=severity)) for route, severity in severities.items()
    )
