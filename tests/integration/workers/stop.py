"""Stops a daemon, and ends when it has ended: `stop.py PIDFILE`."""

from __future__ import annotations

import os
import select
import signal
import sys

with open(sys.argv[1], encoding="ascii") as file:
    pid = int(file.read())
try:
    process = os.pidfd_open(pid)
except ProcessLookupError:
    sys.exit(0)
signal.pidfd_send_signal(process, signal.SIGTERM)
select.select([process], [], [])
