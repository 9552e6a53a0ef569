"""What each command answers, and what it says to words that it does not understand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_agent import __version__
from inspect_agent.core.commands import commands
from inspect_agent.core.request import Request
from inspect_agent.engine import silence
from inspect_agent.errors import ControlError
from inspect_agent.export.answers import to_text
from inspect_agent.model import wire
from inspect_agent.model.target import ProbeCheck
from tests.core.scenarios.stage import Stage

RULES = """
check host
  if load:1 > 4 then alert
check service nginx
  if memory:rss > 500m then alert
check service redis
"""
NO_SERVICE = "no service {} is watched; there are nginx, redis"


class Desk:
    """The commands of an agent on a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.table = commands(stage)

    def ask(self, name: str, *words: str) -> Any:
        """The answer to a command. Raises ControlError."""
        return self.give(name, {"words": list(words)})

    def give(self, name: str, args: dict[str, Any]) -> Any:
        """The same with any arguments."""
        answers: list[Any] = []
        self.table[name].handler(Request(name, args, True), answers.append)
        self.stage.settle()
        (answer,) = answers
        return answer

    def unmonitored(self) -> tuple[str, ...]:
        """The services that are left alone."""
        return self.stage.parts.windows.silence.unmonitored

    def refusal(self, name: str, *words: str) -> str:
        """Why a command is refused."""
        with pytest.raises(ControlError) as refused:
            self.ask(name, *words)
        return str(refused.value)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """An agent that has run three cycles."""
    stage = Stage(tmp_path, monkeypatch)
    stage.machine.add("nginx", "redis")
    stage.begin(RULES)
    stage.cycles(2)
    yield Desk(stage)
    stage.end()


def test_what_changes_something_is_marked_so(desk: Desk) -> None:
    """Everything but these is for those who may change."""
    reading = {name for name, command in desk.table.items() if not command.changes}
    assert reading == {"status", "export", "show", "version", "help"}


def test_help_has_a_line_for_every_command(desk: Desk) -> None:
    """In the words that one types."""
    answer = desk.ask("help")
    assert answer.keys() == desk.table.keys()
    assert all(answer.values())


def test_version(desk: Desk) -> None:
    """The agent's own, not the client's."""
    assert desk.ask("version") == __version__


def test_show_gives_the_samples_of_a_metric(desk: Desk) -> None:
    """Of a service or of the machine, oldest first, with their unit."""
    assert desk.ask("show", "nginx", "memory:rss") == {
        "target": "nginx",
        "metric": "memory:rss",
        "unit": "bytes",
        "values": [100.0 * 1024 * 1024] * 3,
        "reason": "",
    }
    assert desk.ask("show", "host", "load:1") == {
        "target": "host",
        "metric": "load:1",
        "unit": "number",
        "values": [0.0] * 3,
        "reason": "",
    }


def test_show_says_why_there_are_no_samples(desk: Desk) -> None:
    """Of a service that is not running, once its last ones are gone."""
    desk.stage.do(desk.stage.machine.stop, "nginx")
    assert desk.ask("show", "nginx", "memory:rss")["reason"] == "not running"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "usage: show TARGET METRIC, as in: show sidekiq memory:rss"),
        (("nginx",), "usage: show TARGET METRIC, as in: show sidekiq memory:rss"),
        (("nginx", "a", "b"), "usage: show TARGET METRIC, as in: show sidekiq memory:rss"),
        (("apache", "memory:rss"), "nothing named apache is watched; try: host, nginx, redis"),
        (
            ("nginx", "memory"),
            "nginx has no metric memory; it has cpu:system, cpu:user, memory:rss",
        ),
        (("host", "cpu"), "host has no metric cpu; it has load:1"),
    ],
)
def test_show_of_what_there_is_not(desk: Desk, words: tuple[str, ...], reason: str) -> None:
    """Each names what there is."""
    assert desk.refusal("show", *words) == reason


@pytest.mark.parametrize(
    ("words", "names", "for_s"),
    [
        ((), (), 300.0),
        (("nginx",), ("nginx",), 300.0),
        (("nginx", "redis"), ("nginx", "redis"), 300.0),
        (("for", "90"), (), 90.0),
        (("for", "90s"), (), 90.0),
        (("nginx", "for", "10m"), ("nginx",), 600.0),
        (("nginx", "for", "2h"), ("nginx",), 7200.0),
        (("for", "30d"), (), 2592000.0),
    ],
)
def test_start_deploy_opens_windows(
    desk: Desk, words: tuple[str, ...], names: tuple[str, ...], for_s: float
) -> None:
    """Of these services or of everything, for so long or as long as is configured."""
    assert desk.ask("start deploy", *words) == {"names": names, "for_s": for_s}
    until = desk.stage.clock.now + for_s
    opened = tuple((name, until) for name in names or ("",))
    assert desk.stage.parts.windows.silence.windows == opened


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("apache",), NO_SERVICE.format("apache")),
        (("nginx", "10m"), NO_SERVICE.format("10m")),
        (("for",), NO_SERVICE.format("for")),
        (("for", "ever"), "not a duration: ever; write 90s, 10m or 1h"),
        (("for", "0m"), "not a duration: 0m; write 90s, 10m or 1h"),
        (("for", "-1m"), "not a duration: -1m; write 90s, 10m or 1h"),
        (("for", "1.5h"), "not a duration: 1.5h; write 90s, 10m or 1h"),
        (("for", "1" * 50), f"not a duration: {'1' * 40}; write 90s, 10m or 1h"),
        (("for", "31d"), "31d is longer than 30d; unmonitor lasts until monitor"),
        (("for", "999999999d"), "999999999d is longer than 30d; unmonitor lasts until monitor"),
    ],
)
def test_start_deploy_of_what_there_is_not(desk: Desk, words: tuple[str, ...], reason: str) -> None:
    """No window is opened."""
    assert desk.refusal("start deploy", *words) == reason
    assert desk.stage.parts.windows.silence.windows == ()


@pytest.mark.parametrize("name", ["finish deploy", "stop deploy"])
def test_finish_deploy_closes_windows(desk: Desk, name: str) -> None:
    """The named, or all; to finish what was never begun is no mistake."""
    desk.ask("start deploy")
    desk.ask("start deploy", "nginx", "redis")
    assert desk.ask(name, "nginx") == {"names": ("nginx",)}
    left = [window for window, _ in desk.stage.parts.windows.silence.windows]
    assert left == ["", "redis"]
    assert desk.ask(name) == {"names": ()}
    assert desk.stage.parts.windows.silence.windows == ()
    assert desk.ask(name) == {"names": ()}
    assert desk.refusal(name, "apache") == NO_SERVICE.format("apache")


def test_unmonitor_and_monitor(desk: Desk) -> None:
    """Several at once; at least one."""
    assert desk.ask("unmonitor", "nginx", "redis") == {"names": ("nginx", "redis")}
    assert desk.unmonitored() == ("nginx", "redis")
    assert desk.ask("monitor", "redis") == {"names": ("redis",)}
    assert desk.unmonitored() == ("nginx",)
    for name in ("unmonitor", "monitor"):
        usage = f"usage: {name} SERVICE…; watched are nginx, redis"
        assert desk.refusal(name) == usage
        assert desk.refusal(name, "apache") == NO_SERVICE.format("apache")


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """An agent over two instances of a template, a template without any, and a probe."""
    stage = Stage(tmp_path, monkeypatch)
    stage.machine.add("worker@1", "worker@2")
    stage.machine.pages["https://a.example"] = 0.5
    stage.probes = (ProbeCheck("shop", "x.inq:1", params=(("url", "https://a.example"),)),)
    stage.begin("check service worker@*\ncheck service puma@*\n")
    yield Desk(stage)
    stage.end()


def test_windows_of_templates_and_probes(crew: Desk) -> None:
    """They are named as they are checked; an instance by its own name, too."""
    windows = crew.stage.parts.windows
    names = ("worker@*", "worker@1", "puma@*", "shop")
    assert crew.ask("start deploy", *names) == {"names": names, "for_s": 300.0}
    assert tuple(name for name, _ in windows.silence.windows) == names
    crew.ask("finish deploy", "worker@*", "puma@*")
    assert tuple(name for name, _ in windows.silence.windows) == ("shop",)
    assert crew.ask("unmonitor", "worker@2", "worker@*", "shop")
    assert crew.ask("monitor", "worker@*") == {"names": ("worker@*",)}
    assert crew.unmonitored() == ("shop",)
    assert crew.refusal("unmonitor", "worker@3") == (
        "no service worker@3 is watched; there are worker@*, puma@*, worker@1, worker@2, shop"
    )


def test_what_is_silent_may_be_named_though_it_has_gone(crew: Desk) -> None:
    """Else its window could not be finished, nor could it be monitored again."""
    crew.ask("unmonitor", "worker@*", "worker@1")
    crew.ask("start deploy", "worker@2")
    crew.stage.reload_rules("check service nginx\n")
    crew.ask("monitor", "worker@1", "worker@*")
    crew.ask("finish deploy", "worker@2")
    assert silence.names(crew.stage.parts.windows.silence) == ()
    assert crew.refusal("monitor", "worker@1") == (
        "no service worker@1 is watched; there are nginx, shop"
    )


def test_an_empty_name_is_not_that_of_everything(desk: Desk) -> None:
    """Also while a window over everything is open."""
    desk.ask("start deploy")
    assert desk.refusal("start deploy", "") == NO_SERVICE.format("")


def test_show_of_probes_and_templates(crew: Desk) -> None:
    """A template has no metrics; its instances have."""
    assert crew.ask("show", "shop", "http:seconds") == {
        "target": "shop",
        "metric": "http:seconds",
        "unit": "seconds",
        "values": [0.5],
        "reason": "",
    }
    assert crew.refusal("show", "worker@*", "memory:rss") == (
        "worker@* stands for its instances: worker@1, worker@2"
    )
    assert crew.refusal("show", "puma@*", "memory:rss") == (
        "puma@* stands for its instances: none now"
    )


@pytest.mark.parametrize("name", ["status", "export", "version", "reload"])
def test_a_command_without_words_says_so(desk: Desk, name: str) -> None:
    """What is too much is shown."""
    assert desk.refusal(name, "now", "please") == f"{name} takes no words: now please"


@pytest.mark.parametrize("words", ["nginx", 5, None, {"a": 1}, ["nginx", 5], [["nginx"]], True])
def test_words_are_a_list_of_texts(desk: Desk, words: object) -> None:
    """Whatever JSON gave instead is refused, by every command that takes words."""
    for name in desk.table.keys() - {"help"}:
        with pytest.raises(ControlError) as refused:
            desk.give(name, {"words": words})
        assert str(refused.value) == 'args are {"words": [TEXT, …]}'


_WORDS = st.lists(
    st.sampled_from(["nginx", "redis", "host", "memory:rss", "for", "10m", ""])
    | st.text(max_size=9),
    max_size=5,
)


@settings(max_examples=150)
@given(asked=st.lists(st.tuples(st.integers(0, 10), _WORDS), max_size=6))
def test_any_words_are_answered(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[int, list[str]]]
) -> None:
    """By an answer that both languages can carry, or by a refusal."""
    with pytest.MonkeyPatch.context() as patch:
        stage = Stage(tmp_path_factory.mktemp("stage"), patch)
        stage.machine.add("nginx", "redis")
        stage.begin(RULES)
        desk = Desk(stage)
        names = sorted(desk.table.keys() - {"status", "reload"})
        for number, words in asked:
            name = names[number % len(names)]
            with suppress(ControlError):
                answer = desk.ask(name, *words)
                assert to_text(name, answer).endswith("\n")
                assert wire.line({"ok": answer}).endswith(b"}\n")
        stage.cycles(2)
        stage.end()
