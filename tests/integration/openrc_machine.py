"""A machine that OpenRC runs, with openrc-init as PID 1 and nothing but services of tests."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.integration.components import need
from tests.integration.scandirs import VISIBLE, until
from tests.integration.small_machine import SmallMachine

DAEMON = """command=/bin/sleep
command_args=1000
command_background=yes
pidfile=/run/$RC_SVCNAME.pid
"""
RELOADS = """extra_started_commands=reload
reload() { touch /run/$RC_SVCNAME.reloaded; }
"""
SUPERVISED = """supervisor=supervise-daemon
command=/bin/sleep
command_args=1000
"""
ONESHOT = "start() { :; }\nstop() { :; }\n"
_EMPTY = "rm -f /etc/runlevels/*/*\n"


@contextmanager
def openrc_machine(services: Mapping[str, str]) -> Iterator[SmallMachine]:
    """It has been brought into its runlevel; none of its services is started."""
    need("namespaces")
    need("openrc")
    with SmallMachine(["openrc-init"], _EMPTY + _written(services), VISIBLE) as machine:
        level = machine.root / "run/openrc/softlevel"
        until(lambda: level.exists() and level.read_text(), lambda level: level == "default")
        yield machine


def _written(services: Mapping[str, str]) -> str:
    lines = []
    for name, text in services.items():
        path = f"/etc/init.d/{name}"
        lines.append(f"printf %s {shlex.quote(f'#!/sbin/openrc-run{chr(10)}{text}')} > {path}")
        lines.append(f"chmod 755 {path}")
    return "\n".join(lines)
