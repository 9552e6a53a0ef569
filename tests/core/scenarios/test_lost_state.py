"""Stories of an agent whose state was lost, and with it what it was to leave alone."""

from __future__ import annotations

from inspect_agent.core.turn import Turn
from tests.core.scenarios.stage import Stage

START = """
check service nginx with owner ops
  if down then start, alert
check service redis with owner ops
  if memory:rss > 500m then restart
"""
REFUSED = "start nginx refused, STATE_LOST: state was lost, and with it perhaps a deploy window"


def lose(stage: Stage, length_s: float = 60.0) -> None:
    """What the agent does when it has read that something is missing."""
    turn = Turn(stage.clock.now, stage.clock.wall())
    stage.parts.windows.doubt(turn, length_s)
    stage.parts.telling.commit(turn)
    stage.settle()


def test_what_may_be_a_deploy_is_left_alone(stage: Stage) -> None:
    """Stopped in a window that nobody remembers: told at once, and not started before its time."""
    stage.machine.add("nginx", "redis")
    stage.machine.stop("nginx")
    stage.begin("check service redis\n")
    lose(stage)
    stage.reload_rules(START)
    stage.cycles(3)
    assert stage.status_of("nginx")["refused"] == REFUSED
    stage.cycles(6)
    assert stage.story() == [
        "0 ops: ProcessDoesNotExist nginx",
        "10 ops: RuleFailed nginx down",
        "60 run start nginx",
        "70 ops: RuleRecovered nginx down",
        "71 ops: ProcessExists nginx",
    ]


def test_what_runs_is_not_restarted(stage: Stage) -> None:
    """However its rule holds; the end of a deploy of something else is no end of the doubt."""
    stage.machine.add("nginx", "redis")
    stage.begin(START)
    lose(stage)
    stage.machine.grow("redis", 600)
    stage.cycles(3)
    stage.ask("finish deploy nginx")
    stage.cycles(3)
    assert stage.story() == ["30 answered finish deploy", "60 run restart redis"]


def test_finish_deploy_ends_it(stage: Stage) -> None:
    """Without names: whoever says so knows that nothing is being deployed."""
    stage.machine.add("nginx", "redis")
    stage.begin(START)
    lose(stage, 1000.0)
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(3)
    stage.ask("finish deploy")
    stage.cycles(2)
    assert stage.story() == [
        "0 ops: ProcessDoesNotExist nginx",
        "10 ops: RuleFailed nginx down",
        "30 answered finish deploy",
        "40 run start nginx",
        "50 ops: RuleRecovered nginx down",
    ]


def test_the_next_agent_waits_as_well(stage: Stage) -> None:
    """A kill -9 does not end the wait, nor does a reboot; its time does."""
    stage.machine.add("nginx", "redis")
    stage.begin(START)
    lose(stage, 100.0)
    stage.do(stage.machine.stop, "nginx")
    stage.pass_(15)
    stage.kill()
    stage.begin(START)
    stage.cycles(1)
    stage.story()
    stage.reboot()
    stage.do(stage.machine.stop, "nginx")
    stage.begin(START)
    stage.cycles(2)
    assert stage.service("nginx").refusal == REFUSED
    stage.cycles(4)
    assert [line for line in stage.story() if "run" in line] == ["100 run start nginx"]


def test_windows_go_on_beside_it(stage: Stage) -> None:
    """Of a window that is opened meanwhile the end counts, and it is silent as any other."""
    stage.machine.add("nginx", "redis")
    stage.begin(START)
    lose(stage, 30.0)
    stage.ask("start deploy nginx for 60s")
    stage.do(stage.machine.stop, "nginx")
    stage.cycles(9)
    assert stage.story() == [
        "0 answered start deploy",
        "60 ops: WindowEnded agent",
        "70 ops: ProcessDoesNotExist nginx",
        "70 ops: RuleFailed nginx down",
        "70 run start nginx",
        "80 ops: RuleRecovered nginx down",
        "81 ops: ProcessExists nginx",
    ]
