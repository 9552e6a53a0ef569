"""Defects of Inspeqtor 2.0 in what rules and repairs do, cycle by cycle."""

from __future__ import annotations

from inspect_agent.engine.history import RESET, series
from inspect_agent.model.metric import Kind
from tests.core.scenarios.stage import Stage

RULE = "memory:rss > 500m for 2 cycles"
LEAK = f"check service sidekiq\n  if {RULE} then restart, alert\n"
FAILED = f"default: RuleFailed sidekiq {RULE}"
RECOVERED = f"default: RuleRecovered sidekiq {RULE}"


def test_then_restart_runs_again_on_recovery(stage: Stage) -> None:
    """Inspeqtor restarted the healed service again; here a recovery is told, and that is all."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(20)
    assert stage.story() == [f"20 {FAILED}", "20 run restart sidekiq", f"30 {RECOVERED}"]


def test_a_rule_that_stays_true_never_acts_again(stage: Stage) -> None:
    """Inspeqtor acted once; here it repairs when the hold is met anew, and reminds where asked."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK.replace("sidekiq\n", "sidekiq with remind 1m\n"))
    stage.machine.grow_always("sidekiq", 600)
    stage.cycles(9)
    assert stage.story() == [
        f"20 {FAILED}",
        "20 run restart sidekiq",
        "50 run restart sidekiq",
        "80 run restart sidekiq",
        f"90 default: RuleReminder sidekiq {RULE}",
    ]


def test_restarts_have_no_limit(stage: Stage) -> None:
    """Inspeqtor had none; here `restarts 2/10m` is two, then a pause that is told."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK.replace("sidekiq\n", "sidekiq with restarts 2/10m\n"))
    stage.machine.grow_always("sidekiq", 600)
    stage.cycles(30)
    assert stage.story() == [
        f"20 {FAILED}",
        "20 run restart sidekiq",
        "50 run restart sidekiq",
        "80 default: RepairExhausted sidekiq",
    ]


def test_a_restart_is_killed_half_way_after_10_seconds(stage: Stage) -> None:
    """Inspeqtor killed a slow init script; here it has 30 s, or as long as `timeout` says."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 25.0
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(8)
    assert stage.story() == [f"20 {FAILED}", "20 run restart sidekiq", f"50 {RECOVERED}"]
    assert stage.log.warnings == []


def test_a_restart_is_never_verified(stage: Stage) -> None:
    """A restart that changed nothing was a success in Inspeqtor; here it is told as failed."""
    stage.machine.add("sidekiq")
    stage.machine.lies = True
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(7)
    assert stage.story() == [
        f"20 {FAILED}",
        "20 run restart sidekiq",
        "61 default: RepairFailed sidekiq",
    ]


def test_a_death_in_a_deploy_window_never_alerts(stage: Stage) -> None:
    """Inspeqtor took it for granted for ever; here it is told when the window has ended."""
    stage.machine.add("nginx")
    stage.begin("check service nginx\n")
    stage.ask("start deploy")
    stage.do(stage.machine.crash, "nginx")
    stage.pass_(25)
    stage.ask("finish deploy")
    stage.cycles(3)
    assert stage.story() == [
        "0 answered start deploy",
        "25 answered finish deploy",
        "40 default: ProcessDoesNotExist nginx",
    ]


def test_a_reload_forgets_history_and_counts(stage: Stage) -> None:
    """Inspeqtor began anew; here one bad sample before a reload and one after it are two."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(1)
    stage.reload_rules(LEAK)
    stage.cycles(1)
    assert stage.story() == [f"20 {FAILED}", "20 run restart sidekiq"]
    assert stage.values("sidekiq") == [100.0, 600.0, 600.0]


def test_the_first_counter_sample_reads_0(stage: Stage) -> None:
    """So `<` rules fired as Inspeqtor started; here there is no value before a second sample."""
    stage.machine.add("sidekiq")
    stage.begin("check service sidekiq\n  if cpu:user < 5% then alert\n")
    first = stage.story()
    stage.cycles(1)
    assert first == []
    assert stage.story() == ["10 default: RuleFailed sidekiq cpu:user < 5%"]


def test_a_counter_reset_goes_negative() -> None:
    """Inspeqtor showed a CPU of −326 %; here a counter that fell has no value for that cycle."""
    kinds: tuple[Kind, ...] = ("counter", "usage")
    for kind in kinds:
        one = series(kind)
        for at, sample in ((0.0, 48.9), (15.0, 0.0)):
            one.add(sample, at)
        assert (one.latest, one.per_second, one.values()) == (RESET, RESET, [])
