"""The ledger: what is committed survives, and what cannot be is kept in memory until it can."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from inspect_agent.core import ledger
from inspect_agent.core.ledger import Change, Ledger, Post, Put
from inspect_agent.core.loop import Loop
from inspect_agent.core.state_file import VERSION, Contents, connect, read
from tests.core.looping import looping, run_until

EMPTY = Contents({}, {}, 0, "")


class Kept:
    """A ledger in a loop, and what it said of itself."""

    def __init__(self, loop: Loop, path: Path) -> None:
        self._loop = loop
        self.troubles: list[str] = []
        self.ledger = Ledger(str(path), loop.call_soon_threadsafe, self.troubles.append)

    def commit(self, *changes: Change) -> bool:
        """Commits, and waits for the answer."""
        answers: list[bool] = []
        self.ledger.commit(changes, answers.append)
        run_until(self._loop, lambda: answers)
        return answers[0]

    def fetch(self, destination: str, after: int = 0, most: int = 99) -> tuple[Post, ...] | None:
        """Fetches, and waits for the answer."""
        answers: list[tuple[Post, ...] | None] = []
        self.ledger.fetch(destination, after, most, answers.append)
        run_until(self._loop, lambda: answers)
        return answers[0]


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop in which nothing may raise."""
    with looping() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where state.db is."""
    return tmp_path / "state.db"


def _nothing(durable: bool) -> None:
    """Nobody waits for it."""


@contextmanager
def keeping(loop: Loop, path: Path) -> Iterator[Kept]:
    """A ledger; closed when the test is over."""
    kept = Kept(loop, path)
    yield kept
    kept.ledger.close(10)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else writes, and does not come to an end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full_disk(longest_file: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: setrlimit(2)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (longest_file, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def transactions(path: Path) -> int:
    """How many commits lie in the write-ahead log: https://sqlite.org/fileformat2.html#walformat."""
    log = Path(f"{path}-wal").read_bytes()
    (page_bytes,) = struct.unpack_from(">I", log, 8)
    frames = range(32, len(log), 24 + page_bytes)
    return sum(struct.unpack_from(">I", log, frame + 4) != (0,) for frame in frames)


def test_what_was_committed_is_read(loop: Loop, path: Path) -> None:
    """States by their kind and key, messages by their destination, the highest number."""
    with keeping(loop, path) as kept:
        assert kept.commit(Put("rule", "a", "1"), Put("rule", "b", "2"), Post(7, "ops/email", "x"))
        assert kept.commit(Put("service", "a", "3"), Post(9, "ops/email", "y"), Post(8, "log", "z"))
    assert read(str(path)) == Contents(
        states={"rule": {"a": "1", "b": "2"}, "service": {"a": "3"}},
        waiting={"ops/email": 2, "log": 1},
        last_seq=9,
        lost="",
    )
    assert kept.troubles == []


def test_nothing_is_lost_by_kill_9_once_it_is_committed(loop: Loop, path: Path) -> None:
    """A ledger that was never closed can be read."""
    with keeping(loop, path) as kept:
        kept.commit(Put("rule", "a", "1"))
        copy = path.with_name("copy.db")
        for suffix in ("", "-wal"):
            copy.with_name(f"copy.db{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
    assert read(str(copy)).states == {"rule": {"a": "1"}}


def test_the_newest_value_counts_and_none_forgets(loop: Loop, path: Path) -> None:
    """Within one batch as from one to the next."""
    with keeping(loop, path) as kept:
        kept.commit(Put("rule", "a", "1"), Put("rule", "b", "1"), Put("rule", "c", None))
        kept.commit(Put("rule", "a", "2"), Put("rule", "a", "3"), Put("rule", "b", None))
        kept.commit(Post(1, "log", "x"), Post(2, "log", "y"))
        kept.commit(Post(1, "log", None), Post(2, "log", "z"))
        assert kept.fetch("log") == (Post(2, "log", "z"),)
    assert read(str(path)).states == {"rule": {"a": "3"}}


def test_messages_are_fetched_in_order_a_few_at_a_time(loop: Loop, path: Path) -> None:
    """Those of one destination, behind a number."""
    with keeping(loop, path) as kept:
        kept.commit(*(Post(number, f"d{number % 2}", str(number)) for number in range(1, 10)))
        assert kept.fetch("d1", most=2) == (Post(1, "d1", "1"), Post(3, "d1", "3"))
        assert kept.fetch("d1", after=5) == (Post(7, "d1", "7"), Post(9, "d1", "9"))
        assert kept.fetch("d1", after=9) == ()
        assert kept.fetch("nobody") == ()


def test_what_comes_while_it_writes_is_one_transaction(loop: Loop, path: Path) -> None:
    """A hundred batches that wait for a disk cost it one write, and each is told."""
    told: list[bool] = []
    with keeping(loop, path) as kept:
        kept.commit(Put("rule", "0", "0"))
        before = transactions(path)
        with locked(path):
            for number in range(100):
                kept.ledger.commit([Put("rule", str(number), "x")], told.append)
        run_until(loop, lambda: len(told) == 100)
        assert transactions(path) - before <= 2, "the first may have gone ahead alone"
    assert told == [True] * 100
    assert len(read(str(path)).states["rule"]) == 100


def test_answers_come_in_the_order_of_the_questions(loop: Loop, path: Path) -> None:
    """A message is known to be committed before a later fetch finds it."""
    order: list[int | str] = []

    def committed(number: int, durable: bool) -> None:
        order.append(number)

    def found(posts: tuple[Post, ...] | None) -> None:
        told = {item for item in order if item != "found"}
        assert {post.seq for post in posts or ()} <= told
        order.append("found")

    with keeping(loop, path) as kept:
        for number in range(1, 20):
            kept.ledger.commit([Post(number, "d", "x")], partial(committed, number))
            kept.ledger.fetch("d", 0, 99, found)
        run_until(loop, lambda: order.count("found") == 19)
    assert [item for item in order if item != "found"] == list(range(1, 20))


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_nobody_else_may_read_its_files(loop: Loop, path: Path, mask: int) -> None:
    """Whatever the umask; also what SQLite keeps beside it, and what is set aside."""
    before = os.umask(mask)
    try:
        path.write_bytes(b"no database" * 100)
        path.chmod(0o600)
        read(str(path))
        with keeping(loop, path) as kept:
            kept.commit(Put("rule", "a", "1"))
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    names = (*(f"state.db{suffix}" for suffix in ("", "-wal", "-shm", "-commits", ".damaged-1")),)
    assert modes == dict.fromkeys(names, 0o600)


def test_a_folder_that_is_not_there_is_waited_for(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads as empty; changes are kept in memory and written, unasked, once they can be."""
    monkeypatch.setattr(ledger, "RETRY_S", 0.01)
    folder = tmp_path / "later"
    path = folder / "state.db"
    assert read(str(path)) == EMPTY
    with keeping(loop, path) as kept:
        assert not kept.commit(Put("rule", "a", "1"), Put("rule", "b", "1"), Post(1, "d", "x"))
        assert not kept.commit(Put("rule", "a", "2"), Put("rule", "b", None))
        assert kept.troubles == ["unable to open database file"]
        assert kept.fetch("d") == (Post(1, "d", "x"),)
        folder.mkdir()
        run_until(loop, lambda: len(kept.troubles) == 2)
        assert kept.troubles[1] == ""
    assert read(str(path)) == Contents({"rule": {"a": "2"}}, {"d": 1}, 1, "")


def test_a_disk_that_fills_up_and_is_emptied(loop: Loop, path: Path) -> None:
    """Nothing of what could not be written is lost, and the end of the trouble is told."""
    answers = []
    with keeping(loop, path) as kept:
        with full_disk(100_000):
            for number in range(60):
                post = Post(number + 1, "d", "y" * 2000)
                answers.append(kept.commit(Put("rule", str(number), "x" * 2000), post))
            assert len(kept.fetch("d") or ()) == 60
        assert answers[0]
        assert not answers[-1]
        assert kept.troubles[-1] in ("database or disk is full", "disk I/O error")
        assert kept.commit(Put("rule", "last", "x"))
        assert kept.troubles[-1] == ""
    contents = read(str(path))
    assert (len(contents.states["rule"]), contents.waiting) == (61, {"d": 60})


def test_what_is_taken_off_in_memory_does_not_hide_what_is_on_disk(loop: Loop, path: Path) -> None:
    """Messages delivered while the disk is full make room in an answer for those behind them."""
    with keeping(loop, path) as kept:
        kept.commit(*(Post(number, "d", "x") for number in range(1, 11)))
        with full_disk(40_000):
            taken = [Post(number, "d", None) for number in range(1, 5)]
            assert not kept.commit(*taken, Post(6, "d", "new"), Post(11, "d", "y" * 60_000))
            assert kept.fetch("d", most=3) == (
                Post(5, "d", "x"),
                Post(6, "d", "new"),
                Post(7, "d", "x"),
            )
            assert kept.fetch("d", after=9) == (Post(10, "d", "x"), Post(11, "d", "y" * 60_000))


def test_a_disk_that_cannot_be_read_is_not_an_empty_one(loop: Loop, path: Path) -> None:
    """None says that nobody knows; what is in memory is found all the same."""
    with keeping(loop, path / "no" / "folder") as kept:
        assert kept.fetch("d") is None
        kept.commit(Post(1, "d", "x"))
        assert kept.fetch("d") == (Post(1, "d", "x"),)
        assert kept.fetch("other") is None


def test_close_writes_what_waits(loop: Loop, path: Path) -> None:
    """The last changes of an agent that ends are not lost."""
    kept = Kept(loop, path)
    for number in range(50):
        kept.ledger.commit([Put("rule", str(number), "x")], _nothing)
    assert kept.ledger.close(10)
    assert len(read(str(path)).states["rule"]) == 50


def test_close_says_when_it_could_not_write(loop: Loop, path: Path) -> None:
    """Because the disk takes nothing, or not in time."""
    kept = Kept(loop, path / "no" / "folder")
    kept.ledger.commit([Put("rule", "a", "x")], _nothing)
    assert not kept.ledger.close(10)

    kept = Kept(loop, path)
    kept.commit(Put("rule", "a", "x"))
    with locked(path):
        kept.ledger.commit([Put("rule", "b", "x")], _nothing)
        assert not kept.ledger.close(0.01)
    assert kept.ledger.close(10)


def garbage(path: Path) -> None:
    """No database at all."""
    path.write_bytes(os.urandom(5000))


def truncated(path: Path) -> None:
    """A database with its second half cut off."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 100)
        connection.commit()
    os.truncate(path, path.stat().st_size // 2)


def newer(path: Path) -> None:
    """Written by a version to come."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")


def no_version(path: Path) -> None:
    """The number of its version is that of an older one."""
    with closing(connect(str(path))) as connection:
        connection.execute("PRAGMA user_version = 1")


def another_row(path: Path) -> None:
    """A row that says something else than what was written."""
    with closing(connect(str(path))) as connection, connection:
        connection.execute("INSERT INTO state VALUES ('silence', '', '[[],[],[\"a\"]]', 1)")


def no_text(path: Path) -> None:
    """A row whose text is none."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL; CREATE TABLE state (kind, key, value, sum);"
            "CREATE TABLE outbox (seq, destination, body, sum);"
            "INSERT INTO state VALUES ('rule', 'a', CAST(x'ff' AS TEXT), 1);"
            f"PRAGMA user_version = {VERSION}"
        )


def no_tables(path: Path) -> None:
    """A database of somebody else's."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA user_version = {VERSION}")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (garbage, "file is not a database"),
        (truncated, "database disk image is malformed"),
        (newer, f"written by a newer version (format {VERSION + 1})"),
        (no_version, "its tables are of another version than it is"),
        (another_row, "a row is not what was written"),
        (no_text, "Could not decode to UTF-8 column 'value' with text '\ufffd'"),
        (no_tables, "no such table: state"),
    ],
)
def test_what_cannot_be_used_is_set_aside(
    loop: Loop, path: Path, spoil: Callable[[Path], None], why: str
) -> None:
    """Under the next free name, whole; an empty ledger is begun, and the next read is clean."""
    for number in (1, 2):
        path.unlink(missing_ok=True)
        spoil(path)
        spoilt = path.read_bytes()
        lost = f"state.db could not be used: {why}; kept as {path}.damaged-{number}"
        assert read(str(path)) == EMPTY._replace(lost=lost)
        assert Path(f"{path}.damaged-{number}").read_bytes() == spoilt
        with keeping(loop, path) as kept:
            assert kept.commit(Put("rule", "a", "1"))
        assert read(str(path)).states == {"rule": {"a": "1"}}


def test_what_cannot_be_set_aside_keeps_nobody_from_starting(
    loop: Loop, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk that is read-only, the agent goes on in memory and says why."""

    def refuse(source: str, target: str) -> None:
        raise OSError(30, "Read-only file system")

    newer(path)
    monkeypatch.setattr(os, "rename", refuse)
    why = f"written by a newer version (format {VERSION + 1})"
    lost = f"state.db could not be used: {why}; it cannot be renamed: Read-only file system"
    assert read(str(path)) == EMPTY._replace(lost=lost)
    with keeping(loop, path) as kept:
        assert not kept.commit(Put("rule", "a", "1"), Post(1, "d", "x"))
        assert kept.fetch("d") == (Post(1, "d", "x"),)
        assert kept.troubles == [why]


def test_an_empty_file_is_a_new_ledger(loop: Loop, path: Path) -> None:
    """As a crash in the moment of its creation leaves it."""
    path.touch()
    assert read(str(path)) == EMPTY


def test_an_odd_name_cannot_end_the_thread(loop: Loop, path: Path) -> None:
    """A text that SQLite cannot store is a trouble like another."""
    with keeping(loop, path) as kept:
        assert not kept.commit(Put("rule", "\ud800", "x"))
        assert len(kept.troubles) == 1
        assert kept.commit(Put("rule", "\ud800", None), Put("rule", "a", "x")) in (True, False)
        assert kept.fetch("d") == ()
