"""Templates: `check service sidekiq@*` is one check for every instance that there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from inspect_agent.core.watched import WatchedService
from inspect_agent.model.rule import Action, Repair, Rule, Signal, Unmonitor
from inspect_agent.model.target import ServiceCheck, template_of

_DIGITS = re.compile(r"([0-9]+)")


def is_template(name: str) -> bool:
    """Whether it stands for instances."""
    return template_of(name) == name != ""


def services(checks: Sequence[ServiceCheck], names: Iterable[str]) -> dict[str, ServiceCheck]:
    """The check of every service by its name, in the order of the configuration.

    Those of `names` that are instances of a template stand in its place; a check of their own wins.
    """
    own = {check.name for check in checks}
    instances: dict[str, list[str]] = {}
    for name in sorted(set(names) - own, key=_natural):
        instances.setdefault(template_of(name), []).append(name)
    found: dict[str, ServiceCheck] = {}
    for check in checks:
        if is_template(check.name):
            found.update((name, instance(check, name)) for name in instances.get(check.name, ()))
        else:
            found[check.name] = check
    return found


def instance(template: ServiceCheck, name: str) -> ServiceCheck:
    """The check of one instance: its name stands wherever the template's own did."""
    rules = tuple(_rule(rule, template.name, name) for rule in template.rules)
    return template._replace(name=name, rules=rules)


def meant(name: str, watched: Mapping[str, WatchedService]) -> tuple[WatchedService, ...]:
    """The services that a name in a rule or in `needs` means: that one, or all instances."""
    if name in watched:
        return (watched[name],)
    if not is_template(name):
        return ()
    return tuple(service for own, service in watched.items() if template_of(own) == name)


def _rule(rule: Rule, template: str, name: str) -> Rule:
    then = tuple(_action(action, template, name) for action in rule.then)
    otherwise = tuple(_action(action, template, name) for action in rule.otherwise)
    return rule._replace(then=then, otherwise=otherwise)


def _action(action: Action, template: str, name: str) -> Action:
    if isinstance(action, (Repair, Signal, Unmonitor)) and action.service == template:
        return action._replace(service=name)
    return action


def _natural(name: str) -> list[str | int]:
    """Sorts `worker@2` before `worker@10`."""
    return [int(part) if place % 2 else part for place, part in enumerate(_DIGITS.split(name))]
