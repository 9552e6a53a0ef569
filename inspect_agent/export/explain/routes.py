"""Routes in words: `the default route (email to ops@example.com)`.

A destination's parameters may hold secrets, a URL is one: nothing of them is told but the addresses
of mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from email.utils import parseaddr

from inspect_agent.export.explain.layout import listed, named
from inspect_agent.model.config import Destination
from inspect_agent.model.rule import Alert, Severity

_MAIL = ("email", "gmail")
_OWN_WORDS = {"log": "the log", "null": "nobody: it is dropped"}
_SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


def routes(destinations: Iterable[Destination]) -> Mapping[str, str]:
    """Each route that has destinations, by its name."""
    found: dict[str, list[Destination]] = {}
    for destination in destinations:
        found.setdefault(destination.route, []).append(destination)
    return {route: f"{called(route)} ({_channels(some)})" for route, some in found.items()}


def severities(alerts: Iterable[Alert]) -> dict[str, Severity]:
    """The routes that these alert; of two alerts to one route the graver counts."""
    found: dict[str, Severity] = {}
    for alert in alerts:
        graver = max(found.get(alert.route, "info"), alert.severity, key=_SEVERITIES.index)
        found[alert.route] = graver
    return found


def called(route: str) -> str:
    """A route without its destinations."""
    return f"the route {named(route)}" if route else "the default route"


def _channels(destinations: Iterable[Destination]) -> str:
    by_channel: dict[str, list[Destination]] = {}
    for destination in destinations:
        by_channel.setdefault(destination.channel, []).append(destination)
    return "; ".join(_channel(channel, some) for channel, some in by_channel.items())


def _channel(channel: str, destinations: list[Destination]) -> str:
    if channel in _MAIL:
        return f"{channel} to {listed(_addresses(destinations))}"
    words = _OWN_WORDS.get(channel, channel)
    return words if len(destinations) == 1 else f"{words} {len(destinations)} times"


def _addresses(destinations: Iterable[Destination]) -> Iterator[str]:
    for destination in destinations:
        yield parseaddr(dict(destination.params)["to_email"])[1]
