"""A service that leaks: `leaky.py [MEGABYTES [MORE]]` at once, and MORE (64) at each SIGUSR1.

SIGUSR2 gives back what it has leaked. Where systemd runs it, it says when it is ready for that.
"""

from __future__ import annotations

import mmap
import os
import signal
import socket
import sys

leaked: list[mmap.mmap] = []


def leak(megabytes: int) -> None:
    """Takes memory, and touches it."""
    memory = mmap.mmap(-1, megabytes << 20)
    for page in range(0, len(memory), mmap.PAGESIZE):
        memory[page] = 1
    leaked.append(memory)


def give_back() -> None:
    """Gives all of it back to the kernel."""
    while leaked:
        leaked.pop().close()


at_once, more, *_ = [int(argument) for argument in sys.argv[1:]] + [0, 64][len(sys.argv) - 1 :]
signal.signal(signal.SIGUSR1, lambda *_: leak(more))
signal.signal(signal.SIGUSR2, lambda *_: give_back())
if at_once:
    leak(at_once)
if "NOTIFY_SOCKET" in os.environ:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
while True:
    signal.pause()
