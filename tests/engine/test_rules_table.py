"""Every cell of the rule table: the whole next state, and the decision."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest

from inspect_agent.engine.condition import Outcome
from inspect_agent.engine.rules import CALM, Decision, Phase, Progress, RuleState, step
from inspect_agent.model.rule import Cycles, Hold, OutOf, Rule, Span
from tests.engine.builders import ONCE, RESTARTED, alerting, both, repairing

TRIPPED, CLEAR, NO_DATA, FROZEN = Outcome
OK, PENDING, TRIGGERED = Phase
FAILED, RECOVERED, ENDED, REPAIR_DUE, REMINDER = Decision
NOW = 100.0


class Cell(NamedTuple):
    """One step at NOW."""

    name: str
    rule: Rule
    state: RuleState
    outcome: Outcome
    expected: RuleState
    decision: Decision | None = None
    remind_s: float | None = None


def pending(run: int, first: float, ring: int = 0, blind: int = 0, last: float = 0.0) -> RuleState:
    """A hold that is not met yet."""
    return RuleState(PENDING, Progress(run, first, ring, last), blind)


def failed(rule: Rule, ring: int = 0) -> RuleState:
    """What a rule is right after it failed at NOW."""
    return RuleState(TRIGGERED, since=NOW, told=NOW, repairing=bool(rule.steps), ring=ring)


def triggered(
    *,
    run: int = 0,
    first: float = 0.0,
    ring: int = 0,
    last: float = 0.0,
    repairing: bool = False,
) -> RuleState:
    """Failed at 50, told at 60; samples count from 90 on."""
    return RuleState(TRIGGERED, Progress(run, first, 0, last), 0, 50.0, 60.0, repairing, 90.0, ring)


def remembering(ring: int) -> RuleState:
    """OK, with some trips among the latest results."""
    return RuleState(progress=Progress(ring=ring))


def rising(rule: Rule) -> list[Cell]:
    """A trip while OK or PENDING."""
    hold = rule.hold
    if hold == Cycles(1):
        return [Cell("at once", rule, CALM, TRIPPED, failed(rule), FAILED)]
    if isinstance(hold, Cycles):
        return [
            Cell("first", rule, CALM, TRIPPED, pending(1, NOW)),
            Cell("one more", rule, pending(1, 90.0), TRIPPED, pending(2, 90.0)),
            Cell("sees again", rule, pending(1, 90.0, blind=2), TRIPPED, pending(2, 90.0)),
            Cell("hold met", rule, pending(2, 80.0), TRIPPED, failed(rule), FAILED),
        ]
    if isinstance(hold, Span):
        return [
            Cell("first", rule, CALM, TRIPPED, pending(1, NOW, last=NOW)),
            Cell("too short", rule, pending(1, 40.5), TRIPPED, pending(2, 40.5, last=NOW)),
            Cell("hold met", rule, pending(5, 40.0), TRIPPED, failed(rule), FAILED),
        ]
    return [
        Cell("first", rule, CALM, TRIPPED, pending(1, NOW, 0b1)),
        Cell("remembers", rule, remembering(0b10), TRIPPED, pending(1, NOW, 0b101)),
        Cell("from ok", rule, remembering(0b110), TRIPPED, failed(rule, 0b1101), FAILED),
        Cell("one more", rule, pending(1, 90.0, 0b1), TRIPPED, pending(2, 90.0, 0b11)),
        Cell("met", rule, pending(2, 90.0, 0b11), TRIPPED, failed(rule, 0b111), FAILED),
        Cell("gap", rule, pending(1, 90.0, 0b101), TRIPPED, failed(rule, 0b1011), FAILED),
        Cell("slips out", rule, pending(1, 90.0, 0b1001), TRIPPED, pending(2, 90.0, 0b0011)),
    ]


def settling(rule: Rule) -> list[Cell]:
    """CLEAR or blind while OK or PENDING."""
    now = pending(2, 80.0, last=NOW if isinstance(rule.hold, Span) else 0.0)
    cells = [
        Cell("calm", rule, CALM, CLEAR, CALM),
        Cell("clears", rule, pending(2, 80.0), CLEAR, CALM),
        Cell("clears when blind", rule, pending(2, 80.0, blind=2), CLEAR, CALM),
        Cell("first blind", rule, now, NO_DATA, now._replace(blind=1)),
        Cell("second", rule, now._replace(blind=1), NO_DATA, now._replace(blind=2)),
        Cell("third blind", rule, pending(2, 80.0, blind=2), NO_DATA, CALM),
    ]
    if isinstance(rule.hold, OutOf):
        blind = pending(1, 90.0, 0b11, blind=2)
        cells += [
            Cell("ring goes on", rule, remembering(0b11), CLEAR, remembering(0b110)),
            Cell("ring runs out", rule, remembering(0b1000), CLEAR, CALM),
            Cell("ring survives", rule, pending(1, 90.0, 0b101), CLEAR, remembering(0b1010)),
            Cell("ring survives blindness", rule, blind, NO_DATA, remembering(0b11)),
        ]
    if isinstance(rule.hold, Span):
        counted, left_out = pending(2, 80.0, last=95.0), pending(2, 85.0, blind=1, last=NOW)
        cells += [Cell("blind time is left out", rule, counted, NO_DATA, left_out)]
    return cells


def persisting(rule: Rule) -> list[Cell]:
    """A trip while TRIGGERED, before any reminder or repair is due."""
    hold, running = rule.hold, triggered(repairing=True)
    if isinstance(hold, OutOf):
        running = triggered(repairing=True, ring=0b111)
        following = running._replace(ring=0b1111)
        return [Cell("stays", rule, running, TRIPPED, following)]
    return [Cell("stays", rule, running, TRIPPED, running)]


def reminding(rule: Rule) -> list[Cell]:
    """A trip while TRIGGERED, told at 60, with `remind`."""
    ring = 0b1111 if isinstance(rule.hold, OutOf) else 0
    state = triggered(repairing=True, ring=ring)
    return [
        Cell("not yet", rule, state, TRIPPED, state, None, 40.5),
        Cell("due", rule, state, TRIPPED, state._replace(told=NOW), REMINDER, 40.0),
    ]


def repeating(rule: Rule) -> list[Cell]:
    """A trip while TRIGGERED whose repair has ended: samples count from 90 on."""
    hold = rule.hold
    early = triggered()._replace(resume_at=100.5)
    at_last = triggered()._replace(resume_at=NOW)
    if hold == Cycles(1):
        due = triggered(repairing=True)._replace(resume_at=NOW)
        return [
            Cell("too early", rule, early, TRIPPED, early),
            Cell("due", rule, at_last, TRIPPED, due, REPAIR_DUE),
            Cell("before a reminder", rule, at_last, TRIPPED, due, REPAIR_DUE, 1.0),
        ]
    if isinstance(hold, Cycles):
        counted = early._replace(resume_at=NOW, progress=Progress(1, NOW))
        reminded = counted._replace(told=NOW)
        due = triggered(repairing=True)
        return [
            Cell("too early", rule, early, TRIPPED, early),
            Cell("first", rule, at_last, TRIPPED, counted),
            Cell("reminds meanwhile", rule, at_last, TRIPPED, reminded, REMINDER, 40.0),
            Cell("due", rule, triggered(run=2, first=90.0), TRIPPED, due, REPAIR_DUE),
        ]
    if isinstance(hold, Span):
        since = triggered(run=3, first=40.5)
        more = triggered(run=4, first=40.5, last=NOW)
        due = triggered(repairing=True)
        return [
            Cell("too early", rule, early, TRIPPED, early),
            Cell("too short", rule, since, TRIPPED, more),
            Cell("due", rule, triggered(run=3, first=40.0), TRIPPED, due, REPAIR_DUE),
        ]
    full = triggered(ring=0b1111)
    early = full._replace(resume_at=100.5)
    counted = full._replace(progress=Progress(1, NOW, 0b1))
    nearly = full._replace(progress=Progress(2, 90.0, 0b101))
    due = full._replace(repairing=True)
    return [
        Cell("too early", rule, early, TRIPPED, early),
        Cell("first", rule, full, TRIPPED, counted),
        Cell("due", rule, nearly, TRIPPED, due, REPAIR_DUE),
    ]


def recovering(rule: Rule) -> list[Cell]:
    """CLEAR while TRIGGERED."""
    if not isinstance(rule.hold, OutOf):
        return [
            Cell("recovers", rule, triggered(run=1, first=90.0), CLEAR, CALM, RECOVERED),
            Cell("in repair", rule, triggered(repairing=True), CLEAR, CALM, RECOVERED),
        ]
    counting = triggered(ring=0b0111)._replace(progress=Progress(1, 90.0, 0b1))
    counted = triggered(ring=0b1110)._replace(progress=Progress(1, 90.0, 0b10))
    return [
        Cell("too many are tripped", rule, counting, CLEAR, counted),
        Cell("recovers", rule, triggered(ring=0b1110), CLEAR, CALM, RECOVERED),
        Cell("at 1 of 4", rule, triggered(ring=0b1000), CLEAR, CALM, RECOVERED),
    ]


def keeping(rule: Rule) -> list[Cell]:
    """What is not judged, or not known, leaves the state alone, and is no part of a span."""
    if isinstance(rule.hold, Span):
        return leaving_out(rule)
    ring = 0b1110 if isinstance(rule.hold, OutOf) else 0
    states = {
        "ok": remembering(ring & 0b1100),
        "pending": pending(2, 80.0, ring, blind=2),
        "triggered": triggered(run=1, first=90.0, ring=ring),
        "in repair": triggered(repairing=True, ring=ring),
    }
    frozen = [Cell(name, rule, state, FROZEN, state, None, 1.0) for name, state in states.items()]
    blind = [
        Cell(name, rule, state, NO_DATA, state, None, 1.0)
        for name, state in states.items()
        if state.phase is not PENDING
    ]
    return frozen + blind


def leaving_out(rule: Rule) -> list[Cell]:
    """Time that nobody judged moves the beginning of a span on."""
    states = {
        CALM: CALM,
        pending(2, 80.0, last=95.0): pending(2, 85.0, last=NOW),
        triggered(run=1, first=90.0, last=95.0): triggered(run=1, first=95.0, last=NOW),
        triggered(repairing=True): triggered(repairing=True),
    }
    return [
        Cell(f"{outcome.value} {number}", rule, state, outcome, after, None, 1.0)
        for outcome in (FROZEN, NO_DATA)
        for number, (state, after) in enumerate(states.items())
        if outcome is FROZEN or state.phase is not PENDING
    ]


HOLDS: tuple[Hold, ...] = (Cycles(1), Cycles(3), Span(60.0), OutOf(3, 4))
RULES = [rule for hold in HOLDS for rule in both(hold)]
MOMENTARY = [
    Cell("is over", rule(ONCE, RESTARTED), triggered(), CLEAR, CALM, ENDED)
    for rule in (alerting, repairing)
]
CELLS = [
    cell
    for rule in RULES
    for column in (rising, settling, persisting, reminding, recovering, keeping)
    for cell in column(rule)
]
CELLS += [cell for rule in RULES if rule.steps for cell in repeating(rule)]
CELLS += MOMENTARY


def label(cell: Cell) -> str:
    """`pending-tripped-Span-repairs-hold met`."""
    kind = "repairs" if cell.rule.steps else "alerts"
    hold = type(cell.rule.hold).__name__
    return f"{cell.state.phase.value}-{cell.outcome.value}-{hold}-{kind}-{cell.name}"


@pytest.mark.parametrize("cell", CELLS, ids=label)
def test_a_cell(cell: Cell) -> None:
    """Each cell of the table gives exactly its next state and its decision."""
    found = step(cell.rule, cell.state, cell.outcome, NOW, cell.remind_s)
    assert found == (cell.expected, cell.decision)


def test_no_cell_is_missing() -> None:
    """Every phase meets every outcome under every hold, with repairs and without."""
    kinds = product(Phase, Outcome, (Cycles, Span, OutOf), (True, False))
    found = {
        (cell.state.phase, cell.outcome, type(cell.rule.hold), bool(cell.rule.steps))
        for cell in CELLS
    }
    assert found == set(kinds)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.hold}-{bool(rule.steps)}")
def test_alert_only_rules_never_wait_for_a_repair(rule: Rule) -> None:
    """Entering TRIGGERED asks for repairs exactly where the rule has some."""
    met = RuleState(PENDING, Progress(9, -100.0, 0b111))
    state, decision = step(rule, met, TRIPPED, NOW)
    assert (decision, state.repairing) == (FAILED, bool(rule.steps))


def test_a_rule_begins_calm() -> None:
    """Before the first outcome nothing is counted, told or repaired."""
    assert RuleState(OK, Progress(0, 0.0, 0), 0, 0.0, 0.0, False, 0.0, 0) == CALM


def test_phases_are_kept_by_these_words() -> None:
    """The ledger holds the phases of rules by name, over versions."""
    assert [phase.value for phase in Phase] == ["ok", "pending", "triggered"]


def test_a_calm_rule_is_left_as_the_object_it_is() -> None:
    """CLEAR leaves the state a rule is nearly always in as the same object, and ends in it."""
    assert all(step(rule, CALM, CLEAR, NOW)[0] is CALM for rule in RULES)
    assert all(step(rule, pending(1, 0.0, blind=2), NO_DATA, NOW)[0] is CALM for rule in RULES)


@pytest.mark.parametrize("hold", HOLDS[:3], ids=str)
def test_an_alert_that_stays_is_left_as_the_object_it_is(hold: Hold) -> None:
    """A rule that only alerts and stays TRIGGERED has nothing new for the ledger."""
    state = triggered()
    assert step(alerting(hold), state, TRIPPED, NOW)[0] is state
