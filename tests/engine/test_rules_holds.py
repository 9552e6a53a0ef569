"""Holds, walked cycle by cycle: when a failure is told, and when its end."""

from __future__ import annotations

import pytest

from inspect_agent.engine.rules import CALM, Decision
from inspect_agent.model.rule import Cycles, Hold, OutOf, Span
from tests.engine.builders import alerting, walk

SIGNS = {None: ".", Decision.FAILED: "F", Decision.RECOVERED: "R"}


def signs(hold: Hold, outcomes: str) -> str:
    """One sign a cycle of 10 s: F failed, R recovered, a dot for nothing to tell."""
    return "".join(SIGNS[decision] for decision in walk(alerting(hold), outcomes)[1])


@pytest.mark.parametrize(
    ("hold", "outcomes", "expected"),
    [
        (Cycles(1), "ctc", ".FR"),
        (Cycles(1), "tttcct", "F..R.F"),
        (Cycles(2), "tctctt", ".....F"),
        (Cycles(3), "tttcttt", "..FR..F"),
        (Cycles(2), "tnnt", "...F"),
        (Cycles(2), "tnnnt", "....."),
        (Cycles(2), "tnntc", "...FR"),
        (Cycles(2), "tnfnfnt", "......."),
        (Cycles(2), "tfffft", ".....F"),
        (Cycles(3), "tnntnnt", "......F"),
        (Cycles(1), "tnnnnc", "F....R"),
        (Cycles(1), "tffffc", "F....R"),
        (Span(30.0), "tttt", "...F"),
        (Span(30.0), "tttctttt", ".......F"),
        (Span(30.0), "tnttt", "....F"),
        (Span(30.0), "tfffftt", "......."),
        (Span(30.0), "tffffttt", ".......F"),
        (Span(25.0), "tttt", "...F"),
        (Span(10.0), "tntc", "..FR"),
        (OutOf(2, 3), "tctc", "..FR"),
        (OutOf(2, 3), "tctcc", "..FR."),
        (OutOf(2, 3), "tccttt", "....F."),
        (OutOf(2, 3), "ttctctcc", ".F..R..."),
        (OutOf(3, 5), "tttccc", "..F..R"),
        (OutOf(3, 5), "tttctcttcc", "..F......R"),
        (OutOf(2, 4), "tnnntc", "....F."),
        (OutOf(2, 4), "tnfct", "....F"),
        (OutOf(1, 3), "tccc", "F..R"),
        (OutOf(3, 3), "ttctttc", ".....FR"),
    ],
)
def test_a_hold(hold: Hold, outcomes: str, expected: str) -> None:
    """Failures and recoveries come in exactly the cycles that the hold says."""
    assert signs(hold, outcomes) == expected


def test_a_recovery_empties_the_ring() -> None:
    """After a recovery the earlier trips of N of M are forgotten: N new ones are needed."""
    state, decisions = walk(alerting(OutOf(2, 4)), "ttccc")
    assert (state, decisions[-1]) == (CALM, Decision.RECOVERED)
    assert walk(alerting(OutOf(2, 4)), "tct", state)[1] == [None, None, Decision.FAILED]


def test_span_counts_time_not_samples() -> None:
    """`for 60s` is met by two samples a minute apart, and by sixty a second apart only at last."""
    apart = walk(alerting(Span(60.0)), "tt", cycle_s=60.0)[1]
    assert apart == [None, Decision.FAILED]
    dense = walk(alerting(Span(60.0)), "t" * 61, cycle_s=1.0)[1]
    assert dense == [None] * 60 + [Decision.FAILED]
