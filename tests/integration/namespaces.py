"""Namespaces of their own, on an overlay of this machine's files, for an init to be PID 1 of.

What runs there sees all files of the machine and writes to none: / is an overlay; /dev, /run, /tmp
and /var/tmp are its own. The network is the machine's, so servers on 127.0.0.1 reach it and it
reaches them. All of it ends with its PID 1, and that with the process that made it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from inspect_agent.sources.mounts import cgroup2_point

if TYPE_CHECKING:
    from typing_extensions import Self

Finished = subprocess.CompletedProcess[str]

_COVERED = ("/dev", "/run", "/tmp", "/var/tmp")
_UNSHARE = (
    *("setpriv", "--pdeathsig=KILL"),  # it ends also when this process is killed
    *("unshare", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"),
)

# $1: what to do at last, in the new root; $2: an argument of it; $3: an empty folder; the others:
# folders to be seen as well. Every path after the `cd` is relative, so below the overlay.
_BOOT = """
set -eux
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
enter=$1 argument=$2 work=$3; shift 3
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
: > etc/fstab
eval "$enter"
"""


class BootFailed(Exception):
    """What was to be PID 1 did not come up; the text is all that was said."""


class Inside:
    """Boots on entry, and is gone with all its processes and folders on exit.

    pid   PID 1 of the namespaces, as this machine counts
    """

    def __init__(self, visible: Sequence[Path] = ()) -> None:
        """`visible` are folders to be seen inside wherever they are."""
        self._visible = visible
        self._exit = ExitStack()
        self.pid = 0

    def __enter__(self) -> Self:
        """Boots. Raises BootFailed."""
        with ExitStack() as stack:
            self.pid = self._boot(stack)
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """Ends it."""
        self._exit.close()

    def _boot(self, stack: ExitStack) -> int:
        """Makes the namespaces, to be undone by the stack; PID 1 when it is ready."""
        raise NotImplementedError

    @property
    def root(self) -> Path:
        """The root folder of its files, as this machine reaches it."""
        return Path(f"/proc/{self.pid}/root")

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

    def _inside(self, argv: Sequence[str]) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--all", "--root", "--wd", "--", *argv]


@contextmanager
def boot(
    enter: str, argument: str, visible: Sequence[Path], descriptors: Sequence[int] = ()
) -> Iterator[Boot]:
    """Namespaces whose PID 1 is a shell that evaluates `enter`, with $argument, in the new root.

    `enter` ends with an exec. `visible` are folders to be seen inside wherever they are, and
    `descriptors` are left open for it.
    """
    folders = [str(path) for path in visible if _hidden(path)]
    with (
        tempfile.TemporaryDirectory(prefix="machine-") as work,
        _cgroup() as cgroup,
        (Path(work) / "said").open("w+") as said,
    ):
        unshare = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", _BOOT, "boot", enter, argument, work, *folders],
            stdout=said,
            stderr=said,
            pass_fds=descriptors,
            preexec_fn=lambda: (cgroup / "cgroup.procs").write_text("0"),
        )
        try:
            yield Boot(unshare, Path(said.name))
        finally:
            unshare.kill()
            unshare.wait()


class Boot:
    """Namespaces that are being made; `process` lasts as long as they do, `said` is its output."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path) -> None:
        self.process, self._said = process, said

    def said(self) -> str:
        """What it has said until now."""
        return self._said.read_text()

    def init(self) -> int | None:
        """PID 1 of the namespaces, as this machine counts; None while there is none."""
        try:
            children = psutil.Process(self.process.pid).children()
        except psutil.Error:
            return None
        return children[0].pid if children else None


def _hidden(path: Path) -> bool:
    """Whether the overlay does not show it: another file system holds it, or a tmpfs covers it."""
    return path.stat().st_dev != Path("/").stat().st_dev or any(
        path.is_relative_to(covered) for covered in _COVERED
    )


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
