from __future__ import annotations

import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers.upstart import Upstart
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Question
from tests.managers.builders import check

LISTED = """rc stop/waiting
web start/running, process 39
gone stop/waiting
sidekiq (1) start/running, process 22
sidekiq (0) start/post-start, process 74
\tpost-start process 75
named (shop-2) stop/killed, process 77
idle stop/waiting
"""
DOWN = Observation("down", reason="stop/waiting; upstart does not say why", ambiguous=True)
ASK = ("initctl", "list")
ASK_STATUS = (
    'initctl list || exit; set -f; IFS=$(printf "\\037");'
    " for words; do echo --; initctl status $words 2>&1; done; :"
)
START = 'initctl start "$@" || initctl status "$@" 2>/dev/null | grep -q " start/"'
RESTART = 'initctl restart "$@" || initctl start "$@"'


@pytest.fixture
def upstart(tmp_path: Path) -> Upstart:
    """Upstart with some jobs."""
    jobs = {
        "web": "respawn\n",
        "gone": "",
        "sidekiq": "respawn\ninstance $index\n",
        "named": "instance $app-$index\n",
        "idle": "instance $index\n",
        "net/apache": "respawn\n",
        "odd": "instance ${index:-0}\n",
    }
    for name, text in jobs.items():
        file = tmp_path / f"{name}.conf"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return Upstart(str(tmp_path))


def question(upstart: Upstart, *checks: ServiceCheck) -> Question[Any]:
    """What a look at these asks."""
    found = upstart.look(checks)
    assert isinstance(found, Question)
    return found


def looked(upstart: Upstart, *names: str, printed: str = LISTED) -> Mapping[str, Observation]:
    """What a look at these services makes of a list."""
    seen: Mapping[str, Observation] = question(upstart, *map(check, names)).parse(
        Finished(0, printed, "")
    )
    return seen


def test_one_list_for_all(upstart: Upstart) -> None:
    """All jobs and instances are found by one command; each is what the list says."""
    names = ("web", "gone", "sidekiq@1", "sidekiq@0", "named@shop-2", "idle@7")

    assert question(upstart, *map(check, names)).command == Command(ASK, 20.0)
    assert looked(upstart, *names) == {
        "web": Observation("up", 39, "start/running", restarts_itself=True),
        "gone": DOWN,
        "sidekiq@1": Observation("up", 22, "start/running", restarts_itself=True),
        "sidekiq@0": Observation("up", 74, "start/post-start", restarts_itself=True),
        "named@shop-2": DOWN._replace(reason="stop/killed; upstart does not say why"),
        "idle@7": DOWN,
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nosuch", "Unknown job: nosuch"),
        ("nosuch@0", "Unknown job: nosuch"),
        ("sidekiq", "sidekiq has instances: name one, as in sidekiq@NAME, or all: sidekiq@*"),
        ("idle", "idle has instances: name one, as in idle@NAME, or all: idle@*"),
        ("web@0", "web has no instances"),
        ("gone@0", "gone has no instances"),
    ],
)
def test_what_there_is_not(
    upstart: Upstart, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    """A job that is not listed, or one with another idea of instances, is absent and says why."""
    monkeypatch.setattr("os.geteuid", lambda: 0)

    assert looked(upstart, name) == {name: Observation("absent", reason=reason)}


def test_to_an_ordinary_user(upstart: Upstart, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is not listed may be root's, which the reason says."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    reason = "Unknown job: nosuch; one of root's may be unknown to an ordinary user"

    assert looked(upstart, "nosuch") == {"nosuch": Observation("absent", reason=reason)}


def test_jobs_without_a_file(tmp_path: Path) -> None:
    """Where nothing can be read the list alone tells, and nobody knows what is respawned."""
    upstart = Upstart(f"{tmp_path}/nowhere")

    assert looked(upstart, "web", "web@0", "sidekiq@1", "sidekiq@7", "idle") == {
        "web": Observation("up", 39, "start/running"),
        "web@0": Observation("absent", reason="web has no instances"),
        "sidekiq@1": Observation("up", 22, "start/running"),
        "sidekiq@7": DOWN,
        "idle": DOWN,
    }


HOSTILE = (
    *("", " ", "a b", "a\n", "-x", "--quiet", "../web", "/etc/passwd", "net/../web", "net//apache"),
    *('a"b', "$(reboot)", "a;b", "sidekiq@*", "bücher", "x" * 256, "@0", "a\0b", "."),
)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_no_job_has(upstart: Upstart, name: str) -> None:
    """They are absent, and no part of any command."""
    seen = upstart.look([check(name)])

    assert not isinstance(seen, Question)
    assert seen[name].status == "absent"
    assert "cannot be the name of" in seen[name].reason
    assert upstart.command("restart", check(name)) is None


@pytest.mark.parametrize(
    ("instance", "reason"),
    [
        ("", "sidekiq@ names no instance"),
        ("a b", "'a b' cannot be the name of an instance"),
        ("0\n", "'0\\n' cannot be the name of an instance"),
        ("$(reboot)", "'$(reboot)' cannot be the name of an instance"),
        ("x" * 4096, f"'{'x' * 80}' cannot be the name of an instance"),
    ],
)
def test_names_that_no_instance_has(upstart: Upstart, instance: str, reason: str) -> None:
    """The same of instances."""
    name = f"sidekiq@{instance}"

    assert upstart.look([check(name)]) == {name: Observation("absent", reason=reason)}
    assert upstart.command("start", check(name)) is None


def test_an_instance_by_its_variables(upstart: Upstart) -> None:
    """Its name follows from the job's file; one that is the only one of its job has none."""
    asked = question(
        upstart,
        check("named", instance=("app=shop", "index=2")),
        check("web", instance=("RAILS_ENV=production",)),
        check("sidekiq", instance=("index=0", "queue=high")),
    )

    assert asked.command == Command(ASK, 20.0)
    assert asked.parse(Finished(0, LISTED, "")) == {
        "named": DOWN._replace(reason="stop/killed; upstart does not say why"),
        "web": Observation("up", 39, "start/running", restarts_itself=True),
        "sidekiq": Observation("up", 74, "start/post-start", restarts_itself=True),
    }


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("odd (0) start/running, process 11\n", Observation("up", 11, "start/running")),
        (
            "odd (0) start/post-start, process 87\n\tpost-start process 88\n",
            Observation("up", 87, "start/post-start"),
        ),
        ("initctl: Unknown instance: 0\n", DOWN),
        (
            "initctl: Unknown parameter: app\n",
            Observation("absent", reason="Unknown parameter: app"),
        ),
        ("initctl: Unknown job: odd\n", Observation("absent", reason="Unknown job: odd")),
        ("initctl: Timed out\n", Observation("unknown", reason="Timed out")),
        ("", Observation("unknown", reason="")),
        ("odd (0) start/runn", Observation("unknown", reason="odd (0) start/runn")),
    ],
)
def test_an_instance_that_only_upstart_can_name(
    upstart: Upstart, monkeypatch: pytest.MonkeyPatch, answer: str, expected: Observation
) -> None:
    """Upstart is asked for its status, beside the list of all others; that harms nobody else."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    asked = question(
        upstart, check("web"), check("odd", instance=("index=0", "x=a *")), check("gone")
    )

    assert asked.command == Command(
        ("sh", "-c", ASK_STATUS, "initctl", "odd\x1findex=0\x1fx=a *"), 20.0
    )
    assert asked.parse(Finished(0, f"{LISTED}--\n{answer}", "")) == {
        "web": Observation("up", 39, "start/running", restarts_itself=True),
        "odd": expected,
        "gone": DOWN,
    }


def test_variables_that_are_refused(upstart: Upstart) -> None:
    """What holds a control character is passed to no command."""
    odd = check("odd", instance=("index=0\x1f--quiet",))
    reason = "'index=0\\x1f--quiet' cannot be a variable"

    assert upstart.look([odd]) == {"odd": Observation("absent", reason=reason)}
    assert upstart.command("start", odd) is None


NO_BUS = (
    "Unable to connect to system bus: Failed to connect to socket"
    " /run/dbus/system_bus_socket: No such file or directory"
)


@pytest.mark.parametrize(
    ("finished", "words"),
    [
        (Finished(1, "", f"initctl: {NO_BUS}\n"), f"initctl: {NO_BUS}"),
        (Finished(0, "", f"initctl: {NO_BUS}\n"), f"initctl: {NO_BUS}"),
        (Finished(4, LISTED, ""), "initctl: exit status 4"),
        (Finished(-9, "", ""), "initctl: exit status -9"),
        (Finished(None, "", "killed after 20 s"), "initctl: killed after 20 s"),
        (Finished(0, "rubbish\n", ""), "initctl printed no job: 'rubbish'"),
        (Finished(0, LISTED[:-6], ""), "initctl ended within a line: 'idle stop/wa'"),
        (Finished(0, f"{LISTED}--\n", ""), "initctl gave 2 answers to 1 questions"),
    ],
)
def test_no_answer_is_an_error(upstart: Upstart, finished: Finished, words: str) -> None:
    """An initctl that fails, hangs or prints garbage is a ManagerError in its words."""
    for asked in (
        question(upstart, check("web")),
        upstart.glance([check("web")]),
        upstart.loaded(),
    ):
        assert isinstance(asked, Question)
        with pytest.raises(ManagerError) as error:
            asked.parse(finished)
        assert str(error.value) == words


def test_nothing_is_listed(upstart: Upstart) -> None:
    """A container's initctl may be /bin/true: then there is no job, and no trouble."""
    assert looked(upstart, "web", printed="")["web"].status == "absent"


def test_a_glance_tells_all_that_a_look_would(upstart: Upstart) -> None:
    """Its texts change with what the list says of a service, and with nothing else."""
    changed = LISTED.replace("process 39", "process 40").replace("gone stop", "gone start")
    checks = [check("web"), check("gone"), check("sidekiq@1"), check("a b")]
    glance = upstart.glance(checks)
    assert isinstance(glance, Question)
    before, after = (glance.parse(Finished(0, text, "")) for text in (LISTED, changed))

    assert glance.command == Command(ASK, 20.0)
    assert [name for name in before if before[name] != after[name]] == ["web", "gone"]
    assert before.keys() == {"web", "gone", "sidekiq@1", "a b"}
    assert upstart.glance([check("a b")]) == {"a b": before["a b"]}


def test_what_is_loaded(upstart: Upstart) -> None:
    """Jobs, and instances as checks name them; names that a look refuses are left out."""
    asked = upstart.loaded()
    assert isinstance(asked, Question)
    printed = f"{LISTED}sidekiq (a b) start/running, process 5\ngetty (/dev/tty1) stop/killed\n"

    assert asked.command == Command(ASK, 20.0)
    assert asked.parse(Finished(0, printed, "")) == [
        *("rc", "web", "gone", "sidekiq@1", "sidekiq@0", "named@shop-2", "idle"),
        "getty@/dev/tty1",
    ]


@pytest.mark.parametrize(
    ("checked", "words"),
    [
        (check("web"), ("web",)),
        (check("net/apache"), ("net/apache",)),
        (check("sidekiq@0"), ("sidekiq", "index=0")),
        (check("named@shop-2"), ("named", "app=shop", "index=2")),
        (check("sidekiq", instance=("index=0", "queue=a b")), ("sidekiq", "index=0", "queue=a b")),
        (check("nosuch"), ("nosuch",)),
    ],
)
@pytest.mark.parametrize(
    ("verb", "tool"),
    [
        ("start", ("sh", "-c", START, "initctl")),
        ("stop", ("initctl", "stop")),
        ("restart", ("sh", "-c", RESTART, "initctl")),
        ("reload", ("initctl", "reload")),
    ],
)
def test_commands(
    upstart: Upstart,
    verb: Verb,
    tool: tuple[str, ...],
    checked: ServiceCheck,
    words: tuple[str, ...],
) -> None:
    """Every verb is initctl's, with the variables of the instance, and has the check's deadline."""
    timed = checked._replace(timeout_s=7.0)

    assert upstart.command(verb, timed) == Command((*tool, *words), 7.0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("named@a-b-2", "`instance $app-$index` makes the name a-b-2 in several ways"),
        ("odd@0", "`instance ${index:-0}` is more than plain text and variables"),
        ("unread@0", "FOLDER/unread.conf cannot be read"),
    ],
)
def test_an_instance_whose_variables_nobody_knows(
    upstart: Upstart, tmp_path: Path, name: str, words: str
) -> None:
    """There is no command for it; the reason says what to write instead."""
    job = name.partition("@")[0]
    with pytest.raises(ManagerError) as error:
        upstart.command("restart", check(name))

    assert str(error.value) == (
        f"{words.replace('FOLDER', str(tmp_path))}: give the variables,"
        f' as in `check service {job} with instance "index=0"`'
    )


@pytest.fixture
def initctl(tmp_path: Path) -> Path:
    """A folder whose `initctl` says which words it got, and does as `VERB.says` has it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    tool = folder / "initctl"
    tool.write_text(
        f'#!/bin/sh\nprintf "<%s>" "$@" >> {folder}/words\necho >> {folder}/words\n'
        f"[ ! -e {folder}/$1.says ] || . {folder}/$1.says\n"
    )
    tool.chmod(0o755)
    return folder


def run(folder: Path, command: Command | None) -> tuple[int, str, list[str]]:
    """How a command ends with that initctl, what it says of what went wrong, and whom it asked."""
    assert command is not None
    path = f"{folder}:/usr/bin:/bin"
    ran = subprocess.run(command.argv, env={"PATH": path}, cwd="/", capture_output=True, text=True)
    return ran.returncode, ran.stderr, (folder / "words").read_text().splitlines()


def test_variables_are_words_of_their_own(upstart: Upstart, initctl: Path) -> None:
    """Whatever is in them: no shell, pattern or blank makes more or other words of them."""
    odd = check("odd", instance=("index=$(reboot) * ~;'", "path=/*"))
    words = "<odd><index=$(reboot) * ~;'><path=/*>"

    assert run(initctl, question(upstart, odd).command) == (0, "", ["<list>", f"<status>{words}"])
    assert run(initctl, upstart.command("restart", odd))[2][2:] == [f"<restart>{words}"]


@pytest.mark.parametrize(
    ("verb", "says", "ending"),
    [
        ("start", {}, (0, "", ["<start><web>"])),
        (
            "start",
            {"start": "echo running >&2; exit 1", "status": "echo web start/running, process 3"},
            (0, "running\n", ["<start><web>", "<status><web>"]),
        ),
        (
            "start",
            {"start": "echo failed >&2; exit 1", "status": "echo web stop/waiting"},
            (1, "failed\n", ["<start><web>", "<status><web>"]),
        ),
        (
            "start",
            {"start": "echo failed >&2; exit 1", "status": "echo unknown >&2; exit 1"},
            (1, "failed\n", ["<start><web>", "<status><web>"]),
        ),
        ("restart", {}, (0, "", ["<restart><web>"])),
        (
            "restart",
            {"restart": "echo stopped >&2; exit 1"},
            (0, "stopped\n", ["<restart><web>", "<start><web>"]),
        ),
        (
            "restart",
            {"restart": "echo broken >&2; exit 1", "start": "echo no >&2; exit 1"},
            (1, "broken\nno\n", ["<restart><web>", "<start><web>"]),
        ),
    ],
)
def test_how_commands_end(
    upstart: Upstart,
    initctl: Path,
    verb: Verb,
    says: Mapping[str, str],
    ending: tuple[int, str, list[str]],
) -> None:
    """A start succeeds where it runs already, a restart starts, and failures keep their words."""
    for said, script in says.items():
        (initctl / f"{said}.says").write_text(script)

    assert run(initctl, upstart.command(verb, check("web"))) == ending


PRINTED = st.lists(
    st.sampled_from(
        ["web", " (0)", " start/running", "/", ", process 3", "\n", "--\n", "initctl: "]
    )
).map("".join)


@given(st.integers(-9, 9) | st.none(), st.text() | PRINTED, st.text())
def test_whatever_is_printed(status: int | None, out: str, error: str) -> None:
    """No answer makes anything but observations, names or a ManagerError."""
    upstart, finished = Upstart("/nonexistent"), Finished(status, out, error)
    checks = [check("web"), check("web@0"), check("odd", instance=("index=0",))]
    for asked in (question(upstart, *checks), upstart.glance(checks), upstart.loaded()):
        assert isinstance(asked, Question)
        with suppress(ManagerError):
            asked.parse(finished)
