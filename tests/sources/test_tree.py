from __future__ import annotations

import os
from pathlib import Path

import psutil

from inspect_agent.sources.linux import LinuxProcesses
from inspect_agent.sources.tree import PASS_EVERY_S, Pass, Processes, descend, tree
from tests.sources.living import gone, identified, living, zombie


def test_identify(processes: Processes) -> None:
    """A process is known by its PID and its start; what is gone, and a zombie, is nobody."""
    with zombie() as pid:
        assert processes.identify(pid) is None

    assert identified(processes, os.getpid()) == identified(processes, os.getpid())
    assert [processes.identify(pid) for pid in (gone(), -1, 2**80)] == [None, None, None]


def test_all_ways_agree_on_who_a_process_is(processes: Processes) -> None:
    """The start is in seconds after boot, whoever tells it."""
    own = identified(processes, os.getpid())
    by_proc = identified(LinuxProcesses(), os.getpid())

    assert abs(own.started_s - by_proc.started_s) < 1.1  # psutil's boot time is in whole seconds


def test_a_tree_is_the_process_and_all_below(processes: Processes) -> None:
    """The tree of a process holds its children and theirs, and nobody else's."""
    with living("sh", "-c", "(sleep 1000 & sleep 1000 & echo; wait); true") as shell:
        found = tree(identified(processes, shell.pid), processes)
        below = {child.pid for child in psutil.Process(shell.pid).children(recursive=True)}

    assert set(found) == {shell.pid} | below
    assert len(found) == 4


def test_a_stale_descendant_is_left_out() -> None:
    """A PID that a pass remembers counts no more when another process has it now."""
    processes = LinuxProcesses(below=lambda pid: [os.getppid()])

    assert set(tree(identified(processes, os.getpid()), processes)) == {os.getpid()}


def test_a_control_group_counts_if_it_holds_the_process(tmp_path: Path) -> None:
    """The control group's processes are the tree, unless the process has left it."""
    own, stranger = os.getpid(), os.getppid()
    for name, pids in {"service": (own, stranger), "left": (stranger,)}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"41 31 0:38 / {tmp_path} rw - cgroup2 cgroup2 rw\n")
    processes = LinuxProcesses(below=lambda pid: [], mountinfo=str(mountinfo))
    process = identified(processes, own)

    def members(cgroup: str | None) -> set[int]:
        return set(tree(process._replace(cgroup=cgroup), processes))

    assert members("/service") == {own, stranger}
    assert [members(other) for other in ("/left", "/gone", "/", None)] == [{own}] * 4


def test_one_pass_serves_all_for_ten_seconds() -> None:
    """All services share a pass over the processes, and it is made anew after ten seconds."""
    now, passes = 100.0, 0

    def parents() -> dict[int, int]:
        nonlocal passes
        passes += 1
        return {2: 1, 3: 2, 10 + passes: 3}

    shared = Pass(parents, lambda: now)
    first = [shared.below(1), shared.below(2), shared.below(3)]
    now += PASS_EVERY_S - 0.1
    kept = shared.below(3)
    now += 0.1

    assert first == [[2, 3, 11], [3, 11], [11]]
    assert kept == [11]
    assert shared.below(3) == [12]


def test_descend_puts_parents_first() -> None:
    """All below a process are listed, each behind its parent."""
    assert descend(1, {1: [2, 3], 2: [4], 4: [5], 7: [8]}) == [2, 3, 4, 5]
    assert descend(9, {}) == []
