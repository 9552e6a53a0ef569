"""A worker that a deploy can quiet, as Sidekiq: after SIGTSTP it takes no more work, and lives on.

It says to systemd when it is ready, and that it is quiet.
"""

from __future__ import annotations

import os
import signal
import socket


def tell(state: bytes) -> None:
    """One notification: sd_notify(3)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(state, os.environ["NOTIFY_SOCKET"])


signal.signal(signal.SIGTSTP, lambda *_: tell(b"STATUS=quiet"))
tell(b"READY=1")
while True:
    signal.pause()
