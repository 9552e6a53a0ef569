from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers.runit import Runit, observe
from inspect_agent.model.observation import Command, Observation
from inspect_agent.model.rule import Verb
from tests.managers.builders import check
from tests.managers.supervise import read

WEB = "etc/service/web"


def status(pid: int, want: str, state: int, *, paused: int = 0, term: int = 0) -> bytes:
    """supervise/status, at some time."""
    flags = bytes([paused, ord(want), term, state])
    return b"@\0\0\0k\1\300\276\5\262\354\344" + pid.to_bytes(4, "little") + flags


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Path]:
    """The folder of a service that a runsv supervises; its process is 258."""
    folder = tmp_path / WEB
    with read(folder / "supervise/ok"), read(folder / "supervise/control"):
        (folder / "supervise/status").write_bytes(status(258, "u", 1))
        yield folder


def look(root: Path, name: str = "web") -> Observation:
    """Where a service is."""
    return Runit(str(root)).look([check(name)])[name]


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (status(258, "u", 1), Observation("up", 258, "run", restarts_itself=True)),
        (
            status(258, "u", 1, term=1),
            Observation("up", 258, "run, got TERM", restarts_itself=True),
        ),
        (
            status(258, "u", 1, paused=1),
            Observation("up", 258, "run, paused", restarts_itself=True),
        ),
        (status(258, "d", 1), Observation("up", 258, "run, want down")),
        (status(258, "d", 1, term=1), Observation("up", 258, "run, want down, got TERM")),
        # after `sv kill` runsv calls it down until its process has ended
        (status(258, "u", 0), Observation("up", 258, "run", restarts_itself=True)),
        (status(259, "u", 2), Observation("starting", None, "finish", restarts_itself=True)),
        (status(259, "d", 2), Observation("down", None, "finish, want down")),
        (
            status(0, "u", 0),
            Observation("starting", None, "down, normally up, want up", restarts_itself=True),
        ),
        (
            status(0, "u", 2),
            Observation("starting", None, "down, normally up, want up", restarts_itself=True),
        ),
        (status(0, "d", 0), Observation("down", None, "down, normally up")),
    ],
)
def test_states(written: bytes, seen: Observation) -> None:
    """Each state of runsv, in the words of sv; whether it is wanted tells a crash from a stop."""
    assert observe(written, normally_up=True) == seen


def test_a_service_that_is_normally_down() -> None:
    """A file `down` is told where the service is otherwise."""
    assert [
        observe(status(258, "u", 1), normally_up=False).reason,
        observe(status(0, "d", 0), normally_up=False).reason,
    ] == ["run, normally down", "down"]


@given(st.binary(max_size=21) | st.binary(min_size=20, max_size=20))
def test_garbage_is_an_error(written: bytes) -> None:
    """No bytes make anything but an observation or a ManagerError."""
    with suppress(ManagerError):
        seen = observe(written, normally_up=True)
        assert (seen.status == "up") == (seen.pid is not None)


def test_up(tmp_path: Path, web: Path) -> None:
    """What runsv has written is read, with the file `down`."""
    assert look(tmp_path) == Observation("up", 258, "run", restarts_itself=True)
    (web / "down").touch()
    assert look(tmp_path).reason == "run, normally down"


@pytest.mark.parametrize("written", [b"", status(258, "u", 1)[:18], status(258, "u", 1) + b"\0"])
def test_a_status_of_another_length(tmp_path: Path, web: Path, written: bytes) -> None:
    """Half a file, daemontools' or a longer one is nobody's word; the service alone is unknown."""
    (web / "supervise/status").write_bytes(written)
    seen = Runit(str(tmp_path)).look([check("web"), check("other")])

    assert seen["web"] == Observation(
        "unknown", reason=f"supervise/status holds no status of runsv, but {written!r}"
    )
    assert seen["other"].status == "absent"


def test_a_status_that_cannot_be_read(tmp_path: Path, web: Path) -> None:
    """A link in its place is not followed."""
    file = web / "supervise/status"
    file.rename(web / "elsewhere")
    file.symlink_to(web / "elsewhere")

    assert look(tmp_path) == Observation(
        "unknown", reason=f"cannot read {file}: Too many levels of symbolic links"
    )


def test_a_runsv_that_is_not_there(tmp_path: Path) -> None:
    """Where a folder is without its runsv, nobody knows whether the service runs."""
    (tmp_path / WEB).mkdir(parents=True)
    before = look(tmp_path)
    with read(tmp_path / WEB / "supervise/ok"):
        (tmp_path / WEB / "supervise/status").write_bytes(status(258, "u", 1))
        during = look(tmp_path)
    after = look(tmp_path)

    assert before == Observation(
        "unknown",
        reason="no runsv supervises /etc/service/web (supervise/ok: No such file or directory)",
    )
    assert during.status == "up"
    assert after == Observation(
        "unknown", reason="no runsv supervises /etc/service/web (nobody reads supervise/ok)"
    )


def test_the_folder_of_another_supervisor(tmp_path: Path) -> None:
    """What s6-supervise supervises is no service of runit's."""
    with read(tmp_path / "service/web/supervise/control"):
        manager = Runit(str(tmp_path))
        assert manager.look([check("web")]) == {
            "web": Observation("absent", reason="another than runsv supervises /service/web")
        }
        assert manager.loaded() == []


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "../web", "/etc", "a/b", "a\nb", "a\0"])
def test_names_of_no_folder(tmp_path: Path, web: Path, name: str) -> None:
    """What cannot be the name of a folder, or is passed over by runsvdir, is no service."""
    assert look(tmp_path, name) == Observation(
        "absent", reason=f"{name!r} cannot be the name of a service"
    )
    assert Runit(str(tmp_path)).command("restart", check(name)) is None


@pytest.mark.parametrize("name", ["--help", "-w", "a b", "$(reboot)", "x;y", "*", "we?", 'x"y'])
def test_names_that_mean_nothing_else(tmp_path: Path, web: Path, name: str) -> None:
    """Any other name is that of a folder, and nothing but a part of its path."""
    assert look(tmp_path, name) == Observation(
        "absent", reason=f"no folder {name!r} in /etc/service"
    )
    (tmp_path / "etc/service" / name).mkdir()
    command = Runit(str(tmp_path)).command("stop", check(name))
    assert command == Command(("sv", "-w", "29", "stop", f"/etc/service/{name}"), 30.0)


def test_an_endless_name(tmp_path: Path, web: Path) -> None:
    """A name that no file can have is absent, and shown in part."""
    assert look(tmp_path, "x" * 4096).reason == f"no folder '{'x' * 80}…' in /etc/service"


def test_a_machine_without_folders(tmp_path: Path) -> None:
    """Where none is there, all that were looked at are named."""
    assert look(tmp_path) == Observation(
        "absent",
        reason="no folder 'web' in /etc/service or /service or /var/service or /run/runit/service",
    )


def test_a_glance_changes_when_a_look_would(tmp_path: Path, web: Path) -> None:
    """The fingerprint stays while nothing new could be told."""
    manager, prints = Runit(str(tmp_path)), []
    for written in (status(258, "u", 1), status(258, "u", 1), status(0, "d", 0), b""):
        (web / "supervise/status").write_bytes(written)
        prints.append(manager.glance([check("web")])["web"])

    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_loaded(tmp_path: Path, web: Path) -> None:
    """The services that are supervised now, each once, wherever their folder is."""
    (tmp_path / "etc/service/new").mkdir()
    places = ("etc/service/sidekiq@1", "service/old", "service/web", "service/.away")
    with (
        read(tmp_path / places[0] / "supervise/ok"),
        read(tmp_path / places[1] / "supervise/ok"),
        read(tmp_path / places[2] / "supervise/ok"),
        read(tmp_path / places[3] / "supervise/ok"),
    ):
        assert Runit(str(tmp_path)).loaded() == ["sidekiq@1", "web", "old"]


def test_commands(tmp_path: Path, web: Path) -> None:
    """sv gives up before it would be killed; a reload is a HUP, which every sv knows."""
    manager = Runit(str(tmp_path))
    verbs: tuple[Verb, ...] = ("start", "stop", "restart", "reload")

    assert [manager.command(verb, check("web", timeout_s=9.9)) for verb in verbs] == [
        Command(("sv", "-w", "8", word, "/etc/service/web"), 9.9)
        for word in ("start", "stop", "restart", "hup")
    ]
    short = manager.command("start", check("web", timeout_s=0.2))
    assert short == Command(("sv", "-w", "0", "start", "/etc/service/web"), 0.2)
    assert manager.command("start", check("nothing")) is None
