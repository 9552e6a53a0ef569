from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.errors import ManagerError
from inspect_agent.managers.supervisord import Supervisord, is_name
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.ports import Question
from tests.managers.builders import asked, check, glanced, looked

WORKER = (sys.executable, "-I", "-m", "inspect_agent.workers.supervisord")
TOO_QUICKLY = "Exited too quickly (process log may have details)"


def process(full_name: str, statename: str = "RUNNING", **members: Any) -> dict[str, Any]:
    """A process as the worker prints it; `group:name`, or `name` where both are the same."""
    group, _, name = full_name.partition(":")
    return {"group": group, "name": name or group, "statename": statename, **members}


def printed(*processes: Mapping[str, Any]) -> str:
    """What the worker prints."""
    return json.dumps(processes)


def seen(manager: Supervisord, statename: str, **members: Any) -> Observation:
    """What a look makes of the process `web` in this state."""
    return looked(manager, ["web"], printed(process("web", statename, **members)))["web"]


@pytest.mark.parametrize(
    ("statename", "members", "observation"),
    [
        ("STOPPED", {}, Observation("down", None, "STOPPED")),
        ("STARTING", {"pid": 7}, Observation("starting", 7, "STARTING")),
        ("RUNNING", {"pid": 7}, Observation("up", 7, "RUNNING")),
        (
            "BACKOFF",
            {"spawnerr": TOO_QUICKLY},
            Observation("starting", None, f"BACKOFF: {TOO_QUICKLY}", restarts_itself=True),
        ),
        ("STOPPING", {"pid": 7, "comes_back": True}, Observation("up", 7, "STOPPING")),
        ("STOPPING", {}, Observation("down", None, "STOPPING")),
        ("EXITED", {"exitstatus": 2}, Observation("down", None, "EXITED: exit status 2")),
        (
            "EXITED",
            {"exitstatus": 3, "spawnerr": "Bad exit code 3", "comes_back": True},
            Observation("failed", None, "EXITED: Bad exit code 3"),
        ),
        (
            "EXITED",
            {"exitstatus": -1, "spawnerr": "Bad exit code -1"},
            Observation("failed", None, "EXITED: Bad exit code -1 (a signal)"),
        ),
        (
            "FATAL",
            {"spawnerr": "can't find command '/x'"},
            Observation("failed", None, "FATAL: can't find command '/x'"),
        ),
        (
            "FATAL",
            {"spawnerr": f"two\nlines{'!' * 1000}"},
            Observation("failed", None, f"FATAL: two lines{'!' * 191}"),
        ),
        ("UNKNOWN", {}, Observation("unknown", None, "UNKNOWN")),
        ("SLEEPING", {}, Observation("unknown", None, "SLEEPING")),
    ],
)
def test_states(statename: str, members: Mapping[str, Any], observation: Observation) -> None:
    """Each state of supervisord's is one of ours; a stop is told from a crash."""
    assert seen(Supervisord(), statename, **members) == observation


def test_who_restarts_what_runs() -> None:
    """A program that its configuration lets supervisord restart says so while it runs."""
    assert seen(Supervisord(), "RUNNING", pid=7, comes_back=True).restarts_itself
    assert not seen(Supervisord(), "RUNNING", pid=7, comes_back=False).restarts_itself


def test_a_start_goes_on_as_what_it_was() -> None:
    """STARTING is supervisord's own doing, unless the process was at rest before."""
    manager = Supervisord()
    states = ["STARTING", "RUNNING", "STARTING", "STARTING", "BACKOFF", "STARTING", "FATAL"]
    told = [seen(manager, state, comes_back=True) for state in [*states, "STARTING"]]

    assert [one.restarts_itself for one in told] == [False, *[True] * 5, False, False]
    assert [one.reason for one in told if one.status == "starting"] == [
        "STARTING",
        *["STARTING: supervisord restarts it"] * 2,
        "BACKOFF",
        "STARTING: supervisord restarts it",
        "STARTING",
    ]


def test_a_start_that_was_seen_to_be_a_restart() -> None:
    """Where the end before it was seen, its words are kept, and supervisord is known to do it."""
    assert seen(Supervisord(), "STARTING", pid=8, spawnerr="Bad exit code 3") == Observation(
        "starting", 8, "STARTING: Bad exit code 3", restarts_itself=True
    )


def test_names() -> None:
    """Names are those that supervisorctl lists; a group's name is its only process's, too."""
    processes = printed(
        process("web", pid=2),
        process("shop:web", pid=3),
        process("shop:worker", pid=4),
        process("alone:other", pid=5),
        process("pool:pool", pid=6),
        process("pool:pool_01", pid=7),
    )
    names = ["web", "shop:web", "web:web", "alone", "alone:other", "pool", "pool:pool_01"]
    found = looked(Supervisord(), names, processes)

    assert {name: found[name].pid for name in names} == {
        "web": 2,
        "shop:web": 3,
        "web:web": 2,
        "alone": 5,
        "alone:other": 5,
        "pool": 6,
        "pool:pool_01": 7,
    }


def test_absence_says_what_is_there_instead() -> None:
    """A name that is none is absent, with the name that was perhaps meant."""
    processes = printed(process("shop:web"), process("shop:worker"))

    assert looked(Supervisord(), ["nope", "shop", "worker", "shop:x"], processes) == {
        "nope": Observation("absent", reason="it knows no nope"),
        "shop": Observation("absent", reason="shop is a group of 2: name one, as shop:web"),
        "worker": Observation("absent", reason="it knows no worker, but shop:worker"),
        "shop:x": Observation("absent", reason="it knows no shop:x"),
    }


HOSTILE = ("", "a b", "../x", "/etc/passwd", "shop:*", "*", "a:b:c", "web:", ":web", "a\nb", "a\0b")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_no_process(name: str) -> None:
    """What can be no name is absent at once, and no command is given for it."""
    reason = f"{name!r} cannot be the name of a process"

    assert Supervisord().look([check(name)]) == {name: Observation("absent", reason=reason)}
    assert Supervisord().command("restart", check(name)) is None


@pytest.mark.parametrize("name", ["--help", "-x", "$(reboot)", 'x"y', "a;b", "bücher", "x" * 4096])
def test_odd_names_are_names(name: str) -> None:
    """What could be a name is looked for, and passed on as one argument."""
    assert is_name(name)
    assert looked(Supervisord(), [name], printed(process(name, pid=7)))[name].pid == 7
    command = Supervisord().command("start", check(name))
    assert command is not None
    assert command.argv == (*WORKER, "start", name)


def test_a_long_name_has_a_short_reason() -> None:
    """What can be no name is not repeated at length."""
    name = f"{'x ' * 2048}"
    answer = Supervisord().look([check(name)])

    assert not isinstance(answer, Question)
    assert len(answer[name].reason) < 150


def test_one_question_for_all() -> None:
    """All services are asked for by one command, which names none of them."""
    assert asked(Supervisord(), ["web", "shop:worker", "a b"]) == (*WORKER, "look")


@pytest.mark.parametrize(
    ("finished", "words"),
    [
        (Finished(1, "", "unix:///x: no answer within 5 s\n"), "unix:///x: no answer within 5 s"),
        (Finished(1, "[]", ""), "its worker ended with 1"),
        (Finished(None, "", "killed after 20 s"), "killed after 20 s"),
        (Finished(0, "", ""), "no processes, but ''"),
        (Finished(0, '[{"name": "we', ""), 'no processes, but \'[{"name": "we\''),
        (Finished(0, "[" * 100_000, ""), f"no processes, but '{'[' * 80}'"),
        (Finished(0, "7", ""), "no list of processes, but 7"),
        (Finished(0, "[7]", ""), "no process, but 7"),
        (Finished(0, '["name"]', ""), "no process, but 'name'"),
        (Finished(0, '[{"group": "web"}]', ""), "no process, but {'group': 'web'}"),
    ],
)
def test_no_answer_is_an_error(finished: Finished, words: str) -> None:
    """A worker that fails, hangs or prints garbage is a ManagerError in its words."""
    question = Supervisord().look([check("web")])
    assert isinstance(question, Question)
    with pytest.raises(ManagerError) as error:
        question.parse(finished)
    assert str(error.value) == words


@pytest.mark.parametrize("pid", [1, -5, 2**31, 10**30, 7.0, "7", None, True])
def test_pids_that_are_none(pid: Any) -> None:
    """A PID that no service can have spoils the answer: init is nobody's program."""
    with pytest.raises(ManagerError, match="no process, but"):
        seen(Supervisord(), "RUNNING", pid=pid)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
MEMBERS = st.fixed_dictionaries(
    {"group": VALUES, "name": VALUES, "statename": VALUES},
    optional={"pid": VALUES, "spawnerr": VALUES, "exitstatus": VALUES, "comes_back": VALUES},
)


@given(st.text() | st.builds(json.dumps, VALUES | st.lists(MEMBERS)))
def test_garbage_is_an_error_or_an_answer(text: str) -> None:
    """Whatever is printed: an answer for each service, or a ManagerError."""
    question = Supervisord().look([check("web"), check("a b")])
    assert isinstance(question, Question)
    try:
        answer = question.parse(Finished(0, text, ""))
    except ManagerError:
        return
    assert answer.keys() == {"web", "a b"}


def test_a_glance_changes_when_anything_does() -> None:
    """A glance is another one for each state, process and end, and the same for the same."""
    manager = Supervisord()
    changes = [
        process("web", "STOPPED"),
        process("web", "STARTING", pid=7),
        process("web", "STARTING", pid=8),
        process("web", "EXITED", spawnerr="Bad exit code 3", exitstatus=3),
        process("web", "EXITED", spawnerr="Bad exit code 4", exitstatus=4),
        process("other"),
    ]
    marks = [glanced(manager, ["web"], printed(change))["web"] for change in changes]
    again = [glanced(manager, ["web"], printed(change))["web"] for change in changes]

    assert len(set(marks)) == len(changes)
    assert again == marks


def test_what_is_loaded() -> None:
    """All processes, as checks would name them."""
    question = Supervisord().loaded()
    processes = printed(process("web"), process("shop:worker_00"), process("shop:worker_01"))

    assert isinstance(question, Question)
    assert question.command.argv == (*WORKER, "look")
    assert question.parse(Finished(0, processes, "")) == [
        *("web", "shop:worker_00", "shop:worker_01")
    ]


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "reload"])
def test_commands(verb: Verb) -> None:
    """Every verb is the worker's, and has the check's deadline."""
    command = Supervisord().command(verb, check("shop:web", timeout_s=7.0))

    assert command == Command((*WORKER, verb, "shop:web"), 7.0)


def test_the_core_gets_nothing_heavier() -> None:
    """To bring this manager into the core imports nothing that is not there."""
    script = (
        "import sys, inspect_agent.core.main\n"
        "before = set(sys.modules)\n"
        "import inspect_agent.managers.supervisord\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=True)

    assert done.stdout.decode().split() == [
        "inspect_agent.managers.supervisord",
        "inspect_agent.managers.supervisord_process",
    ]
