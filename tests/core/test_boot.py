"""The first moments of an agent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CANNOT_BEGIN = """
import sys
from inspect_agent.core import agent
from inspect_agent.core.main import main
def begin(*arguments):
    raise KeyError("a mistake")
agent.Agent.begin = begin
sys.exit(main(sys.argv[1:]))
"""


def places(folder: Path) -> list[str]:
    """A configuration without anything, a socket and a state folder."""
    (folder / "etc").mkdir()
    (folder / "etc" / "inspect.conf").touch(0o600)
    return [str(folder / "etc"), str(folder / "run.sock"), str(folder / "state")]


def run(folder: Path, **environment: str) -> tuple[int, list[str], str]:
    """How an agent ends that cannot begin, the lines of its log, and what is said beside it.

    `JOURNAL_STREAM="this"` makes its standard output the journal's.
    """
    out, into = os.pipe()
    if environment.get("JOURNAL_STREAM") == "this":
        info = os.fstat(into)
        environment["JOURNAL_STREAM"] = f"{info.st_dev}:{info.st_ino}"
    ended = subprocess.run(
        [sys.executable, "-c", CANNOT_BEGIN, *places(folder), ""],
        stdout=into,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
        timeout=60,
        check=False,
    )
    os.close(into)
    with open(out, encoding="utf-8") as log:
        return ended.returncode, log.read().splitlines(), ended.stderr


def test_an_agent_that_cannot_begin_ends(tmp_path: Path) -> None:
    """It says where it went wrong, and does not stay as a process that watches nothing."""
    status, lines, beside = run(tmp_path)
    said = [line.split(" ", 1)[1].strip() for line in lines]
    assert status == 1
    assert said[1].startswith("WARN    Agent.begin: KeyError: 'a mistake' (<string>:6)")
    assert said[2:] == ["WARN    the agent could not begin", "INFO    inspect-agent ends"]
    assert beside == ""
    assert not (tmp_path / "run.sock").exists()


@pytest.mark.parametrize(("stream", "head"), [("this", "<6>"), ("8:4711", "2"), ("", "2")])
def test_priorities_are_for_the_journal(tmp_path: Path, stream: str, head: str) -> None:
    """A person at a terminal whose shell has inherited JOURNAL_STREAM reads the time instead."""
    _, lines, _ = run(tmp_path, JOURNAL_STREAM=stream)
    assert lines[0].startswith(head)
    assert lines[-1].endswith("inspect-agent ends")


STREAMS = """
import os, sys
from inspect_agent.core import agent
from inspect_agent.core.main import main
def begin(*arguments):
    with open(sys.argv[3] + ".streams", "w") as file:
        print(*(os.readlink(f"/proc/self/fd/{fd}") for fd in range(3)), file=file)
    raise KeyError("enough")
agent.Agent.begin = begin
sys.exit(main(sys.argv[1:]))
"""


def test_a_stream_that_is_closed_is_nobody_elses(tmp_path: Path) -> None:
    """Else the log would be written into whatever was opened next, state.db for one."""
    arguments = places(tmp_path)
    closed = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    ended = subprocess.run(
        [*closed, sys.executable, "-c", STREAMS, *arguments, ""], timeout=60, check=False
    )
    assert ended.returncode == 1
    assert Path(f"{arguments[2]}.streams").read_text() == "/dev/null /dev/null /dev/null\n"
