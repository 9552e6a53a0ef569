"""What is watched: the machine, its services, and what has no process of its own."""

from __future__ import annotations

from inspect_agent.model.rule import Rule
from inspect_agent.typed import NamedTuple


class Budget(NamedTuple):
    """`restarts 3/10m`: so many `repairs` within `window_s` seconds, then a pause."""

    repairs: int
    window_s: float


Params = tuple[tuple[str, str], ...]
"""Parameters of metric families, name and value as given; some are secrets."""


class HostCheck(NamedTuple):
    """All `check host` of the configuration, added up; `params` as in ServiceCheck."""

    owner: str = ""
    remind_s: float | None = None
    rules: tuple[Rule, ...] = ()
    params: Params = ()


class ServiceCheck(NamedTuple):
    """One `check service`.

    name       what its manager calls it; `NAME@*` stands for every instance it has loaded
    place      where it was written: `services.d/sidekiq.inq:1`
    owner      the route told of its coming and going; "" is the default route
    manager    the manager's name, or None: found out from the running system
    pidfile    an absolute path, or None; with it the manager is `pidfile`
    start, stop, restart    commands split into words, empty where not given
    timeout_s  a repair's deadline
    grace_s    how young a process may be before rules on its metrics are judged
    remind_s   how often an alert is repeated while its rule stays triggered; None: never
    params     what was given for metric families; one that may be given often is there as often
    instance   the variables of an instance of an Upstart job, as its tools want them: `index=0`
    release    the absolute path of the symlink that a deploy flips, or None
    """

    name: str
    place: str
    budget: Budget
    owner: str = ""
    manager: str | None = None
    pidfile: str | None = None
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    timeout_s: float = 30.0
    grace_s: float = 0.0
    remind_s: float | None = None
    needs: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    params: Params = ()
    instance: tuple[str, ...] = ()
    release: str | None = None


class ProbeCheck(NamedTuple):
    """One `check probe`: a thing with no process of its own; the members as in ServiceCheck."""

    name: str
    place: str
    owner: str = ""
    remind_s: float | None = None
    rules: tuple[Rule, ...] = ()
    params: Params = ()


def template_of(name: str) -> str:
    """What stands for an instance and its like: `sidekiq@*` for `sidekiq@1`; "" for no instance."""
    base, at, instance = name.partition("@")
    return f"{base}@*" if base and at and instance else ""


class Process(NamedTuple):
    """A process is its PID and its start together: a PID alone may be used again.

    started_s   seconds after boot, on the clock of `clock.now()`
    cgroup      its control group's folder below the cgroup2 mount, where the manager named one
    """

    pid: int
    started_s: float
    cgroup: str | None = None

    def same_as(self, other: Process | None) -> bool:
        """Whether both are one process (a changed control group does not matter)."""
        return other is not None and (self.pid, self.started_s) == (other.pid, other.started_s)


class Machine(NamedTuple):
    """The machine itself, as the subject of a source."""


class Probe(NamedTuple):
    """What a `check probe` is about, as the subject of a source."""

    name: str
    params: Params = ()
