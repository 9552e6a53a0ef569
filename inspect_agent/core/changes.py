"""What a new configuration changes, check by check."""

from __future__ import annotations

from inspect_agent.model.config import Config
from inspect_agent.model.target import HostCheck, ProbeCheck, ServiceCheck
from inspect_agent.typed import NamedTuple, Union

Check = Union[HostCheck, ProbeCheck, ServiceCheck]


class Changes(NamedTuple):
    """By names of services and templates, and `probe NAME`; host: whether its rules changed."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    host: bool


def changes(before: Config, after: Config) -> Changes:
    """What is another check, or means something else; where it is written does not matter."""
    old, new = _checks(before), _checks(after)
    return Changes(
        added=tuple(name for name in new if name not in old),
        changed=tuple(name for name in new if name in old and new[name] != old[name]),
        removed=tuple(name for name in old if name not in new),
        host=_meaning(before.host) != _meaning(after.host),
    )


def _checks(config: Config) -> dict[str, Check]:
    services = {check.name: _meaning(check) for check in config.services}
    return services | {f"probe {check.name}": _meaning(check) for check in config.probes}


def _meaning(check: Check) -> Check:
    """A check without the places where it was written."""
    rules = tuple(rule._replace(place="") for rule in check.rules)
    if isinstance(check, HostCheck):
        return check._replace(rules=rules)
    return check._replace(place="", rules=rules)
