"""Users that commands run as: looked up when they are needed."""

from __future__ import annotations

import os
import pwd

import pytest

from inspect_agent.core.account import Account, look_up
from inspect_agent.errors import StepError


def test_a_user_as_the_machine_has_it() -> None:
    """With all groups, and what a login would set."""
    daemon = pwd.getpwnam("daemon")
    found = look_up("daemon")
    assert found[:3] == ("daemon", daemon.pw_uid, daemon.pw_gid)
    assert found.groups == tuple(os.getgrouplist("daemon", daemon.pw_gid))
    assert found.environment == {
        "HOME": daemon.pw_dir,
        "USER": "daemon",
        "LOGNAME": "daemon",
        "SHELL": daemon.pw_shell,
    }


def test_another_user_is_become() -> None:
    """With group and groups."""
    someone = Account("x", os.geteuid() + 1, 7, (7, 8), "/home/x", "/bin/sh")
    assert someone.identity == {"user": os.geteuid() + 1, "group": 7, "extra_groups": (7, 8)}


def test_the_own_user_is_not_become() -> None:
    """Which an agent that is not root may not even try."""
    assert look_up(pwd.getpwuid(os.geteuid()).pw_name).identity == {}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no such user", "there is no user no such user"),
        ("a\0b", "user a\0b cannot be looked up: embedded null byte"),
        ("", "there is no user "),
    ],
)
def test_a_user_that_there_is_not(name: str, why: str) -> None:
    """Is a failure with words."""
    with pytest.raises(StepError) as refused:
        look_up(name)
    assert str(refused.value) == why


def test_half_a_character_is_no_name() -> None:
    """Nor a traceback."""
    with pytest.raises(StepError, match="cannot be looked up"):
        look_up("\ud800")


def test_an_empty_shell_is_sh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As passwd(5) has it."""
    entry = pwd.struct_passwd(("x", "x", 7, 7, "", "/home/x", ""))
    monkeypatch.setattr(pwd, "getpwnam", lambda name: entry)
    monkeypatch.setattr(os, "getgrouplist", lambda name, group: [group])
    assert look_up("x").shell == "/bin/sh"
