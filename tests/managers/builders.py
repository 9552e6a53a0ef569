"""What tests of managers are built from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inspect_agent.model.observation import Finished, Observation
from inspect_agent.model.target import Budget, ServiceCheck
from inspect_agent.ports import Manager, Question


def check(name: str, **members: Any) -> ServiceCheck:
    """A check of a service."""
    return ServiceCheck(name, "services.d/x.inq:1", Budget(3, 600.0), **members)


def asked(manager: Manager, names: Sequence[str]) -> tuple[str, ...]:
    """The command that a look at these services would run."""
    question = manager.look([check(name) for name in names])
    assert isinstance(question, Question)
    return question.command.argv


def looked(manager: Manager, names: Sequence[str], printed: str) -> Mapping[str, Observation]:
    """What a look at these services makes of a command's output."""
    question = manager.look([check(name) for name in names])
    assert isinstance(question, Question)
    seen: Mapping[str, Observation] = question.parse(Finished(0, printed, ""))
    return seen


def glanced(manager: Manager, names: Sequence[str], printed: str) -> Mapping[str, str]:
    """What a glance at these services makes of a command's output."""
    question = manager.glance([check(name) for name in names])
    assert isinstance(question, Question)
    seen: Mapping[str, str] = question.parse(Finished(0, printed, ""))
    return seen
