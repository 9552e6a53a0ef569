"""Stories of services that vanish, come back, and of those that look like it."""

from __future__ import annotations

import pytest

from tests.core.scenarios.stage import Stage

CHECKED = "check service nginx with owner ops\n"
START = """
check service nginx with owner ops
  if failed then start, alert
"""


def test_what_an_operator_stops_is_left_alone(stage: Stage) -> None:
    """It is told at once that it is gone, and when it is back; nothing is run."""
    stage.machine.add("nginx")
    stage.begin(START)
    stage.pass_(23)
    stage.do(stage.machine.stop, "nginx")
    stage.cycles(60)
    stage.do(stage.machine.start, "nginx")
    stage.cycles(2)
    assert stage.story() == [
        "23 ops: ProcessDoesNotExist nginx",
        "630 ops: ProcessExists nginx",
    ]


def test_what_crashes_is_started(stage: Stage) -> None:
    """The death is told at once, the rest with the next cycle."""
    stage.machine.add("nginx")
    stage.begin(START)
    stage.pass_(23)
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(30)
    assert stage.story() == [
        "23 ops: ProcessDoesNotExist nginx",
        "30 ops: RuleFailed nginx failed",
        "30 run start nginx",
        "40 ops: RuleRecovered nginx failed",
        "41 ops: ProcessExists nginx",
    ]


def test_a_death_is_told_with_the_time_of_the_death(stage: Stage) -> None:
    """Also when its manager says nothing for a while; what comes later has its own time."""
    stage.machine.add("nginx")
    stage.begin(START)
    stage.pass_(23)
    stage.machine.silent = "no answer"
    stage.do(stage.machine.crash, "nginx")
    stage.pass_(27)
    stage.machine.silent = ""
    stage.cycles(3)
    assert stage.events()[:2] == [("ProcessDoesNotExist", 23.0), ("RuleFailed", 60.0)]


def test_a_death_that_was_expected_lends_its_time_to_nobody(stage: Stage) -> None:
    """The restart of a repair is over; a change much later is told with its own time."""
    stage.machine.add("nginx")
    stage.begin("check service nginx\n  if memory:rss > 500m then restart\n")
    stage.machine.grow("nginx", 600)
    stage.machine.pidfds = False
    stage.pass_(43)
    stage.machine.bounce("nginx")
    stage.do(stage.look_without_waiting)
    assert stage.story() == ["10 run restart nginx", "43 default: ProcessChanged nginx"]
    assert stage.events() == [("ProcessChanged", 43.0)]


def test_a_restart_by_somebody_else_is_told(stage: Stage) -> None:
    """As a change of process; `restarted` is true once and needs no recovery."""
    stage.machine.add("nginx")
    stage.begin("check service nginx with owner ops\n  if restarted then alert boss\n")
    stage.pass_(23)
    stage.do(stage.machine.bounce, "nginx")
    stage.cycles(30)
    assert stage.story() == [
        "23 ops: ProcessChanged nginx",
        "30 boss: RuleFailed nginx restarted",
    ]


def test_a_manager_that_restarts_is_not_raced(stage: Stage) -> None:
    """`if failed then start` waits for it, however long it takes."""
    stage.machine.add("nginx")
    stage.machine.units["nginx"].respawns = 35.0
    stage.begin(START)
    stage.pass_(23)
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(9)
    assert stage.story() == [
        "23 ops: ProcessDoesNotExist nginx",
        "30 ops: RuleFailed nginx failed",
        "60 ops: ProcessExists nginx",
        "60 ops: RuleRecovered nginx failed",
    ]


def test_a_manager_that_restarts_quickly_trips_no_rule(stage: Stage) -> None:
    """A service that is back within a second is seen to be back before the next cycle judges."""
    stage.machine.add("nginx")
    stage.machine.units["nginx"].respawns = 1.0
    stage.begin(START)
    stage.pass_(23)
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(9)
    assert stage.story() == [
        "23 ops: ProcessDoesNotExist nginx",
        "24 ops: ProcessExists nginx",
    ]


def test_a_crash_loop_is_told_once(stage: Stage) -> None:
    """The fifth death in ten minutes; after that nothing, until it has been up for ten."""
    stage.machine.add("nginx")
    stage.machine.units["nginx"].respawns = 2.0
    stage.begin(START)
    for number in range(12):
        stage.machine.later(25.0 * number + 3.0, lambda: stage.machine.crash("nginx"))
    stage.cycles(120)
    assert stage.story() == [
        "3 ops: ProcessDoesNotExist nginx",
        "5 ops: ProcessExists nginx",
        "28 ops: ProcessDoesNotExist nginx",
        "30 ops: ProcessExists nginx",
        "53 ops: ProcessDoesNotExist nginx",
        "55 ops: ProcessExists nginx",
        "78 ops: ProcessDoesNotExist nginx",
        "80 ops: ProcessExists nginx",
        "103 ops: CrashLoop nginx",
        "880 ops: ProcessExists nginx",
    ]


@pytest.mark.parametrize("pidfds", [True, False])
def test_a_pid_that_a_stranger_has_now(stage: Stage, pidfds: bool) -> None:
    """The stranger is not taken for the service, nor sampled as it."""
    stage.machine.add("nginx")
    stage.machine.pidfds = pidfds
    stage.begin(START + "  if memory:rss > 500m then alert boss\n")
    stage.pass_(23)
    stage.do(stage.machine.steal_pid, "nginx")
    pid = stage.service("nginx").state.process
    assert pid is not None
    stage.machine.grow(f"stranger {pid.pid}", 900)
    stage.cycles(9)
    noticed, judged = ("23", 30) if pidfds else ("30", 40)
    assert stage.story() == [
        f"{noticed} ops: ProcessDoesNotExist nginx",
        f"{judged} ops: RuleFailed nginx failed",
        f"{judged} run start nginx",
        f"{judged + 10} ops: RuleRecovered nginx failed",
        f"{judged + 11} ops: ProcessExists nginx",
    ]


def test_without_pidfds_a_death_is_seen_by_the_cycle(stage: Stage) -> None:
    """By PID and start time; a new process of the same service is told as a change."""
    stage.machine.add("nginx")
    stage.machine.pidfds = False
    stage.begin(START)
    stage.pass_(23)
    stage.do(stage.machine.bounce, "nginx")
    stage.cycles(9)
    assert stage.story() == ["30 ops: ProcessChanged nginx"]


def test_a_manager_that_names_the_dead_is_asked_again(stage: Stage) -> None:
    """Within seconds, and not told until it has noticed the death itself."""
    stage.machine.add("nginx")
    stage.begin(START)
    stage.pass_(23)
    stage.machine.belated_s = 2.0
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(1)
    stage.pass_(1)
    assert stage.story()[:2] == [
        "25 ops: ProcessDoesNotExist nginx",
        "30 ops: RuleFailed nginx failed",
    ]


def test_a_death_while_the_agent_was_away_is_told(stage: Stage) -> None:
    """With its first look, and the rules go on from there."""
    stage.machine.add("nginx", "redis")
    both = START + "check service redis\n"
    stage.begin(both)
    stage.cycles(2)
    stage.kill()
    stage.machine.crash("nginx")
    stage.machine.bounce("redis")
    stage.pass_(15)
    stage.begin(both)
    stage.cycles(3)
    assert stage.story() == [
        "35 ops: ProcessDoesNotExist nginx",
        "35 default: ProcessChanged redis",
        "35 ops: RuleFailed nginx failed",
        "35 run start nginx",
        "40 ops: RuleRecovered nginx failed",
        "46 ops: ProcessExists nginx",
    ]


def test_what_was_told_before_is_not_told_again(stage: Stage) -> None:
    """An agent that is restarted goes on with what its forerunner knew."""
    stage.machine.add("nginx", "redis")
    rules = START.replace("failed then start,", "failed then") + "check service redis\n"
    stage.begin(rules)
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(2)
    stage.story()
    stage.kill()
    stage.pass_(15)
    stage.begin(rules)
    stage.cycles(3)
    stage.do(stage.machine.start, "nginx")
    stage.cycles(3)
    assert stage.story() == [
        "70 ops: ProcessExists nginx",
        "70 ops: RuleRecovered nginx failed",
    ]


def test_a_reboot_is_told_as_changes(stage: Stage) -> None:
    """Every service has a new process; nothing is repaired for it."""
    stage.machine.add("nginx", "redis")
    both = START + "check service redis\n"
    stage.begin(both)
    stage.cycles(2)
    stage.reboot()
    stage.begin(both)
    stage.cycles(3)
    assert stage.story() == [
        "50 ops: ProcessChanged nginx",
        "50 default: ProcessChanged redis",
    ]


def test_what_a_reboot_does_not_bring_back(stage: Stage) -> None:
    """It is missing, not dead, and told when the machine has had its time to boot."""
    stage.machine.add("nginx")
    stage.begin(CHECKED)
    stage.cycles(2)
    stage.reboot()
    stage.machine.stop("nginx")
    stage.absence_due = False
    stage.begin(CHECKED)
    stage.cycles(3)
    assert stage.story() == []
    stage.absence_due = True
    stage.cycles(1)
    assert [line.partition(" ")[2] for line in stage.story()] == ["ops: ProcessDoesNotExist nginx"]


def test_what_a_reboot_brings_back_late(stage: Stage) -> None:
    """It was missing for as long as the boot took, which is nothing to tell."""
    stage.machine.add("nginx")
    stage.begin(CHECKED)
    stage.cycles(2)
    stage.reboot()
    stage.machine.stop("nginx")
    stage.absence_due = False
    stage.begin(CHECKED)
    stage.cycles(1)
    stage.do(stage.machine.start, "nginx")
    stage.cycles(2)
    stage.absence_due = True
    stage.cycles(2)
    assert stage.story() == []


def test_what_is_absent_at_the_start_is_told_when_it_is_due(stage: Stage) -> None:
    """Once, after start_delay; what comes up before that is not told at all."""
    stage.machine.add("nginx")
    stage.machine.stop("nginx")
    stage.absence_due = False
    stage.begin(START + "check service redis\ncheck service later\n")
    stage.pass_(12)
    stage.machine.add("later")
    stage.pass_(12)
    stage.absence_due = True
    stage.cycles(4)
    assert stage.story() == [
        "30 default: ProcessDoesNotExist redis",
        "30 ops: ProcessDoesNotExist nginx",
    ]


def test_a_service_installed_after_the_agent_is_found(stage: Stage) -> None:
    """Without a reload, and its rules are judged from then on."""
    stage.begin("check service nginx\n  if memory:rss > 500m then restart, alert\n")
    stage.pass_(23)
    stage.machine.add("nginx")
    stage.machine.grow("nginx", 600)
    stage.cycles(4)
    assert stage.story() == [
        "0 default: ProcessDoesNotExist nginx",
        "30 default: ProcessExists nginx",
        "30 default: RuleFailed nginx memory:rss > 500m",
        "30 run restart nginx",
        "40 default: RuleRecovered nginx memory:rss > 500m",
    ]


def test_a_service_that_is_removed_is_failed(stage: Stage) -> None:
    """It was up, and nobody knows it any more."""
    stage.machine.add("nginx")
    stage.begin("check service nginx\n  if failed then alert\n")
    stage.pass_(23)
    stage.do(stage.machine.remove, "nginx")
    stage.cycles(4)
    assert stage.story() == [
        "23 default: ProcessDoesNotExist nginx",
        "30 default: RuleFailed nginx failed",
    ]


def test_what_an_operator_has_just_started_is_not_restarted(stage: Stage) -> None:
    """Managers are asked before a cycle judges, so its last cycle counts as well."""
    stage.machine.add("nginx")
    stage.begin("check service nginx\n  if failed for 3 cycles then restart\n")
    stage.do(stage.machine.crash, "nginx")
    stage.pass_(25)
    stage.machine.start("nginx")
    stage.cycles(3)
    assert stage.story() == [
        "0 default: ProcessDoesNotExist nginx",
        "30 default: ProcessExists nginx",
    ]
