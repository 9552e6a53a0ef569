"""Stories of repairs: verified, refused by name, one at a time, and taken up after a crash."""

from __future__ import annotations

import pytest

from tests.core.scenarios.stage import Stage

LEAK = """
check service sidekiq with owner ops
  if memory:rss > 500m for 2 cycles then restart, alert
"""
FAILED = "ops: RuleFailed sidekiq memory:rss > 500m for 2 cycles"
RECOVERED = "ops: RuleRecovered sidekiq memory:rss > 500m for 2 cycles"


def test_a_repair_that_fails_is_told_each_time_and_repeated(stage: Stage) -> None:
    """In the manager's words, within the budget; the success after that is told, too."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.fails["restart sidekiq"] = "Job for sidekiq.service failed."
    stage.machine.grow("sidekiq", 600)
    stage.cycles(9)
    stage.machine.fails.clear()
    stage.cycles(40)
    assert stage.story() == [
        f"20 {FAILED}",
        "20 run restart sidekiq",
        "21 ops: RepairFailed sidekiq",
        "40 run restart sidekiq",
        "41 ops: RepairFailed sidekiq",
        "60 run restart sidekiq",
        "61 ops: RepairFailed sidekiq",
        "80 ops: RepairExhausted sidekiq",
        "390 run restart sidekiq",
        f"400 {RECOVERED}",
        "401 ops: RepairSucceeded sidekiq",
    ]
    failed = "sidekiq: restart failed: exit 1: Job for sidekiq.service failed. (RepairFailed)"
    assert stage.log.warnings[:3] == [failed] * 3


def test_a_repair_that_failed_and_was_not_needed(stage: Stage) -> None:
    """The rule is over by itself, so what was told of its repair is over, too."""
    stage.machine.add("nginx")
    stage.machine.fails["restart nginx"] = "no"
    stage.begin(
        "check service nginx with owner ops\n  if memory:rss > 500m then restart, alert boss\n"
    )
    stage.machine.grow("nginx", 600)
    stage.cycles(1)
    stage.pass_(2)
    stage.machine.grow("nginx", 100)
    stage.cycles(3)
    assert stage.story() == [
        "10 boss: RuleFailed nginx memory:rss > 500m",
        "10 run restart nginx",
        "11 ops: RepairFailed nginx",
        "20 ops: RepairNotNeeded nginx",
        "20 boss: RuleRecovered nginx memory:rss > 500m",
    ]
    assert not stage.service("nginx").repair_told


def test_a_repair_that_another_rule_still_wants(stage: Stage) -> None:
    """It is not over before the last of them is."""
    stage.machine.add("nginx")
    stage.machine.fails["restart nginx"] = "no"
    stage.begin(
        "check service nginx with owner ops\n"
        "  if memory:rss > 500m then restart\n"
        "  if memory:rss > 300m then restart\n"
    )
    stage.machine.grow("nginx", 600)
    stage.cycles(1)
    stage.pass_(2)
    stage.machine.grow("nginx", 400)
    stage.cycles(1)
    stage.machine.grow("nginx", 100)
    stage.cycles(3)
    kinds = [line for line in stage.story() if "Repair" in line]
    assert kinds == [
        "11 ops: RepairFailed nginx",
        "21 ops: RepairFailed nginx",
        "30 ops: RepairNotNeeded nginx",
    ]


def test_a_repair_that_does_not_end_is_killed(stage: Stage) -> None:
    """At its deadline, which the check sets."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 500.0
    stage.begin(LEAK.replace("owner ops", "owner ops, timeout 5s"))
    stage.machine.grow("sidekiq", 600)
    stage.cycles(3)
    assert stage.story() == [
        f"20 {FAILED}",
        "20 run restart sidekiq",
        "25 ops: RepairFailed sidekiq",
    ]
    said = "restart failed: killed after 5 s without an end"
    assert stage.log.warnings == [f"sidekiq: {said} (RepairFailed)"]


def test_a_process_that_does_not_stay_up_is_a_repair_that_failed(stage: Stage) -> None:
    """It is there, and gone again within grace and a cycle."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(25)
    stage.do(stage.machine.crash, "sidekiq")
    stage.cycles(2)
    assert stage.story() == [
        f"20 {FAILED}",
        "20 run restart sidekiq",
        "25 ops: RepairFailed sidekiq",
        "25 ops: ProcessDoesNotExist sidekiq",
    ]
    said = "restart failed: it ended again: failed, Result=signal"
    assert stage.log.warnings == [f"sidekiq: {said} (RepairFailed)"]


def test_a_restart_that_changes_no_process_failed(stage: Stage) -> None:
    """The command says that all is well, and the old process still runs."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.lies = True
    stage.machine.grow("sidekiq", 600)
    stage.cycles(7)
    assert stage.story() == [
        f"20 {FAILED}",
        "20 run restart sidekiq",
        "61 ops: RepairFailed sidekiq",
    ]
    said = "restart failed: not up with a new process: it is up (active (running))"
    assert stage.log.warnings == [f"sidekiq: {said} (RepairFailed)"]


def test_repairs_are_made_in_order_and_the_first_that_fails_ends_them(stage: Stage) -> None:
    """Each is verified before the next begins."""
    stage.machine.add("sidekiq", "nginx", "redis")
    rule = "  if memory:rss > 500m for 9 cycles then restart nginx, reload, restart redis\n"
    stage.begin(f"check service sidekiq\n{rule}check service nginx\ncheck service redis\n")
    stage.machine.grow("sidekiq", 600)
    stage.cycles(13)
    stage.machine.fails["reload sidekiq"] = "no such signal"
    stage.cycles(12)
    assert stage.story() == [
        "90 run restart nginx",
        "101 run reload sidekiq",
        "102 run restart redis",
        "200 run restart nginx",
        "211 run reload sidekiq",
        "212 default: RepairFailed sidekiq",
    ]


def test_two_rules_of_one_service_make_one_repair(stage: Stage) -> None:
    """The second is refused while the first runs, and has no reason any more after it."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK + "  if memory:rss > 400m for 2 cycles then restart, alert boss\n")
    stage.machine.grow("sidekiq", 600)
    stage.cycles(6)
    assert stage.story() == [
        f"20 {FAILED}",
        "20 boss: RuleFailed sidekiq memory:rss > 400m for 2 cycles",
        "20 run restart sidekiq",
        f"30 {RECOVERED}",
        "30 boss: RuleRecovered sidekiq memory:rss > 400m for 2 cycles",
    ]


def test_at_most_four_at_once(stage: Stage) -> None:
    """The others wait for their turn."""
    names = [f"s{number}" for number in range(10)]
    stage.machine.add(*names)
    stage.machine.takes_s = 5.0
    stage.begin(
        "\n".join(f"check service {name}\n  if memory:rss > 500m then restart" for name in names)
    )
    for name in names:
        stage.machine.grow(name, 600)
    stage.cycles(5)
    assert stage.story() == [
        *(f"10 run restart s{number}" for number in range(4)),
        *(f"15 run restart s{number}" for number in range(4, 8)),
        *(f"20 run restart s{number}" for number in range(8, 10)),
    ]


def test_instances_of_one_template_take_turns(stage: Stage) -> None:
    """A queue is never without all its workers: the next has its turn when one is proven."""
    names = ["sidekiq@1", "sidekiq@2", "sidekiq@3"]
    stage.machine.add(*names, "nginx")
    stage.machine.takes_s = 5.0
    every = [
        f"check service {name}\n  if memory:rss > 500m then restart" for name in (*names, "nginx")
    ]
    stage.begin("\n".join(every))
    for name in (*names, "nginx"):
        stage.machine.grow(name, 600)
    stage.cycles(5)
    assert stage.story() == [
        "10 run restart sidekiq@1",
        "10 run restart nginx",
        "25 run restart sidekiq@2",
        "40 run restart sidekiq@3",
    ]


def test_a_manager_without_such_a_command(stage: Stage) -> None:
    """A repair that cannot be made has failed, each one once."""
    names = ("nginx", "redis", "sidekiq")
    stage.machine.add(*names)
    stage.machine.cannot.add("reload")
    rule = "check service {} with restarts 1/10m\n  if memory:rss > 500m then reload\n"
    stage.begin("".join(rule.format(name) for name in names))
    for name in names:
        stage.machine.grow(name, 600)
    stage.cycles(1)
    assert stage.story() == [f"10 default: RepairFailed {name}" for name in names]
    said = "reload failed: scripted has no command for it"
    assert stage.log.warnings == [f"{name}: {said} (RepairFailed)" for name in names]


def test_a_need_that_is_down_is_waited_for(stage: Stage) -> None:
    """It is repaired by its own rules alone; then what needs it is repaired."""
    stage.machine.add("db", "app")
    stage.begin(
        "check service db\n  if failed for 3 cycles then start\n"
        'check service app with needs "db"\n  if failed for 2 cycles then start\n'
    )
    for name in ("db", "app"):
        stage.do(stage.machine.crash, name)
    stage.pass_(25)
    assert stage.status_of("app")["refused"] == (
        "start app refused, NEED_DOWN: a service that it needs is down"
    )
    stage.cycles(6)
    assert stage.story() == [
        "0 default: ProcessDoesNotExist db",
        "0 default: ProcessDoesNotExist app",
        "30 run start db",
        "41 default: ProcessExists db",
        "60 run start app",
        "71 default: ProcessExists app",
    ]
    assert stage.status_of("app")["refused"] == ""


def test_a_refusal_is_shown_while_it_matters(stage: Stage) -> None:
    """Not any more when the service has recovered by itself."""
    stage.machine.add("nginx")
    stage.machine.units["nginx"].respawns = 25.0
    stage.begin("check service nginx\n  if failed then start\n")
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(1)
    said = "start nginx refused, MANAGER_IS_RESTARTING: its manager is restarting it"
    assert stage.status_of("nginx")["refused"] == said
    stage.cycles(4)
    assert stage.status_of("nginx")["refused"] == ""


@pytest.mark.parametrize(("away_s", "seen_at"), [(1, 30), (6, 28)])
def test_an_agent_killed_in_the_middle_of_a_repair(stage: Stage, away_s: int, seen_at: int) -> None:
    """The next one verifies what was begun, done by then or not, and does not begin it again."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 5.0
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(22)
    stage.kill()
    stage.pass_(away_s)
    stage.begin(LEAK)
    stage.cycles(10)
    assert stage.story() == [f"20 {FAILED}", "20 run restart sidekiq", f"{seen_at} {RECOVERED}"]
    assert stage.kept("repair") == {}


def test_a_repair_that_died_with_the_agent_is_found_out(stage: Stage) -> None:
    """The machine went on with the old process: told as failed, then repaired anew."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 5.0
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(22)
    stage.kill()
    stage.machine.forget()
    stage.begin(LEAK)
    stage.cycles(8)
    assert stage.story() == [
        f"20 {FAILED}",
        "20 run restart sidekiq",
        "62 ops: RepairFailed sidekiq",
        "80 run restart sidekiq",
        f"90 {RECOVERED}",
        "95 ops: RepairSucceeded sidekiq",
    ]


def test_a_budget_outlives_the_agent(stage: Stage) -> None:
    """A crash of the agent is no way to more restarts; neither is its pause forgotten."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.grow_always("sidekiq", 600)
    stage.cycles(9)
    stage.kill()
    stage.begin(LEAK)
    stage.cycles(10)
    stage.kill()
    stage.begin(LEAK)
    stage.cycles(25)
    assert [line for line in stage.story() if "Repair" in line or "run" in line] == [
        "20 run restart sidekiq",
        "50 run restart sidekiq",
        "80 run restart sidekiq",
        "110 ops: RepairExhausted sidekiq",
        "420 run restart sidekiq",
        "431 ops: RepairSucceeded sidekiq",
    ]


@pytest.mark.parametrize("kind", ["clock", "silence", "repair", "rule", "service", "budget"])
@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '"x"', "[1]", '{"cause": 5}', "no json"])
def test_what_the_ledger_says_may_be_garbage(stage: Stage, kind: str, text: str) -> None:
    """It begins anew, says so, and repairs nothing for it; everything else goes on."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.cycles(1)
    stage.kill()
    key = {"clock": "", "silence": "", "rule": "service sidekiq/memory:rss > 500m for 2 cycles"}
    stage.put(kind, key.get(kind, "sidekiq"), text)
    stage.put(kind, "somebody else/x", text)
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(5)
    assert stage.story() == [f"30 {FAILED}", "30 run restart sidekiq", f"40 {RECOVERED}"]


def test_a_machine_that_sleeps_is_not_judged_when_it_wakes(stage: Stage) -> None:
    """One cycle is let pass; what was counted before it still counts, the time asleep does not."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK + "  if memory:rss > 400m for 25s then alert boss\n")
    stage.cycles(1)
    stage.machine.grow_always("sidekiq", 600)
    stage.cycles(1)
    stage.suspend(3600)
    assert stage.story() == []
    stage.cycles(3)
    assert stage.story() == [
        f"3630 {FAILED}",
        "3630 run restart sidekiq",
        "3650 boss: RuleFailed sidekiq memory:rss > 400m for 25s",
    ]
