"""What the parameters of a check refer to, and whether they go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from inspect_agent.lang import ast, conditions
from inspect_agent.lang.known import Known, no_route, unchecked
from inspect_agent.lang.params import Given
from inspect_agent.lang.problems import Near, Wrong
from inspect_agent.model.target import template_of


def owner(given: Given, known: Known) -> str:
    """The owner's route, which has to be declared; "" is the default route."""
    name: str = given.get("owner", "")
    if name and known.routes.lacks(name):
        given.error("owner", no_route(name, known))
    return name


def manager(given: Given, known: Known, service: str) -> str | None:
    """The manager's name, or None where it is to be found out."""
    name: str | None = given.get("manager")
    if service.endswith("@*") and "pidfile" in given.values:
        wrong = Wrong("instances have no pidfile in common", "check each: check service NAME@1")
        given.report.error(given.words["pidfile"].key, wrong)
    if name is not None and name not in known.vocabulary.managers:
        given.error("manager", _unknown_manager(name, known))
    for key, wrong in _at_odds(given.values):
        given.report.error(given.words[key].key, wrong)
    return "pidfile" if name is None and "pidfile" in given.values else name


def needs(given: Given, known: Known, service: str) -> tuple[str, ...]:
    """The services it needs, which have to be checked, too."""
    names: tuple[str, ...] = given.get("needs", ())
    for name in names:
        if service in (name, template_of(name)):
            given.error("needs", Wrong("a service does not need itself"))
        elif unchecked(name, known):
            near = known.services.near(name)
            message = "no check of a service called {}"
            given.error("needs", Wrong(message, "check service NAME", near, name))
    return names


def release(given: Given, check: ast.Check) -> str | None:
    """The symlink to a service's release; a rule about `stale` wants one."""
    if "release" not in given.words:
        for rule in check.rules:
            for state in conditions.states(rule.condition):
                if state.text == "stale":
                    wrong = Wrong("stale by which release?", "check service … with release PATH")
                    given.report.error(state, wrong)
    path: str | None = given.get("release")
    return path


def circles(services: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Services that need each other, as pairs: the first needs the second, and so on back.

    None of a circle would ever be repaired: a repair waits for what the service needs.
    """
    done: set[str] = set()
    for first in services:
        path = {} if first in done else {first: iter(services[first])}
        while path:
            name, rest = next(reversed(path.items()))
            following = next(rest, None)
            if following is None:
                done.add(name)
                del path[name]
            elif following in path:
                if following != name:  # a service that needs itself is told elsewhere
                    yield name, following
            elif following not in done and following in services:
                path[following] = iter(services[following])


def _unknown_manager(name: str, known: Known) -> Wrong:
    managers = known.vocabulary.managers
    return Wrong("unknown manager {}", "", Near(name, managers))


def _at_odds(values: Mapping[str, object]) -> Iterator[tuple[str, Wrong]]:
    """Parameters that do not go together."""
    named = values.get("manager")
    if "instance" in values and ("pidfile" in values or named not in (None, "upstart")):
        yield "instance", Wrong("{} is for jobs of upstart", "elsewhere an instance has a name")
    if "pidfile" in values:
        if named not in (None, "pidfile"):
            yield "manager", Wrong("a service with a pidfile has no other manager")
        return
    if named == "pidfile":
        yield "manager", Wrong("the manager pidfile wants a pidfile", "with pidfile /run/NAME.pid")
    for key in ("start", "stop", "restart"):
        if key in values:
            wrong = Wrong("{} is for a service that no manager runs", "it goes with pidfile PATH")
            yield key, wrong
