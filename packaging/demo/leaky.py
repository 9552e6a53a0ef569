"""A worker that leaks: every job it does leaves memory behind.

    leaky.py start | stop | restart   what the demo's check runs; the PID goes to leaky.pid
    leaky.py work                     the worker itself: does the jobs in jobs/, then waits

Everything lies in the folder that this file is in.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time  # noqa: TID251  # a job takes its time; nothing is decided by it
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PIDFILE = FOLDER / "leaky.pid"
JOB_BYTES = 4 * 1024 * 1024
JOB_S = 0.25
STOP_S = 5.0


def start() -> None:
    """Starts the worker in a session of its own."""
    worker = subprocess.Popen(
        [sys.executable, __file__, "work"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    fresh = PIDFILE.with_suffix(".new")
    fresh.write_text(f"{worker.pid}\n")
    fresh.chmod(0o644)
    os.replace(fresh, PIDFILE)


def stop() -> None:
    """Ends the worker, if it runs, and waits until it has ended."""
    try:
        pid = int(PIDFILE.read_text())
        ended = os.pidfd_open(pid)
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        return
    if not select.select([ended], [], [], STOP_S)[0]:
        sys.exit(f"process {pid} does not end")


def restart() -> None:
    """Ends the worker and starts another."""
    stop()
    start()


def work() -> None:
    """Does the jobs that wait, and forgets to give their memory back."""
    leak = []
    for job in sorted((FOLDER / "jobs").iterdir()):
        leak.append(b"x" * JOB_BYTES)
        time.sleep(JOB_S)
        job.unlink()
    signal.pause()


if __name__ == "__main__":
    {"start": start, "stop": stop, "restart": restart, "work": work}[sys.argv[1]]()
