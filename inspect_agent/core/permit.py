"""Whether a repair may be made, and what is said where it may not."""

from __future__ import annotations

from collections.abc import Mapping

from inspect_agent.core.happenings import Happenings
from inspect_agent.core.log import Log
from inspect_agent.core.turn import Turn
from inspect_agent.core.watched import Target, WatchedRule, WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.engine import budget, rules, services, silence
from inspect_agent.engine.refusal import RepairRefused, refuse
from inspect_agent.model.rule import Verb


class Permits:
    """`services` are those of the present configuration, for what one needs of another."""

    def __init__(self, log: Log, happenings: Happenings, windows: Windows) -> None:
        self._log, self._happenings, self._windows = log, happenings, windows
        self.services: Mapping[str, WatchedService] = {}

    def obstacle(self, service: WatchedService, verb: Verb, running: bool) -> RepairRefused | None:
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

    def spend(self, turn: Turn, service: WatchedService) -> RepairRefused | None:
        """Takes one repair out of the budget; BUDGET_SPENT where there is none left."""
        before = service.spent
        service.spent, allowed = budget.allow(before, service.check.budget, turn.now)
        if service.spent != before:
            turn.keep_budget(service)
        if budget.exhausted_now(before, service.spent):
            self._tell_exhausted(turn, service)
        return None if allowed else RepairRefused.BUDGET_SPENT

    def refuse(
        self,
        turn: Turn,
        service: WatchedService,
        target: Target,
        watched: WatchedRule,
        verb: Verb,
        reason: RepairRefused,
    ) -> None:
        """Says so once; the rule's hold is to be met anew, after a pause where there is one."""
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
