from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers.pid_files import parse_pid
from inspect_agent.managers.pidfile import Pidfile
from inspect_agent.model.observation import Command, Observation
from tests.integration.components import need
from tests.managers.builders import check
from tests.sources.living import FIRST_THREAD_ENDED, gone, living, python, zombie


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the PID file is going to be."""
    return tmp_path / "app.pid"


def look(path: Path, manager: Pidfile | None = None) -> Observation:
    """Where the service of this PID file is."""
    return (manager or Pidfile()).look([check("app", pidfile=str(path))])["app"]


def glance(path: Path, manager: Pidfile) -> str:
    """The fingerprint of the service of this PID file."""
    return manager.glance([check("app", pidfile=str(path))])["app"]


def unknown(reason: str) -> Observation:
    """A service of which nothing is believed."""
    return Observation("unknown", reason=reason)


@pytest.mark.parametrize("form", ["{}", "{}\n", "  {}  \n", "{}\n/var/lib/postgresql\n5432\n"])
def test_up(path: Path, form: str) -> None:
    """A living process is up, in whatever of the usual forms its file is."""
    with living("sh", "-c", "echo; read x") as process:
        path.write_text(form.format(process.pid))
        assert look(path) == Observation("up", process.pid)


def down(path: Path) -> Observation:
    """A service without a PID file."""
    return Observation("down", reason=f"stopped or crashed: no PID file {path}", ambiguous=True)


def test_down_without_a_file(path: Path) -> None:
    """Without a PID file, or a folder for it, nobody can tell whether it was stopped or crashed."""
    assert look(path) == down(path)
    assert look(path / "x") == down(path / "x")
    path.touch()
    assert look(path / "x") == down(path / "x")


def test_failed_with_a_dead_process(path: Path) -> None:
    """A PID file whose process is gone, or a zombie, is what a crash leaves."""
    pid = gone()
    path.write_text(f"{pid}\n")
    assert look(path) == Observation("failed", reason=f"process {pid} is gone")
    with zombie() as pid:
        path.write_text(f"{pid}\n")
        assert look(path) == Observation("failed", reason=f"process {pid} is gone")


def test_a_process_without_its_first_thread_is_up(path: Path) -> None:
    """A process that only looks like a zombie, because its first thread has ended, is up."""
    with python(FIRST_THREAD_ENDED) as process:
        path.write_text(str(process.pid))
        assert look(path) == Observation("up", process.pid)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is empty"),
        (b"\n12\n", "is empty"),
        (b"twelve", "holds no PID but b'twelve'"),
        (b"-12", "holds no PID but b'-12'"),
        (b"+12", "holds no PID but b'+12'"),
        (b"0", "holds no PID but b'0'"),
        (b"1_000", "holds no PID but b'1_000'"),
        (b"2147483648", "holds no PID but b'2147483648'"),
        (b"9" * 5000, f"holds no PID but {b'9' * 40!r}"),
        (b"12 13", "holds no PID but b'12 13'"),
        (b"\xd9\xa1\xd9\xa2", "holds no PID but b'\\xd9\\xa1\\xd9\\xa2'"),
        (b"1\n", "names PID 1, which is not a service"),
        (str(os.getpid()).encode(), "names the agent itself"),
    ],
)
def test_what_is_no_pid_of_a_service(path: Path, text: bytes, words: str) -> None:
    """Garbage, impossible numbers, init and the agent are refused, and the file is named."""
    path.write_bytes(text)
    assert look(path) == unknown(f"{path} {words}")


def test_a_file_that_everybody_may_write(path: Path) -> None:
    """A PID file that everybody may write is refused, though its process lives."""
    path.write_text(str(os.getppid()))
    path.chmod(0o666)
    assert look(path) == unknown(f"{path} may be written by everybody")


def test_what_is_no_plain_file(path: Path, tmp_path: Path) -> None:
    """A symbolic link is not followed; a pipe is not waited for; a folder is no PID file."""
    target, pipe = tmp_path / "target", tmp_path / "pipe"
    target.write_text(str(os.getppid()))
    path.symlink_to(target)
    os.mkfifo(pipe)

    assert look(path) == unknown(f"{path} is a symbolic link")
    assert look(pipe) == unknown(f"{pipe} is not a plain file")
    assert look(tmp_path) == unknown(f"{tmp_path} is not a plain file")


def test_a_huge_file(path: Path) -> None:
    """Of a file of a gigabyte the beginning alone is read."""
    with path.open("wb") as file:
        file.truncate(1 << 30)
    assert look(path) == unknown(f"{path} holds no PID but {bytes(40)!r}")
    with path.open("r+b") as file, living("sh", "-c", "echo; read x") as process:
        file.write(b"%d\n" % process.pid)
        file.flush()
        assert look(path) == Observation("up", process.pid)


def test_a_folder_that_everybody_may_write_to(path: Path) -> None:
    """There anybody may put another file in its place, so the file is refused."""
    path.write_text(str(os.getppid()))
    path.parent.chmod(0o777)
    assert look(path) == unknown(f"{path} lies in a folder that everybody may write to")


def test_a_folder_like_tmp(path: Path) -> None:
    """In a sticky folder anybody may be the first to make the file: only root's is believed."""
    need("root")
    argv = ["setpriv", "--reuid=65534", "--clear-groups", "sh", "-c", "echo; read x"]
    path.parent.chmod(0o1777)
    with living(*argv) as process:
        path.write_text(str(process.pid))
        of_root = look(path)
        os.chown(path, 65534, 65534)

        assert of_root == Observation("up", process.pid)
        assert look(path) == unknown(
            f"{path} of user 65534 lies in a folder that everybody may write to"
        )


def test_whose_file_it_is(path: Path) -> None:
    """The file must be root's or the user's that its process runs as; a third one's is refused."""
    need("root")
    argv = ["setpriv", "--reuid=65534", "--clear-groups", "sh", "-c", "echo; read x"]
    with living(*argv) as process, living("sh", "-c", "echo; read x") as roots:
        path.write_text(str(process.pid))
        seen = {}
        for owner in (0, 65534, 1):
            os.chown(path, owner, owner)
            seen[owner] = look(path)
        path.write_text(str(roots.pid))
        os.chown(path, 65534, 65534)

        assert seen == {
            0: Observation("up", process.pid),
            65534: Observation("up", process.pid),
            1: unknown(f"{path} belongs to user 1, process {process.pid} to 65534"),
        }
        assert look(path) == unknown(f"{path} belongs to user 65534, process {roots.pid} to 0")


def test_a_file_that_cannot_be_read(path: Path) -> None:
    """A PID file that cannot be opened says why, and is not taken for a missing one."""
    endless = path / ("x" * 300)
    path.mkdir()
    assert look(endless) == unknown(f"{endless} cannot be read: File name too long")
    assert look(path / "\0") == unknown(f"{path}/\0 cannot be a path")


def test_a_check_without_a_pidfile() -> None:
    """A check that names no PID file is not this manager's."""
    assert Pidfile().look([check("app")]) == {
        "app": Observation("absent", reason="its check names no pidfile")
    }


def test_a_glance_changes_when_a_look_would(path: Path) -> None:
    """The fingerprint stays while a service is up, and is another one at every change."""
    manager = Pidfile()
    prints = [glance(path, manager)]
    with living("sh", "-c", "echo; read x") as process:
        path.write_text(str(process.pid))
        look(path, manager)
        prints += [glance(path, manager), glance(path, manager)]
        path.chmod(0o666)
        prints.append(glance(path, manager))
        path.chmod(0o644)
        look(path, manager)
        prints.append(glance(path, manager))
    prints.append(glance(path, manager))
    path.unlink()
    prints.append(glance(path, manager))

    missing, up, still_up, writable, up_again, dead, removed = prints
    assert missing == removed
    assert up == still_up
    assert len({missing, up, writable, up_again, dead}) == 5


def test_a_file_that_is_replaced(path: Path) -> None:
    """A file that another one took the place of is another service's process, and glanced so."""
    manager = Pidfile()
    with living("sh", "-c", "echo; read x") as old, living("sh", "-c", "echo; read x") as new:
        path.write_text(str(old.pid))
        before = look(path, manager), glance(path, manager)
        replacing = path.with_suffix(".new")
        replacing.write_text(str(new.pid))
        replacing.replace(path)
        after = glance(path, manager), look(path, manager)

        assert (before[0], after[1]) == (Observation("up", old.pid), Observation("up", new.pid))
        assert before[1] != after[0]


def test_a_glance_sees_a_late_answer(path: Path) -> None:
    """What was refused is looked at anew each time, for the process may have changed."""
    manager = Pidfile()
    path.touch()
    look(path, manager)
    empty = glance(path, manager)
    with living("sh", "-c", "echo; read x") as process:
        path.write_text(str(process.pid))
        assert glance(path, manager) != empty


def test_commands() -> None:
    """The commands are the check's own, with its deadline; what it does not give there is not."""
    start, stop = ("app", "start now"), ("app", "stop")
    app = check("app", start=start, stop=stop, timeout_s=7.0)

    assert Pidfile().command("start", app) == Command(start, 7.0)
    assert Pidfile().command("stop", app) == Command(stop, 7.0)
    assert Pidfile().command("restart", app) is None
    assert Pidfile().command("reload", app) is None
    assert Pidfile().command("restart", check("app", restart=("r",))) == Command(("r",), 30.0)


@given(st.binary() | st.integers().map(lambda number: str(number).encode()))
def test_parse_pid_gives_a_pid_or_an_error(text: bytes) -> None:
    """No bytes make anything but a PID that there could be, nothing, or a ManagerError."""
    with suppress(ManagerError):
        pid = parse_pid(text)
        assert (pid is None) == (not text.partition(b"\n")[0].strip())
        assert pid is None or 0 < pid < 2**31


def test_no_service_is_loaded() -> None:
    """Only checks know of PID files."""
    assert Pidfile().loaded() == ()
