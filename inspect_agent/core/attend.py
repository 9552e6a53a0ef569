"""What is done when there is news of a service: a manager's answer, or a death.

found   a manager said where it is: attach to its process, judge what changed
died    its process has ended: let it go, and ask its manager at once
release a repair or a silence is over: judge what happened meanwhile, as something expected
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from inspect_agent.core.happenings import Happenings
from inspect_agent.core.log import Log
from inspect_agent.core.loop import Loop
from inspect_agent.core.turn import Telling, Turn
from inspect_agent.core.watch import watch
from inspect_agent.core.watched import WatchedService
from inspect_agent.engine import rules, services
from inspect_agent.engine.services import Seen
from inspect_agent.errors import ProcessGone, SourceError
from inspect_agent.model.event import By
from inspect_agent.model.observation import Observation
from inspect_agent.model.target import Process
from inspect_agent.sources.tree import Processes
from inspect_agent.sources.wrapper import WRAPPERS

STALE_RETRY_S = 0.02
"""A manager that has not reaped a dead process yet still names it."""
STARTING_RETRY_S = 0.05
"""Most managers bring a service back within a second; nothing else tells when it is there."""
RETRIES = 8
"""The pauses double."""
BELIEVED_AT = 2
"""A manager that was asked at once may just have been busy with the same end."""


class Attend:
    """`hushed` tells whether nothing is judged now.

    processes   how this system shows its processes
    look     asks the managers where services are
    ended    told of a service whose process has ended
    news     told of a service that is being repaired
    due      whether the absence of a service may be told yet
    """

    def __init__(
        self,
        loop: Loop,
        log: Log,
        telling: Telling,
        happenings: Happenings,
        new_turn: Callable[[], Turn],
        processes: Processes,
        hushed: Callable[[WatchedService], bool],
        look: Callable[[Iterable[WatchedService]], None],
        ended: Callable[[WatchedService], None],
        news: Callable[[WatchedService], None],
        due: Callable[[], bool],
    ) -> None:
        self._loop, self._log = loop, log
        self._telling, self._happenings, self._new_turn = telling, happenings, new_turn
        self._processes, self._hushed, self._look = processes, hushed, look
        self._ended, self._news, self._due = ended, news, due

    def found(self, service: WatchedService, observation: Observation) -> None:
        """A manager's answer."""
        service.looked_at = self._loop.now()
        seen = self._seen(service, observation)
        if seen is None:
            return
        if seen != service.seen:
            # what was glanced before may have been glanced before this, too, and hide the way back
            service.fingerprint = None
        service.by = _by(service, seen, observation)
        if observation.status != "unknown":
            service.observed = observation
        service.seen = seen
        if seen.status != "unknown":
            self.attach(service, seen.process)
        if service.held or self._is_left(service):
            service.held = True
            self._news(service)
        else:
            turn = self._new_turn()
            self.judge(service, turn)
            self._telling.commit(turn)

    def died(self, service: WatchedService, process: Process) -> None:
        """The process that was watched has ended."""
        if service.process is not process:
            return
        service.detach()
        turn = self._new_turn()
        service.died_at, service.unheard = turn.wall, 0
        self._log.info(f"{service.check.name}: process {process.pid} ended")
        self._look([service])
        self._ended(service)

    def release(self, service: WatchedService, turn: Turn, *, meant: bool = True) -> None:
        """Judges what happened while it was held; not yet, where a silence covers it, or where
        its manager does not answer: what it says then is still of that time.

        `meant`: its end was asked for, if it has ended.
        """
        if self._is_left(service) or service.seen.status == "unknown":
            return
        service.held = False
        self.judge(service, turn, expected=True, meant=meant)

    def judge(
        self, service: WatchedService, turn: Turn, *, expected: bool = False, meant: bool = False
    ) -> None:
        """Takes what was last seen through the service table."""
        before = service.state
        signalled = service.expects_end(before.process, turn.now)
        expected, meant = expected or signalled, meant or signalled
        state, told = services.step(
            before, service.seen, turn.now, expected=expected, meant=meant, due=self._due()
        )
        if state == before and told is None:
            return
        service.state = state
        turn.keep_service(service)
        self._log_change(service, before)
        replaced = state.process is not None and not state.process.same_as(before.process)
        if replaced and before.process is not None:
            service.replaced = service.replaced or not expected
            for watched in service.rules:
                fresh = rules.process_replaced(watched.rule, watched.state)
                if fresh != watched.state:
                    watched.state = fresh
                    turn.keep_rule(service, watched)
        if told is not None:
            self._tell(service, told, before.process, turn)
        if not state.unanswered:
            service.died_at = None

    def review(self, service: WatchedService, turn: Turn) -> None:
        """What time alone brings: an absence becomes due, a crash loop ends."""
        state, told = services.tick(service.state, turn.now)
        if told is not None:
            service.state = state
            turn.keep_service(service)
            self._tell(service, told, None, turn)
        elif service.state.status not in ("up", "unknown") and not service.state.lost:
            self.judge(service, turn)

    def _is_left(self, service: WatchedService) -> bool:
        """Whether it is not judged now: a silence covers it, or the machine is still booting."""
        booting = service.booting and service.seen.status != "up" and not self._due()
        return booting or self._hushed(service)

    def attach(self, service: WatchedService, process: Process | None) -> None:
        """Samples and watches this process from now on."""
        if process is not None and service.compares_shares:
            service.limit_memory(self._processes.memory_limit(process))
        if service.process is not None and service.process.same_as(process):
            return
        if service.process is not None:
            service.detach()
        if process is None:
            return
        service.process = process
        main = self._processes.sample(process.pid)
        service.is_wrapped = main is not None and main.comm in WRAPPERS
        died = partial(self.died, service, process)
        try:
            service.metrics.open(process)
        except ProcessGone:
            self._loop.call_soon_threadsafe(died)
            return
        service.watch = watch(self._loop, process, self._processes.identify, died)

    def _seen(self, service: WatchedService, observation: Observation) -> Seen | None:
        """What the answer means; None when it is older than the death of what it names."""
        status, reason = observation.status, observation.reason
        if status == "unknown":
            return _unheard(service, reason)
        service.unheard = None
        if status == "starting":
            self._look_again(service, STARTING_RETRY_S)
            return Seen(status, None, reason, observation.restarts_itself)
        if status != "up" or observation.pid is None:
            service.retries = 0
            return Seen(status, None, reason, ambiguous=observation.ambiguous)
        try:
            process = self._processes.identify(observation.pid)
        except SourceError as error:
            return Seen("unknown", None, str(error))
        if process is not None:
            service.retries = 0
            return Seen("up", process._replace(cgroup=observation.cgroup), reason)
        if self._look_again(service, STALE_RETRY_S):
            return None
        return Seen("unknown", None, f"process {observation.pid} is not there ({reason})")

    def _look_again(self, service: WatchedService, pause_s: float) -> bool:
        """Asks its manager again soon, a few times; then a cycle is soon enough."""
        if service.retries >= RETRIES:
            service.retries = 0
            return False
        self._loop.call_later(pause_s * 2**service.retries, partial(self._look, [service]))
        service.retries += 1
        return True

    def _tell(
        self, service: WatchedService, told: services.Told, before: Process | None, turn: Turn
    ) -> None:
        at = service.died_at if service.died_at is not None else turn.wall
        pid = before.pid if before is not None else None
        event = self._happenings.process(told, service, pid, at, _author(service))
        self._log.info(event.text + (f": {event.detail}" if event.detail else ""))
        turn.tell_owner(event, service.check.owner)

    def _log_change(self, service: WatchedService, before: services.ServiceState) -> None:
        state = service.state
        if state.unanswered != before.unanswered and state.unanswered:
            self._log.warn(f"{service.check.name}: {state.unanswered}")
        elif state.status != before.status:
            self._log.debug(f"{service.check.name}: {state.status} ({state.reason})")


def _unheard(service: WatchedService, reason: str) -> Seen:
    """Nobody can say where it is; a second time after its end was seen it is believed to be out."""
    if service.unheard is None:
        return Seen("unknown", None, reason)
    service.unheard += 1
    if service.unheard < BELIEVED_AT:
        return Seen("unknown", None, reason)
    return Seen("down", None, f"its process has ended; {reason}")


def _by(service: WatchedService, seen: Seen, observation: Observation) -> By:
    """Who started the process that is seen now.

    Where a manager does not count what it brings back, it is thought to have been the manager if
    that does so at all.
    """
    before = service.observed
    if seen.process is None or seen.process.same_as(service.seen.process):
        return service.by
    if before.status in ("unknown", "absent"):
        return ""
    if observation.restarts is not None and before.restarts is not None:
        return "its manager" if observation.restarts > before.restarts else "somebody else"
    return "its manager" if before.restarts_itself else "somebody else"


def _author(service: WatchedService) -> By:
    """The same, as it is told: this agent's own repairs are known to it."""
    process = service.state.process
    if service.state.status != "up" or process is None:
        return ""
    return "this agent" if process.same_as(service.repaired) else service.by
