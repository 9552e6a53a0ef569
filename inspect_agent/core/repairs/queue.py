"""Steps that wait and steps that are under way: who is next.

At most 4 run at once, one a target, and never two instances of one template together: what was done
to one instance is verified, and its list is at its last step, before the next one's turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from inspect_agent.core.repairs.job import Job

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
        running = [job for job in self if job.phase == "running"]
        for job in self:
            if len(running) >= MOST_AT_ONCE:
                return
            if self._is_next(job) and not self._is_kept(job):
                self._begin(job)
                running = [job for job in self if job.phase == "running"]

    def _is_next(self, job: Job) -> bool:
        return job.ready and job.phase == "waiting" and self._jobs.get(job.place) is job

    def _is_kept(self, job: Job) -> bool:
        """Whether another instance of its template is at it, or in the middle of its list."""
        others = [one for one in self if one is not job and one.template == job.template]
        if any(other.phase != "waiting" for other in others):
            return True
        return not job.order.begun and any(other.order.begun for other in others)

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
