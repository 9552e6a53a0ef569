"""Repairs: asked for by rules, limited, run as commands, and verified.

    request   refused with a name, or its intent goes into the turn's transaction
    waiting   until the intent is on disk (500 ms at most), and there is room for it
    running   the manager's command, killed as a group at its deadline
    verifying the service must be up with a new process, and stay so through grace and one cycle
    ended     RepairSucceeded or RepairFailed; the rule's hold is to be met anew

At most 4 commands run at once, one a service, and never two instances of one template together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

from inspect_agent.alerting.route import Told
from inspect_agent.core import remember
from inspect_agent.core.child import Children
from inspect_agent.core.happenings import Happenings
from inspect_agent.core.log import Log
from inspect_agent.core.lookup import guarded
from inspect_agent.core.loop import Loop, Timer
from inspect_agent.core.turn import Telling, Turn, rule_key
from inspect_agent.core.watched import Target, WatchedRule, WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.engine import budget, rules, services, silence
from inspect_agent.engine.refusal import RepairRefused, refuse
from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Command, Finished
from inspect_agent.model.rule import Hold, Repair, Span, Verb
from inspect_agent.model.target import Process

MOST_AT_ONCE = 4
INTENT_S = 0.5
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


class Repairs:
    """`services` and `find_rule` give what the present configuration has.

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
        self.services: Mapping[str, WatchedService] = {}
        self.cycle_s = 15.0
        self._jobs: dict[str, Job] = {}
        self._waiters: list[tuple[tuple[str, ...], Callable[[], object]]] = []

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
        service = self.services.get(steps[0].service)
        if service is None:  # a reload took it away between two steps
            watched.state = rules.repair_ended(watched.state, turn.now)
            turn.keep_rule(target, watched)
            return
        cause, rank = (
            rule_key(target.name, watched.rule.key),
            _rank(watched.rule.hold, self.cycle_s),
        )
        job = Job(cause, steps, service.state.process, rank)
        outranked = self._outranked(job)
        reason = self._refusal(turn, service, job, outranked)
        if reason is not None:
            self._refuse(turn, service, target, watched, job.verb, reason)
            return
        if outranked is not None:
            self._put_back(turn, service, outranked, RepairRefused.ALREADY_RUNNING)
        asker = target if isinstance(target, WatchedService) else service
        asker.refusal = ""
        self._jobs[service.check.name] = job
        turn.keep("repair", service.check.name, _intent(job))
        turn.afterwards.append(partial(self._intended, job))
        self._loop.call_later(INTENT_S, partial(self._intended, job))

    def resume(self, intents: Mapping[str, str], shift: float) -> None:
        """Repairs that were under way when the agent was killed: verified, not repeated."""
        for name, text in intents.items():
            with remember.tolerant(self._log, f"repair of {name}"):
                self._jobs[name] = _job(name, text, shift)
        for name, job in list(self._jobs.items()):
            service = self.services.get(name)
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
        elif job.good is None and _reached(job, service):
            if job.verb in ("stop", "reload") or service.seen.process is None:
                self._end(job, "")
                return
            job.good = service.seen.process
            self._wait(job, service.check.grace_s + self.cycle_s, partial(self._proved, job))

    def when_idle(self, names: tuple[str, ...], call: Callable[[], object]) -> None:
        """Calls back when no command runs for these services (none: for any)."""
        self._waiters.append((names, call))
        self._serve_waiters()

    def _obstacle(self, service: WatchedService, verb: Verb, running: bool) -> RepairRefused | None:
        """What stands against a repair, but for the budget."""
        name, quiet = service.check.name, self._windows.silence
        return refuse(
            unmonitored=name in quiet.unmonitored,
            in_window=silence.in_window(quiet, name),
            running=running,
            manager_is_restarting=service.seen.returning and verb in ("start", "restart"),
            need_down=any(
                services.is_down(self.services[need].state)
                for need in service.check.needs
                if need in self.services
            ),
        )

    def _outranked(self, job: Job) -> Job | None:
        """The repair of the same service that waits and has to give way: a ladder climbs."""
        other = self._jobs.get(job.service)
        gives_way = other is not None and other.phase == "waiting" and other.rank < job.rank
        return other if gives_way else None

    def _refusal(
        self, turn: Turn, service: WatchedService, job: Job, outranked: Job | None
    ) -> RepairRefused | None:
        running = self.busy(service) and outranked is None
        reason = self._obstacle(service, job.verb, running)
        if reason is not None or outranked is not None:  # its part of the budget is taken over
            return reason
        before = service.spent
        service.spent, allowed = budget.allow(before, service.check.budget, turn.now)
        if service.spent != before:
            turn.keep_budget(service)
        if budget.exhausted_now(before, service.spent):
            self._tell_exhausted(turn, service)
        return None if allowed else RepairRefused.BUDGET_SPENT

    def _refuse(
        self,
        turn: Turn,
        service: WatchedService,
        target: Target,
        watched: WatchedRule,
        verb: Verb,
        reason: RepairRefused,
    ) -> None:
        asker = target if isinstance(target, WatchedService) else service
        text = f"{verb} {service.check.name} refused, {reason.name}: {reason.value}"
        if asker.refusal != text:
            self._log.info(text)
        asker.refusal = text
        resume_at = max(turn.now, service.spent.paused_until)
        watched.state = rules.repair_ended(watched.state, resume_at)
        turn.keep_rule(target, watched)

    def _tell_exhausted(self, turn: Turn, service: WatchedService) -> None:
        allowed, pause_s = service.check.budget, service.spent.pause_s
        event = self._happenings.repair(
            "RepairExhausted",
            service,
            f"repaired {allowed.repairs} times within {allowed.window_s / 60:g} minutes and still"
            f" not well; nothing more is tried for {pause_s / 60:g} minutes",
            turn.wall,
            service.state.reason,
        )
        self._log.warn(event.text)
        service.repair_told = True
        turn.keep_service(service)
        turn.tell_owner(event, service.check.owner)

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
        service = self.services.get(job.service)
        if service is None:
            self._end(job, "the service is no longer watched")
            return
        reason = self._obstacle(service, job.verb, running=False)
        if reason is not None:
            self._call_off(job, service, reason)
            return
        try:
            command = _command(job, service)
        except ManagerError as error:
            self._end(job, str(error))
            return
        job.phase = "running"
        service.held = True
        service.repairing = job.verb
        self._log.info(f"{job.service}: {job.verb}: {' '.join(command.argv)}")
        self._children.start(command, partial(self._ran, job))

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
            self._refuse(turn, service, *found, job.verb, reason)

    def _ran(self, job: Job, result: Finished) -> None:
        service = self.services.get(job.service)
        job.phase = "verifying"
        if service is None:
            self._end(job, "the service is no longer watched")
            return
        service.repairing = ""
        self._serve_waiters()
        if result.exit_status != 0:
            self._end(job, _words(result))
        else:
            self._verify(job, service)
        self._pump()

    def _verify(self, job: Job, service: WatchedService) -> None:
        job.phase = "verifying"
        longest_s = service.check.timeout_s + service.check.grace_s + self.cycle_s
        self._wait(job, longest_s, partial(self._give_up, job))
        self._look([service])

    def _give_up(self, job: Job) -> None:
        service = self.services.get(job.service)
        where = f"it is {service.seen.status} ({service.seen.reason})" if service else "it is gone"
        self._end(job, f"not up with a new process: {where}")

    def _proved(self, job: Job) -> None:
        """Its time is over; while a manager is silent the process alone can tell how it went."""
        service = self.services.get(job.service)
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
        service = self.services.get(job.service)
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
        for service in self.services.values():
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


def _command(job: Job, service: WatchedService) -> Command:
    """What to run. Raises ManagerError where there is nothing, or the manager raised."""
    manager = service.manager
    if manager is None:
        raise ManagerError("no manager has a command for it")
    command = guarded(lambda: manager.command(job.verb, service.check))
    if isinstance(command, ManagerError):
        raise ManagerError(f"{manager.name}: {command}") from command
    if command is None:
        raise ManagerError(f"{manager.name} has no command for it")
    return command


def _reached(job: Job, service: WatchedService) -> bool:
    seen = service.seen
    if job.verb == "stop":
        return seen.status in ("down", "failed", "absent")
    if seen.status != "up":
        return False
    return job.verb != "restart" or seen.process is None or not seen.process.same_as(job.before)


def _rank(hold: Hold, cycle_s: float) -> float:
    """Seconds that a hold takes at least."""
    return hold.seconds if isinstance(hold, Span) else hold.n * cycle_s


def _intent(job: Job) -> str:
    return json.dumps({"cause": job.cause, "verb": job.verb, "before": job.before})


def _job(service: str, intent: str, shift: float) -> Job:
    """What `_intent` wrote; times are moved by `shift`."""
    members = json.loads(intent)
    before = Process(*members["before"]) if members["before"] else None
    if before is not None:
        before = before._replace(started_s=before.started_s + shift)
    return Job(members["cause"], (Repair(members["verb"], service),), before)


def _words(result: Finished) -> str:
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
