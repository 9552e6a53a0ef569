"""SIGTERM ends the agent, SIGHUP reloads it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.integration.daemons import Daemons
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent, metric_of, named
from tests.servers.mail import Mute

SOON_S = 2.0


def test_sigterm_ends_it(tmp_path: Path, workers: Daemons) -> None:
    """SIGTERM ends the agent with exit 0; its services stay as they are, and its socket goes."""
    rules = workers.check("worker") + "  if down then start\n"
    with RunningAgent(tmp_path / "agent", rules) as agent:
        pid = agent.up("worker")

        assert agent.stop(SOON_S) == 0
        assert agent.log.lines[-1].text == "inspect-agent ends"
        assert not Path(agent.socket).exists()
        os.kill(pid, 0)


def test_sigterm_does_not_wait_for_mail(tmp_path: Path) -> None:
    """SIGTERM ends the agent while its mail server hangs; the next agent takes up the letter."""
    with Mute() as mute:
        sends = f"send alerts via email with smtp_server 127.0.0.1, port {mute.port}"
        sends += ", to_email ops@example.com"
        rules = f'check service gone with pidfile "{tmp_path}/none.pid"\n'
        with RunningAgent(tmp_path / "agent", rules, sends) as agent:
            mute.accept()

            assert agent.stop(SOON_S) == 0
            agent.start()
            mute.accept()


def test_sighup_reloads(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """SIGHUP keeps the PID, the history, and the state of a rule that did not change."""
    workers.run("worker", "leaky", "64")
    check, kept = workers.check("worker"), "  if memory:rss > 50m then alert\n"
    with RunningAgent(tmp_path / "agent", check + kept, post.send()) as agent:
        assert post.told(1) == ["CRITICAL worker: memory:rss > 50m"]
        agent.cycles(5)
        pid, samples = agent.pid, agent.ask("show", "worker", "memory:rss")["values"]
        agent.write("rules", check + "  if cpu:user > 5000% then alert\n" + kept)
        agent.write("more", workers.check("more"))
        agent.signal(signal.SIGHUP)
        agent.logged("Reloaded")
        more = [agent.logged(".*")[0] for _ in range(2)]
        again = agent.ask("show", "worker", "memory:rss")["values"]
        agent.cycles(3)
        (worker,) = named(agent.export(), "worker")

        assert agent.pid == pid
        assert more == ["added more", "changed worker"]
        assert again[: len(samples)] == samples
        assert [(rule["rule"], rule["phase"]) for rule in worker["rules"]] == [
            ("memory:rss > 50m", "triggered")
        ]
        assert metric_of(worker, "cpu:user")["thresholds"] == ["5000%"]
        assert [mail.headlines for mail in post.rest()] == [("CRITICAL more: not running",)]


def test_sighup_with_a_broken_file(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """A file with problems keeps the running configuration, and log, status and check say so."""
    rules = workers.check("worker") + "  if down then start\n"
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        first = agent.up("worker")
        agent.write("broken", "check service worker\n  if memory:rsss > 1m then alert\n")
        agent.signal(signal.SIGHUP)
        agent.logged("not reloaded: the running configuration stays")
        check = agent.ctl("check", str(agent.etc))
        os.kill(first, signal.SIGKILL)
        agent.up("worker", but=first)
        told = agent.lines(r"^services\.d/")

        assert check.returncode == 1
        assert [
            line for line in check.stderr.splitlines() if line.startswith("services.d/")
        ] == told
        assert [line.split(": ")[0] for line in told] == [
            "services.d/broken.inq:2:6",
            "services.d/rules.inq:1:15",
        ]
        assert agent.export()["problems"] == [
            "The configuration on disk has problems and is not in force:"
            " inspectctl check shows them"
        ]

        (agent.etc / "services.d/broken.inq").unlink()
        assert agent.ctl("reload").stdout == "Reloaded\nnothing changed\n"
        assert agent.export()["problems"] == []


def test_a_reload_withdraws_what_is_gone(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """What a rule or check had opened is resolved when a reload removes it."""
    workers.run("worker", "leaky", "64")
    check = workers.check("worker")
    rules = workers.check("gone") + check + "  if memory:rss > 50m then alert\n"
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        assert post.told(2) == [
            "CRITICAL gone: not running",
            "CRITICAL worker: memory:rss > 50m",
        ]
        agent.write("rules", check + "  if failed then start\n")

        assert agent.ctl("reload").stdout == "Reloaded\nchanged worker\nremoved gone\n"
        assert sorted(post.told(2)) == [
            "RECOVERED gone: no longer watched: process",
            "RECOVERED worker: no longer watched: memory:rss > 50m",
        ]
