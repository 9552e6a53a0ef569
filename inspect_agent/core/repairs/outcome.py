"""What is told of a step that has ended: every failure, and what makes up for one."""

from __future__ import annotations

from inspect_agent.alerting.route import Told
from inspect_agent.core.happenings import Happenings
from inspect_agent.core.log import Log
from inspect_agent.core.repairs.job import Job, costs, place_of
from inspect_agent.core.repairs.permit import goes_on_alone
from inspect_agent.core.turn import Turn
from inspect_agent.core.watched import Target, WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.engine import silence
from inspect_agent.model.event import Event
from inspect_agent.model.rule import Repair


class Outcomes:
    """Logs how steps ended, and tells the owners of what they were done to."""

    def __init__(self, log: Log, happenings: Happenings, windows: Windows) -> None:
        self._log, self._happenings, self._windows = log, happenings, windows

    def tell(self, turn: Turn, job: Job, target: Target, trouble: str) -> None:
        """`trouble` is what went wrong, "" when nothing did."""
        event = self._event(job, target, trouble, turn.wall)
        (self._log.warn if trouble else self._log.info)(f"{event.text} ({event.kind})")
        if self._is_silent(job, target) or not (trouble or _is_well(job)):
            return
        if trouble:
            turn.tell_owner(event, target.check.owner)
        elif target.repair_told:
            turn.tell([Told(target.check.owner, event)])
        if target.repair_told != bool(trouble):
            target.repair_told = bool(trouble)
            turn.keep_repair_told(target)

    def unneeded(self, turn: Turn, target: Target) -> None:
        """What it was to be repaired for is over by itself, after a repair that failed."""
        text = "well again, without the repair that failed"
        event = self._happenings.repair("RepairNotNeeded", target, text, turn.wall)
        self._log.info(event.text)
        turn.tell_owner(event, target.check.owner)
        target.repair_told = False
        turn.keep_repair_told(target)

    def _event(self, job: Job, target: Target, trouble: str, at: float) -> Event:
        build = self._happenings.repair
        if trouble:
            return build("RepairFailed", target, f"{job.name} failed: {trouble}", at, trouble)
        done = f"{job.name} succeeded"
        if isinstance(job.step, Repair) and isinstance(target, WatchedService):
            process = target.seen.process
            done += f", process {process.pid}" if process is not None else ""
        return build("RepairSucceeded", target, done, at)

    def _is_silent(self, job: Job, target: Target) -> bool:
        """A deploy stops what it likes."""
        is_silent = silence.in_window if goes_on_alone(job) else silence.covers
        return is_silent(self._windows.silence, target.window)


def _is_well(job: Job) -> bool:
    """Whether its success is that of the order: nothing else is to be done to the same target."""
    rest = (place_of(step, job.order.target) for step in job.rest if costs(step))
    return costs(job.step) and job.place not in rest
