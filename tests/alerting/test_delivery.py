"""Delivery: a thread a destination, and an answer for every message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any

import pytest

from inspect_agent.alerting.delivery import Delayed, Delivery, Outcome, Refused, Taken
from inspect_agent.alerting.digest import Row
from inspect_agent.errors import DeliveryDelayed, DeliveryRefused
from inspect_agent.model.config import Destination
from inspect_agent.model.message import Message
from inspect_agent.model.metric import Param
from tests.alerting.samples import FAILED

PATIENCE_S = 30.0
"""A test that waits longer has failed."""


class Fake:
    """A channel whose `send` does what parameter `do` says in `acts`."""

    params = (Param("do", "text", ""), Param("token", "secret", ""))
    incidents = False

    def __init__(self, params: Mapping[str, str]) -> None:
        if "broken" in params:
            raise ValueError(f"broken: {params['broken']}")
        self.params_given = params

    def send(self, message: Message) -> Any:
        """Does what it was told to."""
        return ACTS[self.params_given["do"]](self, message)


def _raise(error: BaseException) -> Any:
    raise error


ACTS: dict[str, Any] = {
    "take": lambda channel, message: f"took {message.id}",
    "none": lambda channel, message: None,
    "delay": lambda channel, message: _raise(DeliveryDelayed("busy", 7.5)),
    "refuse": lambda channel, message: _raise(DeliveryRefused("never")),
    "os": lambda channel, message: _raise(OSError(5, "it broke")),
    "exit": lambda channel, message: _raise(SystemExit("bye")),
    "leak": lambda channel, message: _raise(KeyError(channel.params_given["token"])),
    "long": lambda channel, message: _raise(DeliveryRefused("x\r\n" * 1000)),
    "object": lambda channel, message: str(id(channel)),
}


class Desk:
    """A Delivery with its answers; `find` looks up channels."""

    def __init__(self, find: Callable[[str], Any], deadline_s: float = 60.0) -> None:
        self.answers: SimpleQueue[tuple[int, Outcome]] = SimpleQueue()
        self.delivery = Delivery(
            lambda number, outcome: self.answers.put((number, outcome)),
            find,
            deadline_s,
        )

    def configure(self, *destinations: Destination) -> None:
        """Makes the destinations known."""
        self.delivery.configure("web-1", destinations)

    def deliver(self, number: int, destination: str = "ops/fake", message_id: str = "") -> None:
        """Hands a message over."""
        row = Row(destination, message_id or f"id-{number}", 1.0, (FAILED,))
        self.delivery.deliver(number, row)

    def answer(self) -> tuple[int, Outcome]:
        """The next answer."""
        return self.answers.get(timeout=PATIENCE_S)


def fake(key: str = "ops/fake", **params: str) -> Destination:
    """A destination of channel `fake`."""
    return Destination(key, "ops", "fake", incidents=False, params=tuple(params.items()))


@pytest.mark.parametrize(
    ("destination", "outcome"),
    [
        (fake(do="take"), Taken("took id-1")),
        (fake(do="none"), Taken("None")),
        (fake(do="delay"), Delayed("busy", 7.5)),
        (fake(do="refuse"), Refused("never")),
        (fake(do="os"), Delayed("OSError: [Errno 5] it broke")),
        (fake(do="exit"), Delayed("SystemExit: bye")),
        (fake(do="leak", token="s3cret"), Delayed("KeyError: '***'")),
        (fake(do="long"), Refused("x " * 249 + "x…")),
        (fake(broken="it is not"), Refused("fake: broken: it is not")),
        (fake(broken="s3cret", token="s3cret"), Refused("fake: broken: ***")),
        (fake()._replace(channel="carrier-pigeon"), Refused("there is no channel carrier-pigeon")),
    ],
)
def test_every_end_of_a_delivery_is_an_answer(destination: Destination, outcome: Outcome) -> None:
    """What a channel says or raises becomes one line, without secrets."""
    desk = Desk({"fake": Fake}.get)
    desk.configure(destination)
    desk.deliver(1)
    assert desk.answer() == (1, outcome)


def test_a_channel_that_cannot_be_loaded_delays() -> None:
    """A missing library can be installed, so the alert waits."""
    desk = Desk(lambda name: _raise(ImportError(f"no module {name}")))
    desk.configure(fake(do="take"))
    desk.deliver(1)
    assert desk.answer() == (1, Delayed("ImportError: no module fake"))


def test_before_the_first_configuration_a_message_waits() -> None:
    """Nobody knows yet whether there is such a destination."""
    desk = Desk({"fake": Fake}.get)
    desk.deliver(1)
    assert desk.answer() == (1, Delayed("the destinations are not known yet"))


def test_a_destination_that_is_gone_is_refused() -> None:
    """What a reload removed can never be delivered to."""
    desk = Desk({"fake": Fake}.get)
    desk.configure(fake(do="take"))
    desk.configure(fake("ops/other", do="take"))
    desk.deliver(1)
    assert desk.answer() == (1, Refused("the configuration has no such destination any more"))


def test_a_channel_is_kept_until_its_parameters_change() -> None:
    """A configuration that comes again keeps the channel; another one makes it anew."""
    desk = Desk({"fake": Fake}.get)
    answers = []
    for number, destination in enumerate(
        (fake(do="object"), fake(do="object"), fake(do="object", token="new"), fake(do="take"))
    ):
        desk.configure(destination)
        desk.deliver(number)
        answers.append(desk.answer()[1])
    assert answers[0] == answers[1] != answers[2]
    assert answers[3] == Taken("took id-3")


def test_messages_of_a_destination_go_out_one_at_a_time_and_in_order() -> None:
    """A second message is begun when the first has ended."""
    inside: list[str] = []
    crowded: list[tuple[str, ...]] = []

    class Narrow(Fake):
        def send(self, message: Message) -> str:
            """Notes who is inside."""
            inside.append(message.id)
            crowded.append(tuple(inside))
            inside.remove(message.id)
            return message.id

    desk = Desk({"fake": Narrow}.get)
    desk.configure(fake())
    for number in range(50):
        desk.deliver(number)
    assert [desk.answer() for _ in range(50)] == [(n, Taken(f"id-{n}")) for n in range(50)]
    assert crowded == [(f"id-{n}",) for n in range(50)]


class Stuck(Fake):
    """A channel that hangs until it is let go."""

    go = threading.Event()
    begun: SimpleQueue[str]

    def send(self, message: Message) -> str:
        """Takes the message when it is let go."""
        self.begun.put(message.id)
        self.go.wait()
        return f"took {message.id} late"


@pytest.fixture
def stuck() -> type[Stuck]:
    """A class with an event of its own."""

    class Own(Stuck):
        go = threading.Event()
        begun: SimpleQueue[str] = SimpleQueue()

    return Own


def test_one_that_hangs_holds_up_nobody_else(stuck: type[Stuck]) -> None:
    """Other destinations deliver while one hangs."""
    desk = Desk({"stuck": stuck, "fake": Fake}.get)
    hanging = fake("ops/stuck")._replace(channel="stuck")
    desk.configure(hanging, fake(do="take"))
    desk.deliver(1, "ops/stuck")
    stuck.begun.get(timeout=PATIENCE_S)
    desk.deliver(2)
    assert desk.answer() == (2, Taken("took id-2"))
    stuck.go.set()
    assert desk.answer() == (1, Taken("took id-1 late"))


def test_one_that_hangs_is_given_up_on_and_not_doubled(stuck: type[Stuck]) -> None:
    """While a send hangs no other is begun, and the end of a given-up one is its next try's."""
    desk = Desk({"fake": stuck}.get, deadline_s=0.05)
    desk.configure(fake())
    desk.deliver(1)
    assert desk.answer() == (1, Delayed("no end after 0.05 s"))
    desk.deliver(2)
    assert desk.answer() == (2, Delayed("the message before it still hangs"))
    desk.deliver(3, message_id="id-1")
    assert desk.answer() == (3, Delayed("no end after 0.05 s"))
    stuck.go.set()
    assert _insisted(desk, "id-1") == Taken("took id-1 late")
    assert _insisted(desk, "id-5") == Taken("took id-5 late")
    assert [stuck.begun.get(timeout=PATIENCE_S) for _ in range(2)] == ["id-1", "id-5"]
    assert stuck.begun.empty()


def _insisted(desk: Desk, message_id: str) -> Outcome:
    """The outcome of a message that is tried until it has one."""
    outcome: Outcome = Delayed("no end after 0.05 s")
    while outcome == Delayed("no end after 0.05 s"):
        desk.deliver(4, message_id=message_id)
        _, outcome = desk.answer()
    return outcome
