"""Messages that are committed and not yet taken: one at a time per destination, in order.

The rows lie in the ledger; of each destination only the first few are in memory, however many wait.
The notify worker is handed a row and answers taken, delayed or refused; it is started when there
is something to send, and ended when there has been nothing for a while.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from inspect_agent.alerting.digest import Row
from inspect_agent.core.ledger import Ledger, Post
from inspect_agent.core.log import Log
from inspect_agent.core.loop import Loop, Timer
from inspect_agent.core.worker import Worker
from inspect_agent.model import wire
from inspect_agent.model.config import Destination
from inspect_agent.typed import Any, NamedTuple

IN_MEMORY = 32
ANSWER_S = 150.0
GIVE_UP_S = 86400.0
LONGEST_PAUSE_S = 300.0
IDLE_S = 300.0
_UNREADABLE = "the ledger cannot be read"


def to_text(row: Row) -> str:
    """A row as the ledger keeps it."""
    events = [wire.plain(event) for event in row.events]
    body = {"message_id": row.message_id, "at": row.at, "events": events}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def to_row(post: Post) -> Row:
    """The reverse."""
    body = json.loads(post.body or "{}")
    events = tuple(wire.model(event) for event in body["events"])
    return Row(post.destination, body["message_id"], body["at"], events)


class Backlog(NamedTuple):
    """How a destination stands, for status.

    next_try   wall time of the next try, or None when one is running or nothing waits
    lost       messages given up since the agent started
    """

    destination: str
    waiting: int
    lost: int
    last_error: str
    next_try: float | None


class _Lane:
    """One destination's messages; `heads` are the first of them, the rest is in the ledger."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.waiting = 0
        self.heads: deque[Post] = deque()
        self.asking = False
        self.dropping = False
        self.sent: Post | None = None
        self.tries = 0
        self.pause: Timer | None = None
        self.deadline: Timer | None = None
        self.next_try: float | None = None
        self.last_error = ""
        self.lost = 0


class Outbox:
    """Delivers what `add` gives it; `wall` reads wall time."""

    def __init__(
        self,
        loop: Loop,
        ledger: Ledger,
        log: Log,
        wall: Callable[[], float],
    ) -> None:
        self._loop, self._ledger, self._log, self._wall = loop, ledger, log, wall
        self._lanes: dict[str, _Lane] = {}
        self._known: frozenset[str] = frozenset()
        self._configuration: dict[str, Any] = {}
        self._worker = Worker(loop, "notify", self._answered, self._ended, log.warn)
        self._idle: Timer | None = None

    @property
    def worker_pid(self) -> int | None:
        """The notify worker's PID while it runs."""
        return self._worker.pid

    def configure(self, host: str, destinations: Sequence[Destination]) -> None:
        """The destinations from now on; what waits for one that is gone is lost, and said so."""
        self._configuration = {
            "configure": {
                "host": host,
                "destinations": [wire.plain(destination) for destination in destinations],
            }
        }
        if self._worker.pid is not None:
            self._worker.send(self._configuration)
        self._known = frozenset(destination.key for destination in destinations)
        for lane in self._lanes.values():
            if lane.key not in self._known and lane.pause is not None:
                lane.pause.cancel()
                lane.pause = lane.next_try = None
            self._pump(lane)

    def resume(self, waiting: Mapping[str, int]) -> None:
        """What the ledger held when the agent started."""
        for key, count in waiting.items():
            self._lane(key).waiting = count

    def add(self, posts: Iterable[Post]) -> None:
        """Messages that are committed, or cannot be and must go out all the same."""
        for post in posts:
            lane = self._lane(post.destination)
            if lane.waiting == len(lane.heads) < IN_MEMORY and not lane.asking:
                lane.heads.append(post)
            lane.waiting += 1
            self._pump(lane)

    def untried(self) -> list[tuple[int, Row]]:
        """The messages in memory that were never handed to anybody, with their numbers."""
        return [
            (post.seq, to_row(post))
            for lane in self._lanes.values()
            for index, post in enumerate(lane.heads)
            if index > 0 or not lane.tries
            if post is not lane.sent
        ]

    def replace(self, post: Post) -> None:
        """Another text for a message that waits; without a body it is off the list."""
        lane = self._lanes[post.destination]
        if post.body is None:
            lane.waiting -= 1
        heads = (post if post.seq == head.seq else head for head in lane.heads)
        lane.heads = deque(head for head in heads if head.body is not None)

    def backlog(self) -> list[Backlog]:
        """How every destination stands that has something to tell."""
        return [
            Backlog(lane.key, lane.waiting, lane.lost, lane.last_error, lane.next_try)
            for lane in self._lanes.values()
            if lane.waiting or lane.lost
        ]

    def close(self) -> None:
        """Ends the worker; what is under way is tried again by the next agent."""
        self._worker.end()

    def _lane(self, key: str) -> _Lane:
        return self._lanes.setdefault(key, _Lane(key))

    def _pump(self, lane: _Lane) -> None:
        if lane.sent is not None or lane.pause is not None or not lane.waiting:
            return
        if lane.asking or lane.dropping:
            return
        if not self._configuration:
            return
        if lane.key not in self._known:
            self._fetch(lane, self._forsake)
        elif not lane.heads:
            self._fetch(lane, self._fill)
        else:
            self._send(lane, lane.heads[0])

    def _fetch(self, lane: _Lane, then: Callable[[_Lane, Sequence[Post]], None]) -> None:
        """Reads the first rows of a destination, and goes on once they are dealt with."""
        lane.asking, counted = True, lane.waiting
        lane.heads.clear()

        def fetched(posts: tuple[Post, ...] | None) -> None:
            lane.asking = False
            if posts is None:
                self._delay(lane, _UNREADABLE, None)
                return
            if not posts:  # nothing of what was counted is there
                lane.waiting -= counted
            then(lane, posts)
            self._pump(lane)

        self._ledger.fetch(lane.key, 0, IN_MEMORY, fetched)

    def _fill(self, lane: _Lane, posts: Sequence[Post]) -> None:
        lane.heads.extend(post for post in posts if _is_row(post))
        self._strike(lane, [post for post in posts if not _is_row(post)], "it cannot be read")

    def _forsake(self, lane: _Lane, posts: Sequence[Post]) -> None:
        self._strike(lane, posts, "the configuration has no such destination any more")

    def _strike(self, lane: _Lane, posts: Sequence[Post], reason: str) -> None:
        """Takes messages that can never be sent off the list, and says so."""
        for post in posts:
            self._mourn(lane, post, reason)
        self._ledger.commit([post._replace(body=None) for post in posts], _nothing)
        lane.waiting -= len(posts)

    def _send(self, lane: _Lane, post: Post) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._worker.pid is None:
            try:
                self._worker.start()
            except OSError as error:
                self._delay(lane, f"the notify worker cannot be started: {error}", None)
                return
            self._worker.send(self._configuration)
        lane.sent, lane.next_try = post, None
        lane.deadline = self._loop.call_later(ANSWER_S, self._hung)
        body = json.loads(post.body or "{}")
        self._worker.send({"deliver": {"id": post.seq, "destination": lane.key, **body}})

    def _answered(self, line: dict[str, Any]) -> None:
        answer = line["answer"]
        for lane in self._lanes.values():
            if lane.sent is not None and lane.sent.seq == answer["id"]:
                self._settle(lane, answer)

    def _settle(self, lane: _Lane, answer: dict[str, Any]) -> None:
        post = self._unsend(lane)
        outcome = answer["outcome"]
        if outcome == "taken":
            self._log.info(f"alert delivered to {lane.key}: {answer['how']}")
            lane.last_error = ""
            self._drop(lane, post)
        elif outcome == "refused":
            self._lose(lane, post, answer["reason"])
        else:
            self._postpone(lane, post, answer["reason"], answer.get("retry_after_s"))

    def _postpone(
        self, lane: _Lane, post: Post, reason: str, retry_after_s: float | None = None
    ) -> None:
        """It is tried again, but not for ever."""
        if self._wall() - to_row(post).at > GIVE_UP_S:
            self._lose(lane, post, f"not taken for a day: {reason}")
        else:
            self._delay(lane, reason, retry_after_s)

    def _drop(self, lane: _Lane, post: Post) -> None:
        """Takes it off the list; the next waits for that, or a kill would repeat both."""
        lane.tries = 0
        lane.waiting -= 1
        lane.heads.popleft()
        lane.dropping = True

        def dropped(durable: bool) -> None:
            lane.dropping = False
            self._pump(lane)

        self._ledger.commit([post._replace(body=None)], dropped)
        if not any(other.waiting for other in self._lanes.values()):
            self._idle = self._loop.call_later(IDLE_S, self._worker.end)

    def _lose(self, lane: _Lane, post: Post, reason: str) -> None:
        self._mourn(lane, post, reason)
        self._drop(lane, post)

    def _mourn(self, lane: _Lane, post: Post, reason: str) -> None:
        lane.lost += 1
        lane.last_error = reason
        said = "; ".join(event.text for event in to_row(post).events) if _is_row(post) else "?"
        self._log.warn(f"alert lost, {lane.key}: {reason}: {said}")

    def _delay(self, lane: _Lane, reason: str, retry_after_s: float | None) -> None:
        lane.tries += 1
        lane.last_error = reason
        pause_s = min(2.0 ** min(lane.tries, 9), LONGEST_PAUSE_S)
        pause_s *= 0.8 + 0.4 * os.urandom(1)[0] / 255
        pause_s = max(pause_s, min(retry_after_s or 0.0, GIVE_UP_S))
        self._log.warn(f"alert delayed, {lane.key}: {reason}; next try in {pause_s:.0f} s")
        lane.next_try = self._wall() + pause_s
        lane.pause = self._loop.call_later(pause_s, partial(self._again, lane))

    def _again(self, lane: _Lane) -> None:
        lane.pause = lane.next_try = None
        self._pump(lane)

    def _unsend(self, lane: _Lane) -> Post:
        post, lane.sent = lane.sent, None
        if lane.deadline is not None:
            lane.deadline.cancel()
            lane.deadline = None
        assert post is not None, "only a lane with a message under way is settled"
        return post

    def _hung(self) -> None:
        self._worker.end()
        self._ended(f"the notify worker did not answer for {ANSWER_S:.0f} s")

    def _ended(self, reason: str) -> None:
        for lane in self._lanes.values():
            if lane.sent is not None:
                self._postpone(lane, self._unsend(lane), reason)


def _is_row(post: Post) -> bool:
    try:
        to_row(post)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


def _nothing(durable: bool) -> None:
    """A message that was taken needs no further word."""
