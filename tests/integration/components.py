"""What integration tests need of the machine: installed where that is possible, else said.

As root on a machine with apt a missing package is installed, and its daemons are kept from
starting. Otherwise the test is skipped with the reason; with CI=true it fails instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

POLICY = Path("/usr/sbin/policy-rc.d")
NO_DAEMONS = "#!/bin/sh\nexit 101\n"


class Component(NamedTuple):
    """One thing that tests need.

    packages   Debian's, that bring it
    missing    says what is missing of it now, "" where it is all there
    """

    packages: tuple[str, ...]
    missing: Callable[[], str]


def need(name: str) -> None:
    """Makes a component available, or ends the test: skipped, or failed with CI=true."""
    component = COMPONENTS[name]
    reason = component.missing()
    if reason and component.packages:
        reason = _install(component) or component.missing()
    if reason:
        _without(f"{name}: {reason}")


def _without(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _install(component: Component) -> str:
    """Why the packages could not be installed, "" where they were."""
    wanted = f"apt-get install {' '.join(component.packages)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"{component.missing()} ({wanted})"
    with _no_daemons():
        return _update() or _apt("install", "--yes", "--no-install-recommends", *component.packages)


@cache
def _update() -> str:
    return _apt("update")


def _apt(*words: str) -> str:
    ran = subprocess.run(
        ["apt-get", "--quiet", "--option=DPkg::Lock::Timeout=120", *words],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
    )
    return f"apt-get {words[0]}: {ran.stderr.strip()[-500:]}" if ran.returncode else ""


@contextmanager
def _no_daemons() -> Iterator[None]:
    """Keeps packages from starting what they install: invoke-rc.d(8)."""
    before = (POLICY.read_bytes(), POLICY.stat().st_mode) if POLICY.exists() else None
    POLICY.write_text(NO_DAEMONS)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        if before is None:
            POLICY.unlink()
        else:
            POLICY.write_bytes(before[0])
            POLICY.chmod(before[1])


def _commands(*names: str) -> Callable[[], str]:
    def missing() -> str:
        absent = [name for name in names if shutil.which(name) is None]
        return f"no {', '.join(absent)} on this machine" if absent else ""

    return missing


def _root() -> str:
    return "" if os.geteuid() == 0 else "only root can do this"


def _namespaces() -> str:
    """Whether this process may make mounts and namespaces of its own, as a machine needs."""
    trial = ["unshare", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--fork", "--mount-proc"]
    ran = subprocess.run([*trial, "true"], capture_output=True, text=True, timeout=30)
    return ran.stderr.strip() if ran.returncode else ""


def _systemd() -> str:
    commands = _commands("systemctl", "journalctl", "dbus-daemon", "unshare", "nsenter", "setpriv")
    return _root() or commands() or _namespaces()


COMPONENTS: Mapping[str, Component] = {
    "root": Component((), _root),
    "systemd": Component(("systemd", "dbus", "util-linux"), _systemd),
}
