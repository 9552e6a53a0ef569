"""What holds for every rule, as far as it matters to those that are explained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inspect_agent.engine.explain import at_once
from inspect_agent.engine.quantities import duration, many
from inspect_agent.engine.rules import BLIND_CYCLES
from inspect_agent.export.explain.layout import EMPTY, Line
from inspect_agent.model.config import Settings
from inspect_agent.model.rule import OutOf, Rule, tests


def general(rules: Sequence[Rule], settings: Settings) -> Iterator[Line]:
    """A closing part; nothing where there are no rules."""
    if not rules:
        return
    yield Line("In every rule", 0)
    yield EMPTY
    yield Line(_unknown(rules), mark="- ")
    if any(len(tests(rule.condition)) > 1 for rule in rules):
        yield Line(
            "Where there are several tests, one that is false makes an `and` false, and one that is"
            " true makes an `or` true, also while others have no value.",
            mark="- ",
        )
    if not all(at_once(rule.hold) for rule in rules):
        yield Line(
            "When a service has a new process, rules that repair it, signal it or run a command"
            " count anew; others go on.",
            mark="- ",
        )
    yield Line(_silence(settings), mark="- ")


def _unknown(rules: Sequence[Rule]) -> str:
    said = "A sample without a value is left out: by it no rule begins, and none is over."
    if all(at_once(rule.hold) or isinstance(rule.hold, OutOf) for rule in rules):
        return said
    return f"{said} After {BLIND_CYCLES} of them a row of samples, or a time, begins anew."


def _silence(settings: Settings) -> str:
    length = duration(settings.deploy_length_s)
    after = f", and for {many(settings.settle, 'cycle')} after it" if settings.settle else ""
    return (
        "While a deploy window is open (`inspectctl start deploy`; without a length it ends after"
        f" {length}){after}, nothing is judged, told or repaired; what is wrong after that is"
        " told. The same holds between `inspectctl unmonitor` and `monitor`, and for a cycle that"
        " comes late by more than two, as after a suspend."
    )
