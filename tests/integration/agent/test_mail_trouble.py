"""Mail servers that refuse, hang or break off: no cycle waits for them, and nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.integration.daemons import Daemons
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent
from tests.servers.mail import MailServer, Mute, ScriptedServer, closed_port

Met = Callable[[RunningAgent], object]
"""Waits until the agent has met the trouble."""


def delayed(agent: RunningAgent) -> object:
    """Waits for the word that a delivery has failed for now."""
    return agent.logged("alert delayed, default/email: ")


@contextmanager
def nobody(port: int) -> Iterator[Met]:
    """There is no mail server."""
    yield delayed


@contextmanager
def mute(port: int) -> Iterator[Met]:
    """There is one that never says a word."""
    with Mute(port) as server:
        yield lambda agent: server.accept()


@contextmanager
def breaking_off(port: int) -> Iterator[Met]:
    """There is one that closes the connection when it has a sender."""
    greeting, answers = b"220 mail.test\r\n", {"EHLO": "250 mail.test\r\n", "MAIL": None}
    with ScriptedServer(greeting, answers, port):
        yield delayed


@contextmanager
def busy(port: int) -> Iterator[Met]:
    """There is one that takes nothing now."""
    with MailServer(replies={"MAIL": "451 later, please"}, port=port):
        yield delayed


@pytest.mark.parametrize("trouble", [nobody, mute, breaking_off, busy])
def test_trouble_and_its_end(
    tmp_path: Path, workers: Daemons, trouble: Callable[[int], AbstractContextManager[Met]]
) -> None:
    """While it lasts cycles go on; afterwards each alert arrives, once and in order."""
    port, pid = closed_port(), workers.run("worker")
    rules = workers.check("gone") + workers.check("worker") + "  if down then start\n"
    sends = f"send alerts via email with smtp_server 127.0.0.1, port {port}, to_email ops@a.example"
    agent = RunningAgent(tmp_path / "agent", rules, sends)
    with agent.ending():
        with trouble(port) as met:
            agent.start()
            met(agent)
            os.kill(pid, signal.SIGKILL)
            agent.up("worker", but=pid)
            agent.cycles(5)
            (backlog,) = agent.export()["alerts"]
        with MailServer(port=port) as server:
            post = Postbox(server)
            told = post.told(3)
            agent.until(lambda status: not status["alerts"])

            assert backlog["waiting"] >= 2
            assert told == [
                "CRITICAL gone: not running",
                "CRITICAL worker: not running",
                "RECOVERED worker: running again",
            ]
            assert post.rest() == []


def test_a_server_that_refuses_for_good(tmp_path: Path, post: Postbox, workers: Daemons) -> None:
    """A refused letter is lost, which log and status say; the next one is sent all the same."""
    post.server.replies["RCPT"] = "550 nobody here"
    with RunningAgent(tmp_path / "agent", workers.check("worker"), post.send()) as agent:
        agent.logged("alert lost, default/email: .*550 nobody here: worker is not running")
        del post.server.replies["RCPT"]
        workers.run("worker")

        assert post.told(1) == ["RECOVERED worker: running again"]
        agent.until(lambda status: status["alerts"][0]["waiting"] == 0)
        assert "Alerts for default/email: 0 waiting, 1 lost" in agent.say(b"status\n")


def test_a_channel_that_raises(tmp_path: Path, post: Postbox, workers: Daemons) -> None:
    """What a channel raises delays its own letters: they wait, and others arrive."""
    broken = "send alerts via email with smtp_server a..b, to_email ops@example.com"
    sends = f"{post.send()}\n{broken}\n"
    with RunningAgent(tmp_path / "agent", workers.check("gone"), sends) as agent:
        agent.logged(r"alert delayed, default/email/2: UnicodeError: .*; next try in \d s")
        (backlog,) = agent.until(lambda status: len(status["alerts"]) == 1)["alerts"]

        assert post.told(1) == ["CRITICAL gone: not running"]
        assert (backlog["destination"], backlog["waiting"]) == ("default/email/2", 1)
        assert backlog["last_error"].startswith("UnicodeError: ")


def test_a_sender_that_is_killed(tmp_path: Path, workers: Daemons) -> None:
    """The process that sends is started anew, and tries the letter again under its name."""
    port = closed_port()
    sends = f"send alerts via email with smtp_server 127.0.0.1, port {port}, to_email ops@a.example"
    agent = RunningAgent(tmp_path / "agent", workers.check("gone"), sends)
    with agent.ending():
        with Mute(port) as server:
            agent.start()
            server.accept()
            children = psutil.Process(agent.pid).children()
            max(children, key=psutil.Process.create_time).kill()
            agent.logged("alert delayed, default/email: worker notify ended")
        with MailServer(port=port) as mail:
            post = Postbox(mail)

            assert post.told(1) == ["CRITICAL gone: not running"]
            agent.until(lambda status: not status["alerts"])
            assert post.rest() == []


def test_a_failure_and_its_recovery_that_wait_are_one_letter(
    tmp_path: Path, workers: Daemons
) -> None:
    """What is over before it could be told is told together, and in order."""
    port = closed_port()
    sends = f"send alerts via email with smtp_server 127.0.0.1, port {port}, to_email ops@a.example"
    rules = workers.check("gone") + workers.check("worker")
    pid = workers.run("worker")
    agent = RunningAgent(tmp_path / "agent", rules, sends)
    with agent.ending():
        with Mute(port) as server:
            agent.start()
            server.accept()
            os.kill(pid, signal.SIGKILL)
            agent.logged("worker is not running")
            workers.run("worker")
            agent.up("worker", but=pid)
        with MailServer(port=port) as mail:
            post = Postbox(mail)

            assert post.next().headlines == ("CRITICAL gone: not running",)
            assert post.next().headlines == (
                "CRITICAL worker: not running",
                "RECOVERED worker: running again",
            )
