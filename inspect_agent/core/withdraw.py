"""What rules and checks that are gone had opened is resolved, and the ledger forgets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inspect_agent.alerting import route
from inspect_agent.core.happenings import Happenings
from inspect_agent.core.log import Log
from inspect_agent.core.turn import Turn, rule_key
from inspect_agent.core.watched import Target, WatchedRule, WatchedService
from inspect_agent.engine.rules import CALM, Phase, RuleState


class Withdrawals:
    """Tells RuleWithdrawn to those who heard of a failure."""

    def __init__(self, log: Log, happenings: Happenings) -> None:
        self._log, self._happenings = log, happenings

    def rule(self, key: str, state: RuleState, heard: tuple[str, ...], turn: Turn) -> None:
        """A rule by its key in the ledger."""
        turn.keep("rule", key, None)
        if state.phase is Phase.TRIGGERED:
            event = self._happenings.withdrawn(key, turn.wall)
            self._log.info(event.text)
            turn.tell(route.withdrawn(event, heard))

    def rules(self, target: Target, gone: Iterable[WatchedRule], turn: Turn) -> None:
        """Rules of a target."""
        for watched in gone:
            if watched.state is not CALM:
                key = rule_key(target.name, watched.rule.key)
                self.rule(key, watched.state, watched.heard, turn)

    def target(self, old: Target, turn: Turn) -> None:
        """A service or probe that is no longer watched, with all its rules."""
        self.rules(old, old.rules, turn)
        lost = isinstance(old, WatchedService) and old.state.lost
        opened = {"process": lost, "repair": old.repair_told}
        self.incidents(old.name, opened, old.check.owner, turn)
        if isinstance(old, WatchedService):
            turn.keep("service", old.check.name, None)
            turn.keep("budget", old.check.name, None)
        else:
            turn.keep("actions", old.name, None)

    def incidents(self, name: str, opened: Mapping[str, bool], owner: str, turn: Turn) -> None:
        """What no rule opened: the loss of a target's process, a repair of it that failed."""
        for what, is_open in opened.items():
            if is_open:
                event = self._happenings.withdrawn(f"{name}/{what}", turn.wall)
                turn.tell(route.withdrawn(event, (owner,)))
