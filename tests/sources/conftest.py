"""The ways in which the sources see processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

import pytest

from inspect_agent.sources import procfs
from inspect_agent.sources.linux import LinuxProcesses
from inspect_agent.sources.portable import PortableProcesses
from inspect_agent.sources.tree import PASS_EVERY_S, Pass, Processes


def _later() -> Callable[[], float]:
    """A clock by which each pass is too old for the next look."""
    ticks = count()
    return lambda: next(ticks) * 2 * PASS_EVERY_S


WAYS: Mapping[str, Callable[[], Processes]] = {
    "children files": lambda: LinuxProcesses(below=procfs.children_below),
    "a pass over /proc": lambda: LinuxProcesses(below=Pass(procfs.parents, _later()).below),
    "psutil": lambda: PortableProcesses(_later()),
}


@pytest.fixture(params=WAYS)
def processes(request: pytest.FixtureRequest) -> Processes:
    """Each of the ways, with nothing remembered."""
    return WAYS[request.param]()
