"""What is asked of service managers, and what comes of their answers."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from inspect_agent.cli import running
from inspect_agent.errors import ManagerError
from inspect_agent.lang.report import Findings, Report
from inspect_agent.lang.warnings.here import Answers
from inspect_agent.managers import detect
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations, Question
from tests.lang.compiling import config

T = TypeVar("T")
UP = Observation("up", 7)
ABSENT = Observation("absent")
UNKNOWN = Observation("unknown")


class Fake:
    """A manager that is asked by a command, and knows what it is given.

    asked   the services of each look
    """

    def __init__(
        self,
        name: str = "fake",
        units: Mapping[str, Observation] | None = None,
        loaded: Sequence[str] = (),
        command: Sequence[str] = ("/bin/echo", "fine"),
    ) -> None:
        self.name = name
        self.asked: list[list[str]] = []
        self._units, self._loaded, self._command = units or {}, loaded, tuple(command)

    def loaded(self) -> Question[Sequence[str]]:
        """What it has loaded."""
        return Question(Command(self._command, 0.5), lambda said: self._read(said, self._loaded))

    def look(self, checks: Sequence[ServiceCheck]) -> Question[Observations]:
        """What it was given about these."""
        self.asked.append([check.name for check in checks])
        return Question(Command(self._command, 0.5), lambda said: self._read(said, self._units))

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints:
        """Nobody asks."""
        raise NotImplementedError

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """Nobody asks."""
        raise NotImplementedError

    def _read(self, said: Finished, known: T) -> T:
        if said.stdout != "fine\n":
            raise ManagerError(said.stderr)
        return known


def test_what_is_asked() -> None:
    """Whatever is not loaded, and what a rule would start; no templates, and no PID files."""
    made = config(
        "check service cron\n  if down then start\n"
        "check service nginx\n  if failed then start\n"
        "check service redis\ncheck service sidekiqq\ncheck service sidekiq@*\n"
        "check service worker with pidfile /run/worker.pid\n"
    )
    manager = Fake(units={"cron": UP, "redis": UP}, loaded=("nginx", "cron", "sidekiq@1"))
    answers = running.ask(made, [manager])
    assert manager.asked == [["cron", "redis", "sidekiqq"]]
    assert answers == Answers(
        ("fake",),
        ("cron", "nginx", "sidekiq@1"),
        {"cron": UP, "nginx": UNKNOWN, "sidekiq@1": UNKNOWN, "redis": UP, "sidekiqq": ABSENT},
    )


def test_releases(tmp_path: Path) -> None:
    """Those that lead nowhere, and those in whose path there is no symlink."""
    top = tmp_path.resolve()
    (top / "releases" / "1" / "web").mkdir(parents=True)
    (top / "current").symlink_to("releases/1")
    paths = [f"{top}/{name}" for name in ("current", "current/web", "releases/1/", "curent")]
    made = config(
        *(f"check service s{at} with release {path}" for at, path in enumerate([*paths, paths[3]]))
    )
    assert running.ask(made, [Fake()]).releases == {
        f"{top}/releases/1/": f"{top}/releases/1/ has no symlink in it",
        f"{top}/curent": f"{top}/curent: No such file or directory",
    }


def test_several_managers() -> None:
    """The next is asked for what is absent at the first, and none for another's services."""
    made = config(
        "check service a\ncheck service b\ncheck service c with manager systemd\ncheck service d\n"
    )
    systemd = Fake("systemd", {"a": UP})
    other = Fake("other", {"b": UP}, ("d",))
    answers = running.ask(made, [systemd, other])
    assert systemd.asked == [["a", "b", "c", "d"]]
    assert other.asked == [["b"]]
    assert answers.seen == {"a": UP, "b": UP, "c": ABSENT, "d": UNKNOWN}


@pytest.mark.parametrize(
    ("command", "trouble"),
    [
        (("/bin/sh", "-c", "echo broken >&2; exit 1"), "broken"),
        (("/bin/sleep", "1000"), "killed after 0.5 s without an end"),
        (("/no/such",), "cannot run /no/such: [Errno 2] No such file or directory: '/no/such'"),
    ],
)
def test_a_manager_in_trouble(command: Sequence[str], trouble: str) -> None:
    """It is one line, nothing is known of its services, and the others are asked all the same."""
    made = config("check service a\ncheck service b with manager systemd\n")
    troubled, other = Fake("troubled", command=command), Fake("systemd", {"b": UP})
    answers = running.ask(made, [troubled, other])
    assert [line.strip() for line in answers.troubles] == [
        f"troubled does not say which services it knows: {trouble}"
    ]
    assert answers.seen == {"a": UNKNOWN, "b": UP}


def test_a_manager_that_raises() -> None:
    """A mistake in it is its own trouble, too."""

    class Raising(Fake):
        def loaded(self) -> Question[Sequence[str]]:
            raise ZeroDivisionError("oops")

    answers = running.ask(config("check service a\n"), [Raising()])
    assert answers.troubles == (
        "fake does not say which services it knows: ZeroDivisionError: oops",
    )


def test_many_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are asked for in batches, as long as anybody would wait."""
    made = config("\n".join(f"check service s{i}" for i in range(120)))
    manager = Fake()
    assert set(running.ask(made, [manager]).seen.values()) == {ABSENT}
    assert list(map(len, manager.asked)) == [50, 50, 20]
    monkeypatch.setattr(running, "PATIENCE_S", -1.0)
    answers = running.ask(made, [Fake()])
    assert set(answers.seen.values()) == {UNKNOWN}
    assert answers.troubles == (
        "fake does not say which services it knows: it takes too long to ask for 120 of them",
    )


def test_users() -> None:
    """Those that rules name are looked up; all others are told only where one is missing."""
    me = getpass.getuser()
    known = config(f'check host\n  if swap > 5% then run "x" as {me}, run "y"\n')
    assert running.ask(known, [Fake()]) == Answers(("fake",))
    strange = config('check service x\n  if down then run "x" as no-such-user\n')
    answers = running.ask(strange, [Fake()])
    assert answers.strangers == {"no-such-user"}
    assert me in answers.users


def test_without_a_manager_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's laptop knows nothing of the services of a server."""
    findings = Findings()
    made = config('check service x\n  if down then run "x" as no-such-user\n')
    monkeypatch.setattr(running, "running", list)
    running.judge(made, (), Report("inspect-agent", "", findings))
    assert findings.warnings == ()
    monkeypatch.setattr(running, "running", lambda: [Fake(command=("/bin/false",))])
    running.judge(made, (), Report("inspect-agent", "", findings))
    assert len(findings.warnings) == 1


@pytest.mark.parametrize(
    ("running_here", "names"),
    [(["systemd", "self", "pidfile"], ["systemd"]), (["self", "pidfile"], [])],
)
def test_who_runs_here(
    running_here: list[str], names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever says so; PID files are always there, and no manager."""
    monkeypatch.setattr(detect, "runs", lambda name: name in running_here)
    assert [manager.name for manager in running.running()] == names
