"""What OpenRC keeps in /run/openrc about its services.

    started/NAME, starting/NAME …   its state, a link to its script
    failed/NAME                     supervise-daemon has given it up, or it failed in a runlevel
    daemons/NAME/001 …              one for each daemon of start-stop-daemon or supervise-daemon:
                                    exec=, argv_0= …, and pidfile=, which may be empty
    options/NAME/pidfile            the PID file, also where start-stop-daemon is Debian's
    options/NAME/child_pid          the daemon below its supervise-daemon
    options/NAME/argc               what supervise-daemon keeps to start it again
    options/NAME/chroot             where the PID file is
    exclusive/NAME                  locked by flock(2) while somebody starts or stops it

As of librc.c, librc-daemon.c and supervise-daemon.c in https://github.com/OpenRC/openrc.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from inspect_agent.errors import ManagerError
from inspect_agent.managers.pid_files import mark

FOLDER = "/run/openrc"
STATES = ("stopping", "starting", "inactive", "started", "failed")
"""In the order in which `rc-service NAME status` asks for them; in none of them it is stopped."""

AT_REST = ("failed", "stopped")
"""Where OpenRC has nothing to stop any more."""

_ENOUGH = 64 * 1024


class Records:
    """Reads below `folder`; names are those of init scripts."""

    def __init__(self, root: str = "") -> None:
        self.folder = root + FOLDER
        self._root = root

    def check(self) -> None:
        """Raises ManagerError where OpenRC has not brought the machine up, or not any more."""
        if not os.path.exists(f"{self.folder}/softlevel"):
            raise ManagerError(f"there is no {self.folder}/softlevel: OpenRC is in no runlevel")

    def state(self, name: str) -> str:
        """One of STATES, or `stopped`."""
        for state in STATES:
            if os.path.exists(f"{self.folder}/{state}/{name}"):
                return state
        return "stopped"

    def started_at(self, name: str) -> str:
        """A text that is another one each time that it has been started."""
        try:
            return mark(os.lstat(f"{self.folder}/started/{name}"))
        except OSError:
            return ""

    def is_supervised(self, name: str) -> bool:
        """Whether supervise-daemon runs it."""
        return any(os.path.exists(self.option(name, it)) for it in ("argc", "child_pid"))

    def option(self, name: str, option: str) -> str:
        """The path of one of its options."""
        return f"{self.folder}/options/{name}/{option}"

    def pid_files(self, name: str) -> list[str]:
        """The PID file of each of its daemons, "" where a daemon has none."""
        chroot = _text(self.option(name, "chroot")).strip()
        files = [_values(_text(path)).get("pidfile", "") for path in self._daemons(name)]
        files = files or list(filter(None, [_text(self.option(name, "pidfile")).strip()]))
        return [file and f"{self._root}{chroot}{file}" for file in files]

    def is_busy(self, name: str) -> bool:
        """Whether somebody is just starting or stopping it, as far as that can be seen."""
        try:
            info = os.lstat(f"{self.folder}/exclusive/{name}")
        except OSError:
            return False
        held = f" {os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino} "
        try:
            with open(f"{self._root}/proc/locks", encoding="ascii") as locks:  # proc_locks(5)
                return any(held in line for line in locks)
        except OSError:
            return True

    def _daemons(self, name: str) -> list[str]:
        folder = f"{self.folder}/daemons/{name}"
        try:
            return sorted(f"{folder}/{entry}" for entry in os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise ManagerError(f"{folder} cannot be read: {error.strerror}") from error


def _values(text: str) -> Mapping[str, str]:
    parts = (line.partition("=") for line in text.split("\n"))
    return {name: value for name, _, value in parts}


def _text(path: str) -> str:
    """What is in a plain file; nothing where there is none. Raises ManagerError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            plain = stat.S_ISREG(os.fstat(fd).st_mode)
            return os.read(fd, _ENOUGH).decode(errors="replace") if plain else ""
        finally:
            os.close(fd)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise ManagerError(f"{path} cannot be read: {error.strerror}") from error
