"""The compile worker, as the core talks with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inspect_agent.errors import WorkerError
from inspect_agent.model import wire
from inspect_agent.model.config import Destination, Settings
from inspect_agent.model.target import ProbeCheck, ServiceCheck
from inspect_agent.workers.compile import answer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A sound configuration with a warning, a secret and two checks."""
    folder = tmp_path / "root"
    (folder / "services.d").mkdir(parents=True)
    write(folder / "host.inq", "check host\n  if swap > 20% then alert chat\n")
    write(folder / "services.d" / "redis.inq", "check service redis\n  if down then start\n")
    write(
        folder / "inspect.conf",
        'set cycle_time 5\nsend alerts via apprise with url "json://geheim"\n'
        "send alerts to chat via hipchat\n",
    )
    return folder


def write(path: Path, text: str) -> None:
    """A file that only its owner may read."""
    path.write_text(text, "utf-8")
    path.chmod(0o600)


def ask(request: dict[str, Any]) -> list[dict[str, Any]]:
    """What a worker of its own answers."""
    done = subprocess.run(
        [sys.executable, "-I", "-m", "inspect_agent.workers.compile"],
        input=wire.line(request),
        capture_output=True,
        cwd="/",
        check=True,
    )
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()]


def kinds(lines: list[dict[str, Any]]) -> list[str]:
    """The kinds of the lines; each holds one."""
    return [kind for line in lines for kind in line]


WARNING = (
    "inspect.conf:3:25: warning: the service hipchat no longer exists\n"
    "    send alerts to chat via hipchat\n"
    "                            ^\n"
    "    its alerts go to the log"
)


def test_a_sound_configuration(root: Path) -> None:
    """Settings, destinations, host, services and warnings come as lines, and then the end."""
    files, *lines = ask({"root": str(root), "state_dir": None})
    assert kinds([files]) == ["files"]
    assert kinds(lines) == [
        *("settings", "destination", "destination", "host", "service", "warning", "done")
    ]
    assert wire.model(lines[0]["settings"]) == Settings(cycle_time_s=5.0)
    assert wire.model(lines[1]["destination"]) == Destination(
        "default/apprise", "", "apprise", False, (("url", "json://geheim"),)
    )
    assert [rule.text for rule in wire.model(lines[3]["host"]).rules] == ["swap > 20%"]
    service = wire.model(lines[4]["service"])
    assert isinstance(service, ServiceCheck)
    assert (service.name, service.place) == ("redis", "services.d/redis.inq:1")
    assert lines[5:] == [{"warning": WARNING}, {"done": {"services": 1}}]


def test_probes_and_templates(root: Path) -> None:
    """A probe is a line of its own; a template is a service like any other to the compiler."""
    write(root / "services.d" / "x.inq", "check probe shop with owner chat\ncheck service w@*\n")
    _, *lines = ask({"root": str(root), "state_dir": None})
    assert kinds(lines)[3:7] == ["host", "service", "service", "probe"]
    assert wire.model(lines[5]["service"]).name == "w@*"
    assert wire.model(lines[6]["probe"]) == ProbeCheck("shop", "services.d/x.inq:1", "chat")
    assert lines[-1] == {"done": {"services": 2}}


def test_problems(root: Path) -> None:
    """A configuration with problems comes to its problems, warnings and their number."""
    write(root / "services.d" / "redis.inq", "check service redis\n  if donw then start\n")
    write(root / "inspect.conf", "set state_dir /srv/state\nsend alerts to chat via hipchat\n")
    assert ask({"root": str(root), "state_dir": str(root / "state")})[1:] == [
        {
            "problem": "services.d/redis.inq:2:11: unexpected then\n"
            "      if donw then start\n"
            "              ^\n"
            "    did you mean down?"
        },
        {"warning": WARNING.replace("conf:3", "conf:2")},
        {"failed": {"problems": 1, "state_dir": "/srv/state"}},
    ]
    assert not (root / "state").exists()


def test_the_last_good_configuration(root: Path, tmp_path: Path) -> None:
    """What compiled from a folder is remembered, and compiles to the same from there."""
    state = tmp_path / "state"
    lines = ask({"root": str(root), "state_dir": str(state)})
    write(root / "host.inq", "nonsense")
    assert ask({"root": str(root), "state_dir": str(state)})[-1] == {
        "failed": {"problems": 1, "state_dir": ""}
    }
    again = ask({"root": str(root), "bundle": str(state / "last-good.json")})
    assert again[1:] == lines[1:]
    files = {name: mark for name, mark in lines[0]["files"].items() if not name.endswith("/")}
    assert again[0] == {"files": {**files, "host.inq": "?"}}


def test_the_configured_state_folder_counts(root: Path, tmp_path: Path) -> None:
    """Where the configuration names a state folder, it is remembered there."""
    write(root / "inspect.conf", f"set state_dir {tmp_path}/named\nsend alerts to chat via null\n")
    ask({"root": str(root), "state_dir": str(tmp_path / "default")})
    assert (tmp_path / "named" / "last-good.json").exists()
    assert not (tmp_path / "default").exists()


def test_a_state_folder_that_cannot_be_written(root: Path) -> None:
    """Not to be able to remember is a warning."""
    lines = ask({"root": str(root), "state_dir": "/proc/none"})
    assert lines[-2:] == [
        {
            "warning": "/proc/none/last-good.json: the configuration cannot be remembered: "
            "No such file or directory"
        },
        {"done": {"services": 1}},
    ]


def test_another_request() -> None:
    """What is no request breaks the protocol."""
    with pytest.raises(WorkerError):
        list(answer({"rot": "/etc"}))


def test_nothing_heavy_is_loaded() -> None:
    """Compiling loads no channel's library: it has to start fast."""
    program = (
        "import sys; from inspect_agent.workers import compile; "
        "from inspect_agent.lang.vocabulary import installed; assert not installed().faults; "
        "print(sorted({'apprise', 'requests', 'smtplib', 'ssl', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
