"""What holds for every rule whatever happens to it."""

from __future__ import annotations

from typing import NamedTuple, Union

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_agent.engine import rules
from inspect_agent.engine.condition import Outcome
from inspect_agent.engine.rules import CALM, Decision, Phase, RuleState
from inspect_agent.model.rule import Cycles, Hold, OutOf, Rule, Span
from tests.engine.builders import ONCE, RESTARTED, alerting, repairing
from tests.engine.rule_model import Model, Sample

OVER = (Decision.RECOVERED, Decision.ENDED)


class RepairEnded(NamedTuple):
    """Its repairs ended; samples count again after `grace_s`."""

    grace_s: float


class ProcessReplaced(NamedTuple):
    """Another process runs now."""


class Cycle(NamedTuple):
    """A cycle, so long after what was before it."""

    after_s: int
    outcome: Outcome


Happening = Union[Cycle, RepairEnded, ProcessReplaced]

holds: st.SearchStrategy[Hold] = st.one_of(
    st.builds(Cycles, st.integers(1, 4)),
    st.integers(1, 5).flatmap(lambda m: st.builds(OutOf, st.integers(1, m), st.just(m))),
    st.builds(Span, st.sampled_from([1.0, 10.0, 30.0, 60.0])),
)
a_rule = st.one_of(
    st.builds(alerting, holds),
    st.builds(repairing, holds),
    st.sampled_from([alerting(ONCE, RESTARTED), repairing(ONCE, RESTARTED)]),
)
CYCLES = [
    Cycle(after_s, outcome)
    for after_s in (1, 10, 30)
    for outcome in (*Outcome, Outcome.TRIPPED, Outcome.TRIPPED, Outcome.CLEAR)
]
OTHERS = [RepairEnded(0.0), RepairEnded(5.0), RepairEnded(20.0), *[ProcessReplaced()] * 3]
# one draw for each happening, and long stories beside short ones: what is rare needs room
happenings: st.SearchStrategy[Happening] = st.sampled_from([*CYCLES, *OTHERS])
stories = st.lists(happenings, max_size=12) | st.lists(happenings, min_size=40, max_size=60)
reminders = st.sampled_from([None, 10.0, 60.0])


def tell(
    rule: Rule, story: list[Happening], remind_s: float | None
) -> list[tuple[RuleState, Decision | None]]:
    """The state after everything that happened, and the decision it came with."""
    now, state, path = 0.0, CALM, []
    for happening in story:
        decision = None
        if isinstance(happening, Cycle):
            now += happening.after_s
            state, decision = rules.step(rule, state, happening.outcome, now, remind_s)
        elif isinstance(happening, RepairEnded):
            state = rules.repair_ended(state, now + happening.grace_s)
        else:
            state = rules.process_replaced(rule, state)
        path.append((state, decision))
    return path


def decided(rule: Rule, story: list[Happening], remind_s: float | None = None) -> list[Decision]:
    """The decisions of a story."""
    return [decision for _, decision in tell(rule, story, remind_s) if decision is not None]


@settings(max_examples=500)
@given(a_rule, stories, reminders)
def test_step_agrees_with_the_naive_model(
    rule: Rule, story: list[Happening], remind_s: float | None
) -> None:
    """Every decision is the one a look back over the whole story gives."""
    now, model, expected = 0.0, Model(rule, remind_s), []
    for happening in story:
        decision = None
        if isinstance(happening, Cycle):
            now += happening.after_s
            decision = model.step(Sample(now, happening.outcome))
        elif isinstance(happening, RepairEnded):
            model.repair_ended(now + happening.grace_s)
        else:
            model.process_replaced()
        expected.append(decision)
    over = Decision.ENDED if rule.condition == RESTARTED else Decision.RECOVERED
    expected = [over if item is Decision.RECOVERED else item for item in expected]
    assert [decision for _, decision in tell(rule, story, remind_s)] == expected


@given(a_rule, stories)
def test_failures_and_recoveries_alternate(rule: Rule, story: list[Happening]) -> None:
    """A rule fails, is over, fails: never two of a kind in a row, and a failure comes first."""
    turns = [item for item in decided(rule, story) if item is Decision.FAILED or item in OVER]
    assert all(item is Decision.FAILED for item in turns[::2])
    assert all(item in OVER for item in turns[1::2])


@given(a_rule, stories, reminders)
def test_a_recovery_never_repairs(
    rule: Rule, story: list[Happening], remind_s: float | None
) -> None:
    """Repairs and reminders come only between a failure and its recovery."""
    failed = False
    for decision in decided(rule, story, remind_s):
        if decision in (Decision.REPAIR_DUE, Decision.REMINDER):
            assert failed
        else:
            failed = decision is Decision.FAILED


@given(st.builds(alerting, holds), stories, reminders)
def test_a_rule_without_repairs_never_asks_for_one(
    rule: Rule, story: list[Happening], remind_s: float | None
) -> None:
    """A rule that only alerts neither asks for a repair nor waits for one."""
    path = tell(rule, story, remind_s)
    assert not any(state.repairing or decision is Decision.REPAIR_DUE for state, decision in path)


@given(a_rule, stories)
def test_one_repair_at_a_time(rule: Rule, story: list[Happening]) -> None:
    """A repair is due only when the one before it has ended or its incident is over."""
    running = False
    for happening, (_, decision) in zip(story, tell(rule, story, None), strict=True):
        if decision is Decision.REPAIR_DUE:
            assert not running
        if decision in (Decision.FAILED, Decision.REPAIR_DUE):
            running = True
        elif decision in OVER or isinstance(happening, RepairEnded):
            running = False


@given(a_rule, stories, st.integers(0, 10**6), reminders)
def test_frozen_counts_nothing(
    rule: Rule, story: list[Happening], later: int, remind_s: float | None
) -> None:
    """Wherever a rule is, a cycle that is not judged leaves it there and asks for nothing.

    Only what a hold has spanned so far moves along with the time that is left out.
    """
    for state, _ in tell(rule, story, remind_s):
        found, decision = rules.step(rule, state, Outcome.FROZEN, float(later), remind_s)
        before, after = state.progress, found.progress
        assert found._replace(progress=before) == state
        assert (after.run, after.ring) == (before.run, before.ring)
        assert after.last - after.first == before.last - before.first
        assert decision is None


@given(a_rule, stories)
def test_a_clear_that_is_not_followed_by_trips_ends_in_calm(
    rule: Rule, story: list[Happening]
) -> None:
    """Whatever happened, enough CLEARs bring a rule back to the state it began in."""
    clears: list[Happening] = [Cycle(10, Outcome.CLEAR)] * 6
    *_, (state, _) = tell(rule, [*story, *clears], None)
    assert state == CALM


@given(a_rule, stories)
def test_what_a_state_holds_fits_its_phase(rule: Rule, story: list[Happening]) -> None:
    """Only PENDING rules are blind, and only TRIGGERED ones keep times or repair."""
    for state, _ in tell(rule, story, None):
        if state.phase is not Phase.PENDING:
            assert state.blind == 0
        if state.phase is not Phase.TRIGGERED:
            assert state == RuleState(state.phase, state.progress, state.blind)
