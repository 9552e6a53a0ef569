"""The real things that integration tests run against."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.components import need
from tests.integration.systemd_machine import SystemdMachine

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def machine() -> Iterator[SystemdMachine]:
    """A machine that systemd runs, with this checkout and this Python in it."""
    need("systemd")
    visible = [CHECKOUT, Path(sys.prefix), Path(sys.base_prefix)]
    with SystemdMachine(visible) as booted:
        yield booted
