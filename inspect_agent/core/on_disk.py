"""What lies in the configuration's folder now, against what was read of it.

It is looked at only when somebody asks, and aside: it may lie on, or link to, a file system that
does not answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial

from inspect_agent.core.aside import Aside
from inspect_agent.core.loop import Loop
from inspect_agent.folder import Marks, scan
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


def _differences(in_force: Marks, now: Marks) -> Iterator[Difference]:
    for file in sorted(in_force.keys() | now.keys()):
        before, mark = in_force.get(file), now.get(file)
        if before == mark or file.endswith("/"):
            continue
        if before is None:
            yield Difference(file, "new")
        else:
            yield Difference(file, "changed" if mark else "gone")
