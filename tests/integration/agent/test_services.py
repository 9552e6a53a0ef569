"""The agent over services of a real systemd, telling a real mail server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.post import Postbox
from tests.integration.running import RunningAgent, metric_of
from tests.integration.systemd_machine import SystemdMachine
from tests.integration.units import Units, exec_start, leaky

pytestmark = pytest.mark.systemd


def test_a_leak_is_restarted_once(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """A service that leaks is restarted when it passes its threshold, and not when it recovers."""
    before = units.start("sidekiq", leaky())
    rules = "check service sidekiq\n  if memory:rss > 50m then restart, alert\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        agent.up("sidekiq")
        machine.systemctl("kill", "--signal=USR1", "sidekiq")
        assert post.told(2) == [
            "CRITICAL sidekiq: memory:rss > 50m",
            "RECOVERED sidekiq: memory:rss > 50m",
        ]
        after = agent.logged(r"sidekiq: restart succeeded, process (\d+)")[1]
        agent.cycles(5)

        assert before != int(after) == units.pid("sidekiq")
        assert agent.lines("sidekiq: restart:") == [
            "sidekiq: restart: systemctl --no-ask-password restart -- sidekiq.service"
        ]
        assert post.rest() == []


def test_a_leak_that_goes_on_spends_the_budget(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """One that leaks on is restarted each time its hold is met anew, until the budget is spent."""
    units.start("sidekiq", leaky("64"))
    rules = "check service sidekiq with restarts 2/10m\n"
    rules += "  if memory:rss > 50m for 2 cycles then restart, alert\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        assert post.told(2) == [
            "CRITICAL sidekiq: memory:rss > 50m for 2 cycles",
            "CRITICAL sidekiq: repair budget spent",
        ]
        agent.cycles(5)
        shown = agent.say(b"status\n")

        assert len(agent.lines("sidekiq: restart:")) == 2
        assert len(agent.lines("sidekiq: restart succeeded")) == 2
        assert "repaired 2 times within 10 minutes and still not well" in post.read[-1].text
        assert re.search(r"  repairs paused for 4m5\ds: the budget is spent\n", shown)
        assert post.rest() == []


def test_a_death_is_noticed_at_once_and_mailed(
    machine: SystemdMachine, units: Units, inside: Path, guarded_post: Postbox
) -> None:
    """A kill -9 is seen long before the next cycle and mailed, and so is the return soon after."""
    before = units.start("redis", f"{exec_start('idle')}\nRestart=on-failure\nRestartSec=200ms")
    post, login = guarded_post, 'tls starttls, username pager, password "open sesame"'
    sends, settings = post.send(params=login), {"cycle_time": "1h"}
    with RunningAgent(inside, "check service redis", sends, settings, machine) as agent:
        units.kill("redis")
        lost, back = post.next(), post.next()
        after = agent.up("redis", but=before)

        assert lost.headlines == ("CRITICAL redis: not running",)
        assert "activating (auto-restart), Result=signal, signal=KILL" in lost.text
        assert back.headlines == ("RECOVERED redis: running again",)
        assert f"process {after}" in back.text
        assert (lost.letter.encrypted, lost.letter.login) == (True, "pager")


def test_a_service_that_is_installed_later_is_found(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """What is not there at the start is told, and found without a reload when it is installed."""
    with RunningAgent(inside, "check service late", post.send(), place=machine) as agent:
        absent = agent.service("late", lambda late: late["state"] == "absent")
        pid = units.start("late", exec_start("idle"))

        assert agent.up("late") == pid
        assert absent["reason"].startswith("systemd: Unit late.service not found.")
        assert post.told(2) == ["CRITICAL late: not running", "RECOVERED late: running again"]


def test_a_stopped_service_is_left_alone(
    machine: SystemdMachine, units: Units, inside: Path
) -> None:
    """A service that somebody stopped is down in systemd's words, and no failure to repair."""
    units.start("web", exec_start("idle"))
    rules = "check service web\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up("web")
        machine.systemctl("stop", "web")
        agent.service("web", lambda web: web["state"] == "down")
        agent.cycles(3)

        assert agent.say(b"status\n").endswith(
            "Service: web [Down] systemd\n"
            "  inactive (dead), Result=success\n"
            "  cpu:system                          no data (not running)\n"
            "  cpu:user                            no data (not running)\n"
            "  memory:rss                          no data (not running)\n"
            "  failed                              no\n"
        )
        assert agent.lines("start") == agent.lines("inspect-agent .* starts")


def test_a_failed_service_is_started(machine: SystemdMachine, units: Units, inside: Path) -> None:
    """A service that crashed and is not brought back by systemd is started."""
    before = units.start("web", exec_start("idle"))
    rules = "check service web\n  if failed then start\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.up("web")
        units.kill("web")
        agent.logged("web is not running .failed.: failed, Result=signal, signal=KILL")

        assert agent.up("web", but=before) == units.pid("web")


def test_instances_of_a_template(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """Each instance of a template is a service of its own."""
    units.write("sidekiq@", exec_start("idle"))
    machine.systemctl("start", "sidekiq@1", "sidekiq@2")
    rules = "check service sidekiq@1\ncheck service sidekiq@2\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        pids = [agent.up("sidekiq@1"), agent.up("sidekiq@2")]
        machine.systemctl("stop", "sidekiq@1")
        agent.service("sidekiq@1", lambda one: one["state"] == "down")

        assert post.told(1) == ["CRITICAL sidekiq@1: not running"]
        assert agent.up("sidekiq@2") == pids[1] == units.pid("sidekiq@2")


def test_a_wrapper_is_shown_as_such(machine: SystemdMachine, units: Units, inside: Path) -> None:
    """Where su is the main process, status names the one that works and the metric that counts."""
    busy = exec_start("leaky", "64").removeprefix("ExecStart=")
    units.start("wrapped", f"ExecStart=/bin/su root -s /bin/sh -c '{busy}; true'")
    rules = "check service wrapped\n  if memory:total_rss > 60m then alert\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.logged("wrapped: memory:total_rss > 60m is true")
        wrapped = agent.service("wrapped", lambda wrapped: wrapped["wrapper"])
        rss, total = (
            metric_of(wrapped, name)["value"] for name in ("memory:rss", "memory:total_rss")
        )

        assert re.fullmatch(
            r"process (\d+) only wraps python\S* \(process \d+, \d+\.\d\dm\): memory:rss is the"
            r" wrapper's, memory:total_rss is both's",
            wrapped["wrapper"],
        )
        assert rss < 16 << 20 < 64 << 20 < total
        assert f"  {wrapped['wrapper']}\n" in agent.say(b"status\n")


def test_a_unit_without_a_process_is_up(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """A oneshot that remains is up without a PID, and its stop is told."""
    units.start("firewall", "Type=oneshot\nExecStart=/bin/true\nRemainAfterExit=yes")
    with RunningAgent(inside, "check service firewall", post.send(), place=machine) as agent:
        up = agent.service("firewall", lambda firewall: firewall["state"] == "up")
        shown = agent.say(b"status\n")
        machine.systemctl("stop", "firewall")

        assert (up["pid"], up["reason"]) == (None, "active (exited)")
        assert "Service: firewall [Up] systemd\n" in shown
        assert post.told(1) == ["CRITICAL firewall: not running"]


def test_a_service_that_keeps_dying_is_told_once(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """The fifth death within ten minutes is a crash loop, and the deaths after it are not told."""
    service = f"{exec_start('idle')}\nRestart=always\nRestartSec=100ms"
    units.start("mayfly", service, unit="StartLimitIntervalSec=0")
    with RunningAgent(inside, "check service mayfly", post.send(), place=machine) as agent:
        pid = agent.up("mayfly")
        for _ in range(6):
            units.kill("mayfly")
            pid = agent.up("mayfly", but=pid)

        assert post.told(9) == [
            *["CRITICAL mayfly: not running", "RECOVERED mayfly: running again"] * 4,
            "CRITICAL mayfly: keeps dying",
        ]
        agent.cycles(3)
        assert agent.service("mayfly", lambda mayfly: mayfly["crash_loop"])["state"] == "up"
        assert post.rest() == []


def test_reload_keeps_the_process(machine: SystemdMachine, units: Units, inside: Path) -> None:
    """`then reload` runs the unit's own reload, which is not verified by a new process."""
    pid = units.start("web", f"{leaky('64')}\nExecReload=/bin/kill -USR2 $MAINPID")
    rules = "check service web\n  if memory:rss > 50m then reload\n"
    with RunningAgent(inside, rules, place=machine) as agent:
        agent.logged("web: reload succeeded")
        agent.logged("web: memory:rss > 50m is over")

        assert agent.up("web") == pid


def test_a_repair_that_fails_is_told_in_the_managers_words(
    machine: SystemdMachine, units: Units, inside: Path, post: Postbox
) -> None:
    """A start that fails is told with what systemctl said, and tried again."""
    units.write("broken", "Type=oneshot\nExecStart=/bin/false")
    machine.run(["systemctl", "start", "broken"])
    rules = "check service broken with restarts 1/10m\n  if failed then start\n"
    with RunningAgent(inside, rules, post.send(), place=machine) as agent:
        agent.logged("broken: start failed: exit 1: Job for broken.service failed")

        assert post.told(3) == [
            "CRITICAL broken: not running",
            "CRITICAL broken: repair failed",
            "CRITICAL broken: repair budget spent",
        ]
