"""Runs a shell script as another user: `python -I -m inspect_agent.workers.become USER SCRIPT`.

A process of its own, for to look a user up may mean to ask a directory server, which takes as long
as that likes. It becomes the shell, and sets what login(1) would.
"""

from __future__ import annotations

import os
import pwd
import sys

SHELL = "/bin/sh"


def environment(user: pwd.struct_passwd) -> dict[str, str]:
    """What login(1) sets."""
    return {
        "HOME": user.pw_dir,
        "USER": user.pw_name,
        "LOGNAME": user.pw_name,
        "SHELL": user.pw_shell or SHELL,  # passwd(5)
    }


def become(user: pwd.struct_passwd) -> None:
    """Goes on as this user, with all their groups. Raises OSError."""
    if user.pw_uid == os.geteuid():
        return
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def main(name: str, script: str) -> str:
    """Ends in the shell, or with the reason why it cannot."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return f"there is no user {name}"
    try:
        become(user)
        os.execve(SHELL, ("sh", "-c", script), {**os.environ, **environment(user)})
    except OSError as error:
        return f"cannot run it as {name}: {error.strerror}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
