from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from inspect_agent.model.metric import MetricId, NoData
from inspect_agent.model.target import Machine
from inspect_agent.sources.cpu import Cpu

LINUX = SimpleNamespace(
    user=100.0,
    nice=10.0,
    system=50.0,
    idle=1000.0,
    iowait=7.0,
    irq=1.0,
    softirq=2.0,
    steal=3.0,
    guest=40.0,
    guest_nice=5.0,
)
MACOS = SimpleNamespace(user=100.0, nice=10.0, system=50.0, idle=1000.0)


def values(monkeypatch: pytest.MonkeyPatch, times: Any) -> dict[str, object]:
    """What the source reads from these times, by metric."""
    monkeypatch.setattr(psutil, "cpu_times", lambda: times)
    names = Cpu().names(Machine())
    return dict(zip(map(str, names), Cpu().open(Machine(), names).read(), strict=True))


def test_busy_is_all_but_idle_and_iowait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The total counts guests once, for they are part of user and nice."""
    assert values(monkeypatch, LINUX) == {
        "cpu": 166.0,
        "cpu:user": 100.0,
        "cpu:system": 50.0,
        "cpu:iowait": 7.0,
        "cpu:steal": 3.0,
    }


def test_what_a_system_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A column that a system lacks has no value, and the total does without."""
    assert values(monkeypatch, MACOS) == {
        "cpu": 160.0,
        "cpu:user": 100.0,
        "cpu:system": 50.0,
        "cpu:iowait": NoData("this system does not count iowait"),
        "cpu:steal": NoData("this system does not count steal"),
    }


def test_values_come_in_the_order_asked() -> None:
    """A reader of this machine gives one value a metric, each where it was asked for."""
    asked = [MetricId("cpu", "user"), MetricId("cpu"), MetricId("cpu", "user")]
    user, busy, again = Cpu().open(Machine(), asked).read()

    assert user == again
    assert isinstance(busy, float)
    assert isinstance(user, float)
    assert busy >= user > 0
