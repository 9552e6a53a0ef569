"""Where things are: the system's folders for root, those of XDG for others."""

from __future__ import annotations

import os

import pytest

from inspect_agent.cli import paths

HOME = os.path.expanduser("~")


def test_roots_agent_uses_the_systems_folders() -> None:
    """Whatever root's own environment says of its folders."""
    environment = {"XDG_CONFIG_HOME": "/x", "XDG_RUNTIME_DIR": "/x", "XDG_STATE_HOME": "/x"}
    assert paths.config_root(environment, 0) == "/etc/inspect-agent"
    assert paths.socket_path(environment, 0) == "/run/inspect-agent/inspect.sock"
    assert paths.state_dir(environment, 0) == "/var/lib/inspect-agent"


def test_others_use_their_own() -> None:
    """As the XDG Base Directory Specification has them."""
    environment = {
        "XDG_CONFIG_HOME": "/home/u/conf",
        "XDG_RUNTIME_DIR": "/run/user/1000",
        "XDG_STATE_HOME": "/home/u/state",
    }
    assert paths.config_root(environment, 1000) == "/home/u/conf/inspect-agent"
    assert paths.socket_path(environment, 1000) == "/run/user/1000/inspect-agent/inspect.sock"
    assert paths.state_dir(environment, 1000) == "/home/u/state/inspect-agent"


@pytest.mark.parametrize("empty", [{}, dict.fromkeys(("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), "")])
def test_without_them_there_are_defaults(empty: dict[str, str]) -> None:
    """An empty variable is none."""
    assert paths.config_root(empty, 1000) == f"{HOME}/.config/inspect-agent"
    assert paths.socket_path(empty, 1000) == f"{HOME}/.local/run/inspect-agent/inspect.sock"
    assert paths.state_dir(empty, 1000) == f"{HOME}/.local/state/inspect-agent"


@pytest.mark.parametrize("uid", [0, 1000])
def test_a_variable_names_the_socket(uid: int) -> None:
    """Inspeqtor's is for its users' scripts."""
    ours, theirs = {"INSPECT_SOCK": "/ours"}, {"INSPEQTOR_SOCK": "/theirs"}
    assert paths.socket_path(ours, uid) == "/ours"
    assert paths.socket_path(theirs, uid) == "/theirs"
    assert paths.socket_path({**ours, **theirs}, uid) == "/ours"
    assert paths.socket_path({**theirs, "INSPECT_SOCK": ""}, uid) == "/theirs"
