"""A turn: what one moment decided, as one transaction.

A cycle is a turn; so is a manager's answer or a command of an operator between cycles. It gathers
events for the routes that hear them, and states to keep; `Telling.commit` writes both together, and
only then are the messages raised.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from inspect_agent.alerting import digest, route
from inspect_agent.alerting.route import Told
from inspect_agent.core import outbox, remember
from inspect_agent.core.ledger import Change, Ledger, Post, Put
from inspect_agent.core.log import Log
from inspect_agent.core.outbox import Outbox
from inspect_agent.core.watched import Target, WatchedRule, WatchedService
from inspect_agent.engine.rules import CALM
from inspect_agent.engine.silence import Silence
from inspect_agent.model.config import Destination
from inspect_agent.model.event import Event


class Turn:
    """`now` is on the clock of intervals, `wall` is for people; both are read once a turn.

    `afterwards` are calls for when the turn is committed.
    """

    def __init__(self, now: float, wall: float) -> None:
        self.now = now
        self.wall = wall
        self.told: list[Told] = []
        self.changes: list[Change] = []
        self.afterwards: list[Callable[[], object]] = []

    def tell(self, told: Sequence[Told]) -> None:
        """Events for routes."""
        self.told.extend(told)

    def tell_owner(self, event: Event, owner: str) -> None:
        """An event for the owner of its check."""
        self.told.extend(route.owned(event, owner))

    def keep_rule(self, target: Target, watched: WatchedRule) -> None:
        """The state of a rule; a calm one needs no row."""
        text = None
        if watched.state is not CALM:
            text = remember.rule_to_text(watched.state, watched.heard)
        self.changes.append(Put("rule", rule_key(target.name, watched.rule.key), text))

    def keep_service(self, service: WatchedService) -> None:
        """The state of a service."""
        owner = service.check.owner
        text = remember.service_to_text(service.state, service.repair_told, owner)
        self.changes.append(Put("service", service.check.name, text))

    def keep_budget(self, target: Target) -> None:
        """What a target has used of its budget."""
        if isinstance(target, WatchedService):
            text = remember.spent_to_text(target.spent)
            self.changes.append(Put("budget", target.check.name, text))
        else:
            self._keep_actions(target)

    def keep_repair_told(self, target: Target) -> None:
        """Whether an action for a target failed and was told."""
        if isinstance(target, WatchedService):
            self.keep_service(target)
        else:
            self._keep_actions(target)

    def keep_silence(self, silence: Silence) -> None:
        """The windows."""
        self.changes.append(Put("silence", "", remember.silence_to_text(silence)))

    def keep(self, kind: str, key: str, text: str | None) -> None:
        """Anything else."""
        self.changes.append(Put(kind, key, text))

    def _keep_actions(self, target: Target) -> None:
        text = remember.actions_to_text(target.spent, target.repair_told, target.check.owner)
        self.changes.append(Put("actions", target.name, text))


def rule_key(target: str, key: str) -> str:
    """A rule's key in the ledger."""
    return f"{target}/{key}"


class Telling:
    """Commits turns, and hands their messages to the outbox once they are safe."""

    def __init__(self, ledger: Ledger, outbox: Outbox, log: Log, first_seq: int) -> None:
        self.destinations: tuple[Destination, ...] = ()
        self._ledger = ledger
        self._outbox = outbox
        self._log = log
        self._seq = first_seq

    def commit(self, turn: Turn) -> None:
        """Writes a turn; `afterwards` is called when it is on disk, or known not to get there."""
        before = self._seq
        posts = self._posts(turn)
        if not turn.changes and not posts:
            _call(turn.afterwards)
            return
        for told in turn.told:
            self._log.debug(f"alert {told.event.kind} to route {told.route or 'default'}")

        def committed(durable: bool) -> None:
            self._outbox.add(post for post in posts if post.seq > before)
            _call(turn.afterwards)

        self._ledger.commit([*turn.changes, *posts], committed)

    def _posts(self, turn: Turn) -> list[Post]:
        """The turn's messages, joined with those that still wait for what is over now."""
        fresh = digest.rows(turn.told, self.destinations, turn.wall, _new_id)
        if not any(event.resolves for row in fresh for event in row.events):
            return [self._post(row) for row in fresh]
        waiting = {row.message_id: (seq, row) for seq, row in self._outbox.untried()}
        rows = [row for _, row in waiting.values()]
        settled = digest.settle(rows, fresh, self.destinations)
        changed = [
            Post(
                waiting[row.message_id][0],
                row.destination,
                outbox.to_text(row) if row.events else None,
            )
            for row in settled.changed
        ]
        for post in changed:
            self._outbox.replace(post)
        return [*changed, *(self._post(row) for row in settled.fresh)]

    def _post(self, row: digest.Row) -> Post:
        self._seq += 1
        return Post(self._seq, row.destination, outbox.to_text(row))


def _call(calls: Sequence[Callable[[], object]]) -> None:
    for call in calls:
        call()


def _new_id() -> str:
    return os.urandom(16).hex()
