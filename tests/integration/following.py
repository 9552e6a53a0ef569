"""A log, followed line by line while it is written."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import NamedTuple

from tests.integration.place import Process

GUARD_S = 60.0
"""Nothing that is waited for takes so long: it keeps a test from hanging."""


class Line(NamedTuple):
    """A line of the agent's log; `at` is its stamp, in seconds since 1970."""

    at: float
    level: str
    text: str


class Log:
    """What processes wrote, one after the other; waiting goes on behind what was found last."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.read_to = 0
        self.open = True
        self._news = threading.Condition()

    def follow(self, process: Process) -> threading.Thread:
        """Takes in all that a process writes; the thread that does it."""
        self.open = True
        thread = threading.Thread(target=self._follow, args=(process,), daemon=True)
        thread.start()
        return thread

    def wait(self, pattern: str) -> tuple[Line, re.Match[str]]:
        """Waits for a line that holds this."""
        found: list[tuple[Line, re.Match[str]]] = []

        def look() -> bool:
            while not found and self.read_to < len(self.lines):
                line = self.lines[self.read_to]
                self.read_to += 1
                match = re.search(pattern, line.text)
                if match:
                    found.append((line, match))
            return bool(found)

        before = self.read_to
        self.until(look, lambda: f"not logged after line {before}: {pattern}")
        return found[0]

    def until(self, holds: Callable[[], bool], complaint: Callable[[], str]) -> None:
        """Asks at every line, and a few times a second, until this holds."""
        guard = time.monotonic() + GUARD_S
        may_come = self.open
        while not holds():
            assert may_come, f"{complaint()} (the process has ended)"
            assert time.monotonic() < guard, complaint()
            may_come = self.open
            with self._news:
                self._news.wait(0.05)

    def _follow(self, process: Process) -> None:
        assert process.stdout is not None
        with process.stdout as out:
            for text in out:
                with self._news:
                    self.lines.append(_line(text.rstrip("\n")))
                    self._news.notify_all()
        self.open = False


def _line(text: str) -> Line:
    """`2026-11-21T10:24:21.505Z INFO    text`; what has no stamp is somebody else's word."""
    stamp, level, said = text[:24], text[25:32].rstrip(), text[33:]
    try:
        at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return Line(0.0, "", text)
    return Line(at.timestamp(), level, said)
