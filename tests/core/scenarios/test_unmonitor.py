"""Stories of `unmonitor` as an action: a service that is left alone because its rule said so."""

from __future__ import annotations

import json

from tests.core.scenarios.stage import Stage

LEAVE = """
check service nginx with owner ops, restarts 1/10m
  if failed for 2 cycles then start, alert
  if failed for 5 cycles then alert boss, unmonitor
"""
FAILS = "start nginx"


def left_alone(stage: Stage) -> tuple[str, ...]:
    """The services that are not monitored now."""
    return stage.parts.windows.silence.unmonitored


def test_a_service_that_will_not_come_up_is_left_alone(stage: Stage) -> None:
    """Once its budget is spent, too: that costs none; its own alert goes out, nothing after it."""
    stage.machine.add("nginx")
    stage.machine.fails[FAILS] = "no"
    stage.begin(LEAVE)
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(30)
    assert stage.story() == [
        "0 ops: ProcessDoesNotExist nginx",
        "20 ops: RuleFailed nginx failed for 2 cycles",
        "20 run start nginx",
        "21 ops: RepairFailed nginx",
        "40 ops: RepairExhausted nginx",
        "50 boss: RuleFailed nginx failed for 5 cycles",
    ]
    assert left_alone(stage) == ("nginx",)
    assert stage.kept("repair") == {}


def test_monitor_settles_and_judges_anew(stage: Stage) -> None:
    """What is still wrong is counted from the beginning; nobody is told of it twice."""
    stage.machine.add("nginx")
    stage.begin("check service nginx\n  if failed for 2 cycles then unmonitor, alert\n")
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(5)
    stage.ask("monitor nginx")
    stage.cycles(2)
    assert left_alone(stage) == ()
    stage.cycles(1)
    assert left_alone(stage) == ("nginx",)
    stage.ask("monitor nginx")
    stage.do(stage.machine.start, "nginx")
    stage.cycles(3)
    assert stage.story() == [
        "0 default: ProcessDoesNotExist nginx",
        "20 default: RuleFailed nginx failed for 2 cycles",
        "50 answered monitor",
        "80 answered monitor",
        "100 default: ProcessExists nginx",
        "100 default: RuleRecovered nginx failed for 2 cycles",
    ]


def test_later_steps_of_the_same_list_are_taken(stage: Stage) -> None:
    """Though everything else leaves the service alone; a failure among them is told."""
    stage.machine.add("nginx")
    stage.machine.fails["sh page somebody"] = "no modem"
    stage.begin(
        "check service nginx with owner ops\n"
        '  if memory:rss > 500m then unmonitor, signal USR2, restart, run "page somebody", stop\n'
        "  if memory:rss > 500m for 2 cycles then alert boss\n"
    )
    stage.machine.grow("nginx", 600)
    stage.cycles(5)
    assert stage.story() == [
        "10 run signal USR2 nginx",
        "10 run restart nginx",
        "21 run sh page somebody",
        "22 ops: RepairFailed nginx",
    ]
    said = "run (services.d/story.inq:2) failed: exit 1: no modem"
    assert stage.log.warnings == [f"nginx: {said} (RepairFailed)"]


def test_a_window_covers_what_goes_on_alone(stage: Stage) -> None:
    """A deploy keeps the rest of the list back, and nothing is told inside."""
    stage.machine.add("nginx")
    stage.machine.takes_s = 5.0
    stage.machine.fails["sh one"] = "no"
    stage.begin("check service nginx\n  if memory:rss > 500m then unmonitor, run one, run two\n")
    stage.machine.grow("nginx", 600)
    stage.pass_(12)
    stage.ask("start deploy nginx")
    stage.cycles(3)
    assert stage.story() == ["10 run sh one", "15 answered start deploy"]


def test_another_service_is_left_alone_by_its_own_rules_only(stage: Stage) -> None:
    """A list that unmonitored its service repairs no other one that somebody left alone."""
    stage.machine.add("nginx", "puma")
    stage.begin(
        "check service nginx\n  if memory:rss > 500m then unmonitor, restart puma\n"
        "check service puma\n"
    )
    stage.ask("unmonitor puma")
    stage.machine.grow("nginx", 600)
    stage.cycles(2)
    assert stage.story() == ["0 answered unmonitor"]
    said = "restart puma refused, UNMONITORED: the service is not monitored"
    assert stage.service("nginx").refusal == said


def test_unmonitor_alone_spends_nothing(stage: Stage) -> None:
    """Nor does it make up for a repair that failed."""
    stage.machine.add("nginx")
    stage.machine.fails["reload nginx"] = "no"
    stage.begin(
        "check service nginx\n  if memory:rss > 500m for 2 cycles then reload\n"
        "  if memory:rss > 500m for 3 cycles then unmonitor\n"
    )
    stage.machine.grow("nginx", 600)
    stage.cycles(3)
    assert stage.story() == ["20 run reload nginx", "21 default: RepairFailed nginx"]
    assert left_alone(stage) == ("nginx",)
    (spent,) = stage.kept("budget").values()
    assert len(json.loads(spent)[0]) == 1
    assert stage.service("nginx").repair_told


def test_what_was_left_alone_is_left_alone_by_the_next_agent(stage: Stage) -> None:
    """It is in the ledger before the list goes on."""
    stage.machine.add("nginx")
    rules = "check service nginx\n  if memory:rss > 500m then unmonitor, run slow\n"
    stage.begin(rules)
    stage.machine.takes_s = 50.0
    stage.machine.grow("nginx", 600)
    stage.pass_(12)
    stage.kill()
    stage.begin(rules)
    stage.cycles(4)
    assert stage.story() == ["10 run sh slow"]
    step = "service nginx: run (services.d/story.inq:2)"
    assert stage.log.warnings == [f"{step} was under way when the agent ended; it counts as ended"]


def test_a_ladder_may_end_in_leaving_it_alone(stage: Stage) -> None:
    """The last rung is reached although the ones below it replaced the process, and ends it."""
    stage.machine.add("nginx")
    stage.begin(
        "check service nginx\n  if memory:rss > 500m for 2 cycles then restart\n"
        "  if memory:rss > 500m for 5 cycles then unmonitor, alert boss\n"
    )
    stage.machine.grow_always("nginx", 600)
    stage.cycles(20)
    assert stage.story() == [
        "20 run restart nginx",
        "50 boss: RuleFailed nginx memory:rss > 500m for 5 cycles",
    ]
