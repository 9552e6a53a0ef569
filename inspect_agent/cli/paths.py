"""Where things are unless the command line or the environment says otherwise.

Root's agent uses the system's folders, an ordinary user's those of the XDG Base Directory
Specification.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def config_root(environment: Mapping[str, str], uid: int) -> str:
    """The configuration's folder."""
    if uid == 0:
        return "/etc/inspect-agent"
    return _under(environment, "XDG_CONFIG_HOME", "~/.config")


def socket_path(environment: Mapping[str, str], uid: int) -> str:
    """The control socket; $INSPECT_SOCK names another, and so does Inspeqtor's variable."""
    for variable in ("INSPECT_SOCK", "INSPEQTOR_SOCK"):
        if environment.get(variable):
            return environment[variable]
    if uid == 0:
        return "/run/inspect-agent/inspect.sock"
    return os.path.join(_under(environment, "XDG_RUNTIME_DIR", "~/.local/run"), "inspect.sock")


def state_dir(environment: Mapping[str, str], uid: int) -> str:
    """Where state is kept."""
    if uid == 0:
        return "/var/lib/inspect-agent"
    return _under(environment, "XDG_STATE_HOME", "~/.local/state")


def _under(environment: Mapping[str, str], variable: str, otherwise: str) -> str:
    base = environment.get(variable) or os.path.expanduser(otherwise)
    return os.path.join(base, "inspect-agent")
