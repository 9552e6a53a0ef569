"""The agent of an ordinary user, over services of that user."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.integration.post import Postbox
from tests.integration.running import AGENT, CLEAN, RunningAgent
from tests.integration.systemd_machine import SystemdMachine

pytestmark = pytest.mark.systemd

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


@pytest.fixture
def open_machine(machine: SystemdMachine) -> SystemdMachine:
    """The machine, with the folders above Python and this checkout open to everybody."""
    for place in (sys.base_prefix, AGENT[0]):
        machine.run(["chmod", "o+x", *map(str, Path(place).parents)])
    can = machine.run([*AS_NOBODY, *AGENT, "-v"], env=CLEAN)
    assert can.returncode == 0, f"an ordinary user cannot run this Python: {can.stderr}"
    return machine


def test_an_ordinary_user(open_machine: SystemdMachine, inside: Path, post: Postbox) -> None:
    """It watches, starts and tells as root's does; nobody else reaches its socket or state."""
    pidfile = inside / "worker.pid"
    start = f"/bin/sh -c 'sleep 1000 & echo $! > {pidfile}'"
    rules = f'check service worker with pidfile "{pidfile}", start "{start}"\n'
    rules += "  if down then start\n"
    argv = (*AS_NOBODY, *AGENT)
    agent = RunningAgent(inside, rules, post.send(), place=open_machine, argv=argv)
    open_machine.run(["chown", "--recursive", f"{NOBODY}:{NOBODY}", str(inside)])
    with agent:
        for _ in range(2):
            pid = agent.logged(r"worker is running as process (\d+)")[1]
            open_machine.run(["kill", "-KILL", pid])
        told = post.told(4)
        files = [Path(agent.socket), *agent.reach(inside / "state").iterdir()]

        assert told == ["CRITICAL worker: not running", "RECOVERED worker: running again"] * 2
        assert {os.stat(file).st_uid for file in files} == {NOBODY}
        assert {os.stat(file).st_mode & 0o077 for file in files} == {0}
