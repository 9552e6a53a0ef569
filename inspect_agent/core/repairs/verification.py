"""Whether a repair did what it was to do.

A service is to be up, after a restart with a new process, and to stay so through grace and one
cycle; a stopped one is to be out. Where that does not come about in time, the repair failed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from inspect_agent.core.loop import Loop
from inspect_agent.core.repairs.job import Job
from inspect_agent.core.watched import WatchedService
from inspect_agent.core.world import World


class Verification:
    """`ended` is called with a job and what went wrong, "" for nothing; `look` asks managers."""

    def __init__(
        self,
        loop: Loop,
        world: World,
        look: Callable[[list[WatchedService]], None],
        ended: Callable[[Job, str], None],
    ) -> None:
        self._loop, self._world = loop, world
        self._look, self._ended = look, ended
        self.cycle_s = 15.0

    def begin(self, job: Job, service: WatchedService) -> None:
        """The command has ended well, or is thought to have."""
        job.phase = "verifying"
        longest_s = service.check.timeout_s + service.check.grace_s + self.cycle_s
        self._wait(job, longest_s, self._give_up)
        self._look([service])

    def news(self, job: Job, service: WatchedService) -> None:
        """The service was looked up."""
        seen = service.seen
        if seen.status == "unknown":
            return
        if job.good is not None and not job.good.same_as(seen.process):
            self._ended(job, f"it ended again: {seen.reason}")
        elif job.good is None and reached(job, service):
            if job.name in ("stop", "reload") or seen.process is None:
                self._ended(job, "")
                return
            job.good = service.repaired = seen.process
            self._wait(job, service.check.grace_s + self.cycle_s, self._prove)

    def _give_up(self, job: Job) -> None:
        service = self._service(job)
        where = f"it is {service.seen.status} ({service.seen.reason})" if service else "it is gone"
        self._ended(job, f"not up with a new process: {where}")

    def _prove(self, job: Job) -> None:
        """Its time is over; while a manager is silent the process alone can tell how it went."""
        service = self._service(job)
        if service is None or job.good is None or job.good.same_as(service.process):
            self._ended(job, "")
        else:
            self._ended(job, f"it ended again: {service.seen.reason}")

    def _service(self, job: Job) -> WatchedService | None:
        target = self._world.target(job.place)
        return target if isinstance(target, WatchedService) else None

    def _wait(self, job: Job, delay_s: float, then: Callable[[Job], None]) -> None:
        if job.timer is not None:
            job.timer.cancel()
        job.timer = self._loop.call_later(delay_s, partial(then, job))


def reached(job: Job, service: WatchedService) -> bool:
    """Whether the service is where the repair was to bring it."""
    seen = service.seen
    if job.name == "stop":
        return seen.status in ("down", "failed", "absent")
    if seen.status != "up":
        return False
    return job.name != "restart" or seen.process is None or not seen.process.same_as(job.before)
