"""Who started a process is part of what is told of it."""

from __future__ import annotations

import pytest

from tests.core.scenarios.stage import Stage

CHECK = "check service nginx with owner ops\n"


def authors(stage: Stage) -> list[tuple[str, str]]:
    """What was told of processes, and who started them."""
    return [(event.kind, event.by) for event in stage.told() if event.kind.startswith("Process")]


@pytest.fixture
def counting(stage: Stage) -> Stage:
    """A stage whose manager restarts nginx and counts that."""
    stage.machine.counts = True
    stage.machine.add("nginx")
    stage.machine.units["nginx"].respawns = 2.0
    return stage


def test_its_manager(counting: Stage) -> None:
    """The manager's own count has grown."""
    counting.begin(CHECK)
    counting.do(counting.machine.crash, "nginx")
    counting.cycles(1)
    assert authors(counting) == [("ProcessDoesNotExist", ""), ("ProcessExists", "its manager")]


def test_somebody_else(counting: Stage) -> None:
    """An operator's restart does not count, although the manager would have restarted it, too."""
    counting.begin(CHECK)
    counting.do(counting.machine.bounce, "nginx")
    counting.cycles(1)
    assert authors(counting) == [("ProcessChanged", "somebody else")]


@pytest.mark.parametrize(("respawns", "by"), [(2.0, "its manager"), (None, "somebody else")])
def test_a_manager_that_does_not_count(stage: Stage, respawns: float | None, by: str) -> None:
    """It is taken to be the one if it restarts the service at all."""
    stage.machine.add("nginx")
    stage.machine.units["nginx"].respawns = respawns
    stage.begin(CHECK)
    stage.do(stage.machine.bounce, "nginx")
    stage.cycles(1)
    assert authors(stage) == [("ProcessChanged", by)]


def test_this_agent(stage: Stage) -> None:
    """After a loss that was told; its own change of a process is not told at all."""
    stage.machine.add("nginx")
    stage.begin(CHECK + "  if failed then start\n  if memory:rss > 500m then restart\n")
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(3)
    stage.machine.grow("nginx", 600)
    stage.cycles(3)
    assert authors(stage) == [("ProcessDoesNotExist", ""), ("ProcessExists", "this agent")]
    assert stage.machine.pid("nginx") == stage.status_of("nginx")["pid"]


def test_while_the_agent_was_away_nobody_knows(stage: Stage) -> None:
    """Then nothing is said about it."""
    stage.machine.add("nginx")
    stage.begin(CHECK)
    stage.kill()
    stage.machine.bounce("nginx")
    stage.begin(CHECK)
    assert authors(stage) == [("ProcessChanged", "")]
