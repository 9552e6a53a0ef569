"""Init scripts: where they are, whether they may be run, and what can be read out of their text.

The text is read, never run, to find PID files, in up to LONGEST bytes of it:

    # pidfile: /run/app.pid                the header of chkconfig(8)
    PIDFILE=/run/$NAME.pid                 any name that ends in PIDFILE or PID_FILE, either case,
                                           with what was assigned above, or ${NAME:-this}
    --pidfile /run/app.pid                 the option of start-stop-daemon(8)

Whatever needs a shell to be understood (`$(…)`, `${NAME##*/}`) is passed over.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.managers.pid_files import mark
from inspect_agent.model.observation import Observation
from inspect_agent.typed import NamedTuple

LONGEST = 64 * 1024
NAME_MAX = 255
MOST_PID_FILES = 8

_NAME = re.compile(r"[A-Za-z0-9_][\w.+@:-]*", re.ASCII)
_WORD = r"(\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|\"']*)(?=[\s;&|]|$)"
_HEADER = re.compile(r"^#[ \t]*pidfile:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
_ASSIGNMENT = re.compile(rf"^[ \t]*(?:(?:export|local)[ \t]+)?([A-Za-z_]\w*)={_WORD}", re.ASCII)
_OPTION = re.compile(rf"--pidfile[= \t]+{_WORD}")
_PID_VARIABLE = re.compile(r"\w*pid_?file", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-([^${}]*))?\})", re.ASCII)
_PATH = re.compile(r"(?!.*/\.\./)/[\w./@:+,-]*[\w@:+,-]", re.ASCII)
_STATUS = re.compile(r"^(?:#!)?[^#\n]*\b(?:status|init-d-script)", re.MULTILINE)
_OPENRC = re.compile(r"#!.*\b(?:openrc-run|runscript)\b")
_OTHERS_WRITE = stat.S_IWOTH | stat.S_IWGRP


class Script(NamedTuple):
    """An init script and what its text tells.

    pid_files     those that it names, or else those that there usually are: `guessed`
    tells_status  it seems to have a `status` action
    of_openrc     openrc-run(8) runs it
    """

    path: str
    pid_files: tuple[str, ...]
    guessed: bool
    tells_status: bool
    of_openrc: bool


class Scripts:
    """Init scripts of one kind: of OpenRC, or of the others; each read anew when its file changes.

    `folders` are looked into in their order. `root` is where the machine's files are, "" for this
    machine's own.
    """

    def __init__(self, folders: Sequence[str], root: str = "", *, of_openrc: bool) -> None:
        self._folders, self._root, self._of_openrc = folders, root, of_openrc
        self._known: dict[str, tuple[str, Script]] = {}

    def find(self, name: str) -> Script | Observation:
        """A service's script, or why it has none. Raises ManagerError for one not to be run."""
        if not is_name(name):
            return _absent(f"{name[:80]!r} cannot be the name of an init script")
        for folder in self._folders:
            path = f"{self._root}{folder}/{name}"
            info = _executable(path)
            if info is not None:
                _check(path, info)
                return self._of_its_kind(self._read(name, path, mark(info)))
        return _absent(f"there is no executable {name} in {', '.join(self._folders)}")

    def names(self) -> list[str]:
        """The services that have a script that may be run."""
        entries = {entry for folder in self._folders for entry in _entries(self._root + folder)}
        return sorted(filter(self._has, entries))

    def _has(self, name: str) -> bool:
        try:
            return isinstance(self.find(name), Script)
        except ManagerError:
            return False

    def _of_its_kind(self, script: Script) -> Script | Observation:
        if script.of_openrc == self._of_openrc:
            return script
        # rc-service runs other scripts, too, but OpenRC keeps no record of them
        kind = "no script of openrc-run" if self._of_openrc else "a script of OpenRC"
        return _absent(f"{script.path} is {kind}")

    def _read(self, name: str, path: str, marked: str) -> Script:
        known = self._known.get(path)
        if known is None or known[0] != marked:
            known = self._known[path] = (marked, parse(name, path, _text(path), self._root))
        return known[1]


def is_name(name: str) -> bool:
    """Whether a script may be called so: nothing that is a path, a pattern or an option."""
    return _NAME.fullmatch(name) is not None and len(name) <= NAME_MAX


def parse(name: str, path: str, text: str, root: str = "") -> Script:
    """What a script's text tells."""
    named = dict.fromkeys(found for found in _named(name, text) if _PATH.fullmatch(found))
    usual = (f"/run/{name}.pid", f"/run/{name}/{name}.pid")
    pid_files = tuple(named)[:MOST_PID_FILES] or usual
    return Script(
        path,
        pid_files=tuple(root + file for file in pid_files),
        guessed=not named,
        tells_status=_STATUS.search(text) is not None,
        of_openrc=_OPENRC.match(text) is not None,
    )


def _named(name: str, text: str) -> Iterator[str]:
    yield from _HEADER.findall(text)
    values = {"RC_SVCNAME": name, "SVCNAME": name}  # openrc-run(8) sets these
    for line in text.split("\n"):
        assigned = _ASSIGNMENT.match(line)
        if assigned:
            variable, value = assigned[1], _expand(assigned[2], values)
            values[variable] = value
            if _PID_VARIABLE.fullmatch(variable):
                yield value
        for word in _OPTION.findall(line):
            yield _expand(word, values)


def _expand(word: str, values: dict[str, str]) -> str:
    """What a shell would make of a word; what needs one to be understood keeps its `$`."""
    if word.startswith("'"):
        return word.strip("'")

    def value(match: re.Match[str]) -> str:
        return values.get(match[1] or match[2]) or match[3] or match[0]

    return _VARIABLE.sub(value, word.strip('"'))


def _absent(reason: str) -> Observation:
    return Observation("absent", reason=reason)


def _executable(path: str) -> os.stat_result | None:
    try:
        info = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ManagerError(f"{path} cannot be read: {error.strerror}") from error
    return info if stat.S_ISREG(info.st_mode) and info.st_mode & 0o111 else None


def _check(path: str, info: os.stat_result) -> None:
    """Raises ManagerError where root would run what others wrote."""
    if os.geteuid() != 0:
        return
    if info.st_uid != 0:
        raise ManagerError(f"{path} belongs to user {info.st_uid}, so it is not run as root")
    writable = info.st_mode & _OTHERS_WRITE
    if writable & stat.S_IWOTH or (writable and info.st_gid != 0):
        raise ManagerError(f"{path} may be written by others, so it is not run as root")


def _text(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(fd, LONGEST).decode("latin-1")
        finally:
            os.close(fd)
    except OSError as error:
        raise ManagerError(f"{path} cannot be read: {error.strerror}") from error


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ManagerError(f"{folder} cannot be read: {error.strerror}") from error
