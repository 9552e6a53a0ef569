"""When the repairs of a rule are asked for again, and when not."""

from __future__ import annotations

import pytest

from inspect_agent.engine import rules
from inspect_agent.engine.condition import TRIPPED
from inspect_agent.engine.rules import CALM, Decision, Phase, Progress, RuleState
from inspect_agent.model.rule import Cycles, OutOf, Repair, Run, Signal, Step, Unmonitor
from tests.engine.builders import RESTARTED, alerting, repairing, told, walk

OK, PENDING, TRIGGERED = Phase
FAILED, RECOVERED, ENDED, REPAIR_DUE, REMINDER = Decision


def test_n_of_m_counts_only_samples_after_the_repair_and_grace() -> None:
    """Trips between the end of a repair and the end of grace are no reason to repair again."""
    rule = repairing(OutOf(3, 5))
    state, decisions = walk(rule, "ttt")
    assert decisions == [None, None, FAILED]
    state = rules.repair_ended(state, resume_at=60.0)
    state, decisions = walk(rule, "tttttt", state, at=30.0)
    assert decisions == [None, None, None, None, None, REPAIR_DUE]
    assert state.repairing


def test_n_of_m_stays_failed_after_a_repair_while_n_are_tripped() -> None:
    """A repair does not empty the ring: one CLEAR among N trips is no recovery."""
    rule = repairing(OutOf(3, 5))
    state, _ = walk(rule, "ttt")
    state = rules.repair_ended(state, resume_at=30.0)
    state = rules.process_replaced(rule, state)
    state, decisions = walk(rule, "ccc", state, at=30.0)
    assert decisions == [None, None, RECOVERED]
    assert state == rules.CALM


def test_a_new_process_is_not_repaired_for_what_its_forerunner_did() -> None:
    """The ring of N of M is emptied with the process, also when the latest result was CLEAR."""
    rule = repairing(OutOf(2, 3))
    state, _ = walk(rule, "tc")
    state = rules.process_replaced(rule, state)
    assert state == rules.CALM
    assert walk(rule, "t", state)[1] == [None]


def test_a_new_process_brings_a_pending_repair_to_rest() -> None:
    """What counted towards a failure is forgotten as if it had never been."""
    blind = RuleState(PENDING, Progress(2, 5.0), blind=1)
    assert rules.process_replaced(repairing(Cycles(3)), blind) == CALM
    assert rules.process_replaced(alerting(Cycles(3)), blind) is blind


@pytest.mark.parametrize(
    ("step", "counts_on"),
    [
        (Unmonitor("sidekiq"), True),
        (Run("bounce"), False),
        (Signal("TERM", "sidekiq"), False),
        (Repair("reload", "sidekiq"), False),
    ],
)
def test_leaving_a_service_alone_is_no_repair(step: Step, counts_on: bool) -> None:
    """A last rung that only does that is reached like one that only alerts."""
    rule = alerting(Cycles(3))._replace(then=(step,))
    pending = RuleState(PENDING, Progress(2, 5.0))
    assert rules.process_replaced(rule, pending) == (pending if counts_on else CALM)


def test_a_rule_that_only_alerts_goes_on_counting_over_a_new_process() -> None:
    """The last rung of a ladder is reached although the rungs below restart the process."""
    for hold, outcomes in ((Cycles(3), "tt"), (OutOf(3, 4), "ttc")):
        rule = alerting(hold)
        state, _ = walk(rule, outcomes)
        state = rules.process_replaced(rule, state)
        assert walk(rule, "t", state)[1] == [FAILED]


def test_a_ladder_climbs() -> None:
    """2 cycles reload, 6 restart, 20 alert: each rung is reached, the last in spite of restarts."""
    rungs = [repairing(Cycles(2)), repairing(Cycles(6)), alerting(Cycles(20))]
    states = [rules.CALM] * 3
    failed_at: list[int | None] = [None] * 3
    for cycle in range(1, 21):
        for number, rule in enumerate(rungs):
            states[number], decision = rules.step(rule, states[number], TRIPPED, cycle * 10.0)
            if decision is FAILED:
                failed_at[number] = cycle
        if failed_at[1] == cycle:  # the restart of the second rung
            states = [
                rules.process_replaced(rule, state)
                for rule, state in zip(rungs, states, strict=True)
            ]
    assert failed_at == [2, 6, 20]


def test_a_new_process_empties_what_counts_towards_the_next_repair() -> None:
    """While TRIGGERED, the hold is to be met anew by the process that runs now."""
    rule = repairing(Cycles(3))
    state, _ = walk(rule, "ttt")
    state = rules.repair_ended(state, resume_at=30.0)
    state, _ = walk(rule, "tt", state, at=30.0)
    state = rules.process_replaced(rule, state)
    _, decisions = walk(rule, "ttt", state, at=50.0)
    assert decisions == [None, None, REPAIR_DUE]


def test_the_hold_is_met_anew_after_each_repair() -> None:
    """Bad on and on: a failure, then a repair whenever the last one ended and the hold is met."""
    rule = repairing(Cycles(2))
    state, decisions = walk(rule, "tttt")
    assert decisions == [None, FAILED, None, None]
    state = rules.repair_ended(state, resume_at=45.0)
    state, decisions = walk(rule, "tttt", state, at=40.0)
    assert decisions == [None, None, REPAIR_DUE, None]
    state = rules.repair_ended(state, resume_at=80.0)
    state, decisions = walk(rule, "ttc", state, at=80.0)
    assert decisions == [None, REPAIR_DUE, RECOVERED]


def test_the_end_of_a_repair_is_written_down() -> None:
    """An ended repair is forgotten, with what had counted, and says when samples count again."""
    state = RuleState(TRIGGERED, Progress(2, 5.0, 1), 0, 1.0, 2.0, True, 3.0, 0b11)
    expected = RuleState(TRIGGERED, Progress(), 0, 1.0, 2.0, False, 99.0, 0b11)
    assert rules.repair_ended(state, 99.0) == expected


@pytest.mark.parametrize(
    "state",
    [
        CALM,
        RuleState(PENDING, Progress(1, 5.0)),
        RuleState(TRIGGERED, Progress(1, 5.0), resume_at=7.0),
    ],
    ids=["ok", "pending", "triggered"],
)
def test_the_end_of_a_repair_that_was_not_asked_for_changes_nothing(state: RuleState) -> None:
    """A rule that recovered meanwhile, or never asked, is left as it is."""
    assert rules.repair_ended(state, 99.0) is state


def test_no_repair_while_one_is_running() -> None:
    """As long as the repairs have not ended, none is due, however long it lasts."""
    _, decisions = walk(repairing(Cycles(1)), "t" * 20)
    assert decisions == [FAILED] + [None] * 19


def test_blindness_during_a_failure_is_no_recovery_and_counts_nothing() -> None:
    """NO_DATA while TRIGGERED keeps both the failure and what counts towards the next repair."""
    rule = repairing(Cycles(2))
    state, _ = walk(rule, "tt")
    state = rules.repair_ended(state, resume_at=20.0)
    _, decisions = walk(rule, "tnnnnnfftc", state, at=20.0)
    assert decisions == [None] * 8 + [REPAIR_DUE, RECOVERED]


def test_reminders_come_every_so_often_and_a_repair_does_not_delay_them_for_good() -> None:
    """A reminder is due after `remind`, then after `remind` again; a repair due goes first."""
    state, decisions = walk(alerting(Cycles(1)), "ttttttt", remind_s=20.0)
    assert decisions == [FAILED, None, REMINDER, None, REMINDER, None, REMINDER]
    rule = repairing(Cycles(1))
    state, _ = walk(rule, "t", remind_s=20.0)
    state = rules.repair_ended(state, resume_at=0.0)
    _, decisions = walk(rule, "ttt", state, at=20.0, remind_s=20.0)
    assert decisions == [REPAIR_DUE, REMINDER, None]


def test_without_remind_there_are_no_reminders() -> None:
    """A failure is told once, however long it lasts, where nobody asked for more."""
    assert told(walk(alerting(Cycles(1)), "t" * 500)[1]) == [FAILED]


def test_a_momentary_condition_ends_without_a_recovery() -> None:
    """`restarted` is told, is over, and is told again the next time."""
    _, decisions = walk(alerting(Cycles(1), RESTARTED), "tctc")
    assert decisions == [FAILED, ENDED, FAILED, ENDED]
