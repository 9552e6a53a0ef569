from __future__ import annotations

import os
import sys
from collections.abc import Collection

import pytest

from inspect_agent.model.target import Process
from inspect_agent.sources.linux import LinuxProcesses
from inspect_agent.sources.tree import Processes, Sample
from inspect_agent.sources.wrapper import BusyChild, busy_child
from tests.sources.living import GROWS, ask, identified, living


class Told(LinuxProcesses):
    """Processes that are as a test says."""

    def __init__(self, *found: Sample) -> None:
        super().__init__()
        self.found = {sample.pid: sample for sample in found}

    def sample(self, pid: int) -> Sample | None:
        """One of them."""
        return self.found.get(pid)

    def below(self, pid: int) -> Collection[int]:
        """All of them but this one."""
        return self.found.keys() - {pid}


def sample(
    pid: int, ppid: int, comm: str, rss_mb: int = 1, used_s: float = 0.0, ended: bool = False
) -> Sample:
    """One process."""
    return Sample(pid, ppid, comm, 1.0, ended, rss_mb << 20, used_s, 0.0, 0.0, 0.0)


RUBY = sample(3, 2, "ruby", 200, 9.0)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([sample(1, 0, "su"), sample(2, 1, "sh"), RUBY], RUBY),
        ([sample(2, 0, "bundle", 30, 1.0), RUBY], RUBY),
        ([sample(2, 0, "sh"), RUBY, sample(4, 2, "logger", ended=True)], RUBY),
        ([sample(2, 0, "sh"), RUBY, sample(4, 2, "logger")], None),
        ([sample(2, 0, "nginx"), RUBY], None),
        ([sample(2, 0, "sh")], None),
        ([sample(2, 0, "sh", 4, 1.0), sample(3, 2, "sleep", 1, 0.0)], None),
        ([sample(2, 0, "sh", 1, 1.0), sample(3, 2, "sleep", 2, 0.0)], None),
        ([], None),
    ],
    ids=[
        "su around sh around ruby",
        "bundle around ruby",
        "what has ended does not count",
        "two children",
        "not a wrapper",
        "no child",
        "a script that waits",
        "a script that waits and has worked",
        "gone",
    ],
)
def test_busy_child(found: list[Sample], expected: Sample | None) -> None:
    """The one process that does the work inside of wrappers, if there is one."""
    main = Process(found[0].pid if found else 1, 1.0)
    child = busy_child(main, Told(*found))

    assert child == (expected and BusyChild(3, "ruby", 200 << 20))


def test_a_real_shell_around_a_worker(processes: Processes) -> None:
    """A shell that runs one program and waits for it is a wrapper around it."""
    with living("sh", "-c", f"exec 3<&0; '{sys.executable}' -c '{GROWS}' <&3; true") as shell:
        ask(shell, str(30 << 20))
        child = busy_child(identified(processes, shell.pid), processes)

        assert child is not None
        assert child.pid != shell.pid
        assert os.path.basename(os.readlink(f"/proc/{child.pid}/exe")).startswith("python")
        assert child.comm.startswith("python")
        assert child.rss_bytes > 30 << 20
