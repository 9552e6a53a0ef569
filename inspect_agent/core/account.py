"""The user that a command runs as."""

from __future__ import annotations

import os
import pwd

from inspect_agent.errors import StepError
from inspect_agent.typed import Any, NamedTuple


class Account(NamedTuple):
    """A user of this machine; `groups` are all of theirs."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str

    @property
    def environment(self) -> dict[str, str]:
        """What login(1) sets."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "SHELL": self.shell}

    @property
    def identity(self) -> dict[str, Any]:
        """What subprocess.Popen has to change; nothing where the agent is this user already."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": self.groups}


def look_up(name: str) -> Account:
    """The user of this name now. Raises StepError."""
    try:
        entry = pwd.getpwnam(name)
        groups = os.getgrouplist(name, entry.pw_gid)
    except KeyError:
        raise StepError(f"there is no user {name}") from None
    except (OSError, ValueError) as error:
        raise StepError(f"user {name} cannot be looked up: {error}") from error
    shell = entry.pw_shell or "/bin/sh"  # passwd(5)
    return Account(name, entry.pw_uid, entry.pw_gid, tuple(groups), entry.pw_dir, shell)
