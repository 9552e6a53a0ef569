"""Stories of probes: things with no process of their own, judged as the machine is."""

from __future__ import annotations

from inspect_agent.model.metric import MetricId
from inspect_agent.model.rule import (
    Action,
    Alert,
    Amount,
    Comparison,
    Condition,
    Cycles,
    Fails,
    Repair,
    Rule,
    Run,
)
from inspect_agent.model.target import ProbeCheck
from tests.core.scenarios.stage import Stage

URL = "https://shop.example/up"
FAILS = Fails("http")
SLOW = Comparison(MetricId("http", "seconds"), ">", Amount(2.0, "2"))
HOST = "check host\n"


def rule(condition: Condition, text: str, *then: Action, cycles: int = 1) -> Rule:
    """A rule that holds for so many cycles."""
    return Rule(text, text, "shop.inq:2", condition, Cycles(cycles), then)


def shop(*rules: Rule, url: str = URL, owner: str = "ops") -> tuple[ProbeCheck, ...]:
    """A check of a page."""
    return (ProbeCheck("shop", "shop.inq:1", owner, rules=rules, params=(("url", url),)),)


def begin(stage: Stage, *rules: Rule, services: str = HOST) -> None:
    """The agent starts over a page that answers."""
    stage.machine.pages[URL] = 0.5
    stage.probes = shop(*rules)
    stage.begin(services)


def shown(stage: Stage) -> list[float]:
    """The history of the page."""
    return stage.parts.world.probes["shop"].metrics.series[MetricId("http", "seconds")].values()


def test_a_page_that_fails_and_one_that_is_slow(stage: Stage) -> None:
    """Each is a rule like any other: with a hold, an alert and a recovery."""
    begin(
        stage,
        rule(FAILS, "http fails", Alert("boss"), cycles=2),
        rule(SLOW, "http:seconds > 2", Alert("ops")),
    )
    stage.machine.pages[URL] = "connection refused"
    stage.cycles(3)
    stage.machine.pages[URL] = 3.0
    stage.cycles(1)
    stage.machine.pages[URL] = 0.5
    stage.cycles(1)
    assert stage.story() == [
        "20 boss: RuleFailed probe shop http fails",
        "40 ops: RuleFailed probe shop http:seconds > 2",
        "40 boss: RuleRecovered probe shop http fails",
        "50 ops: RuleRecovered probe shop http:seconds > 2",
    ]


def test_a_probe_without_rules_is_measured(stage: Stage) -> None:
    """What its source shows by itself can be looked at."""
    begin(stage)
    stage.cycles(2)
    assert (shown(stage), stage.story()) == ([0.5, 0.5, 0.5], [])


def test_its_rules_repair_services_and_run_commands(stage: Stage) -> None:
    """One after the other, and again when the hold is met anew."""
    stage.machine.add("puma")
    steps = (Repair("restart", "puma"), Run("logger shop", ""))
    failing = rule(FAILS, "http fails", *steps, cycles=2)
    begin(stage, failing, services="check service puma\n")
    stage.machine.pages[URL] = "status 500"
    stage.cycles(4)
    stage.machine.pages[URL] = 0.5
    stage.cycles(2)
    assert stage.story() == ["20 run restart puma", "31 run sh logger shop"]
    assert stage.kept("repair") == {}


def test_a_window_over_everything_covers_it(stage: Stage) -> None:
    """And so does one of its own name; that of a service does not."""
    stage.machine.add("puma")
    begin(stage, rule(FAILS, "http fails", Alert("ops")), services="check service puma\n")
    for window in (" puma", " shop", ""):
        stage.ask(f"start deploy{window}")
        stage.machine.pages[URL] = "status 500"
        stage.cycles(1)
        stage.machine.pages[URL] = 0.5
        stage.cycles(1)
        stage.ask("finish deploy")
        stage.cycles(2)
    told = [line for line in stage.story() if "answered" not in line]
    assert told == [
        "10 ops: RuleFailed probe shop http fails",
        "20 ops: RuleRecovered probe shop http fails",
    ]


def test_a_window_of_its_name_that_runs_out(stage: Stage) -> None:
    """Its owner is told; what is wrong after it has settled is told, too."""
    begin(stage, rule(FAILS, "http fails", Alert("boss")))
    stage.ask("start deploy shop for 1m")
    stage.machine.pages[URL] = "status 500"
    stage.cycles(8)
    assert stage.story() == [
        "0 answered start deploy",
        "60 ops: WindowEnded agent",
        "70 boss: RuleFailed probe shop http fails",
    ]


def test_a_deploy_waits_for_what_its_rule_runs(stage: Stage) -> None:
    """And nothing that still waits for its turn is begun inside."""
    stage.machine.takes_s = 7.0
    begin(stage, rule(FAILS, "http fails", Run("mend"), Run("mend more")))
    stage.machine.pages[URL] = "status 500"
    stage.cycles(1)
    stage.ask("start deploy shop")
    stage.cycles(3)
    assert stage.story() == ["10 run sh mend", "17 answered start deploy"]


def test_what_is_not_monitored_is_left_alone(stage: Stage) -> None:
    """Until it is monitored again, and settled."""
    begin(stage, rule(FAILS, "http fails", Alert("ops")))
    stage.ask("unmonitor shop")
    stage.machine.pages[URL] = "status 500"
    stage.cycles(3)
    stage.ask("monitor shop")
    stage.cycles(3)
    assert stage.story() == [
        "0 answered unmonitor",
        "30 answered monitor",
        "50 ops: RuleFailed probe shop http fails",
    ]


def test_its_states_survive_the_agent(stage: Stage) -> None:
    """The recovery is told to whoever heard of the failure before the agent was killed."""
    begin(stage, rule(FAILS, "http fails", Alert("boss")))
    stage.machine.pages[URL] = "status 500"
    stage.cycles(2)
    stage.kill()
    stage.begin(HOST)
    stage.cycles(1)
    stage.machine.pages[URL] = 0.5
    stage.cycles(1)
    assert stage.story() == [
        "10 boss: RuleFailed probe shop http fails",
        "40 boss: RuleRecovered probe shop http fails",
    ]
    assert stage.kept("rule") == {}


def test_a_reload_keeps_history_and_states(stage: Stage) -> None:
    """Of rules that mean the same; what a rule that is gone had opened is resolved."""
    failing = rule(FAILS, "http fails", Alert("boss"))
    slow = rule(SLOW, "http:seconds > 2", Alert("ops"))
    begin(stage, failing, slow)
    stage.machine.pages[URL] = 3.0
    stage.cycles(2)
    stage.machine.pages[URL] = "status 500"
    stage.cycles(1)
    stage.probes = shop(failing)
    assert stage.reload_rules(HOST) == ((), ("probe shop",), (), False)
    stage.machine.pages[URL] = 0.5
    stage.cycles(1)
    assert shown(stage) == [0.5, 3.0, 3.0, 0.5]
    assert stage.story() == [
        "10 ops: RuleFailed probe shop http:seconds > 2",
        "30 boss: RuleFailed probe shop http fails",
        "30 ops: RuleWithdrawn probe shop http:seconds > 2",
        "40 boss: RuleRecovered probe shop http fails",
    ]


def test_other_parameters_are_another_subject(stage: Stage) -> None:
    """It is read from then on; what was measured last is not taken for its value."""
    begin(stage, rule(SLOW, "http:seconds > 2", Alert("ops")))
    stage.machine.pages[URL] = 3.0
    stage.machine.pages["https://b.example/"] = 0.25
    stage.cycles(1)
    stage.probes = shop(*stage.probes[0].rules, url="https://b.example/")
    stage.reload_rules(HOST)
    latest = stage.parts.world.probes["shop"].metrics.series[MetricId("http", "seconds")].latest
    assert str(getattr(latest, "reason", latest)) == "not sampled yet"
    stage.cycles(1)
    assert stage.story()[1:] == ["20 ops: RuleRecovered probe shop http:seconds > 2"]


def test_a_probe_that_is_removed_resolves_what_it_opened(stage: Stage) -> None:
    """And nothing of it stays, whether the agent runs or is away."""
    begin(stage, rule(FAILS, "http fails", Alert("boss"), Run("mend")))
    stage.machine.fails["sh mend"] = "no"
    stage.machine.pages[URL] = "status 500"
    stage.pass_(12)
    stage.probes = ()
    assert stage.reload_rules(HOST) == ((), (), ("probe shop",), False)
    stage.cycles(1)
    assert stage.story()[-2:] == [
        "12 ops: RuleWithdrawn probe shop repair",
        "12 boss: RuleWithdrawn probe shop http fails",
    ]
    assert (stage.kept("rule"), stage.kept("actions")) == ({}, {})


def test_a_probe_that_left_while_the_agent_was_away(stage: Stage) -> None:
    """What it had opened is withdrawn at the start, of those who heard of it."""
    begin(stage, rule(FAILS, "http fails", Alert("boss"), Run("mend")))
    stage.machine.fails["sh mend"] = "no"
    stage.machine.pages[URL] = "status 500"
    stage.pass_(15)
    stage.kill()
    stage.story()
    stage.probes = ()
    stage.begin(HOST)
    stage.cycles(1)
    assert stage.story() == [
        "15 ops: RuleWithdrawn probe shop repair",
        "15 boss: RuleWithdrawn probe shop http fails",
    ]
    assert (stage.kept("rule"), stage.kept("actions")) == ({}, {})


def test_what_status_shows(stage: Stage) -> None:
    """Its metrics, its rules, and what is done about it."""
    stage.machine.takes_s = 7.0
    begin(stage, rule(FAILS, "http fails", Run("mend")))
    stage.machine.pages[URL] = "status 500"
    stage.cycles(1)
    assert stage.status_of_probe("shop") == {
        "name": "shop",
        "repair": "run (shop.inq:2), running",
        "refused": "",
        "paused_s": 0.0,
        "metrics": [
            {
                "metric": "http:seconds",
                "value": None,
                "text": "no data (status 500)",
                "thresholds": [],
                "triggered": False,
            }
        ],
        "rules": [
            {
                "rule": "http fails",
                "place": "shop.inq:2",
                "phase": "triggered",
                "has_metrics": False,
                "known": True,
            }
        ],
    }
