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

    commands   what must be there to be run
    packages   Debian's, that bring it
    hindered   why this process cannot use it, "" where it can
    """

    commands: tuple[str, ...]
    packages: tuple[str, ...]
    hindered: Callable[[], str]


def need(name: str) -> None:
    """Makes a component available, or ends the test: skipped, or failed with CI=true."""
    component = COMPONENTS[name]
    reason = _install(component) if _missing(component) else ""
    reason = reason or component.hindered()
    if reason:
        _without(f"{name}: {reason}")


def _missing(component: Component) -> list[str]:
    return [command for command in component.commands if shutil.which(command) is None]


def _without(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _install(component: Component) -> str:
    """Why a component is still missing, "" where it was installed."""
    packages = component.packages
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"no {', '.join(_missing(component))} (apt-get install {' '.join(packages)})"
    with _no_daemons():
        failed = _update() or _apt("install", "--yes", "--no-install-recommends", *packages)
    missing = ", ".join(_missing(component))
    return failed or (f"no {missing} in {' '.join(packages)}" if missing else "")


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


def _not_root() -> str:
    return "" if os.geteuid() == 0 else "only root can do this"


def _no_namespaces() -> str:
    """Why this process may not make mounts and namespaces of its own, as a machine needs."""
    trial = ["unshare", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--fork", "--mount-proc"]
    ran = subprocess.run([*trial, "true"], capture_output=True, text=True, timeout=30)
    return ran.stderr.strip() if ran.returncode else ""


COMPONENTS: Mapping[str, Component] = {
    "root": Component((), (), _not_root),
    "systemd": Component(
        ("systemctl", "journalctl", "dbus-daemon", "unshare", "nsenter", "setpriv"),
        ("systemd", "dbus", "util-linux"),
        lambda: _not_root() or _no_namespaces(),
    ),
    "namespaces": Component(
        ("unshare", "nsenter", "setpriv", "tini"),
        ("util-linux", "tini"),
        lambda: _not_root() or _no_namespaces(),
    ),
    "runit": Component(("runsvdir", "runsv", "sv"), ("runit",), _not_root),
    "s6": Component(("s6-svscan", "s6-svc", "s6-svstat"), ("s6",), _not_root),
    "openrc": Component(("openrc", "rc-service"), ("openrc",), _not_root),
    "supervisord": Component(("supervisord", "supervisorctl"), ("supervisor",), _not_root),
    "redis": Component(("redis-server", "redis-cli"), ("redis-server",), _not_root),
}
