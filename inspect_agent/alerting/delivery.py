"""Delivers messages over channels; the notify worker alone may import it.

Each destination has a thread of its own: its messages go out one at a time and in order, and a
server that hangs holds up nobody else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Union

from inspect_agent import registry
from inspect_agent.alerting.digest import Row
from inspect_agent.alerting.message import compose
from inspect_agent.alerting.scrub import scrub, secrets_of
from inspect_agent.alerting.text import one_line
from inspect_agent.errors import DeliveryDelayed, DeliveryRefused
from inspect_agent.model.config import Destination
from inspect_agent.ports import Channel

LONGEST_REASON = 500


class Taken(NamedTuple):
    """The far side has it; `how` says in a few words what it answered."""

    how: str


class Delayed(NamedTuple):
    """Failed for now; `retry_after_s` is what the far side asked for, or None."""

    reason: str
    retry_after_s: float | None = None


class Refused(NamedTuple):
    """Failed for good."""

    reason: str


Outcome = Union[Taken, Delayed, Refused]
Answer = Callable[[int, Outcome], None]
"""Called with the number of a delivery and how it ended, from the destination's thread."""


def channel_class(name: str) -> Any:
    """The class of a channel, or None where no channel has this name.

    Third parties' entry points are only read for a name that is not built in.
    """
    where = registry.built_in("channels").get(name) or registry.channels().get(name)
    return registry.load(where) if where else None


class Delivery:
    """Hands messages to their destinations' threads; `deadline_s` is for one message.

    Channels have deadlines of their own, which end what they do; this one is for those that fail.
    """

    def __init__(
        self,
        answer: Answer,
        find: Callable[[str], Any] = channel_class,
        deadline_s: float = 90.0,
    ) -> None:
        self._answer = answer
        self._deadline_s = deadline_s
        self._find = find
        self._host = ""
        self._destinations: dict[str, Destination] | None = None
        self._couriers: dict[str, _Courier] = {}

    def configure(self, host: str, destinations: Iterable[Destination]) -> None:
        """Replaces what was known; what is under way goes on as it was begun."""
        self._host = host
        self._destinations = {destination.key: destination for destination in destinations}

    def deliver(self, number: int, row: Row) -> None:
        """Delivers a row; returns at once, and answers once."""
        if self._destinations is None:
            self._answer(number, Delayed("the destinations are not known yet"))
            return
        destination = self._destinations.get(row.destination)
        if destination is None:
            self._answer(number, Refused("the configuration has no such destination any more"))
            return
        courier = self._couriers.get(row.destination)
        if courier is None:
            courier = _Courier(self._answer, self._find, self._deadline_s)
            self._couriers[row.destination] = courier
        courier.hand(_Job(number, self._host, destination, row))


class _Job(NamedTuple):
    number: int
    host: str
    destination: Destination
    row: Row


class _Courier:
    """One destination: a thread that sends, and one that stops waiting for it.

    A send that is given up on cannot be ended. While it hangs no second one is begun, and when
    the same message is tried again, its end is the answer.
    """

    def __init__(self, answer: Answer, find: Callable[[str], Any], deadline_s: float) -> None:
        self._answer = answer
        self._find = find
        self._deadline_s = deadline_s
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._sending: SimpleQueue[_Job] = SimpleQueue()
        self._sent: SimpleQueue[Outcome] = SimpleQueue()
        self._opened: tuple[Destination, Channel] | None = None
        self._secrets: frozenset[str] = frozenset()
        for work in (self._watch, self._send):
            threading.Thread(target=work, daemon=True).start()

    def hand(self, job: _Job) -> None:
        self._jobs.put(job)

    def _watch(self) -> None:
        hanging: str | None = None
        while True:
            job = self._jobs.get()
            if hanging not in (None, job.row.message_id):
                if self._wait() is None:
                    self._answer(job.number, Delayed("the message before it still hangs"))
                    continue
                hanging = None
            if hanging is None:
                self._sending.put(job)
            outcome = self._wait()
            hanging = None if outcome else job.row.message_id
            self._answer(job.number, outcome or Delayed(f"no end after {self._deadline_s:g} s"))

    def _wait(self) -> Outcome | None:
        """How the send under way has ended, or None when it has not within the deadline."""
        try:
            return self._sent.get(timeout=self._deadline_s)
        except Empty:
            return None

    def _send(self) -> None:
        while True:
            outcome = self._deliver(self._sending.get())
            said = one_line(scrub(outcome[0], self._secrets), LONGEST_REASON)
            self._sent.put(type(outcome)(said, *outcome[1:]))

    def _deliver(self, job: _Job) -> Outcome:
        try:
            channel = self._channel(job.destination)
            return Taken(str(channel.send(compose(job.host, job.row))))
        except DeliveryRefused as error:
            return Refused(str(error))
        except DeliveryDelayed as error:
            return Delayed(str(error), error.retry_after_s)
        except BaseException as error:  # noqa: BLE001  # a channel and its libraries may raise anything, panics of Rust code included
            return Delayed(f"{type(error).__name__}: {error}")

    def _channel(self, destination: Destination) -> Channel:
        """The channel of a destination, made anew where its parameters have changed."""
        if self._opened is not None and self._opened[0] == destination:
            return self._opened[1]
        params = dict(destination.params)
        kind = self._find(destination.channel)
        if kind is None:
            raise DeliveryRefused(f"there is no channel {destination.channel}")
        self._secrets = secrets_of(kind.params, params)
        try:
            channel: Channel = kind(params)
        except ValueError as error:
            raise DeliveryRefused(f"{destination.channel}: {error}") from error
        self._opened = destination, channel
        return channel
