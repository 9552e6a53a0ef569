"""Services that OpenRC's supervise-daemon(8) starts, and starts again when they end."""

from __future__ import annotations

from inspect_agent.managers import pid_files
from inspect_agent.managers.openrc_state import Records
from inspect_agent.model.observation import Observation
from inspect_agent.typed import NamedTuple

_RETURNING = "without a process, which supervise-daemon is to start"
_ALONE = "unsupervised, for its supervise-daemon is gone"
_GONE = "its daemon and its supervise-daemon are gone"


class _Pair(NamedTuple):
    """A supervise-daemon and its child; `restarts` is how many children there were before."""

    supervisor: int | None
    child: int | None
    restarts: int = 0


class Supervised:
    """Its PID file is the supervisor's; the service's process is the child.

    It counts the children of each supervisor itself: OpenRC's own count begins anew whenever a
    service has been up for a while.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._pairs: dict[str, _Pair] = {}

    def observe(self, name: str) -> Observation:
        """Where a service is that is to run. Raises ManagerError."""
        supervisor = pid_files.observe(self._records.pid_files(name))
        child = pid_files.observe([self._records.option(name, "child_pid")])
        if child is not None and child.status == "unknown":
            return child
        pair = _Pair(_pid(supervisor), _pid(child))
        if pair.supervisor is None:
            up = pair.child is not None
            return Observation("up" if up else "failed", pair.child, _ALONE if up else _GONE)
        restarts = self._count(name, pair)
        if pair.child is None:
            return Observation("starting", None, _RETURNING, None, True, restarts)
        return Observation("up", pair.child, "supervised", None, True, restarts)

    def _count(self, name: str, pair: _Pair) -> int:
        known = self._pairs.get(name, pair)
        if pair.child is None:
            return known.restarts
        is_another = pair.supervisor == known.supervisor and pair.child != known.child
        pair = pair._replace(restarts=known.restarts + is_another)
        self._pairs[name] = pair
        return pair.restarts


def _pid(seen: Observation | None) -> int | None:
    return seen.pid if seen is not None else None
