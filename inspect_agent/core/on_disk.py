"""What lies in the configuration's folder now, against what was read of it.

It is looked at only when somebody asks, and aside: it may lie on, or link to, a file system that
does not answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from inspect_agent.core.aside import Aside
from inspect_agent.core.loop import Loop
from inspect_agent.model import folder
from inspect_agent.model.folder import Marks
from inspect_agent.typed import Literal, NamedTuple


class Difference(NamedTuple):
    """A file whose present content is not in force."""

    file: str
    how: Literal["new", "changed", "gone"]


class OnDisk:
    """The folder `root`, and what the compiler has found in it."""

    def __init__(self, loop: Loop, root: str) -> None:
        self._in_force: Marks = {}
        self._tried: Marks = {}
        self._now: Marks | None = None
        self._aside = Aside(loop, lambda: scan(root, filter(os.path.isabs, self._tried)))

    def read(self, files: Marks | None, *, sound: bool) -> None:
        """It was compiled; what is sound comes into force. None: the compiler did not say."""
        self._tried = files or self._now or self._tried
        if sound:
            self._in_force = self._tried

    def fall_back(self, files: Marks | None) -> None:
        """The last good configuration comes into force; these files still say what it says."""
        self._in_force = files or {}

    def look(self, then: Callable[[], object]) -> None:
        """Calls back when it is known what lies there, or that the folder does not answer."""
        self._aside.ask(partial(self._looked, then))

    def answers(self) -> bool:
        """Whether it was known at the last look what lies there."""
        return self._now is not None

    def is_news(self) -> bool:
        """Whether that is something else than what was compiled last, sound or not."""
        return self._now is not None and self._now != self._tried

    def differences(self) -> list[Difference]:
        """How it differs from what is in force, file by file."""
        return list(_differences(self._in_force, self._now)) if self._now is not None else []

    def _looked(self, then: Callable[[], object], marks: Marks | None) -> None:
        self._now = marks
        then()


def scan(root: str, elsewhere: Iterable[str]) -> Marks:
    """The marks of what lies there now. May wait for the disk, and raises OSError."""
    marks = {path: _mark(path) for path in elsewhere}
    marks["./"] = _mark_of_folder(root)
    conf = [name for name in folder.CONFS if os.path.lexists(os.path.join(root, name))][:1]
    for name in (*conf, folder.HOST):
        path = os.path.join(root, name)
        if os.path.lexists(path):
            marks[name] = _mark(path)
    for name in folder.FOLDERS:
        path = os.path.join(root, name)
        if os.path.lexists(path):
            marks[f"{name}/"] = _mark_of_folder(path)
            marks.update(_rules(path, name))
    return marks


def _rules(path: str, name: str) -> Iterator[tuple[str, str]]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        for file in sorted(filter(folder.belongs, os.listdir(descriptor))):
            yield folder.named(f"{name}/{file}"), _mark(file, descriptor)
    finally:
        os.close(descriptor)


def _mark(path: str, below: int | None = None) -> str:
    try:
        return folder.mark_of_file(os.stat(path, dir_fd=below))
    except OSError:
        return ""


def _mark_of_folder(path: str) -> str:
    try:
        return folder.mark_of_folder(os.stat(path))
    except OSError:
        return ""


def _differences(in_force: Marks, now: Marks) -> Iterator[Difference]:
    for file in sorted(in_force.keys() | now.keys()):
        before, mark = in_force.get(file), now.get(file)
        if before == mark or file.endswith("/"):
            continue
        if before is None:
            yield Difference(file, "new")
        else:
            yield Difference(file, "changed" if mark else "gone")
