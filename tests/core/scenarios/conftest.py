"""The stage of every story."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.scenarios.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A machine without services."""
    one = Stage(tmp_path, monkeypatch)
    yield one
    one.end()
