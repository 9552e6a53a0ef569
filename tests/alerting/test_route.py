"""Who hears of an event."""

from __future__ import annotations

import pytest

from inspect_agent.alerting import route
from inspect_agent.alerting.route import Told
from inspect_agent.model import event as model_event
from inspect_agent.model.event import EventKind
from inspect_agent.model.metric import MetricId
from inspect_agent.model.rule import (
    Action,
    Alert,
    Amount,
    Comparison,
    Cycles,
    Op,
    Repair,
    Rule,
    Severity,
)
from tests.alerting.samples import FAILED, GONE, RECOVERED, REMINDER
from tests.literals import members

MORE: Op = ">"
RESTART = Repair("restart", "sidekiq")


def rule(*then: Action, otherwise: tuple[Action, ...] = ()) -> Rule:
    """A rule with these actions."""
    test = Comparison(MetricId("memory", "rss"), MORE, Amount(524288000, "500m"))
    return Rule("key", "memory:rss > 500m", "a.inq:1", test, Cycles(1), then, otherwise)


@pytest.mark.parametrize(
    ("actions", "heard"),
    [
        ((), ()),
        ((RESTART,), ()),
        ((Alert(""),), (("", "critical"),)),
        (
            (Alert("ops", "warning"), RESTART, Alert("boss")),
            (("ops", "warning"), ("boss", "critical")),
        ),
        ((Alert("ops", "info"), Alert("ops", "warning")), (("ops", "warning"),)),
        (
            (Alert("ops"), Alert("boss"), Alert("ops", "info")),
            (("ops", "critical"), ("boss", "critical")),
        ),
    ],
)
def test_a_failure_is_heard_where_its_rule_alerts(
    actions: tuple[Action, ...], heard: tuple[tuple[str, Severity], ...]
) -> None:
    """Each alerted route hears once, as severe as the gravest of its alerts, in written order."""
    told = route.failed(FAILED, rule(*actions))
    assert told == tuple(Told(name, FAILED._replace(severity=grave)) for name, grave in heard)
    assert route.routes(told) == tuple(name for name, _ in heard)


def test_a_reminder_is_as_severe_as_the_failure_was_for_each() -> None:
    """Who heard a warning is reminded of one; a route the rule lost hears the event as it is."""
    told = route.reminded(REMINDER, rule(Alert("ops", "warning"), Alert("new")), ("ops", "old"))
    assert told == (
        Told("ops", REMINDER._replace(severity="warning")),
        Told("old", REMINDER._replace(severity="critical")),
    )


def test_a_recovery_is_heard_by_who_heard_the_failure_and_by_else() -> None:
    """`else alert` adds routes, and says how severe the recovery is for its own."""
    watched = rule(
        Alert("ops"), otherwise=(RESTART, Alert("boss", "warning"), Alert("ops", "info"))
    )
    assert route.recovered(RECOVERED, watched, ("ops", "night")) == (
        Told("ops", RECOVERED._replace(severity="info")),
        Told("night", RECOVERED),
        Told("boss", RECOVERED._replace(severity="warning")),
    )


def test_a_recovery_that_nobody_heard_the_failure_of_is_told_to_nobody() -> None:
    """A rule that only repairs recovers in silence."""
    assert route.recovered(RECOVERED, rule(RESTART), ()) == ()


def test_a_withdrawn_rule_is_told_to_who_heard_of_it() -> None:
    """What a reload takes away is resolved where it was opened."""
    withdrawn = RECOVERED._replace(kind="RuleWithdrawn")
    assert route.withdrawn(withdrawn, ("ops", "")) == (Told("ops", withdrawn), Told("", withdrawn))


@pytest.mark.parametrize("kind", members(model_event, "EventKind"))
def test_the_owner_hears_what_no_rule_is_asked_about(kind: EventKind) -> None:
    """The owner hears of processes, failed repairs, windows and the configuration alone."""
    event = GONE._replace(kind=kind)
    silent = kind.startswith("Rule") or kind == "RepairSucceeded"
    assert route.owned(event, "ops") == (() if silent else (Told("ops", event),))
