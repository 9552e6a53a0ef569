"""What the ledger knew: given to the targets that are watched, and withdrawn of all others."""

from __future__ import annotations

from collections.abc import Mapping

from inspect_agent.core import remember
from inspect_agent.core.log import Log
from inspect_agent.core.turn import Turn, rule_key
from inspect_agent.core.withdraw import Withdrawals
from inspect_agent.core.world import World

Rows = Mapping[str, str]


class Recall:
    """`shift` is what to add to times of the ledger; what cannot be read begins anew."""

    def __init__(
        self, log: Log, world: World, withdrawals: Withdrawals, shift: float, turn: Turn
    ) -> None:
        self._log, self._world, self._withdrawals = log, world, withdrawals
        self._shift, self._turn = shift, turn

    def everything(self, states: Mapping[str, Rows]) -> None:
        """All kinds of rows; services first, for a template brings those that it knows."""
        self._world.appear(states.get("service", {}))
        self._services(states.get("service", {}))
        self._budgets(states.get("budget", {}))
        self._actions(states.get("actions", {}))
        self._rules(states.get("rule", {}))

    def _services(self, rows: Rows) -> None:
        for name, text in rows.items():
            service = self._world.services.get(name)
            with remember.tolerant(self._log, f"service {name}"):
                state, repair_told, owner = remember.service_from_text(text, self._shift)
                if service is not None:
                    service.state, service.repair_told = state, repair_told
                    service.booting = self._shift != 0.0  # times of this boot need no shift
                else:
                    opened = {"process": state.lost, "repair": repair_told}
                    self._withdrawals.incidents(f"service {name}", opened, owner, self._turn)
            if service is None:
                self._turn.keep("service", name, None)

    def _budgets(self, rows: Rows) -> None:
        for name, text in rows.items():
            service = self._world.services.get(name)
            if service is None:
                self._turn.keep("budget", name, None)
                continue
            with remember.tolerant(self._log, f"budget of {name}"):
                service.spent = remember.spent_from_text(text, self._shift)

    def _actions(self, rows: Rows) -> None:
        """What was done for targets that are no services."""
        for name, text in rows.items():
            target = self._world.target(name)
            with remember.tolerant(self._log, f"actions of {name}"):
                spent, repair_told, owner = remember.actions_from_text(text, self._shift)
                if target is not None:
                    target.spent, target.repair_told = spent, repair_told
                else:
                    self._withdrawals.incidents(name, {"repair": repair_told}, owner, self._turn)
            if target is None:
                self._turn.keep("actions", name, None)

    def _rules(self, rows: Rows) -> None:
        kept = dict(rows)
        for target in self._world.targets():
            for watched in target.rules:
                text = kept.pop(rule_key(target.name, watched.rule.key), None)
                if text is not None:
                    with remember.tolerant(self._log, f"rule {watched.rule.key}"):
                        watched.state, watched.heard = remember.rule_from_text(text, self._shift)
        for key, text in kept.items():
            self._turn.keep("rule", key, None)
            with remember.tolerant(self._log, f"rule {key}"):
                state, heard = remember.rule_from_text(text, self._shift)
                self._withdrawals.rule(key, state, heard, self._turn)
