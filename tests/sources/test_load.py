from __future__ import annotations

import os

import pytest

from inspect_agent.errors import SourceError
from inspect_agent.model.metric import MetricId
from inspect_agent.model.target import Machine
from inspect_agent.sources.load import Load


def test_averages_by_their_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each average is found by its minutes, in the order asked."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.25, 1.5, 2.75))
    asked = [MetricId("load", "15"), MetricId("load", "1"), MetricId("load", "5")]

    assert Load().open(Machine(), asked).read() == [2.75, 0.25, 1.5]


def test_a_system_without_load_averages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not tell, the read says so."""

    def refuse() -> None:
        raise OSError("unobtainable")

    monkeypatch.setattr(os, "getloadavg", refuse)
    reader = Load().open(Machine(), Load().names(Machine()))

    with pytest.raises(SourceError, match="this system does not tell its load average"):
        reader.read()


def test_this_machine() -> None:
    """All three averages of this machine are numbers from zero up."""
    values = Load().open(Machine(), Load().names(Machine())).read()

    assert len(values) == 3
    assert all(isinstance(value, float) and value >= 0 for value in values)
