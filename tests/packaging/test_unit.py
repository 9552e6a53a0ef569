"""The systemd unit: ready means ready, a reload keeps the process, a stop is an end."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from tests.integration.systemd_machine import SystemdMachine
from tests.packaging.conftest import do

pytestmark = pytest.mark.systemd

GUARD = ("timeout", "60")
JOURNAL = ("journalctl", "--unit=inspect-agent", "--output=cat", "--quiet")


@pytest.fixture
def agent(installed: SystemdMachine) -> SystemdMachine:
    """The machine with the agent running, and no checks yet."""
    for file in (installed.root / "etc/inspect-agent/services.d").glob("*.inq"):
        file.unlink()
    installed.systemctl("restart", "inspect-agent")
    return installed


def test_started_means_that_it_watches(agent: SystemdMachine) -> None:
    """`systemctl start` returns when the first cycle is complete."""
    agent.systemctl("stop", "inspect-agent")
    _check(agent, "journald", "check service systemd-journald\n")

    agent.systemctl("start", "inspect-agent")

    journald = agent.systemctl("show", "--property=MainPID", "--value", "systemd-journald").strip()
    assert f"Service: systemd-journald [Up/{journald}]" in do(agent, "inspectctl", "status")
    assert _shown(agent, "StatusText") == "watching 1 service, 0 not up"


def test_reload_keeps_the_process(agent: SystemdMachine) -> None:
    """`systemctl reload` puts the new rules in force in the same process."""
    before = _shown(agent, "MainPID")
    _check(agent, "journald", "check service systemd-journald\n")

    with _following(agent) as lines:
        agent.systemctl("reload", "inspect-agent")
        said = _until(lines, "added systemd-journald")

    own = [line for line in said if "inspect-agent.service" not in line]
    assert own == ["reload, asked by SIGHUP", "Reloaded", "added systemd-journald"]
    assert _shown(agent, "MainPID") == before


def test_reload_with_a_problem(agent: SystemdMachine) -> None:
    """A problem in the rules keeps the old ones in force, and the agent running."""
    before = _shown(agent, "MainPID")
    _check(agent, "wrong", "check service wrong\n  if memory:rsss > 1g then restart\n")

    with _following(agent) as lines:
        agent.systemctl("reload", "inspect-agent")
        said = _until(lines, "not reloaded")

    assert any(line.startswith("services.d/wrong.inq:2:6: ") for line in said)
    assert _shown(agent, "MainPID") == before
    assert "Service: wrong" not in do(agent, "inspectctl", "status")


def test_stop(agent: SystemdMachine) -> None:
    """`systemctl stop` ends it with status 0, before systemd loses its patience."""
    with _following(agent) as lines:
        agent.systemctl("stop", "inspect-agent")
        said = _until(lines, "inspect-agent.service: Deactivated")

    assert said == [
        "Stopping inspect-agent.service - Watches this machine and its services,"
        " and repairs them...",
        "inspect-agent ends",
        "inspect-agent.service: Deactivated successfully.",
    ]


def test_killed(agent: SystemdMachine) -> None:
    """An agent that dies is started again by systemd, and is ready again."""
    before = _shown(agent, "MainPID")

    with _following(agent) as lines:
        agent.systemctl("kill", "--signal=KILL", "--kill-whom=main", "inspect-agent")
        _until(lines, "Started inspect-agent.service")

    assert _shown(agent, "ActiveState") == "active"
    assert _shown(agent, "MainPID") != before


def test_alerts_are_sent_by_an_ordinary_user(agent: SystemdMachine) -> None:
    """The worker that sends alerts runs as the user inspect."""
    _check(agent, "ghost", "check service ghost\n")

    with _following(agent) as lines:
        agent.systemctl("reload", "inspect-agent")
        _until(lines, "ALERT critical ghost: not running")

    processes = do(agent, "ps", "-e", "-o", "user=,args=").splitlines()
    notify = [line for line in processes if line.endswith("-m inspect_agent.workers.notify")]
    assert [line.split()[0] for line in notify] == ["inspect"]


def test_limits(agent: SystemdMachine) -> None:
    """It may open two descriptors for each of some thousand services."""
    limits = (agent.root / f"proc/{_shown(agent, 'MainPID')}/limits").read_text()
    assert re.search(r"Max open files +8192 +8192 +files", limits)


def _check(machine: SystemdMachine, name: str, text: str) -> None:
    (machine.root / f"etc/inspect-agent/services.d/{name}.inq").write_text(text)


def _shown(machine: SystemdMachine, name: str) -> str:
    return machine.systemctl("show", f"--property={name}", "--value", "inspect-agent").strip()


@contextmanager
def _following(machine: SystemdMachine) -> Iterator[IO[str]]:
    """What the journal gets from now on; it ends after a minute, so that nothing waits for ever."""
    last = machine.journal("--show-cursor", "--lines=1", "--unit=inspect-agent").splitlines()[-1]
    cursor = last.removeprefix("-- cursor: ")
    argv = [*GUARD, *JOURNAL, "--follow", "--no-tail", f"--after-cursor={cursor}"]
    process = machine.popen(argv, stdout=-1)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        machine.signal(process, signal.SIGTERM)
        process.wait()
        process.stdout.close()


def _until(lines: IO[str], text: str) -> list[str]:
    """The lines up to the one that begins with this text."""
    said = []
    for line in lines:
        said.append(line.rstrip("\n"))
        if line.startswith(text):
            return said
    raise AssertionError(f"“{text}” was not logged: {said}")
