"""The rules that have given orders, and wait for them to end."""

from __future__ import annotations

from collections.abc import Collection

from inspect_agent.core.repairs.job import Order, costs, place_of
from inspect_agent.core.turn import Turn
from inspect_agent.core.watched import Target, WatchedRule
from inspect_agent.core.world import World
from inspect_agent.engine import rules
from inspect_agent.engine.rules import Phase


class Askers:
    """A reload may have taken a rule away, or put another object in its place."""

    def __init__(self, world: World) -> None:
        self._world = world

    def find(self, order: Order) -> tuple[Target, WatchedRule] | None:
        """The rule that gave an order and its target, as the present configuration has them."""
        target = self._world.target(order.target)
        if target is None:
            return None
        found = (watched for watched in target.rules if watched.rule.key == order.key)
        return next(((target, watched) for watched in found), None)

    def wants(self, place: str) -> bool:
        """Whether some rule is triggered that does something to the target of this name."""
        return any(
            place in places(target, watched)
            for target in self._world.targets()
            for watched in target.rules
            if watched.state.phase is Phase.TRIGGERED
        )

    def free(self, turn: Turn, order: Order, resume_at: float) -> None:
        """An order has ended: from then on the rule's hold is to be met anew."""
        found = self.find(order)
        if found is not None:
            _free(turn, *found, resume_at)

    def free_others(self, turn: Turn, orders: Collection[Order]) -> None:
        """Rules that wait for what nobody does any more: none of these orders is theirs."""
        waiting = {(order.target, order.key) for order in orders}
        for target in self._world.targets():
            for watched in target.rules:
                if watched.state.repairing and (target.name, watched.rule.key) not in waiting:
                    _free(turn, target, watched, turn.now)


def places(target: Target, watched: WatchedRule) -> set[str]:
    """The names of the targets that a rule does something to."""
    return {place_of(step, target.name) for step in watched.rule.steps if costs(step)}


def _free(turn: Turn, target: Target, watched: WatchedRule, resume_at: float) -> None:
    watched.state = rules.repair_ended(watched.state, resume_at)
    turn.keep_rule(target, watched)
