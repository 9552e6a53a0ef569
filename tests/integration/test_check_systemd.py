"""`inspectctl check` beside a real systemd."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.integration.systemd_machine import SystemdMachine

pytestmark = pytest.mark.systemd

RUNNING = "[Service]\nExecStart=/bin/sleep 1000\n"
RULES = """\
check service checked-always
  if down then start, alert
  if down for 2 cycles then restart
check service checked-once
  if down then start
check service checked-stopped
  if failed then start
check service checked-alway
check service checked-instance@*
check service unstarted@*
check service checked-instance@7
check service checked-always.service
check service "checked always"
check host
  if swap > 20% then run "true" as root, run "true" as roott
"""


def checked(machine: SystemdMachine, *options: str) -> tuple[int, Any]:
    """Exit status of a check inside the machine, and what it says as JSON."""
    argv = [sys.executable, "-m", "inspect_agent.cli.ctl", "check", "/run/checked"]
    ran = machine.run([*argv, "--format", "json", *options])
    assert ran.stderr == ""
    return ran.returncode, json.loads(ran.stdout)


def test_what_systemd_does_not_know(machine: SystemdMachine) -> None:
    """Names of no unit, templates without an instance, races with Restart=, unknown users."""
    machine.write_unit("checked-always.service", f"{RUNNING}Restart=always\n")
    machine.write_unit("checked-once.service", RUNNING)
    machine.write_unit("checked-stopped.service", f"{RUNNING}Restart=always\n")
    machine.write_unit("checked-instance@.service", RUNNING)
    machine.write_unit("unstarted@.service", RUNNING)
    machine.systemctl("start", "checked-always", "checked-once", "checked-instance@1")
    folder = machine.root / "run/checked/services.d"
    folder.mkdir(parents=True)
    (folder / "all.inq").write_text(RULES)

    status, answer = checked(machine)

    said = [(p["line"], p["column"], p["message"], p["hint"]) for p in answer["problems"]]
    assert said == [
        (
            2,
            16,
            "start at once, and its manager restarts checked-always by itself",
            "for 2 cycles, before then, leaves it the time to do so",
        ),
        (
            8,
            15,
            "nothing called checked-alway is known to systemd here",
            "did you mean checked-always?",
        ),
        (
            10,
            15,
            "no instance of unstarted@* is known to systemd here",
            "they are watched as they appear",
        ),
        (
            13,
            15,
            "nothing called checked always is known to systemd here",
            "did you mean checked-always?",
        ),
        (15, 56, "no user is called roott here", "did you mean root?"),
    ]
    assert (status, answer["ok"]) == (0, True)
    assert checked(machine, "--strict")[0] == 1
    assert checked(machine, "--strict", "--elsewhere") == (0, {**answer, "problems": []})
