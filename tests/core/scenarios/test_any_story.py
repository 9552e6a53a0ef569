"""What holds in every story, whatever happens in it and in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_agent.engine.silence import in_window
from tests.core.scenarios.stage import Stage

NAMES = ("nginx", "sidekiq@1", "sidekiq@2")
SAID = (*NAMES, "sidekiq@*")
RULES = (
    """
check service nginx with owner ops, restarts 2/5m
  if failed then start, alert
  if memory:rss > 500m for 2 cycles then reload, run "tidy nginx", restart sidekiq@1, alert
  if memory:rss > 500m for 8 cycles then unmonitor, signal USR1, run "tell nginx", alert boss
check service sidekiq@1 with grace 15s, needs "nginx"
  if memory:rss > 500m for 2 cycles then restart, alert
  if memory:rss > 500m for 4 of 6 cycles then signal KILL, restart, alert boss
  if down for 15s then start
check service sidekiq@2
  if failed or memory:rss > 500m then restart, alert ops else alert boss
  if memory:rss > 500m for 3 cycles then signal TERM
check host
  if load:1 > 4 for 2 cycles then run "clean host", alert
""",
    """
check service nginx with owner boss
  if failed for 2 cycles then start, alert
  if memory:rss > 500m for 2 cycles then reload, alert
check service sidekiq@1
  if memory:rss > 500m for 2 cycles then restart, alert
""",
    """
check service nginx with owner ops, needs "sidekiq@*"
  if failed then start, restart sidekiq@*, alert
check service sidekiq@* with restarts 2/5m
  if memory:rss > 500m for 2 cycles then restart, alert
  if down for 15s then start, alert boss
""",
)

Act = Callable[[Stage], object]


class Watched(Stage):
    """A stage on which nothing may be run that a window covers."""

    def say(self, text: str) -> None:
        """See Stage."""
        if text.startswith("run "):
            assert not in_window(self.parts.windows.silence, text.split()[-1])
        super().say(text)


def always(stage: Stage, name: str) -> None:
    """It leaks from now on, or does not any more."""
    unit = stage.machine.units[name]
    stage.machine.grow_always(name, 700.0 if unit.born_mb < 500 else 100.0)


def die(stage: Stage, name: str) -> None:
    """Its process dies, if it has one."""
    if stage.machine.units[name].process is not None:
        stage.do(stage.machine.crash, name)


def rise(stage: Stage, name: str) -> None:
    """It is started, if it is not running."""
    if stage.machine.units[name].process is None:
        stage.do(stage.machine.start, name)


def respawn(stage: Stage, name: str) -> None:
    """Its manager restarts it from now on, or does not any more."""
    unit = stage.machine.units[name]
    unit.respawns = None if unit.respawns else 4.0


def silence(stage: Stage) -> None:
    """The manager falls silent, or answers again."""
    stage.machine.silent = "" if stage.machine.silent else "timeout"


def break_(stage: Stage, name: str) -> None:
    """Its commands fail, or work again."""
    for verb in ("start", "restart", "reload", "sh tidy", "sh tell"):
        key = f"{verb} {name}"
        if stage.machine.fails.pop(key, None) is None:
            stage.machine.fails[key] = "no"


def lag(stage: Stage) -> None:
    """The manager goes on naming the dead for a while, or does not any more."""
    stage.machine.belated_s = 0.0 if stage.machine.belated_s else 3.0


def unload(stage: Stage) -> None:
    """The manager keeps what is stopped loaded, or does not any more."""
    stage.machine.unloads = not stage.machine.unloads


def load(stage: Stage) -> None:
    """The machine is under load, or not."""
    stage.machine.load = 9.0 if stage.machine.load < 1 else 0.0


def revive(stage: Stage, away_s: float, number: int) -> None:
    """The agent is killed, and started again after a while, with these rules."""
    stage.kill()
    stage.pass_(away_s)
    stage.begin(RULES[number])


def ask(stage: Stage, line: str) -> None:
    """An operator's command, if there is such a service now."""
    world = stage.parts.world
    if line.split()[-1] in (*world.services, *world.templates, "deploy"):
        stage.ask(line)


_NAME = st.sampled_from(NAMES)
_RULES = st.integers(0, len(RULES) - 1)
_ACTS: st.SearchStrategy[Act] = st.one_of(
    st.builds(lambda s: partial(Stage.pass_, seconds=s), st.integers(1, 45)),
    st.builds(lambda n: partial(die, name=n), _NAME),
    st.builds(lambda n: partial(rise, name=n), _NAME),
    st.builds(lambda n: partial(always, name=n), _NAME),
    st.builds(lambda n: partial(respawn, name=n), _NAME),
    st.builds(lambda n: partial(break_, name=n), _NAME),
    st.builds(lambda n: lambda stage: stage.do(stage.machine.stop, n), _NAME),
    st.builds(lambda n: lambda stage: stage.do(stage.machine.bounce, n), _NAME),
    st.just(silence),
    st.just(lag),
    st.just(unload),
    st.just(Stage.look_without_waiting),
    st.just(load),
    st.builds(lambda s: partial(Stage.suspend, seconds=s), st.integers(30, 900)),
    st.builds(lambda s, n: partial(revive, away_s=s, number=n), st.integers(0, 30), _RULES),
    st.builds(
        lambda line: partial(ask, line=line),
        st.sampled_from(
            [
                "start deploy",
                "finish deploy",
                *(f"{verb} {name}" for name in SAID for verb in ("start deploy", "finish deploy")),
                *(f"{verb} {name}" for name in SAID for verb in ("unmonitor", "monitor")),
            ]
        ),
    ),
    st.builds(lambda number: lambda stage: stage.reload_rules(RULES[number]), _RULES),
)


def calm(stage: Stage) -> None:
    """Everything is well, and every window closed, for long enough."""
    machine = stage.machine
    machine.silent, machine.load, machine.belated_s = "", 0.0, 0.0
    machine.fails.clear()
    machine.unloads = False
    stage.ask("finish deploy")
    stage.reload_rules(RULES[2])
    stage.ask("monitor sidekiq@*")
    stage.reload_rules(RULES[0])
    for name in NAMES:
        machine.units[name].respawns = None
        machine.grow_always(name, 100.0)
        rise(stage, name)
        stage.ask(f"monitor {name}")
    stage.cycles(90)


@settings(max_examples=60)
@given(st.lists(_ACTS, max_size=25), st.integers(1, 20), st.booleans(), _RULES)
def test_any_story_ends_well(
    tmp_path_factory: pytest.TempPathFactory,
    acts: list[Act],
    takes_s: int,
    pidfds: bool,
    number: int,
) -> None:
    """Nothing raises; what opened is closed, once; nothing is run inside a window."""
    with pytest.MonkeyPatch.context() as patch:
        stage = Watched(tmp_path_factory.mktemp("story"), patch)
        stage.machine.takes_s, stage.machine.pidfds = takes_s, pidfds
        stage.machine.add(*NAMES)
        stage.begin(RULES[number])
        for act in acts:
            act(stage)
        calm(stage)
        story = stage.story()
        assert stage.kept("repair") == {}
        assert stage.kept("rule") == {}
        assert stage.reports.texts == []
        for name in NAMES:
            assert stage.service(name).state.status == "up"
            assert stage.service(name).process == stage.machine.units[name].process
        stage.end()
    heard = [line.split(" ", 3)[1:] for line in story if ": " in line]
    rules = [(f"{who} {about}", what) for who, what, about in heard]
    alternate(rules, {"RuleFailed"}, {"RuleRecovered", "RuleWithdrawn"})
    processes = [(about.removesuffix(" process"), what) for _, what, about in heard]
    alternate(processes, {"ProcessDoesNotExist", "CrashLoop"}, {"ProcessExists", "RuleWithdrawn"})


def alternate(told: list[tuple[str, str]], opens: set[str], closes: set[str]) -> None:
    """What was opened is closed before it is opened again, and in the end."""
    is_open: dict[str, bool] = {}
    for about, what in told:
        if what in opens:
            assert not is_open.get(about), (about, told)
            is_open[about] = True
        elif what in closes:
            is_open[about] = False
    assert not any(is_open.values()), (is_open, told)
