"""The agent over jobs of Upstart, which its double runs: tests/doubles says what that is worth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspect_agent.errors import AgentUnreachable
from tests.integration.components import need
from tests.integration.post import Postbox
from tests.integration.running import BIN, RunningAgent
from tests.integration.upstart_machine import Upstart, command, execute, upstart_machine

SIDEKIQ = """check service {name}
  if memory:rss > 500m then restart
  if cpu:user > 60% for 2 cycles then restart
"""
WHY = "stop/waiting; upstart does not say why"
RESTART = re.escape('sh -c initctl restart "$@" || initctl start "$@" initctl')
START = re.escape(
    'sh -c initctl start "$@" || initctl status "$@" 2>/dev/null | grep -q " start/" initctl'
)


@pytest.fixture
def upstart() -> Iterator[Upstart]:
    """A machine without jobs."""
    need("namespaces")
    with upstart_machine() as machine:
        yield machine


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A folder of this test inside the machine, which the agent makes."""
    return Path("/run") / tmp_path.name


def test_services_are_found(upstart: Upstart, inside: Path) -> None:
    """Jobs and instances by their names or variables; what is none of them is absent."""
    upstart.write("web", execute("idle"))
    upstart.write("sidekiq", "instance $index", execute("idle"))
    upstart.write("shop", "instance $index", execute("idle"))
    upstart.machine.tell("sh", "-c", "mv /etc/init/shop.conf /etc; ln -s ../shop.conf /etc/init")
    upstart.write("rc", "description nothing")
    pids = [
        upstart.start("web"),
        upstart.start("sidekiq", "index=eu/1"),
        upstart.start("shop", "index=7"),  # the agent follows no link, so it has to ask
    ]
    upstart.say("start", "rc")
    rules = """
check service web
check service sidekiq@eu/1
check service shop with instance "index=7"
check service rc
check service nosuch with manager upstart
check service "--help" with manager upstart
check service "../web" with manager upstart
check service sidekiq with manager upstart
"""
    with RunningAgent(inside, rules, place=upstart.machine) as agent:
        seen = [agent.up(name) for name in ("web", "sidekiq@eu/1", "shop")]
        rc = agent.service("rc", lambda rc: rc["state"] == "up")
        absent = {
            name: agent.service(name, lambda service: service["state"] == "absent")["reason"]
            for name in ("nosuch", "--help", "../web", "sidekiq")
        }

        assert seen == pids
        assert (rc["pid"], rc["manager"]) == (None, "upstart")
        assert f"\nService: web [Up/{pids[0]}] upstart\n" in agent.say(b"status\n")
        assert absent == {
            "nosuch": "upstart: Unknown job: nosuch",
            "--help": "upstart: '--help' cannot be the name of a job",
            "../web": "upstart: '../web' cannot be the name of a job",
            "sidekiq": "upstart: sidekiq has instances:"
            " name one, as in sidekiq@NAME, or all: sidekiq@*",
        }


def test_the_queue_that_nobody_emptied(upstart: Upstart, inside: Path, post: Postbox) -> None:
    """A Sidekiq that dies is left to Upstart, one that leaks restarted, one given up told."""
    upstart.write(
        "sidekiq",
        *("respawn", "respawn limit 3 30", "instance $index", "reload signal USR1"),
        execute("leaky", "0", "520"),
    )
    pid = upstart.start("sidekiq", "index=0")
    rules = SIDEKIQ.format(name='sidekiq with instance "index=0"') + "  if failed then alert\n"
    with RunningAgent(inside, rules, post.send(), place=upstart.machine) as agent:
        assert agent.up("sidekiq") == pid
        upstart.kill(pid)
        pid = agent.up("sidekiq", but=pid)
        assert post.told(1) == ["WARNING sidekiq: has another process"]
        assert "restarted by its manager" in post.read[-1].text
        upstart.say("reload", "sidekiq", "index=0")
        agent.logged(f"sidekiq: restart: {RESTART} sidekiq index=0$")
        pid = int(agent.logged(r"sidekiq: restart succeeded, process (\d+)")[1])
        for _ in range(2):
            upstart.kill(pid)
            pid = agent.up("sidekiq", but=pid)
        upstart.kill(pid)
        sidekiq = agent.service("sidekiq", lambda sidekiq: sidekiq["state"] == "failed")
        agent.cycles(3)

        assert sidekiq["reason"] == WHY
        assert post.told(4) == [
            *["WARNING sidekiq: has another process"] * 2,
            "CRITICAL sidekiq: not running",
            "CRITICAL sidekiq: failed",
        ]
        assert post.rest() == []
        assert len(agent.lines(r"(re)?start: sh")) == 1


def test_instances_come_and_go(upstart: Upstart, inside: Path, post: Postbox) -> None:
    """One appears, one crashes and is started again, one is given up by a deploy."""
    upstart.write("sidekiq", "instance $index", execute("idle"))
    for index in range(3):
        upstart.start("sidekiq", f"index={index}")
    rules = "check service sidekiq@*\n  if failed for 2 cycles then start\n"
    with RunningAgent(inside, rules, post.send(), place=upstart.machine) as agent:
        before = [agent.up(f"sidekiq@{index}") for index in range(3)]
        upstart.start("sidekiq", "index=10")
        agent.up("sidekiq@10")
        upstart.kill(before[1])
        agent.logged(f"sidekiq@1: start: {START} sidekiq index=1$")
        agent.up("sidekiq@1", but=before[1])
        crashed = post.told(2)
        agent.ask("start deploy", "sidekiq@*")
        upstart.say("stop", "sidekiq", "index=2")
        agent.service("sidekiq@2", lambda sidekiq: sidekiq["state"] == "down")
        agent.ask("finish deploy", "sidekiq@*")
        agent.logged("sidekiq@2: no longer loaded")
        status = agent.export()

        assert crashed == ["CRITICAL sidekiq@1: not running", "RECOVERED sidekiq@1: running again"]
        assert [service["name"] for service in status["services"]] == [
            *("sidekiq@0", "sidekiq@1", "sidekiq@10")
        ]
        assert len(agent.lines("start: sh")) == 1


def test_an_instance_that_is_given_up(upstart: Upstart, inside: Path, post: Postbox) -> None:
    """Upstart forgets what it has given up; the agent does not, and says nothing else."""
    upstart.write("sidekiq", "instance $index", execute("idle"))
    upstart.start("sidekiq", "index=0")
    with RunningAgent(
        inside, "check service sidekiq@*\n", post.send(), place=upstart.machine
    ) as agent:
        upstart.kill(agent.up("sidekiq@0"))
        sidekiq = agent.service("sidekiq@0", lambda sidekiq: sidekiq["state"] == "failed")
        agent.cycles(3)
        agent.restart()
        again = agent.service("sidekiq@0", lambda sidekiq: sidekiq["state"] == "failed")
        upstart.start("sidekiq", "index=0")

        assert sidekiq["reason"] == again["reason"] == WHY
        assert post.told(2) == [
            "CRITICAL sidekiq@0: not running",
            "RECOVERED sidekiq@0: running again",
        ]


def test_stopped_by_somebody(upstart: Upstart, inside: Path) -> None:
    """What nobody asked the agent for counts as a failure; what a deploy stops does not."""
    upstart.write("web", execute("idle"))
    upstart.start("web")
    with RunningAgent(inside, "check service web\n", place=upstart.machine) as agent:
        agent.up("web")
        upstart.say("stop", "web")
        failed = agent.service("web", lambda web: web["state"] == "failed")
        pid = upstart.start("web")
        assert agent.up("web") == pid
        agent.ask("start deploy", "web")
        upstart.say("stop", "web")
        down = agent.service("web", lambda web: web["state"] == "down")
        agent.ask("finish deploy", "web")
        agent.logged(r"web is not running \(down\)")

        assert failed["reason"] == down["reason"] == WHY


@pytest.mark.parametrize(
    ("verb", "how"), [("start", START), ("restart", RESTART)], ids=["start", "restart"]
)
def test_a_stopped_job_is_repaired(upstart: Upstart, inside: Path, verb: str, how: str) -> None:
    """It is started where a rule wants that; a restart, which Upstart refuses, starts it, too."""
    upstart.write("web", execute("idle"))
    upstart.start("web")
    rules = f"check service web\n  if down then {verb}\n"
    with RunningAgent(inside, rules, place=upstart.machine) as agent:
        agent.up("web")
        upstart.say("stop", "web")
        agent.logged(f"web: {verb}: {how} web$")
        after = int(agent.logged(rf"web: {verb} succeeded, process (\d+)")[1])

        assert after == upstart.pid("web")


def test_a_start_that_comes_too_late(upstart: Upstart, inside: Path) -> None:
    """Upstart refuses to start what runs already; the step succeeds all the same."""
    upstart.write("web", execute("idle"))
    before = upstart.start("web")
    rules = "check service web\n  if memory:rss > 1k then start\n"
    with RunningAgent(inside, rules, place=upstart.machine) as agent:
        agent.logged("web: start succeeded")

        assert agent.up("web") == before


def test_a_rule_stops_a_job(upstart: Upstart, inside: Path) -> None:
    """That was asked for, so it is no failure."""
    upstart.write("web", "respawn", execute("idle"))
    upstart.start("web")
    rules = "check service web\n  if memory:rss > 1k then stop\n  if failed then start\n"
    with RunningAgent(inside, rules, place=upstart.machine) as agent:
        agent.logged("web: stop: initctl stop web$")
        agent.logged("web: stop succeeded")
        agent.service("web", lambda web: web["state"] == "down")
        agent.cycles(3)

        assert upstart.say("status", "web") == "web stop/waiting"
        assert agent.lines("start: sh") == []


def test_reload_sends_the_signal_of_the_job(upstart: Upstart, inside: Path) -> None:
    """`then reload` keeps the process."""
    upstart.write("leaky", "reload signal USR2", execute("leaky", "64"))
    upstart.start("leaky")
    rules = "check service leaky\n  if memory:rss > 50m then reload, alert\n"
    with RunningAgent(inside, rules, place=upstart.machine) as agent:
        before = agent.up("leaky")
        agent.logged("leaky: reload: initctl reload leaky$")
        agent.logged("leaky: reload succeeded")
        agent.logged("memory:rss > 50m is over")

        assert agent.up("leaky") == before


def test_a_respawn_is_waited_for(upstart: Upstart, inside: Path) -> None:
    """While a job is on its way back its rule does not race Upstart."""
    gate = inside.with_suffix(".gate")
    upstart.machine.tell("mkfifo", str(gate))
    upstart.write("web", "respawn", f"post-stop exec cat {gate}", execute("idle"))
    upstart.start("web")
    rules = "check service web\n  if failed then start\n  if down then restart\n"
    with RunningAgent(inside, rules, place=upstart.machine) as agent:
        before = agent.up("web")
        upstart.kill(before)
        agent.logged(r"web is not running \(starting\): start/post-stop")
        agent.logged("start web refused, MANAGER_IS_RESTARTING")
        (upstart.machine.root / str(gate)[1:]).write_text("")
        agent.logged(r"web is running as process \d+, started by its manager")

        assert agent.up("web", but=before) == upstart.pid("web")
        assert agent.lines("start: sh") == []


def test_a_repair_that_fails(upstart: Upstart, inside: Path) -> None:
    """It is told in Upstart's words, those of the restart first."""
    flag = inside.with_suffix(".broken")
    upstart.write("web", f"pre-start exec test ! -e {flag}", execute("idle"))
    upstart.start("web")
    rules = "check service web with restarts 1/10m\n  if memory:rss > 1k then restart\n"
    agent = RunningAgent(inside, rules, place=upstart.machine)
    upstart.machine.tell("touch", str(flag))
    with agent:
        told = agent.logged(r"web: restart failed: (.*) \(RepairFailed\)")[1]

        assert told == "exit 1: initctl: Job failed to restart / initctl: Job failed to start"


def test_an_instance_whose_variables_nobody_knows(upstart: Upstart, inside: Path) -> None:
    """Nothing is guessed: the repair fails, and says what to write."""
    upstart.write("shop", "instance $app-$index", execute("idle"))
    upstart.start("shop", "app=a-b", "index=2")
    rules = "check service shop@a-b-2 with restarts 1/10m\n  if memory:rss > 1k then restart\n"
    with RunningAgent(inside, rules, place=upstart.machine) as agent:
        told = agent.logged(r"shop@a-b-2: restart failed: (.*) \(RepairFailed\)")[1]

        assert told == (
            "upstart: `instance $app-$index` makes the name a-b-2 in several ways: give the"
            ' variables, as in `check service shop with instance "index=0"`'
        )


def test_init_cannot_be_reached(upstart: Upstart, inside: Path) -> None:
    """A death is told all the same; when init answers again, so is what has come instead."""
    upstart.write("web", "respawn", execute("idle"))
    upstart.write("other", execute("idle"))
    upstart.start("web")
    upstart.start("other")
    rules = "check service web\n  if failed then start\ncheck service other\n"
    with RunningAgent(inside, rules, place=upstart.machine) as agent:
        before, other = agent.up("web"), agent.up("other")
        with upstart.silent():
            upstart.kill(before)
            agent.logged(f"web: process {before} ended")
            agent.logged(r"web is not running \(down\): its process has ended; upstart: .* bus")
            agent.cycles(2)
            assert agent.up("other") == other
        agent.logged(r"web is running as process \d+, started by its manager")

        assert agent.up("web") == upstart.pid("web") != before
        assert agent.lines("start: sh") == []


def test_rules_that_a_deploy_hook_drops(upstart: Upstart, inside: Path, post: Postbox) -> None:
    """Status shows that they are in force, and that one on the memory of `su` can never fire."""
    leaky = " ".join(command("leaky", "600"))
    upstart.write("sidekiq", f'exec su root -s /bin/sh -c "{leaky}; true"')
    pid = upstart.start("sidekiq")
    agent = RunningAgent(inside, sends=post.send(), place=upstart.machine)
    upstart.write("inspect-agent", job_of(agent))
    agent.write("sidekiq", SIDEKIQ.format(name="sidekiq"))
    restart(upstart, agent)
    agent.service("sidekiq", lambda sidekiq: sidekiq["wrapper"])
    shown = agent.ctl("status").stdout
    fits = SIDEKIQ.format(name="sidekiq with restarts 1/10m")
    agent.write("sidekiq", fits.replace("memory:rss", "memory:total_rss"))
    restart(upstart, agent)
    mail = post.next()

    assert f"\nService: sidekiq [Up/{pid}] upstart\n  process {pid} only wraps python" in shown
    assert "memory:rss is the wrapper's, memory:total_rss is both's" in shown
    assert mail.headlines == ("CRITICAL sidekiq: repair budget spent",)


def test_the_go_service(upstart: Upstart, inside: Path, post: Postbox) -> None:
    """A crash is told by an agent that does what Upstart demands: foreground, SIGHUP, SIGTERM."""
    upstart.write("go", "respawn", execute("idle"))
    before = upstart.start("go")
    agent = RunningAgent(inside, "check service go\n", post.send(), place=upstart.machine)
    upstart.write("inspect-agent", job_of(agent))
    started = upstart.start("inspect-agent")
    answers(agent)
    agent.up("go")
    agent.write("more", "check service more")
    upstart.say("reload", "inspect-agent")
    agent.service("more", lambda more: more["state"] == "absent")
    upstart.kill(before)
    told = sorted(post.told(2))
    reloaded = upstart.pid("inspect-agent")
    stopped = upstart.say("stop", "inspect-agent")

    assert started == reloaded
    assert told == ["CRITICAL more: not running", "WARNING go: has another process"]
    assert stopped == "inspect-agent stop/waiting"
    assert not Path(agent.socket).exists()


def test_an_agent_that_is_too_fat(upstart: Upstart, inside: Path) -> None:
    """As a job it has Upstart restart it, and the next agent verifies that this was done."""
    rules = "check service inspect-agent with restarts 1/10m\n  if memory:rss > 1k then restart\n"
    agent = RunningAgent(inside, rules, place=upstart.machine)
    upstart.write("inspect-agent", job_of(agent))
    before = upstart.start("inspect-agent")
    log = upstart.log("inspect-agent")
    done = re.compile(r"inspect-agent: restart succeeded, process (\d+)")
    agent.log.until(lambda: done.search(log.read_text()) is not None, log.read_text)
    match = done.search(log.read_text())

    assert match is not None
    assert before != int(match[1]) == upstart.pid("inspect-agent")
    assert log.read_text().count("restart: sh") == 1


def job_of(agent: RunningAgent) -> str:
    """The job that is shipped, for an agent that runs from here."""
    job = Path(__file__).parents[3] / "packaging/upstart/inspect-agent.conf"
    places = f"-c {agent.folder}/etc -s {agent.socket_path}"
    return job.read_text().replace("/usr/bin/inspect-agent", f"{BIN}/inspect-agent {places}")


def restart(upstart: Upstart, agent: RunningAgent) -> None:
    """What deploy hooks do, also where it does not run yet."""
    script = "initctl restart inspect-agent || initctl start inspect-agent"
    upstart.machine.tell("sh", "-c", script)
    answers(agent)


def answers(agent: RunningAgent) -> None:
    """Waits until it answers, for Upstart does not."""

    def now() -> bool:
        try:
            agent.export()
        except AgentUnreachable:
            return False
        return True

    agent.log.until(now, lambda: "the agent does not answer")
