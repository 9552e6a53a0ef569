"""The control socket of a running agent: who serves it, and what it answers to whom."""

from __future__ import annotations

import grp
import json
import os
import re
import socket
from pathlib import Path

import pytest

from inspect_agent import __version__
from inspect_agent.errors import AgentUnreachable, ControlError
from tests.integration.components import need
from tests.integration.daemons import Daemons
from tests.integration.running import RunningAgent


def test_a_second_agent_is_refused(tmp_path: Path) -> None:
    """A second agent on the same socket ends with exit 1 and says why; the first goes on."""
    with RunningAgent(tmp_path / "one") as first:
        second = RunningAgent(tmp_path / "two", settings={"state_dir": str(tmp_path / "other")})
        second.socket_path = first.socket_path

        assert second.fail() == [
            f"inspect-agent: another agent serves {first.socket}; stop it, or name another with -s"
        ]
        assert first.ask("version") == __version__


def test_a_second_agent_on_the_same_state_is_refused(tmp_path: Path) -> None:
    """Two agents with one state folder would send everything twice: the second ends."""
    with RunningAgent(tmp_path / "one") as first:
        state = first.folder / "state"
        second = RunningAgent(tmp_path / "two", settings={"state_dir": str(state)})

        assert second.fail()[-2] == (
            f"another agent keeps its state in {state}; give this one its own `set state_dir`"
        )
        assert first.ask("version") == __version__


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    """What an agent that was killed left at its socket does not keep the next one from it."""
    with RunningAgent(tmp_path / "agent") as agent:
        agent.kill()
        left = Path(agent.socket).is_socket()
        agent.start()

        assert left
        assert agent.ask("version") == __version__


def test_a_file_at_the_sockets_place_is_left_alone(tmp_path: Path) -> None:
    """What is no socket is never removed: the agent ends and says so."""
    agent = RunningAgent(tmp_path / "agent")
    Path(agent.socket).write_text("precious")

    assert agent.fail() == [
        f"inspect-agent: {agent.socket} is there and is no socket; move it, or name another with -s"
    ]
    assert Path(agent.socket).read_text() == "precious"


def test_words_are_answered_with_text(tmp_path: Path, workers: Daemons) -> None:
    """`echo status | nc -U SOCKET` prints the status, and so does inspectctl."""
    pid = workers.run("worker")
    rules = workers.check("worker") + "  if memory:rss > 500m then restart\n"
    with RunningAgent(tmp_path / "agent", rules) as agent:
        text = agent.say(b"status\n")
        version, service = text.splitlines()[0], text[text.index("Service:") :].splitlines()

        assert version.startswith(f"Inspect Agent {__version__}, uptime: ")
        assert version.endswith(f", pid: {agent.pid}")
        assert "\nHost: web-1\n" in text
        assert service[0] == f"Service: worker [Up/{pid}] pidfile"
        assert [line.split()[0] for line in service[1:]] == [
            "cpu:system",
            "cpu:user",
            "memory:rss",
        ]
        assert re.fullmatch(r"  memory:rss {26}\d+\.\d\dm +500m", service[-1])
        assert agent.ctl("status").stdout.splitlines()[2] == "Host: web-1"


def test_json_is_answered_with_json(tmp_path: Path) -> None:
    """A line of JSON is answered with one, whether the agent says yes or no."""
    with RunningAgent(tmp_path / "agent") as agent:
        yes = agent.say(b'{"command": "version", "args": {}}\n')
        no = agent.say(b'{"command": "show", "args": {"words": ["nobody", "cpu"]}}\n')

        assert json.loads(yes) == {"ok": __version__}
        assert json.loads(no) == {
            "error": "nothing named nobody is watched; try: host, no services"
        }


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"hello\n", "unknown command: 'hello'; try: help\n"),
        (b"\xff\xfe\n", "the request is not UTF-8\n"),
        (b"\n", "unknown command: ''; try: help\n"),
        (b"{]\n", '{"error":"the request is not JSON"}\n'),
        (b'{"command": 7}\n', '{"error":"a request is {\\"command\\": TEXT, \\"args\\": {…}}"}\n'),
        (b"x" * 70_000, "the request is longer than 64 KiB\n"),
        (b"status now\n", "status takes no words: now\n"),
        (b"start deploy nobody\n", "no service nobody is watched; there are no services\n"),
        (b"start deploy for ever\n", "not a duration: ever; write 90s, 10m or 1h\n"),
    ],
)
def test_bad_requests(request_: bytes, answer: str, running: RunningAgent) -> None:
    """A request that nobody can answer gets a word, and the agent lives on."""
    assert running.say(request_) == answer
    assert running.ask("version") == __version__


def test_a_request_that_is_never_finished(running: RunningAgent) -> None:
    """A client that says nothing more is told so and left, and keeps nobody waiting."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dawdler:
        dawdler.connect(running.socket)
        dawdler.sendall(b"stat")

        assert running.ask("version") == __version__
        assert dawdler.makefile("r").read() == "the request was not finished within 2 seconds\n"


def test_exit_statuses(running: RunningAgent) -> None:
    """inspectctl says by its exit status who said no: the agent, the usage, or nobody."""
    yes, no, usage = running.ctl("version"), running.ctl("show", "x", "y"), running.ctl()
    running.stop()
    nobody = running.ctl("status")
    running.start()

    assert (yes.returncode, yes.stdout) == (0, f"{__version__}\n")
    assert (no.returncode, no.stderr) == (
        1,
        "nothing named x is watched; try: host, no services\n",
    )
    assert usage.returncode == 2
    assert nobody.returncode == 3
    assert nobody.stderr.startswith(f"no agent answers at {running.socket} (No such file")


def test_the_group_may_ask(running: RunningAgent) -> None:
    """Only the agent's own user reaches the socket; with socket_group its members do, too."""
    need("root")  # who alone may give a file to a group that it is not in
    own = os.stat(running.socket).st_mode & 0o777
    running.configure(settings={"socket_group": "daemon"})
    running.ask("reload")
    shared = os.stat(running.socket)

    assert own == 0o600
    assert shared.st_mode & 0o777 == 0o660
    assert shared.st_gid == grp.getgrnam("daemon").gr_gid


def test_errors_reach_the_client(running: RunningAgent) -> None:
    """The client raises what the agent says no with, and what it means that nobody answers."""
    with pytest.raises(ControlError, match="unknown command: 'dance'; try: help"):
        running.ask("dance")
    running.kill()
    with pytest.raises(AgentUnreachable, match=r"Connection refused"):
        running.ask("status")
    running.start()
