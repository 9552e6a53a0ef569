"""Which service managers run here now, asked of the running system in microseconds.

Their folders and tools may be there without them: Ubuntu 16.04 has /etc/init/*.conf under systemd.
`root` is where the machine's files are, "" for this machine's own.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Mapping

OWN_NAMES = ("inspect-agent", "inspeqtor")
"""What checks call the agent itself: its own name, and Inspeqtor's, whose users edit no file."""

RUNIT_FOLDERS = ("/etc/service", "/service", "/var/service", "/run/runit/service")
"""Where runsvdir looks for services, by Debian, by runit's own documentation, by Void, by Artix."""

S6_FOLDERS = ("/run/service", "/run/s6/services", "/var/run/s6/services", "/service")
"""Where s6-svscan looks for services, by s6-linux-init and s6-overlay."""

SUPERVISORD_CONFS = (
    "/usr/local/etc/supervisord.conf",
    "/etc/supervisord.conf",
    "/etc/supervisor/supervisord.conf",
)
"""Where supervisorctl looks for its configuration, the first that is there."""

_ENOUGH = 64 * 1024  # characters of a configuration; its servers stand at the top
_OPENRC_BOOTED = "/run/openrc/softlevel"  # openrc itself refuses to act without it


def systemd(root: str = "") -> bool:
    """Whether PID 1 is systemd."""
    return _init(root) == b"systemd"


def upstart(root: str = "") -> bool:
    """Whether PID 1 is called init, and Upstart's tool is there; SysV's init has none."""
    return _init(root) == b"init" and any(
        os.path.exists(f"{root}{folder}/initctl") for folder in ("/sbin", "/usr/sbin", "/bin")
    )


def openrc(root: str = "") -> bool:
    """Whether OpenRC has brought the machine into a runlevel."""
    return os.path.exists(root + _OPENRC_BOOTED)


def runit(root: str = "") -> bool:
    """Whether a runsv supervises something."""
    return any(
        is_read(f"{folder}/{name}/supervise/ok")
        for folder in (root + place for place in RUNIT_FOLDERS)
        for name in _names(folder)
    )


def s6(root: str = "") -> bool:
    """Whether an s6-svscan reads the orders of a scan directory."""
    return any(is_read(f"{root}{place}/.s6-svscan/control") for place in S6_FOLDERS)


def supervisord(root: str = "") -> bool:
    """Whether its socket has a listener; where none is plainly named, whether it is configured."""
    conf = next((root + path for path in SUPERVISORD_CONFS if os.path.exists(root + path)), "")
    if not conf:
        return False
    path = _socket_of(conf)
    return path is None or is_listened_to(root + path)


def initd(root: str = "") -> bool:
    """Whether there are init scripts: nothing has to run for them, also in a container."""
    return os.path.isdir(f"{root}/etc/init.d")


def always(root: str = "") -> bool:
    """Nothing has to run for it."""
    return True


RUNS: Mapping[str, Callable[[str], bool]] = {
    "systemd": systemd,
    "upstart": upstart,
    "openrc": openrc,
    "runit": runit,
    "s6": s6,
    "supervisord": supervisord,
    "init.d": initd,
    "self": always,
    "pidfile": always,
}
"""By the names of the registry."""


def runs(name: str) -> bool:
    """Whether the manager of this name runs on this machine now."""
    return RUNS[name]("")


def is_read(fifo: str) -> bool:
    """Whether somebody holds this pipe open to read from it: fifo(7), ENXIO."""
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def is_listened_to(path: str) -> bool:
    """Whether somebody accepts connections at a socket: connect(2), unix(7)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:  # it is busy, or not for us: asking it says so
            return True
    return True


def _socket_of(conf: str) -> str | None:
    """`file` of `[unix_http_server]`; None: there is none, or it is to be expanded."""
    section = ""
    for line in _lines(conf):
        key, _, value = line.partition("=")
        if line.startswith("["):
            section = line.strip()
        elif section == "[unix_http_server]" and key.strip() == "file":
            path = re.split(r"\s[;#]", value, maxsplit=1)[0].strip()
            return None if "%" in path or not path.startswith("/") else path
    return None


def _lines(path: str) -> list[str]:
    try:
        with open(path, errors="replace") as file:
            return file.read(_ENOUGH).splitlines()
    except OSError:
        return []


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _init(root: str) -> bytes:
    try:
        with open(f"{root}/proc/1/comm", "rb") as file:
            return file.read().strip()
    except OSError:
        return b""
