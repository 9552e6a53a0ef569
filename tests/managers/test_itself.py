from __future__ import annotations

import os

import pytest

from inspect_agent.managers.itself import Itself
from inspect_agent.model.observation import Observation
from inspect_agent.model.rule import Verb
from tests.managers.builders import check

UP = Observation("up", os.getpid(), "this agent")


def test_its_own_names() -> None:
    """It is up by its own name, by Inspeqtor's, and by one that a check gives it."""
    checks = [check("inspect-agent"), check("inspeqtor"), check("me", manager="self"), check("x")]

    assert Itself().look(checks) == {
        "inspect-agent": UP,
        "inspeqtor": UP,
        "me": UP,
        "x": Observation("absent", reason="x is not this agent"),
    }
    assert Itself().loaded() == ("inspect-agent",)


def test_nothing_changes() -> None:
    """A glance tells the same for ever."""
    assert Itself().glance([check("inspect-agent"), check("x")]) == {"inspect-agent": "", "x": ""}


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "reload"])
def test_it_does_not_repair_itself(verb: Verb) -> None:
    """There is no command for the agent."""
    assert Itself().command(verb, check("inspect-agent")) is None
