"""Repairs: asked for by rules, limited, run as commands, and verified.

    request   refused with a name, or its intent goes into the turn's transaction
    waiting   until the intent is on disk (500 ms at most), and there is room for it
    running   the manager's command, killed as a group at its deadline
    verifying the service must be up with a new process, and stay so through grace and one cycle
    ended     RepairSucceeded or RepairFailed; the rule's hold is to be met anew

At most 4 commands run at once, one a service, and never two instances of one template together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from inspect_agent.alerting.route import Told
from inspect_agent.core import remember
from inspect_agent.core.child import Children
from inspect_agent.core.happenings import Happenings
from inspect_agent.core.job import Job, command, from_intent, rank, reached, to_intent, words
from inspect_agent.core.log import Log
from inspect_agent.core.loop import Loop
from inspect_agent.core.permit import Permits
from inspect_agent.core.turn import Telling, Turn, rule_key
from inspect_agent.core.watched import Target, WatchedRule, WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.engine import rules, silence
from inspect_agent.engine.refusal import RepairRefused
from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Finished
from inspect_agent.model.rule import Repair

MOST_AT_ONCE = 4
INTENT_S = 0.5


class Repairs:
    """Idle until a configuration is adopted.

    released   called when a service's repair has ended, with the turn it ended in
    look       asks a service's manager where it is
    """

    def __init__(
        self,
        loop: Loop,
        log: Log,
        children: Children,
        telling: Telling,
        happenings: Happenings,
        windows: Windows,
        new_turn: Callable[[], Turn],
        look: Callable[[list[WatchedService]], None],
        released: Callable[[WatchedService, Turn], None],
    ) -> None:
        self._loop, self._log, self._children = loop, log, children
        self._telling, self._happenings, self._windows = telling, happenings, windows
        self._new_turn, self._look, self._released = new_turn, look, released
        self._permits = Permits(log, happenings, windows)
        self._services: Mapping[str, WatchedService] = {}
        self._cycle_s = 15.0
        self._jobs: dict[str, Job] = {}
        self._waiters: list[tuple[tuple[str, ...], Callable[[], object]]] = []

    def adopt(self, services: Mapping[str, WatchedService], cycle_s: float) -> None:
        """A configuration comes into force."""
        self._services = self._permits.services = services
        self._cycle_s = cycle_s

    def busy(self, service: WatchedService) -> bool:
        """Whether a repair of it is asked for, runs, or is being verified."""
        return service.check.name in self._jobs

    def describe(self, service: WatchedService) -> str:
        """The repair of a service that is under way: `restart, verifying`; "" for none."""
        job = self._jobs.get(service.check.name)
        return f"{job.verb}, {job.phase}" if job is not None else ""

    def request(
        self, turn: Turn, target: Target, watched: WatchedRule, steps: tuple[Repair, ...]
    ) -> None:
        """What a rule wants done, in order."""
        service = self._services.get(steps[0].service)
        if service is None:  # a reload took it away between two steps
            watched.state = rules.repair_ended(watched.state, turn.now)
            turn.keep_rule(target, watched)
            return
        cause = rule_key(target.name, watched.rule.key)
        job = Job(cause, steps, service.state.process, rank(watched.rule.hold, self._cycle_s))
        outranked = self._outranked(job)
        running = self.busy(service) and outranked is None
        reason = self._permits.obstacle(service, job.verb, running)
        if reason is None and outranked is None:  # whose part of the budget is taken over
            reason = self._permits.spend(turn, service)
        if reason is not None:
            self._permits.refuse(turn, service, target, watched, job.verb, reason)
            return
        if outranked is not None:
            self._put_back(turn, service, outranked, RepairRefused.ALREADY_RUNNING)
        asker = target if isinstance(target, WatchedService) else service
        asker.refusal = ""
        self._jobs[service.check.name] = job
        turn.keep("repair", service.check.name, to_intent(job))
        turn.afterwards.append(partial(self._intended, job))
        self._loop.call_later(INTENT_S, partial(self._intended, job))

    def resume(self, intents: Mapping[str, str], shift: float) -> None:
        """Repairs that were under way when the agent was killed: verified, not repeated."""
        for name, text in intents.items():
            with remember.tolerant(self._log, f"repair of {name}"):
                self._jobs[name] = from_intent(name, text, shift)
        for name, job in list(self._jobs.items()):
            service = self._services.get(name)
            if service is None:
                self._end(job, "the service is no longer watched")
            else:
                service.held = True
                self._verify(job, service)

    def news(self, service: WatchedService) -> None:
        """A service that is held was looked up."""
        job = self._jobs.get(service.check.name)
        if job is None or job.phase != "verifying" or service.seen.status == "unknown":
            return
        if job.good is not None and not job.good.same_as(service.seen.process):
            self._end(job, f"it ended again: {service.seen.reason}")
        elif job.good is None and reached(job, service):
            if job.verb in ("stop", "reload") or service.seen.process is None:
                self._end(job, "")
                return
            job.good = service.seen.process
            self._wait(job, service.check.grace_s + self._cycle_s, partial(self._proved, job))

    def when_idle(self, names: tuple[str, ...], call: Callable[[], object]) -> None:
        """Calls back when no command runs for these services (none: for any)."""
        self._waiters.append((names, call))
        self._serve_waiters()

    def _outranked(self, job: Job) -> Job | None:
        """The repair of the same service that waits and has to give way: a ladder climbs."""
        other = self._jobs.get(job.service)
        gives_way = other is not None and other.phase == "waiting" and other.rank < job.rank
        return other if gives_way else None

    def _intended(self, job: Job) -> None:
        job.ready = True
        self._pump()

    def _pump(self) -> None:
        for job in list(self._jobs.values()):
            running = [other for other in self._jobs.values() if other.phase == "running"]
            if len(running) >= MOST_AT_ONCE:
                return
            if not job.ready or job.phase != "waiting" or self._jobs.get(job.service) is not job:
                continue
            if all(other.template != job.template for other in running):
                self._run(job)

    def _run(self, job: Job) -> None:
        service = self._services.get(job.service)
        if service is None:
            self._end(job, "the service is no longer watched")
            return
        reason = self._permits.obstacle(service, job.verb, running=False)
        if reason is not None:
            self._call_off(job, service, reason)
            return
        try:
            to_run = command(job, service)
        except ManagerError as error:
            self._end(job, str(error))
            return
        job.phase = "running"
        service.held = True
        service.repairing = job.verb
        self._log.info(f"{job.service}: {job.verb}: {' '.join(to_run.argv)}")
        self._children.start(to_run, partial(self._ran, job))

    def _call_off(self, job: Job, service: WatchedService, reason: RepairRefused) -> None:
        """What stood in its way came up while it waited for its turn."""
        turn = self._new_turn()
        turn.keep("repair", job.service, None)
        self._put_back(turn, service, job, reason)
        self._telling.commit(turn)

    def _put_back(
        self, turn: Turn, service: WatchedService, job: Job, reason: RepairRefused
    ) -> None:
        del self._jobs[job.service]
        found = self._rule(job.cause)
        if found is not None:
            self._permits.refuse(turn, service, *found, job.verb, reason)

    def _ran(self, job: Job, result: Finished) -> None:
        service = self._services.get(job.service)
        job.phase = "verifying"
        if service is None:
            self._end(job, "the service is no longer watched")
            return
        service.repairing = ""
        self._serve_waiters()
        if result.exit_status != 0:
            self._end(job, words(result))
        else:
            self._verify(job, service)
        self._pump()

    def _verify(self, job: Job, service: WatchedService) -> None:
        job.phase = "verifying"
        longest_s = service.check.timeout_s + service.check.grace_s + self._cycle_s
        self._wait(job, longest_s, partial(self._give_up, job))
        self._look([service])

    def _give_up(self, job: Job) -> None:
        service = self._services.get(job.service)
        where = f"it is {service.seen.status} ({service.seen.reason})" if service else "it is gone"
        self._end(job, f"not up with a new process: {where}")

    def _proved(self, job: Job) -> None:
        """Its time is over; while a manager is silent the process alone can tell how it went."""
        service = self._services.get(job.service)
        if service is None or job.good is None or job.good.same_as(service.process):
            self._end(job, "")
        else:
            self._end(job, f"it ended again: {service.seen.reason}")

    def _wait(self, job: Job, delay_s: float, then: Callable[[], object]) -> None:
        if job.timer is not None:
            job.timer.cancel()
        job.timer = self._loop.call_later(delay_s, then)

    def _end(self, job: Job, trouble: str) -> None:
        """The repair at hand succeeded (no trouble) or failed."""
        if job.timer is not None:
            job.timer.cancel()
        del self._jobs[job.service]
        turn = self._new_turn()
        turn.keep("repair", job.service, None)
        service = self._services.get(job.service)
        if service is not None:
            service.repairing = ""
            self._tell(turn, job, service, trouble)
            self._released(service, turn)
        self._go_on(turn, job, trouble)
        self._telling.commit(turn)
        self._serve_waiters()
        self._pump()

    def _tell(self, turn: Turn, job: Job, service: WatchedService, trouble: str) -> None:
        kind = "RepairFailed" if trouble else "RepairSucceeded"
        pid = service.seen.process.pid if service.seen.process is not None else None
        done = f"{job.verb} succeeded" + (f", process {pid}" if pid else "")
        text = f"{job.verb} failed: {trouble}" if trouble else done
        event = self._happenings.repair(
            "RepairFailed" if trouble else "RepairSucceeded", service, text, turn.wall, trouble
        )
        (self._log.warn if trouble else self._log.info)(f"{event.text} ({kind})")
        if silence.covers(self._windows.silence, job.service):
            return  # a deploy stops what it likes
        if trouble:
            turn.tell_owner(event, service.check.owner)
        elif service.repair_told:
            turn.tell([Told(service.check.owner, event)])
        if service.repair_told != bool(trouble):
            service.repair_told = bool(trouble)
            turn.keep_service(service)

    def _go_on(self, turn: Turn, job: Job, trouble: str) -> None:
        """The rule's next repair, or the rule itself."""
        found = self._rule(job.cause)
        if found is None:
            return
        target, watched = found
        if job.rest and not trouble:
            self.request(turn, target, watched, job.rest)
            return
        grace_s = target.check.grace_s if isinstance(target, WatchedService) and trouble else 0.0
        watched.state = rules.repair_ended(watched.state, turn.now + grace_s)
        turn.keep_rule(target, watched)

    def _rule(self, cause: str) -> tuple[Target, WatchedRule] | None:
        for service in self._services.values():
            for watched in service.rules:
                if rule_key(service.name, watched.rule.key) == cause:
                    return service, watched
        return None

    def _serve_waiters(self) -> None:
        running = {job.service for job in self._jobs.values() if job.phase == "running"}
        still, self._waiters = self._waiters, []
        for names, call in still:
            if running.intersection(names) if names else running:
                self._waiters.append((names, call))
            else:
                call()
