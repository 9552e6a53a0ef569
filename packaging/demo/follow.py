"""The agent's log, read as it is written: what the demo waits for are lines of it."""

from __future__ import annotations

import os
import re
import select
import subprocess
from datetime import datetime  # noqa: TID251  # reads the log's stamps, not the clock
from typing import NamedTuple

from inspect_agent import clock

_LINE = re.compile(r"(\S+Z) [A-Z]+ +(.*)")
LAST_LINES = 20


class Failed(Exception):
    """Something that the demo promises did not happen; the text says what."""


class Line(NamedTuple):
    """One line of the log.

    number  how many were before it
    at_ms   its stamp, in milliseconds since 1970
    found   the groups of the pattern that was waited for
    """

    number: int
    at_ms: int
    text: str
    found: tuple[str, ...]


class Follow:
    """Reads the agent's standard output until `until`, on the clock of `clock.now()`."""

    def __init__(self, fd: int, until: float, agent: subprocess.Popen[bytes]) -> None:
        self._fd, self._until, self._agent = fd, until, agent
        self._lines: list[str] = []
        self._rest = b""

    @property
    def count(self) -> int:
        """How many lines there are so far."""
        return len(self._lines)

    def wait(self, what: str, pattern: str, after: int = 0) -> Line:
        """The first line from number `after` on that has the pattern in it. Raises Failed."""
        number = after
        while True:
            while number >= len(self._lines):
                self._read(what)
            line = _LINE.match(self._lines[number])
            match = re.search(pattern, line[2]) if line else None
            if line and match:
                return Line(number, _milliseconds(line[1]), line[2], match.groups())
            number += 1

    def last(self) -> str:
        """The last lines, for when something went wrong."""
        return "\n".join(f"    {line}" for line in self._lines[-LAST_LINES:])

    def _read(self, what: str) -> None:
        left_s = self._until - clock.now()
        readable, _, _ = select.select([self._fd], [], [], max(0.0, left_s))
        if not readable:
            raise Failed(f"the time is over, and this did not happen: {what}")
        data = os.read(self._fd, 65536)
        if not data:
            status = self._agent.wait()
            raise Failed(f"the agent ended (exit {status}), and this did not happen: {what}")
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines += [line.decode(errors="replace") for line in lines]


def _milliseconds(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1000)
