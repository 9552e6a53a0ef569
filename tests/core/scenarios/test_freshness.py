"""Stories of services that run old code: after a deploy, and after an upgrade."""

from __future__ import annotations

from tests.core.scenarios.stage import Stage

CURRENT = "/srv/shop/current"
FIRST, SECOND = "/srv/shop/releases/1", "/srv/shop/releases/2"
CHECK = f"check service sidekiq with release {CURRENT}\n"
STALE = f"{CHECK}  if stale for 2 cycles then restart, alert\n"
RULE = "stale for 2 cycles"
OUTDATED = "check service sidekiq\n  if outdated for 2 cycles then alert\n"


def deployed(stage: Stage, *names: str) -> None:
    """Services that work in the first release."""
    stage.machine.links[CURRENT] = FIRST
    for name in names:
        stage.machine.install(name)
        stage.machine.units[name].works_in = CURRENT
        stage.machine.start(name)


def folder(stage: Stage, name: str = "sidekiq") -> str:
    """Where a service works."""
    return stage.machine.units[name].folder


def test_a_deploy_that_restarts_nothing(stage: Stage) -> None:
    """Is found, and the service restarted into the release; why is told."""
    deployed(stage, "sidekiq")
    stage.begin(STALE)
    stage.cycles(3)
    stage.machine.links[CURRENT] = SECOND
    stage.cycles(12)
    assert stage.story() == [
        f"50 default: RuleFailed sidekiq {RULE}",
        "50 run restart sidekiq",
        f"60 default: RuleRecovered sidekiq {RULE}",
    ]
    assert stage.details() == [f"active (running); works in {FIRST}", "active (running)"]
    assert folder(stage) == SECOND


def test_a_folder_whose_name_is_no_text(stage: Stage) -> None:
    """It is told with a mark in its place, and keeps nothing from being written."""
    stage.machine.add("sidekiq")
    stage.machine.links[CURRENT] = SECOND
    stage.machine.units["sidekiq"].folder = "/srv/caf\udce9"
    stage.begin(STALE)
    stage.cycles(1)
    assert stage.story()[0] == f"10 default: RuleFailed sidekiq {RULE}"
    assert stage.details() == ["active (running); works in /srv/caf?"]


def test_a_start_in_the_gap_of_a_deploy(stage: Stage) -> None:
    """Somebody starts it between stop and symlink: it is restarted once the symlink is another."""
    deployed(stage, "sidekiq")
    stage.begin(f"{STALE}  if down then start\n")
    stage.pass_(12)
    stage.do(stage.machine.stop, "sidekiq")
    stage.pass_(12)
    assert folder(stage) == FIRST
    stage.machine.links[CURRENT] = SECOND
    stage.cycles(12)
    assert stage.story() == [
        "12 default: ProcessDoesNotExist sidekiq",
        "20 run start sidekiq",
        "31 default: ProcessExists sidekiq",
        f"50 default: RuleFailed sidekiq {RULE}",
        "50 run restart sidekiq",
        f"60 default: RuleRecovered sidekiq {RULE}",
    ]
    assert folder(stage) == SECOND


def test_a_deploy_inside_of_a_window(stage: Stage) -> None:
    """Nothing is told of it: when it is over the service works in the new release."""
    deployed(stage, "sidekiq")
    stage.begin(STALE)
    stage.ask("start deploy sidekiq")
    stage.machine.links[CURRENT] = SECOND
    stage.cycles(4)
    stage.do(stage.machine.bounce, "sidekiq")
    stage.ask("finish deploy sidekiq")
    stage.cycles(12)
    assert stage.story() == ["0 answered start deploy", "40 answered finish deploy"]


def test_a_deploy_that_forgot_a_service(stage: Stage) -> None:
    """Its window keeps that quiet until it is over."""
    deployed(stage, "sidekiq", "puma")
    stage.begin(STALE + STALE.replace("sidekiq", "puma"))
    stage.ask("start deploy")
    stage.machine.links[CURRENT] = SECOND
    stage.do(stage.machine.bounce, "puma")
    stage.cycles(4)
    stage.ask("finish deploy")
    stage.cycles(12)
    assert stage.story() == [
        "0 answered start deploy",
        "40 answered finish deploy",
        f"70 default: RuleFailed sidekiq {RULE}",
        "70 run restart sidekiq",
        f"80 default: RuleRecovered sidekiq {RULE}",
    ]


def test_a_service_that_moves_on_by_itself(stage: Stage) -> None:
    """A phased restart takes a while and keeps its process: it needs no other."""
    deployed(stage, "sidekiq")
    stage.begin(STALE.replace("2 cycles", "3 cycles"))
    stage.machine.links[CURRENT] = SECOND
    stage.cycles(2)
    stage.machine.units["sidekiq"].folder = SECOND
    stage.cycles(12)
    assert stage.story() == []


def test_a_release_that_is_taken_back(stage: Stage) -> None:
    """What works in it is no longer stale, and what has moved on is."""
    deployed(stage, "sidekiq", "puma")
    stage.begin(STALE + STALE.replace("sidekiq", "puma"))
    stage.machine.links[CURRENT] = SECOND
    stage.do(stage.machine.bounce, "puma")
    stage.cycles(1)
    stage.machine.links[CURRENT] = FIRST
    stage.cycles(2)
    assert stage.story() == [
        "0 default: ProcessChanged puma",
        f"30 default: RuleFailed puma {RULE}",
        "30 run restart puma",
    ]


def test_a_release_that_is_not_there_for_a_while(stage: Stage) -> None:
    """Nobody knows then, and status says why; what was counted goes on afterwards."""
    deployed(stage, "sidekiq")
    stage.begin(STALE)
    stage.machine.links[CURRENT] = SECOND
    stage.cycles(1)
    del stage.machine.links[CURRENT]
    stage.cycles(2)
    shown = stage.status_of("sidekiq")
    stage.machine.links[CURRENT] = SECOND
    stage.cycles(1)
    assert shown["freshness"] == [
        {"word": "stale", "holds": None, "why": f"{CURRENT}: No such file or directory"}
    ]
    assert [(rule["rule"], rule["known"]) for rule in shown["rules"]] == [(RULE, False)]
    assert stage.story() == [
        f"40 default: RuleFailed sidekiq {RULE}",
        "40 run restart sidekiq",
    ]


def test_a_reload_does_not_begin_anew(stage: Stage) -> None:
    """The hold goes on, over what is known already."""
    deployed(stage, "sidekiq")
    stage.begin(STALE)
    stage.machine.links[CURRENT] = SECOND
    stage.cycles(1)
    stage.reload_rules(f"{STALE}check service nginx\n")
    assert stage.status_of("sidekiq")["freshness"] == [
        {"word": "stale", "holds": True, "why": f"works in {FIRST}"}
    ]
    stage.cycles(1)
    assert stage.story()[-2:] == [
        f"20 default: RuleFailed sidekiq {RULE}",
        "20 run restart sidekiq",
    ]


def test_the_next_agent_goes_on(stage: Stage) -> None:
    """What was told is not told again, and over once the service has another process."""
    deployed(stage, "sidekiq")
    stage.begin(STALE.replace("restart, ", ""))
    stage.machine.links[CURRENT] = SECOND
    stage.cycles(2)
    stage.kill()
    stage.begin(STALE.replace("restart, ", ""))
    stage.cycles(2)
    stage.do(stage.machine.bounce, "sidekiq")
    stage.cycles(2)
    assert stage.story() == [
        f"20 default: RuleFailed sidekiq {RULE}",
        "40 default: ProcessChanged sidekiq",
        f"50 default: RuleRecovered sidekiq {RULE}",
    ]


def test_an_upgrade(stage: Stage) -> None:
    """Is noticed within a minute, and over as soon as somebody restarts the service."""
    stage.machine.add("sidekiq")
    stage.begin(OUTDATED)
    stage.cycles(1)
    stage.machine.upgrade()
    stage.cycles(9)
    shown = stage.status_of("sidekiq")
    stage.do(stage.machine.bounce, "sidekiq")
    stage.cycles(1)
    assert stage.story() == [
        "70 default: RuleFailed sidekiq outdated for 2 cycles",
        "100 default: ProcessChanged sidekiq",
        "110 default: RuleRecovered sidekiq outdated for 2 cycles",
    ]
    assert shown["freshness"] == [{"word": "outdated", "holds": True, "why": "uses libssl.so.3"}]
    assert stage.status_of("sidekiq")["freshness"] == [
        {"word": "outdated", "holds": False, "why": ""}
    ]


def test_a_service_without_a_process(stage: Stage) -> None:
    """Is neither stale nor not: what it will run is what is there when it starts."""
    deployed(stage, "sidekiq")
    stage.begin(f"{CHECK}  if stale then alert\n  if stale and down then alert\n")
    stage.do(stage.machine.stop, "sidekiq")
    stage.machine.links[CURRENT] = SECOND
    stage.cycles(3)
    shown = stage.status_of("sidekiq")
    stage.do(stage.machine.start, "sidekiq")
    stage.cycles(2)
    assert stage.story() == [
        "0 default: ProcessDoesNotExist sidekiq",
        "40 default: ProcessExists sidekiq",
    ]
    assert shown["freshness"] == []
    assert [rule["known"] for rule in shown["rules"]] == [False, False]
