"""Instances of templates: each is a service of its own, and comes and goes as it is loaded.

    comes   as soon as its manager has it loaded; that alone is told to nobody
    goes    when its manager does not have it loaded, it is not up, and its loss was told or it
            never was up; not while a silence covers it, or a rule does something to it, nor when
            it has failed and its manager unloads what crashed as it does what was stopped

The managers are asked what they have loaded when a configuration comes into force, once a cycle,
and when an instance dies; where there is no template nobody is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inspect_agent.core.awaited import Awaited
from inspect_agent.core.listing import Listing
from inspect_agent.core.repairs.repair import Repairs
from inspect_agent.core.templates import meant
from inspect_agent.core.turn import Telling, Turn
from inspect_agent.core.watched import WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.core.world import World
from inspect_agent.engine import silence
from inspect_agent.model.target import template_of
from inspect_agent.typed import Any


class Instances:
    """Idle while the configuration has no template.

    look      asks the managers where services are
    awaited   is told which instances there are at first
    """

    def __init__(
        self,
        listing: Listing,
        world: World,
        windows: Windows,
        repairs: Repairs,
        telling: Telling,
        new_turn: Callable[[], Turn],
        look: Callable[[Iterable[WatchedService]], None],
        awaited: Awaited,
    ) -> None:
        self._listing, self._world = listing, world
        self._windows, self._repairs = windows, repairs
        self._telling, self._new_turn = telling, new_turn
        self._look, self._awaited = look, awaited

    def ask(self) -> None:
        """A configuration has come into force."""
        if self._world.templates:
            self._listing.ask()

    def cycle(self) -> None:
        """What a cycle asks."""
        if self._world.templates:
            self._listing.cycle()

    def ended(self, service: WatchedService) -> None:
        """A process of a service has ended; its manager may be about to unload it."""
        if self._world.is_instance(service.check.name):
            self._listing.ask()

    def update(self) -> None:
        """A manager has said what it has loaded, or could not."""
        found = self._world.appear(self._loaded())
        self._awaited.expect(service.check.name for service in found)
        for template in self._world.templates.values():
            if not self._listing.of(template.manager).awaited:
                self._awaited.came(template.name)
        turn = self._new_turn()
        for service in list(self._world.services.values()):
            self.part(service, turn)
        self._telling.commit(turn)
        self._look(found)

    def part(self, service: WatchedService, turn: Turn) -> bool:
        """Forgets a service that has gone for good; whether it did."""
        if not self._is_over(service) or not self._is_unloaded(service):
            return False
        self._world.forget(service, turn)
        self._awaited.came(service.check.name)
        return True

    def describe(self) -> list[dict[str, Any]]:
        """The templates: {"name", "instances": [NAME, …], "trouble"}.

        `trouble` is why nobody knows whether these are all, "" where that is known.
        """
        return [
            {
                "name": name,
                "instances": [one.check.name for one in meant(name, self._world.services)],
                "trouble": self._listing.of(template.manager).trouble,
            }
            for name, template in self._world.templates.items()
        ]

    def _loaded(self) -> Iterable[str]:
        """The instances of templates that the managers of their checks have loaded."""
        templates = self._world.templates
        for manager in {template.manager for template in templates.values()}:
            for name in self._listing.of(manager).names:
                template = templates.get(template_of(name))
                if template is not None and template.manager == manager:
                    yield name

    def _is_unloaded(self, service: WatchedService) -> bool:
        """Whether its manager says that it does not have it loaded."""
        name, manager = service.check.name, service.check.manager
        if not self._world.is_instance(name):
            return False
        loaded = self._listing.of(service.manager.name if service.manager is not None else manager)
        return name not in loaded.names and not loaded.trouble

    def _is_over(self, service: WatchedService) -> bool:
        """Whether nothing of it is still to be judged, told or done."""
        state = service.state
        return (
            state.status != "up"
            and (state.lost or not state.was_up)
            and not service.held
            and not _may_have_crashed(service)
            and not silence.covers(self._windows.silence, service.window)
            and not self._repairs.describe(service)
        )


def _may_have_crashed(service: WatchedService) -> bool:
    """Whether it may have crashed, as far as its manager says, or has said anything yet."""
    seen = service.seen
    return service.state.status == "failed" and (seen.ambiguous or seen.status == "unknown")
