"""A configuration's folder: which of its files are read, and what shows that one has changed.

inspect.conf (inspeqtor.conf where it is absent), host.inq, services.d/*.inq, jobs.d/*.inq
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

CONFS = ("inspect.conf", "inspeqtor.conf")
HOST = "host.inq"
FOLDERS = ("services.d", "jobs.d")

Marks = Mapping[str, str]
"""Name → mark: of each file below the folder, of folders (`services.d/`, the root is `./`), and of
files elsewhere by their path. "" is the mark of what is not there, or cannot be asked for one."""


def belongs(name: str) -> bool:
    """Whether a file of one of FOLDERS is read; those that editors leave beside it are not."""
    return name.endswith(".inq") and not name.startswith(".")


def named(name: str) -> str:
    """A name as Marks have it: one that is not UTF-8, too, is the same behind a pipe."""
    return name.encode(errors="replace").decode()


def scan(root: str, elsewhere: Iterable[str] = ()) -> Marks:
    """The marks of what lies there now. Waits for the disk."""
    marks = {path: mark_of_file(path) for path in elsewhere}
    marks["./"] = _mark_of_folder(root)
    confs = [name for name in CONFS if _is_there(root, name)]
    for name in filter(lambda name: _is_there(root, name), (*confs[:1], HOST)):
        marks[name] = mark_of_file(os.path.join(root, name))
    for name in filter(lambda name: _is_there(root, name), FOLDERS):
        marks[f"{name}/"] = _mark_of_folder(os.path.join(root, name))
        marks.update(_files(root, name))
    return marks


def mark_of_file(path: str, below: int | None = None) -> str:
    """Another text as soon as somebody has written to the file, or put another in its place."""
    try:
        status = os.stat(path, dir_fd=below)
    except (OSError, ValueError):
        return ""
    # not st_mtime: rsync -t, cp -p and tar set it back, and chmod leaves it alone
    return f"{status.st_ino}.{status.st_size}.{status.st_ctime_ns}"


def _mark_of_folder(path: str) -> str:
    """Another text as soon as other people may write to the folder; files have their own marks."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return ""
    return f"{status.st_mode:o}.{status.st_uid}.{status.st_gid}"


def _files(root: str, name: str) -> Iterator[tuple[str, str]]:
    try:
        folder = os.open(os.path.join(root, name), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        for file in sorted(filter(belongs, os.listdir(folder))):
            yield named(f"{name}/{file}"), mark_of_file(file, folder)
    except OSError:
        return
    finally:
        os.close(folder)


def _is_there(root: str, name: str) -> bool:
    return os.path.lexists(os.path.join(root, name))
