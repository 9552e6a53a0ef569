"""A service that leaks: `leaky.py [MEGABYTES]` at once, and 64 more when it gets SIGUSR1.

SIGUSR2 gives back what it has leaked.
"""

from __future__ import annotations

import mmap
import signal
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


signal.signal(signal.SIGUSR1, lambda *_: leak(64))
signal.signal(signal.SIGUSR2, lambda *_: give_back())
for argument in sys.argv[1:]:
    leak(int(argument))
while True:
    signal.pause()
