"""Short ways to write rules and to walk them through cycles."""

from __future__ import annotations

from collections.abc import Iterable

from inspect_agent.engine import rules
from inspect_agent.engine.condition import Outcome
from inspect_agent.engine.rules import CALM, Decision, RuleState
from inspect_agent.model.metric import MetricId
from inspect_agent.model.rule import (
    Alert,
    Amount,
    Comparison,
    Condition,
    Cycles,
    Hold,
    Op,
    Repair,
    Rule,
    StateTest,
)

RSS = MetricId("memory", "rss")
TOO_FAT = Comparison(RSS, ">", Amount(500.0, "500"))
RESTARTED = StateTest("restarted")

LETTERS = {
    "t": Outcome.TRIPPED,
    "c": Outcome.CLEAR,
    "n": Outcome.NO_DATA,
    "f": Outcome.FROZEN,
}


def over(limit: float, op: Op = ">") -> Comparison:
    """`memory:rss OP limit`."""
    return Comparison(RSS, op, Amount(limit, str(limit)))


def alerting(hold: Hold, condition: Condition = TOO_FAT) -> Rule:
    """A rule that only alerts."""
    return Rule("key", "text", "place", condition, hold, (Alert(""),))


def repairing(hold: Hold, condition: Condition = TOO_FAT) -> Rule:
    """A rule that restarts and alerts."""
    return Rule("key", "text", "place", condition, hold, (Repair("restart", "x"), Alert("")))


def both(hold: Hold) -> tuple[Rule, Rule]:
    """The rule that only alerts, and the one that repairs too."""
    return alerting(hold), repairing(hold)


def walk(
    rule: Rule,
    outcomes: str,
    state: RuleState = CALM,
    *,
    at: float = 0.0,
    cycle_s: float = 10.0,
    remind_s: float | None = None,
) -> tuple[RuleState, list[Decision | None]]:
    """Steps through a word such as `ttnfc`, one letter a cycle, the first one at `at`."""
    decisions: list[Decision | None] = []
    for number, letter in enumerate(outcomes):
        now = at + number * cycle_s
        state, decision = rules.step(rule, state, LETTERS[letter], now, remind_s)
        decisions.append(decision)
    return state, decisions


def told(decisions: Iterable[Decision | None]) -> list[Decision]:
    """The decisions without the cycles that had none."""
    return [decision for decision in decisions if decision is not None]


ONCE = Cycles(1)
