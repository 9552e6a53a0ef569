"""Runs a worker as a daemon: `daemon.py PIDFILE LEASH WORKER.py ARGUMENTS…`

The command ends when the PID file is written. The daemon ends when the other end of the named pipe
LEASH is closed, so none outlives the test that started it, however that ends.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading


def main() -> None:
    """Becomes the daemon, or ends as the command that started it."""
    pidfile, leash, worker, *arguments = sys.argv[1:]
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        os.read(reading, 1)
        return
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()
    _write(pidfile)
    os.close(writing)
    sys.argv = [worker, *arguments]
    runpy.run_path(worker, run_name="__main__")


def _write(pidfile: str) -> None:
    with open(f"{pidfile}.new", "w", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    os.replace(f"{pidfile}.new", pidfile)


def _end_with(leash: str) -> None:
    with open(leash, "rb") as pipe:
        pipe.read()
    os._exit(0)


if __name__ == "__main__":
    main()
