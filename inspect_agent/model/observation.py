"""What a service manager says, and what it is asked to run."""

from __future__ import annotations

from inspect_agent.typed import Literal, NamedTuple

Status = Literal["up", "down", "failed", "starting", "absent", "unknown"]
"""Where a service is.

    up        its main process runs (or its manager counts it as active without one)
    down      it was stopped, or never started
    failed    not running although it should be
    starting  its manager is bringing it up (again); it has no process yet
    absent    its manager does not know it
    unknown   its manager did not answer, or answered something nobody can read
"""


class Observation(NamedTuple):
    """One service at one moment.

    pid       its main process, or None where there is none
    reason    the manager's own words: `inactive (dead), Result=success`
    cgroup    the service's control group below the cgroup2 mount, or None
    restarts_itself   the manager is about to restart it, or restarts it whenever it fails
    restarts   how often its manager has brought this service back by itself, counted since a
               moment of the manager's choice; None: it does not count
    ambiguous  its manager cannot tell a crash from a stop: `down` says only that it does not run
    """

    status: Status
    pid: int | None = None
    reason: str = ""
    cgroup: str | None = None
    restarts_itself: bool = False
    restarts: int | None = None
    ambiguous: bool = False


class Command(NamedTuple):
    """A command to run: no shell, LC_ALL=C, its own process group, killed at its deadline."""

    argv: tuple[str, ...]
    timeout_s: float


class Finished(NamedTuple):
    """How a command ended.

    exit_status  0..255; negative: the signal that ended it; None: it could not be started, or
                 was killed at its deadline, and `stderr` says which
    """

    exit_status: int | None
    stdout: str
    stderr: str
