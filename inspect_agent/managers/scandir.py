"""Folders with a folder a service, as runsvdir and s6-svscan read them.

A supervisor of daemontools' kind holds pipes in the folder of its service open, NAME/supervise/ok
or NAME/supervise/control, so that others can tell that it lives. `root` is where the machine's
files are, "" for this machine's own; `places` are paths below it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Observation

_SHOWN = 80  # characters of a name; what is longer is no file's


def find(root: str, places: Sequence[str], name: str) -> str | None:
    """The folder of a service, without `root`; None: there is none, or it is no service's name."""
    if not _is_possible(name):
        return None
    folders = (f"{place}/{name}" for place in places)
    return next((folder for folder in folders if os.path.isdir(root + folder)), None)


def absent(root: str, places: Sequence[str], name: str) -> Observation:
    """Why `find` found nothing."""
    shown = repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")
    if not _is_possible(name):
        return Observation("absent", reason=f"{shown} cannot be the name of a service")
    here = [place for place in places if os.path.isdir(root + place)] or places
    return Observation("absent", reason=f"no folder {shown} in {' or '.join(here)}")


def folders(root: str, places: Sequence[str]) -> Iterator[str]:
    """The folders that may be services', without `root`; a name in two places is there once."""
    seen: set[str] = set()
    for place in places:
        for name in filter(_is_possible, sorted(_list(root + place))):
            if name not in seen:
                seen.add(name)
                yield f"{place}/{name}"


def unread(pipe: str) -> str:
    """Why nobody is seen to read this pipe, where detect.is_read says so."""
    name = "/".join(pipe.split("/")[-2:])
    try:
        os.stat(pipe, follow_symlinks=False)
    except OSError as error:
        return f"{name}: {error.strerror}"
    return f"nobody reads {name}"


def read(path: str, most: int) -> bytes:
    """The first bytes of a small file. Raises ManagerError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return os.read(fd, most)
        finally:
            os.close(fd)
    except OSError as error:
        raise ManagerError(f"cannot read {path}: {error.strerror}") from error


def _is_possible(name: str) -> bool:
    # both supervisors pass over names with a dot in front: runsvdir(8), s6-svscan's scan directory
    return name.isprintable() and name[:1] not in ("", ".") and "/" not in name


def _list(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
