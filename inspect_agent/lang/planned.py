"""Words of the language whose source, manager or engine this version does not have.

They parse, and are a problem with the words “not in this version”. What a release adds loses its
row here. docs/language.md lists the same words; a test compares both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from inspect_agent.lang.problems import Wrong

Kind = Literal[
    "check",
    "clause",
    "parameter",
    "channel parameter",
    "family",
    "channel",
    "setting",
]

PLANNED: Mapping[Kind, tuple[str, ...]] = {
    "check": ("jobs",),
    "clause": ("expose",),
    "parameter": (
        *("url", "contains", "timeout"),
        *("username", "password", "socket", "hostname", "port", "endpoint"),
    ),
    "channel parameter": ("limit",),
    "family": (
        *("mysql", "postgresql", "redis", "memcached", "nginx", "memstats", "sidekiq"),
        *("http", "tls", "tcp", "ping", "program", "file", "log", "json", "prometheus"),
        *("readonly", "pressure", "agent"),
    ),
    "channel": ("slack", "pagerduty", "webhook", "alertmanager", "run"),
    "setting": ("statsd_location", "expose_port", "heartbeat_url", "history"),
}
"""By what they are in the language."""


def planned(kind: Kind, word: str) -> bool:
    """Whether this word is to come."""
    return word in PLANNED[kind]


def not_yet(what: str) -> Wrong:
    """The problem that says so."""
    return Wrong(f"not in this version: {what}")
