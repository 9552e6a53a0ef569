"""inspect-agent: its options, and the process that it becomes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from inspect_agent import __version__
from inspect_agent.cli import agent, ctl

Captured = pytest.CaptureFixture[str]
GOOD = "check service nginx\n  if memory:rss > 500m for 2 cycles then restart\n"
BAD = "check service nginx\n  if memory:rsss > 500m then alert\n"


class Became(BaseException):
    """What execve(2) was given, which does not return."""


@pytest.fixture
def becomes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own process stays what it is."""

    def execve(path: str, argv: tuple[str, ...], environment: dict[str, str]) -> None:
        raise Became(path, argv, environment)

    monkeypatch.setattr(os, "execve", execve)


def become(*arguments: str) -> tuple[str, ...]:
    """What the command line becomes: the arguments behind `core.main`."""
    start = (sys.executable, "-I", "-X", "no_debug_ranges", "-m", "inspect_agent.core.main")
    with pytest.raises(Became) as became:
        agent.main(arguments)
    path, argv, environment = became.value.args
    assert path == sys.executable
    assert argv[: len(start)] == start
    assert environment.items() >= os.environ.items()
    return tuple(argv[len(start) :])


@pytest.mark.usefixtures("becomes")
def test_it_becomes_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With absolute paths, for the agent works in `/`."""
    monkeypatch.chdir(tmp_path)
    state_dir = become()[2]
    assert become("-c", "etc", "-s", "run/x.sock", "-l", "debug") == (
        f"{tmp_path}/etc",
        f"{tmp_path}/run/x.sock",
        state_dir,
        "debug",
    )


@pytest.mark.usefixtures("becomes")
def test_without_options_the_usual_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the log level of the configuration."""
    monkeypatch.delenv("INSPECT_SOCK", raising=False)
    monkeypatch.delenv("INSPEQTOR_SOCK", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert become() == (
        "/etc/inspect-agent",
        "/run/inspect-agent/inspect.sock",
        "/var/lib/inspect-agent",
        "",
    )


def test_its_version(capsys: Captured) -> None:
    """Exit 0."""
    with pytest.raises(SystemExit) as ended:
        agent.main(["-v"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"inspect-agent {__version__}\n"


def test_its_help(capsys: Captured) -> None:
    """Every option, with its default; exit 0."""
    with pytest.raises(SystemExit) as ended:
        agent.main(["-h"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for option in ("-c DIR", "-s SOCKET", "-l {warn,info,debug,verbose}", "-tc", "-v", "-h"):
        assert option in out


@pytest.mark.parametrize("arguments", [["-l", "loud"], ["-x"], ["now"], ["-c"]])
def test_wrong_usage(capsys: Captured, arguments: list[str]) -> None:
    """Exit 2."""
    with pytest.raises(SystemExit) as ended:
        agent.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: inspect-agent ")


def configuration(folder: Path, rules: str) -> str:
    """A folder with these rules."""
    (folder / "services.d").mkdir()
    (folder / "services.d" / "nginx.inq").write_text(rules)
    (folder / "inspect.conf").touch(0o600)
    return str(folder)


def test_a_configuration_that_is_good(tmp_path: Path, capsys: Captured) -> None:
    """What was understood, on standard output; exit 0. inspectctl says the same."""
    root = configuration(tmp_path, GOOD)
    assert agent.main(["-tc", "-c", root]) == 0
    said = capsys.readouterr()
    assert said.out == (
        f"{root}: 1 service, 1 rule, 1 route; every 15 s\n  service nginx: 1 rule\n"
    )
    assert ctl.main(["check", root]) == 0
    assert capsys.readouterr() == said


def test_a_configuration_with_a_problem(tmp_path: Path, capsys: Captured) -> None:
    """The problem with its place, on standard error; exit 1. inspectctl says the same."""
    root = configuration(tmp_path, BAD)
    assert agent.main(["-tc", "-c", root]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("services.d/nginx.inq:2:6: ")
    assert said.err.endswith(f"{root}: 1 error; the agent would not load it\n")
    assert ctl.main(["check", root]) == 1
    assert capsys.readouterr() == said


def test_a_configuration_that_is_not_there(tmp_path: Path, capsys: Captured) -> None:
    """Is a problem like others; exit 1."""
    root = str(tmp_path / "nowhere")
    assert agent.main(["-tc", "-c", root]) == 1
    assert root in capsys.readouterr().err
