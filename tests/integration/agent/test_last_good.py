"""A start with files that cannot be used: the last good configuration, or none."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.integration.daemons import Daemons
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent

BROKEN = "check service worker\n  if memory:rsss > 1m then alert\n"
NOT_IN_FORCE = (
    "The configuration on disk has problems and is not in force: inspectctl check shows them"
)


def test_the_last_good_one_is_used(tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """It watches and repairs as before, log, status and an alert say so, and check knew it."""
    first = workers.run("worker")
    rules = workers.check("worker") + "  if down then start\n"
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        agent.stop()
        agent.write("rules", BROKEN)
        check = agent.ctl("check", str(agent.etc))
        agent.start()
        problem = agent.logged("rules.inq:2:6: ")[0]
        agent.logged("running on the last good configuration")
        told = post.next()
        os.kill(first, signal.SIGKILL)
        agent.up("worker", but=first)

        assert check.returncode == 1
        assert problem in check.stderr
        assert NOT_IN_FORCE in agent.say(b"status\n").splitlines()
        assert told.headlines == ("CRITICAL agent: new configuration rejected",)
        assert "services.d/rules.inq:2:6: " in told.text
        assert post.told(2) == ["CRITICAL worker: not running", "RECOVERED worker: running again"]


def test_it_is_told_once_and_when_it_is_over(
    tmp_path: Path, workers: Daemons, post: Postbox
) -> None:
    """Another start with the same files is no news; files that can be used again are."""
    workers.run("worker")
    rules = workers.check("worker") + "  if failed then start\n"
    with RunningAgent(tmp_path / "agent", rules, post.send()) as agent:
        agent.stop()
        agent.write("rules", BROKEN)
        agent.start()
        agent.restart()
        agent.write("rules", rules)
        reloaded = agent.ctl("reload")

        assert reloaded.stdout == "Reloaded\nnothing changed\n"
        assert post.told(2) == [
            "CRITICAL agent: new configuration rejected",
            "RECOVERED agent: configuration in order again",
        ]
        assert agent.export()["problems"] == []
        assert post.rest() == []


def test_a_reload_is_remembered(tmp_path: Path, workers: Daemons) -> None:
    """What a reload has put in force is the last good one, and what it refused is not."""
    workers.run("worker")
    with RunningAgent(tmp_path / "agent") as agent:
        agent.write("rules", workers.check("worker"))
        agent.ask("reload")
        agent.write("rules", BROKEN)
        assert agent.ctl("reload").returncode == 1
        agent.restart()

        assert agent.up("worker") == workers.pid("worker")


def test_without_an_earlier_one_it_does_not_start(tmp_path: Path) -> None:
    """The agent says what is wrong, with its place, and that nothing else can be used; exit 1."""
    agent = RunningAgent(tmp_path / "agent", BROKEN)
    check = agent.ctl("check", str(agent.etc))
    said = agent.fail()

    assert check.returncode == 1
    assert check.stderr.splitlines()[:-1] == said[1:-2]
    assert said[-2:] == [
        "the configuration has problems, and there is no earlier one to run on",
        "inspect-agent ends",
    ]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A configuration folder that does not exist is a problem like any other."""
    agent = RunningAgent(tmp_path / "agent")
    agent.etc.rename(tmp_path / "elsewhere")
    check = agent.ctl("check", str(agent.etc))
    said = agent.fail()

    assert check.returncode == 1
    assert check.stderr.splitlines()[0] in said


def test_a_damaged_last_good_one(tmp_path: Path) -> None:
    """Where neither can be used both are said."""
    with RunningAgent(tmp_path / "agent") as agent:
        agent.stop()
        (agent.folder / "state/last-good.json").write_text("{")
        agent.write("rules", BROKEN)

        assert agent.fail()[-2] == "neither the configuration nor the last good one can be used"


def test_secrets_of_the_last_good_one(tmp_path: Path, post: Postbox) -> None:
    """It holds passwords, so nobody else may read it; they are neither in the log nor in status."""
    sends = post.send(params='username pager, password "open sesame", tls starttls, insecure yes')
    with RunningAgent(tmp_path / "agent", "check service gone", sends) as agent:
        agent.cycles(2)
        files = [path for path in (agent.folder / "state").iterdir() if path.is_file()]
        holders = [path.name for path in files if b"open sesame" in path.read_bytes()]

        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert holders == ["last-good.json"]
        assert "open sesame" not in agent.say(b"export\n") + agent.say(b"status\n")
        assert agent.lines("open sesame") == []
