"""The configuration that something stands in, and what is looked up there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Union

from inspect_agent.engine.explain import About
from inspect_agent.export.explain.layout import named
from inspect_agent.export.explain.routes import routes
from inspect_agent.model.config import Config, Settings
from inspect_agent.model.metric import Family, Scope
from inspect_agent.model.rule import Repair, Rule, Unmonitor
from inspect_agent.model.target import HostCheck, ProbeCheck, ServiceCheck, template_of

Check = Union[HostCheck, ServiceCheck, ProbeCheck]
Families = Mapping[tuple[Scope, str], Family]


class Whole(NamedTuple):
    """A configuration, so that everything in it is found at once.

    families  what compiled it knew of metrics
    secrets   names of parameters whose values are not shown
    routes    each route in words, with its destinations
    services  the checks by their names
    touched   the names of the services that some rule does something to
    """

    config: Config
    families: Families
    secrets: frozenset[str]
    routes: Mapping[str, str]
    services: Mapping[str, ServiceCheck]
    touched: frozenset[str]

    @property
    def settings(self) -> Settings:
        """Those of the configuration."""
        return self.config.settings

    def service(self, name: str) -> ServiceCheck:
        """The check that a service goes by: its own, or that of all instances like it."""
        return self.services.get(name) or self.services[template_of(name)]

    def is_touched(self, check: ServiceCheck) -> bool:
        """Whether some rule does something to this service, or to an instance of it."""
        return check.name in self.touched


def whole(config: Config, families: Families, secrets: frozenset[str]) -> Whole:
    """A configuration that compiled with these families."""
    services = {check.name: check for check in config.services}
    found = Whole(
        config, families, secrets, routes(config.destinations), services, touched=frozenset()
    )
    checks: tuple[Check, ...] = (*config.services, config.host, *config.probes)
    names = (
        target.name
        for check in checks
        for target in touched(check, check.rules, found)
        if isinstance(target, ServiceCheck)
    )
    return found._replace(touched=frozenset(names))


def touched(check: Check, rules: Iterable[Rule], whole: Whole) -> Iterator[Check]:
    """What these rules of a check do something to, as often as they do."""
    for rule in rules:
        for step in rule.steps:
            if isinstance(step, Repair):
                yield whole.service(step.service)
            elif not isinstance(step, Unmonitor):
                yield check


def scope(check: Check) -> Scope:
    """What kind of check it is."""
    if isinstance(check, HostCheck):
        return "host"
    return "service" if isinstance(check, ServiceCheck) else "probe"


def who(check: Check) -> str:
    """What a check is about, as sentences call it."""
    if isinstance(check, HostCheck):
        return "the machine"
    return "the instance" if is_template(check.name) else named(check.name)


def is_template(name: str) -> bool:
    """Whether it stands for instances: `sidekiq@*`."""
    return template_of(name) == name


def about(check: Check, whole: Whole) -> About:
    """What the check's conditions are about."""
    name = "" if isinstance(check, HostCheck) else who(check)
    return About(scope(check), name, whole.families)
