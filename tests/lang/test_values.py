"""Values of parameters and settings."""

from __future__ import annotations

import pytest

from inspect_agent.lang import values
from inspect_agent.lang.problems import Wrong
from inspect_agent.model.metric import Param, ParamKind
from inspect_agent.model.target import Budget


def test_a_budget() -> None:
    """A budget is so many repairs in so long."""
    assert values.budget("3/10m") == Budget(3, 600.0)
    assert values.budget("5 / 1 hour") == Budget(5, 3600.0)


@pytest.mark.parametrize("text", ["3", "/10m", "3/", "0/10m", "3/0s", "-1/10m", "3/10x", "1.5/10m"])
def test_what_is_no_budget(text: str) -> None:
    """At least one repair in at least a second, or it is wrong."""
    assert isinstance(values.budget(text), Wrong)


def test_a_command() -> None:
    """A command is split as a shell splits words, and nothing is expanded."""
    assert values.command("""/bin/x --name 'two words' "$HOME" a\\ b""") == (
        *("/bin/x", "--name", "two words", "$HOME", "a b"),
    )
    assert values.command("service x start") == ("service", "x", "start")


@pytest.mark.parametrize("text", ["", "  ", "'", "''", "./x", "bin/x", "~/bin/x", "/bin/x 'y"])
def test_what_is_no_command(text: str) -> None:
    """An empty command, an open quote and a path relative to nothing are wrong."""
    assert isinstance(values.command(text), Wrong)


def test_names() -> None:
    """Names are separated by commas, with or without spaces."""
    assert values.names("postgresql, redis,nginx") == ("postgresql", "redis", "nginx")
    assert isinstance(values.names("postgresql,,redis"), Wrong)
    assert isinstance(values.names(""), Wrong)


def test_several() -> None:
    """A comma separates values; within URLs only before the next one."""
    assert values.several("a@example.com, b@example.com") == ("a@example.com", "b@example.com")
    assert values.several("json://a/?x=1,2, mailto://b") == ("json://a/?x=1,2", "mailto://b")


@pytest.mark.parametrize(
    ("kind", "sound", "unsound"),
    [
        ("text", "anything", " "),
        ("secret", "pa ss", ""),
        ("path", "/etc/x", "etc/x"),
        ("command", "/bin/x y", "x '"),
        ("duration", "5m", "5 fortnights"),
        ("count", "0", "-1"),
        ("port", "65535", "0"),
        ("port", "1", "65536"),
        ("flag", "yes", "maybe"),
        ("choice", "tls", "TLS"),
    ],
)
def test_every_kind_of_parameter(kind: ParamKind, sound: str, unsound: str) -> None:
    """A declared parameter is read by its kind."""
    read = values.of(Param("p", kind, "help", choices=("none", "tls")))
    assert not isinstance(read(sound), Wrong)
    assert isinstance(read(unsound), Wrong)
