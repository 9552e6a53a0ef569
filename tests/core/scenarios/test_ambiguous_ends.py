"""Managers that cannot tell a crash from a stop: whoever asked for an end makes the difference."""

from __future__ import annotations

import pytest

from tests.core.scenarios.stage import Stage

RULES = """
check service nginx with owner ops
  if failed then start
  if memory:rss > 500m then restart
"""


@pytest.fixture
def unclear(stage: Stage) -> Stage:
    """A stage whose manager cannot tell, with nginx up."""
    stage.machine.ambiguous = True
    stage.machine.add("nginx")
    return stage


def test_an_end_that_nobody_asked_for_is_a_failure(unclear: Stage) -> None:
    """A stop by an operator, too, who has `unmonitor` to say so."""
    unclear.begin(RULES)
    unclear.pass_(3)
    unclear.do(unclear.machine.stop, "nginx")
    unclear.cycles(3)
    assert unclear.story() == [
        "3 ops: ProcessDoesNotExist nginx",
        "10 run start nginx",
        "21 ops: ProcessExists nginx",
    ]


@pytest.mark.parametrize(
    ("quiet", "loud"),
    [("start deploy nginx", "finish deploy nginx"), ("unmonitor nginx", "monitor nginx")],
)
def test_what_a_deploy_stops_has_not_failed(unclear: Stage, quiet: str, loud: str) -> None:
    """Nor has what an operator stops who said so; that it is down is told afterwards."""
    unclear.begin(RULES)
    unclear.ask(quiet)
    unclear.pass_(3)
    unclear.do(unclear.machine.stop, "nginx")
    unclear.cycles(2)
    unclear.ask(loud)
    unclear.cycles(6)
    name, _, _ = quiet.rpartition(" ")
    back, _, _ = loud.rpartition(" ")
    assert unclear.story() == [
        f"0 answered {name}",
        f"20 answered {back}",
        "40 ops: ProcessDoesNotExist nginx",
    ]
    assert unclear.service("nginx").state.status == "down"


def test_a_failure_stays_one_until_it_is_up(unclear: Stage) -> None:
    """Over a window that opens later, too: nobody asked for that end."""
    unclear.machine.fails["start nginx"] = "no"
    unclear.begin("check service nginx with owner ops\n  if failed then alert boss\n")
    unclear.do(unclear.machine.crash, "nginx")
    unclear.cycles(2)
    assert unclear.service("nginx").state.status == "failed"
    unclear.cycles(10)
    assert unclear.service("nginx").state.status == "failed"
    unclear.do(unclear.machine.start, "nginx")
    unclear.cycles(2)
    assert unclear.story() == [
        "0 ops: ProcessDoesNotExist nginx",
        "10 boss: RuleFailed nginx failed",
        "130 ops: ProcessExists nginx",
        "130 boss: RuleRecovered nginx failed",
    ]


def test_a_failure_outlasts_a_window(unclear: Stage) -> None:
    """A deploy that begins later did not ask for its end."""
    unclear.begin("check service nginx with owner ops\n  if failed then alert boss\n")
    unclear.do(unclear.machine.crash, "nginx")
    unclear.cycles(1)
    unclear.ask("start deploy nginx")
    unclear.cycles(1)
    unclear.ask("finish deploy nginx")
    unclear.cycles(5)
    assert unclear.service("nginx").state.status == "failed"
    assert unclear.story() == [
        "0 ops: ProcessDoesNotExist nginx",
        "10 boss: RuleFailed nginx failed",
        "10 answered start deploy",
        "20 answered finish deploy",
    ]


def test_what_a_repair_does_not_bring_back_has_failed(unclear: Stage) -> None:
    """Nothing has recovered, and it is tried again."""
    unclear.machine.fails["start nginx"] = "no"
    unclear.begin(
        "check service nginx with owner ops, restarts 2/10m\n  if failed then start, alert boss\n"
    )
    unclear.do(unclear.machine.crash, "nginx")
    unclear.cycles(4)
    assert unclear.service("nginx").state.status == "failed"
    assert unclear.story() == [
        "0 ops: ProcessDoesNotExist nginx",
        "10 boss: RuleFailed nginx failed",
        "10 run start nginx",
        "11 ops: RepairFailed nginx",
        "20 run start nginx",
        "21 ops: RepairFailed nginx",
        "30 ops: RepairExhausted nginx",
    ]


def test_what_a_restart_stops_for_good_has_failed(unclear: Stage) -> None:
    """The command ends well, and the service does not run: nobody wanted that."""
    unclear.machine.units["nginx"].stillborn = True
    unclear.begin(RULES)
    unclear.machine.grow("nginx", 600)
    unclear.cycles(6)
    assert unclear.service("nginx").state.status == "failed"
    told = [line for line in unclear.story() if "Repair" not in line]
    assert told == [
        "10 run restart nginx",
        "51 ops: ProcessDoesNotExist nginx",
        "60 run start nginx",
    ]


@pytest.mark.parametrize("meant", [True, False])
def test_a_pid_file_that_was_left_behind(unclear: Stage, meant: bool) -> None:
    """As a crash leaves it, and a kill in a deploy: the deploy accounts for it."""
    unclear.machine.leaves_traces = True
    unclear.begin("check service nginx with owner ops\n  if failed then alert boss\n")
    if meant:
        unclear.ask("start deploy nginx")
    unclear.do(unclear.machine.crash, "nginx")
    unclear.cycles(1)
    if meant:
        unclear.ask("finish deploy nginx")
    unclear.cycles(4)
    assert unclear.service("nginx").state.status == ("down" if meant else "failed")


def test_what_never_was_up_has_not_failed(unclear: Stage) -> None:
    """It was not running before the agent was there: whoever stopped it is not known."""
    unclear.machine.stop("nginx")
    unclear.begin(RULES)
    unclear.cycles(3)
    assert unclear.story() == ["0 ops: ProcessDoesNotExist nginx"]


def test_an_end_while_the_agent_was_away(unclear: Stage) -> None:
    """It was up when the agent saw it last, and nobody asked for that either."""
    unclear.begin(RULES)
    unclear.cycles(1)
    unclear.kill()
    unclear.machine.crash("nginx")
    unclear.begin(RULES)
    unclear.cycles(2)
    assert unclear.story() == [
        "10 ops: ProcessDoesNotExist nginx",
        "10 run start nginx",
        "21 ops: ProcessExists nginx",
    ]


def test_what_a_rule_stops_has_not_failed(unclear: Stage) -> None:
    """It is told as missing, and nothing starts it again."""
    unclear.begin(
        "check service nginx with owner ops\n"
        "  if memory:rss > 500m then stop\n"
        "  if failed then start\n"
    )
    unclear.machine.grow("nginx", 600)
    unclear.cycles(5)
    assert unclear.service("nginx").state.status == "down"
    assert unclear.story() == [
        "10 run stop nginx",
        "11 ops: ProcessDoesNotExist nginx",
    ]
