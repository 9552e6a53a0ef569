"""The first moments of an agent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CANNOT_BEGIN = """
import sys
from inspect_agent.core import agent
from inspect_agent.core.main import main
def begin(*arguments):
    raise KeyError("a mistake")
agent.Agent.begin = begin
sys.exit(main(sys.argv[1:]))
"""


def test_an_agent_that_cannot_begin_ends(tmp_path: Path) -> None:
    """It says where it went wrong, and does not stay as a process that watches nothing."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "inspect.conf").touch(0o600)
    places = [str(tmp_path / "etc"), str(tmp_path / "run.sock"), str(tmp_path / "state")]
    ended = subprocess.run(
        [sys.executable, "-c", CANNOT_BEGIN, *places, ""],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line.split(" ", 1)[1].strip() for line in ended.stdout.splitlines()]
    assert ended.returncode == 1
    assert said[1].startswith("WARN    Agent.begin: KeyError: 'a mistake' (<string>:6)")
    assert said[2:] == ["WARN    the agent could not begin", "INFO    inspect-agent ends"]
    assert ended.stderr == ""
    assert not os.path.exists(places[1])
