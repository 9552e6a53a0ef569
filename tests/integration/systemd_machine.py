"""A real systemd as PID 1 of namespaces of its own.

It boots nothing of what the machine boots, only what tests start.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
from contextlib import ExitStack, suppress

from tests.integration.namespaces import Boot, BootFailed, Inside, boot

BOOT_TIMEOUT_S = 60.0

_ENTER = """
rm -rf etc/systemd/system/*.wants etc/systemd/system/*.requires
find etc/systemd/system -maxdepth 1 -type l -delete
rm -rf etc/init.d etc/supervisor
for system in lib/systemd usr/lib/systemd; do
    rm -rf $system/system/*.wants $system/system-generators
done
mkdir -p run/systemd/system/basic.target.wants
ln -s /lib/systemd/system/systemd-journald.service /lib/systemd/system/dbus.socket \\
    run/systemd/system/basic.target.wants
exec setpriv --bounding-set=-sys_time,-sys_module \\
    env -i container=test "NOTIFY_SOCKET=$argument" PATH="$PATH" chroot . \\
    /lib/systemd/systemd --system --unit=basic.target
"""


class SystemdMachine(Inside):
    """systemd with its journal and bus."""

    def systemctl(self, *words: str) -> str:
        """What systemctl prints inside; it must succeed."""
        ran = self.run(["systemctl", "--no-pager", *words])
        assert ran.returncode == 0, f"systemctl {' '.join(words)}: {ran.stderr}"
        return ran.stdout

    def write_unit(self, name: str, text: str) -> None:
        """Puts a unit file in its place, and has systemd read it."""
        (self.root / "run/systemd/system" / name).write_text(text)
        self.systemctl("daemon-reload")

    def journal(self, *words: str) -> str:
        """What journalctl prints with these options."""
        return self.run(["journalctl", "--no-pager", "--quiet", *words]).stdout

    def _boot(self, stack: ExitStack) -> int:
        ready = stack.enter_context(_notify_socket())
        address = ready.getsockname().replace(b"\0", b"@").decode()
        made = stack.enter_context(boot(_ENTER, address, self._visible))
        pid = _await_ready(ready, made.process)
        if pid is None:
            raise BootFailed(f"{made.said()}\n{self._last_words(made)}")
        return pid

    def _last_words(self, made: Boot) -> str:
        """The journal of a systemd that is there, but not ready."""
        init = made.init()
        if init is None:
            return ""
        self.pid = init
        with suppress(subprocess.TimeoutExpired):
            return self.run(["journalctl", "--no-pager", "--boot"], timeout=10).stdout
        return ""


def _notify_socket() -> socket.socket:
    """Where systemd says that it has booted: sd_notify(3), "The service manager in containers"."""
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ready.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    ready.bind("")  # an abstract name of the kernel's choice, so the same network can reach it
    return ready


def _await_ready(ready: socket.socket, boot: subprocess.Popen[bytes]) -> int | None:
    """The PID of the systemd that is ready; None when it ended, or took too long."""
    ended = os.pidfd_open(boot.pid)
    try:
        while True:
            readable, _, _ = select.select([ready.fileno(), ended], [], [], BOOT_TIMEOUT_S)
            if ready.fileno() not in readable:
                return None
            message, ancillary, _, _ = ready.recvmsg(4096, socket.CMSG_SPACE(12))
            if b"READY=1" in message.split(b"\n"):
                return int(struct.unpack("3i", ancillary[0][2])[0])  # pid, uid, gid: unix(7)
    finally:
        os.close(ended)
