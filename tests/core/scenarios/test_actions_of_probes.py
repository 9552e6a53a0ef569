"""Stories of what rules of probes do: commands of their own, and repairs of services."""

from __future__ import annotations

from inspect_agent.model.rule import Alert, Repair, Run
from tests.core.scenarios.stage import CONF, Stage
from tests.core.scenarios.test_probes import FAILS, HOST, SLOW, URL, begin, rule

MEND = rule(FAILS, "http fails", Run("mend"), Repair("restart", "puma"))


def test_a_command_knows_what_its_probe_measured(stage: Stage) -> None:
    """There is no service and no process, but a target."""
    begin(stage, rule(SLOW, "http:seconds > 2", Run("mend")))
    stage.machine.pages[URL] = 3.25
    stage.cycles(1)
    (told,) = stage.machine.environments
    del told["INSPECT_HOST"]
    assert told == {
        "INSPECT_TARGET": "probe shop",
        "INSPECT_SERVICE": "",
        "INSPECT_PID": "",
        "INSPECT_RULE": "http:seconds > 2",
        "INSPECT_PLACE": "shop.inq:2",
        "INSPECT_METRIC": "http:seconds",
        "INSPECT_VALUE": "3.25",
    }


def test_each_probe_has_a_budget_of_its_own(stage: Stage) -> None:
    """As the machine has one; a pause outlives the agent."""
    begin(stage, rule(FAILS, "http fails", Run("mend")))
    stage.reload_rules(
        "check host\n  if load:1 > 4 then run clean\n", CONF + "set restarts 1/10m\n"
    )
    stage.machine.load = 9.0
    stage.machine.pages[URL] = "status 500"
    stage.pass_(25)
    stage.kill()
    stage.begin("check host\n  if load:1 > 4 then run clean\n", CONF + "set restarts 1/10m\n")
    stage.cycles(5)
    assert stage.story() == [
        "10 run sh clean",
        "10 run sh mend",
        "20 default: RepairExhausted host",
        "20 ops: RepairExhausted probe shop",
    ]
    assert stage.kept("actions").keys() == {"host", "probe shop"}
    assert stage.status_of_probe("shop")["paused_s"] == 250.0


def test_a_probe_has_a_service_restarted(stage: Stage) -> None:
    """Each of both pays for its part of the list; the service's repair is verified as ever."""
    stage.machine.add("puma")
    begin(stage, MEND, services="check service puma\n")
    stage.machine.pages[URL] = "status 500"
    stage.pass_(13)
    assert stage.status_of("puma")["repair"] == "restart, verifying"
    stage.machine.pages[URL] = 0.5
    stage.cycles(2)
    assert stage.story() == ["10 run sh mend", "11 run restart puma"]
    assert [len(kept) for kept in (stage.kept("actions"), stage.kept("budget"))] == [1, 1]


def test_what_stands_against_it_is_shown_at_the_probe(stage: Stage) -> None:
    """It is the probe's rule that wanted it."""
    stage.machine.add("puma")
    begin(stage, MEND, services="check service puma\n")
    stage.ask("start deploy puma")
    stage.machine.pages[URL] = "status 500"
    stage.cycles(1)
    stage.pass_(2)
    refused = "restart puma refused, DEPLOY_WINDOW: a deploy window is open"
    assert stage.status_of_probe("shop")["refused"] == refused
    assert stage.status_of("puma")["refused"] == ""
    assert stage.story() == ["0 answered start deploy", "10 run sh mend"]


def test_an_agent_killed_in_the_middle_of_a_probes_list(stage: Stage) -> None:
    """The command is not repeated for that; the rule asks for everything anew."""
    stage.machine.add("puma")
    stage.machine.takes_s = 5.0
    alerting = rule(FAILS, "http fails", Run("mend"), Alert("ops"))
    begin(stage, alerting, services="check service puma\n")
    stage.machine.pages[URL] = "status 500"
    stage.pass_(12)
    stage.kill()
    stage.begin(HOST)
    stage.pass_(5)
    assert stage.story() == [
        "10 ops: RuleFailed probe shop http fails",
        "10 run sh mend",
        "12 run sh mend",
    ]
    cut = "run (shop.inq:2) was under way when the agent ended; it counts as ended"
    assert stage.log.warnings == [f"probe shop: {cut}"]
