"""What rules want done: asked for, limited, carried out step by step, and verified.

asked     refused with a name, or its intent goes into the turn's transaction
waiting   until the intent is on disk (500 ms at most), and there is room for it
running   a command, killed as a group at its deadline; a signal and unmonitor end at once
verifying a repair alone: its service must be up with a new process, and stay so
ended     well: the next step; otherwise, and at last, the rule's hold is to be met anew
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from inspect_agent.core import identity, remember, templates
from inspect_agent.core.child import Children
from inspect_agent.core.happenings import Happenings
from inspect_agent.core.log import Log
from inspect_agent.core.loop import Loop
from inspect_agent.core.repairs import environment, intent
from inspect_agent.core.repairs.asker import Askers, places
from inspect_agent.core.repairs.job import Job, Order, held_s, place_of
from inspect_agent.core.repairs.outcome import Outcomes
from inspect_agent.core.repairs.permit import Permits
from inspect_agent.core.repairs.queue import Queue
from inspect_agent.core.repairs.steps import Steps
from inspect_agent.core.repairs.verification import Verification
from inspect_agent.core.turn import Telling, Turn
from inspect_agent.core.watched import Target, WatchedRule, WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.core.world import World
from inspect_agent.engine.refusal import RepairRefused
from inspect_agent.errors import StepError
from inspect_agent.model.config import Settings
from inspect_agent.model.rule import Repair, Step
from inspect_agent.sources.tree import Processes
from inspect_agent.typed import Protocol

INTENT_S = 0.5
GONE = "it is no longer watched"


class Released(Protocol):
    """Told of a service whose repair has ended, in this turn, and whether it was meant to stop."""

    def __call__(self, service: WatchedService, turn: Turn, *, meant: bool) -> None:
        """See Attend.release."""


class Repairs:
    """Idle until a configuration is adopted.

    released   called when a service's repair has ended
    look       asks a service's manager where it is
    """

    def __init__(
        self,
        loop: Loop,
        log: Log,
        children: Children,
        processes: Processes,
        telling: Telling,
        happenings: Happenings,
        windows: Windows,
        world: World,
        new_turn: Callable[[], Turn],
        look: Callable[[list[WatchedService]], None],
        released: Released,
    ) -> None:
        self._loop, self._log, self._telling = loop, log, telling
        self._world, self._new_turn, self._released = world, new_turn, released
        self._askers = Askers(world)
        self._permits = Permits(log, happenings, windows, world, self._askers)
        self._steps = Steps(loop, log, children, processes, windows)
        self._verification = Verification(loop, world, look, self._end)
        self._outcomes = Outcomes(log, happenings, windows)
        self._settings = Settings()
        self._queue = Queue(self._run)

    def adopt(self, settings: Settings) -> None:
        """A configuration comes into force."""
        self._settings = settings
        self._permits.adopt(settings.restarts)
        self._steps.timeout_s = settings.restart_timeout_s
        self._verification.cycle_s = settings.cycle_time_s

    def busy(self, service: WatchedService) -> bool:
        """Whether a repair of it is to come, runs, or is being verified."""
        job = self._queue.at(service.name)
        return job is not None and job.repairs_it

    def describe(self, target: Target) -> str:
        """What is being done to a target: `restart, verifying`; "" for nothing."""
        job = self._queue.at(target.name)
        return f"{job.name}, {job.phase}" if job is not None else ""

    def request(
        self, turn: Turn, target: Target, watched: WatchedRule, steps: tuple[Step, ...]
    ) -> None:
        """What a rule wants done, in order."""
        rule, hostname = watched.rule, identity.hostname(self._settings.hostname)
        order = Order(
            target.name,
            rule.key,
            rule.place,
            (
                held_s(rule.hold, self._settings.cycle_time_s),
                self._permits.passed_over(target.name, rule.key),
            ),
            environment.about(target, watched, hostname),
        )
        self._ask(turn, order, each_instance(steps, self._world.services))

    def recovered(self, turn: Turn, target: Target, watched: WatchedRule) -> None:
        """A rule is over, and what failed for it as well, where no other rule wants a repair."""
        for place in places(target, watched):
            repaired = self._world.target(place)
            is_left = self._queue.at(place) is None and not self._askers.wants(place)
            if repaired is not None and repaired.repair_told and is_left:
                self._outcomes.unneeded(turn, repaired)

    def resume(self, intents: Mapping[str, str], shift: float, turn: Turn) -> None:
        """What was under way when the agent was killed: repairs are verified, all else is over."""
        for key, text in intents.items():
            turn.keep("repair", key, None)
            with remember.tolerant(self._log, f"repair of {key}"):
                self._take_up(intent.from_text(key, text, shift), turn)
        self._askers.free_others(turn, [job.order for job in self._queue])

    def news(self, service: WatchedService) -> None:
        """A service that is held was looked up."""
        job = self._queue.at(service.name)
        if job is not None and job.phase == "verifying":
            self._verification.news(job, service)

    def when_idle(self, names: tuple[str, ...], call: Callable[[], object]) -> None:
        """Calls back when nothing runs for these services and probes (none: for any target)."""
        places = [f"{kind} {name}" for name in names for kind in ("service", "probe")]
        self._queue.when_idle(tuple(places), call)

    def _ask(self, turn: Turn, order: Order, steps: tuple[Step, ...]) -> None:
        """The first of these steps: it is refused, or waits until its intent is on disk."""
        place = place_of(steps[0], order.target) if steps else ""
        target = self._world.target(place)
        if target is None:  # there is no instance, or a reload took it away between two steps
            self._askers.free(turn, order, turn.now)
            return
        before = target.state.process if isinstance(target, WatchedService) else None
        job = Job(order, place, steps, before)
        reason = self._enqueue(turn, job, target)
        if reason is not None:
            self._permits.refuse(turn, job, target, reason)
            return
        self._permits.grant(job)
        turn.keep("repair", place, intent.to_text(job))
        turn.afterwards.append(partial(self._intended, job))
        self._loop.call_later(INTENT_S, partial(self._intended, job))

    def _enqueue(self, turn: Turn, job: Job, target: Target) -> RepairRefused | None:
        """Lets it wait, in the room of a lower rung where there is one; or says why not."""
        outranked = self._queue.outranked(job)
        if outranked is not None:  # its part of the budget is taken over
            job.order.paid |= outranked.order.paid & {job.place}
        occupied = self._queue.at(job.place) is not None and outranked is None
        reason = self._permits.obstacle(job, target, occupied)
        reason = reason or self._permits.spend(turn, job, target)
        if reason is not None:
            return reason
        if outranked is not None:
            self._put_back(turn, outranked, target, RepairRefused.ALREADY_RUNNING)
        self._queue.add(job)
        return None

    def _intended(self, job: Job) -> None:
        job.ready = True
        self._queue.advance()

    def _run(self, job: Job) -> None:
        job.phase, job.order.begun = "running", True
        target = self._world.target(job.place)
        if target is None:
            self._fail(job, GONE)
            return
        reason = self._permits.obstacle(job, target, running=False)
        if reason is not None:
            self._call_off(job, target, reason)
            return
        try:
            self._steps.begin(job, target, partial(self._ended, job))
        except StepError as error:
            self._fail(job, str(error))

    def _fail(self, job: Job, trouble: str) -> None:
        """It cannot even begin; that is seen later, for the queue is being walked through."""
        self._loop.call_soon_threadsafe(partial(self._ended, job, trouble))

    def _call_off(self, job: Job, target: Target, reason: RepairRefused) -> None:
        """What stood in its way came up while it waited for its turn."""
        turn = self._new_turn()
        turn.keep("repair", job.place, None)
        self._put_back(turn, job, target, reason)
        self._telling.commit(turn)

    def _put_back(self, turn: Turn, job: Job, target: Target, reason: RepairRefused) -> None:
        self._queue.remove(job)
        self._permits.refuse(turn, job, target, reason)

    def _ended(self, job: Job, trouble: str) -> None:
        """What was begun has ended; whether a repair did what it was to is still to be seen."""
        target = self._world.target(job.place)
        if isinstance(target, WatchedService):
            target.repairing = ""
        if trouble or not isinstance(job.step, Repair):
            self._end(job, trouble)
        elif not isinstance(target, WatchedService):
            self._end(job, GONE)
        else:
            self._verification.begin(job, target)
            self._queue.advance()

    def _end(self, job: Job, trouble: str) -> None:
        """The step has succeeded (no trouble) or failed: the next one, or the rule."""
        self._queue.remove(job)
        turn = self._new_turn()
        turn.keep("repair", job.place, None)
        target = self._world.target(job.place)
        if target is not None:
            self._outcomes.tell(turn, job, target, trouble)
        if isinstance(target, WatchedService) and isinstance(job.step, Repair):
            self._released(target, turn, meant=job.step.verb == "stop")
        if job.rest and not trouble and self._askers.find(job.order) is not None:
            self._ask(turn, job.order, job.rest)
        else:
            self._askers.free(turn, job.order, turn.now + self._grace_s(job, trouble))
        self._telling.commit(turn)
        self._queue.advance()

    def _grace_s(self, job: Job, trouble: str) -> float:
        """How long the rule rests; a repair that was verified has had its grace."""
        asker = self._world.target(job.order.target)
        verified = isinstance(job.step, Repair) and not trouble
        return asker.check.grace_s if isinstance(asker, WatchedService) and not verified else 0.0

    def _take_up(self, left: intent.Intent, turn: Turn) -> None:
        """A step whose end nobody has seen."""
        service = self._world.target(left.place)
        if left.verb is None or not isinstance(service, WatchedService):
            what = f"{left.place}: {left.step} was under way when the agent ended"
            self._log.warn(f"{what}; it counts as ended")
            return
        order = Order(left.target, left.key)
        job = Job(order, left.place, (Repair(left.verb, service.check.name),), left.before)
        self._queue.add(job)
        turn.keep("repair", left.place, intent.to_text(job))
        service.held = True
        self._verification.begin(job, service)


def each_instance(
    steps: tuple[Step, ...], services: Mapping[str, WatchedService]
) -> tuple[Step, ...]:
    """The steps with `restart NAME@*` as one for each instance."""
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Repair) and templates.is_template(step.service):
            meant = templates.meant(step.service, services)
            found.extend(step._replace(service=service.check.name) for service in meant)
        else:
            found.append(step)
    return tuple(found)
