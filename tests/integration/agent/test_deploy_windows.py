"""Deploy windows, asked for over the socket."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from tests.integration.daemons import Daemons
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent

RULE = "  if down then start, alert\n"


def test_nothing_is_started_or_told_inside(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """In a window nothing is judged; when it is finished what is wrong is told and repaired."""
    pid = workers.run("worker")
    with RunningAgent(tmp_path / "agent", workers.check("worker") + RULE, post.send()) as agent:
        started = agent.say(b"start deploy\n")
        os.kill(pid, signal.SIGKILL)
        agent.service("worker", lambda worker: worker["state"] == "failed")
        agent.cycles(5)
        shown, letters, starts = agent.say(b"status\n"), post.rest(), agent.lines("worker: start")
        finished = agent.say(b"finish deploy\n")
        agent.up("worker", but=pid)

        assert started == "Starting deploy, now silenced: 5m\n"
        assert shown.splitlines()[1].startswith("Silenced until: 20")
        assert f"Service: worker [Failed] pidfile\n  process {pid} is gone\n" in shown
        assert (letters, starts) == ([], [])
        assert finished == "Finished deploy, watching again\n"
        assert post.told(4) == [
            "CRITICAL worker: not running",
            "CRITICAL worker: down",
            "RECOVERED worker: down",
            "RECOVERED worker: running again",
        ]


def test_a_window_of_one_service(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """A window of a name covers that service alone."""
    covered, other = workers.run("covered"), workers.run("other")
    rules = workers.check("covered") + RULE + workers.check("other") + RULE
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        agent.ask("start deploy", "covered")
        os.kill(covered, signal.SIGKILL)
        os.kill(other, signal.SIGKILL)
        agent.up("other", but=other)
        agent.cycles(3)

        assert agent.service("covered", lambda _: True)["state"] == "failed"
        agent.ask("finish deploy", "covered")
        agent.up("covered", but=covered)


def test_a_new_process_is_no_news_after_a_deploy(
    tmp_path: Path, workers: Daemons, post: Postbox
) -> None:
    """A service that a deploy has restarted is not told as another process, or as gone."""
    pid = workers.run("worker")
    with RunningAgent(tmp_path / "agent", workers.check("worker") + RULE, post.send()) as agent:
        agent.ask("start deploy")
        os.kill(pid, signal.SIGKILL)
        agent.service("worker", lambda worker: worker["state"] == "failed")
        after = workers.run("worker")
        agent.ask("finish deploy")
        agent.cycles(5)

        assert agent.up("worker") == after
        assert agent.lines("worker: start") == []
        assert post.rest() == []


def test_a_window_that_nobody_finishes(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """A window ends by itself, says so, and judging begins again."""
    pid = workers.run("worker")
    with RunningAgent(tmp_path / "agent", workers.check("worker") + RULE, post.send()) as agent:
        agent.ask("start deploy", "for", "1s")
        os.kill(pid, signal.SIGKILL)
        agent.up("worker", but=pid)

        assert post.told(5)[:2] == [
            "WARNING agent: deploy window ran out",
            "CRITICAL worker: not running",
        ]
        assert agent.export()["silences"] == []


def test_a_deploy_waits_for_the_repair_that_runs(tmp_path: Path, workers: Daemons) -> None:
    """start deploy is in force at once, and is answered when the running repair has ended."""
    os.mkfifo(tmp_path / "gate")
    gated = f"/bin/sh -c 'cat {tmp_path}/gate; exec \"$@\"' sh "
    rules = workers.check("worker").replace(
        'start "', f'start "{gated}'.replace('"$@"', '\\"$@\\"')
    )
    with RunningAgent(tmp_path / "agent", rules + "  if down then start\n") as agent:
        agent.logged("worker: start: ")
        deploy = threading.Thread(target=agent.ask, args=("start deploy",), daemon=True)
        deploy.start()
        agent.until(lambda status: status["silences"])
        agent.cycles(3)
        waits = deploy.is_alive()
        (tmp_path / "gate").write_text("go\n")
        deploy.join(60)
        after = agent.service("worker", lambda _: True)

        assert waits
        assert not deploy.is_alive()
        assert after["pid"] == workers.pid("worker")


def test_unmonitor_and_monitor(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """An unmonitored service is left alone until it is monitored again, also by the next agent."""
    pid = workers.run("worker")
    with RunningAgent(tmp_path / "agent", workers.check("worker") + RULE, post.send()) as agent:
        agent.ask("unmonitor", "worker")
        agent.kill()
        os.kill(pid, signal.SIGKILL)
        agent.start()
        agent.cycles(5)
        shown, letters = agent.say(b"status\n"), post.rest()
        agent.ask("monitor", "worker")
        agent.up("worker", but=pid)

        assert "Not monitored: worker\n" in shown
        assert letters == []
        assert post.told(1) == ["CRITICAL worker: not running", "CRITICAL worker: down"]
