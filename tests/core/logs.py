"""A log for tests: its lines as a list."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from inspect_agent.core.log import Log
from inspect_agent.model.config import LogLevel


class Lines:
    """What a log wrote, `LEVEL text` a line."""

    def __init__(self, fd: int, log: Log) -> None:
        self._fd = fd
        self._text = ""
        self.log = log

    def read(self) -> list[str]:
        """Every line since the beginning."""
        while True:
            try:
                self._text += os.read(self._fd, 65536).decode()
            except BlockingIOError:
                return self._text.splitlines()


@contextmanager
def logging(level: LogLevel = "info") -> Iterator[Lines]:
    """A log into a pipe."""
    out, into = os.pipe()
    os.set_blocking(out, False)
    yield Lines(out, Log(into, level, lambda: "", journal=False))
    os.close(out)
    os.close(into)
