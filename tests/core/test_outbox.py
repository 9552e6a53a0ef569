"""The outbox: one message at a time per destination, in order, until it is taken or lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from inspect_agent.alerting.digest import Row
from inspect_agent.alerting.route import Told
from inspect_agent.core import outbox
from inspect_agent.core.ledger import Ledger, Post
from inspect_agent.core.outbox import Backlog, Outbox
from inspect_agent.core.state_file import Contents, read
from inspect_agent.core.turn import Telling, Turn
from inspect_agent.model.config import Destination
from inspect_agent.model.event import Event
from tests.alerting.samples import FAILED, GONE, RECOVERED
from tests.core.logs import Lines, logging
from tests.core.looping import FakeClock, looping, run_until, spin

OPS = Destination("ops/email", "ops", "email", incidents=False, params=(("password", "hunter2"),))
LOG = Destination("log", "", "log", incidents=False)


class ScriptedWorker:
    """Stands in for the notify worker: remembers what it was sent, answers when told to.

    delivered   every message that was handed over: its destination and number
    """

    def __init__(
        self,
        loop: object,
        name: str,
        on_line: Callable[[dict[str, Any]], None],
        on_end: Callable[[str], None],
        on_error: Callable[[str], None],
    ) -> None:
        self.name = name
        self._on_line, self._on_end = on_line, on_end
        self.pid: int | None = None
        self.starts = 0
        self.cannot = ""
        self.sent: list[dict[str, Any]] = []
        self.delivered: list[tuple[str, int]] = []

    def lives(self) -> bool:
        """Whether there is a process."""
        return self.pid is not None

    def start(self) -> None:
        """One more process."""
        if self.cannot:
            raise OSError(self.cannot)
        assert self.pid is None
        self.starts += 1
        self.pid = self.starts

    def send(self, value: dict[str, Any]) -> None:
        """Takes note."""
        assert self.pid is not None
        self.sent.append(value)
        if "deliver" in value:
            self.delivered.append((value["deliver"]["destination"], value["deliver"]["id"]))

    def end(self) -> None:
        """No more process."""
        self.pid = None

    def die(self) -> None:
        """Ends by itself."""
        self.pid = None
        self._on_end("worker notify ended")

    def answer(self, number: int, outcome: str, **more: Any) -> None:
        """What became of a message."""
        self._on_line({"answer": {"id": number, "outcome": outcome, **more}})

    def take(self, number: int) -> None:
        """Delivers a message."""
        self.answer(number, "taken", how="accepted")

    def delay(self, number: int, retry_after_s: float | None = None) -> None:
        """Does not deliver a message."""
        self.answer(number, "delayed", reason="421 busy", retry_after_s=retry_after_s)


class Office:
    """An outbox with all that it works with, on a fake clock."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.path = folder / "state.db"
        self.clock = FakeClock()
        self.loop = stack.enter_context(looping(self.clock))
        self.lines: Lines = stack.enter_context(logging())
        self.ledger = Ledger(str(self.path), self.loop.call_soon_threadsafe, self.durability)
        stack.callback(self.ledger.close, 10)
        self.outbox = Outbox(self.loop, self.ledger, self.lines.log, self.clock.wall)
        worker = self.outbox._worker
        assert isinstance(worker, ScriptedWorker)
        self.worker = worker
        self.troubles: list[str] = []

    def durability(self, trouble: str) -> None:
        """What the ledger says of itself."""
        self.troubles.append(trouble)

    def commit(self, *posts: Post) -> None:
        """Messages as Telling commits them."""
        self.ledger.commit(posts, lambda durable: self.outbox.add(posts))
        self.settle()

    def take(self, number: int) -> None:
        """A message is delivered, and off the disk."""
        self.worker.take(number)
        self.settle()

    def answer(self, number: int, outcome: str, **more: Any) -> None:
        """Something else became of it, and the ledger knows."""
        self.worker.answer(number, outcome, **more)
        self.settle()

    def settle(self) -> None:
        """Until the ledger has nothing more to do, and what follows from that is done."""
        for _ in range(3):
            done: list[object] = []
            self.ledger.fetch("nobody", 0, 1, done.append)
            spin(self.loop, lambda: done)  # noqa: B023 (called at once)

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.now += seconds
        self.settle()

    def contents(self) -> Contents:
        """What lies on disk."""
        self.settle()
        return read(str(self.path))


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An outbox with a scripted worker."""
    monkeypatch.setattr(outbox, "Worker", ScriptedWorker)
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def row(number: int, destination: str = OPS.key, *events: Event) -> Post:
    """A message as it lies in the ledger."""
    body = outbox.to_text(Row(destination, f"id-{number}", FAILED.at, events or (FAILED,)))
    return Post(number, destination, body)


def test_a_row_is_read_as_it_was_written() -> None:
    """Events with all their members."""
    written = Row("ops/email", "id-1", 12.5, (FAILED, RECOVERED))
    assert outbox.to_row(Post(1, "ops/email", outbox.to_text(written))) == written


def test_one_at_a_time_per_destination_in_order(office: Office) -> None:
    """A destination's next message waits for the answer; other destinations do not."""
    office.outbox.configure("web-1", (OPS, LOG))
    assert office.worker.starts == 0, "it is started when there is something to send"
    office.commit(row(1), row(2), row(3, LOG.key), row(4), row(5, LOG.key))
    assert office.worker.delivered == [(OPS.key, 1), (LOG.key, 3)]
    office.take(3)
    assert office.worker.delivered[2:] == [(LOG.key, 5)]
    office.take(1)
    office.take(2)
    assert office.worker.delivered[3:] == [(OPS.key, 2), (OPS.key, 4)]
    assert office.outbox.backlog() == [
        Backlog(OPS.key, 1, 0, "", None),
        Backlog(LOG.key, 1, 0, "", None),
    ]
    assert office.contents().waiting == {OPS.key: 1, LOG.key: 1}
    office.take(4)
    office.take(5)
    assert office.outbox.backlog() == []
    assert office.contents() == Contents({}, {}, 0, "")


def test_the_next_is_sent_when_the_last_is_off_the_disk(office: Office) -> None:
    """A kill at any moment finds one message at most on disk that has been delivered."""
    office.outbox.configure("web-1", (OPS,))
    office.commit(row(1), row(2))
    office.worker.take(1)
    assert office.worker.delivered == [(OPS.key, 1)]
    office.outbox.add([row(3)])
    assert office.worker.delivered == [(OPS.key, 1)]
    office.settle()
    assert office.worker.delivered == [(OPS.key, 1), (OPS.key, 2)]
    assert office.contents().waiting == {OPS.key: 1}


def test_the_worker_is_told_the_destinations_first(office: Office) -> None:
    """And again when they change; the message is told as the ledger has it."""
    office.outbox.configure("web-1", (OPS,))
    office.commit(row(1))
    office.outbox.configure("web-2", (OPS, LOG))
    configured, delivered, again = office.worker.sent
    assert configured["configure"]["host"] == "web-1"
    assert [item["key"] for item in configured["configure"]["destinations"]] == [OPS.key]
    assert configured["configure"]["destinations"][0]["params"] == [["password", "hunter2"]]
    assert delivered["deliver"] == {
        "id": 1,
        "destination": OPS.key,
        "message_id": "id-1",
        "at": FAILED.at,
        "events": [{"is": "Event", **FAILED._asdict()}],
    }
    assert [item["key"] for item in again["configure"]["destinations"]] == [OPS.key, LOG.key]


def test_nothing_is_sent_before_the_destinations_are_known(office: Office) -> None:
    """What an earlier agent left goes out, in its order, once they are."""
    office.ledger.commit([row(1), row(2)], lambda durable: None)
    office.outbox.resume({OPS.key: 2})
    office.settle()
    assert office.worker.sent == []
    office.outbox.configure("web-1", (OPS,))
    office.settle()
    assert office.worker.delivered == [(OPS.key, 1)]
    office.commit(row(3))
    for number in (1, 2, 3):
        office.take(number)
    assert office.worker.delivered == [(OPS.key, 1), (OPS.key, 2), (OPS.key, 3)]
    assert office.outbox.backlog() == []


def test_failed_for_now_is_tried_again_with_growing_pauses(office: Office) -> None:
    """The same message, before those behind it; the pause is at most five minutes and a fifth."""
    office.outbox.configure("web-1", (OPS,))
    office.commit(row(1), row(2))
    for base_s in (2, 4, 8, 16, 32, 64, 128, 256, 300, 300):
        before = len(office.worker.sent)
        office.worker.delay(1)
        ((_, waiting, lost, error, next_try),) = office.outbox.backlog()
        assert (waiting, lost, error) == (2, 0, "421 busy")
        assert next_try is not None
        pause_s = next_try - office.clock.wall()
        assert 0.8 * base_s - 1e-6 <= pause_s <= 1.2 * base_s + 1e-6
        office.wait(0.79 * base_s)
        assert len(office.worker.sent) == before
        office.wait(0.42 * base_s)
        assert len(office.worker.sent) == before + 1
    office.take(1)
    assert office.worker.delivered == [(OPS.key, 1)] * 11 + [(OPS.key, 2)]
    assert {value["deliver"]["message_id"] for value in office.worker.sent[1:-1]} == {"id-1"}


def test_the_far_side_may_ask_for_a_longer_pause(office: Office) -> None:
    """Retry-After is honoured, up to a day."""
    office.outbox.configure("web-1", (OPS,))
    office.commit(row(1))
    office.worker.delay(1, retry_after_s=600.0)
    office.wait(599.0)
    assert len(office.worker.delivered) == 1
    office.wait(2.0)
    assert len(office.worker.delivered) == 2
    office.worker.delay(1, retry_after_s=1e12)
    office.wait(86400.0)
    assert len(office.worker.delivered) == 3


def test_a_pause_holds_up_no_other_destination(office: Office) -> None:
    """A dead mail server does not delay the log."""
    office.outbox.configure("web-1", (OPS, LOG))
    office.commit(row(1))
    office.worker.delay(1)
    office.commit(row(2), row(3, LOG.key))
    assert office.worker.delivered == [(OPS.key, 1), (LOG.key, 3)]


def test_failed_for_good_is_lost_and_said(office: Office) -> None:
    """In the log with its text, in the count, and the next message goes out."""
    office.outbox.configure("web-1", (OPS,))
    office.commit(row(1), row(2, OPS.key, GONE))
    office.answer(1, "refused", reason="550 no such user")
    assert office.worker.delivered == [(OPS.key, 1), (OPS.key, 2)]
    assert office.outbox.backlog() == [Backlog(OPS.key, 1, 1, "550 no such user", None)]
    assert office.lines.read() == [
        f" WARN    alert lost, ops/email: 550 no such user: {FAILED.text}"
    ]
    assert office.contents().waiting == {OPS.key: 1}


@pytest.mark.parametrize("how", ["delay", "die", "hang"])
def test_what_is_not_taken_for_a_day_is_lost(office: Office, how: str) -> None:
    """Also when it is the message that the worker dies or hangs of, so that others are heard."""
    office.outbox.configure("web-1", (OPS,))
    office.commit(row(1), row(2))
    while not office.outbox.backlog()[0].lost:
        assert office.clock.wall() < FAILED.at + 90_000.0
        if how == "delay":
            office.worker.delay(1)
        elif how == "die":
            office.worker.die()
        else:
            office.wait(outbox.ANSWER_S)
        if office.worker.delivered[-1] == (OPS.key, 1):
            office.wait(400.0)
    assert office.clock.wall() > FAILED.at + 86_400.0
    assert office.outbox.backlog()[0][:3] == (OPS.key, 1, 1)
    assert office.worker.delivered[-1] == (OPS.key, 2)
    assert "alert lost, ops/email: not taken for a day: " in office.lines.read()[-1]


def test_a_worker_that_ends_is_started_again(office: Office) -> None:
    """What was under way is tried again, under its name, after a pause; nothing else is touched."""
    office.outbox.configure("web-1", (OPS, LOG))
    office.commit(row(1), row(2), row(3, LOG.key))
    office.worker.die()
    assert office.worker.starts == 1
    assert [lane.last_error for lane in office.outbox.backlog()] == ["worker notify ended"] * 2
    office.wait(3.0)
    assert office.worker.starts == 2
    assert [sorted(value) for value in office.worker.sent[3:]] == [
        ["configure"],
        ["deliver"],
        ["deliver"],
    ]
    assert sorted(office.worker.delivered[2:]) == [(LOG.key, 3), (OPS.key, 1)]


def test_a_worker_that_does_not_answer_is_ended(office: Office) -> None:
    """After two and a half minutes; its message is tried again in a new one."""
    office.outbox.configure("web-1", (OPS,))
    office.commit(row(1))
    office.wait(outbox.ANSWER_S - 1)
    assert office.worker.lives()
    office.wait(1.0)
    assert not office.worker.lives()
    office.wait(3.0)
    assert office.worker.starts == 2
    office.take(1)
    assert office.worker.delivered == [(OPS.key, 1)] * 2
    assert office.outbox.backlog() == []


def test_a_worker_that_cannot_be_started_delays(office: Office) -> None:
    """For days: the message goes out when it can be started again."""
    office.outbox.configure("web-1", (OPS,))
    office.worker.cannot = "No such file or directory"
    office.commit(row(1))
    error = "the notify worker cannot be started: No such file or directory"
    assert office.outbox.backlog()[0][:4] == (OPS.key, 1, 0, error)
    for _ in range(2000):
        office.clock.now += 361.0
        office.loop.call_soon_threadsafe(lambda: None)
        office.loop.turn()
    office.worker.cannot = ""
    office.wait(361.0)
    assert office.worker.delivered == [(OPS.key, 1)]


def test_ten_thousand_wait_on_disk(office: Office) -> None:
    """Of a destination that is down a few are in memory; when it is back they drain in order."""
    office.outbox.configure("web-1", (OPS,))
    for number in range(1, 10_001, 100):
        office.commit(*(row(n) for n in range(number, number + 100)))
    office.worker.delay(1)
    assert office.outbox.backlog()[0].waiting == 10_000
    assert len(office.outbox.untried()) < outbox.IN_MEMORY
    office.wait(3.0)
    for number in range(1, 10_001):
        if office.worker.delivered[-1] != (OPS.key, number):
            assert office.outbox.untried() == []
            spin(office.loop, lambda: len(office.worker.delivered) > number)  # noqa: B023
            assert len(office.outbox.untried()) < outbox.IN_MEMORY
        office.take(number)
    assert office.worker.delivered == [(OPS.key, number) for number in (1, *range(1, 10_001))]
    assert office.outbox.backlog() == []
    assert office.contents().waiting == {}


def test_what_comes_while_the_ledger_is_asked_is_not_forgotten(office: Office) -> None:
    """Also when the ledger then has nothing of what was counted before."""
    office.outbox.resume({OPS.key: 3})
    office.outbox.configure("web-1", (OPS,))
    office.ledger.commit([row(7)], lambda durable: office.outbox.add([row(7)]))
    office.settle()
    assert office.worker.delivered == [(OPS.key, 7)]
    office.take(7)
    office.settle()
    assert office.outbox.backlog() == []


def test_a_destination_that_is_gone_loses_what_waits(office: Office) -> None:
    """All of it, however much, and says so line by line; nothing of it stays on disk."""
    office.outbox.configure("web-1", (OPS, LOG))
    office.commit(*(row(number) for number in range(1, 101)), row(101, LOG.key))
    office.worker.delay(1)
    office.worker.delay(101)
    office.outbox.configure("web-1", (LOG,))
    for _ in range(5):
        office.settle()
    reason = "the configuration has no such destination any more"
    lost, waiting = office.outbox.backlog()
    assert lost == Backlog(OPS.key, 0, 100, reason, None)
    assert waiting[:4] == (LOG.key, 1, 0, "421 busy")
    assert (
        office.lines.read()[2:]
        == [f" WARN    alert lost, ops/email: {reason}: {FAILED.text}"] * 100
    )
    assert office.contents().waiting == {LOG.key: 1}
    office.wait(1000.0)
    assert office.worker.delivered == [(OPS.key, 1), (LOG.key, 101), (LOG.key, 101)]


def test_what_is_under_way_when_its_destination_goes_is_counted_once(office: Office) -> None:
    """As delivered, if it was; the rest is lost."""
    office.outbox.configure("web-1", (OPS, LOG))
    office.commit(row(1), row(2))
    office.outbox.configure("web-1", (LOG,))
    office.settle()
    office.take(1)
    office.settle()
    assert office.outbox.backlog()[0][:3] == (OPS.key, 0, 1)
    assert office.contents().waiting == {}


def test_what_an_earlier_agent_left_for_a_destination_that_is_gone(office: Office) -> None:
    """Is lost, and said so, when the first configuration is known."""
    office.ledger.commit([row(1)], lambda durable: None)
    office.outbox.resume({OPS.key: 1})
    office.outbox.configure("web-1", (LOG,))
    office.settle()
    assert office.outbox.backlog()[0][:3] == (OPS.key, 0, 1)
    assert office.contents().waiting == {}
    assert office.worker.starts == 0


@pytest.mark.parametrize("body", ["", "no json", "{}", "[]", '{"message_id": 1}'])
def test_a_row_that_cannot_be_read_blocks_nobody(office: Office, body: str) -> None:
    """It is struck off, and said so."""
    office.ledger.commit([row(1), Post(2, OPS.key, body), row(3)], lambda durable: None)
    office.outbox.resume({OPS.key: 3})
    office.outbox.configure("web-1", (OPS,))
    office.settle()
    office.take(1)
    office.take(3)
    assert office.worker.delivered == [(OPS.key, 1), (OPS.key, 3)]
    assert office.outbox.backlog() == [Backlog(OPS.key, 0, 1, "", None)]
    assert office.lines.read()[0] == " WARN    alert lost, ops/email: it cannot be read: ?"
    assert office.contents().waiting == {}


def test_what_cannot_be_committed_goes_out_all_the_same(tmp_path: Path, office: Office) -> None:
    """From memory; the ledger takes note of it when the disk is back."""
    office.ledger.close(10)
    office.path = tmp_path / "later" / "state.db"
    office.ledger = Ledger(str(office.path), office.loop.call_soon_threadsafe, office.durability)
    office.outbox = Outbox(office.loop, office.ledger, office.lines.log, office.clock.wall)
    office.worker = office.outbox._worker  # type: ignore[assignment]  # a ScriptedWorker
    office.outbox.configure("web-1", (OPS,))
    office.commit(*(row(number) for number in range(1, 101)))
    assert office.troubles == ["unable to open database file"]
    for number in range(1, 100):
        office.take(number)
        office.settle()
    assert office.worker.delivered == [(OPS.key, number) for number in range(1, 101)]
    office.path.parent.mkdir()
    office.worker.delay(100)
    office.commit(row(101))
    office.ledger.close(10)
    assert read(str(office.path)).waiting == {OPS.key: 2}


def test_a_ledger_that_cannot_be_read_is_asked_again(office: Office, tmp_path: Path) -> None:
    """What waits in it is not taken for nothing."""
    office.ledger.close(10)
    folder = tmp_path / "gone"
    office.ledger = Ledger(
        str(folder / "state.db"), office.loop.call_soon_threadsafe, office.durability
    )
    office.outbox = Outbox(office.loop, office.ledger, office.lines.log, office.clock.wall)
    office.worker = office.outbox._worker  # type: ignore[assignment]  # a ScriptedWorker
    office.outbox.resume({OPS.key: 1})
    office.outbox.configure("web-1", (OPS,))
    office.settle()
    assert office.outbox.backlog()[0][:4] == (OPS.key, 1, 0, "the ledger cannot be read")
    folder.mkdir()
    office.ledger.commit([row(1)], lambda durable: None)
    office.wait(3.0)
    assert office.worker.delivered == [(OPS.key, 1)]
    office.ledger.close(10)


def test_the_worker_ends_when_there_was_nothing_for_a_while(office: Office) -> None:
    """It costs memory; the next message starts it again."""
    office.outbox.configure("web-1", (OPS, LOG))
    office.commit(row(1), row(2, LOG.key))
    office.take(1)
    office.wait(outbox.ANSWER_S - 1)
    office.take(2)
    office.wait(outbox.IDLE_S - 1)
    office.commit(row(3))
    office.wait(2.0)
    assert office.worker.lives(), "something came up"
    office.take(3)
    office.wait(outbox.IDLE_S + 1)
    assert not office.worker.lives()
    office.commit(row(4))
    assert (office.worker.starts, office.worker.delivered[-1]) == (2, (OPS.key, 4))
    office.outbox.close()
    assert not office.worker.lives()


def tell(office: Office, telling: Telling, *events: Event) -> None:
    """A turn that tells events to the route of OPS."""
    turn = Turn(office.clock.now, office.clock.wall())
    turn.tell([Told("ops", event) for event in events])
    telling.commit(turn)
    office.settle()


def events_sent(worker: ScriptedWorker) -> list[list[str]]:
    """The kinds of events in each message that was handed over."""
    return [
        [event["kind"] for event in value["deliver"]["events"]]
        for value in worker.sent
        if "deliver" in value
    ]


def test_a_failure_and_its_recovery_that_both_wait_become_one_message(office: Office) -> None:
    """What was handed over already may have arrived, and is not touched."""
    telling = Telling(office.ledger, office.outbox, office.lines.log, 0)
    telling.destinations = (OPS,)
    office.outbox.configure("web-1", (OPS,))
    tell(office, telling, GONE)
    office.worker.delay(1)
    tell(office, telling, FAILED, GONE)
    tell(office, telling, RECOVERED, RECOVERED._replace(incident=GONE.incident))
    assert office.outbox.backlog()[0].waiting == 2
    assert office.contents().waiting == {OPS.key: 2}
    office.wait(3.0)
    office.take(1)
    office.take(3)
    assert events_sent(office.worker) == [
        ["ProcessDoesNotExist"],
        ["ProcessDoesNotExist"],
        ["RuleFailed", "ProcessDoesNotExist", "RuleRecovered", "RuleRecovered"],
    ]
    assert office.contents().waiting == {}


def test_a_failure_loses_only_what_is_over(office: Office) -> None:
    """The rest of its message waits under its old name."""
    telling = Telling(office.ledger, office.outbox, office.lines.log, 0)
    telling.destinations = (OPS,)
    office.outbox.configure("web-1", (OPS,))
    tell(office, telling, GONE._replace(incident="another"))
    office.worker.delay(1)
    tell(office, telling, FAILED, GONE)
    tell(office, telling, RECOVERED)
    office.wait(3.0)
    for number in (1, 2, 3):
        office.take(number)
    assert events_sent(office.worker)[2:] == [
        ["ProcessDoesNotExist"],
        ["RuleFailed", "RuleRecovered"],
    ]
    assert office.outbox.backlog() == []


def test_numbers_go_on_where_an_earlier_agent_stopped(office: Office) -> None:
    """A number names one message for as long as it waits."""
    telling = Telling(office.ledger, office.outbox, office.lines.log, 41)
    telling.destinations = (OPS, LOG)
    office.outbox.configure("web-1", (OPS, LOG))
    tell(office, telling, FAILED)
    assert office.worker.delivered == [(OPS.key, 42)]


def test_calls_after_a_turn_wait_for_the_disk(office: Office) -> None:
    """Whether it took the turn or not; a turn without anything to keep is over at once."""
    telling = Telling(office.ledger, office.outbox, office.lines.log, 0)
    called: list[str] = []
    turn = Turn(office.clock.now, office.clock.wall())
    turn.afterwards.append(lambda: called.append("empty"))
    telling.commit(turn)
    assert called == ["empty"]
    turn.keep("agent", "configuration", "rejected")
    telling.commit(turn)
    assert called == ["empty"]
    office.settle()
    assert called == ["empty", "empty"]
    assert office.contents().states == {"agent": {"configuration": "rejected"}}


def test_the_real_worker_delivers(tmp_path: Path) -> None:
    """The whole way, on real time: committed, handed over, taken, struck off."""
    with looping() as loop, logging() as lines:
        path = str(tmp_path / "state.db")
        ledger = Ledger(path, loop.call_soon_threadsafe, lines.log.warn)
        real = Outbox(loop, ledger, lines.log, FakeClock().wall)
        real.configure("web-1", (LOG,))
        posts: Sequence[Post] = [row(1, LOG.key), row(2, LOG.key, GONE)]
        ledger.commit(posts, lambda durable: real.add(posts))
        run_until(loop, lambda: any("nginx: not running" in line for line in lines.read()))
        run_until(loop, lambda: not real.backlog())
        assert real.worker_pid is not None
        real.close()
        assert ledger.close(10)
        said = "\n".join(lines.read())
    assert said.count("alert delivered to log") == 2
    assert said.index("ALERT critical sidekiq") < said.index("ALERT critical nginx")
    assert read(path).waiting == {}
