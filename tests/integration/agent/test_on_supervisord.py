"""The agent over programs of a real supervisord, telling a real mail server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.daemons import WORKERS
from tests.integration.post import Postbox
from tests.integration.running import RunningAgent
from tests.integration.scandirs import until
from tests.integration.supervised import BY_SOCKET, SOCKET, Supervised, program, supervised

INSIDE = Path("/run/agent")
LEAKY = f"/usr/bin/python3 -I -S {WORKERS}/leaky.py"
RELOADS = "/bin/sh -c \"trap '> /run/reloaded' HUP; > /run/ready; while :; do sleep 0.02; done\""
PORT = 19002
TOO_QUICKLY = "Exited too quickly (process log may have details)"
TWICE = """services.d/web.inq:1:15: the service web is checked twice
    check service web
                  ^
    first at services.d/copy.inq:1
not reloaded: the running configuration stays
"""
NO_SOCKET = f"unix:///{SOCKET}: there is no such socket: it does not run, or listens elsewhere"


@contextmanager
def watched(
    programs: str, rules: str, post: Postbox | None = None, server: str = BY_SOCKET
) -> Iterator[tuple[Supervised, RunningAgent]]:
    """A machine whose supervisord runs these programs, and an agent in it."""
    sends = post.send() if post else ""
    with (
        supervised(programs, server) as here,
        RunningAgent(INSIDE, rules, sends, place=here.machine) as agent,
    ):
        yield here, agent


def test_a_crash_is_repaired(post: Postbox) -> None:
    """What supervisord does not restart has failed, is told with its end, and started."""
    rules = "check service web\n  if failed then start\n"
    with watched(program("web", "/bin/sleep 1000", "autorestart=false"), rules, post) as (
        here,
        agent,
    ):
        agent.up("web")
        before = here.kill("web")
        after = agent.up("web", but=before)

        assert here.pid("web") == after
        assert post.told(2) == ["CRITICAL web: not running", "RECOVERED web: running again"]
        assert "EXITED: Bad exit code -1 (a signal)" in post.read[0].text


def test_a_crash_that_supervisord_repairs(post: Postbox) -> None:
    """What supervisord restarts is told as its doing, and not raced."""
    rules = "check service web\n  if failed then restart\n"
    with watched(program("web", "/bin/sleep 1000", "startsecs=1"), rules, post) as (here, agent):
        agent.up("web")
        before = here.kill("web")
        agent.logged("restart web refused, MANAGER_IS_RESTARTING")
        after = agent.up("web", but=before)
        agent.cycles(3)

        assert here.pid("web") == after
        assert post.told(2) == ["CRITICAL web: not running", "RECOVERED web: running again"]
        assert re.search("STARTING: (supervisord restarts it|Bad exit)", post.read[0].text)
        assert f"web is running as process {after}, started by its manager" in post.read[1].text
        assert agent.lines("web: restart:") == []


def test_a_stop_by_the_operator(post: Postbox) -> None:
    """Is told, is no failure, and is left alone; `if down then restart` starts it."""
    rules = "check service web\n  if failed then start\n"
    with watched(program("web"), rules, post) as (here, agent):
        agent.up("web")
        here.ctl("stop", "web")
        web = agent.service("web", lambda web: web["state"] == "down")
        agent.cycles(3)
        left_alone = here.state("web")
        agent.write("rules", "check service web\n  if down then restart\n")
        assert agent.ctl("reload").returncode == 0
        agent.logged("web: restart succeeded")

        assert (web["reason"], left_alone) == ("STOPPED", "STOPPED")
        assert agent.up("web") == here.pid("web")
        assert post.told(2) == ["CRITICAL web: not running", "RECOVERED web: running again"]


def test_a_leak_is_restarted(post: Postbox) -> None:
    """A program that leaks is restarted once, by the command that is told in the log."""
    rules = "check service leaky\n  if memory:rss > 50m then restart, alert\n"
    with watched(program("leaky", LEAKY), rules, post) as (here, agent):
        before = agent.up("leaky")
        here.ctl("signal", "USR1", "leaky")
        after = int(agent.logged(r"leaky: restart succeeded, process (\d+)")[1])
        agent.cycles(3)

        assert before != after == here.pid("leaky")
        assert [line.split(" -m ")[1] for line in agent.lines("leaky: restart:")] == [
            "inspect_agent.workers.supervisord restart leaky"
        ]
        assert post.told(2) == [
            "CRITICAL leaky: memory:rss > 50m",
            "RECOVERED leaky: memory:rss > 50m",
        ]


def test_reload_and_stop() -> None:
    """`then reload` is SIGHUP to the process; `then stop` has supervisord stop it."""
    programs = program("reloads", RELOADS) + program("stops")
    rules = "check service reloads\n  if memory:rss > 1k then reload\n"
    rules += "check service stops\n  if memory:rss > 1k then stop\n"
    with watched(programs, rules) as (here, agent):
        agent.logged("reloads: reload succeeded")
        agent.service("stops", lambda stops: stops["reason"] == "STOPPED")

        until((here.machine.root / "run/reloaded").exists, bool)
        assert agent.up("reloads") == here.pid("reloads")
        assert here.state("stops") == "STOPPED"


def test_names() -> None:
    """Groups are named as supervisord does; what it does not know is absent, and why."""
    names = {
        "nope": "it knows no nope",
        "pool": "pool is a group of 2: name one, as pool:pool_00",
        "../web": "'../web' cannot be the name of a process",
        "shop:*": "'shop:*' cannot be the name of a process",
        "$(reboot)": "it knows no $(reboot)",
        "-x": "it knows no -x",
    }
    rules = "".join(f'check service "{name}"\n' for name in ("pool:pool_01", "alone", *names))
    pool = "process_name=%(program_name)s_%(process_num)02d"
    programs = program("pool", "/bin/sleep 1000", "numprocs=2", pool)
    programs += program("alone", "/bin/sleep 1000", "process_name=other")
    with watched(programs, rules) as (here, agent):
        assert agent.up("pool:pool_01") == here.pid("pool:pool_01")
        assert agent.up("alone") == here.pid("alone:other")
        for name, words in names.items():
            absent = agent.service(name, lambda one: one["state"] == "absent")
            assert f"supervisord: {words}" in absent["reason"]


def test_supervisord_ends_and_comes_back(post: Postbox) -> None:
    """Its programs end with it, which is told with why; when it is back so are they."""
    with watched(program("web"), "check service web\n", post) as (here, agent):
        before = agent.up("web")
        here.stop()
        agent.service("web", lambda web: web["reason"].endswith(f"supervisord: {NO_SOCKET}"))
        assert post.told(1) == ["CRITICAL web: not running"]
        here.start()
        after = agent.up("web", but=before)

        assert f"its process has ended; supervisord: {NO_SOCKET}" in post.read[0].text
        assert here.pid("web") == after
        assert post.told(1) == ["RECOVERED web: running again"]


def test_supervisord_is_restarted(post: Postbox) -> None:
    """`supervisorctl reload` ends and starts all programs: told as its doing, and not raced."""
    rules = "check service web\n  if failed then restart\n"
    with watched(program("web", "/bin/sleep 1000", "startsecs=1"), rules, post) as (here, agent):
        before = agent.up("web")
        here.ctl("reload")
        after = agent.up("web", but=before)

        assert here.pid("web") == after
        assert post.told(2) == ["CRITICAL web: not running", "RECOVERED web: running again"]
        assert agent.lines("web: restart:") == []


def test_supervisord_hangs(post: Postbox) -> None:
    """While it does nothing its program is unknown with the reason, and cycles go on."""
    with watched(program("web"), "check service web\n", post) as (here, agent):
        before = agent.up("web")
        here.machine.tell("kill", "-STOP", str(here.daemon()))
        here.machine.tell("kill", "-KILL", str(before))
        web = agent.service("web", lambda web: not web["answers"])
        agent.cycles(3)
        here.machine.tell("kill", "-CONT", str(here.daemon()))
        after = agent.up("web", but=before)

        assert web["reason"] == f"supervisord: unix:///{SOCKET}: no answer within 5 s"
        assert here.pid("web") == after
        assert post.told(1) == ["WARNING web: has another process"]


def test_a_password_stays_a_secret(post: Postbox) -> None:
    """It is in no log, no status, no alert and no file of the agent's, be it right or wrong."""
    server = f"[inet_http_server]\nport=127.0.0.1:{PORT}\nusername=ann\npassword=sesame-open\n"
    rules = "check service web\n  if failed then restart, alert\n"
    programs = program("web", "/bin/sleep 1000", "autorestart=false")
    with watched(programs, rules, post, server) as (here, agent):
        before = agent.up("web")
        here.machine.tell("kill", "-KILL", str(before))
        after = int(agent.logged(r"web: restart succeeded, process (\d+)")[1])
        told = post.told(2)
        here.configure(server.replace("sesame-open", "sesame-shut"))
        here.machine.tell("kill", "-KILL", str(after))
        web = agent.service("web", lambda web: "refuses" in web["reason"])
        kept = here.machine.run(["grep", "-rl", "sesame", str(INSIDE)])
        said = [agent.say(b"status\n"), str(agent.export()), *(mail.text for mail in post.read)]

    said += [line.text for line in agent.log.lines]
    assert sorted(told) == ["CRITICAL web: failed", "CRITICAL web: not running"]
    assert web["reason"].endswith(
        f"supervisord: http://127.0.0.1:{PORT}: it refuses username and password of"
        " /etc/supervisor/supervisord.conf"
    )
    assert (kept.returncode, kept.stdout) == (1, "")
    assert [text for text in said if "sesame" in text] == []


def test_the_fleet_on_supervisord(post: Postbox) -> None:
    """BACKOFF and FATAL are told, no life of the agent's touches a program, reload is told in full.

    One program makes a daemon of itself, and so ends again and again; one cannot start.
    """
    daemonises = "/bin/sh -c 'setsid sleep 1000 < /dev/null > /dev/null 2>&1 & exit 0'"
    programs = program("daemonises", daemonises, "startsecs=1", "startretries=1000")
    programs += program("broken", "/bin/false", "startsecs=1", "startretries=0") + program("web")
    rules = "check service daemonises\n  if failed then restart\ncheck service broken\n"
    with watched(programs, rules, post) as (here, agent):
        agent.write("web", "check service web\n")
        added = agent.ctl("reload")
        told = post.told(2)
        looping = agent.service("daemonises", lambda one: "BACKOFF" in one["reason"])
        broken = agent.service("broken", lambda one: one["state"] == "failed")
        agent.up("web")
        pids = here.daemon(), here.pid("web")
        agent.kill()
        agent.start()
        agent.restart()
        agent.up("web")
        untouched = here.daemon(), here.pid("web")
        agent.write("copy", "check service web\n")
        refused = agent.ctl("reload")
        agent.write("copy", "check service shop\n")
        agent.write("web", "check service web\n  if down then alert\n")
        agent.write("rules", "check service daemonises\n  if failed then restart\n")
        reloaded = agent.ctl("reload")

    assert (added.returncode, added.stdout, added.stderr) == (0, "Reloaded\nadded web\n", "")
    assert sorted(told) == ["CRITICAL broken: not running", "CRITICAL daemonises: not running"]
    assert looping["reason"] == f"BACKOFF: {TOO_QUICKLY}"
    assert looping["refused"] == (
        "restart daemonises refused, MANAGER_IS_RESTARTING: its manager is restarting it"
    )
    assert broken["reason"] == f"FATAL: {TOO_QUICKLY}"
    assert untouched == pids
    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", TWICE)
    assert (reloaded.returncode, reloaded.stdout, reloaded.stderr) == (
        0,
        "Reloaded\nadded shop\nchanged web\nremoved broken\n",
        "",
    )
