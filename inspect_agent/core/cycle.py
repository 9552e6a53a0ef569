"""One cycle: sample, judge, decide, and commit what changed as one transaction.

A rule that is calm and stays clear costs one comparison here; everything else goes through the
tables of engine/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inspect_agent.alerting import route
from inspect_agent.core.attend import Attend
from inspect_agent.core.happenings import Happenings
from inspect_agent.core.instances import Instances
from inspect_agent.core.log import Log
from inspect_agent.core.repairs.repair import Repairs
from inspect_agent.core.turn import Telling, Turn
from inspect_agent.core.watched import Target, WatchedRule, WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.core.world import World
from inspect_agent.engine import rules, silence
from inspect_agent.engine.condition import CLEAR, FROZEN
from inspect_agent.engine.rules import CALM, Decision, Phase
from inspect_agent.errors import ProcessGone
from inspect_agent.model.event import Event, EventKind


class Cycle:
    """Runs cycles over what is watched now; `read_code` looks at the code that services run."""

    def __init__(
        self,
        log: Log,
        telling: Telling,
        happenings: Happenings,
        windows: Windows,
        instances: Instances,
        attend: Attend,
        repairs: Repairs,
        read_code: Callable[[Sequence[WatchedService], float], None],
        new_turn: Callable[[], Turn],
    ) -> None:
        self._log, self._telling, self._happenings = log, telling, happenings
        self._windows, self._instances = windows, instances
        self._attend, self._repairs = attend, repairs
        self._read_code, self._new_turn = read_code, new_turn

    def run(self, world: World, late: bool) -> None:
        """One cycle; `late`: the machine was suspended, so nothing is judged this once."""
        turn = self._new_turn()
        self._windows.begin_cycle(turn, world.owner)
        quiet = self._windows.silence
        watched = list(world.services.values())
        self._read_code(watched, turn.now)
        for target in (world.host, *world.probes.values()):
            target.metrics.sample(turn.now)
            self._judge(turn, target, late or silence.covers(quiet, target.window), False)
        for service in watched:
            hushed = silence.covers(quiet, service.window)
            self._sample(turn, service)
            if not self._catch_up(turn, service, hushed):
                continue
            frozen = late or hushed or bool(service.repairing or service.state.unanswered)
            self._judge(turn, service, frozen, _young(service, turn.now))
            service.replaced = False
        self._windows.end_cycle(turn)
        self._telling.commit(turn)

    def _sample(self, turn: Turn, service: WatchedService) -> None:
        process = service.process
        if process is None:
            return
        try:
            service.metrics.sample(turn.now)
        except ProcessGone:
            self._attend.died(service, process)

    def _catch_up(self, turn: Turn, service: WatchedService, hushed: bool) -> bool:
        """Whether the service, after what has happened meanwhile, is still watched."""
        if hushed or self._repairs.busy(service):
            return True
        if service.held:
            self._attend.release(service, turn)
        elif service.state.looping or service.state.status != "up":
            self._attend.review(service, turn)
        else:
            return True
        return not self._instances.part(service, turn)

    def _judge(self, turn: Turn, target: Target, frozen: bool, young: bool) -> None:
        for watched in target.rules:
            state = watched.state
            if frozen or (young and watched.comparisons):
                outcome = FROZEN
            else:
                outcome = watched.test(state.phase is Phase.TRIGGERED)
            if outcome is CLEAR and state is CALM:
                continue
            watched.state, decision = rules.step(
                watched.rule, state, outcome, turn.now, target.remind_s
            )
            if decision is not None:
                self._decide(turn, target, watched, decision)
            if watched.state != state:
                turn.keep_rule(target, watched)

    def _decide(self, turn: Turn, target: Target, watched: WatchedRule, decision: Decision) -> None:
        if decision is Decision.FAILED:
            event = self._event("RuleFailed", turn, target, watched)
            told = route.failed(event, watched.rule)
            watched.heard = route.routes(told)
            turn.tell(told)
        elif decision is Decision.RECOVERED:
            event = self._event("RuleRecovered", turn, target, watched)
            turn.tell(route.recovered(event, watched.rule, watched.heard))
            watched.heard = ()
            self._repairs.recovered(turn, target, watched)
        elif decision is Decision.REMINDER:
            event = self._event("RuleReminder", turn, target, watched)
            turn.tell(route.reminded(event, watched.rule, watched.heard))
        if decision in (Decision.FAILED, Decision.REPAIR_DUE) and watched.rule.steps:
            self._repairs.request(turn, target, watched, watched.rule.steps)

    def _event(self, kind: EventKind, turn: Turn, target: Target, watched: WatchedRule) -> Event:
        event = self._happenings.rule(kind, target, watched, turn.wall)
        self._log.info(event.text)
        return event


def _young(service: WatchedService, now: float) -> bool:
    process = service.process
    return process is not None and now - process.started_s < service.check.grace_s
