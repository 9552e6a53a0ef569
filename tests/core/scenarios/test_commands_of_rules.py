"""Stories of `run`: a rule's own commands, for a service and for the machine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.core.scenarios.stage import CONF, Stage

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"
CLEAN = """
check host with owner ops
  if load:1 > 4 then run "clean up" as nobody, alert
"""
TIDY = """
check service sidekiq with owner ops, timeout 20s
  if memory:rss > 500m for 2 cycles then run tidy, restart, alert
"""
FAT = "sidekiq memory:rss > 500m for 2 cycles"


def test_a_command_and_then_a_restart(stage: Stage) -> None:
    """Each is awaited, and both together are one repair to the budget."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 5.0
    stage.begin(TIDY)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(23)
    assert stage.status_of("sidekiq")["repair"] == "run (services.d/story.inq:3), running"
    stage.cycles(3)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run sh tidy",
        "25 run restart sidekiq",
        f"30 ops: RuleRecovered {FAT}",
    ]
    (spent,) = stage.kept("budget").values()
    assert len(json.loads(spent)[0]) == 1


def test_a_command_knows_of_the_event(stage: Stage) -> None:
    """What was measured when the rule decided, and the process as it is when the command begins."""
    stage.machine.add("sidekiq")
    stage.begin(
        "check service sidekiq with owner ops\n"
        "  if down or memory:rss > 500.5m then restart, run tell\n",
        CONF + "set hostname web-1\n",
    )
    before = stage.machine.pid("sidekiq")
    stage.machine.grow("sidekiq", 600)
    stage.cycles(3)
    assert stage.machine.pid("sidekiq") != before
    assert stage.machine.environments == [
        {
            "INSPECT_HOST": "web-1",
            "INSPECT_TARGET": "service sidekiq",
            "INSPECT_SERVICE": "sidekiq",
            "INSPECT_PID": str(stage.machine.pid("sidekiq")),
            "INSPECT_RULE": "down or memory:rss > 500.5m",
            "INSPECT_PLACE": "services.d/story.inq:2",
            "INSPECT_METRIC": "memory:rss",
            "INSPECT_VALUE": "629145600",
        }
    ]


def test_the_page_lists_what_a_command_is_told(stage: Stage) -> None:
    """Every variable, and no other."""
    stage.begin("check host\n  if load:1 > 4 then run tell\n")
    stage.machine.load = 4.5
    stage.cycles(1)
    (told,) = stage.machine.environments
    listed = re.findall(r"^\| `(INSPECT_\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(listed)
    assert (told["INSPECT_TARGET"], told["INSPECT_VALUE"]) == ("host", "4.5")


def test_a_command_is_told_what_there_is(stage: Stage) -> None:
    """What there is none of is empty: no process, no metric."""
    stage.machine.add("sidekiq")
    stage.begin("check service sidekiq\n  if down then run tell\n")
    stage.do(stage.machine.stop, "sidekiq")
    stage.cycles(1)
    (told,) = stage.machine.environments
    names = ("INSPECT_PID", "INSPECT_METRIC", "INSPECT_VALUE")
    assert {name: told[name] for name in names} == dict.fromkeys(names, "")


def test_a_command_that_fails_ends_the_list(stage: Stage) -> None:
    """It is told with its last lines, and by where it is written: it may hold secrets."""
    stage.machine.add("sidekiq")
    stage.machine.fails["sh tidy"] = "1\n2\n3\n4\n5\n\n" + "6" * 400
    stage.begin(TIDY)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(45)
    stage.machine.fails.clear()
    stage.cycles(4)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run sh tidy",
        "21 ops: RepairFailed sidekiq",
        "40 run sh tidy",
        "41 ops: RepairFailed sidekiq",
        "60 run sh tidy",
        "61 run restart sidekiq",
        f"70 ops: RuleRecovered {FAT}",
        "72 ops: RepairSucceeded sidekiq",
    ]
    said = f"sidekiq: run (services.d/story.inq:3) failed: exit 1: 2 / 3 / 4 / 5 / {'6' * 300}"
    assert stage.log.warnings == [f"{said} (RepairFailed)"] * 2


def test_a_command_that_does_not_end_is_killed(stage: Stage) -> None:
    """At the deadline of its service, or, for the machine, at that of all repairs."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 500.0
    stage.begin(TIDY + CLEAN, CONF + "set restart_timeout 5s\n")
    stage.machine.grow("sidekiq", 600)
    stage.pass_(15)
    stage.machine.load = 9.0
    stage.pass_(26)
    late = "without an end (RepairFailed)"
    assert stage.log.warnings == [
        f"host: run (services.d/story.inq:6) failed: killed after 5 s {late}",
        f"host: run (services.d/story.inq:6) failed: killed after 5 s {late}",
        f"sidekiq: run (services.d/story.inq:3) failed: killed after 20 s {late}",
    ]


def test_the_machine_runs_commands_within_a_budget_of_its_own(stage: Stage) -> None:
    """`set restarts` says how often; a pause follows, told once, and the agent may end in it."""
    rules, conf = CLEAN + TIDY, CONF + "set restarts 2/10m\n"
    stage.machine.add("sidekiq")
    stage.begin(rules, conf)
    stage.machine.load = 9.0
    stage.cycles(4)
    host = stage.parts.world.host
    assert host.refusal.startswith("run (services.d/story.inq:3) refused, BUDGET_SPENT: ")
    stage.kill()
    stage.begin(rules, conf)
    stage.cycles(37)
    stage.machine.load = 1.0
    stage.cycles(1)
    assert stage.story() == [
        "10 ops: RuleFailed host load:1 > 4",
        "10 run sh clean up as nobody",
        "20 run sh clean up as nobody",
        "30 ops: RepairExhausted host",
        "330 run sh clean up as nobody",
        "331 ops: RepairSucceeded host",
        "340 run sh clean up as nobody",
        "350 ops: RepairExhausted host",
        "420 ops: RuleRecovered host load:1 > 4",
        "420 ops: RepairNotNeeded host",
    ]
    assert stage.log.warnings == [
        "host: repaired 2 times within 10 minutes and still not well; nothing more is tried for"
        f" {minutes} minutes"
        for minutes in (5, 10)
    ]
    assert stage.kept("budget") == {}


def test_what_was_told_of_the_machine_outlives_the_agent(stage: Stage) -> None:
    """A command that failed is made up for by one that succeeds, in the next agent's time."""
    stage.machine.fails["sh clean up as nobody"] = "disk full"
    stage.begin(CLEAN)
    stage.machine.load = 9.0
    stage.pass_(15)
    stage.kill()
    stage.machine.fails.clear()
    stage.begin(CLEAN)
    stage.cycles(2)
    assert stage.story() == [
        "10 ops: RuleFailed host load:1 > 4",
        "10 run sh clean up as nobody",
        "11 ops: RepairFailed host",
        "15 run sh clean up as nobody",
        "16 ops: RepairSucceeded host",
        "20 run sh clean up as nobody",
        "30 ops: RepairExhausted host",
    ]


def test_a_budget_of_the_machine_outlives_a_reload(stage: Stage) -> None:
    """A reload is no way to more of it."""
    stage.begin(CLEAN)
    stage.machine.load = 9.0
    stage.pass_(35)
    stage.reload_rules(CLEAN.replace("nobody, alert", "nobody, alert boss"))
    stage.cycles(2)
    assert [line for line in stage.story() if "Rule" not in line] == [
        *(f"{at} run sh clean up as nobody" for at in (10, 20, 30)),
        "40 ops: RepairExhausted host",
    ]


def test_a_deploy_waits_for_a_command(stage: Stage) -> None:
    """As for a repair; what was to follow it in its list is not done any more."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 8.0
    stage.begin(TIDY + "check service other\n")
    stage.machine.grow("sidekiq", 600)
    stage.pass_(22)
    stage.ask("start deploy other")
    stage.ask("start deploy")
    stage.cycles(2)
    assert stage.story()[2:] == [
        "20 run sh tidy",
        "22 answered start deploy",
        "28 answered start deploy",
    ]
    assert stage.service("sidekiq").refusal == (
        "restart sidekiq refused, DEPLOY_WINDOW: a deploy window is open"
    )


def test_a_deploy_of_everything_covers_the_machine(stage: Stage) -> None:
    """Its commands are awaited, and none is begun inside."""
    stage.machine.takes_s = 5.0
    stage.begin(CLEAN)
    stage.machine.load = 9.0
    stage.pass_(12)
    stage.ask("start deploy")
    stage.cycles(3)
    assert stage.story() == [
        "10 ops: RuleFailed host load:1 > 4",
        "10 run sh clean up as nobody",
        "15 answered start deploy",
    ]


def test_what_happens_while_a_command_runs_is_told(stage: Stage) -> None:
    """A command holds nothing: deaths are told, and other rules are judged."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 25.0
    stage.begin(
        "check service sidekiq\n  if memory:rss > 500m then run slow\n  if down then alert\n"
        "  if memory:rss > 400m for 2 cycles then reload\n"
    )
    stage.machine.grow("sidekiq", 600)
    stage.pass_(21)
    assert stage.service("sidekiq").refusal == (
        "reload sidekiq refused, ALREADY_RUNNING: something else is being done to it"
    )
    stage.do(stage.machine.crash, "sidekiq")
    stage.cycles(1)
    assert stage.story() == [
        "10 run sh slow",
        "21 default: ProcessDoesNotExist sidekiq",
        "30 default: RuleFailed sidekiq down",
    ]


@pytest.mark.parametrize("takes_s", [1, 15])
def test_commands_of_three_rules_of_the_machine_take_turns(stage: Stage, takes_s: int) -> None:
    """One list at a time for one target; of equals the one that was passed over most often."""
    stage.machine.takes_s = takes_s
    names = ("one", "two", "three")
    rules = "".join(f"  if load:1 > {at} then run {name}\n" for at, name in enumerate(names))
    stage.begin(f"check host\n{rules}", CONF + "set restarts 7/1h\n")
    stage.machine.load = 9.0
    stage.cycles(14)
    ran = [line.split()[-1] for line in stage.story() if " run sh " in line]
    assert ran == [*names, *names, "one"]


def test_the_longest_hold_goes_first(stage: Stage) -> None:
    """Of two rungs that are due together; the other one waits for its hold anew."""
    stage.begin(
        "check host\n  if load:1 > 4 for 2 cycles then run low\n"
        "  if load:1 > 4 for 4 cycles then run high\n"
    )
    stage.machine.load = 9.0
    stage.cycles(6)
    assert stage.story() == ["20 run sh low", "40 run sh high", "60 run sh low"]


@pytest.mark.parametrize("takes_s", [1, 40])
def test_an_agent_killed_while_a_command_runs(stage: Stage, takes_s: int) -> None:
    """The next one does not run it again for that, and says so; the hold is met anew."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = takes_s
    stage.begin(TIDY.replace("timeout 20s", "timeout 1m"))
    stage.machine.grow("sidekiq", 600)
    stage.pass_(20)
    stage.kill()
    stage.pass_(5)
    stage.begin(TIDY.replace("timeout 20s", "timeout 1m"))
    stage.pass_(10)
    cut = "under way when the agent ended; it counts as ended"
    assert stage.log.warnings == [f"service sidekiq: run (services.d/story.inq:3) was {cut}"]
    stage.pass_(2)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run sh tidy",
        "30 run sh tidy",
        *(["31 run restart sidekiq"] if takes_s == 1 else []),
    ]


def test_rules_wait_for_nothing_that_nobody_does(stage: Stage) -> None:
    """An intent that cannot be read leaves no rule waiting for its end."""
    stage.machine.takes_s = 5.0
    stage.begin(CLEAN)
    stage.machine.load = 9.0
    stage.pass_(10)
    stage.kill()
    stage.put("repair", "host", "garbage")
    stage.begin(CLEAN)
    stage.pass_(1)
    assert stage.story()[-1] == "10 run sh clean up as nobody"
    assert stage.kept("repair").keys() == {"host"}
    stage.cycles(1)
    stage.pass_(5)
    assert stage.kept("repair") == {}


def test_an_intent_of_an_earlier_version_is_taken_up(stage: Stage) -> None:
    """Which named the service, the rule and the verb; it is verified and forgotten as ever."""
    rules = (
        "check service sidekiq with owner ops\n  if memory:rss > 500m for 2 cycles then restart\n"
    )
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 5.0
    stage.begin(rules)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(22)
    stage.kill()
    (intent,) = stage.kept("repair").values()
    before = json.loads(intent)["before"]
    old = {"cause": "service sidekiq/memory:rss > 500m for 2 cycles", "verb": "restart"}
    stage.put("repair", "sidekiq", json.dumps(old | {"before": before}))
    stage.put("repair", "service sidekiq", "of no use")
    stage.begin(rules)
    assert stage.status_of("sidekiq")["repair"] == "restart, verifying"
    assert stage.kept("repair").keys() == {"service sidekiq"}
    stage.cycles(10)
    assert stage.story() == ["20 run restart sidekiq"]
    assert stage.kept("repair") == {}
    assert stage.kept("rule") == {}
