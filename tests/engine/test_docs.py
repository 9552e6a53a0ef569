"""docs/engine.md says what the tables of the code say."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from inspect_agent.engine import rules, services
from inspect_agent.engine.condition import Outcome
from inspect_agent.engine.refusal import RepairRefused
from inspect_agent.engine.rules import Phase

PAGE = Path(__file__).parents[2] / "docs" / "engine.md"


def line(cells: Iterable[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def cell(function: object) -> str:
    """The first line of a row's function, without its full stop."""
    return (function.__doc__ or "").splitlines()[0].rstrip(".")


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)])


def rule_table() -> str:
    """The rule table of the code: a line a phase, a column an outcome."""
    return table(
        ["state", *(outcome.name for outcome in Outcome)],
        (
            [phase.name, *(cell(rules._TABLE[phase, outcome]) for outcome in Outcome)]
            for phase in Phase
        ),
    )


def service_table() -> str:
    """The service table of the code: a line for each place, a column for each answer."""
    answers: dict[services._Group, str] = {
        "up": "seen up",
        "out": "seen out",
        "unknown": "no answer",
    }
    places: tuple[services._Group, ...] = ("unknown", "up", "out")
    return table(
        ["from", *answers.values()],
        (
            [place, *(cell(services._TABLE[place, answer]) for answer in answers)]
            for place in places
        ),
    )


def refusal_table() -> str:
    """The refusals in the order in which they are asked."""
    rows = ([reason.name, reason.value] for reason in RepairRefused)
    return table(["refusal", "because"], rows)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rules", rule_table()),
        ("services", service_table()),
        ("refusals", refusal_table()),
    ],
    ids=["rules", "services", "refusals"],
)
def test_the_page_shows_the_table_of_the_code(name: str, expected: str) -> None:
    """Each table of the page is the one that is generated from the code."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    shown, _, _ = rest.partition("\n<!-- end -->")
    assert shown == expected


@pytest.mark.parametrize("decision", rules.Decision, ids=lambda decision: str(decision.name))
def test_the_page_explains_every_decision(decision: rules.Decision) -> None:
    """No decision of the rule table is without its line on the page."""
    assert f"\n| {decision.name} | " in PAGE.read_text(encoding="utf-8")
