"""The stage for a story: a scripted machine, real parts, and what was told and run, in order.

A line of the story is `SECONDS ROUTE: EVENT TARGET [RULE]`, or `SECONDS run VERB SERVICE`. Seconds
count from the first cycle; routes are those of inspect.conf, the default one is `default`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from inspect_agent.core import attend, freshness, status
from inspect_agent.core.awaited import Awaited
from inspect_agent.core.changes import Changes
from inspect_agent.core.commands import commands
from inspect_agent.core.control import Reply
from inspect_agent.core.ledger import Change, Committed, Ledger, Post, Put, statement
from inspect_agent.core.log import Log
from inspect_agent.core.loop import Loop
from inspect_agent.core.metrics import Catalogue
from inspect_agent.core.outbox import Outbox, to_row
from inspect_agent.core.parts import Parts
from inspect_agent.core.repairs import signalling
from inspect_agent.core.request import Request
from inspect_agent.core.roster import Roster
from inspect_agent.core.state_file import connect, read
from inspect_agent.core.turn import Turn
from inspect_agent.core.watched import WatchedService
from inspect_agent.errors import ControlError
from inspect_agent.lang.compile import compile_folder
from inspect_agent.model.config import Config, LogLevel
from inspect_agent.model.event import Event
from inspect_agent.model.metric import Family, Metric, MetricId, NoData, Value
from inspect_agent.model.target import Probe, ProbeCheck
from inspect_agent.ports import Subject
from inspect_agent.sources.polled import Polled
from inspect_agent.sources.process import ProcessSource
from tests.core.looping import FakeClock, Reports, spin, turns
from tests.core.scenarios.machine import MB, Machine, ScriptedChildren

CYCLE_S = 10.0
CONF = """
set cycle_time 10
send alerts via log
send alerts to ops via log
send alerts to boss via log
"""


class Load:
    """The machine's load, as a story has it."""

    families: tuple[Family, ...] = (
        Family("load", "host", (Metric("1", "number", "gauge", "scripted"),)),
    )

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def names(self, subject: object) -> tuple[MetricId, ...]:
        """Nothing is shown unasked."""
        return ()

    def open(self, subject: object, metrics: object) -> Polled:
        """A reader."""
        return Polled(lambda: [self._machine.load])


class Pages:
    """Web pages, as a story has them: the seconds that each takes, or why it does not answer."""

    families: tuple[Family, ...] = (
        Family("http", "probe", (Metric("seconds", "seconds", "gauge", "scripted"),)),
    )

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def names(self, subject: object) -> tuple[MetricId, ...]:
        """Shown also where no rule asks for it."""
        return (MetricId("http", "seconds"),)

    def open(self, subject: Subject, metrics: object) -> Polled:
        """A reader of the page that the probe's parameters name."""
        assert isinstance(subject, Probe)
        url = dict(subject.params)["url"]
        return Polled(lambda: [self._read(url)])

    def _read(self, url: str) -> Value:
        page = self._machine.pages[url]
        return NoData(page, failed=True) if isinstance(page, str) else page


class CountingLedger(Ledger):
    """A ledger that counts what it is given."""

    given = 0

    def commit(self, changes: Iterable[Change], done: Committed) -> None:
        """See Ledger."""
        self.given += 1
        super().commit(changes, done)


class Notes(Log):
    """A log that keeps its warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        """See Log."""
        self.warnings.append(text)

    def _write(self, level: LogLevel, text: str) -> None:
        """The rest is in the story."""


class Mailbox(Outbox):
    """Takes what is told, and delivers it to the story at once."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def add(self, posts: Iterable[Post]) -> None:
        """Messages that are committed."""
        for post in posts:
            row = to_row(post)
            route = row.destination.rpartition("/")[0] or "default"
            for event in row.events:
                self._stage.note(event)
                target = event.target.removeprefix("service ")
                self._stage.say(f"{route}: {event.kind} {target} {event.rule}".rstrip())

    def untried(self) -> list[Any]:
        """Nothing waits."""
        return []


class Stage:
    """One story: one machine, and one agent after the other. It is the agent of `commands`.

    probes   checks beside those that are written: no family of this version is for probes
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._story: list[str] = []
        self._events: list[Event] = []
        self.clock = FakeClock(now=100_000.0)
        self._began = self.clock.now
        self.machine = Machine(self.clock, lambda text: self.say(f"run {text}"))
        self.boot_id = "boot 1"
        self.reports = Reports()
        self.log = Notes()
        self.absence_due = True
        self.probes: tuple[ProbeCheck, ...] = ()
        monkeypatch.setattr(attend, "watch", self.machine.watch)
        monkeypatch.setattr(signalling, "send", self.machine.signal)
        monkeypatch.setattr(freshness, "Code", lambda: self.machine)
        (folder / "services.d").mkdir()

    def say(self, text: str) -> None:
        """One line of the story."""
        self._story.append(f"{self.clock.now - self._began:g} {text}")

    def note(self, event: Event) -> None:
        """An event that was told, for `events`."""
        self._events.append(event)

    def told(self) -> list[Event]:
        """What was told since the beginning."""
        return list(self._events)

    def events(self) -> list[tuple[str, float]]:
        """What was told since the beginning: its kind, and when it happened."""
        zero = self.clock.wall() - (self.clock.now - self._began)
        return [(event.kind, event.at - zero) for event in self._events]

    def details(self) -> list[str]:
        """What was said beside that, event by event."""
        return [event.detail for event in self._events]

    def story(self) -> list[str]:
        """What was told and run since it was last asked for."""
        told, self._story = self._story, []
        return told

    # the agent

    def begin(self, rules: str, conf: str = CONF) -> None:
        """The agent starts with these rules, looks at everything, and runs its first cycle."""
        config = self._compile(rules, conf)
        self.loop = Loop(self.clock, self.reports)
        path = str(self._folder / "state.db")
        contents = read(path)
        self._ledger = CountingLedger(path, self.loop.call_soon_threadsafe, self._trouble)
        self._children = ScriptedChildren(self.loop, self.machine)
        self.parts = Parts(
            self.loop,
            self.log,
            self._ledger,
            Mailbox(self),
            contents.last_seq,
            "machine",
            16 * 1024.0**3,
            Catalogue([ProcessSource(self.machine), Load(self.machine), Pages(self.machine)]),
            Roster({self.machine.name: lambda: self.machine}, lambda name: True),
            self._children,
            self.machine,
            self._new_turn,
            lambda: self.absence_due,
            Awaited(_nothing),
        )
        turn = self._new_turn()
        self.parts.adopt(config, turn)
        self.parts.recall(contents.states, self.boot_id, turn)
        self.parts.telling.commit(turn)
        self._settings = config.settings
        self._commands = commands(self)
        self.parts.look()
        self.settle()
        self._cycle()

    def kill(self) -> None:
        """kill -9: nothing more is decided or told; what is on disk stays."""
        self._children.dead = True
        self._ledger.close(10)
        self.loop.close()

    def reboot(self) -> None:
        """The machine goes down and comes up with other processes; half a minute passes."""
        self.kill()
        self._began -= self.clock.boot(now=30.0)
        self.clock.now += 30.0
        self.boot_id += " and another"
        for unit in self.machine.units.values():
            self.machine.bounce(unit.name)

    def end(self) -> None:
        """The story is over; nothing may have raised in it."""
        if not self._children.dead:
            self.kill()
        assert self.reports.texts == []

    def pass_(self, seconds: float) -> None:
        """Time passes, second by second; every ten there is a cycle."""
        for _ in range(int(seconds)):
            self.clock.now += 1.0
            self.machine.happen()
            self.settle()
            if not self._children.dead and (self.clock.now - self._began) % CYCLE_S == 0:
                self._cycle()

    def do(self, action: Callable[..., None], *arguments: object) -> None:
        """The machine does something, and what follows from that at once happens."""
        action(*arguments)
        self.settle()

    def cycles(self, count: int) -> None:
        """So many cycles, the last of them just now."""
        self.pass_(count * CYCLE_S - (self.clock.now - self._began) % CYCLE_S)

    def suspend(self, seconds: float) -> None:
        """The machine sleeps; the first cycle after that is late."""
        self.clock.now += seconds
        self.machine.happen()
        self.settle()
        self._cycle(late=True)

    def settle(self) -> None:
        """Until everything that follows from what happened is done."""
        if self._children.dead:
            return
        before = -1
        while before != self._ledger.given + self._children.started:
            before = self._ledger.given + self._children.started
            done: list[object] = []
            self._ledger.fetch("nobody", 0, 1, done.append)
            spin(self.loop, lambda: done)  # noqa: B023 (called at once)
            turns(self.loop, 3)

    def _cycle(self, late: bool = False) -> None:
        self.parts.ask(self.clock.now)
        self.settle()
        self.parts.cycle.run(self.parts.world, late)
        self.settle()

    # what an operator does

    def reload_rules(self, rules: str, conf: str = CONF) -> Changes:
        """A new configuration comes into force."""
        turn = self._new_turn()
        changes = self.parts.adopt(self._compile(rules, conf), turn)
        self.parts.telling.commit(turn)
        self.parts.look()
        self.settle()
        return changes

    def ask(self, line: str) -> None:
        """A command on the control socket; its answer is a line of the story, when it comes."""
        name = max((name for name in self._commands if line.startswith(name)), key=len)
        request = Request(name, {"words": line.removeprefix(name).split()}, True)
        self._commands[name].handler(request, lambda answer: self.say(f"answered {name}"))
        self.settle()

    def asked(self, question: str) -> int:
        """How often this agent has asked its manager to `look`, `glance` or name the `loaded`."""
        return self._children.asked.count(question)

    def look_without_waiting(self) -> None:
        """All managers are asked where everything is; the answers are still to come."""
        self.parts.lookup.look(self.parts.world.services.values())

    def status_of(self, name: str) -> dict[str, Any]:
        """What status shows of a service."""
        service = self.service(name)
        repair = self.parts.repairs.describe(service)
        return status.service(service, repair, self.clock.now, self.machine)

    def status_of_probe(self, name: str) -> dict[str, Any]:
        """What status shows of a probe."""
        probe = self.parts.world.probes[name]
        return status.bare(probe, name, self.parts.repairs.describe(probe), self.clock.now)

    def values(self, name: str) -> list[float]:
        """The history of a service's memory, in MB."""
        series = self.service(name).metrics.series[MetricId("memory", "rss")]
        return [value / MB for value in series.values()]

    def kept(self, kind: str) -> dict[str, str]:
        """What lies on disk of one kind."""
        self.settle()
        return read(str(self._folder / "state.db")).states.get(kind, {})

    def put(self, kind: str, key: str, text: str) -> None:
        """Writes into the ledger of an agent that was killed."""
        with closing(connect(str(self._folder / "state.db"))) as connection, connection:
            connection.execute(*statement(Put(kind, key, text)))

    def service(self, name: str) -> WatchedService:
        """What the agent knows of a service."""
        return self.parts.world.services[name]

    def look_on_disk(self, then: Callable[[], None]) -> None:
        """See commands.Running."""
        then()

    def status(self) -> dict[str, Any]:
        """See commands.Running."""
        return {}

    def reload(self, reply: Reply) -> None:
        """See commands.Running."""
        raise ControlError("this is a play")

    def deploy_length_s(self) -> float:
        """See commands.Running."""
        return self._settings.deploy_length_s

    def _compile(self, rules: str, conf: str) -> Config:
        """`rules` may have a part for the machine; each `check` stands on a line of its own."""
        (self._folder / "inspect.conf").write_text(conf)
        (self._folder / "inspect.conf").chmod(0o600)
        (self._folder / "services.d" / "story.inq").write_text(rules)
        compiled = compile_folder(str(self._folder))
        assert compiled.config is not None, compiled.problems
        return compiled.config._replace(probes=self.probes)

    def _new_turn(self) -> Turn:
        return Turn(self.clock.now, self.clock.wall())

    def _trouble(self, trouble: str) -> None:
        raise AssertionError(trouble)


def _nothing() -> None:
    """Nobody waits for the managers' first answers."""
