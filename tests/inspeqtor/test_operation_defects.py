"""Defects of Inspeqtor 2.0 as a program: how it starts, reloads, ends, and tells people."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from inspect_agent.errors import ControlError
from tests.integration import faulty_agent
from tests.integration.daemons import Daemons
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent, metric_of, named
from tests.servers.mail import MailServer, Mute, closed_port

SECRET = b"correct-horse-battery-staple"


def by_mail(port: int, params: str = "") -> str:
    """The statement that sends alerts to a mail server on this machine."""
    to = f"smtp_server 127.0.0.1, port {port}, to_email ops@a.example"
    return f"send alerts via email with {to}{params}"


def on_show(agent: RunningAgent) -> Iterator[bytes]:
    """The arguments and the environment of the agent and its workers."""
    main = psutil.Process(agent.pid)
    for process in (main, *main.children(recursive=True)):
        for name in ("cmdline", "environ"):
            with suppress(OSError):  # it has ended
                yield Path(f"/proc/{process.pid}/{name}").read_bytes()


def test_a_reload_silently_drops_the_service(tmp_path: Path, workers: Daemons) -> None:
    """Inspeqtor left out a file with a mistake; here all that runs stays, and it is told."""
    workers.run("worker")
    rules = workers.check("worker")
    with RunningAgent(tmp_path / "agent", rules) as agent:
        agent.up("worker")
        agent.write("rules", rules + "  if memory:rss > 1,5g then alert\n")
        with pytest.raises(ControlError, match=r"services.d/rules.inq:2:20: unexpected ,"):
            agent.ask("reload")
        assert [one["state"] for one in named(agent.export(), "worker")] == ["up"]


def test_a_database_that_is_down_keeps_the_agent_from_starting(tmp_path: Path) -> None:
    """It did in Inspeqtor; here what cannot be opened harms nothing but its own metrics."""
    rules = "check host\n  if load:1 > 1000 then alert\n"
    argv = (sys.executable, "-I", str(faulty_agent.__file__), "source open")
    with RunningAgent(tmp_path / "agent", rules, argv=argv) as agent:
        agent.cycles(1)
        host = agent.export()["host"]
        assert metric_of(host, "load:1")["text"] == "no data (RuntimeError: boom)"
        assert "no data" not in metric_of(host, "memory:available")["text"]


def test_without_alerts_configured_it_does_not_start(tmp_path: Path, workers: Daemons) -> None:
    """Inspeqtor did not; here the log gets what nobody else is to be told."""
    with RunningAgent(tmp_path / "agent", workers.check("gone"), sends="") as agent:
        agent.logged("ALERT critical gone: not running")


def test_alerts_are_sent_in_the_main_loop(tmp_path: Path, workers: Daemons) -> None:
    """A mail server that hangs hung Inspeqtor; here cycles go on while a worker waits for it."""
    port = closed_port()
    agent = RunningAgent(tmp_path / "agent", workers.check("gone"), by_mail(port))
    with agent.ending(), Mute(port) as server:
        agent.start()
        server.accept()
        agent.cycles(3)
        (backlog,) = agent.export()["alerts"]
        assert (backlog["destination"], backlog["waiting"]) == ("default/email", 1)


def test_a_dead_mail_server_loses_alerts(tmp_path: Path, workers: Daemons) -> None:
    """Inspeqtor tried once; here an alert waits until there is a server, and arrives."""
    port = closed_port()
    with RunningAgent(tmp_path / "agent", workers.check("gone"), by_mail(port)) as agent:
        agent.logged("alert delayed, default/email: ")
        with MailServer(port=port) as server:
            assert Postbox(server).told(1) == ["CRITICAL gone: not running"]


def test_a_stale_socket_file_is_exit_0(tmp_path: Path) -> None:
    """With one left over Inspeqtor ended at once, as if all were well; here it is replaced."""
    with RunningAgent(tmp_path / "agent") as agent:
        agent.kill()
        left_over = Path(agent.socket).is_socket()
        agent.start()
        agent.cycles(1)
    assert left_over


def test_a_password_is_in_the_process_list(tmp_path: Path, workers: Daemons) -> None:
    """Inspeqtor gave it to commands as an option; here no argument or environment holds one."""
    port = closed_port()
    sends = by_mail(port, f", username ops, password {SECRET.decode()}")
    agent = RunningAgent(tmp_path / "agent", workers.check("gone"), sends)
    with agent.ending(), Mute(port) as server:
        agent.start()
        server.accept()
        shown = list(on_show(agent))
    assert any(b"inspect_agent.workers.notify" in text for text in shown)
    assert [text for text in shown if SECRET in text] == []
