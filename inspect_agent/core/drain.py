"""Whoever reads what commands write when the agent does not any more.

A script would die of its next `echo`, half-way, when the agent that reads it is killed; so would a
daemon that keeps the output of the script that started it: pipe(7), SIGPIPE. So a process of its
own holds the other ends, too. It sleeps while the agent reads, takes over when the agent says so or
is gone, and ends when nobody can write any more.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

# its standard input ends when the agent closes its end of it, or dies; opened anew by their names
# the pipes wait for what is to come: ours do not
_TAKE_OVER = 'read -r line; cat "/proc/self/fd/$1" & exec cat "/proc/self/fd/$2"'


class Drains:
    """Those that run now; `environment` is what they are given."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._running: list[subprocess.Popen[bytes]] = []

    def hold(self, out: int, err: int) -> int | None:
        """Holds two pipes; the descriptor to close when the agent reads them no longer.

        None: nobody could be started, and who writes has to look after himself.
        """
        asleep, awake = os.pipe()
        try:
            self._running.append(self._start(asleep, out, err))
        except OSError:
            os.close(awake)
            return None
        finally:
            os.close(asleep)
        return awake

    def reap(self) -> None:
        """One of them may have ended."""
        self._running = [process for process in self._running if process.poll() is None]

    def _start(self, asleep: int, out: int, err: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ("/bin/sh", "-c", _TAKE_OVER, "drain", str(out), str(err)),
            stdin=asleep,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(out, err),
            cwd="/",
            env=self._environment,
            start_new_session=True,
        )
