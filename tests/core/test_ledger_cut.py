"""A ledger that is cut off anywhere, spoilt, or hindered: read, or set aside, and never in silence.

What was committed is known step by step, so that whatever is read must have been true once.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from inspect_agent.core import remember, tally
from inspect_agent.core.ledger import Change, Ledger, Post, Put
from inspect_agent.core.loop import Loop
from inspect_agent.core.state_file import Contents, read
from inspect_agent.engine.budget import Spent
from inspect_agent.engine.rules import Phase, Progress, RuleState
from inspect_agent.engine.services import ServiceState
from inspect_agent.engine.silence import Silence
from inspect_agent.model.target import Process
from tests.core.looping import looping, run_until
from tests.core.test_ledger import full_disk

STEP = 512
EVERY = 1 << 30
COMMITS = 40


def turn(number: int) -> list[Change]:
    """What one turn of an agent commits: of every kind something, and a message, or its end."""
    name = f"sidekiq@{number % 7}"
    process = Process(4711 + number, 100.5 + number)
    state = ServiceState("up", process, "active (running)", 7.0, was_up=True, deaths=(1.0, 2.0))
    rule = RuleState(Phase.TRIGGERED, Progress(number, 1.0, 5, 2.0))
    silence = Silence((("web", 9.0 + number),), (), (name,))
    body = json.dumps({"message_id": f"{number:032x}", "text": "ü" * 400}, ensure_ascii=False)
    changes: list[Change] = [
        Put("service", name, remember.service_to_text(state, False, "ops")),
        Put("rule", f"service {name}/memory:rss > 1g", remember.rule_to_text(rule, ("ops", ""))),
        Put("budget", name, remember.spent_to_text(Spent((1.0, float(number)), 0.0, 300.0))),
        Put("silence", "", remember.silence_to_text(silence)),
        Put("clock", "", remember.clock_to_text(remember.Clock("boot", 1.0))),
        Put("repair", f"service {name}", None if number % 3 else '{"target": "host"}'),
        Post(number + 1, "ops/email", body),
    ]
    if number % 5 == 4:
        changes += [Post(number - 1, "ops/email", None), Put("rule", f"gone {number}", "x" * 9000)]
    return changes


class Killed(NamedTuple):
    """A ledger as a kill -9 leaves it, and as a clean end does.

    held   what it held after so many commits, the last of them all
    """

    folder: Path
    held: list[Contents]

    def copy(self, to: Path, *, closed: bool = False) -> Path:
        """A copy to be spoilt; its path."""
        path = to / "state.db"
        for suffix in ("", "-wal", "-shm", "-commits"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        source = self.folder / ("closed" if closed else "killed")
        for suffix in ("", "-commits") if closed else ("", "-wal", "-commits"):
            shutil.copy(f"{source}{suffix}", f"{path}{suffix}")
        return path


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """One ledger; nobody writes to it afterwards."""
    folder = tmp_path_factory.mktemp("ledger")
    path, held = folder / "state.db", [Contents({}, {}, 0, "")]
    with looping() as loop:
        ledger = Ledger(str(path), loop.call_soon_threadsafe, _never)
        for number in range(COMMITS):
            _commit(loop, ledger, turn(number))
            for suffix in ("", "-wal", "-commits"):
                shutil.copy(f"{path}{suffix}", f"{folder / 'killed'}{suffix}")
            held.append(read(str(folder / "killed")))
            assert held[-1].lost == ""
        for suffix in ("", "-wal", "-commits"):  # reading has closed them, and so changed them
            shutil.copy(f"{path}{suffix}", f"{folder / 'killed'}{suffix}")
        assert ledger.close(10)
    for suffix in ("", "-commits"):
        shutil.copy(f"{path}{suffix}", f"{folder / 'closed'}{suffix}")
    return Killed(folder, held)


def _never(trouble: str) -> None:
    raise AssertionError(trouble)


def _commit(loop: Loop, ledger: Ledger, changes: list[Change]) -> None:
    answers: list[bool] = []
    ledger.commit(changes, answers.append)
    run_until(loop, lambda: answers)
    assert answers == [True]


def judge(path: Path, killed: Killed) -> str:
    """Reads a ledger that was spoilt: "whole", "older" or "set aside"; anything else fails."""
    contents = read(str(path))
    if not contents.lost:
        assert contents == killed.held[-1], "something is missing, and nobody says so"
        return "whole"
    if contents.lost.endswith("changes of state.db are gone"):
        held = [known[:3] for known in killed.held]
        assert contents[:3] in held, "this was never true"
        missing = COMMITS - held.index(contents[:3])
        assert contents.lost == f"the last {missing} changes of state.db are gone"
        return "older"
    assert contents == Contents({}, {}, 0, contents.lost)
    assert contents.lost.endswith(f"; kept as {path}.damaged-1")
    for kept in path.parent.glob("*.damaged-1*"):
        kept.unlink()
    return "set aside"


def sample(size: int, count: int) -> list[int]:
    """Some of the lengths at which a file of this size may be cut, the least and most included."""
    places = range(0, size, STEP)
    chosen = random.Random(1).sample(places, min(count, len(places)))
    return sorted({0, places[-1], *chosen})


def cut(path: Path, length: int) -> None:
    """Cuts a file off."""
    with path.open("r+b") as file:
        file.truncate(length)


def log_of(path: Path) -> Path:
    """The write-ahead log of a ledger."""
    return path.with_name(f"{path.name}-wal")


# cut off


def test_a_ledger_that_nobody_cut(killed: Killed, tmp_path: Path) -> None:
    """As a kill -9 leaves it, and as an end in peace does, it is whole."""
    assert judge(killed.copy(tmp_path), killed) == "whole"
    assert judge(killed.copy(tmp_path, closed=True), killed) == "whole"


def test_the_file_is_cut_anywhere(killed: Killed, tmp_path: Path) -> None:
    """At every 512th byte, after an end in peace: what is not whole is set aside.

    It is whole without a page at its end that SQLite keeps and does not use.
    """
    size = killed.copy(tmp_path, closed=True).stat().st_size
    verdicts = set()
    for length in range(0, size, STEP):
        path = killed.copy(tmp_path, closed=True)
        cut(path, length)
        verdicts.add(judge(path, killed))
    assert verdicts in ({"set aside"}, {"set aside", "whole"})


def test_the_file_is_cut_anywhere_beside_its_log(killed: Killed, tmp_path: Path) -> None:
    """After a kill -9 the log has all of it; but SQLite deletes the log of an empty file."""
    size = killed.copy(tmp_path).stat().st_size
    verdicts = {}
    for length in range(0, size, STEP):
        path = killed.copy(tmp_path)
        cut(path, length)
        verdicts[length] = judge(path, killed)
    assert verdicts.pop(0) == "set aside"
    assert set(verdicts.values()) == {"whole"}


@pytest.mark.parametrize("count", [100, pytest.param(EVERY, marks=pytest.mark.acceptance)])
def test_the_log_is_cut_anywhere(killed: Killed, tmp_path: Path, count: int) -> None:
    """What was true after some commit is read, and how many came after it is said."""
    for length in sample(log_of(killed.copy(tmp_path)).stat().st_size, count):
        path = killed.copy(tmp_path)
        cut(log_of(path), length)
        assert judge(path, killed) == "older"


def test_the_log_is_gone(killed: Killed, tmp_path: Path) -> None:
    """As somebody removes it who takes it for a left-over."""
    path = killed.copy(tmp_path)
    log_of(path).unlink()
    assert judge(path, killed) == "older"


def test_a_copy_that_was_put_back(killed: Killed, tmp_path: Path) -> None:
    """What has happened since the backup is missing, and that is said."""
    path = killed.copy(tmp_path, closed=True)
    Path(tally.path_of(str(path))).write_text(f"{COMMITS + 3:020}\n")
    assert read(str(path)).lost == "the last 3 changes of state.db are gone"


# spoilt


@pytest.mark.parametrize("count", [200, pytest.param(6000, marks=pytest.mark.acceptance)])
@pytest.mark.parametrize(("closed", "suffix"), [(True, ""), (False, ""), (False, "-wal")])
def test_a_byte_is_another_one(
    killed: Killed, tmp_path: Path, closed: bool, suffix: str, count: int
) -> None:
    """Anywhere: no row that says something else than what was written is believed."""
    dice = random.Random(f"{closed} {suffix}")
    for _ in range(count):
        path = killed.copy(tmp_path, closed=closed)
        spoilt = Path(f"{path}{suffix}")
        data = bytearray(spoilt.read_bytes())
        data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
        spoilt.write_bytes(data)
        judge(path, killed)


@pytest.mark.parametrize("count", [50, pytest.param(1000, marks=pytest.mark.acceptance)])
def test_a_block_is_garbage(killed: Killed, tmp_path: Path, count: int) -> None:
    """As a disk returns it that has lost what it was given: zeros, or another file's block."""
    dice = random.Random(7)
    for _ in range(count):
        path = killed.copy(tmp_path, closed=True)
        data = bytearray(path.read_bytes())
        at = dice.randrange(0, len(data), STEP)
        data[at : at + STEP] = bytes(STEP) if dice.random() < 0.5 else dice.randbytes(STEP)
        path.write_bytes(data)
        judge(path, killed)


@pytest.mark.parametrize(
    "said", [b"", b"\0" * 21, b"no number", b"-7\n", b"00000000000000000003\n"]
)
def test_a_tally_that_says_nothing(killed: Killed, tmp_path: Path, said: bytes) -> None:
    """After a power cut it may be behind, or empty: the ledger is whole all the same."""
    path = killed.copy(tmp_path)
    Path(tally.path_of(str(path))).write_bytes(said)
    assert read(str(path)) == killed.held[-1]


# what an agent begins with


@pytest.mark.parametrize("spoil", ["", "gone", "empty", "cut", "log cut", "spoilt"])
def test_the_next_agent_begins_on_what_is_left(killed: Killed, tmp_path: Path, spoil: str) -> None:
    """What it commits is kept beside what was read; what was lost is told once, and not again."""
    path = killed.copy(tmp_path, closed=spoil in ("cut", "spoilt"))
    if spoil == "gone":
        path.unlink()
    elif spoil == "log cut":
        cut(log_of(path), 100_000)
    elif spoil:
        cut(path, {"empty": 0, "cut": 5000, "spoilt": 20}[spoil])
    contents = read(str(path))
    assert bool(contents.lost) is bool(spoil)
    with looping() as loop:
        ledger = Ledger(str(path), loop.call_soon_threadsafe, _never)
        _commit(loop, ledger, [Put("clock", "", "[]")])
        assert ledger.close(10)
    clock = {"clock": {"": "[]"}}
    assert read(str(path)) == contents._replace(states={**contents.states, **clock}, lost="")


def test_a_new_ledger_has_lost_nothing(tmp_path: Path) -> None:
    """Nor has one that was cut off in the moment of its creation."""
    path = tmp_path / "state.db"
    assert read(str(path)) == Contents({}, {}, 0, "")
    path.touch()
    assert read(str(path)) == Contents({}, {}, 0, "")


def test_a_ledger_that_is_gone(killed: Killed, tmp_path: Path) -> None:
    """Its tally knows that there was one."""
    path = killed.copy(tmp_path, closed=True)
    path.unlink()
    assert read(str(path)) == Contents({}, {}, 0, "state.db is gone")


def test_one_of_the_version_before(killed: Killed, tmp_path: Path) -> None:
    """It is brought to the present one, with all that it holds."""
    path = killed.copy(tmp_path, closed=True)
    Path(tally.path_of(str(path))).unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "ALTER TABLE state DROP COLUMN sum; ALTER TABLE outbox DROP COLUMN sum;"
            "DELETE FROM state WHERE kind = 'ledger'; PRAGMA user_version = 1"
        )
    assert read(str(path)) == killed.held[-1]
    assert read(str(path)) == killed.held[-1]


# in the way


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_folder_in_its_place(killed: Killed, tmp_path: Path, suffix: str) -> None:
    """In that of the ledger it is set aside; beside it, what lies in the file is read."""
    path = killed.copy(tmp_path, closed=True)
    if not suffix:
        path.unlink()
    Path(f"{path}{suffix}").mkdir()
    contents = read(str(path))
    if suffix:
        assert contents == killed.held[-1]
    else:
        lost = f"state.db could not be used: unable to open database file; kept as {path}.damaged-1"
        assert contents == Contents({}, {}, 0, lost)


@pytest.mark.parametrize("closed", [True, False])
def test_a_disk_without_room(killed: Killed, tmp_path: Path, closed: bool) -> None:
    """What lies on it is read all the same, and stays as it is."""
    path = killed.copy(tmp_path, closed=closed)
    before = path.read_bytes()
    with full_disk(0):
        assert read(str(path)) == killed.held[-1]
        assert path.read_bytes() == before
