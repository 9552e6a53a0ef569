"""The Makefile names what is missing, with the line that installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.conftest import CHECKOUT

WITHOUT = """#!/bin/sh
case "$2" in *{word}*) exit 1;; esac
exec {python} "$@"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what the Makefile looks at, and no virtual environment yet."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    return tmp_path


def make(checkout: Path, target: str, python: Path) -> tuple[int, str]:
    """The exit status, and what was complained of, without make's own line below it."""
    ran = subprocess.run(
        ["make", "--no-print-directory", f"PYTHON={python}", target],
        cwd=checkout,
        env={name: text for name, text in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
    )
    return ran.returncode, ran.stderr.partition("make: ")[0]


def without(folder: Path, word: str) -> Path:
    """A Python that fails at whatever has this word in it."""
    python = folder / "python-without"
    python.write_text(WITHOUT.format(word=word, python=sys.executable))
    python.chmod(0o755)
    return python


@pytest.mark.parametrize("target", ["demo", "test"])
def test_no_python(checkout: Path, target: str) -> None:
    """Without Python it says what to install."""
    python = checkout / "python3"
    complaint = f"{python} is missing: apt-get install python3 python3-venv\n"
    assert make(checkout, target, python) == (2, complaint)


def test_no_venv(checkout: Path) -> None:
    """Debian's Python comes without venv: it says what to install."""
    complaint = "python3-venv is missing: apt-get install python3-venv\n"
    assert make(checkout, "demo", without(checkout, "ensurepip")) == (2, complaint)
    assert not (checkout / ".venv").exists()


def test_old_python(checkout: Path) -> None:
    """A Python that is too old is said to be."""
    complaint = "Python 3.10 or newer is needed; name one: make PYTHON=python3.11 …\n"
    assert make(checkout, "demo", without(checkout, "version_info")) == (2, complaint)


def test_ci_runs_make_test() -> None:
    """CI runs what a developer runs, and nothing may be skipped there."""
    lines = (CHECKOUT / ".ci/run").read_text().splitlines()
    assert lines[-2:] == ["export CI=true", "exec make test"]
    assert os.access(CHECKOUT / ".ci/run", os.X_OK)
