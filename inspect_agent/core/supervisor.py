"""What systemd is told of the agent itself: sd_notify(3), one datagram each."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping

from inspect_agent.core.loop import Loop


class Supervisor:
    """Speaks to $NOTIFY_SOCKET where there is one, and keeps its watchdog content."""

    def __init__(self, loop: Loop, environment: Mapping[str, str]) -> None:
        self._loop = loop
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._said = ""
        self._watchdog_s = _watchdog_s(environment)

    def ready(self) -> None:
        """The configuration is in force and the first cycle complete."""
        self._send("READY=1")
        if self._watchdog_s:
            self._pat()

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        if text != self._said:
            self._said = text
            self._send(f"STATUS={text}")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def _pat(self) -> None:
        self._send("WATCHDOG=1")
        self._loop.call_later(self._watchdog_s / 2, self._pat)

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
            contextlib.suppress(OSError),
        ):
            sender.setblocking(False)
            sender.sendto(text.encode(), self._address)


def _watchdog_s(environment: Mapping[str, str]) -> float:
    """$WATCHDOG_USEC, where it is meant for this process; 0.0 otherwise."""
    usec, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not usec.isdecimal() or (pid and pid != str(os.getpid())):
        return 0.0
    return int(usec) / 1e6
