"""Look-ups: who is asked about which service, how many at a time, and what an answer does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from inspect_agent.core.child import Children, Done
from inspect_agent.core.lookup import BATCH, CONFIRM_S, Lookup
from inspect_agent.core.metrics import Catalogue
from inspect_agent.core.roster import Roster
from inspect_agent.core.watched import WatchedService
from inspect_agent.engine.services import Seen
from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import Budget, Process, ServiceCheck
from inspect_agent.ports import Fingerprints, Observations, Question
from tests.core.scenarios.stage import Notes

UP = Observation("up", None, "active")
DOWN = Observation("down", None, "inactive")
SUCCESS = Finished(0, "", "")


class Waiting(Children):
    """Commands that end when the test says so."""

    def __init__(self) -> None:
        self.running: list[tuple[str, Done]] = []

    def start(self, command: Command, done: Done) -> None:
        """Takes note."""
        self.running.append((" ".join(command.argv), done))

    def asked(self) -> list[str]:
        """The commands that run now."""
        return [text for text, _ in self.running]

    def answer(self) -> None:
        """What runs now ends; what is begun for that goes on."""
        ended, self.running = self.running, []
        for _, done in ended:
            done(SUCCESS)

    def drain(self) -> None:
        """Until nothing runs any more."""
        while self.running:
            self.answer()


class Scripted:
    """A manager that knows some services."""

    def __init__(self, name: str, **known: Observation) -> None:
        self.name = name
        self.known: dict[str, Observation] = dict(known)
        self.runs = True
        self.asks = True
        self.raises: Exception | None = None
        self.looked: list[int] = []

    def look(self, checks: Sequence[ServiceCheck]) -> Observations | Question[Observations]:
        """Where services are."""
        names = [check.name for check in checks]
        self.looked.append(len(names))

        def parse(finished: Finished) -> Observations:
            if self.raises is not None:
                raise self.raises
            return {name: self.known[name] for name in names if name in self.known}

        if not self.asks:
            return parse(SUCCESS)
        return Question(Command((self.name, "look", *names), 10.0), parse)

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints | Question[Fingerprints]:
        """Their states."""
        names = [check.name for check in checks]

        def parse(finished: Finished) -> Fingerprints:
            if self.raises is not None:
                raise self.raises
            return {name: self.known[name].reason for name in names if name in self.known}

        return Question(Command((self.name, "glance", *names), 10.0), parse)

    def loaded(self) -> Sequence[str] | Question[Sequence[str]]:
        """All that it knows."""
        return tuple(self.known)

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """Nothing."""
        return None


def roster_of(*managers: Scripted) -> Roster:
    """A roster of these managers."""
    by_name = {manager.name: manager for manager in managers}
    makers = {name: partial(by_name.__getitem__, name) for name in by_name}
    return Roster(makers, lambda name: by_name[name].runs)


class Desk:
    """A look-up and what it found."""

    def __init__(self, *managers: Scripted) -> None:
        self.children = Waiting()
        self.found: list[tuple[str, Observation]] = []
        self.roster = roster_of(*managers)
        self.lookup = Lookup(self.roster, self.children, Notes(), self._note)

    def _note(self, service: WatchedService, observation: Observation) -> None:
        self.found.append((service.check.name, observation))
        service.seen = Seen(observation.status, None, observation.reason)

    def taken(self) -> list[tuple[str, Observation]]:
        """What was found since it was last asked for."""
        found, self.found = self.found, []
        return found


def service(name: str, manager: str | None = None, pidfile: str | None = None) -> WatchedService:
    """A check of a service."""
    check = ServiceCheck(name, "x.inq:1", Budget(3, 600.0), manager=manager, pidfile=pidfile)
    return WatchedService(check, Catalogue([]), 1.0)


def test_managers_are_asked_in_their_order_until_one_knows_it() -> None:
    """One that does not run is passed over; the one that knows it is asked from then on."""
    first, idle, last = Scripted("first", a=UP), Scripted("idle", b=UP), Scripted("last", b=DOWN)
    idle.runs = False
    desk, a, b = Desk(first, idle, last), service("a"), service("b")
    desk.lookup.look([a, b])
    assert desk.children.asked() == ["first look a b"]
    desk.children.answer()
    assert desk.taken() == [("a", UP)]
    assert desk.children.asked() == ["last look b"]
    desk.children.answer()
    assert desk.taken() == [("b", DOWN)]
    desk.lookup.look([a, b])
    assert desk.children.asked() == ["first look a", "last look b"]


def test_a_service_that_nobody_knows_is_absent() -> None:
    """In the words of all that were asked; it is asked for again with every cycle."""
    desk, a = Desk(Scripted("first"), Scripted("last")), service("a")
    desk.lookup.look([a])
    desk.children.drain()
    reason = "first: it does not know it; last: it does not know it"
    assert desk.taken() == [("a", Observation("absent", reason=reason))]
    assert a.manager is None
    desk.lookup.cycle([a], 1.0)
    assert desk.children.asked() == ["first look a"]


def test_a_service_may_move_to_another_manager() -> None:
    """Whichever comes first in their order, it is found by the next cycle."""
    first, last = Scripted("first"), Scripted("last", a=UP)
    desk, a = Desk(first, last), service("a")
    desk.lookup.look([a])
    desk.children.drain()
    first.known, last.known = {"a": UP}, {}
    for _ in range(2):
        desk.lookup.look([a])
        desk.children.drain()
    assert a.manager is first
    first.known, last.known = {}, {"a": DOWN}
    desk.lookup.look([a])
    desk.children.drain()
    assert a.manager is last
    assert desk.taken()[-1] == ("a", DOWN)


def test_a_named_manager_is_the_only_one_asked() -> None:
    """Also `pidfile`, which is never asked for a check that names no file."""
    first, pidfile = Scripted("first", a=UP, b=UP), Scripted("pidfile", a=DOWN, b=DOWN, c=DOWN)
    desk = Desk(first, pidfile)
    desk.lookup.look([service("a", pidfile="/run/a.pid"), service("b", "first"), service("c")])
    desk.children.drain()
    absent = Observation("absent", reason="first: it does not know it")
    assert sorted(desk.taken()) == [("a", DOWN), ("b", UP), ("c", absent)]


@pytest.mark.parametrize(
    ("manager", "reason"),
    [
        ("first", "first does not run here"),
        (None, "no service manager that this version knows runs here"),
    ],
)
def test_without_a_manager_a_service_is_unknown(manager: str | None, reason: str) -> None:
    """Said at once, with what was looked for; one that comes up later is asked."""
    first = Scripted("first", a=UP)
    first.runs = False
    desk, a = Desk(first), service("a", manager)
    desk.lookup.look([a])
    assert desk.taken() == [("a", Observation("unknown", reason=reason))]
    first.runs = True
    desk.roster.forget()
    desk.lookup.cycle([a], 1.0)
    desk.children.drain()
    assert desk.taken() == [("a", UP)]


def test_fifty_are_asked_for_at_a_time() -> None:
    """One question after the other; each service is asked for once."""
    names = [f"s{number}" for number in range(120)]
    first = Scripted("first", **dict.fromkeys(names, UP))
    desk = Desk(first)
    desk.lookup.look([service(name) for name in names])
    assert len(desk.children.running) == 1
    desk.children.drain()
    assert first.looked == [BATCH, BATCH, 20]
    assert desk.taken() == [(name, UP) for name in names]


def test_what_is_asked_for_while_a_question_runs_is_asked_afterwards() -> None:
    """Once, however often: the answer that is under way may be older than the reason to ask."""
    desk, a, b = Desk(Scripted("first", a=UP, b=UP)), service("a"), service("b")
    desk.lookup.look([a])
    for _ in range(3):
        desk.lookup.look([a])
        desk.lookup.look([b])
    assert desk.children.asked() == ["first look a"]
    desk.children.answer()
    assert desk.children.asked() == ["first look a b"]
    desk.children.drain()
    assert desk.taken() == [("a", UP), ("a", UP), ("b", UP)]


def test_managers_do_not_wait_for_each_other() -> None:
    """One that hangs keeps only its own services waiting."""
    hangs, quick = Scripted("hangs", a=UP), Scripted("quick", b=UP)
    quick.asks = False
    desk = Desk(hangs, quick)
    desk.lookup.look([service("a"), service("b", "quick")])
    assert desk.taken() == [("b", UP)]


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (ManagerError("no bus"), "first: no bus"),
        (KeyError("Id"), "first: KeyError: 'Id'"),
    ],
)
@pytest.mark.parametrize("asks", [True, False])
def test_an_answer_that_raises_makes_its_services_unknown(
    raised: Exception, reason: str, asks: bool
) -> None:
    """With the reason; its manager stays theirs, and is asked again with the next cycle."""
    first, last = Scripted("first", a=UP), Scripted("last", b=UP)
    first.asks = asks
    desk, a, b = Desk(first, last), service("a"), service("b")
    desk.lookup.look([a, b])
    desk.children.drain()
    desk.taken()
    first.raises = raised
    desk.lookup.look([a, b])
    desk.children.drain()
    assert sorted(desk.taken()) == [("a", Observation("unknown", reason=reason)), ("b", UP)]
    first.raises = None
    desk.lookup.cycle([a, b], 1.0)
    desk.children.drain()
    assert ("a", UP) in desk.taken()
    assert a.manager is first


def test_a_manager_that_errs_is_passed_over() -> None:
    """Who knows the service behind it has it, until the one before answers and has it, too."""
    first, last = Scripted("first"), Scripted("last", a=UP)
    desk, a = Desk(first, last), service("a")
    first.raises = ManagerError("no bus")
    desk.lookup.look([a])
    desk.children.drain()
    assert (desk.taken(), a.manager) == ([("a", UP)], last)
    first.raises, first.known = None, {"a": DOWN}
    desk.lookup.cycle([a], 1.0)
    desk.children.drain()
    assert (desk.taken(), a.manager) == ([("a", DOWN)], first)
    desk.lookup.cycle([a], 2.0)
    assert desk.children.asked() == ["first glance a"]


def test_while_one_errs_that_nobody_else_knows_is_unknown() -> None:
    """With what each of them said."""
    first, last = Scripted("first"), Scripted("last")
    desk, a = Desk(first, last), service("a")
    first.raises = ManagerError("no bus")
    last.asks = False
    desk.lookup.look([a])
    desk.children.drain()
    reason = "first: no bus; last: it does not know it"
    assert desk.taken() == [("a", Observation("unknown", reason=reason))]


def test_the_agent_itself_is_asked_for_by_its_name_alone() -> None:
    """Where no service manager knows a service of that name."""
    first, itself = Scripted("first"), Scripted("self", **{"inspect-agent": UP, "a": UP})
    desk = Desk(first, itself)
    desk.lookup.look([service("inspect-agent"), service("a"), service("b", "self")])
    desk.children.drain()
    assert sorted((name, seen.status) for name, seen in desk.taken()) == [
        ("a", "absent"),
        ("b", "absent"),
        ("inspect-agent", "up"),
    ]


def test_a_cycle_glances_at_what_has_no_process() -> None:
    """And looks where something is new; what has a process is let alone: its death is noticed."""
    first = Scripted("first", a=DOWN, b=UP, c=UP)
    desk, services = Desk(first), [service(name) for name in "abc"]
    desk.lookup.look(services)
    desk.children.drain()
    services[2].process = Process(1, 1.0)
    desk.lookup.cycle(services, 1.0)
    assert desk.children.asked() == ["first glance a b"]
    desk.children.drain()
    desk.taken()
    desk.lookup.cycle(services, 2.0)
    desk.children.drain()
    assert desk.taken() == []
    first.known["a"] = UP
    desk.lookup.cycle(services, 3.0)
    desk.children.answer()
    assert desk.children.asked() == ["first look a"]
    desk.children.drain()
    assert desk.taken() == [("a", UP)]


def test_a_glance_that_is_under_way_is_not_doubled() -> None:
    """A manager that is slower than a cycle has one question of a kind at a time."""
    desk, a = Desk(Scripted("first", a=DOWN)), service("a")
    desk.lookup.look([a])
    desk.children.drain()
    for now in (1.0, 2.0, 3.0):
        desk.lookup.cycle([a], now)
    assert desk.children.asked() == ["first glance a"]


def test_a_glance_that_raises_is_looked_into() -> None:
    """The look says what is wrong."""
    first = Scripted("first", a=DOWN)
    desk, a = Desk(first), service("a")
    desk.lookup.look([a])
    desk.children.drain()
    desk.taken()
    first.raises = ManagerError("no bus")
    desk.lookup.cycle([a], 1.0)
    desk.children.drain()
    assert desk.taken() == [("a", Observation("unknown", reason="first: no bus"))]


def test_every_minute_those_not_seen_for_longest_are_looked_at() -> None:
    """Fifty of them, also those that run: a manager may have another main process for them."""
    names = [f"s{number}" for number in range(70)]
    first = Scripted("first", **dict.fromkeys(names, UP))
    desk, services = Desk(first), [service(name) for name in names]
    desk.lookup.look(services)
    desk.children.drain()
    for number, one in enumerate(services):
        one.process, one.looked_at = Process(1, 1.0), float(-number)
    desk.lookup.cycle(services, CONFIRM_S)
    desk.children.drain()
    desk.taken()
    desk.lookup.cycle(services, 2 * CONFIRM_S - 1)
    assert desk.children.asked() == []
    desk.lookup.cycle(services, 2 * CONFIRM_S)
    desk.children.drain()
    assert sorted(name for name, _ in desk.taken()) == sorted(names[20:])
