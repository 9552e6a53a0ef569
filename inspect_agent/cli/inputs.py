"""What FILES on a command line name, and what is in them.

A file, `-` for standard input, or a folder: every file of a configuration that is below it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from inspect_agent.folder import CONFS
from inspect_agent.lang import disk
from inspect_agent.lang.files import MOST_BYTES
from inspect_agent.lang.problems import Wrong, shown

STANDARD_INPUT = "-"
_ANYBODY = -1  # whose file it is matters to the agent that loads it


class Input(NamedTuple):
    """A file's bytes, or why there are none; `path` may be `-`."""

    path: str
    content: bytes | Wrong

    @property
    def name(self) -> str:
        """The path as people may see it."""
        return "standard input" if self.path == STANDARD_INPUT else shown(self.path, 4096)


def inputs(given: str) -> Iterator[Input]:
    """What one of FILES stands for. A folder whose name is that of a file is an error, as there."""
    if given == STANDARD_INPUT:
        yield Input(given, _standard_input())
    elif os.path.isdir(given) and not _named(os.path.basename(given.rstrip("/"))):
        yield from _below(given)
    else:
        yield Input(given, _content(given))


def _below(top: str) -> Iterator[Input]:
    """In the order of the names, each folder once: links may lead in circles."""
    waiting, seen = [top], set[tuple[int, int] | None]()
    while waiting:
        folder = waiting.pop()
        names, identity = disk.names(folder, _ANYBODY), _identity(folder)
        if isinstance(names, Wrong):
            yield Input(folder, names)
            continue
        if identity in seen:
            continue
        seen.add(identity)
        paths = [os.path.join(folder, name) for name in names]
        yield from (Input(path, _content(path)) for path in paths if _named(path))
        waiting += [path for path in reversed(paths) if os.path.isdir(path) and not _named(path)]


def _identity(folder: str) -> tuple[int, int] | None:
    """What tells one folder from another; None where it is gone."""
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _named(path: str) -> bool:
    """Whether a file of this name belongs to a configuration."""
    return path.endswith(".inq") or os.path.basename(path) in CONFS


def _content(path: str) -> bytes | Wrong:
    content = disk.read(path, _ANYBODY, MOST_BYTES)
    return content if isinstance(content, Wrong) else content.data


def _standard_input() -> bytes | Wrong:
    try:
        with open(0, "rb", closefd=False) as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        return Wrong(f"cannot be read: {(error.strerror or 'no reason given').lower()}")
    if len(data) > MOST_BYTES:
        return Wrong(f"too large: more than {MOST_BYTES // 1024} KiB")
    return data
