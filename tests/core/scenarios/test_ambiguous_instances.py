"""Instances of a manager that unloads whatever has ended, and cannot tell a crash from a stop."""

from __future__ import annotations

import pytest

from tests.core.scenarios.stage import Stage

RULES = """
check service worker@* with owner ops
  if failed for 2 cycles then start
"""


@pytest.fixture
def unclear(stage: Stage) -> Stage:
    """A stage with such a manager and two instances."""
    stage.machine.ambiguous = stage.machine.unloads = True
    stage.machine.add("worker@1", "worker@2")
    return stage


def watched(stage: Stage) -> list[str]:
    """The services that are watched now."""
    return list(stage.parts.world.services)


def test_what_may_have_crashed_is_started_again(unclear: Stage) -> None:
    """It is no departure, so its rules go on."""
    unclear.begin(RULES)
    unclear.do(unclear.machine.stop, "worker@2")
    unclear.cycles(4)
    assert unclear.story() == [
        "0 ops: ProcessDoesNotExist worker@2",
        "20 run start worker@2",
        "31 ops: ProcessExists worker@2",
    ]


def test_what_may_have_crashed_stays_failed(unclear: Stage) -> None:
    """Nobody is told that it is over, also by an agent that was killed meanwhile."""
    unclear.begin("check service worker@* with owner ops\n")
    unclear.do(unclear.machine.stop, "worker@2")
    unclear.cycles(3)
    unclear.kill()
    unclear.begin("check service worker@* with owner ops\n")
    unclear.cycles(3)
    assert unclear.service("worker@2").state.status == "failed"
    assert unclear.story() == ["0 ops: ProcessDoesNotExist worker@2"]


def test_what_a_deploy_stops_is_gone(unclear: Stage) -> None:
    """Somebody asked for that end: its loss is told when the window has settled, and withdrawn."""
    unclear.begin(RULES)
    unclear.ask("start deploy worker@*")
    unclear.do(unclear.machine.stop, "worker@2")
    unclear.cycles(2)
    unclear.ask("finish deploy worker@*")
    unclear.cycles(4)
    assert watched(unclear) == ["worker@1"]
    assert unclear.story() == [
        "0 answered start deploy",
        "20 answered finish deploy",
        "40 ops: ProcessDoesNotExist worker@2",
        "40 ops: RuleWithdrawn worker@2 process",
    ]
