"""Names of services and routes: what was one in Inspeqtor is one here, keyword or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inspeqtor.moving import M, meaning, moved, sound, when

NAMES = (
    *("redis@6379", "org.example.worker", "my_app-2", "7zip", "100", "/opt/app", "Ωmega"),
    *("o'brien", "a=b", "a!", "!a", "=a", "{a}", "`a`", "$a", "%a", "&a", "*a", "+a", "-a"),
    *("?a", "^a", "a|b", "~a", "checkmate", "services", "hostapd", "exposed", "withy", "iffy"),
    *("restarter", "reload.d", "alertd", "forever", "then-what", "cycles2"),
    *("probe", "jobs", "down", "failed", "restarted", "stale", "outdated", "and", "or", "until"),
    *("of", "cycle", "as", "else", "start", "stop", "signal", "run", "unmonitor", "fails", "info"),
)
"""Names of services: all characters of Inspeqtor's words, its keywords within others, and words
that were none in it and are keywords here."""

CALLED = tuple(sorted({*NAMES} - {"as", "else"}))
"""Names of routes: the same, without the two that have to be quoted here."""


@pytest.mark.parametrize("name", NAMES)
def test_names_of_services(tmp_path: Path, name: str) -> None:
    """A word that Inspeqtor takes for a service's name is that name."""
    text = f"check service {name}\n  if memory:rss > 1m then alert\n"
    (service,) = sound(moved(tmp_path, {"services.d/x.inq": text})).services
    assert (service.name, [meaning(rule) for rule in service.rules]) == (
        name,
        [when("memory:rss", ">", M, "alert")],
    )


@pytest.mark.parametrize("name", CALLED)
def test_names_of_routes(tmp_path: Path, name: str) -> None:
    """A word that Inspeqtor takes for a route's name is that name, as an owner and in a rule."""
    conf = f"send alerts to {name} via gmail with username a, password b, to_email c@example.org"
    text = f"check service x with owner {name}\n  if memory:rss > 1m then alert {name}, restart\n"
    config = sound(moved(tmp_path, {"inspeqtor.conf": conf, "services.d/x.inq": text}))
    (service,) = config.services
    assert [to.route for to in config.destinations] == [name, ""]
    assert (service.owner, [meaning(rule) for rule in service.rules]) == (
        name,
        [when("memory:rss", ">", M, f"alert {name}", "restart")],
    )
