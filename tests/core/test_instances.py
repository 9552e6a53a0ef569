"""Instances where there are several managers: whose they are."""

from __future__ import annotations

from typing import cast

from inspect_agent.core.attend import Attend
from inspect_agent.core.awaited import Awaited
from inspect_agent.core.happenings import Happenings
from inspect_agent.core.instances import Instances
from inspect_agent.core.ledger import Ledger
from inspect_agent.core.listing import Listing
from inspect_agent.core.metrics import Catalogue
from inspect_agent.core.outbox import Outbox
from inspect_agent.core.repairs.repair import Repairs
from inspect_agent.core.turn import Telling, Turn
from inspect_agent.core.watched import Target, WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.core.withdraw import Withdrawals
from inspect_agent.core.world import World
from inspect_agent.engine.services import ServiceState
from inspect_agent.errors import ManagerError
from inspect_agent.model.config import Config, Settings
from inspect_agent.model.observation import Observation
from inspect_agent.model.target import Budget, HostCheck, ServiceCheck
from tests.core.scenarios.stage import Notes
from tests.core.test_listing import Asked
from tests.core.test_lookup import Waiting, roster_of

UP = Observation("up", None, "active")


class Quiet(Telling):
    """Nothing is kept."""

    def commit(self, turn: Turn) -> None:
        """Takes it."""


class Idle(Repairs):
    """Nothing is repaired."""

    def __init__(self) -> None:
        """It needs nothing."""

    def describe(self, target: Target) -> str:
        """Nothing is done to it."""
        return ""


class Desk:
    """Instances of `w@*` and, of whatever manager, `any@*`; `waits` as the first cycle would."""

    def __init__(self, manager: str | None, *managers: Asked) -> None:
        log, happenings = Notes(), Happenings("machine")
        telling = Quiet(cast(Ledger, None), cast(Outbox, None), log, 0)
        withdrawals = Withdrawals(log, happenings)
        self.children = Waiting()
        self.waits = True
        self.looked: list[str] = []
        self.world = World(log, Catalogue([]), cast(Attend, None), withdrawals, 1.0)
        check = ServiceCheck("w@*", "x.inq:1", Budget(3, 600.0), manager=manager)
        other = check._replace(name="any@*", manager=None)
        self.world.adopt(Config(Settings(), (), HostCheck(), (check, other)), _turn())
        awaited = Awaited(self._over)
        awaited.expect(["w@*", "any@*"])
        self.instances = Instances(
            Listing(roster_of(*managers), self.children, log, lambda: self.instances.update()),
            self.world,
            Windows(telling, happenings, _turn),
            Idle(),
            telling,
            _turn,
            lambda services: self.looked.extend(service.check.name for service in services),
            awaited,
        )
        self.instances.ask()

    def _over(self) -> None:
        self.waits = False

    def watched(self) -> list[str]:
        """The services that are watched."""
        self.children.drain()
        return list(self.world.services)

    def lose(self, name: str, manager: Asked) -> WatchedService:
        """A service of a manager is down, which was told."""
        service = self.world.services[name]
        service.manager = manager
        service.state = ServiceState("down", was_up=True, lost=True)
        del manager.known[name]
        self.instances.cycle()
        return service


def _turn() -> Turn:
    return Turn(100.0, 1795254531.0)


def test_a_template_has_the_instances_of_every_manager() -> None:
    """They are looked for as they are found."""
    first, last = Asked("first", **{"w@1": UP}), Asked("last", **{"w@2": UP, "x@1": UP})
    desk = Desk(None, first, last)
    assert (desk.watched(), desk.looked) == (["w@1", "w@2"], ["w@1", "w@2"])


def test_a_template_with_a_manager_has_that_ones_alone() -> None:
    """What others have loaded is none of its business, and neither is their trouble."""
    first, last = Asked("first", **{"w@1": UP, "any@1": UP}), Asked("last", **{"w@2": UP})
    desk = Desk("last", first, last)
    assert (desk.watched(), sorted(desk.looked)) == (["w@2", "any@1"], ["any@1", "w@2"])
    first.raises = ManagerError("no bus")
    desk.instances.cycle()
    assert desk.watched() == ["w@2", "any@1"]
    assert desk.instances.describe() == [
        {"name": "w@*", "instances": ["w@2"], "trouble": ""},
        {"name": "any@*", "instances": ["any@1"], "trouble": "first: no bus"},
    ]


def test_an_instance_goes_with_its_own_manager() -> None:
    """Whatever another one has to say; not while its own does not answer."""
    first, last = Asked("first", **{"w@1": UP}), Asked("last", **{"w@2": UP})
    desk = Desk(None, first, last)
    desk.watched()
    first.raises = ManagerError("no bus")
    desk.lose("w@1", first)
    desk.lose("w@2", last)
    assert desk.watched() == ["w@1"]
    first.raises = None
    desk.instances.cycle()
    assert desk.watched() == []


def test_the_first_cycle_waits_for_every_manager_and_instance() -> None:
    """Also for an instance that goes before anybody has said where it is."""
    first, last = Asked("first", **{"w@1": UP}), Asked("last")
    desk = Desk(None, first, last)
    assert (desk.watched(), desk.waits) == (["w@1"], True)
    desk.lose("w@1", first)
    assert (desk.watched(), desk.waits) == ([], False)


def test_the_first_cycle_waits_for_no_instance_where_there_is_none() -> None:
    """It is enough that all managers said so, or why they cannot."""
    first, last = Asked("first"), Asked("last")
    first.raises = ManagerError("no bus")
    desk = Desk(None, first, last)
    assert desk.waits
    desk.children.answer()
    assert not desk.waits
