"""The managers of runit and s6 against the real ones: what is the same with both."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from inspect_agent.managers import detect
from inspect_agent.managers.runit import Runit
from inspect_agent.managers.s6 import S6
from inspect_agent.model.observation import Observation
from tests.integration.components import need
from tests.integration.scandir_machine import SUPERVISORS, ScandirMachine, look, scandir_machine
from tests.integration.scandirs import RELOADS, sleeping, until, written
from tests.integration.small_machine import SmallMachine

SERVICES = {**sleeping("killed", "orphan"), "reloads": {"run": RELOADS}}


@pytest.fixture(scope="module", params=SUPERVISORS, ids=lambda by: by.name)
def machine(request: pytest.FixtureRequest) -> Iterator[ScandirMachine]:
    """A machine that runit or s6 runs, with its services supervised."""
    with scandir_machine(request.param, SERVICES) as booted:
        yield booted


def test_killed(machine: ScandirMachine) -> None:
    """A service whose process was killed is brought back, and is never seen as stopped."""
    before = machine.up("killed")
    machine.kill(before)
    seen = until(lambda: machine.one("killed"), lambda seen: seen.pid != before)

    assert seen.restarts_itself
    assert machine.up("killed", but=before) != before


def test_reload(machine: ScandirMachine) -> None:
    """A reload is a HUP, and keeps the process."""
    folder = machine.folder("reloads")
    until(lambda: folder / "ready", os.path.exists)
    pid = machine.up("reloads")
    reloaded = machine.do("reload", "reloads")
    until(lambda: folder / "done", os.path.exists)

    assert (reloaded.returncode, reloaded.stderr) == (0, "")
    assert machine.up("reloads") == pid


def test_a_supervisor_that_is_killed(machine: ScandirMachine) -> None:
    """Nobody knows where its service is until the one above has started another."""
    before, glanced = machine.up("orphan"), machine.glance("orphan")
    with machine.orphaned(before):
        until(lambda: machine.glance("orphan"), lambda text: text != glanced)
        unknown = machine.one("orphan")

    assert unknown == Observation("unknown", reason=unknown.reason)
    assert re.fullmatch(machine.by.lost.format("orphan"), unknown.reason)
    assert machine.up("orphan", but=before) != before


def test_runit_and_s6_on_one_machine() -> None:
    """Neither takes a service of the other's for its own, even where both have one of its name."""
    need("namespaces")
    need("runit")
    need("s6")
    theirs, ours = sleeping("web", "db"), sleeping("web", "mq")
    script = f"rm -r /etc/service\n{written('/etc/service', theirs)}\n{written('/service', ours)}"
    both = "runsvdir -P /etc/service & exec s6-svscan /service"
    with SmallMachine(["tini", "--", "sh", "-c", both], script) as machine:
        root = str(machine.root)
        runit, s6 = Runit(root), S6(root)
        until(lambda: len(runit.loaded()) + len(s6.loaded()), lambda count: count == 4)
        names = ("web", "db", "mq")
        of_runit = until(lambda: look(machine, runit, *names), lambda seen: seen["web"].pid)
        of_s6 = until(lambda: look(machine, s6, *names), lambda seen: seen["web"].pid)

        assert (detect.runit(root), detect.s6(root)) == (True, True)
        assert (runit.loaded(), s6.loaded()) == (["db", "web"], ["mq", "web"])
        assert of_runit["mq"] == Observation(
            "absent", reason="another than runsv supervises /service/mq"
        )
        assert of_s6["db"].status == "absent"
        assert of_runit["web"].pid != of_s6["web"].pid
