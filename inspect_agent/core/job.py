"""A repair at work: what it is to do, how it is kept in the ledger, when it has reached its aim."""

from __future__ import annotations

import json

from inspect_agent.core.lookup import guarded
from inspect_agent.core.loop import Timer
from inspect_agent.core.watched import WatchedService
from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Command, Finished
from inspect_agent.model.rule import Hold, Repair, Span, Verb
from inspect_agent.model.target import Process

LAST_LINES = 5


class Job:
    """One rule's repairs, of which `verb` on `service` is the one at hand.

    phase   waiting | running | verifying
    rest    what follows when this one succeeded
    cause   the rule's key in the ledger
    before  the process that it found
    rank    how long the rule held: while they wait, the one that held longest goes first
    """

    def __init__(
        self, cause: str, steps: tuple[Repair, ...], before: Process | None, rank: float = 0.0
    ) -> None:
        self.cause = cause
        self.rank = rank
        self.verb: Verb = steps[0].verb
        self.service = steps[0].service
        self.rest = steps[1:]
        self.before = before
        self.phase = "waiting"
        self.ready = False
        self.good: Process | None = None
        self.timer: Timer | None = None

    @property
    def template(self) -> str:
        """What two instances of one template share."""
        return self.service.partition("@")[0]


def command(job: Job, service: WatchedService) -> Command:
    """What to run. Raises ManagerError where there is nothing, or the manager raised."""
    manager = service.manager
    if manager is None:
        raise ManagerError("no manager has a command for it")
    found = guarded(lambda: manager.command(job.verb, service.check))
    if isinstance(found, ManagerError):
        raise ManagerError(f"{manager.name}: {found}") from found
    if found is None:
        raise ManagerError(f"{manager.name} has no command for it")
    return found


def reached(job: Job, service: WatchedService) -> bool:
    """Whether the service is where the repair was to bring it."""
    seen = service.seen
    if job.verb == "stop":
        return seen.status in ("down", "failed", "absent")
    if seen.status != "up":
        return False
    return job.verb != "restart" or seen.process is None or not seen.process.same_as(job.before)


def rank(hold: Hold, cycle_s: float) -> float:
    """Seconds that a hold takes at least."""
    return hold.seconds if isinstance(hold, Span) else hold.n * cycle_s


def to_intent(job: Job) -> str:
    """A job as the ledger keeps it until it has ended."""
    return json.dumps({"cause": job.cause, "verb": job.verb, "before": job.before})


def from_intent(service: str, intent: str, shift: float) -> Job:
    """What `to_intent` wrote; times are moved by `shift`."""
    members = json.loads(intent)
    before = Process(*members["before"]) if members["before"] else None
    if before is not None:
        before = before._replace(started_s=before.started_s + shift)
    return Job(members["cause"], (Repair(members["verb"], service),), before)


def words(result: Finished) -> str:
    """How a command failed, with its last lines."""
    lines = [line for line in (result.stderr or result.stdout).splitlines() if line.strip()]
    last = " / ".join(lines[-LAST_LINES:])
    if result.exit_status is None:
        return last or "no exit status"
    how = (
        f"exit {result.exit_status}"
        if result.exit_status >= 0
        else f"killed by signal {-result.exit_status}"
    )
    return f"{how}: {last}" if last else how
