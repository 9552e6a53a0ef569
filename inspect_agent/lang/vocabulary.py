"""The words that sources, managers and channels bring into the language.

The resolver takes them as a value; only `installed` asks the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from inspect_agent import registry
from inspect_agent.model.metric import Family, Metric, Param, Scope

T = TypeVar("T")


class ChannelWords(NamedTuple):
    """A channel as its class declares it.

    build   the class: raises ValueError for parameters that cannot be used
    """

    params: tuple[Param, ...]
    incidents: bool
    build: Callable[[Mapping[str, str]], object]


class Declared(NamedTuple):
    """A parameter and the family that declares it."""

    family: str
    param: Param


class Vocabulary(NamedTuple):
    """Everything a configuration may name that the grammar does not know.

    faults   what could not be loaded, one line each
    """

    families: Mapping[tuple[Scope, str], Family]
    managers: tuple[str, ...]
    channels: Mapping[str, ChannelWords]
    faults: tuple[str, ...] = ()

    def family(self, scope: Scope, name: str) -> Family | None:
        """The family of that name for such checks."""
        return self.families.get((scope, name))

    def metric(self, scope: Scope, family: str, name: str) -> Metric | None:
        """The metric of that name for such checks."""
        found = self.family(scope, family)
        return found.find(name) if found else None

    def params(self, scope: Scope) -> dict[str, list[Declared]]:
        """The parameters of such checks that families declare, by their names."""
        found: dict[str, list[Declared]] = {}
        for (where, name), family in self.families.items():
            if where == scope:
                for param in family.params:
                    found.setdefault(param.name, []).append(Declared(name, param))
        return found

    def secrets(self) -> set[str]:
        """The parameters whose values are secrets."""
        families = (family.params for family in self.families.values())
        channels = (channel.params for channel in self.channels.values())
        declared = (param for params in (*families, *channels) for param in params)
        return {param.name for param in declared if param.kind == "secret"}

    def metrics(self, scope: Scope) -> Iterator[str]:
        """Every metric that has a fixed name, as it is written in rules."""
        for (where, name), family in self.families.items():
            if where == scope:
                yield from (f"{name}:{m.name}" if m.name else name for m in family.metrics)


def installed() -> Vocabulary:
    """The words of everything in the registry; what cannot be loaded is told, not raised."""
    faults: list[str] = []
    families: dict[tuple[Scope, str], Family] = {}
    for declared in _declared(registry.built_in("sources"), _families, faults).values():
        for family in declared:
            families.setdefault((family.scope, family.name), family)
    channels = _declared(registry.channels(), _channel, faults)
    return Vocabulary(families, tuple(registry.built_in("managers")), channels, tuple(faults))


def _families(source: Any) -> tuple[Family, ...]:
    return tuple(source.families)


def _channel(channel: Any) -> ChannelWords:
    return ChannelWords(tuple(channel.params), bool(channel.incidents), channel)


def _declared(
    places: Mapping[str, str], read: Callable[[Any], T], faults: list[str]
) -> dict[str, T]:
    found = {}
    for name, where in places.items():
        try:
            found[name] = read(registry.load(where))
        except Exception as error:  # noqa: BLE001  # a package of a third party may raise anything
            faults.append(f"{where}, called {name}, cannot be loaded: {error}")
    return found
