"""Stories of a manager that falls silent, and is back."""

from __future__ import annotations

from tests.core.scenarios.stage import Stage

RULES = """
check service nginx with owner ops
  if failed then start, alert
  if memory:rss > 500m for 2 cycles then restart, alert
"""


def test_a_manager_that_does_not_answer_is_no_death(stage: Stage) -> None:
    """What was known is kept, its rules stand still, and status says why."""
    stage.machine.add("nginx")
    stage.begin(RULES)
    stage.cycles(2)
    stage.machine.silent = "Failed to get D-Bus connection"
    stage.cycles(10)
    stage.machine.grow("nginx", 600)
    stage.cycles(10)
    assert stage.story() == []
    shown = stage.status_of("nginx")
    assert (shown["state"], shown["answers"]) == ("up", False)
    assert shown["reason"] == "scripted: Failed to get D-Bus connection"
    stage.machine.silent = ""
    stage.cycles(4)
    assert stage.story() == [
        "240 ops: RuleFailed nginx memory:rss > 500m for 2 cycles",
        "240 run restart nginx",
        "250 ops: RuleRecovered nginx memory:rss > 500m for 2 cycles",
    ]


def test_a_death_behind_its_back_is_told(stage: Stage) -> None:
    """The end of a process was seen; whether that is a failure, only its manager can say."""
    stage.machine.add("nginx")
    stage.begin(RULES)
    stage.pass_(23)
    stage.machine.silent = "timeout"
    stage.do(stage.machine.crash, "nginx")
    assert stage.story() == []
    stage.pass_(40)
    assert stage.story() == ["30 ops: ProcessDoesNotExist nginx"]
    stage.machine.silent = ""
    stage.cycles(4)
    assert stage.story() == [
        "70 ops: RuleFailed nginx failed",
        "70 run start nginx",
        "80 ops: RuleRecovered nginx failed",
        "81 ops: ProcessExists nginx",
    ]


def test_one_that_is_silent_while_a_repair_is_verified(stage: Stage) -> None:
    """The process itself proves the repair, and its change is nobody else's doing."""
    stage.machine.add("nginx")
    stage.begin(RULES.replace("owner ops", "owner ops, grace 60s"))
    stage.cycles(8)
    stage.machine.grow("nginx", 600)
    stage.pass_(25)
    stage.machine.silent = "timeout"
    stage.cycles(10)
    stage.machine.silent = ""
    stage.cycles(9)
    assert stage.story() == [
        "100 ops: RuleFailed nginx memory:rss > 500m for 2 cycles",
        "100 run restart nginx",
        "170 ops: RuleRecovered nginx memory:rss > 500m for 2 cycles",
    ]
    assert stage.log.warnings == []


def test_a_death_while_a_repair_is_verified_behind_its_back(stage: Stage) -> None:
    """The repair has failed, although no manager said so."""
    stage.machine.add("nginx")
    stage.begin(RULES.replace("owner ops", "owner ops, grace 60s"))
    stage.cycles(8)
    stage.machine.grow("nginx", 600)
    stage.pass_(25)
    stage.machine.silent = "timeout"
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(10)
    assert stage.story() == [
        "100 ops: RuleFailed nginx memory:rss > 500m for 2 cycles",
        "100 run restart nginx",
        "110 ops: RepairFailed nginx",
        "110 ops: ProcessDoesNotExist nginx",
    ]


def test_a_silence_before_anything_was_known(stage: Stage) -> None:
    """Nothing is told: nobody knows anything."""
    stage.machine.add("nginx")
    stage.machine.stop("nginx")
    stage.machine.silent = "timeout"
    stage.begin(RULES)
    stage.cycles(5)
    assert stage.story() == []
    stage.machine.silent = ""
    stage.cycles(5)
    assert stage.story() == ["60 ops: ProcessDoesNotExist nginx"]


def test_processes_that_may_not_be_looked_at(stage: Stage) -> None:
    """The service is unknown with the reason; the others of the same answer are seen."""
    stage.machine.add("hidden", "nginx")
    stage.machine.hidden.add(stage.machine.pid("hidden"))
    stage.begin("check service hidden\n  if failed then start\n" + RULES)
    stage.cycles(3)
    shown = stage.status_of("hidden")
    assert (shown["state"], shown["answers"]) == ("unknown", False)
    assert shown["reason"] == f"process {stage.machine.pid('hidden')}: Permission denied"
    assert stage.status_of("nginx")["state"] == "up"
    assert stage.story() == []
