"""A worker: a process of its own that answers in lines of JSON.

It is started when something is sent to it, and again after it broke. Secrets reach it in its first
line; its standard error goes to the log, line by line.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial

from inspect_agent.core.child import CLEAN_ENVIRONMENT
from inspect_agent.core.loop import Loop
from inspect_agent.model import wire
from inspect_agent.typed import Any

REAP_S = 0.1
LONGEST_LINE = 64 * 1024 * 1024


class Worker:
    """One worker process: `python -I -m inspect_agent.workers.NAME`.

    on_line   called with every object it writes
    on_end    called when it has ended, with the reason in a few words
    on_error  called with every line of its standard error
    """

    def __init__(
        self,
        loop: Loop,
        name: str,
        on_line: Callable[[dict[str, Any]], None],
        on_end: Callable[[str], None],
        on_error: Callable[[str], None],
    ) -> None:
        self.name = name
        self._loop = loop
        self._on_line, self._on_end, self._on_error = on_line, on_end, on_error
        self._process: subprocess.Popen[bytes] | None = None
        self._dying: list[subprocess.Popen[bytes]] = []
        self._out = bytearray()
        self._in: dict[int, bytearray] = {}

    @property
    def pid(self) -> int | None:
        """Its PID while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Starts the process. Raises OSError when there is none to be had."""
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", f"inspect_agent.workers.{self.name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env={**CLEAN_ENVIRONMENT, "LC_ALL": "C.UTF-8"},
            start_new_session=True,
            bufsize=0,
        )
        self._process = process
        self._out, self._in = bytearray(), {}
        for fd, take in ((_fd(process.stdout), self._line), (_fd(process.stderr), self._words)):
            os.set_blocking(fd, False)
            self._in[fd] = bytearray()
            self._loop.add_reader(fd, partial(self._read, fd, take))
        os.set_blocking(_fd(process.stdin), False)

    def send(self, value: dict[str, Any]) -> None:
        """Sends one object; it waits in memory while the worker does not read."""
        idle = not self._out
        self._out += wire.line(value)
        if idle:
            self._write()

    def end(self) -> None:
        """Kills it, without a further call to anybody."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout, process.stderr):
            self._loop.remove(_fd(stream))
            stream.close()  # type: ignore[union-attr]  # all three are pipes
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        self._dying.append(process)
        self._reap()

    def _reap(self) -> None:
        """Collects what was killed, and asks again later where that takes a moment."""
        self._dying = [process for process in self._dying if process.poll() is None]
        if self._dying:
            self._loop.call_later(REAP_S, self._reap)

    def _write(self) -> None:
        if self._process is None:
            return
        fd = _fd(self._process.stdin)
        try:
            while self._out:
                del self._out[: os.write(fd, self._out)]
        except BlockingIOError:
            self._loop.add_writer(fd, self._write)
            return
        except OSError:  # it reads no more; what it has said by then counts
            self._read(_fd(self._process.stdout), self._line)
            if self._process is not None:
                self._break("closed its input")
            return
        self._loop.remove(fd)

    def _read(self, fd: int, take: Callable[[bytes], None]) -> None:
        try:
            data = os.read(fd, 262144)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove(fd)
            if self._process is not None and fd == _fd(self._process.stdout):
                self._break("ended")
            return
        waiting = self._in[fd]
        waiting += data
        *lines, rest = waiting.split(b"\n")
        self._in[fd] = bytearray(rest)
        if len(rest) > LONGEST_LINE:
            self._break("wrote a line without an end")
            return
        for line in lines:
            if self._process is None:
                return
            take(bytes(line))

    def _line(self, line: bytes) -> None:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            self._on_line(value)
        else:
            self._break("wrote something other than a JSON object")

    def _words(self, line: bytes) -> None:
        self._on_error(line.decode(errors="replace"))

    def _break(self, how: str) -> None:
        if self._process is not None:  # its last words say why
            self._read(_fd(self._process.stderr), self._words)
        self.end()
        self._on_end(f"worker {self.name} {how}")


def _fd(stream: Any) -> int:
    return int(stream.fileno())
