"""Stories of lists of steps: one after the other, each awaited, one list at a time."""

from __future__ import annotations

import json

from tests.core.scenarios.stage import CONF, Stage

TEMPLATE = """
check service worker@* with restarts 1/10m
  if memory:rss > 500m then signal USR2, restart
check host
  if load:1 > 4 then alert
"""


def test_every_service_of_a_list_pays_once(stage: Stage) -> None:
    """A list on two services is a repair of each, however many steps each gets."""
    stage.machine.add("nginx", "puma")
    stage.begin(
        "check service nginx\n  if memory:rss > 500m then signal USR2, restart puma, run tidy,"
        " restart, reload puma\ncheck service puma\n"
    )
    stage.machine.grow("nginx", 600)
    stage.cycles(5)
    assert stage.story() == [
        "10 run signal USR2 nginx",
        "10 run restart puma",
        "21 run sh tidy",
        "22 run restart nginx",
        "33 run reload puma",
    ]
    paid = {name: len(json.loads(spent)[0]) for name, spent in stage.kept("budget").items()}
    assert paid == {"nginx": 1, "puma": 1}


def test_a_list_succeeds_as_a_whole(stage: Stage) -> None:
    """A failure is told; the step before it makes up for nothing as long as it fails again."""
    stage.machine.add("nginx")
    stage.machine.fails["sh check"] = "still bad"
    stage.begin("check service nginx\n  if memory:rss > 500m then reload, run check, unmonitor\n")
    stage.machine.grow("nginx", 600)
    stage.pass_(25)
    stage.machine.fails.clear()
    stage.cycles(2)
    assert stage.story() == [
        "10 run reload nginx",
        "11 run sh check",
        "12 default: RepairFailed nginx",
        "20 run reload nginx",
        "21 run sh check",
        "22 default: RepairFailed nginx",
        "30 run reload nginx",
        "31 run sh check",
        "32 default: RepairSucceeded nginx",
    ]


def test_all_instances_of_a_template_one_after_the_other(stage: Stage) -> None:
    """`restart NAME@*` in the rule of something else is a step for each, awaited and verified."""
    stage.machine.add("nginx", "worker@1", "worker@2")
    stage.begin(
        "check service nginx\n  if memory:rss > 500m then restart worker@*, run done\n"
        "check service worker@*\n"
    )
    stage.machine.grow("nginx", 600)
    stage.pass_(35)
    assert stage.story() == [
        "10 run restart worker@1",
        "21 run restart worker@2",
        "32 run sh done",
    ]


def test_a_template_without_instances(stage: Stage) -> None:
    """There is nothing to restart, and the rule waits for nothing."""
    stage.machine.add("nginx")
    stage.begin(
        "check service nginx\n  if memory:rss > 500m then restart worker@*\n"
        "check service worker@*\n"
    )
    stage.machine.grow("nginx", 600)
    stage.cycles(1)
    stage.machine.add("worker@1")
    stage.cycles(2)  # one that finds it, and the next
    assert stage.story() == ["20 run restart worker@1"]


def test_each_instance_is_signalled_itself(stage: Stage) -> None:
    """The rule of a template is one for each, with a budget for each, and they take turns."""
    stage.machine.add("worker@1", "worker@2")
    stage.machine.takes_s = 5.0
    stage.begin(TEMPLATE)
    for name in ("worker@1", "worker@2"):
        stage.machine.grow(name, 600)
    stage.cycles(4)
    assert stage.story() == [
        "10 run signal USR2 worker@1",
        "10 run restart worker@1",
        "25 run signal USR2 worker@2",
        "25 run restart worker@2",
    ]


def test_a_need_may_be_a_template(stage: Stage) -> None:
    """As long as one of its instances is down what needs them is not repaired."""
    stage.machine.add("app", "worker@1", "worker@2")
    stage.begin(
        'check service app with needs "worker@*"\n  if failed then start\ncheck service worker@*\n'
    )
    for name in ("worker@2", "app"):
        stage.do(stage.machine.crash, name)
    stage.cycles(2)
    said = "start app refused, NEED_DOWN: a service that it needs is down"
    assert stage.service("app").refusal == said
    stage.do(stage.machine.start, "worker@2")
    stage.cycles(2)
    assert [line for line in stage.story() if " run " in line] == ["30 run start app"]


def test_rules_that_want_the_same_as_urgently_take_turns(stage: Stage) -> None:
    """Of two that are due together the one goes first that was passed over last time."""
    stage.machine.add("nginx")
    stage.begin(
        "check service nginx with restarts 9/10m\n  if memory:rss > 500m then reload\n"
        "  if memory:rss > 400m then signal USR1\n"
    )
    stage.machine.grow("nginx", 600)
    stage.cycles(4)
    assert stage.story() == [
        "10 run reload nginx",
        "20 run signal USR1 nginx",
        "30 run reload nginx",
        "40 run signal USR1 nginx",
    ]


def test_a_list_whose_rule_a_reload_takes_away(stage: Stage) -> None:
    """The step that runs comes to its end, and nothing follows it."""
    stage.machine.add("nginx")
    stage.machine.takes_s = 5.0
    stage.begin("check service nginx\n  if memory:rss > 500m then run one, run two\n")
    stage.machine.grow("nginx", 600)
    stage.pass_(12)
    stage.reload_rules("check service nginx\n")
    stage.cycles(2)
    assert stage.story() == ["10 run sh one"]
    assert stage.kept("repair") == {}


def test_a_list_whose_service_a_reload_takes_away(stage: Stage) -> None:
    """While its command runs, and while it waits for room."""
    names = [f"s{number}" for number in range(6)]
    stage.machine.add(*names)
    stage.machine.takes_s = 5.0
    rules = "".join(f"check service {name}\n  if memory:rss > 500m then run x\n" for name in names)
    stage.begin(rules)
    for name in names:
        stage.machine.grow(name, 600)
    stage.pass_(12)
    stage.reload_rules("check service s0\n  if memory:rss > 500m then run x\n")
    stage.pass_(6)
    assert stage.story() == ["10 run sh x"] * 4
    assert stage.kept("repair") == {}
    assert stage.kept("rule").keys() == {"service s0/memory:rss > 500m"}


def test_hundreds_of_steps_that_cannot_begin(stage: Stage) -> None:
    """Each fails by itself, whoever else is waiting."""
    names = [f"s{number}" for number in range(300)]
    stage.machine.add(*names)
    stage.machine.cannot.add("reload")
    rules = "".join(f"check service {name}\n  if memory:rss > 500m then reload\n" for name in names)
    stage.begin(rules, CONF)
    for name in names:
        stage.machine.grow(name, 600)
    stage.pass_(11)
    assert sorted(stage.story()) == sorted(f"10 default: RepairFailed {name}" for name in names)
