"""Stories of templates: instances that come and go, each with a state of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.scenarios.stage import Stage

CRASH = """
check service worker@* with owner ops
  if failed then start, alert boss
"""
GAP = """
check service worker@*
  if down then start
"""
LEAK = """
check service worker@*
  if memory:rss > 500m for 2 cycles then restart, alert
"""


def watched(stage: Stage) -> list[str]:
    """The services that are watched now, in their order."""
    return list(stage.parts.world.services)


def described(stage: Stage) -> list[dict[str, Any]]:
    """What status says of templates."""
    return stage.parts.instances.describe()


def test_each_instance_is_a_service_of_its_own(stage: Stage) -> None:
    """In the order of their numbers, where their template stands; nothing is told of that."""
    stage.machine.add("worker@10", "worker@2", "nginx", "workers@1", "worker", "redis")
    stage.begin("check service redis\n" + CRASH + "check service nginx\n")
    assert watched(stage) == ["redis", "worker@2", "worker@10", "nginx"]
    stage.do(stage.machine.crash, "worker@2")
    stage.cycles(2)
    assert stage.story() == [
        "0 ops: ProcessDoesNotExist worker@2",
        "10 boss: RuleFailed worker@2 failed",
        "10 run start worker@2",
        "20 boss: RuleRecovered worker@2 failed",
    ]
    assert stage.kept("service").keys() == {"redis", "worker@2", "worker@10", "nginx"}


def test_one_that_appears_is_watched_from_the_next_cycle_on(stage: Stage) -> None:
    """Nobody is told that it came; that it died is told."""
    stage.machine.add("worker@1")
    stage.begin(CRASH)
    stage.machine.add("worker@2")
    stage.pass_(9)
    assert watched(stage) == ["worker@1"]
    stage.cycles(1)
    assert watched(stage) == ["worker@1", "worker@2"]
    stage.do(stage.machine.crash, "worker@2")
    assert stage.story() == ["10 ops: ProcessDoesNotExist worker@2"]


def test_a_check_of_its_own_wins(stage: Stage) -> None:
    """Whether it is written before the template or behind it."""
    stage.machine.add("worker@1", "worker@2", "worker@3")
    own = "check service worker@{} with owner boss\n"
    stage.begin(own.format(3) + CRASH + own.format(1))
    assert watched(stage) == ["worker@3", "worker@2", "worker@1"]
    for name in ("worker@1", "worker@2", "worker@3"):
        stage.do(stage.machine.crash, name)
    stage.cycles(1)
    assert stage.story() == [
        "0 boss: ProcessDoesNotExist worker@1",
        "0 ops: ProcessDoesNotExist worker@2",
        "0 boss: ProcessDoesNotExist worker@3",
        "10 boss: RuleFailed worker@2 failed",
        "10 run start worker@2",
    ]


def test_a_rule_of_the_template_repairs_the_instance(stage: Stage) -> None:
    """The one that leaks is restarted, and no other."""
    stage.machine.add("worker@1", "worker@2")
    stage.begin(LEAK)
    stage.machine.grow("worker@2", 600)
    stage.cycles(3)
    assert stage.story() == [
        "20 default: RuleFailed worker@2 memory:rss > 500m for 2 cycles",
        "20 run restart worker@2",
        "30 default: RuleRecovered worker@2 memory:rss > 500m for 2 cycles",
    ]


def test_one_that_is_stopped_and_unloaded_is_forgotten(stage: Stage) -> None:
    """Its loss is told, and withdrawn at once; no rule starts it, and no row of it stays."""
    stage.machine.unloads = True
    stage.machine.add("worker@1", "worker@2")
    stage.begin(GAP)
    stage.pass_(12)
    stage.do(stage.machine.stop, "worker@2")
    assert watched(stage) == ["worker@1"]
    stage.cycles(3)
    assert stage.story() == [
        "12 default: ProcessDoesNotExist worker@2",
        "12 default: RuleWithdrawn worker@2 process",
    ]
    assert stage.kept("service").keys() == {"worker@1"}


def test_one_that_is_stopped_and_stays_loaded_is_down(stage: Stage) -> None:
    """It is an instance as before, for its rules to start."""
    stage.machine.add("worker@1")
    stage.begin(GAP)
    stage.do(stage.machine.stop, "worker@1")
    stage.cycles(3)
    assert stage.story() == [
        "0 default: ProcessDoesNotExist worker@1",
        "10 run start worker@1",
        "21 default: ProcessExists worker@1",
    ]


def test_one_that_leaves_the_list_while_it_is_up_is_kept(stage: Stage) -> None:
    """The list may be older than it is."""
    stage.machine.add("worker@1", "worker@2")
    stage.begin(CRASH)
    stage.machine.hides.add("worker@2")
    stage.cycles(3)
    assert watched(stage) == ["worker@1", "worker@2"]
    stage.do(stage.machine.crash, "worker@2")
    assert watched(stage) == ["worker@1"]
    assert stage.story() == [
        "30 ops: ProcessDoesNotExist worker@2",
        "30 ops: RuleWithdrawn worker@2 process",
    ]


def test_one_that_keeps_dying_is_kept_while_it_is_up(stage: Stage) -> None:
    """Though its loss was told, as a crash loop that is not over yet."""
    stage.machine.add("worker@1")
    stage.machine.units["worker@1"].respawns = 1.0
    stage.begin("check service worker@*\n")
    for _ in range(5):
        stage.do(stage.machine.crash, "worker@1")
        stage.pass_(2)
    stage.machine.hides.add("worker@1")
    stage.cycles(3)
    assert watched(stage) == ["worker@1"]
    assert stage.story()[-1] == "8 default: CrashLoop worker@1"


def test_one_with_a_check_of_its_own_never_goes(stage: Stage) -> None:
    """Loaded or not, its check says that it should be there."""
    stage.machine.unloads = True
    stage.machine.add("worker@1", "worker@2")
    stage.begin("check service worker@*\ncheck service worker@1\n")
    stage.do(stage.machine.stop, "worker@1")
    stage.cycles(3)
    assert watched(stage) == ["worker@2", "worker@1"]
    assert stage.story() == ["0 default: ProcessDoesNotExist worker@1"]


def test_one_that_goes_before_its_absence_is_due(stage: Stage) -> None:
    """It is kept until that is told; one that never was up is not missed."""
    stage.machine.unloads = True
    stage.machine.add("worker@1", "worker@2")
    stage.begin(CRASH)
    stage.absence_due = False
    stage.ask("start deploy worker@2")
    stage.machine.install("worker@3")
    stage.machine.starting("worker@3")
    stage.do(stage.machine.stop, "worker@2")
    stage.cycles(1)
    stage.ask("finish deploy worker@2")
    assert watched(stage) == ["worker@1", "worker@2", "worker@3"]
    stage.do(stage.machine.stop, "worker@3")
    stage.cycles(3)
    assert watched(stage) == ["worker@1", "worker@2"]
    stage.absence_due = True
    stage.cycles(1)
    assert watched(stage) == ["worker@1"]
    assert stage.story() == [
        "0 answered start deploy",
        "10 answered finish deploy",
        "50 ops: ProcessDoesNotExist worker@2",
        "50 ops: RuleWithdrawn worker@2 process",
    ]


def test_the_order_of_a_deploy(stage: Stage) -> None:
    """Stop, switch, start: nothing is started in the gap, and nothing is told of it."""
    stage.machine.unloads = True
    stage.machine.add("worker@1", "worker@2")
    stage.begin(GAP)
    stage.pass_(22)
    stage.ask("start deploy worker@*")
    for name in ("worker@1", "worker@2"):
        stage.do(stage.machine.stop, name)
    stage.pass_(35)
    for name in ("worker@1", "worker@2"):
        stage.do(stage.machine.start, name)
    stage.pass_(1)
    stage.ask("finish deploy worker@*")
    stage.cycles(6)
    assert stage.story() == ["22 answered start deploy", "58 answered finish deploy"]
    assert watched(stage) == ["worker@1", "worker@2"]


@pytest.mark.parametrize("window", ["", " worker@*", " worker@2"])
def test_what_a_deploy_stops_for_good_is_told_once(stage: Stage, window: str) -> None:
    """After the window has settled; then it is forgotten, and no rule starts it."""
    stage.machine.unloads = True
    stage.machine.add("worker@1", "worker@2")
    stage.begin(GAP)
    stage.ask(f"start deploy{window}")
    stage.do(stage.machine.stop, "worker@2")
    stage.cycles(3)
    stage.ask(f"finish deploy{window}")
    assert watched(stage) == ["worker@1", "worker@2"]
    stage.cycles(4)
    assert watched(stage) == ["worker@1"]
    assert stage.story() == [
        "0 answered start deploy",
        "30 answered finish deploy",
        "50 default: ProcessDoesNotExist worker@2",
        "50 default: RuleWithdrawn worker@2 process",
    ]


def test_what_comes_back_inside_a_window_keeps_its_state(stage: Stage) -> None:
    """Its rule is TRIGGERED as before, and its recovery is told to those who heard."""
    stage.machine.unloads = True
    stage.machine.add("worker@1", "worker@2")
    stage.begin(LEAK.replace("restart, alert", "alert boss"))
    stage.machine.grow("worker@2", 600)
    stage.cycles(2)
    stage.ask("start deploy worker@*")
    stage.do(stage.machine.stop, "worker@2")
    stage.cycles(2)
    stage.do(stage.machine.start, "worker@2")
    stage.cycles(1)
    stage.ask("finish deploy worker@*")
    stage.cycles(3)
    assert stage.story() == [
        "20 boss: RuleFailed worker@2 memory:rss > 500m for 2 cycles",
        "20 answered start deploy",
        "50 answered finish deploy",
        "70 boss: RuleRecovered worker@2 memory:rss > 500m for 2 cycles",
    ]


def test_one_that_was_lost_before_a_window_goes_after_it(stage: Stage) -> None:
    """Inside nothing is forgotten, also what nothing happens to."""
    stage.machine.add("worker@1", "worker@2")
    stage.begin("check service worker@*\n")
    stage.do(stage.machine.stop, "worker@2")
    stage.cycles(1)
    stage.ask("start deploy worker@*")
    stage.machine.hides.add("worker@2")
    stage.cycles(3)
    assert watched(stage) == ["worker@1", "worker@2"]
    stage.ask("finish deploy worker@*")
    stage.cycles(2)
    assert watched(stage) == ["worker@1"]
    assert stage.story() == [
        "0 default: ProcessDoesNotExist worker@2",
        "10 answered start deploy",
        "40 answered finish deploy",
        "60 default: RuleWithdrawn worker@2 process",
    ]


def test_one_that_came_back_inside_a_window_is_judged_first(stage: Stage) -> None:
    """A list that is older than its return does not take it away when the window has settled."""
    stage.machine.add("worker@1", "worker@2")
    stage.begin("check service worker@*\n")
    stage.do(stage.machine.crash, "worker@2")
    stage.ask("start deploy worker@*")
    stage.cycles(1)
    stage.do(stage.machine.start, "worker@2")
    stage.cycles(1)
    stage.machine.hides.add("worker@2")
    stage.ask("finish deploy worker@*")
    stage.cycles(3)
    assert watched(stage) == ["worker@1", "worker@2"]
    assert stage.story()[1:] == [
        "0 answered start deploy",
        "20 answered finish deploy",
        "40 default: ProcessExists worker@2",
    ]


def test_a_window_of_a_template_covers_who_comes_later(stage: Stage) -> None:
    """It runs out in the name of the template, and says so to its owner."""
    stage.machine.add("worker@1")
    stage.begin(CRASH)
    stage.ask("start deploy worker@* for 1m")
    stage.machine.add("worker@2")
    stage.cycles(2)
    stage.do(stage.machine.crash, "worker@2")
    stage.cycles(5)
    assert stage.story() == [
        "0 answered start deploy",
        "60 ops: WindowEnded agent",
        "70 ops: ProcessDoesNotExist worker@2",
        "70 boss: RuleFailed worker@2 failed",
        "70 run start worker@2",
    ]


def test_start_deploy_waits_for_the_repair_of_an_instance(stage: Stage) -> None:
    """Of the template's: for that of another service it does not."""
    stage.machine.add("worker@1", "nginx")
    stage.machine.takes_s = 7.0
    stage.begin(CRASH + CRASH.replace("worker@*", "nginx"))
    stage.do(stage.machine.crash, "worker@1")
    stage.cycles(1)
    stage.story()
    stage.ask("start deploy worker@*")
    stage.pass_(8)
    assert stage.story() == ["17 answered start deploy"]
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(1)
    stage.ask("start deploy worker@*")
    assert stage.story()[-2:] == ["20 run start nginx", "20 answered start deploy"]


def test_what_is_not_monitored_stays(stage: Stage) -> None:
    """Unloaded or not, until it is monitored again; then it is told, and forgotten."""
    stage.machine.unloads = True
    stage.machine.add("worker@1", "worker@2", "worker@3")
    stage.begin(GAP)
    stage.ask("unmonitor worker@1")
    stage.ask("unmonitor worker@*")
    for name in ("worker@1", "worker@2"):
        stage.do(stage.machine.stop, name)
    stage.cycles(5)
    stage.kill()
    stage.begin(GAP)
    stage.cycles(1)
    assert watched(stage) == ["worker@1", "worker@2", "worker@3"]
    stage.ask("monitor worker@*")
    stage.cycles(3)
    assert watched(stage) == ["worker@3"]
    assert stage.story() == [
        "0 answered unmonitor",
        "0 answered unmonitor",
        "60 answered monitor",
        "80 default: ProcessDoesNotExist worker@1",
        "80 default: RuleWithdrawn worker@1 process",
        "80 default: ProcessDoesNotExist worker@2",
        "80 default: RuleWithdrawn worker@2 process",
    ]


def test_a_repair_is_not_forgotten_under_its_hands(stage: Stage) -> None:
    """The instance that a repair stops, and does not bring back, goes when that has ended."""
    stage.machine.unloads = True
    stage.machine.add("worker@1")
    stage.begin(LEAK.replace("restart, alert", "stop, alert"))
    stage.machine.grow("worker@1", 600)
    stage.cycles(4)
    assert stage.story() == [
        "20 default: RuleFailed worker@1 memory:rss > 500m for 2 cycles",
        "20 run stop worker@1",
        "21 default: ProcessDoesNotExist worker@1",
        "21 default: RuleWithdrawn worker@1 memory:rss > 500m for 2 cycles",
        "21 default: RuleWithdrawn worker@1 process",
    ]
    assert (watched(stage), stage.kept("rule"), stage.kept("service")) == ([], {}, {})


def test_one_is_kept_until_its_rule_has_done_with_it(stage: Stage) -> None:
    """A command for it may be bringing it back."""
    stage.machine.add("worker@1")
    stage.machine.takes_s = 25.0
    stage.begin('check service worker@*\n  if failed then run "mend"\n')
    stage.do(stage.machine.crash, "worker@1")
    stage.cycles(1)
    stage.machine.hides.add("worker@1")
    stage.pass_(24)
    assert watched(stage) == ["worker@1"]
    stage.cycles(1)
    assert watched(stage) == []
    assert stage.story() == [
        "0 default: ProcessDoesNotExist worker@1",
        "10 run sh mend",
        "40 default: RuleWithdrawn worker@1 process",
    ]


# the agent, its configuration and its managers


def test_states_survive_the_agent(stage: Stage) -> None:
    """What failed before it was killed recovers after it, though nobody says what is loaded."""
    stage.machine.add("worker@1", "worker@2")
    stage.begin(CRASH.replace("start, ", ""))
    stage.do(stage.machine.crash, "worker@2")
    stage.cycles(1)
    stage.kill()
    stage.machine.silent = "no bus"
    stage.begin(CRASH.replace("start, ", ""))
    stage.cycles(2)
    assert watched(stage) == ["worker@1", "worker@2"]
    stage.machine.silent = ""
    stage.machine.start("worker@2")
    stage.cycles(2)
    assert stage.story() == [
        "0 ops: ProcessDoesNotExist worker@2",
        "10 boss: RuleFailed worker@2 failed",
        "40 ops: ProcessExists worker@2",
        "40 boss: RuleRecovered worker@2 failed",
    ]


def test_one_that_went_while_the_agent_was_away(stage: Stage) -> None:
    """It was up when the agent was killed: its loss is told, and then it is forgotten."""
    stage.machine.unloads = True
    stage.machine.add("worker@1", "worker@2")
    stage.begin(GAP)
    stage.kill()
    stage.machine.stop("worker@2")
    stage.begin(GAP)
    stage.cycles(1)
    assert stage.story() == [
        "0 default: ProcessDoesNotExist worker@2",
        "0 default: RuleWithdrawn worker@2 process",
    ]
    assert stage.kept("service").keys() == {"worker@1"}


def test_a_template_that_left_while_the_agent_was_away(stage: Stage) -> None:
    """Nothing of its instances stays."""
    stage.machine.add("worker@1", "redis")
    stage.begin(LEAK + "check service redis\n")
    stage.machine.grow("worker@1", 600)
    stage.pass_(25)
    stage.kill()
    stage.story()
    stage.begin("check service redis\n")
    stage.cycles(1)
    assert stage.story() == ["25 default: RuleWithdrawn worker@1 memory:rss > 500m for 2 cycles"]
    assert stage.kept("service").keys() == {"redis"}


def test_a_reload_goes_on_with_every_instance(stage: Stage) -> None:
    """Whether a template or a check of its own brings it: its counts and history stay."""
    stage.machine.add("worker@1", "worker@2")
    stage.begin(LEAK)
    for name in ("worker@1", "worker@2"):
        stage.machine.grow(name, 600)
    stage.cycles(1)
    own = LEAK.replace("worker@*", "worker@1")
    assert stage.reload_rules(LEAK + own) == (("worker@1",), (), (), False)
    assert stage.reload_rules(LEAK + "  if down then alert\n") == (
        (),
        ("worker@*",),
        ("worker@1",),
        False,
    )
    assert stage.reload_rules(own + own.replace("@1", "@2")) == (
        ("worker@1", "worker@2"),
        (),
        ("worker@*",),
        False,
    )
    assert stage.values("worker@1") == [100.0, 600.0]
    stage.pass_(22)
    assert stage.story() == [
        "20 default: RuleFailed worker@1 memory:rss > 500m for 2 cycles",
        "20 default: RuleFailed worker@2 memory:rss > 500m for 2 cycles",
        "20 run restart worker@1",
        "30 default: RuleRecovered worker@1 memory:rss > 500m for 2 cycles",
        "31 run restart worker@2",
    ]


def test_a_template_that_is_removed_withdraws_its_instances(stage: Stage) -> None:
    """As a check of each would."""
    stage.machine.add("worker@1", "worker@2", "redis")
    stage.begin(CRASH)
    stage.do(stage.machine.crash, "worker@2")
    stage.reload_rules("check service redis\n")
    stage.cycles(2)
    assert watched(stage) == ["redis"]
    assert stage.story() == [
        "0 ops: ProcessDoesNotExist worker@2",
        "0 ops: RuleWithdrawn worker@2 process",
    ]
    assert stage.kept("service").keys() == {"redis"}


def test_a_manager_that_does_not_answer_changes_nothing(stage: Stage) -> None:
    """Nothing appears or goes meanwhile, and status says why."""
    stage.machine.unloads = True
    stage.machine.add("worker@1", "worker@2")
    stage.begin(CRASH)
    stage.machine.silent = "no bus"
    stage.machine.add("worker@3")
    stage.do(stage.machine.stop, "worker@2")
    stage.cycles(3)
    assert described(stage) == [
        {
            "name": "worker@*",
            "instances": ["worker@1", "worker@2"],
            "trouble": "scripted: no bus",
        }
    ]
    stage.machine.silent = ""
    stage.cycles(2)
    assert described(stage) == [
        {"name": "worker@*", "instances": ["worker@1", "worker@3"], "trouble": ""}
    ]
    assert stage.story() == [
        "10 ops: ProcessDoesNotExist worker@2",
        "40 ops: RuleWithdrawn worker@2 process",
    ]


def test_a_template_without_an_instance(stage: Stage) -> None:
    """It says so; a manager that does not run here has none."""
    stage.begin(CRASH)
    assert described(stage) == [{"name": "worker@*", "instances": [], "trouble": ""}]
    stage.reload_rules("check service worker@* with manager systemd\n")
    assert described(stage) == [
        {"name": "worker@*", "instances": [], "trouble": "systemd does not run here"}
    ]
    stage.machine.silent = "no bus"
    stage.reload_rules(CRASH.replace("worker", "other"))
    stage.cycles(1)
    assert described(stage) == [{"name": "other@*", "instances": [], "trouble": "scripted: no bus"}]


def test_without_a_template_nobody_is_asked(stage: Stage) -> None:
    """With one: at once, once a cycle, and when an instance dies; an operator's reload, too."""
    stage.machine.add("nginx", "worker@1")
    stage.begin("check service nginx\n")
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(3)
    assert stage.asked("loaded") == 0
    stage.reload_rules("check service nginx\n" + CRASH)
    assert stage.asked("loaded") == 1
    stage.cycles(2)
    assert stage.asked("loaded") == 3
    stage.do(stage.machine.crash, "worker@1")
    assert stage.asked("loaded") == 4
    stage.do(stage.machine.start, "nginx")
    stage.do(stage.machine.crash, "nginx")
    assert stage.asked("loaded") == 4


# rules and needs of others


def test_a_rule_of_another_check_repairs_all_instances(stage: Stage) -> None:
    """One after the other, those with a check of their own among them."""
    stage.machine.add("nginx", "puma@1", "puma@2", "puma@10")
    stage.begin(
        "check service nginx\n  if failed then start, restart puma@*, alert\n"
        "check service puma@*\ncheck service puma@2\n"
    )
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(8)
    assert stage.story() == [
        "0 default: ProcessDoesNotExist nginx",
        "10 default: RuleFailed nginx failed",
        "10 run start nginx",
        "20 default: RuleRecovered nginx failed",
        "21 default: ProcessExists nginx",
        "21 run restart puma@1",
        "32 run restart puma@10",
        "43 run restart puma@2",
    ]


def test_a_rule_that_names_a_template_without_instances(stage: Stage) -> None:
    """Nothing is run, and it is asked for again when its hold is met anew."""
    stage.machine.add("nginx")
    rules = "check service nginx\n  if memory:rss > 500m for 2 cycles then restart puma@*\n"
    stage.begin(rules + "check service puma@*\n")
    stage.machine.grow("nginx", 600)
    stage.cycles(4)
    assert stage.story() == []
    stage.machine.add("puma@1")
    stage.cycles(4)
    assert stage.story() == ["60 run restart puma@1"]


def test_a_need_of_instances_is_down_when_one_of_them_is(stage: Stage) -> None:
    """What needs them is not repaired meanwhile."""
    stage.machine.add("web", "redis@1", "redis@2")
    rules = 'check service web with needs "redis@*"\n  if failed then start\n'
    stage.begin(rules + "check service redis@*\n")
    stage.do(stage.machine.crash, "redis@2")
    stage.do(stage.machine.crash, "web")
    stage.cycles(2)
    assert stage.service("web").refusal == (
        "start web refused, NEED_DOWN: a service that it needs is down"
    )
    stage.do(stage.machine.start, "redis@2")
    stage.cycles(2)
    told = [line for line in stage.story() if "run" in line]
    assert told == ["30 run start web"]


def test_a_step_for_an_instance_that_its_template_leaves_alone(stage: Stage) -> None:
    """It is refused by the name of the template, as it would be by its own."""
    stage.machine.add("nginx", "puma@1")
    stage.begin("check service nginx\n  if failed then restart puma@1\ncheck service puma@*\n")
    stage.ask("unmonitor puma@*")
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(1)
    assert stage.service("nginx").refusal == (
        "restart puma@1 refused, UNMONITORED: the service is not monitored"
    )


def test_a_rule_of_a_template_leaves_its_own_instance_alone(stage: Stage) -> None:
    """`unmonitor` and `signal` mean the instance, not all of them."""
    stage.machine.add("worker@1", "worker@2")
    stage.begin(LEAK.replace("restart, alert", "signal USR1, unmonitor, alert"))
    stage.machine.grow("worker@2", 600)
    stage.cycles(3)
    assert stage.story() == [
        "20 default: RuleFailed worker@2 memory:rss > 500m for 2 cycles",
        "20 run signal USR1 worker@2",
    ]
    assert stage.parts.windows.silence.unmonitored == ("worker@2",)
