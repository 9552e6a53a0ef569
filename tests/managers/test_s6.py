from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers.s6 import S6, observe
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.ports import Question
from tests.managers.builders import asked, check, looked
from tests.managers.supervise import read

UP = "up (pid 53) 1 seconds"
TOOL = r"""#!/bin/sh
case $1 in */bad) printf '%s\n' '\n %s' >&2; exit 1;; esac
printf '%s\n' "$1"
"""


@pytest.fixture
def manager(tmp_path: Path) -> S6:
    """s6 of a machine that has the services web and db."""
    for name in ("web", "db"):
        (tmp_path / "run/service" / name).mkdir(parents=True)
    return S6(str(tmp_path))


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (UP, Observation("up", 53, "up", restarts_itself=True)),
        (
            "up (pid 55) 9 seconds, normally down, paused, ready 1 seconds",
            Observation("up", 55, "up, normally down, paused, ready", restarts_itself=True),
        ),
        ("up (pid 55 pgid 54) 2 seconds", Observation("up", 55, "up", restarts_itself=True)),
        ("up (pid 55) 2 seconds, want down", Observation("up", 55, "up, want down")),
        (
            "down (signal SIGKILL) 0 seconds, normally up, want up",
            Observation(
                "starting",
                None,
                "down (signal SIGKILL), normally up, want up",
                restarts_itself=True,
            ),
        ),
        (
            "down (exitcode 7) 0 seconds, want up, ready 0 seconds",
            Observation(
                "starting", None, "down (exitcode 7), want up, ready", restarts_itself=True
            ),
        ),
        (
            "down (signal SIGTERM) 1 seconds, normally up, ready 1 seconds",
            Observation("down", None, "down (signal SIGTERM), normally up, ready"),
        ),
        ("down (exitcode 0) 1 seconds", Observation("down", None, "down (exitcode 0)")),
        # old ones do not tell how the process ended
        (
            "down 14 seconds, normally up, want up",
            Observation("starting", None, "down, normally up, want up", restarts_itself=True),
        ),
        ("down 14 seconds, normally up", Observation("down", None, "down, normally up")),
    ],
)
@pytest.mark.parametrize("may_give_up", [True, False])
def test_states(said: str, seen: Observation, may_give_up: bool) -> None:
    """Each state, in the words of s6-svstat; whether it is wanted tells a crash from a stop."""
    assert observe(said, may_give_up=may_give_up) == seen


@pytest.mark.parametrize(
    "ended", ["exitcode 3", "exitcode 111", "signal SIGKILL", "signal SIGSEGV"]
)
def test_given_up_by_its_finish_script(ended: str) -> None:
    """After a bad end a finish script may have given up, which looks like a stop otherwise."""
    said = f"down ({ended}) 1 seconds, normally up, ready 1 seconds"
    reason = f"down ({ended}), normally up, ready"

    assert observe(said, may_give_up=False) == Observation("down", None, reason)
    assert observe(said, may_give_up=True) == Observation(
        "down", None, f"{reason}; stopped, or given up by its finish script", ambiguous=True
    )


@pytest.mark.parametrize(
    "ended", ["exitcode 143", "exitcode 130", "signal SIGINT", "signal SIGHUP"]
)
def test_ended_as_it_was_asked_to(ended: str) -> None:
    """A process that ended as one does that is asked to was stopped."""
    said = f"down ({ended}) 1 seconds, ready 1 seconds"
    assert observe(said, may_give_up=True) == Observation("down", None, f"down ({ended}), ready")


@pytest.mark.parametrize(
    "said",
    [
        "",
        "up",
        "up (pid 53)",
        "up (pid x) 1 seconds",
        "up (pid ٣) 1 seconds",
        "up 3 seconds",
        "up (exitcode 3) 3 seconds",
        "down (pid 53) 1 seconds",
        "true true 53 -1 -1",
        "UP (pid 53) 1 seconds",
        "up (pid 53) 1 seconds\n",
    ],
)
def test_what_s6_svstat_never_prints(said: str) -> None:
    """Half a line and other words are quoted in the error."""
    with pytest.raises(ManagerError) as error:
        observe(said, may_give_up=False)
    assert str(error.value) == f"s6-svstat printed {said!r}"


WORDS = st.sampled_from(
    ["up", "down", " (pid 5)", " (exitcode 1)", " 3 seconds", ", want up", ",", "0 ", "\n"]
)


@given(st.text() | st.lists(WORDS).map("".join))
def test_garbage_is_an_error(said: str) -> None:
    """No line makes anything but an observation or a ManagerError."""
    with suppress(ManagerError):
        seen = observe(said, may_give_up=True)
        assert (seen.status == "up") == (seen.pid is not None)


@given(st.text() | st.lists(WORDS).map("".join))
def test_garbage_for_all_is_an_error(tmp_path_factory: pytest.TempPathFactory, said: str) -> None:
    """No output makes anything but an observation a service or a ManagerError."""
    root = tmp_path_factory.getbasetemp()
    (root / "run/service/web").mkdir(parents=True, exist_ok=True)
    with suppress(ManagerError):
        assert looked(S6(str(root)), ["web"], said).keys() == {"web"}


def test_one_command_for_all(manager: S6) -> None:
    """One script asks for all; folders are arguments of it, and what has none is not asked for."""
    argv = asked(manager, ["web", "nothing", "db"])

    assert argv[:2] == ("sh", "-c")
    assert "web" not in argv[2]
    assert argv[3:] == ("sh", "/run/service/web", "/run/service/db")
    assert looked(
        manager, ["web", "nothing", "db"], f"0 {UP}\n0 down (exitcode 0) 1 seconds\n"
    ) == {
        "web": Observation("up", 53, "up", restarts_itself=True),
        "nothing": Observation("absent", reason="no folder 'nothing' in /run/service"),
        "db": Observation("down", None, "down (exitcode 0)"),
    }


def test_the_script_gives_a_line_each(tmp_path: Path) -> None:
    """Whatever is in a name or in what s6-svstat prints, each has one line with its exit status."""
    tool = tmp_path / "s6-svstat"
    tool.write_text(TOOL)
    tool.chmod(0o755)
    names = ["a b", "$(touch x)", "bad", "-n", "%d\\n"]
    for name in names:
        (tmp_path / "service" / name).mkdir(parents=True)
    argv = asked(S6(str(tmp_path)), names)
    ran = subprocess.run(
        argv,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "0 /service/a b",
        "0 /service/$(touch x)",
        "1 \\n %s",
        "0 /service/-n",
        "0 /service/%d\\n",
    ]
    assert not (tmp_path / "x").exists()


def test_what_harms_one_service(manager: S6) -> None:
    """What s6-svstat cannot say of one is its words; the other is answered."""
    why = "s6-svstat: fatal: : unable to read status for /run/service/web: s6-supervise not running"
    for said, reason in (
        (f"1 {why}", why),
        ("111 ", "s6-svstat: exit status 111"),
        ("0 x", "s6-svstat printed 'x'"),
        ("", "s6-svstat: exit status "),
    ):
        assert looked(manager, ["web", "db"], f"{said}\n0 {UP}\n") == {
            "web": Observation("unknown", reason=reason),
            "db": Observation("up", 53, "up", restarts_itself=True),
        }


@pytest.mark.parametrize(
    ("finished", "words"),
    [
        (
            Finished(None, "", "cannot run sh: No such file or directory"),
            "s6-svstat: cannot run sh: No such file or directory",
        ),
        (Finished(2, "", ""), "s6-svstat: exit status 2"),
        (Finished(-9, f"0 {UP}\n", ""), "s6-svstat: exit status -9"),
        (Finished(0, f"0 {UP}\n0 {UP[:9]}", ""), "s6-svstat printed 1 lines for 2 services"),
        (Finished(0, f"0 {UP}\n" * 3, ""), "s6-svstat printed 3 lines for 2 services"),
        (Finished(0, "", ""), "s6-svstat printed 0 lines for 2 services"),
    ],
)
def test_what_harms_all(manager: S6, finished: Finished, words: str) -> None:
    """A command that failed, or printed half, is an error and no service's state."""
    question = manager.look([check("web"), check("db")])
    assert isinstance(question, Question)
    with pytest.raises(ManagerError) as error:
        question.parse(finished)
    assert str(error.value) == words


def test_a_finish_script_is_looked_for(manager: S6, tmp_path: Path) -> None:
    """Only a service with a finish script can have been given up."""
    (tmp_path / "run/service/web/finish").touch()
    line = "0 down (exitcode 3) 1 seconds, ready 1 seconds\n"
    seen = looked(manager, ["web", "db"], line * 2)

    assert [seen["web"].ambiguous, seen["db"].ambiguous] == [True, False]


def test_the_folder_of_runit(tmp_path: Path) -> None:
    """What runsv supervises is no service of s6's, and no command runs for it."""
    with (
        read(tmp_path / "service/web/supervise/control"),
        read(tmp_path / "service/web/supervise/ok"),
    ):
        manager = S6(str(tmp_path))
        assert manager.look([check("web")]) == {
            "web": Observation("absent", reason="runsv supervises /service/web")
        }
        assert manager.loaded() == []
        assert manager.command("start", check("web")) is None


@pytest.mark.parametrize("name", ["", ".", "..", ".s6-svscan", "../web", "/etc", "a/b", "a\nb"])
def test_names_of_no_folder(manager: S6, name: str) -> None:
    """What cannot be the name of a folder, or is passed over by s6-svscan, is no service."""
    assert manager.look([check(name)]) == {
        name: Observation("absent", reason=f"{name!r} cannot be the name of a service")
    }
    assert manager.command("restart", check(name)) is None


def test_a_glance_changes_when_a_look_would(manager: S6, tmp_path: Path) -> None:
    """The fingerprint changes with what s6-supervise writes, with its life, and with `down`."""
    folder = tmp_path / "run/service/web"

    def glance(name: str = "web") -> str:
        return manager.glance([check(name)])[name]

    prints = [glance("nothing"), glance()]
    with read(folder / "supervise/control"):
        (folder / "supervise/status").write_bytes(b"\0" * 35)
        prints += [glance(), glance()]
        (folder / "supervise/status").write_bytes(b"\0" * 34 + b"\1")
        prints.append(glance())
        (folder / "down").touch()
        prints.append(glance())
    prints.append(glance())

    assert prints[2] == prints[3]
    assert len(set(prints)) == len(prints) - 1


def test_loaded(manager: S6, tmp_path: Path) -> None:
    """The services that are supervised now, each once, wherever their folder is."""
    with (
        read(tmp_path / "run/service/web/supervise/control"),
        read(tmp_path / "run/service/.s6-svscan/control"),
        read(tmp_path / "service/web/supervise/control"),
        read(tmp_path / "service/sidekiq@1/supervise/control"),
    ):
        assert manager.loaded() == ["web", "sidekiq@1"]


def test_commands(manager: S6) -> None:
    """s6-svc waits until it is done, and gives up before it would be killed."""
    verbs: tuple[Verb, ...] = ("start", "stop", "restart", "reload")
    options = (["-wU", "-u"], ["-wD", "-d"], ["-wR", "-ru"], ["-h"])

    assert [manager.command(verb, check("web")) for verb in verbs] == [
        Command(("s6-svc", "-T", "29500", *words, "/run/service/web"), 30.0) for words in options
    ]
    # no time at all would mean for ever
    assert manager.command("stop", check("web", timeout_s=0.2)) == Command(
        ("s6-svc", "-T", "1", "-wD", "-d", "/run/service/web"), 0.2
    )
    assert manager.command("start", check("nothing")) is None
