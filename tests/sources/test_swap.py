from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from inspect_agent.model.metric import MetricId, NoData
from inspect_agent.model.target import Machine
from inspect_agent.sources.swap import Swap


def read(monkeypatch: pytest.MonkeyPatch, total: int, used: int) -> Any:
    """What the source reads with so many bytes of swap."""
    monkeypatch.setattr(psutil, "swap_memory", lambda: SimpleNamespace(total=total, used=used))
    return Swap().open(Machine(), Swap().names(Machine())).read()


def test_share_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The value is the share in use."""
    assert read(monkeypatch, total=4096, used=1024) == [25.0]


def test_a_machine_without_swap_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """No swap is no data, not 0 % and not 100 %."""
    assert read(monkeypatch, total=0, used=0) == [NoData("no swap")]


def test_this_machine() -> None:
    """A real machine gives a share, or says that it has no swap."""
    [value] = Swap().open(Machine(), [MetricId("swap")]).read()

    if psutil.swap_memory().total:
        assert isinstance(value, float)
        assert 0 <= value <= 100
    else:
        assert value == NoData("no swap")
