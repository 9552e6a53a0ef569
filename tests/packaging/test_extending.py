"""docs/extending.md: its examples are run, so that they stay true."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inspect_agent.errors import DeliveryDelayed, DeliveryRefused, ManagerError
from inspect_agent.model.event import Event
from inspect_agent.model.message import Message
from inspect_agent.model.metric import MetricId, NoData
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.target import Budget, Machine, ServiceCheck
from inspect_agent.ports import Question
from tests.integration.systemd_machine import SystemdMachine
from tests.packaging.conftest import CHECKOUT, do

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SVSTAT = """\
/service/web: up (pid 4711) 17 seconds
/service/mail: down 5 seconds, normally up
/service/queue: down 1 seconds, normally up, want up
/service/gone: unable to chdir: file does not exist
"""
ENTRY_POINT = "[inspect_agent.channels]\nfile = alert_file:File\n"
METADATA = "Metadata-Version: 2.1\nName: alert-file\nVersion: 1\n"


def code(number: int) -> str:
    """The text of an example, in the order of the page."""
    blocks: list[str] = BLOCK.findall((CHECKOUT / "docs/extending.md").read_text())
    return blocks[number]


def example(number: int) -> dict[str, Any]:
    """What an example defines."""
    names: dict[str, Any] = {"__name__": f"example_{number}"}
    exec(compile(code(number), f"docs/extending.md, example {number}", "exec"), names)
    return names


def checks(*names: str) -> list[ServiceCheck]:
    """Checks of these services."""
    return [ServiceCheck(name, "services.d/x.inq:1", Budget(3, 600.0)) for name in names]


def message() -> Message:
    """An alert."""
    event = Event("CrashLoop", "service web", 0.0, "web keeps dying", "id/service web/process")
    return Message("1", "web-1", 0.0, "subject", "body", "CRITICAL web: keeps dying", (event,))


def test_source() -> None:
    """The source reads this machine, and what is no number is no data."""
    names = example(0)
    source = names["Entropy"]()
    asked = source.names(Machine())

    (value,) = source.open(Machine(), asked).read()

    assert asked == [MetricId("entropy")]
    assert isinstance(value, float)
    assert value > 0
    assert names["parse"]("garbage") == NoData("no entropy: not a number")


def test_manager() -> None:
    """The manager asks one question for all services, and reads the answer."""
    question = example(1)["Daemontools"]().look(checks("web", "mail", "queue", "gone", "../etc"))

    assert isinstance(question, Question)
    paths = [f"/service/{name}" for name in ("web", "mail", "queue", "gone")]
    assert question.command == Command(("svstat", *paths), 10.0)
    assert question.parse(Finished(0, SVSTAT, "")) == {
        "web": Observation("up", 4711, "up (pid 4711)"),
        "mail": Observation("down", None, "down, normally up"),
        "queue": Observation("starting", None, "down, normally up, want up", restarts_itself=True),
    }
    with pytest.raises(ManagerError, match="cannot run svstat"):
        question.parse(Finished(None, "", "cannot run svstat"))


def test_manager_glances() -> None:
    """A glance is another text when a service has another process or state, and only then."""
    question = example(1)["Daemontools"]().glance(checks("web", "mail"))

    assert isinstance(question, Question)
    assert question.parse(Finished(0, SVSTAT, "")) == {"web": "up 4711", "mail": "down None"}


def test_manager_commands() -> None:
    """It has a command for what svc can do, and none for names that are paths or options."""
    manager = example(1)["Daemontools"]()
    (web, path, option) = checks("web", "../web", "-x")

    assert manager.command("restart", web) == Command(("svc", "-t", "/service/web"), 30.0)
    assert manager.command("reload", web) is None
    assert manager.command("start", path) is None
    assert manager.command("start", option) is None


def test_channel(tmp_path: Path) -> None:
    """The channel appends to its file, and knows which failures can pass."""
    channel = example(2)["File"]
    path = tmp_path / "alerts"

    assert channel({"path": str(path)}).send(message()) == f"appended to {path}"
    assert path.read_text() == "web-1 CRITICAL web: keeps dying\n"
    with pytest.raises(DeliveryRefused, match="is a folder"):
        channel({"path": str(tmp_path)}).send(message())
    with pytest.raises(DeliveryDelayed, match="No such file or directory"):
        channel({"path": str(tmp_path / "missing/alerts")}).send(message())
    with pytest.raises(ValueError, match="path: it is absolute"):
        channel({"path": "alerts"})


@pytest.fixture
def extended(installed: SystemdMachine) -> Iterator[SystemdMachine]:
    """The machine with a package that brings a channel, and alerts sent over it; restored after."""
    python = "/opt/inspect-agent/bin/python"
    purelib = "import sysconfig; print(sysconfig.get_path('purelib')[1:], end='')"
    site = installed.root / do(installed, python, "-c", purelib)
    about = site / "alert_file-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(METADATA)
    (about / "entry_points.txt").write_text(ENTRY_POINT)
    (site / "alert_file.py").write_text(code(2))
    conf = installed.root / "etc/inspect-agent/inspect.conf"
    before = conf.read_text()
    conf.write_text("send alerts via file with path /tmp/alerts\n")
    yield installed
    conf.write_text(before)
    (site / "alert_file.py").unlink()
    shutil.rmtree(about)


@pytest.mark.systemd
def test_channel_of_another_package(extended: SystemdMachine) -> None:
    """A package that is installed beside the agent brings a channel by its entry point."""
    (extended.root / "etc/inspect-agent/services.d/ghost.inq").write_text("check service ghost\n")
    extended.systemctl("restart", "inspect-agent")

    follow = ("timeout", "60", "tail", "--retry", "--follow=name", "--lines=+1", "/tmp/alerts")
    tail = extended.popen(follow, stdout=-1, stderr=-3)
    assert tail.stdout is not None
    line = tail.stdout.readline()
    extended.signal(tail, signal.SIGTERM)
    tail.communicate()

    assert line.endswith("CRITICAL ghost: not running\n")
