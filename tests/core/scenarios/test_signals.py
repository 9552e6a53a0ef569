"""Stories of signals: sent to the main process, alone or before a restart."""

from __future__ import annotations

import pytest

from tests.core.scenarios.stage import Stage

QUIET = """
check service sidekiq with owner ops
  if memory:rss > 500m for 2 cycles then signal TSTP, restart, alert
"""
KILL = """
check service sidekiq with owner ops
  if memory:rss > 500m for 2 cycles then signal KILL, alert
  if restarted then alert boss
"""
FAT = "sidekiq memory:rss > 500m for 2 cycles"


def test_a_signal_and_then_a_restart(stage: Stage) -> None:
    """The signal has ended well as soon as it is sent; the restart is verified as ever."""
    stage.machine.add("sidekiq")
    stage.begin(QUIET)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(5)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run signal TSTP sidekiq",
        "20 run restart sidekiq",
        f"30 ops: RuleRecovered {FAT}",
    ]
    assert stage.kept("repair") == {}


def test_a_list_is_one_repair_to_the_budget(stage: Stage) -> None:
    """However many steps it has; 3/10m is three lists, and the fourth finds it spent."""
    stage.machine.add("sidekiq")
    stage.begin(QUIET)
    stage.machine.grow_always("sidekiq", 600)
    stage.cycles(12)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run signal TSTP sidekiq",
        "20 run restart sidekiq",
        "50 run signal TSTP sidekiq",
        "50 run restart sidekiq",
        "80 run signal TSTP sidekiq",
        "80 run restart sidekiq",
        "110 ops: RepairExhausted sidekiq",
    ]


def test_signals_alone_spend_the_budget_too(stage: Stage) -> None:
    """A process that takes no notice is not signalled in every cycle for ever."""
    stage.machine.add("sidekiq")
    stage.begin("check service sidekiq\n  if memory:rss > 500m then signal USR1\n")
    stage.machine.grow("sidekiq", 600)
    stage.cycles(45)
    assert stage.story() == [
        "10 run signal USR1 sidekiq",
        "20 run signal USR1 sidekiq",
        "30 run signal USR1 sidekiq",
        "40 default: RepairExhausted sidekiq",
        "340 run signal USR1 sidekiq",
        "340 default: RepairSucceeded sidekiq",
        "350 run signal USR1 sidekiq",
        "360 run signal USR1 sidekiq",
        "370 default: RepairExhausted sidekiq",
    ]


@pytest.mark.parametrize("pidfds", [True, False])
def test_a_process_that_its_manager_replaces_at_once(stage: Stage, pidfds: bool) -> None:
    """The rule did it: neither ProcessChanged nor `restarted`, and no death is counted."""
    stage.machine.add("sidekiq")
    stage.machine.pidfds = pidfds
    stage.machine.deadly["KILL"] = stage.machine.bounce
    stage.begin(KILL)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(8)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run signal KILL sidekiq",
        f"{30 if pidfds else 40} ops: RuleRecovered {FAT}",
    ]
    assert stage.service("sidekiq").state.deaths == ()


def test_a_process_that_its_manager_brings_back(stage: Stage) -> None:
    """Before the next cycle: nothing is told, and no death is counted."""
    stage.machine.add("sidekiq")
    stage.machine.units["sidekiq"].respawns = 3.0
    stage.begin(KILL)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(6)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run signal KILL sidekiq",
        f"30 ops: RuleRecovered {FAT}",
    ]
    assert stage.service("sidekiq").state.deaths == ()


def test_a_process_that_its_manager_brings_back_late(stage: Stage) -> None:
    """Its loss is told by the next cycle, with its time, and its return; it is no death."""
    stage.machine.add("sidekiq")
    stage.machine.units["sidekiq"].respawns = 13.0
    stage.begin(KILL)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(6)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run signal KILL sidekiq",
        "30 ops: ProcessDoesNotExist sidekiq",
        "37 ops: ProcessExists sidekiq",
        f"40 ops: RuleRecovered {FAT}",
    ]
    assert stage.events()[1] == ("ProcessDoesNotExist", 20.0)
    assert stage.service("sidekiq").state.deaths == ()


def test_a_process_that_nobody_brings_back(stage: Stage) -> None:
    """The signal went out, so nothing failed; that it is not running is told."""
    stage.machine.add("sidekiq")
    stage.begin(KILL)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(6)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run signal KILL sidekiq",
        "30 ops: ProcessDoesNotExist sidekiq",
    ]


def test_a_process_that_takes_its_time_to_end(stage: Stage) -> None:
    """Within its service's timeout it is still the signal that ended it."""
    stage.machine.add("sidekiq")
    stage.machine.deadly["TERM"] = lambda name: stage.machine.later(
        15.0, lambda: stage.machine.bounce(name)
    )
    stage.begin(KILL.replace("KILL", "TERM"))
    stage.machine.grow("sidekiq", 600)
    stage.cycles(6)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run signal TERM sidekiq",
        f"40 ops: RuleRecovered {FAT}",
    ]
    assert stage.service("sidekiq").state.deaths == ()


def test_a_signal_accounts_for_no_end_long_after_it(stage: Stage) -> None:
    """After the next cycle and its service's timeout it is somebody else's doing."""
    stage.machine.add("sidekiq")
    stage.machine.pidfds = False
    stage.begin(KILL.replace("KILL", "TSTP").replace("owner ops", "owner ops, timeout 5s"))
    stage.machine.grow("sidekiq", 600)
    stage.pass_(24)
    stage.machine.grow("sidekiq", 100)
    stage.pass_(8)
    stage.machine.bounce("sidekiq")
    stage.do(stage.look_without_waiting)
    stage.cycles(1)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run signal TSTP sidekiq",
        f"30 ops: RuleRecovered {FAT}",
        "32 ops: ProcessChanged sidekiq",
        "40 boss: RuleFailed sidekiq restarted",
    ]


def test_a_signal_to_nobody_fails(stage: Stage) -> None:
    """There is no process to send it to; what was to follow is not done."""
    stage.machine.add("sidekiq")
    stage.begin("check service sidekiq\n  if down for 2 cycles then signal CONT, start, alert\n")
    stage.do(stage.machine.stop, "sidekiq")
    stage.cycles(2)
    assert stage.story() == [
        "0 default: ProcessDoesNotExist sidekiq",
        "20 default: RuleFailed sidekiq down for 2 cycles",
        "20 default: RepairFailed sidekiq",
    ]
    said = "there is no process: it is down (inactive (dead), Result=success)"
    assert stage.log.warnings == [f"sidekiq: signal CONT failed: {said} (RepairFailed)"]


def test_a_signal_that_kills_before_a_restart(stage: Stage) -> None:
    """The restart brings up what the signal ended, and that is one repair."""
    stage.machine.add("sidekiq")
    stage.begin(QUIET.replace("TSTP", "KILL"))
    stage.machine.grow("sidekiq", 600)
    stage.cycles(6)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run signal KILL sidekiq",
        "20 run restart sidekiq",
        f"30 ops: RuleRecovered {FAT}",
    ]
    assert stage.service("sidekiq").state.status == "up"


def test_what_a_manager_restarts_itself_is_not_restarted_too(stage: Stage) -> None:
    """A restart behind a signal that kills is refused where the manager is at it already."""
    stage.machine.add("sidekiq")
    stage.machine.units["sidekiq"].respawns = 3.0
    stage.begin(QUIET.replace("signal TSTP, restart", "signal KILL, run pause, restart"))
    stage.machine.grow("sidekiq", 600)
    stage.pass_(22)
    assert stage.story() == [
        f"20 ops: RuleFailed {FAT}",
        "20 run signal KILL sidekiq",
        "20 run sh pause",
    ]
    said = "restart sidekiq refused, MANAGER_IS_RESTARTING: its manager is restarting it"
    assert stage.status_of("sidekiq")["refused"] == said
    stage.cycles(3)
    assert stage.story() == [f"30 ops: RuleRecovered {FAT}"]


def test_a_need_that_is_down_keeps_no_signal_back(stage: Stage) -> None:
    """A service waits for what it needs to be started, not to be told something."""
    stage.machine.add("sidekiq", "redis")
    stage.begin(
        'check service sidekiq with needs "redis"\n'
        "  if memory:rss > 500m for 2 cycles then signal USR1, reload\ncheck service redis\n"
    )
    stage.do(stage.machine.stop, "redis")
    stage.machine.grow("sidekiq", 600)
    stage.cycles(2)
    assert stage.story() == [
        "0 default: ProcessDoesNotExist redis",
        "20 run signal USR1 sidekiq",
    ]
    said = "reload sidekiq refused, NEED_DOWN: a service that it needs is down"
    assert stage.status_of("sidekiq")["refused"] == said


@pytest.mark.parametrize("command", ["start deploy", "start deploy sidekiq", "unmonitor sidekiq"])
def test_nothing_is_signalled_where_nothing_is_done(stage: Stage, command: str) -> None:
    """A window, or a service that is left alone, covers every step of its rules."""
    stage.machine.add("sidekiq")
    stage.begin(QUIET)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(15)
    stage.ask(command)
    stage.cycles(4)
    assert stage.story() == [f"15 answered {command.removesuffix(' sidekiq')}"]
