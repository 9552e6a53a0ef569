"""A real systemd as PID 1 of namespaces of its own, on an overlay of this machine's files.

It sees all files of the machine and writes to none: / is an overlay; /dev, /run, /tmp and /var/tmp
are its own. It boots nothing of what the machine boots, only what tests start. The network is the
machine's, so servers on 127.0.0.1 reach it and it reaches them.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from inspect_agent.sources.mounts import cgroup2_point

Finished = subprocess.CompletedProcess[str]

BOOT_TIMEOUT_S = 60.0
_COVERED = ("/dev", "/run", "/tmp", "/var/tmp")
_UNSHARE = (
    *("setpriv", "--pdeathsig=KILL"),  # it ends also when this process is killed
    *("unshare", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"),
)

# $1: where to say that it is up; $2: an empty folder; the others: folders to be seen as well.
# Every path after the `cd` is relative, so below the overlay.
BOOT = """
set -eux
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
notify=$1 work=$2; shift 2
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
cd "$work/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
    : > "dev/$node"
    mount --bind "/dev/$node" "dev/$node"
done
ln -s /proc/self/fd dev/fd
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for folder in run tmp var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$folder"; done
chmod 755 run
for folder; do mkdir -p ".$folder"; mount --rbind "$folder" ".$folder"; done
rm -rf etc/systemd/system/*.wants etc/systemd/system/*.requires
for system in lib/systemd usr/lib/systemd; do
    rm -rf $system/system/*.wants $system/system-generators
done
: > etc/fstab
mkdir -p run/systemd/system/basic.target.wants
ln -s /lib/systemd/system/systemd-journald.service /lib/systemd/system/dbus.socket \\
    run/systemd/system/basic.target.wants
exec setpriv --bounding-set=-sys_time,-sys_module \\
    env -i container=test "NOTIFY_SOCKET=$notify" PATH="$PATH" chroot . \\
    /lib/systemd/systemd --system --unit=basic.target
"""


class BootFailed(Exception):
    """systemd did not come up; the text is all that it said."""


class SystemdMachine:
    """Boots on entry, and is gone with all its processes and folders on exit.

    pid   its systemd, as this machine counts
    """

    def __init__(self, visible: Sequence[Path] = ()) -> None:
        """`visible` are folders to be seen inside wherever they are."""
        self._visible = [str(path) for path in visible if _hidden(path)]
        self._exit = ExitStack()
        self.pid = 0

    @property
    def root(self) -> Path:
        """The root folder of its files, as this machine reaches it."""
        return Path(f"/proc/{self.pid}/root")

    def __enter__(self) -> SystemdMachine:
        """Boots. Raises BootFailed."""
        with ExitStack() as stack:
            self.pid = self._boot(stack)
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """Ends it."""
        self._exit.close()

    def run(self, argv: Sequence[str], timeout: float = 60.0, **options: Any) -> Finished:
        """Runs a command inside until it ends; the options are subprocess.run's."""
        inside = self._inside(argv)
        return subprocess.run(inside, timeout=timeout, capture_output=True, text=True, **options)

    def popen(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[str]:
        """Starts a command inside; end it by `signal`, for this is nsenter, and it its child."""
        return subprocess.Popen(self._inside(argv), text=True, **options)

    def signal(self, process: subprocess.Popen[str], number: signal.Signals) -> None:
        """Sends a signal to a command that `popen` started."""
        for child in psutil.Process(process.pid).children():
            child.send_signal(number)

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

    def _inside(self, argv: Sequence[str]) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--all", "--root", "--wd", "--", *argv]

    def _boot(self, stack: ExitStack) -> int:
        work = stack.enter_context(tempfile.TemporaryDirectory(prefix="machine-"))
        ready = stack.enter_context(_notify_socket())
        cgroup = stack.enter_context(_cgroup())
        address = ready.getsockname().replace(b"\0", b"@").decode()
        said = Path(work) / "said"
        with said.open("w") as out:
            unshare = subprocess.Popen(
                [*_UNSHARE, "sh", "-c", BOOT, "boot", address, work, *self._visible],
                stdout=out,
                stderr=out,
                preexec_fn=lambda: _enter(cgroup),
            )
        stack.callback(unshare.wait)
        stack.callback(unshare.kill)
        pid = _await_ready(ready, unshare)
        if pid is None:
            raise BootFailed(f"{said.read_text()}\n{self._last_words(unshare)}")
        return pid

    def _last_words(self, unshare: subprocess.Popen[bytes]) -> str:
        """The journal of a systemd that is there, but not ready."""
        with suppress(psutil.Error, subprocess.TimeoutExpired):
            for child in psutil.Process(unshare.pid).children():
                self.pid = child.pid
                return self.run(["journalctl", "--no-pager", "--boot"], timeout=10).stdout
        return ""


def _enter(cgroup: Path) -> None:
    (cgroup / "cgroup.procs").write_text("0")


def _hidden(path: Path) -> bool:
    """Whether the overlay does not show it: another file system holds it, or a tmpfs covers it."""
    return path.stat().st_dev != Path("/").stat().st_dev or any(
        path.is_relative_to(covered) for covered in _COVERED
    )


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


@contextmanager
def _cgroup() -> Iterator[Path]:
    """A control group for all processes of the machine, which is the root that they see."""
    point = cgroup2_point()
    assert point is not None, "no cgroup2 hierarchy is mounted"
    cgroup = Path(tempfile.mkdtemp(prefix="machine-", dir=point))
    try:
        yield cgroup
    finally:
        _await_empty(cgroup)
        for folder, _, _ in os.walk(cgroup, topdown=False):
            os.rmdir(folder)


def _await_empty(cgroup: Path) -> None:
    with (cgroup / "cgroup.events").open() as events:
        changed = select.poll()
        changed.register(events, select.POLLPRI)
        while "populated 1" in events.read():
            assert changed.poll(10_000), f"processes do not end: {cgroup}"
            events.seek(0)
