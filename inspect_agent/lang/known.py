"""What the resolver may look up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from inspect_agent.lang.problems import Near, Wrong
from inspect_agent.lang.report import Report
from inspect_agent.lang.vocabulary import Vocabulary
from inspect_agent.model.config import Settings
from inspect_agent.model.metric import Scope
from inspect_agent.model.target import template_of

ROUTE_HINT = "a route is declared in inspect.conf: send alerts to ROUTE via …"


class Names(NamedTuple):
    """Names that are declared, each with the place where it is.

    whole   False where some of what declares them could not be read: then none is missing
    """

    places: Mapping[str, str]
    whole: bool = True

    def lacks(self, name: str) -> bool:
        """Whether this name is surely not declared."""
        return self.whole and name not in self.places

    def near(self, name: str) -> Near:
        """For the problem with a name that is missing."""
        return Near(name, self.places)


class Known(NamedTuple):
    """Everything that checks may refer to.

    commands   what can be done to a service that no manager runs: the verbs it has commands for
    """

    vocabulary: Vocabulary
    settings: Settings
    routes: Names
    services: Names
    commands: Mapping[str, frozenset[str]] = MappingProxyType({})


def unchecked(name: str, known: Known) -> bool:
    """Whether surely no check is of this service, nor of all instances like it."""
    return known.services.lacks(name) and known.services.lacks(template_of(name) or name)


class Around(NamedTuple):
    """What a rule stands in.

    owner     the route of its alerts where it names none; "" is the default route
    service   whose rule it is; "" for the host and for a probe
    """

    report: Report
    known: Known
    scope: Scope
    owner: str
    service: str = ""


def no_route(name: str, known: Known) -> Wrong:
    """The problem with a route that is not declared."""
    return Wrong("unknown route {}", ROUTE_HINT, known.routes.near(name))
