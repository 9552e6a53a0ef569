"""Scripts as other users."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys

import pytest

NOBODY = pwd.getpwnam("nobody")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


BECOME = ("-m", "inspect_agent.workers.become")


def run(name: str, script: str, module: tuple[str, ...] = BECOME) -> tuple[int, str, str]:
    """Exit status, output and errors of a script."""
    ended = subprocess.run(
        [sys.executable, "-I", *module, name, script],
        env={"INSPECT_RULE": "x", "LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


@needs_root
def test_a_script_as_another_user() -> None:
    """With their groups and what a login sets, and nothing else but what it was given."""
    groups = " ".join(map(str, os.getgrouplist("nobody", NOBODY.pw_gid)))
    status, output, errors = run("nobody", "id -u; id -g; id -G; pwd; env | sort; exit 3")
    assert (status, errors) == (3, "")
    assert output.splitlines() == [
        str(NOBODY.pw_uid),
        str(NOBODY.pw_gid),
        groups,
        "/",
        f"HOME={NOBODY.pw_dir}",
        "INSPECT_RULE=x",
        "LC_ALL=C",
        "LOGNAME=nobody",
        "PATH=/usr/bin:/bin",
        "PWD=/",
        f"SHELL={NOBODY.pw_shell}",
        "USER=nobody",
    ]


@needs_root
def test_there_is_no_way_back() -> None:
    """Real, effective and saved user and group are all the other's."""
    script = "grep -E '^(Uid|Gid)' /proc/self/status | tr -s '\\t ' ' '"
    uid, gid = NOBODY.pw_uid, NOBODY.pw_gid
    ids = f"Uid: {uid} {uid} {uid} {uid}\nGid: {gid} {gid} {gid} {gid}\n"
    assert run("nobody", script) == (0, ids, "")


def test_a_script_as_the_own_user() -> None:
    """Which also an agent may that is not root."""
    name = pwd.getpwuid(os.geteuid()).pw_name
    assert run(name, "echo $USER; id -u") == (0, f"{name}\n{os.geteuid()}\n", "")


@needs_root
def test_who_may_not_become_another_user() -> None:
    """An agent that is not root runs no scripts as others."""
    as_nobody = (
        "import os, sys; from inspect_agent.workers.become import main;"
        f"os.setuid({NOBODY.pw_uid}); sys.exit(main(*sys.argv[1:]))"
    )
    words = "cannot run it as root: Operation not permitted\n"
    assert run("root", "id", ("-c", as_nobody)) == (1, "", words)


@pytest.mark.parametrize("name", ["no such user", "", "-x"])
def test_a_user_that_there_is_not(name: str) -> None:
    """Is told."""
    assert run(name, "id") == (1, "", f"there is no user {name}\n")
