"""A configuration's folder: which of its files are read, and what shows that one was written since.

inspect.conf (inspeqtor.conf where it is absent), host.inq, services.d/*.inq, jobs.d/*.inq
"""

from __future__ import annotations

import os
from collections.abc import Mapping

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


def mark_of_file(status: os.stat_result) -> str:
    """Another text as soon as somebody has written to the file, or put another in its place."""
    # not st_mtime: rsync -t, cp -p and tar set it back, and chmod leaves it alone
    return f"{status.st_ino}.{status.st_size}.{status.st_ctime_ns}"


def mark_of_folder(status: os.stat_result) -> str:
    """Another text as soon as other people may write to the folder; files have their own marks."""
    return f"{status.st_mode:o}.{status.st_uid}.{status.st_gid}"
