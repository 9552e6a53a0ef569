"""When the repairs of a rule are asked for again, and when not."""

from __future__ import annotations

from inspect_agent.engine import rules
from inspect_agent.engine.rules import Decision
from inspect_agent.model.rule import OutOf
from tests.engine.builders import repairing, walk

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
