from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from inspect_agent.model.metric import MetricId, NoData
from inspect_agent.model.target import Machine
from inspect_agent.sources.memory import Memory

ASKED = [MetricId("memory", name) for name in ("percent", "used", "available", "free")]


def read(monkeypatch: pytest.MonkeyPatch, **figures: int) -> Any:
    """What the source reads where psutil tells these figures."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(**figures))
    return Memory().open(Machine(), ASKED).read()


def test_used_is_what_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    """Percent, used and available fit together, whatever psutil itself calls used."""
    assert read(monkeypatch, total=1000, available=600, used=123, free=50) == [40.0, 400, 600, 50]


def test_no_memory_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that reports no memory has no share of it."""
    assert read(monkeypatch, total=0, available=0, used=0, free=0) == [
        NoData("no memory is reported"),
        0,
        0,
        0,
    ]


def test_this_machine() -> None:
    """The figures of this machine lie in the bounds they have by nature."""
    values = Memory().open(Machine(), ASKED).read()
    percent, used, available, free = [value for value in values if not isinstance(value, NoData)]
    total = psutil.virtual_memory().total

    assert 0 < percent < 100
    assert 0 < free < total
    assert used + available == total
