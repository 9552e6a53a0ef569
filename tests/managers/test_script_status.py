from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.core.child import CLEAN_ENVIRONMENT
from inspect_agent.errors import ManagerError
from inspect_agent.managers.script_status import (
    LIMIT_S,
    WORDS_MAX,
    Answer,
    Answers,
    ask,
    observe,
    parse_answers,
)
from inspect_agent.model.observation import Finished, Observation


def answers(folder: Path, limit: str = "30", **texts: str) -> Answers:
    """What real scripts answer within `limit` seconds, by their names."""
    for name, text in texts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    question = ask([str(folder / name) for name in texts], lambda found: found)
    shell, option, script, zero, _, *paths = question.command.argv
    ran = subprocess.run(
        [shell, option, script, zero, limit, *paths],
        env=CLEAN_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = question.parse(Finished(ran.returncode, ran.stdout, ran.stderr))
    return {Path(path).name: answer for path, answer in found.items()}


def test_scripts_are_asked(tmp_path: Path) -> None:
    """Each is asked for its status alone; words come from both streams, on one line."""
    said = answers(
        tmp_path,
        up="echo app is running.",
        down='echo "app is"; echo not running >&2; exit 3',
        silent="exit 4",
        told='echo "$# $1"',
        colours="printf '\\033[32m ok \\200 7'; exit 1",
        reads="read x || exit 9",
    )
    assert said == {
        "up": Answer(0, "app is running."),
        "down": Answer(3, "app is not running"),
        "silent": Answer(4, ""),
        "told": Answer(0, "1 status"),
        "colours": Answer(1, "[32m ok 7"),
        "reads": Answer(9, ""),
    }


def test_scripts_that_go_wrong(tmp_path: Path) -> None:
    """One that does not end, prints without end, or cannot be run, harms no other."""
    said = answers(
        tmp_path,
        "1",
        hangs="trap '' TERM; while :; do sleep 1000; done",
        talks="yes far too much",
        many="i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i + 1)); done",
        other="exit 0",
    )
    assert {name: answer.exit_status for name, answer in said.items()} == {
        "hangs": 137,
        "talks": 124,
        "many": 0,
        "other": 0,
    }
    assert max(len(answer.words) for answer in said.values()) == WORDS_MAX
    assert said["many"].words.endswith(" 4998 4999")
    assert observe(said["hangs"]) == Observation(
        "unknown", reason=f"its status action did not end within {LIMIT_S} s"
    )


def test_a_script_that_is_gone(tmp_path: Path) -> None:
    """What cannot be run has no known status."""
    said = answers(tmp_path, broken="#")
    (tmp_path / "broken").write_text("#!/no/such/shell\n")
    question = ask([str(tmp_path / "gone"), str(tmp_path / "broken")], lambda found: found)
    ran = subprocess.run(question.command.argv, capture_output=True, text=True, timeout=60)
    found = question.parse(Finished(ran.returncode, ran.stdout, ran.stderr))

    assert said == {"broken": Answer(0, "")}
    assert {observe(answer).status for answer in found.values()} == {"unknown"}
    assert [answer.exit_status for answer in found.values()] == [127, 127]


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (Answer(0, "it runs"), Observation("up", reason="its status action says: it runs")),
        (Answer(0, "usage: low"), Observation("up", reason="its status action says: usage: low")),
        (
            Answer(3, "not running"),
            Observation(
                "down",
                reason="stopped or crashed: its status action says: not running",
                ambiguous=True,
            ),
        ),
        (
            Answer(1, ""),
            Observation(
                "down",
                reason="stopped or crashed: its status action says: exit 1",
                ambiguous=True,
            ),
        ),
        (
            Answer(2, "dead but subsys locked"),
            Observation("failed", reason="its status action says: dead but subsys locked"),
        ),
        (Answer(4, "?"), Observation("unknown", reason="its status action says: ?")),
        (Answer(126, "?"), Observation("unknown", reason="its status action says: ?")),
        (
            Answer(3, "Usage: /etc/init.d/x {start|stop}"),
            Observation(
                "unknown",
                reason="its script has no status action: Usage: /etc/init.d/x {start|stop}",
            ),
        ),
        (None, Observation("unknown", reason="its status action said nothing")),
    ],
)
def test_what_an_answer_means(answer: Answer | None, seen: Observation) -> None:
    """Exit statuses are those of the LSB; where it is not running nobody can tell why."""
    assert observe(answer) == seen


@pytest.mark.parametrize(
    ("finished", "said"),
    [
        (Finished(None, "", "killed after 15 s"), "killed after 15 s"),
        (Finished(2, "", "sh: 1: Syntax error\n"), "sh: 1: Syntax error"),
        (Finished(127, "", ""), "exit status 127"),
        (Finished(0, "1 0 fine\n1 0", ""), "'1 0'"),
        (Finished(0, "2 0 fine\n", ""), "'2 0 fine'"),
        (Finished(0, "0 0 fine\n", ""), "'0 0 fine'"),
    ],
)
def test_garbage(finished: Finished, said: str) -> None:
    """An answer that is cut off, for nobody, or none at all is refused."""
    with pytest.raises(ManagerError) as raised:
        parse_answers(["/etc/init.d/a"], finished)
    assert str(raised.value) == f"status of init scripts: {said}"


@given(st.text(), st.integers(-64, 255) | st.none())
def test_any_garbage(printed: str, status: int | None) -> None:
    """Nothing but answers or a ManagerError comes of any output."""
    with suppress(ManagerError):
        found = parse_answers(["/etc/init.d/a"], Finished(status, printed, ""))
        assert set(found) <= {"/etc/init.d/a"}
