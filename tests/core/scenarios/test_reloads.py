"""Stories of a new configuration that comes into force at a bad moment."""

from __future__ import annotations

from tests.core.scenarios.stage import Stage

LEAK = """
check service sidekiq with owner ops
  if memory:rss > 500m for 2 cycles then restart, alert
"""


def test_a_triggered_rule_that_is_removed_is_withdrawn(stage: Stage) -> None:
    """Told to those who heard of it; its successor begins anew."""
    stage.machine.add("redis")
    stage.begin("check service redis with owner ops\n  if memory:rss > 500m then alert boss\n")
    stage.machine.grow("redis", 600)
    stage.cycles(2)
    changes = stage.reload_rules(
        "check service redis with owner ops\n  if memory:rss > 550m for 2 cycles then alert\n"
    )
    assert changes == ((), ("redis",), (), False)
    stage.cycles(3)
    assert stage.story() == [
        "10 boss: RuleFailed redis memory:rss > 500m",
        "20 boss: RuleWithdrawn redis memory:rss > 500m",
        "40 ops: RuleFailed redis memory:rss > 550m for 2 cycles",
    ]


def test_a_rule_that_was_calm_is_removed_without_a_word(stage: Stage) -> None:
    """There is nothing to resolve."""
    stage.machine.add("redis")
    stage.begin("check service redis\n  if memory:rss > 500m then alert boss\n")
    stage.cycles(2)
    stage.reload_rules("check service redis\n")
    stage.cycles(3)
    assert stage.story() == []


def test_unchanged_rules_go_on(stage: Stage) -> None:
    """Their counts, their failures and who heard of them, their place in the file aside."""
    stage.machine.add("redis", "sidekiq")
    redis = "check service redis\n  if memory:rss > 500m then alert boss\n"
    stage.begin(redis + LEAK)
    stage.machine.grow("redis", 600)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(1)
    assert stage.reload_rules(LEAK + "\n\n" + redis) == ((), (), (), False)
    stage.cycles(1)
    stage.machine.grow("redis", 100)
    stage.cycles(1)
    assert stage.story() == [
        "10 boss: RuleFailed redis memory:rss > 500m",
        "20 ops: RuleFailed sidekiq memory:rss > 500m for 2 cycles",
        "20 run restart sidekiq",
        "30 ops: RuleRecovered sidekiq memory:rss > 500m for 2 cycles",
        "30 boss: RuleRecovered redis memory:rss > 500m",
    ]


def test_history_goes_on(stage: Stage) -> None:
    """What was measured is there, and what is measured next is added to it."""
    stage.machine.add("redis")
    stage.begin("check service redis\n  if memory:rss > 500m then alert\n")
    stage.cycles(3)
    stage.reload_rules("check service redis\n  if memory:rss > 700m then alert\n")
    stage.cycles(2)
    assert stage.values("redis") == [100.0] * 6


def test_a_service_that_is_removed_resolves_what_it_opened(stage: Stage) -> None:
    """Its rules, its absence and its failed repair; another service is added meanwhile."""
    stage.machine.add("sidekiq", "redis")
    stage.begin(LEAK)
    stage.machine.fails["restart sidekiq"] = "no"
    stage.machine.grow("sidekiq", 600)
    stage.pass_(25)
    stage.do(stage.machine.stop, "sidekiq")
    stage.story()
    assert stage.reload_rules("check service redis\n") == (("redis",), (), ("sidekiq",), False)
    stage.cycles(3)
    assert stage.story() == [
        "25 ops: RuleWithdrawn sidekiq memory:rss > 500m for 2 cycles",
        "25 ops: RuleWithdrawn sidekiq process",
        "25 ops: RuleWithdrawn sidekiq repair",
    ]
    assert stage.kept("service").keys() == {"redis"}
    assert stage.kept("rule") == {}
    assert stage.kept("budget") == {}


def test_a_service_that_left_while_the_agent_was_away(stage: Stage) -> None:
    """Its triggered rule is withdrawn at the start, and nothing of it stays."""
    stage.machine.add("sidekiq", "redis")
    stage.begin(LEAK + "check service redis\n")
    stage.machine.grow("sidekiq", 600)
    stage.pass_(25)
    stage.kill()
    stage.story()
    stage.begin("check service redis\n")
    stage.cycles(1)
    assert stage.story() == ["25 ops: RuleWithdrawn sidekiq memory:rss > 500m for 2 cycles"]
    assert stage.kept("service").keys() == {"redis"}
    assert stage.kept("rule") == {}
    assert stage.kept("repair") == {}


def test_what_a_service_opened_that_left_while_the_agent_was_away(stage: Stage) -> None:
    """Its loss and its failed repair are withdrawn, of the owner that heard of them."""
    stage.machine.add("sidekiq", "redis")
    stage.begin(LEAK + "check service redis\n")
    stage.machine.fails["restart sidekiq"] = "no"
    stage.machine.grow("sidekiq", 600)
    stage.pass_(25)
    stage.do(stage.machine.stop, "sidekiq")
    stage.kill()
    stage.story()
    stage.begin("check service redis\n")
    stage.cycles(1)
    assert stage.story() == [
        "25 ops: RuleWithdrawn sidekiq process",
        "25 ops: RuleWithdrawn sidekiq repair",
        "25 ops: RuleWithdrawn sidekiq memory:rss > 500m for 2 cycles",
    ]
    assert stage.kept("budget") == {}


def test_a_reload_in_the_middle_of_a_repair(stage: Stage) -> None:
    """It is verified under the new configuration."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 5.0
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(22)
    stage.reload_rules(LEAK + "  if failed then alert boss\n")
    stage.pass_(5)
    stage.reload_rules(LEAK)
    stage.cycles(3)
    assert stage.story() == [
        "20 ops: RuleFailed sidekiq memory:rss > 500m for 2 cycles",
        "20 run restart sidekiq",
        "30 ops: RuleRecovered sidekiq memory:rss > 500m for 2 cycles",
    ]
    assert stage.kept("repair") == {}


def test_the_service_goes_in_the_middle_of_its_repair(stage: Stage) -> None:
    """The command comes to its end, and nothing is said of it."""
    stage.machine.add("sidekiq", "redis")
    stage.machine.takes_s = 5.0
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(22)
    stage.reload_rules("check service redis\n")
    stage.cycles(3)
    assert stage.story() == [
        "20 ops: RuleFailed sidekiq memory:rss > 500m for 2 cycles",
        "20 run restart sidekiq",
        "22 ops: RuleWithdrawn sidekiq memory:rss > 500m for 2 cycles",
    ]
    assert stage.kept("repair") == {}


def test_the_next_service_of_a_rule_goes_in_the_middle(stage: Stage) -> None:
    """What cannot be repaired any more is left; the rule goes on with what it has now."""
    stage.machine.add("sidekiq", "redis")
    stage.machine.takes_s = 5.0
    rule = "check service sidekiq\n  if memory:rss > 500m for 9 cycles then reload{}\n"
    stage.begin(rule.format(", restart redis") + "check service redis\n")
    stage.machine.grow("sidekiq", 600)
    stage.pass_(92)
    stage.reload_rules(rule.format(""))
    stage.cycles(10)
    assert stage.story() == ["90 run reload sidekiq", "180 run reload sidekiq"]


def test_a_reload_between_question_and_answer(stage: Stage) -> None:
    """The answer to the old configuration is dropped: nothing is watched or told twice."""
    stage.machine.add("nginx", "redis")
    rules = "check service nginx\ncheck service redis\n"
    stage.begin(rules)
    stage.cycles(1)
    stage.look_without_waiting()
    stage.reload_rules("check service nginx\n")
    stage.cycles(1)
    for name in ("nginx", "redis"):
        stage.do(stage.machine.crash, name)
    stage.cycles(1)
    assert stage.story() == ["20 default: ProcessDoesNotExist nginx"]
    assert stage.kept("service").keys() == {"nginx"}


def test_a_new_owner_hears_of_the_recovery(stage: Stage) -> None:
    """And whoever heard of a rule's failure hears of its recovery, whatever the rule says now."""
    stage.machine.add("redis")
    rule = "check service redis with owner {0}\n  if failed then alert {0}\n"
    stage.begin(rule.format("ops"))
    stage.do(stage.machine.crash, "redis")
    stage.cycles(1)
    stage.reload_rules(rule.format("boss"))
    stage.do(stage.machine.start, "redis")
    stage.cycles(2)
    assert stage.story() == [
        "0 ops: ProcessDoesNotExist redis",
        "10 ops: RuleFailed redis failed",
        "20 boss: ProcessExists redis",
        "20 ops: RuleRecovered redis failed",
    ]
