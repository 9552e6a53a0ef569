"""The double of Upstart does what a real one was recorded to do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.doubles.upstart import INITCTL, init
from tests.integration.components import need
from tests.integration.place import Here

RECORD = Path(__file__).parents[1] / "fixtures/upstart/transcript-1.13.2.txt"
GUARD_S = 60.0
# as whom it runs: nobody, who can read this Python though, wherever that is
AS_NOBODY = ("unshare", "--user")

# what a pipe's end holds up goes on when the other one has been opened and closed again
JOBS = {
    "web": "respawn\nrespawn limit 3 30\nexec sleep 1000",
    "sidekiq": "instance $index\nrespawn\nreload signal USR1\nexec sleep 1000",
    "prestart": """
        pre-start exec cat {folder}/pre-start
        post-start exec cat {folder}/post-start
        pre-stop exec cat {folder}/pre-stop
        kill timeout 3
        script
            trap 'echo > {folder}/asked-to-end' TERM
            while :; do sleep 1000 & wait || :; done
        end script
        """,
    "crash": "respawn\nrespawn limit 3 30\nexec false",
    "forker": "expect fork\nexec sleep 1000 &",
    "atask": "task\nexec sleep 1000",
    "usr1": """
        reload signal USR1
        post-start exec cat {folder}/trapped
        script
            trap : USR1
            echo > {folder}/trapped
            while :; do sleep 1000 & wait || :; done
        end script
        """,
    "named": "instance $app-$index\nexec sleep 1000",
}
PIPES = ("pre-start", "post-start", "pre-stop", "asked-to-end", "trapped")


class Replay:
    """Does again what was recorded; `told` is what came of it, in the same form."""

    def __init__(self, folder: Path, recorded: Sequence[str]) -> None:
        self._folder, self._recorded = folder, iter(recorded)
        self.told: list[str] = []

    def play(self, count: int, become: Sequence[str] = ()) -> None:
        """The next commands."""
        for _ in range(count):
            command = next(self._recorded).partition("\n")[0]
            self.told.append(f"{command}\n{self.say(*command.split()[2:], become=become)}")

    def say(self, *words: str, become: Sequence[str] = ()) -> str:
        """What comes of a command, as the record has it."""
        argv = [*become, *self._argv(words)]
        done = subprocess.run(argv, env=self._env, capture_output=True, text=True)
        errors = [f"(stderr) {line}\n" for line in done.stderr.splitlines()]
        return f"{done.stdout}{''.join(errors)}(exit {done.returncode})"

    def until_it_says(self, wanted: str, *words: str) -> None:
        """Repeats a command until it says something that this matches."""
        while not re.search(wanted, self.say(*words)):
            pass

    @contextmanager
    def meanwhile(self, *words: str) -> Iterator[None]:
        """A command that was not recorded, and has ended when this does."""
        with subprocess.Popen(self._argv(words), env=self._env, stdout=subprocess.DEVNULL) as it:
            yield
            assert it.wait(GUARD_S) == 0

    @contextmanager
    def held(self, pipe: str, mode: str = "w") -> Iterator[None]:
        """Waits until a process is held up by a pipe, and lets it go on at the end."""
        with (self._folder / pipe).open(mode):
            yield

    def _argv(self, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-I", str(INITCTL), *words]

    @property
    def _env(self) -> dict[str, str]:
        return {"UPSTART_DOUBLE": str(self._folder), "PATH": os.environ["PATH"]}


def exchanges() -> list[str]:
    """The commands of the record, each with what came of it."""
    return [
        "\n".join(line for line in block.split("\n") if not line.startswith("#"))
        for block in RECORD.read_text().strip().split("\n\n")
        if "$ " in block
    ]


def comparable(told: Sequence[str]) -> str:
    """Processes by the order in which they are first named, and lists in no order."""
    blocks = []
    for block in told:
        command, *lines = block.split("\n")
        blocks.append("\n".join([command, *(sorted(lines) if "list" in command else lines)]))
    pids = list(dict.fromkeys(re.findall(r"process (\d+)", "\n".join(told))))
    return re.sub(
        r"process (\d+)", lambda match: f"process #{pids.index(match[1])}", "\n\n".join(blocks)
    )


@pytest.fixture
def replay(tmp_path: Path) -> Iterator[Replay]:
    """The jobs of the record."""
    need("root")
    for name, text in JOBS.items():
        (tmp_path / f"{name}.conf").write_text(text.replace("{folder}", str(tmp_path)))
    for pipe in PIPES:
        os.mkfifo(tmp_path / pipe)
    with init(Here(), tmp_path, tmp_path):
        yield Replay(tmp_path, exchanges())


def test_it_answers_as_recorded(replay: Replay) -> None:
    """Every line, error and exit status, and each process where it was."""
    replay.play(21)
    restarted = re.findall(r"process \d+", replay.told[-1])[0]
    replay.play(1)
    replay.until_it_says(rf"running, (?!{restarted}\n)", "status", "sidekiq", "index=0")
    replay.play(2)
    with replay.meanwhile("start", "prestart"):
        with replay.held("pre-start"):
            replay.play(1)
        with replay.held("post-start"):
            replay.play(1)
    replay.play(1)
    with replay.meanwhile("stop", "prestart"):
        with replay.held("pre-stop"):
            replay.play(1)
        with replay.held("asked-to-end", "r"):
            replay.play(1)
    replay.play(2)
    replay.until_it_says("stop/waiting", "status", "crash")
    replay.play(2)
    with replay.meanwhile("start", "atask"):
        replay.until_it_says("start/running", "status", "atask")
        replay.play(4)
        replay.say("stop", "atask")
    replay.play(1, AS_NOBODY)

    assert comparable(replay.told) == comparable(exchanges())
