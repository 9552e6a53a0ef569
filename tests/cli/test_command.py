"""Commands that are waited for."""

from __future__ import annotations

from pathlib import Path

from inspect_agent.cli.command import run
from inspect_agent.model.observation import Command, Finished
from tests.core.looping import has_ended


def shell(script: str, timeout_s: float = 30.0) -> Finished:
    """How a script ended."""
    return run(Command(("/bin/sh", "-c", script), timeout_s))


def test_how_it_ended() -> None:
    """Exit status and both streams; bytes that are no text are replaced."""
    assert shell("echo a; echo b >&2; printf '\\377'; exit 3") == Finished(3, "a\n\ufffd", "b\n")


def test_where_it_runs() -> None:
    """In the root folder, with a clean environment and nothing to read."""
    said = shell("pwd; cat; echo $LC_ALL; echo ${HOME-none}").stdout
    assert said == "/\nC\nnone\n"


def test_what_cannot_be_run() -> None:
    """It did not end, and the reason is told."""
    finished = run(Command(("/no/such/program",), 1.0))
    assert finished.exit_status is None
    assert finished.stderr.startswith("cannot run /no/such/program: ")


def test_the_deadline(tmp_path: Path) -> None:
    """It is killed with all of its process group."""
    pids = tmp_path / "pids"
    finished = shell(f"sleep 1000 & echo $! $$ > {pids}; wait", timeout_s=0.5)
    assert finished == Finished(None, "", "killed after 0.5 s without an end")
    child, leader = map(int, pids.read_text().split())
    assert has_ended(leader)
    assert has_ended(child)
