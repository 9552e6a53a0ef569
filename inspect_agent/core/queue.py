"""Steps that wait and steps that are under way: who is next.

At most 4 run at once, one a target, and never two instances of one template together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from inspect_agent.core.job import Job

MOST_AT_ONCE = 4


class Queue:
    """`begin` is called when it is a job's turn, and makes it run or takes it away."""

    def __init__(self, begin: Callable[[Job], None]) -> None:
        self._begin = begin
        self._jobs: dict[str, Job] = {}
        self._waiters: list[tuple[tuple[str, ...], Callable[[], object]]] = []

    def __iter__(self) -> Iterator[Job]:
        """Every job, in the order they came."""
        return iter(tuple(self._jobs.values()))

    def at(self, place: str) -> Job | None:
        """The job for a target, if there is one."""
        return self._jobs.get(place)

    def add(self, job: Job) -> None:
        """The job for its target, from now on."""
        self._jobs[job.place] = job

    def remove(self, job: Job) -> None:
        """It is done with; `advance` lets others have its room."""
        del self._jobs[job.place]
        if job.timer is not None:
            job.timer.cancel()

    def outranked(self, job: Job) -> Job | None:
        """The one for the same target that waits and has to give way: a ladder climbs."""
        other = self._jobs.get(job.place)
        if other is None or other.phase != "waiting" or other.order.rank >= job.order.rank:
            return None
        return other

    def advance(self) -> None:
        """Something changed: begins what may begin now, and tells who waited for idleness."""
        self._tell_idle()
        for job in self:
            running = [other for other in self if other.phase == "running"]
            if len(running) >= MOST_AT_ONCE:
                return
            if not job.ready or job.phase != "waiting" or self._jobs.get(job.place) is not job:
                continue
            if all(other.template != job.template for other in running):
                self._begin(job)

    def when_idle(self, places: tuple[str, ...], call: Callable[[], object]) -> None:
        """Calls back when nothing runs for these targets (none: for any)."""
        self._waiters.append((places, call))
        self._tell_idle()

    def _tell_idle(self) -> None:
        running = {job.place for job in self._jobs.values() if job.phase == "running"}
        still, self._waiters = self._waiters, []
        for places, call in still:
            if running.intersection(places) if places else running:
                self._waiters.append((places, call))
            else:
                call()
