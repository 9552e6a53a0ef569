"""Any code in the place of a worker."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


class Program:
    """Stands where Python does, so that a worker is any code."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = folder / "python"
        self._real = sys.executable
        monkeypatch.setattr(sys, "executable", str(self._path))

    def is_(self, code: str) -> None:
        """From the next start on a worker runs this."""
        self._path.write_text(f"#!{self._real}\n{code}")
        self._path.chmod(0o755)
