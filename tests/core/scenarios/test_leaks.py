"""Stories of memory that grows: restarts, their budget, and rungs of a ladder."""

from __future__ import annotations

from tests.core.scenarios.stage import Stage

LEAK = """
check service sidekiq
  if memory:rss > 500m for 2 cycles then restart, alert
"""
LADDER = """
check service app with restarts 20/10m
  if memory:rss > 500m for 2 cycles then reload
  if memory:rss > 500m for 6 cycles then restart
  if memory:rss > 500m for 20 cycles then alert boss as critical
"""


def test_a_leak_is_restarted_once_and_recovers(stage: Stage) -> None:
    """Nothing is repaired on recovery, nor while it stays well."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(60)
    assert stage.story() == [
        "20 default: RuleFailed sidekiq memory:rss > 500m for 2 cycles",
        "20 run restart sidekiq",
        "30 default: RuleRecovered sidekiq memory:rss > 500m for 2 cycles",
    ]


def test_a_leak_that_comes_back_is_a_new_failure(stage: Stage) -> None:
    """Hours later, from the beginning."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(700)
    stage.story()
    stage.machine.grow("sidekiq", 600)
    stage.cycles(4)
    assert stage.story() == [
        "7020 default: RuleFailed sidekiq memory:rss > 500m for 2 cycles",
        "7020 run restart sidekiq",
        "7030 default: RuleRecovered sidekiq memory:rss > 500m for 2 cycles",
    ]


def test_a_leak_that_goes_on_spends_the_budget(stage: Stage) -> None:
    """Restarted each time its hold is met anew, three times; then a pause, told once, and again.

    A restart takes a second and is verified for a cycle, so the samples that count begin 20 s
    after it was asked for. The second pause is twice as long.
    """
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.grow_always("sidekiq", 600)
    stage.cycles(112)
    assert stage.story() == [
        "20 default: RuleFailed sidekiq memory:rss > 500m for 2 cycles",
        "20 run restart sidekiq",
        "50 run restart sidekiq",
        "80 run restart sidekiq",
        "110 default: RepairExhausted sidekiq",
        "420 run restart sidekiq",
        "431 default: RepairSucceeded sidekiq",
        "450 run restart sidekiq",
        "480 run restart sidekiq",
        "510 default: RepairExhausted sidekiq",
        "1120 run restart sidekiq",
    ]
    stage.machine.grow_always("sidekiq", 100)
    stage.cycles(10)
    assert stage.story() == [
        "1130 default: RuleRecovered sidekiq memory:rss > 500m for 2 cycles",
        "1131 default: RepairSucceeded sidekiq",
    ]


def test_a_pause_is_over_when_the_service_recovers_by_itself(stage: Stage) -> None:
    """The recovery is told, and that nothing is to be repaired any more; nor is it."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.grow_always("sidekiq", 600)
    stage.cycles(15)
    stage.story()
    stage.machine.grow_always("sidekiq", 100)
    stage.cycles(60)
    assert stage.story() == [
        "160 default: RuleRecovered sidekiq memory:rss > 500m for 2 cycles",
        "160 default: RepairNotNeeded sidekiq",
    ]


def test_a_sawtooth_is_restarted_only_when_it_stays(stage: Stage) -> None:
    """3 of 5: two trips in five are no reason, and a restart empties what was counted."""
    stage.machine.add("sidekiq")
    stage.begin(
        "check service sidekiq\n  if memory:rss > 500m for 3 of 5 cycles then restart, alert\n"
    )
    for mb in (600, 100, 600, 100, 100, 600, 100, 100, 600, 600):
        stage.machine.grow("sidekiq", mb)
        stage.cycles(1)
    stage.cycles(5)
    assert stage.story() == [
        "100 default: RuleFailed sidekiq memory:rss > 500m for 3 of 5 cycles",
        "100 run restart sidekiq",
        "110 default: RuleRecovered sidekiq memory:rss > 500m for 3 of 5 cycles",
    ]


def test_grace_is_not_judged(stage: Stage) -> None:
    """A process that needs a minute to settle is neither repaired again nor called well in it."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK.replace("sidekiq\n", "sidekiq with grace 60s\n", 1))
    stage.machine.grow_always("sidekiq", 600)
    stage.cycles(18)
    assert stage.story() == [
        "70 default: RuleFailed sidekiq memory:rss > 500m for 2 cycles",
        "70 run restart sidekiq",
        "160 run restart sidekiq",
    ]


def test_a_ladder_climbs_to_its_last_rung(stage: Stage) -> None:
    """Of two rungs that are due together the higher one goes first; the last is reached."""
    stage.machine.add("app")
    stage.begin(LADDER)
    stage.machine.grow_always("app", 600)
    stage.cycles(20)
    assert stage.story() == [
        "20 run reload app",
        "40 run reload app",
        "60 run restart app",
        "90 run reload app",
        "110 run reload app",
        "130 run restart app",
        "160 run reload app",
        "180 run reload app",
        "200 boss: RuleFailed app memory:rss > 500m for 20 cycles",
        "200 run restart app",
    ]


def test_a_ladder_recovers_for_those_who_heard(stage: Stage) -> None:
    """The rungs that only repaired told nobody."""
    stage.machine.add("app")
    stage.begin(LADDER)
    stage.machine.grow_always("app", 600)
    stage.cycles(21)
    stage.story()
    stage.machine.grow_always("app", 100)
    stage.cycles(10)
    assert stage.story() == ["220 boss: RuleRecovered app memory:rss > 500m for 20 cycles"]


def test_a_machine_has_rules_too(stage: Stage) -> None:
    """The host's own, with reminders and an end."""
    stage.begin("check host with owner ops, remind 30s\n  if load:1 > 4 for 2 cycles then alert\n")
    stage.machine.load = 5.0
    stage.cycles(8)
    stage.machine.load = 1.0
    stage.cycles(5)
    assert stage.story() == [
        "20 ops: RuleFailed host load:1 > 4 for 2 cycles",
        "50 ops: RuleReminder host load:1 > 4 for 2 cycles",
        "80 ops: RuleReminder host load:1 > 4 for 2 cycles",
        "90 ops: RuleRecovered host load:1 > 4 for 2 cycles",
    ]


SHARE = """
check service sidekiq
  if memory:rss > 50% then alert
check service other
  if memory:rss > 50% then alert
"""


def test_a_share_is_one_of_what_the_service_may_use(stage: Stage) -> None:
    """Of its control group's limit where it has one, also a changed one; else of the machine."""
    stage.machine.add("sidekiq", "other")
    stage.machine.units["sidekiq"].most_mb = 800
    stage.begin(SHARE)
    stage.machine.grow("sidekiq", 500)
    stage.machine.grow("other", 500)
    stage.cycles(2)
    stage.machine.units["sidekiq"].most_mb = 2000
    stage.cycles(7)
    stage.machine.units["sidekiq"].most_mb = None
    stage.machine.grow("sidekiq", 9 * 1024)
    stage.cycles(7)
    assert stage.story() == [
        "10 default: RuleFailed sidekiq memory:rss > 50%",
        "60 default: RuleRecovered sidekiq memory:rss > 50%",
        "100 default: RuleFailed sidekiq memory:rss > 50%",
    ]
