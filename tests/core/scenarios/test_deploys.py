"""Stories of deploy windows: nothing is judged, told or repaired inside; what is left is told."""

from __future__ import annotations

import pytest

from tests.core.scenarios.stage import CONF, Stage

START = """
check service nginx with owner ops
  if failed then start, alert
"""
QUIET = """
check service nginx
  if failed then start, alert
  if down then start, alert
  if restarted then alert
"""
LEAK = """
check service sidekiq
  if memory:rss > 500m for 2 cycles then restart, alert
"""


def test_a_deploy_is_quiet(stage: Stage) -> None:
    """Quiet, stop, symlink, start: nothing is started in the gap, and nothing is told of it."""
    stage.machine.add("nginx")
    stage.begin(QUIET)
    stage.pass_(22)
    stage.ask("start deploy nginx")
    stage.do(stage.machine.stop, "nginx")
    stage.pass_(35)
    stage.do(stage.machine.start, "nginx")
    stage.pass_(1)
    stage.ask("finish deploy")
    stage.cycles(6)
    assert stage.story() == ["22 answered start deploy", "58 answered finish deploy"]


def test_what_breaks_inside_is_told_and_repaired_after_it(stage: Stage) -> None:
    """When the cycle that settles is over."""
    stage.machine.add("nginx")
    stage.begin(START)
    stage.pass_(22)
    stage.ask("start deploy")
    stage.pass_(3)
    stage.do(stage.machine.crash, "nginx")
    stage.pass_(30)
    stage.ask("finish deploy")
    stage.cycles(6)
    assert stage.story() == [
        "22 answered start deploy",
        "55 answered finish deploy",
        "70 ops: ProcessDoesNotExist nginx",
        "70 ops: RuleFailed nginx failed",
        "70 run start nginx",
        "80 ops: RuleRecovered nginx failed",
        "81 ops: ProcessExists nginx",
    ]


def test_what_recovers_inside_is_told_after_it(stage: Stage) -> None:
    """To whoever heard of the failure before it."""
    stage.machine.add("nginx")
    stage.begin(START.replace("start, ", ""))
    stage.pass_(22)
    stage.do(stage.machine.crash, "nginx")
    stage.pass_(10)
    stage.ask("start deploy")
    stage.do(stage.machine.start, "nginx")
    stage.pass_(30)
    stage.ask("finish deploy")
    stage.cycles(6)
    assert stage.story() == [
        "22 ops: ProcessDoesNotExist nginx",
        "30 ops: RuleFailed nginx failed",
        "32 answered start deploy",
        "62 answered finish deploy",
        "80 ops: ProcessExists nginx",
        "80 ops: RuleRecovered nginx failed",
    ]


def test_what_breaks_as_the_window_opens(stage: Stage) -> None:
    """The command is faster than the news: it is told after the window."""
    stage.machine.add("nginx")
    stage.begin(START)
    stage.pass_(22)
    stage.machine.crash("nginx")
    stage.ask("start deploy")
    stage.pass_(30)
    stage.ask("finish deploy")
    stage.cycles(2)
    assert stage.story() == [
        "22 answered start deploy",
        "52 answered finish deploy",
        "70 ops: ProcessDoesNotExist nginx",
        "70 ops: RuleFailed nginx failed",
        "70 run start nginx",
    ]


def test_what_breaks_as_the_window_closes(stage: Stage) -> None:
    """It settles first; a service that just starts up is given that time."""
    stage.machine.add("nginx", "redis")
    stage.begin(START + "check service redis\n")
    stage.pass_(22)
    stage.ask("start deploy")
    stage.pass_(30)
    stage.machine.crash("nginx")
    stage.do(stage.machine.starting, "redis")
    stage.ask("finish deploy")
    stage.pass_(5)
    stage.do(stage.machine.start, "redis")
    stage.cycles(2)
    assert stage.story() == [
        "22 answered start deploy",
        "52 answered finish deploy",
        "70 ops: ProcessDoesNotExist nginx",
        "70 ops: RuleFailed nginx failed",
        "70 run start nginx",
    ]


def test_a_window_that_runs_out_says_so(stage: Stage) -> None:
    """It ends by itself, settles, and then everything is as after finish."""
    stage.machine.add("nginx")
    stage.begin(START, CONF + "set deploy_length 100\n")
    stage.pass_(22)
    stage.ask("start deploy")
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(12)
    assert stage.story() == [
        "22 answered start deploy",
        "130 default: WindowEnded agent",
        "140 ops: ProcessDoesNotExist nginx",
        "140 ops: RuleFailed nginx failed",
        "140 run start nginx",
    ]


def test_a_window_of_one_service_covers_no_other(stage: Stage) -> None:
    """It has its own length, its end is told to its owner, and `finish` of another leaves it."""
    stage.machine.add("nginx", "redis")
    stage.begin(START + "check service redis\n  if failed then start, alert\n")
    stage.pass_(22)
    stage.ask("start deploy nginx for 1m")
    stage.ask("start deploy redis")
    stage.ask("finish deploy redis")
    stage.cycles(2)
    stage.story()
    for name in ("nginx", "redis"):
        stage.do(stage.machine.crash, name)
    stage.cycles(6)
    assert stage.story() == [
        "40 default: ProcessDoesNotExist redis",
        "50 default: RuleFailed redis failed",
        "50 run start redis",
        "60 default: RuleRecovered redis failed",
        "61 default: ProcessExists redis",
        "90 ops: WindowEnded agent",
        "100 ops: ProcessDoesNotExist nginx",
        "100 ops: RuleFailed nginx failed",
        "100 run start nginx",
    ]


def test_the_machine_is_silent_in_a_window_over_everything(stage: Stage) -> None:
    """And only in that one: the window of a service leaves the host's rules alone."""
    stage.machine.add("nginx")
    stage.begin("check host\n  if load:1 > 4 then alert\ncheck service nginx\n")
    stage.ask("start deploy nginx")
    stage.machine.load = 5.0
    stage.cycles(1)
    stage.machine.load = 1.0
    stage.cycles(1)
    stage.ask("start deploy")
    stage.machine.load = 5.0
    stage.cycles(2)
    stage.ask("stop deploy")
    stage.cycles(2)
    assert stage.story() == [
        "0 answered start deploy",
        "10 default: RuleFailed host load:1 > 4",
        "20 default: RuleRecovered host load:1 > 4",
        "20 answered start deploy",
        "40 answered stop deploy",
        "60 default: RuleFailed host load:1 > 4",
    ]


def test_a_hold_neither_counts_nor_forgets_inside(stage: Stage) -> None:
    """One trip before the window and one after it are two in a row."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.cycles(1)
    stage.ask("start deploy")
    stage.cycles(5)
    stage.ask("finish deploy")
    stage.cycles(2)
    assert stage.story()[2:] == [
        "80 default: RuleFailed sidekiq memory:rss > 500m for 2 cycles",
        "80 run restart sidekiq",
    ]


def test_start_deploy_waits_for_the_repair_that_runs(stage: Stage) -> None:
    """A restart begun a second before a deploy must not start old code inside it."""
    stage.machine.add("sidekiq")
    stage.machine.takes_s = 7.0
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(22)
    stage.ask("start deploy")
    stage.pass_(50)
    stage.ask("finish deploy")
    stage.cycles(3)
    assert stage.story() == [
        "20 default: RuleFailed sidekiq memory:rss > 500m for 2 cycles",
        "20 run restart sidekiq",
        "27 answered start deploy",
        "72 answered finish deploy",
        "90 default: RuleRecovered sidekiq memory:rss > 500m for 2 cycles",
    ]


def test_start_deploy_of_one_waits_for_no_other(stage: Stage) -> None:
    """The repair of another service goes on meanwhile, and is told."""
    stage.machine.add("sidekiq", "nginx")
    stage.machine.takes_s = 7.0
    stage.begin(LEAK + "check service nginx\n")
    stage.machine.grow("sidekiq", 600)
    stage.pass_(22)
    stage.ask("start deploy nginx")
    stage.cycles(3)
    assert stage.story()[2:] == [
        "22 answered start deploy",
        "30 default: RuleRecovered sidekiq memory:rss > 500m for 2 cycles",
    ]


def test_a_repair_that_a_deploy_undoes_is_not_told_as_failed(stage: Stage) -> None:
    """The service was restarted just before, and the deploy stops it while it is verified."""
    stage.machine.add("sidekiq")
    stage.begin(LEAK)
    stage.machine.grow("sidekiq", 600)
    stage.pass_(22)
    stage.ask("start deploy")
    stage.do(stage.machine.stop, "sidekiq")
    stage.pass_(20)
    stage.do(stage.machine.start, "sidekiq")
    stage.ask("finish deploy")
    stage.cycles(4)
    assert stage.story()[2:] == [
        "22 answered start deploy",
        "42 answered finish deploy",
        "60 default: RuleRecovered sidekiq memory:rss > 500m for 2 cycles",
    ]


def test_a_repair_that_waits_for_its_turn_is_called_off(stage: Stage) -> None:
    """Of six, four run when the window opens; the others are asked for again after it."""
    names = [f"s{number}" for number in range(6)]
    stage.machine.add(*names)
    stage.machine.takes_s = 7.0
    stage.begin("\n".join(LEAK.replace("sidekiq", name) for name in names))
    for name in names:
        stage.machine.grow(name, 600)
    stage.pass_(22)
    stage.story()
    stage.ask("start deploy")
    stage.pass_(50)
    stage.ask("finish deploy")
    stage.cycles(5)
    rule = "memory:rss > 500m for 2 cycles"
    assert stage.story() == [
        "27 answered start deploy",
        "72 answered finish deploy",
        *(f"90 default: RuleRecovered {name} {rule}" for name in names[:4]),
        "100 run restart s4",
        "100 run restart s5",
        "110 default: RuleRecovered s4 memory:rss > 500m for 2 cycles",
        "110 default: RuleRecovered s5 memory:rss > 500m for 2 cycles",
    ]
    assert stage.log.warnings == []


@pytest.mark.parametrize("reboot", [False, True])
def test_a_window_survives_the_agent(stage: Stage, reboot: bool) -> None:
    """Killed with -9 inside, or the machine booted: it starts nothing, and the end is the same."""
    stage.machine.add("nginx")
    stage.begin(START)
    stage.pass_(22)
    stage.ask("start deploy for 2m")
    if reboot:
        stage.reboot()
    else:
        stage.kill()
        stage.pass_(30)
    stage.machine.crash("nginx")
    stage.begin(START)
    stage.cycles(11)
    assert stage.story() == [
        "22 answered start deploy",
        "150 default: WindowEnded agent",
        "160 ops: ProcessDoesNotExist nginx",
        "160 ops: RuleFailed nginx failed",
        "160 run start nginx",
    ]


def test_what_is_not_monitored_is_left_alone(stage: Stage) -> None:
    """For as long as one likes, over a restart of the agent; then it settles, and is told."""
    stage.machine.add("nginx")
    stage.begin(START)
    stage.ask("unmonitor nginx")
    stage.do(stage.machine.crash, "nginx")
    stage.cycles(300)
    stage.kill()
    stage.begin(START)
    stage.cycles(3)
    stage.ask("monitor nginx")
    stage.cycles(3)
    assert stage.story() == [
        "0 answered unmonitor",
        "3030 answered monitor",
        "3050 ops: ProcessDoesNotExist nginx",
        "3050 ops: RuleFailed nginx failed",
        "3050 run start nginx",
        "3060 ops: RuleRecovered nginx failed",
    ]


def test_a_window_that_opens_again_while_it_settles(stage: Stage) -> None:
    """Two deploys in a row are one silence."""
    stage.machine.add("nginx")
    stage.begin(START)
    stage.ask("start deploy")
    stage.do(stage.machine.crash, "nginx")
    stage.pass_(12)
    stage.ask("finish deploy")
    stage.pass_(1)
    stage.ask("start deploy")
    stage.cycles(3)
    assert stage.story() == [
        "0 answered start deploy",
        "12 answered finish deploy",
        "13 answered start deploy",
    ]
