from __future__ import annotations

import os
from pathlib import Path

import pytest

from inspect_agent.errors import ManagerError
from inspect_agent.managers import detect
from inspect_agent.managers.initd import InitD
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.ports import Question
from tests.integration.components import need
from tests.managers.builders import check
from tests.sources.living import gone, living

STATUS = 'case "$1" in status) exit 3 ;; esac\n'


class Machine:
    """The files of a machine with init scripts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manager = InitD(str(root))
        for folder in ("etc/init.d", "run"):
            (root / folder).mkdir(parents=True)

    def script(self, name: str, text: str = "", line: str = "#!/bin/sh") -> str:
        """Writes an init script; its path."""
        path = self.root / "etc/init.d" / name
        path.write_text(f"{line}\n{text}")
        path.chmod(0o755)
        return str(path)

    def write(self, file: str, text: object) -> str:
        """Writes a file; its path."""
        path = self.root / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{text}\n")
        return str(path)

    def look(self, *names: str) -> dict[str, Observation]:
        """Where services are whose files tell it."""
        seen = self.manager.look([check(name) for name in names])
        assert not isinstance(seen, Question), f"asked: {seen.command.argv}"
        return dict(seen)

    def question(self, *names: str) -> Question[object]:
        """What is asked about these services."""
        question = self.manager.look([check(name) for name in names])
        assert isinstance(question, Question)
        return question  # type: ignore[return-value]

    def glance(self, name: str) -> str:
        """The fingerprint of a service."""
        return self.manager.glance([check(name)])[name]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without init scripts."""
    return Machine(tmp_path)


def test_it_runs_where_there_are_scripts(machine: Machine, tmp_path: Path) -> None:
    """It is detected by its folder."""
    assert detect.initd(str(tmp_path))
    assert not detect.initd(str(tmp_path / "run"))


def test_up_by_the_pid_file_that_the_script_names(machine: Machine) -> None:
    """The process of the PID file that a script names is the service's."""
    machine.script("web", "NAME=app\nPIDFILE=/run/$NAME/$NAME.pid\n")
    with living("sh", "-c", "echo; read x") as process:
        path = machine.write("run/app/app.pid", process.pid)
        assert machine.look("web") == {"web": Observation("up", process.pid, f"PID file {path}")}


@pytest.mark.parametrize("file", ["run/web.pid", "run/web/web.pid"])
def test_up_by_a_usual_pid_file(machine: Machine, file: str) -> None:
    """A script that names none has its PID file in one of two usual places."""
    machine.script("web", STATUS)
    with living("sh", "-c", "echo; read x") as process:
        path = machine.write(file, process.pid)
        assert machine.look("web") == {"web": Observation("up", process.pid, f"PID file {path}")}


def test_a_script_of_several_daemons(machine: Machine) -> None:
    """While one of the PID files that it names has a living process, the service is up."""
    machine.script("samba", "NMBDPIDFILE=/run/nmbd.pid\nSMBDPIDFILE=/run/smbd.pid\n")
    machine.write("run/nmbd.pid", gone())
    with living("sh", "-c", "echo; read x") as process:
        machine.write("run/smbd.pid", process.pid)
        assert machine.look("samba")["samba"].pid == process.pid


def test_a_crash_leaves_its_pid_file(machine: Machine) -> None:
    """A PID file whose process is gone is a crash, or a kill that was meant; no script is asked."""
    machine.script("web", f"PIDFILE=/run/web.pid\n{STATUS}")
    pid = gone()
    path = machine.write("run/web.pid", pid)
    assert machine.look("web") == {
        "web": Observation("failed", reason=f"process {pid} of {path} is gone", ambiguous=True)
    }


def test_a_pid_file_that_is_not_believed(machine: Machine) -> None:
    """A PID file that everybody may write makes the service unknown, not down."""
    machine.script("web", f"PIDFILE=/run/web.pid\n{STATUS}")
    path = machine.write("run/web.pid", os.getppid())
    os.chmod(path, 0o666)
    assert machine.look("web") == {
        "web": Observation("unknown", reason=f"{path} may be written by everybody")
    }


def test_no_pid_file_and_no_status(machine: Machine) -> None:
    """Without its PID file it was stopped or crashed; if it names none, nobody can say anything."""
    web, odd = machine.script("web", "PIDFILE=/run/app.pid\n"), machine.script("odd")
    run = f"{machine.root}/run"
    assert web.endswith("/web")
    assert machine.look("web", "odd") == {
        "web": Observation(
            "down", reason=f"stopped or crashed: no PID in {run}/app.pid", ambiguous=True
        ),
        "odd": Observation(
            "unknown",
            reason=f"{odd} names no PID file and has no status action,"
            f" and there is no {run}/odd.pid or {run}/odd/odd.pid",
        ),
    }


def test_scripts_are_asked_where_files_do_not_tell(machine: Machine) -> None:
    """One question asks the scripts without a PID; the others are answered by their files."""
    web = machine.script("web", STATUS)
    empty = machine.script("empty", f"PIDFILE=/run/empty.pid\n{STATUS}")
    machine.script("up", f"PIDFILE=/run/up.pid\n{STATUS}")
    machine.write("run/empty.pid", "")
    with living("sh", "-c", "echo; read x") as process:
        path = machine.write("run/up.pid", process.pid)
        question = machine.question("web", "empty", "up", "nope")

    assert question.command.argv[-2:] == (web, empty)
    assert question.parse(Finished(0, "1 3 dead\n2 0 it runs\n", "")) == {
        "web": Observation(
            "down",
            reason="stopped or crashed: its status action says: dead",
            ambiguous=True,
        ),
        "empty": Observation("up", reason="its status action says: it runs"),
        "up": Observation("up", process.pid, f"PID file {path}"),
        "nope": Observation("absent", reason="there is no executable nope in /etc/init.d"),
    }


def test_a_pid_file_that_comes_while_a_script_is_asked(machine: Machine) -> None:
    """It tells more than the script's word, which is as old."""
    machine.script("web", f"PIDFILE=/run/web.pid\n{STATUS}")
    question = machine.question("web")
    with living("sh", "-c", "echo; read x") as process:
        path = machine.write("run/web.pid", process.pid)
        assert question.parse(Finished(0, "1 0 it runs\n", "")) == {
            "web": Observation("up", process.pid, f"PID file {path}")
        }


def test_an_answer_that_is_missing(machine: Machine) -> None:
    """What the question did not get an answer for is unknown, and only that."""
    machine.script("a", STATUS)
    machine.script("b", STATUS)
    assert machine.question("a", "b").parse(Finished(0, "2 0 up\n", "")) == {
        "a": Observation("unknown", reason="its status action said nothing"),
        "b": Observation("up", reason="its status action says: up"),
    }


def test_scripts_of_openrc(machine: Machine) -> None:
    """They are not init.d's, even where OpenRC does not run."""
    path = machine.script("web", "pidfile=/run/web.pid", "#!/sbin/openrc-run")
    assert machine.look("web") == {
        "web": Observation("absent", reason=f"{path} is a script of OpenRC")
    }
    assert machine.manager.loaded() == []
    assert machine.manager.command("start", check("web")) is None


def test_a_script_that_root_must_not_run(machine: Machine) -> None:
    """It is neither asked nor run, and the reason says why."""
    need("root")
    path = machine.script("web", STATUS)
    os.chmod(path, 0o777)
    reason = f"{path} may be written by others, so it is not run as root"

    assert machine.look("web") == {"web": Observation("unknown", reason=reason)}
    with pytest.raises(ManagerError) as raised:
        machine.manager.command("restart", check("web"))
    assert str(raised.value) == reason


def test_a_glance_changes_with_the_files(machine: Machine) -> None:
    """The fingerprint is another one when a PID file comes, its process ends, or it goes."""
    machine.script("web", f"PIDFILE=/run/web.pid\n{STATUS}")
    prints = [machine.glance("nope"), machine.glance("web"), machine.glance("web")]
    with living("sh", "-c", "echo; read x") as process:
        path = machine.write("run/web.pid", process.pid)
        prints += [machine.glance("web"), machine.glance("web")]
    prints.append(machine.glance("web"))
    os.unlink(path)
    prints.append(machine.glance("web"))

    missing, asked, still_asked, up, still_up, dead, removed = prints
    assert asked == still_asked == removed
    assert up == still_up
    assert len({missing, asked, up, dead}) == 4


def test_commands(machine: Machine) -> None:
    """Every verb is the script's own action, with the check's deadline."""
    path = machine.script("web")
    web = check("web", timeout_s=7.0)
    assert machine.manager.command("start", web) == Command((path, "start"), 7.0)
    assert machine.manager.command("stop", web) == Command((path, "stop"), 7.0)
    assert machine.manager.command("restart", web) == Command((path, "restart"), 7.0)
    assert machine.manager.command("reload", web) == Command((path, "reload"), 7.0)
    assert machine.manager.command("start", check("nope")) is None
    assert machine.manager.command("start", check("../init.d/web")) is None


def test_what_it_has_loaded(machine: Machine) -> None:
    """Every executable script is a service."""
    machine.script("web")
    machine.script("net.eth0")
    os.chmod(machine.script("off"), 0o644)
    machine.script(".depend.boot")
    assert machine.manager.loaded() == ["net.eth0", "web"]
