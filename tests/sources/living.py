"""Real processes for tests: started, waited for by events, always ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from inspect_agent.model.target import Process
from inspect_agent.sources.tree import Processes


@contextmanager
def living(*argv: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has printed a line, which says that it is ready, and all it started."""
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), "it ended before it was ready"
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@contextmanager
def python(code: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs `code`, which prints a line when it is ready."""
    with living(sys.executable, "-c", code) as process:
        yield process


@contextmanager
def zombie() -> Iterator[int]:
    """The PID of a process that has ended, and that nobody has waited for."""
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process.pid
    process.wait()


def gone() -> int:
    """The PID of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def identified(processes: Processes, pid: int) -> Process:
    """The process behind a PID that has one."""
    found = processes.identify(pid)
    assert found is not None
    return found


def ask(process: subprocess.Popen[str], line: str) -> str:
    """What a process answers to a line."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


# holds as many bytes as it is told to, and answers when it does
GROWS = """
import sys
held = []
print("ready", flush=True)
for line in sys.stdin:
    held.append(b"x" * int(line))
    print("done", flush=True)
"""

# its first thread has ended, another holds 30 MB; see pthread_exit(3)
FIRST_THREAD_ENDED = """
import ctypes, os, threading
held = []
def stay():
    held.append(b"x" * (30 << 20))
    forever = threading.Event()
    while open(f"/proc/{os.getpid()}/stat").read().rpartition(")")[2].split()[0] != "Z":
        forever.wait(0.01)  # nothing tells when a thread has quite ended
    print("ready", flush=True)
    forever.wait()
threading.Thread(target=stay).start()
ctypes.CDLL(None).pthread_exit(None)
"""
