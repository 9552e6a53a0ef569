from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers import detect
from inspect_agent.managers.openrc import Openrc
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.ports import Question
from tests.managers.builders import check
from tests.sources.living import gone, living

START = """
rc-service -- "$1" --nodeps stop
rc-service -- "$1" zap && exec rc-service -- "$1" start
"""
STOP = """
rc-service -- "$1" stop || exec rc-service -- "$1" zap
"""


class Machine:
    """The files of a machine that OpenRC has brought up, and processes on it."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self.root, self._stack = root, stack
        self.manager = Openrc(str(root))
        (root / "etc/init.d").mkdir(parents=True)
        (root / "proc").symlink_to("/proc")
        self.write("run/openrc/softlevel", "default")

    def write(self, file: str, text: object) -> Path:
        """Writes a file."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(text))
        return path

    def script(self, name: str, text: str = "") -> Path:
        """Writes a script."""
        path = self.write(f"etc/init.d/{name}", f"#!/sbin/openrc-run\n{text}")
        path.chmod(0o755)
        return path

    def service(self, name: str, state: str = "", text: str = "") -> None:
        """A service with a script, in this state; it leaves its former one."""
        script = self.script(name, text)
        for old in self.root.glob(f"run/openrc/[sif]*/{name}"):
            old.unlink()
        if state:
            folder = self.root / "run/openrc" / state
            folder.mkdir(exist_ok=True)
            (folder / name).symlink_to(script)

    def started(self, name: str, state: str = "started") -> subprocess.Popen[str]:
        """A service with a daemon and a PID file that OpenRC knows of; the daemon."""
        self.service(name, state)
        self.write(f"run/openrc/daemons/{name}/001", f"exec=/bin/app\npidfile=/run/{name}.pid\n")
        process = self.process()
        self.write(f"run/{name}.pid", f"{process.pid}\n")
        return process

    def process(self) -> subprocess.Popen[str]:
        """A process that lives as long as the test, or until it is killed."""
        return self._stack.enter_context(living("sh", "-c", "echo; read x"))

    def look(self, name: str) -> Observation:
        """Where a service is whose files tell it."""
        seen = self.manager.look([check(name)])
        assert not isinstance(seen, Question), f"asked: {seen.command.argv}"
        return seen[name]

    def answer(self, name: str, printed: str) -> Observation:
        """Where a service is whose script is asked, and its status action ends so."""
        question = self.manager.look([check(name)])
        assert isinstance(question, Question)
        assert question.command.argv[-1] == f"{self.root}/etc/init.d/{name}"
        return question.parse(Finished(0, f"1 {printed}\n", ""))[name]

    def glance(self, name: str) -> str:
        """The fingerprint of a service."""
        return self.manager.glance([check(name)])[name]

    def argv(self, verb: str, name: str) -> tuple[str, ...] | None:
        """The command for a verb."""
        command = self.manager.command(verb, check(name))  # type: ignore[arg-type]
        return command.argv if command is not None else None


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine without services."""
    with ExitStack() as stack:
        yield Machine(tmp_path, stack)


def end(process: subprocess.Popen[str]) -> None:
    """Ends a process, and waits for that."""
    process.kill()
    process.wait()


def test_it_runs_where_openrc_has_booted(machine: Machine, tmp_path: Path) -> None:
    """It is detected by the runlevel; without one everything is unknown."""
    machine.service("web")
    assert detect.openrc(str(tmp_path))
    (tmp_path / "run/openrc/softlevel").unlink()
    assert not detect.openrc(str(tmp_path))
    said = f"there is no {tmp_path}/run/openrc/softlevel: OpenRC is in no runlevel"
    for asked in (machine.manager.look, machine.manager.glance):
        with pytest.raises(ManagerError) as raised:
            asked([check("web")])
        assert str(raised.value) == said


def test_where_services_at_rest_are(machine: Machine) -> None:
    """Stopped is down; what supervise-daemon gave up has failed; what has no script is absent."""
    machine.service("stopped")
    machine.service("failed", "failed")
    assert machine.look("stopped") == Observation("down", reason="stopped")
    assert machine.look("failed") == Observation("failed", reason="stopped, and marked as failed")
    assert machine.look("nope") == Observation(
        "absent",
        reason="there is no executable nope in /usr/local/etc/init.d, /etc/init.d, /usr/etc/init.d",
    )


def test_a_script_that_openrc_does_not_run(machine: Machine) -> None:
    """rc-service runs the scripts of init.d, too, but keeps no record of them."""
    path = machine.write("etc/init.d/web", "#!/bin/sh\n")
    path.chmod(0o755)
    assert machine.look("web") == Observation("absent", reason=f"{path} is no script of openrc-run")
    assert machine.argv("start", "web") is None
    assert machine.manager.loaded() == []


@pytest.mark.parametrize("state", ["started", "inactive"])
def test_up_and_crashed(machine: Machine, state: str) -> None:
    """A service is up while its daemon lives, and has failed when that is gone."""
    process = machine.started("web", state)
    pid_file = f"{machine.root}/run/web.pid"
    up = machine.look("web")
    end(process)
    crashed = machine.look("web")
    (machine.root / "run/web.pid").unlink()

    assert up == Observation("up", process.pid, f"{state}, PID file {pid_file}")
    assert crashed == Observation(
        "failed", reason=f"{state}, but process {process.pid} of {pid_file} is gone"
    )
    assert machine.look("web") == Observation(
        "failed", reason=f"{state}, but there is no PID in {pid_file}"
    )


def test_one_of_several_daemons_crashed(machine: Machine) -> None:
    """A service has failed when one of its daemons is gone, as OpenRC sees it."""
    first, second = machine.started("web"), machine.process()
    machine.write("run/openrc/daemons/web/002", "exec=/bin/app\nargv_0=app\npidfile=/run/2.pid\n")
    path = machine.write("run/2.pid", second.pid)
    both = machine.look("web")
    end(second)

    assert both == Observation("up", first.pid, f"started, PID file {machine.root}/run/web.pid")
    assert machine.look("web") == Observation(
        "failed", reason=f"started, but process {second.pid} of {path} is gone"
    )


def test_the_pid_file_in_the_options(machine: Machine) -> None:
    """Where start-stop-daemon is not OpenRC's, the script's options name the PID file."""
    machine.service("web", "started")
    machine.write("run/openrc/options/web/pidfile", "/run/web.pid")
    machine.write("run/openrc/options/web/chroot", "/srv")
    process = machine.process()
    path = machine.write("srv/run/web.pid", process.pid)
    assert machine.look("web") == Observation("up", process.pid, f"started, PID file {path}")


def test_a_pid_file_that_is_not_believed(machine: Machine) -> None:
    """A PID file that everybody may write makes the service unknown."""
    machine.started("web")
    path = machine.root / "run/web.pid"
    path.chmod(0o666)
    assert machine.look("web") == Observation(
        "unknown", reason=f"{path} may be written by everybody"
    )


def test_a_script_that_names_its_pid_file(machine: Machine) -> None:
    """What OpenRC has no record of is looked for where the script says that it is."""
    machine.service("web", "started", "PIDFILE=/run/web.pid\nstart() { app --daemon; }\n")
    without = machine.look("web")
    process = machine.process()
    path = machine.write("run/web.pid", process.pid)

    assert without == Observation("up", reason="started")
    assert machine.look("web") == Observation("up", process.pid, f"started, PID file {path}")


def test_a_service_without_a_process(machine: Machine) -> None:
    """What has no daemon is up as long as it counts as started."""
    machine.service("sysctl", "started")
    assert machine.look("sysctl") == Observation("up", reason="started")


def test_starting_is_believed_while_somebody_is_at_it(machine: Machine) -> None:
    """A start that was interrupted leaves its state behind, but no lock."""
    machine.service("web", "starting")
    lock = machine.write("run/openrc/exclusive/web", "")
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        starting = machine.look("web")

    assert starting == Observation("starting", reason="starting")
    assert machine.look("web") == Observation(
        "failed", reason="starting, but its start was interrupted"
    )


def test_stopping(machine: Machine) -> None:
    """A service that is being stopped is up until its process has ended, and no crash then."""
    process = machine.started("web", "stopping")
    machine.service("oneshot", "stopping", "status() { false; }\n")
    up = machine.look("web")
    end(process)

    assert (up.status, up.pid) == ("up", process.pid)
    assert machine.look("web") == Observation("down", reason="stopping")
    assert machine.look("oneshot") == Observation("up", reason="stopping")


def supervise(machine: Machine, name: str) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
    """A started service of supervise-daemon: supervisor and child."""
    supervisor, child = machine.started(name), machine.process()
    machine.write(f"run/openrc/options/{name}/argc", "1")
    machine.write(f"run/openrc/options/{name}/child_pid", child.pid)
    return supervisor, child


def test_supervised(machine: Machine) -> None:
    """The child is the service; while it is gone the supervisor brings it back, which counts."""
    supervisor, child = supervise(machine, "web")
    up = machine.look("web")
    end(child)
    ended = machine.look("web")
    again = machine.process()
    machine.write("run/openrc/options/web/child_pid", again.pid)
    back = machine.look("web")
    other = machine.process()
    machine.write("run/web.pid", other.pid)
    third = machine.process()
    machine.write("run/openrc/options/web/child_pid", third.pid)

    assert up == Observation("up", child.pid, "started, supervised", None, True, 0)
    assert ended == Observation(
        "starting",
        None,
        "started, but without a process, which supervise-daemon is to start",
        None,
        True,
        0,
    )
    assert back == up._replace(pid=again.pid, restarts=1)
    assert machine.look("web") == up._replace(pid=third.pid, restarts=1)
    assert supervisor.poll() is None


def test_a_supervisor_that_is_gone(machine: Machine) -> None:
    """Its child goes on without it; when that is gone, too, nobody brings it back."""
    supervisor, child = supervise(machine, "web")
    end(supervisor)
    alone = machine.look("web")
    end(child)

    assert alone == Observation(
        "up", child.pid, "started, unsupervised, for its supervise-daemon is gone"
    )
    assert machine.look("web") == Observation(
        "failed", reason="started, but its daemon and its supervise-daemon are gone"
    )


def test_a_supervised_service_that_has_no_child_yet(machine: Machine) -> None:
    """The supervisor itself is never taken for the service."""
    machine.started("web")
    machine.write("run/openrc/options/web/argc", "1")
    assert (machine.look("web").status, machine.look("web").pid) == ("starting", None)


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ("0 * status: started", Observation("up", reason="started")),
        ("1 Usage: x {start|stop}", Observation("up", reason="started")),
        (
            "32 * status: crashed",
            Observation("failed", reason="started, but its status action says: * status: crashed"),
        ),
        ("3 gone", Observation("failed", reason="started, but its status action says: gone")),
        ("4 ?", Observation("unknown", reason="its status action says: ?")),
    ],
)
def test_scripts_that_are_asked(machine: Machine, printed: str, seen: Observation) -> None:
    """A daemon without a PID file, and a status of the script's own, are asked for."""
    machine.service("own", "started", "status() { app ping; }\n")
    machine.service("daemon", "started")
    machine.write("run/openrc/daemons/daemon/001", "exec=/bin/app\nargv_0=app\npidfile=\n")
    assert machine.answer("own", printed) == machine.answer("daemon", printed) == seen


def test_commands(machine: Machine) -> None:
    """Names are behind `--`; a command for what is not there there is none."""
    machine.service("web")
    web = check("web", timeout_s=7.0)
    assert machine.manager.command("reload", web) == Command(
        ("rc-service", "--", "web", "reload"), 7.0
    )
    assert machine.argv("start", "web") == ("rc-service", "--", "web", "start")
    assert machine.argv("stop", "web") == ("rc-service", "--", "web", "stop")
    assert machine.argv("restart", "web") == ("rc-service", "--", "web", "restart")
    for name in ("nope", "--help", "../init.d/web", "a b", ""):
        assert machine.argv("restart", name) is None


def test_commands_for_a_crashed_service(machine: Machine) -> None:
    """A crashed one counts as started, which it has to be brought out of; then all is as ever."""
    end(machine.started("web"))
    machine.look("web")
    crashed = [machine.argv(verb, "web") for verb in ("start", "restart", "stop", "reload")]
    machine.started("web")
    machine.look("web")

    assert crashed == [
        ("/bin/sh", "-c", START, "rc-service", "web"),
        ("/bin/sh", "-c", START, "rc-service", "web"),
        ("/bin/sh", "-c", STOP, "rc-service", "web"),
        ("rc-service", "--", "web", "reload"),
    ]
    assert machine.argv("restart", "web") == ("rc-service", "--", "web", "restart")


def test_a_start_that_fails(machine: Machine) -> None:
    """OpenRC calls it stopped; as nobody stopped it, it has failed, until it is up or stopped."""
    machine.service("web")
    seen = [machine.look("web")]
    machine.argv("start", "web")
    seen.append(machine.look("web"))
    machine.argv("stop", "web")
    seen.append(machine.look("web"))
    machine.argv("restart", "web")
    machine.started("web")
    assert machine.look("web").status == "up"
    machine.service("web")
    seen.append(machine.look("web"))

    stopped = Observation("down", reason="stopped")
    failed = Observation("failed", reason="stopped: it was to start, and did not")
    assert seen == [stopped, failed, stopped, stopped]


def test_a_glance_changes_when_a_look_would(machine: Machine) -> None:
    """The fingerprint is another one at every change, also of what would have to be asked."""
    machine.service("web")
    prints = [machine.glance("web"), machine.glance("web")]
    process = machine.started("web")
    prints.append(machine.glance("web"))
    end(process)
    prints.append(machine.glance("web"))
    machine.service("web", "failed")
    prints.append(machine.glance("web"))
    machine.service("own", "started", "status() { app ping; }\n")
    asked = machine.glance("own")
    os.rename(machine.root / "run/openrc/started/own", machine.root / "moved")
    machine.service("own", "started", "status() { app ping; }\n")

    assert prints[0] == prints[1]
    assert len(set(prints)) == 4
    assert asked != machine.glance("own") == machine.glance("own")


def test_what_it_has_loaded(machine: Machine) -> None:
    """Every script of OpenRC is a service, wherever it is."""
    machine.service("web")
    machine.write("usr/local/etc/init.d/own", "#!/sbin/openrc-run").chmod(0o755)
    machine.write("etc/init.d/lsb", "#!/bin/sh").chmod(0o755)
    assert machine.manager.loaded() == ["own", "web"]


def test_records_that_are_garbage(machine: Machine) -> None:
    """Whatever lies in OpenRC's folder, nothing worse than an unknown service comes of it."""
    machine.service("web", "started")
    daemons = machine.write("run/openrc/daemons/web/001", "\0\xff=\n==\npidfile=/run/\nx")
    seen: list[str] = [machine.look("web").status]
    daemons.unlink()
    os.mkfifo(daemons)
    seen.append(machine.manager.look([check("web")]).__class__.__name__)
    daemons.unlink()
    daemons.mkdir()
    seen.append(machine.manager.look([check("web")]).__class__.__name__)
    machine.write("run/openrc/options/web/child_pid", gone())
    seen.append(machine.look("web").status)

    assert seen == ["unknown", "Question", "Question", "failed"]


@given(st.binary(max_size=200), st.sampled_from(["daemons/web/001", "options/web/pidfile"]))
def test_any_garbage(text: bytes, record: str) -> None:
    """No bytes in OpenRC's records make anything but an observation, or a script to be asked."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        machine = Machine(Path(folder), stack)
        machine.service("web", "started")
        machine.write(f"run/openrc/{record}", "").write_bytes(b"pidfile=/" + text)
        seen = machine.manager.look([check("web")])

        assert isinstance(seen, Question) or seen["web"].status in ("failed", "unknown")
