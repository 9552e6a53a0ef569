"""The managers of a machine: who is loaded, and when that is found out anew."""

from __future__ import annotations

from functools import partial

from inspect_agent.core.roster import Roster
from tests.core.test_lookup import Scripted


def test_only_who_is_asked_is_loaded() -> None:
    """Once; who runs here is told in the order of the registry."""
    loaded: list[str] = []
    running = {"last", "first"}

    def make(name: str) -> Scripted:
        loaded.append(name)
        return Scripted(name)

    names = ("first", "idle", "last")
    roster = Roster({name: partial(make, name) for name in names}, lambda name: name in running)
    assert roster.here() == ("first", "last")
    running.add("idle")
    assert roster.here() == ("first", "last")
    roster.forget()
    assert roster.here() == ("first", "idle", "last")
    assert loaded == []
    assert roster.manager("last") is roster.manager("last")
    assert loaded == ["last"]


def test_one_that_cannot_be_detected_is_asked() -> None:
    """What is wrong with it is said by its own answers then."""

    def runs(name: str) -> bool:
        raise OSError(name)

    assert Roster({"first": lambda: Scripted("first")}, runs).here() == ("first",)
