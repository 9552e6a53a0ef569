"""Rules: the table of DESIGN, row for row.

    state      TRIPPED                               CLEAR            NO_DATA          FROZEN
    OK         PENDING, TRIGGERED at the hold        OK               as it was        as it was
    PENDING    the same                              OK               three → OK       as it was
    TRIGGERED  stays; RepairDue, Reminder when due   OK: Recovered    as it was        as it was

`step` is given a state and an outcome and returns the next state and at most one decision. It
reads no clock and does nothing; core/cycle.py carries the decisions out. The first line of each
row's function is its cell in docs/engine.md.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from inspect_agent.engine.condition import Outcome, is_momentary
from inspect_agent.model.rule import Cycles, Hold, OutOf, Rule, Span, Unmonitor
from inspect_agent.typed import NamedTuple

BLIND_CYCLES = 3
"""So many NO_DATA in a row, and what was pending is forgotten."""


class Phase(Enum):
    """The three states of a rule."""

    __hash__ = object.__hash__  # Enum's own hashes the name, in Python, at every look-up

    OK = "ok"
    PENDING = "pending"
    TRIGGERED = "triggered"


class Decision(Enum):
    """What a step asks for.

    FAILED      the hold is met: alert, and run the `then` actions
    RECOVERED   it is over: tell who heard of it, and run the `else` actions
    ENDED       a momentary condition is over: nothing to tell
    REPAIR_DUE  it is still bad since the last repair ended: the repairs again, no alert
    REMINDER    it is still bad, and `remind` has passed
    """

    FAILED = "failed"
    RECOVERED = "recovered"
    ENDED = "ended"
    REPAIR_DUE = "repair due"
    REMINDER = "reminder"


class Progress(NamedTuple):
    """How far a hold has come.

    run    tripped samples in a row
    first  when the first of them was taken
    ring   the latest results, one bit each, the newest lowest; for `N of M`
    last   up to when time was counted; for `for 5m`
    """

    run: int = 0
    first: float = 0.0
    ring: int = 0
    last: float = 0.0


class RuleState(NamedTuple):
    """Where a rule is.

    blind       NO_DATA in a row while PENDING
    since       when it became TRIGGERED
    told        when its alert, or the last reminder, was due
    repairing   its repairs were asked for and have not ended
    resume_at   samples before it do not count towards the next repair
    ring        while TRIGGERED, the latest results of `N of M`: they say when it is over
    """

    phase: Phase = Phase.OK
    progress: Progress = Progress()
    blind: int = 0
    since: float = 0.0
    told: float = 0.0
    repairing: bool = False
    resume_at: float = 0.0
    ring: int = 0


CALM = RuleState()
"""The state nearly every rule is in nearly always; a CLEAR leaves it as it is."""

Step = tuple[RuleState, "Decision | None"]


def step(
    rule: Rule, state: RuleState, outcome: Outcome, now: float, remind_s: float | None = None
) -> Step:
    """The next state of a rule, and what is to be done; `now` is when the sample was taken."""
    return _TABLE[state.phase, outcome](rule, state, now, remind_s)


def repair_ended(state: RuleState, resume_at: float) -> RuleState:
    """Its repairs have ended, well or not: from `resume_at` on the hold is to be met anew."""
    if not state.repairing:
        return state
    return state._replace(repairing=False, resume_at=resume_at, progress=Progress())


def process_replaced(rule: Rule, state: RuleState) -> RuleState:
    """Another process runs now: what its forerunner did is no reason to repair it."""
    if all(isinstance(step, Unmonitor) for step in rule.steps):
        return state
    if state.phase is Phase.TRIGGERED:
        return state._replace(progress=Progress())
    return CALM


def _advance(hold: Hold, progress: Progress, now: float) -> Progress:
    """One tripped sample more."""
    first = progress.first if progress.run else now
    last = now if isinstance(hold, Span) else 0.0
    return Progress(progress.run + 1, first, _push(hold, progress.ring, 1), last)


def _leave_out(hold: Hold, state: RuleState, now: float) -> RuleState:
    """What is not known since the last sample is no part of the time that a hold spans."""
    progress = state.progress
    if not isinstance(hold, Span) or not progress.run:
        return state
    first = progress.first + now - progress.last
    return state._replace(progress=progress._replace(first=first, last=now))


def _push(hold: Hold, ring: int, bit: int) -> int:
    return (ring << 1 | bit) & ((1 << hold.m) - 1) if isinstance(hold, OutOf) else 0


def _met(hold: Hold, progress: Progress, now: float) -> bool:
    if isinstance(hold, Cycles):
        return progress.run >= hold.n
    if isinstance(hold, Span):
        return now - progress.first >= hold.seconds
    return progress.ring.bit_count() >= hold.n


def _rise(rule: Rule, state: RuleState, now: float, remind_s: float | None) -> Step:
    """PENDING; TRIGGERED and FAILED once the hold is met."""
    progress = _advance(rule.hold, state.progress, now)
    if not _met(rule.hold, progress, now):
        return RuleState(Phase.PENDING, progress), None
    failed = RuleState(
        Phase.TRIGGERED, since=now, told=now, repairing=bool(rule.steps), ring=progress.ring
    )
    return failed, Decision.FAILED


def _settle(rule: Rule, state: RuleState, now: float, remind_s: float | None) -> Step:
    """OK."""
    ring = _push(rule.hold, state.progress.ring, 0)
    return (RuleState(progress=Progress(ring=ring)) if ring else CALM), None


def _go_blind(rule: Rule, state: RuleState, now: float, remind_s: float | None) -> Step:
    """As it was; the third in a row: OK."""
    if state.blind + 1 < BLIND_CYCLES:
        return _leave_out(rule.hold, state, now)._replace(blind=state.blind + 1), None
    ring = state.progress.ring
    return (RuleState(progress=Progress(ring=ring)) if ring else CALM), None


def _persist(rule: Rule, state: RuleState, now: float, remind_s: float | None) -> Step:
    """Stays; REPAIR_DUE or REMINDER when due."""
    if isinstance(rule.hold, OutOf):
        state = state._replace(ring=_push(rule.hold, state.ring, 1))
    if rule.steps and not state.repairing and now >= state.resume_at:
        progress = _advance(rule.hold, state.progress, now)
        if _met(rule.hold, progress, now):
            return state._replace(progress=Progress(), repairing=True), Decision.REPAIR_DUE
        state = state._replace(progress=progress)
    if remind_s is not None and now - state.told >= remind_s:
        return state._replace(told=now), Decision.REMINDER
    return state, None


def _recover(rule: Rule, state: RuleState, now: float, remind_s: float | None) -> Step:
    """OK and RECOVERED, or ENDED; N of M waits until fewer than N are tripped."""
    hold, ring = rule.hold, _push(rule.hold, state.ring, 0)
    if isinstance(hold, OutOf) and ring.bit_count() >= hold.n:
        progress = state.progress._replace(ring=_push(hold, state.progress.ring, 0))
        return state._replace(ring=ring, progress=progress), None
    return CALM, (Decision.ENDED if is_momentary(rule.condition) else Decision.RECOVERED)


def _keep(rule: Rule, state: RuleState, now: float, remind_s: float | None) -> Step:
    """As it was."""
    return _leave_out(rule.hold, state, now), None


_Row = Callable[[Rule, RuleState, float, "float | None"], Step]

_TABLE: dict[tuple[Phase, Outcome], _Row] = {
    (Phase.OK, Outcome.TRIPPED): _rise,
    (Phase.OK, Outcome.CLEAR): _settle,
    (Phase.OK, Outcome.NO_DATA): _keep,
    (Phase.OK, Outcome.FROZEN): _keep,
    (Phase.PENDING, Outcome.TRIPPED): _rise,
    (Phase.PENDING, Outcome.CLEAR): _settle,
    (Phase.PENDING, Outcome.NO_DATA): _go_blind,
    (Phase.PENDING, Outcome.FROZEN): _keep,
    (Phase.TRIGGERED, Outcome.TRIPPED): _persist,
    (Phase.TRIGGERED, Outcome.CLEAR): _recover,
    (Phase.TRIGGERED, Outcome.NO_DATA): _keep,
    (Phase.TRIGGERED, Outcome.FROZEN): _keep,
}
