"""A service's processes as a tree, whatever the system they were read from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from inspect_agent.model.metric import MetricId
from inspect_agent.model.target import Process
from inspect_agent.ports import Reader
from inspect_agent.typed import NamedTuple, Protocol

PASS_EVERY_S = 10.0


class Sample(NamedTuple):
    """One process at one moment.

    ended        it is a zombie: it has used CPU time, and waits for its parent to take notice
    reaped_…_s   CPU seconds of the children it has waited for, and of theirs
    """

    pid: int
    ppid: int
    comm: str
    started_s: float
    ended: bool
    rss_bytes: int
    user_s: float
    system_s: float
    reaped_user_s: float
    reaped_system_s: float


class Processes(Protocol):
    """How a system shows its processes."""

    def identify(self, pid: int) -> Process | None:
        """The living process behind a PID; None: there is none, or only a zombie."""
        ...

    def sample(self, pid: int) -> Sample | None:
        """One process now, zombies included; None: there is none."""
        ...

    def below(self, pid: int) -> Collection[int]:
        """The children of a process, theirs and so on; some may have ended since."""
        ...

    def members(self, process: Process) -> Collection[int] | None:
        """The processes of its service where the system keeps them together, else None."""
        ...

    def memory_limit(self, process: Process) -> float | None:
        """The bytes that its service may use at most; None: only the machine limits it."""
        ...

    def open(self, process: Process, metrics: Sequence[MetricId]) -> Reader:
        """A reader of the process's own metrics. Raises ProcessGone or SourceError."""
        ...


def tree(process: Process, processes: Processes) -> dict[int, Sample]:
    """All processes of the service that `process` is the main one of, by PID."""
    members = processes.members(process)
    if members is not None:
        return samples(members, processes)
    return descent(process.pid, processes)


def descent(pid: int, processes: Processes) -> dict[int, Sample]:
    """A process and all that descend from it, by PID."""
    found = samples([pid, *processes.below(pid)], processes)
    return {one: found[one] for one in [pid, *descend(pid, children_of(found))] if one in found}


def samples(pids: Iterable[int], processes: Processes) -> dict[int, Sample]:
    """Those of the processes that are still there, by PID."""
    found = ((pid, processes.sample(pid)) for pid in pids)
    return {pid: sample for pid, sample in found if sample is not None}


def children_of(found: Mapping[int, Sample]) -> dict[int, list[int]]:
    """The children of each parent among these processes."""
    return by_parent({pid: sample.ppid for pid, sample in found.items()})


def by_parent(parents: Mapping[int, int]) -> dict[int, list[int]]:
    """Parents and their children, from children and their parents."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    return children


def descend(pid: int, children: Mapping[int, Sequence[int]]) -> list[int]:
    """All below `pid`, parents before their children."""
    found = list(children.get(pid, ()))
    for child in found:
        found += children.get(child, ())
    return found


class Pass:
    """The whole machine's parents and children, for systems where a process does not list its own.

    One pass over all processes serves every service, for ten seconds.
    """

    def __init__(self, parents: Callable[[], Mapping[int, int]], now: Callable[[], float]) -> None:
        self._parents = parents
        self._now = now
        self._children: dict[int, list[int]] = {}
        self._until = float("-inf")

    def below(self, pid: int) -> list[int]:
        """See Processes."""
        if self._now() >= self._until:
            self._children = by_parent(self._parents())
            self._until = self._now() + PASS_EVERY_S
        return descend(pid, self._children)
