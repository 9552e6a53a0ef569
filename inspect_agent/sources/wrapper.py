"""Finds the process that does the work where the main process only wraps it."""

from __future__ import annotations

from inspect_agent.model.target import Process
from inspect_agent.sources.tree import Processes, Sample, children_of, descent
from inspect_agent.typed import NamedTuple

WRAPPERS = frozenset(
    ("bash", "bundle", "dash", "ksh", "runuser", "setsid", "sh", "su", "sudo", "timeout", "zsh")
)


class BusyChild(NamedTuple):
    """The worker inside a wrapper; `comm` is its command name as the kernel has it."""

    pid: int
    comm: str
    rss_bytes: int


def busy_child(process: Process, processes: Processes) -> BusyChild | None:
    """The one process that a wrapper like `su -c …` or `bundle exec …` was started for.

    None where the main process is no wrapper, or has no child, or several, or one that holds less
    memory or CPU time than itself: a shell script that waits for its `sleep` is a service too.
    """
    found = descent(process.pid, processes)
    main = found.get(process.pid)
    child = None if main is None else _innermost(main, found)
    if main is None or child is None or child is main or not _outweighs(child, main):
        return None
    return BusyChild(child.pid, child.comm, child.rss_bytes)


def _innermost(main: Sample, found: dict[int, Sample]) -> Sample | None:
    children = children_of({pid: sample for pid, sample in found.items() if not sample.ended})
    while main.comm in WRAPPERS:
        below = children.get(main.pid, [])
        if len(below) != 1:
            return None
        main = found[below[0]]
    return main


def _outweighs(child: Sample, main: Sample) -> bool:
    spent_s, main_spent_s = child.user_s + child.system_s, main.user_s + main.system_s
    return child.rss_bytes > main.rss_bytes and spent_s >= main_spent_s
