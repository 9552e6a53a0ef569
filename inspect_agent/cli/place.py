"""FILE[:LINE] on a command line: which configuration it belongs to, and its name there."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from inspect_agent.folder import CONFS, FOLDERS, HOST, belongs
from inspect_agent.lang.problems import Wrong, shown

_PLACE = re.compile(r"(.+?)(?::([0-9]{1,9}))?(?::[0-9]{1,9})?", re.DOTALL)


class Place(NamedTuple):
    """A file of a configuration, and perhaps a line of it.

    root   the configuration's folder
    file   the file's name below it, as problems have it: `services.d/x.inq`
    """

    root: str
    file: str
    line: int | None


def place(given: str, default_root: str) -> Place | Wrong:
    """What was given, as problems print it, too: FILE, FILE:LINE or FILE:LINE:COLUMN.

    A relative path is looked up in the present folder, then below the default root.
    """
    for path, line in _readings(given):
        for base in (".", default_root):
            full = os.path.join(base, path)
            if os.path.lexists(full):
                return _belonging(os.path.abspath(full), line)
    return Wrong("no such file", f"neither here nor below {default_root}")


def _readings(given: str) -> list[tuple[str, int | None]]:
    """A file's name may end like a place."""
    match = _PLACE.fullmatch(given)
    if match is None or match[1] == given:
        return [(given, None)]
    return [(given, None), (match[1], int(match[2]))]


def _belonging(path: str, line: int | None) -> Place | Wrong:
    folder, name = os.path.split(path)
    upper, folder_name = os.path.split(folder)
    if folder_name in FOLDERS and belongs(name):
        return Place(upper, shown(f"{folder_name}/{name}", 200), line)
    if name in (*CONFS, HOST):
        return Place(folder, name, line)
    if os.path.isdir(path):
        return Wrong("a folder, not a file", "`inspectctl check DIR` looks at a whole folder")
    return Wrong(
        "the agent does not read such a file",
        f"it reads {CONFS[0]}, host.inq, services.d/*.inq and jobs.d/*.inq",
    )
