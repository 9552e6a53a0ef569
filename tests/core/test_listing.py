"""What managers have loaded: who is asked, when, and what an answer or none of it changes."""

from __future__ import annotations

from collections.abc import Sequence

from inspect_agent.core.listing import Listing, Loaded
from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.ports import Question
from tests.core.scenarios.stage import Notes
from tests.core.test_lookup import Scripted, Waiting, roster_of

UP = Observation("up", None, "active")


class Asked(Scripted):
    """A manager that has to be asked what it has loaded."""

    def loaded(self) -> Sequence[str] | Question[Sequence[str]]:
        """All that it knows when the answer comes."""

        def parse(finished: Finished) -> Sequence[str]:
            if self.raises is not None:
                raise self.raises
            return tuple(self.known)

        return Question(Command((self.name, "list"), 10.0), parse)


class Desk:
    """A listing, and how often something came."""

    def __init__(self, *managers: Scripted) -> None:
        self.children = Waiting()
        self.came = 0
        self.roster = roster_of(*managers)
        self.listing = Listing(self.roster, self.children, Notes(), self._count)

    def _count(self) -> None:
        self.came += 1

    def of(self, name: str | None = None) -> tuple[list[str], str, bool]:
        """What is known of a manager: names, trouble, and whether an answer is awaited."""
        names, trouble, awaited = self.listing.of(name)
        return sorted(names), trouble, awaited


def test_every_manager_that_runs_is_asked() -> None:
    """All at once; what they have is taken together, or each by itself."""
    first, idle, last = Asked("first", a=UP), Asked("idle", b=UP), Asked("last", c=UP, a=UP)
    idle.runs = False
    desk = Desk(first, idle, last)
    desk.listing.ask()
    assert desk.children.asked() == ["first list", "last list"]
    assert desk.of() == ([], "first has not answered yet", True)
    desk.children.answer()
    assert desk.came == 2
    assert desk.of() == (["a", "c"], "", False)
    assert desk.of("first") == (["a"], "", False)
    assert desk.of("idle") == ([], "idle does not run here", False)


def test_nobody_is_asked_two_things_at_a_time() -> None:
    """A cycle leaves alone who is still answering."""
    first, last = Asked("first"), Scripted("last", b=UP)
    desk = Desk(first, last)
    for _ in range(3):
        desk.listing.cycle()
    assert desk.children.asked() == ["first list"]
    assert desk.of("last") == (["b"], "", False)
    desk.children.answer()
    desk.listing.cycle()
    assert desk.children.asked() == ["first list"]


def test_an_answer_that_may_be_outdated_is_asked_for_again() -> None:
    """Once, however often something happened meanwhile."""
    first = Asked("first", a=UP)
    desk = Desk(first)
    for _ in range(3):
        desk.listing.ask()
    first.known["b"] = UP
    desk.children.answer()
    assert (desk.of(), desk.children.asked()) == ((["a", "b"], "", False), ["first list"])
    desk.children.answer()
    assert desk.children.asked() == []


def test_a_manager_that_errs_changes_nothing() -> None:
    """What it had loaded stays, with the reason, until it answers again."""
    first, last = Asked("first", a=UP), Asked("last", b=UP)
    desk = Desk(first, last)
    desk.listing.ask()
    desk.children.answer()
    first.known.clear()
    first.raises = ManagerError("no bus")
    desk.listing.cycle()
    desk.children.answer()
    assert desk.of() == (["a", "b"], "first: no bus", False)
    assert desk.of("last") == (["b"], "", False)
    first.raises = None
    desk.listing.cycle()
    desk.children.answer()
    assert desk.of() == (["b"], "", False)


def test_a_manager_that_never_answered() -> None:
    """It is waited for until it says why."""
    first = Asked("first", a=UP)
    first.raises = OSError("no systemctl")
    desk = Desk(first)
    desk.listing.ask()
    assert desk.of()[2]
    desk.children.answer()
    assert desk.of() == ([], "first: OSError: no systemctl", False)


def test_a_manager_that_goes_takes_nothing_along() -> None:
    """Its services may live on: that it is gone says nothing about them."""
    first = Asked("first", a=UP)
    desk = Desk(first)
    desk.listing.ask()
    desk.children.answer()
    first.runs = False
    desk.roster.forget()
    desk.listing.cycle()
    assert desk.children.asked() == []
    assert desk.of() == (["a"], "first: does not run any more", False)
    first.runs = True
    desk.roster.forget()
    desk.listing.cycle()
    desk.children.answer()
    assert desk.of() == (["a"], "", False)


def test_nobody_to_ask() -> None:
    """PID files have no instances, so they are not asked for any."""
    desk = Desk(Asked("pidfile", a=UP))
    desk.listing.ask()
    nobody = "no service manager that this version knows runs here"
    assert desk.children.asked() == []
    assert desk.listing.of(None) == Loaded(frozenset(), nobody, False)
