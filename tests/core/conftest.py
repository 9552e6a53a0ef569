"""What several tests of the core begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.programs import Program


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """What runs in the place of a worker's module."""
    return Program(tmp_path, monkeypatch)
