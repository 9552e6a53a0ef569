"""The CPU time of a set of processes that come and go."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from inspect_agent.typed import NamedTuple

Key = tuple[int, float]
"""A process: its PID and when it started."""


class Spent(NamedTuple):
    """CPU seconds of one process: its own, and those of the children it has waited for."""

    own_s: float
    reaped_s: float


class Usage:
    """CPU seconds that only grow.

    When a process ends, its parent's `reaped_s` takes over what it used, so a plain sum goes on.
    It does not where nobody in the set waits for it: orphans of a control group, or a parent that
    ignores SIGCHLD (times(2)). What is lost that way is kept here.
    """

    def __init__(self) -> None:
        self._last: dict[Key, Spent] = {}
        self._total_s = 0.0

    def advance(self, now: Mapping[Key, Spent], exists: Callable[[Key], bool]) -> float:
        """The seconds used until now.

        `exists` is asked for processes that are missing in `now`: one that is still there (a
        zombie, or overlooked by /proc) keeps its account, or it would be counted twice.
        """
        missing = self._last.keys() - now.keys()
        hidden = {key: self._last[key] for key in missing if exists(key)}
        ended_s = sum(sum(self._last[key]) for key in missing - hidden.keys())
        stayed = {key: self._last[key] for key in self._last.keys() & now.keys()}
        reaped_s = sum(now[key].reaped_s - spent.reaped_s for key, spent in stayed.items())
        before_s = sum(map(sum, stayed.values())) + ended_s
        lost_s = max(0.0, ended_s - reaped_s)
        self._total_s += sum(map(sum, now.values())) - before_s + lost_s
        self._last = {**hidden, **now}
        return self._total_s
