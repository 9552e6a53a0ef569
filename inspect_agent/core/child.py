"""Commands as child processes that cannot hold the core up.

Each has a deadline and a process group of its own, which is killed as a whole; its environment is
clean, its working folder `/`, and its output is bounded. A command has ended when its process
has: a daemon that it leaves behind may keep the pipes open for years, and write into them.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from functools import partial

from inspect_agent.core.drain import Drains
from inspect_agent.core.loop import Loop, Timer
from inspect_agent.model.observation import Command, Finished

CLEAN_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
}
MOST_OUTPUT = 16 * 1024 * 1024
"""Bytes kept of each stream; what a command writes beyond is read and thrown away."""
KILLED_S = 2.0
"""For so long the end of a command is waited for that was killed."""
PIPE_BYTES = 65536  # what lies in a pipe at most: pipe(7)

Done = Callable[[Finished], object]


class Children:
    """The commands that run now; SIGCHLD tells when one has ended.

    They outlive the agent: to kill an init script half-way is worse than to leave it alone.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._running: dict[int, _Child] = {}
        self._drains = Drains(CLEAN_ENVIRONMENT)
        loop.on_signal(signal.SIGCHLD, self._reap)

    def start(self, command: Command, done: Done) -> None:
        """Runs a command; `done` is called once, in the loop, however it ends."""
        self._begin(command, done, {})

    def carry_out(
        self, command: Command, done: Done, extra_environment: Mapping[str, str] | None = None
    ) -> None:
        """The same for one that changes something: what it says is read also without the agent.

        So neither the command nor a daemon that it leaves behind dies of saying it.
        """
        child = self._begin(command, done, extra_environment or {})
        if child is not None:
            child.awake = self._drains.hold(*child.pipes())

    def _begin(
        self, command: Command, done: Done, extra_environment: Mapping[str, str]
    ) -> _Child | None:
        environment = {**CLEAN_ENVIRONMENT, **extra_environment}
        try:
            process = subprocess.Popen(
                command.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = f"cannot run {command.argv[0]}: {_words(error)}"
            self._loop.call_soon_threadsafe(partial(done, Finished(None, "", reason)))
            return None
        child = _Child(self._loop, process, done)
        child.deadline = self._loop.call_later(
            command.timeout_s, partial(self._expire, child, command.timeout_s)
        )
        self._running[process.pid] = child
        return child

    def _expire(self, child: _Child, timeout_s: float) -> None:
        child.late = f"killed after {timeout_s:g} s without an end"
        child.deadline = self._loop.call_later(
            KILLED_S,
            partial(self._abandon, child, f"no end after {timeout_s:g} s, nor when killed"),
        )
        try:
            os.killpg(child.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has just ended
        except PermissionError:  # it has become another user's, as sudo does
            self._abandon(child, f"no end after {timeout_s:g} s, and it may not be killed")

    def _abandon(self, child: _Child, why: str) -> None:
        """Waits for its end no longer: it hangs in the kernel, say, on a disk that is gone."""
        child.late = why
        del self._running[child.process.pid]
        child.finish()

    def _reap(self) -> None:
        for child in list(self._running.values()):
            if child.process.poll() is not None:
                del self._running[child.process.pid]
                child.finish()
        self._drains.reap()


class _Child:
    """A command that runs.

    late    says so once its deadline is over
    awake   the descriptor to close when its output is no longer read here
    """

    deadline: Timer

    def __init__(self, loop: Loop, process: subprocess.Popen[bytes], done: Done) -> None:
        self.process = process
        self.late = ""
        self._loop = loop
        self._done = done
        self.awake: int | None = None
        self._output: dict[int, bytearray] = {}
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                fd = stream.fileno()
                os.set_blocking(fd, False)
                self._output[fd] = bytearray()
                loop.add_reader(fd, partial(self._read, fd))

    def pipes(self) -> tuple[int, int]:
        """Where its output and its errors are read."""
        out, err = self._output
        return out, err

    def finish(self) -> None:
        self.deadline.cancel()
        for fd in self._output:
            self._read(fd)
            self._loop.remove(fd)
        texts = [bytes(data).decode(errors="replace") for data in self._output.values()]
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        if self.awake is not None:
            os.close(self.awake)
        status = None if self.late else self.process.returncode
        finished = Finished(status, texts[0], texts[1] + self.late)
        self._loop.call_soon_threadsafe(partial(self._done, finished))

    def _read(self, fd: int) -> None:
        """Reads what lies in the pipe."""
        try:
            data = os.read(fd, PIPE_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove(fd)
        kept = self._output[fd]
        kept += data[: MOST_OUTPUT - len(kept)]


def _words(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
