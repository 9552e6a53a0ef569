"""The agent's log: lines on standard output, as a service manager wants them.

The standard library's `logging` costs half a megabyte and blocks when nobody reads the pipe. This
log never waits: what cannot be written now is kept for later, and beyond that it is counted.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable

from inspect_agent.model.config import LogLevel

_LEVELS: dict[LogLevel, int] = {"warn": 0, "info": 1, "debug": 2, "verbose": 3}
_SYSLOG = {"warn": "<4>", "info": "<6>", "debug": "<7>", "verbose": "<7>"}  # sd-daemon(3)
_KEPT = 1000
# A pipe that poll calls writable takes PIPE_BUF bytes without blocking (pipe(7)).
_LONGEST = select.PIPE_BUF - 1


class Log:
    """Writes to a descriptor; `stamp` gives the text in front of a line that has none yet."""

    def __init__(self, fd: int, level: LogLevel, stamp: Callable[[], str], journal: bool) -> None:
        self.level = level
        self._fd = fd
        self._stamp = stamp
        self._journal = journal
        self._waiting: deque[bytes] = deque()
        self._dropped = 0
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)

    def warn(self, text: str) -> None:
        """Something an operator should look at."""
        self._write("warn", text)

    def info(self, text: str) -> None:
        """What happened, once each."""
        self._write("info", text)

    def debug(self, text: str) -> None:
        """What was done, and why."""
        self._write("debug", text)

    def verbose(self, text: str) -> None:
        """Every cycle, every command."""
        self._write("verbose", text)

    def flush(self) -> None:
        """Writes what waits, as far as the reader takes it."""
        while self._waiting and self._writable():
            try:
                os.write(self._fd, self._waiting[0])
            except OSError:
                self._waiting.clear()  # the reader is gone for good
                return
            self._waiting.popleft()
        if self._dropped and not self._waiting:
            dropped, self._dropped = self._dropped, 0
            self.warn(f"{dropped} lines of this log were dropped: its reader was too slow")

    def _write(self, level: LogLevel, text: str) -> None:
        if _LEVELS[level] > _LEVELS[self.level]:
            return
        head = _SYSLOG[level] if self._journal else f"{self._stamp()} {level.upper():<7} "
        for part in text.splitlines() or [""]:
            line = "".join(char if char.isprintable() else "\ufffd" for char in head + part)
            self._keep(_cut(line) + b"\n")
        self.flush()

    def _keep(self, line: bytes) -> None:
        if len(self._waiting) >= _KEPT:
            self._dropped += 1
        else:
            self._waiting.append(line)

    def _writable(self) -> bool:
        return any(event & select.POLLOUT for _, event in self._poll.poll(0))


def _cut(line: str) -> bytes:
    """What a pipe takes at once; half a character would make it binary for journald(8)."""
    return line.encode()[:_LONGEST].decode(errors="ignore").encode()
