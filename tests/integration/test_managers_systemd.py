"""The systemd manager against a real systemd."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping

import pytest

from inspect_agent.managers import detect
from inspect_agent.managers.systemd import Systemd
from inspect_agent.model.observation import Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import Budget, ServiceCheck
from inspect_agent.ports import Question
from tests.integration.systemd_machine import SystemdMachine

pytestmark = pytest.mark.systemd

RUNNING = "[Service]\nExecStart=/bin/sleep 1000\n"
BUSY = """
import os, signal, socket
held = bytearray(30 << 20)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
signal.pause()
"""
ASK_TOTAL = """
import json, sys
from inspect_agent.model.metric import MetricId
from inspect_agent.sources.process import ProcessSource, machine_processes
main = machine_processes().identify(int(sys.argv[1]))
asked = [MetricId("memory", "total_rss"), MetricId("cpu", "total_user")]
for cgroup in (sys.argv[2], None):
    print(json.dumps(ProcessSource().open(main._replace(cgroup=cgroup), asked).read()))
"""
ASK = """
import json, sys
from inspect_agent.model.metric import MetricId
from inspect_agent.sources.process import ProcessSource, machine_processes
from inspect_agent.sources.wrapper import busy_child
processes = machine_processes()
main = processes.identify(int(sys.argv[1]))._replace(cgroup="/system.slice/wrapped.service")
child = busy_child(main, processes)
total = ProcessSource().open(main, [MetricId("memory", "total_rss")]).read()[0]
print(json.dumps({"comm": child.comm, "rss": child.rss_bytes, "total_rss": total}))
"""


def check(name: str) -> ServiceCheck:
    """A check of a service."""
    return ServiceCheck(name, "services.d/x.inq:1", Budget(3, 600.0))


def look(
    machine: SystemdMachine, *names: str, manager: Systemd | None = None
) -> Mapping[str, Observation]:
    """What the manager learns about these services, but for how often it has restarted them."""
    seen = look_in_full(machine, *names, manager=manager)
    return {name: one._replace(restarts=None) for name, one in seen.items()}


def look_in_full(
    machine: SystemdMachine, *names: str, manager: Systemd | None = None
) -> Mapping[str, Observation]:
    """All that the manager learns about these services."""
    question = (manager or Systemd()).look([check(name) for name in names])
    assert isinstance(question, Question)
    seen: Mapping[str, Observation] = question.parse(answer(machine, question.command.argv))
    return seen


def glance(machine: SystemdMachine, manager: Systemd, *names: str) -> Mapping[str, str]:
    """The fingerprints of these services."""
    question = manager.glance([check(name) for name in names])
    assert isinstance(question, Question)
    seen: Mapping[str, str] = question.parse(answer(machine, question.command.argv))
    return seen


def do(machine: SystemdMachine, verb: Verb, name: str) -> Finished:
    """Runs what the manager gives as the command for this verb."""
    command = Systemd().command(verb, check(name))
    assert command is not None
    return answer(machine, command.argv)


def answer(machine: SystemdMachine, argv: tuple[str, ...]) -> Finished:
    """How a command ended inside the machine."""
    ran = machine.run(argv, env={"LC_ALL": "C", "PATH": os.environ["PATH"]})
    return Finished(ran.returncode, ran.stdout, ran.stderr)


def main_pid(machine: SystemdMachine, unit: str) -> int:
    """The main process that systemd itself tells."""
    return int(machine.systemctl("show", "--property=MainPID", "--value", "--", unit))


def start(machine: SystemdMachine, unit: str, text: str) -> None:
    """Writes a unit and starts it, whether it succeeds or not."""
    machine.write_unit(unit, text)
    machine.run(["systemctl", "start", "--", unit])


def test_present_is_asked_of_pid_1(machine: SystemdMachine) -> None:
    """The manager is present where PID 1 is systemd."""
    assert detect.systemd(str(machine.root))
    assert not detect.systemd()


def test_running(machine: SystemdMachine) -> None:
    """A running service is up, with its main process and its control group."""
    start(machine, "running.service", RUNNING)

    assert look(machine, "running") == {
        "running": Observation(
            "up",
            main_pid(machine, "running"),
            "active (running)",
            "/system.slice/running.service",
            restarts_itself=False,
        )
    }
    assert machine.run(["cat", f"/proc/{main_pid(machine, 'running')}/comm"]).stdout == "sleep\n"


def test_stopped(machine: SystemdMachine) -> None:
    """A service that was stopped is down, and stays so although systemd would restart it."""
    start(machine, "stopped.service", f"{RUNNING}Restart=always\n")
    machine.systemctl("stop", "stopped")

    assert look(machine, "stopped.service") == {
        "stopped.service": Observation("down", None, "inactive (dead), Result=success")
    }


def test_killed(machine: SystemdMachine) -> None:
    """A service whose process was killed has failed, and the signal is named."""
    start(machine, "killed.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'kill -9 $$$$'")

    assert look(machine, "killed")["killed"] == Observation(
        "failed", None, "failed, Result=signal, signal=KILL"
    )


def test_exited(machine: SystemdMachine) -> None:
    """A service whose process ended with a status has failed, and the status is named."""
    start(machine, "exited.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'exit 7'")

    assert look(machine, "exited")["exited"] == Observation(
        "failed", None, "failed, Result=exit-code, status=7"
    )


def test_crash_loop(machine: SystemdMachine) -> None:
    """Between two crashes a service is starting, and systemd is going to restart it."""
    start(
        machine,
        "loop.service",
        "[Service]\nType=notify\nExecStart=/bin/sh -c 'exit 3'\nRestart=on-failure\nRestartSec=600",
    )

    assert look(machine, "loop")["loop"] == Observation(
        "starting",
        None,
        "activating (auto-restart), Result=exit-code, status=3",
        restarts_itself=True,
    )


def test_given_up(machine: SystemdMachine) -> None:
    """A service that systemd restarts no more has failed, and is not going to be restarted."""
    unit = "[Unit]\nStartLimitBurst=1\nStartLimitIntervalSec=600\n"
    unit += "[Service]\nType=oneshot\nExecStart=/bin/false\nRestart=on-failure\nRestartSec=0"
    machine.write_unit("given-up.service", unit)
    machine.run(["systemctl", "start", "--wait", "given-up"])

    seen = look(machine, "given-up")["given-up"]
    assert (seen.status, seen.restarts_itself) == ("failed", False)
    assert seen.reason == "failed, Result=exit-code, status=1"


def test_restart_policy(machine: SystemdMachine) -> None:
    """A running service that systemd restarts whenever it fails says so."""
    start(machine, "always.service", f"{RUNNING}Restart=always\n")

    assert look(machine, "always")["always"].restarts_itself


def test_oneshot(machine: SystemdMachine) -> None:
    """A oneshot that remains is up without a process; one that does not is down."""
    oneshot = "[Service]\nType=oneshot\nExecStart=/bin/true\n"
    start(machine, "remains.service", f"{oneshot}RemainAfterExit=yes\n")
    start(machine, "done.service", oneshot)

    assert look(machine, "remains", "done") == {
        "remains": Observation("up", None, "active (exited)"),
        "done": Observation("down", None, "inactive (dead), Result=success"),
    }


def test_unknown_masked_and_unreadable_units(machine: SystemdMachine) -> None:
    """A unit that is not there is absent; one that cannot run says why, in systemd's words."""
    machine.run(["ln", "-s", "/dev/null", "/run/systemd/system/masked.service"])
    machine.write_unit("bad.service", "[Service]\nExecStart=not/absolute\n")

    assert look(machine, "nope", "masked", "bad") == {
        "nope": Observation("absent", None, "Unit nope.service not found."),
        "masked": Observation("down", None, "Unit masked.service is masked."),
        "bad": Observation("failed", None, "Unit bad.service has a bad unit file setting."),
    }


def test_restarts_are_counted(machine: SystemdMachine) -> None:
    """Those of systemd itself; an operator's restart is none, and begins the count anew."""
    start(machine, "counted.service", f"{RUNNING}Restart=always\nRestartSec=100ms\n")
    counts = [look_in_full(machine, "counted")["counted"].restarts]
    machine.systemctl("kill", "--signal=KILL", "counted")
    counted = "until systemctl show -p NRestarts counted | grep -qx NRestarts=1; do :; done"
    machine.run(["sh", "-c", counted])
    counts.append(look_in_full(machine, "counted")["counted"].restarts)
    machine.systemctl("restart", "counted")
    counts.append(look_in_full(machine, "counted")["counted"].restarts)

    assert counts == [0, 1, 0]


LATE = """[Service]
Type=forking
PIDFile=/run/tardy.pid
ExecStartPre=/usr/bin/mkfifo /run/tardy.go
ExecStart=/bin/sh -c 'setsid sh /run/tardy.sh &'
"""
LATE_DAEMON = "read go < /run/tardy.go\necho $$ > /run/tardy.pid\nexec sleep 99\n"


def test_a_pid_file_that_appears_late(machine: SystemdMachine) -> None:
    """Until then a daemon that has forked is starting; afterwards it is up with that process."""
    (machine.root / "run/tardy.sh").write_text(LATE_DAEMON)
    machine.write_unit("tardy.service", LATE)
    starts = machine.popen(["systemctl", "start", "tardy"])
    machine.run(["sh", "-c", "until test -p /run/tardy.go; do sleep 0.05; done"])
    before = look(machine, "tardy")["tardy"]
    machine.run(["sh", "-c", "echo go > /run/tardy.go"])
    assert starts.wait(30) == 0
    after = look(machine, "tardy")["tardy"]

    assert (before.status, before.pid) == ("starting", None)
    assert (after.status, after.pid) == ("up", main_pid(machine, "tardy"))
    assert machine.run(["cat", "/run/tardy.pid"]).stdout == f"{after.pid}\n"


def test_removed_while_running(machine: SystemdMachine) -> None:
    """A service whose unit file was removed under it is up until it ends, and absent then."""
    start(machine, "removed.service", RUNNING)
    machine.run(["rm", "/run/systemd/system/removed.service"])
    machine.systemctl("daemon-reload")
    running = look(machine, "removed")["removed"]
    machine.systemctl("stop", "removed")

    assert (running.status, running.reason) == ("up", "active (running)")
    assert look(machine, "removed")["removed"].status == "absent"


def test_instances(machine: SystemdMachine) -> None:
    """An instance is a service of its own; a template alone spoils no answer for the others."""
    machine.write_unit("worker@.service", RUNNING)
    machine.systemctl("start", "worker@1")

    assert look(machine, "worker@1", "worker@2", "worker@") == {
        "worker@1": Observation(
            "up",
            main_pid(machine, "worker@1"),
            "active (running)",
            "/system.slice/system-worker.slice/worker@1.service",
        ),
        "worker@2": Observation("down", None, "inactive (dead), Result=success"),
        "worker@": Observation("absent", None, "worker@ is a template: name an instance of it"),
    }


def test_alias(machine: SystemdMachine) -> None:
    """A service is found by each of its names, and a glance sees it under all of them."""
    machine.run(["ln", "-s", "named.service", "/run/systemd/system/other-name.service"])
    start(machine, "named.service", RUNNING)
    manager = Systemd()
    up = look(machine, "other-name", "named", manager=manager)
    before = glance(machine, manager, "other-name", "named")
    machine.systemctl("stop", "named")

    assert up["other-name"] == up["named"]
    assert up["named"].pid is not None
    assert before == dict.fromkeys(("other-name", "named"), "loaded active running")
    assert "loaded active running" not in glance(machine, manager, "other-name", "named").values()


def test_glance_tells_failed_from_stopped(machine: SystemdMachine) -> None:
    """A glance shows the states that systemd keeps, and what it does not keep."""
    start(machine, "glanced.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n")

    assert glance(machine, Systemd(), "glanced", "unheard-of") == {
        "glanced": "loaded failed failed",
        "unheard-of": "not in memory",
    }


def test_other_types_of_units(machine: SystemdMachine) -> None:
    """A unit of another type is asked for as it is written."""
    machine.write_unit("door.socket", "[Socket]\nListenStream=/run/door\n")
    machine.write_unit("door.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    machine.systemctl("start", "door.socket")

    assert look(machine, "door.socket")["door.socket"] == Observation(
        "up", None, "active (listening)", "/system.slice/door.socket"
    )


def test_stopping_and_going_on(machine: SystemdMachine) -> None:
    """A service that is being stopped is up for as long as its main process runs."""
    stop = "/bin/sh -c 'echo asked > /run/asked; read go < /run/go'"
    machine.run(["mkfifo", "/run/asked", "/run/go"])
    start(machine, "slow.service", f"{RUNNING}ExecStop={stop}\n")
    pid = main_pid(machine, "slow")
    machine.systemctl("stop", "--no-block", "slow")
    assert (machine.root / "run/asked").read_text() == "asked\n"
    stopping = look(machine, "slow")["slow"]
    (machine.root / "run/go").write_text("\n")
    machine.systemctl("stop", "slow")

    assert stopping == Observation("up", pid, "deactivating (stop)", "/system.slice/slow.service")
    assert look(machine, "slow")["slow"].status == "down"


def test_start_stop_restart(machine: SystemdMachine) -> None:
    """The commands start, stop and restart a service; a restart starts a stopped one."""
    machine.write_unit("repaired.service", RUNNING)
    pids = []
    verbs: tuple[Verb, ...] = ("start", "restart", "stop", "restart")
    for verb in verbs:
        assert do(machine, verb, "repaired") == Finished(0, "", "")
        pids.append(look(machine, "repaired")["repaired"].pid)

    assert pids[2] is None
    assert len({pids[0], pids[1], pids[3], None}) == 4


def test_reload(machine: SystemdMachine) -> None:
    """A reload keeps the process, and is an error in systemd's words where there is none."""
    reload = "ExecReload=/bin/touch /run/reloaded\n"
    start(machine, "reloads.service", f"{RUNNING}{reload}")
    start(machine, "reloads-not.service", RUNNING)
    pid = main_pid(machine, "reloads")
    failed = do(machine, "reload", "reloads-not")

    assert do(machine, "reload", "reloads") == Finished(0, "", "")
    assert (machine.root / "run/reloaded").exists()
    assert main_pid(machine, "reloads") == pid
    assert failed.exit_status != 0
    assert "not applicable for unit reloads-not.service" in failed.stderr


def test_hostile_names(machine: SystemdMachine) -> None:
    """Names that systemctl would read something else into are refused, the others answered."""
    start(machine, "-dash.service", RUNNING)
    refused = ("a b", "../x", "/etc/passwd", 'x"y', "x;y", "*", "")

    assert look(machine, "-dash", "--help", *refused) == {
        "-dash": Observation(
            "up",
            main_pid(machine, "-dash.service"),
            "active (running)",
            "/system.slice/-dash.service",
        ),
        "--help": Observation("absent", None, "Unit --help.service not found."),
        **{
            name: Observation("absent", None, f"{name!r} cannot be the name of a unit")
            for name in refused
        },
    }


def test_a_wrapper_and_its_busy_child(machine: SystemdMachine) -> None:
    """Where su is the main process the one that works is found, and counts in the total."""
    (machine.root / "run/busy.py").write_text(BUSY)
    command = f"{sys.executable} /run/busy.py; true"
    wrapper = f"ExecStart=/bin/su root -s /bin/sh -c '{command}'\n"
    start(machine, "wrapped.service", f"[Service]\nType=notify\nNotifyAccess=all\n{wrapper}")
    main = main_pid(machine, "wrapped")
    ran = machine.run([sys.executable, "-c", ASK, str(main)])
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)

    assert machine.run(["cat", f"/proc/{main}/comm"]).stdout == "su\n"
    assert told["comm"].startswith("python")
    assert told["total_rss"] > told["rss"] > 30 << 20


def test_a_total_covers_the_control_group(machine: SystemdMachine) -> None:
    """Orphans of a service count in its totals, for they are in its control group."""
    (machine.root / "run/busy.py").write_text(BUSY)
    orphan = f"({sys.executable} /run/busy.py &); exec sleep 1000"
    unit = f"[Service]\nType=notify\nNotifyAccess=all\nExecStart=/bin/sh -c '{orphan}'\n"
    start(machine, "orphans.service", unit)
    seen = look(machine, "orphans")["orphans"]
    argv = [sys.executable, "-c", ASK_TOTAL, str(seen.pid), str(seen.cgroup)]
    ran = machine.run(argv)
    assert ran.returncode == 0, ran.stderr
    group, main_alone = map(json.loads, ran.stdout.splitlines())

    assert group[0] > 30 << 20 > main_alone[0] > 0
    assert group[1] >= main_alone[1]
