"""`make demo`: it shows what it promises, it can fail, and it leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.integration.systemd_machine import SystemdMachine
from tests.packaging.conftest import CHECKOUT, do

DEMO = CHECKOUT / "packaging/demo"
ALERT = r" {13}ALERT "
STORY = (
    r"    check service leaky with",
    r"inspect-agent starts",
    ALERT + "critical leaky: not running",
    r"stay up for a cycle: process \d+",
    r"    \$ inspectctl status",
    r"    Service: leaky \[Up/\d+\]",
    r"      memory:rss +\d+\.\d\dm +50m",
    r"holds \d+\.\d\dm: the memory rule trips",
    ALERT + r"critical leaky: memory:rss > 50m \(\d+\.\d\dm\)",
    r"restarted it: process \d+ became process \d+",
    r"the rule has recovered",
    ALERT + r"recovered leaky: memory:rss > 50m",
    r"kill -9 \d+",
    r"noticed it less than \d+ ms later",
    ALERT + "critical leaky: not running",
    r"started \d+ ms after the kill",
    r"stays up: process \d+",
    ALERT + "recovered leaky: running again",
    r"    Service: leaky \[Up/\d+\]",
    r"no process and no file is left",
)


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where the demo makes its folder, so that nobody else's is looked at."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def start(demo: Path, temporary: Path, *words: str) -> subprocess.Popen[str]:
    """The demo as a terminal would start it: in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, str(demo / "demo.py"), *words],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def assert_nothing_left(temporary: Path) -> None:
    """No file, and no process that was started for the demo's folder."""
    assert list(temporary.iterdir()) == []
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert [words for words in commands if str(temporary) in " ".join(words)] == []


def assert_story(printed: str) -> None:
    """Everything was shown, in its order."""
    lines = iter(printed.splitlines())
    for step in STORY:
        assert any(re.search(step, line) for line in lines), f"{step} is not shown:\n{printed}"


def test_everything_is_shown(temporary: Path) -> None:
    """The table, the trip, the restart, the alert, the recovery, the kill: each, in its order."""
    demo = start(DEMO, temporary)
    printed, complaints = demo.communicate()

    assert (demo.returncode, complaints) == (0, "")
    assert_story(printed)
    assert_nothing_left(temporary)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(temporary: Path, number: signal.Signals) -> None:
    """Ctrl-C in the middle ends it, and everything that it has started."""
    demo = start(DEMO, temporary)
    assert demo.stdout is not None
    assert any("the agent starts it" in line for line in demo.stdout)

    os.killpg(demo.pid, number)

    demo.communicate()
    assert demo.returncode == 128 + number
    assert_nothing_left(temporary)


@pytest.mark.parametrize(
    ("seconds", "before", "after", "complaint"),
    [
        ("60", "memory:rss", "memory:rsss", "the agent ended (exit 1), and this did not happen: "),
        ("4", "down then start", "down then alert", "this did not happen: a start succeeds"),
        ("15", "restart, alert", "alert", "this did not happen: a restart succeeds"),
    ],
)
def test_fails(
    tmp_path: Path, temporary: Path, seconds: str, before: str, after: str, complaint: str
) -> None:
    """When a step does not happen it says which, shows the agent's log, and exits 1."""
    broken = tmp_path / "demo"
    shutil.copytree(DEMO, broken)
    rules = broken / "rules/services.d/leaky.inq"
    assert before in rules.read_text()
    rules.write_text(rules.read_text().replace(before, after))

    demo = start(broken, temporary, seconds)
    _, complaints = demo.communicate()

    assert demo.returncode == 1
    assert complaint in complaints.splitlines()[1]
    assert re.search(r"INFO +inspect-agent \S+ starts", complaints)
    assert_nothing_left(temporary)


@pytest.mark.systemd
def test_ordinary_user(installed: SystemdMachine) -> None:
    """Nobody needs to be root to see it."""
    do(installed, "cp", "-r", str(DEMO), "/tmp/demo")
    python = "/opt/inspect-agent/bin/python"

    printed = do(installed, "runuser", "-u", "nobody", "--", python, "/tmp/demo/demo.py")

    assert_story(printed)
    assert installed.run(["ps", "-u", "nobody", "-o", "args="]).stdout == ""
    assert list((installed.root / "tmp").glob("inspect-demo-*")) == []
