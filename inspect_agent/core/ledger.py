"""The ledger: what must survive a kill -9, in one SQLite file, committed by one thread.

The core gives it changes and goes on; the thread writes all that wait as one transaction and then
calls back. While the disk cannot take them they are kept in memory, the newest of each key, and
tried again; whoever waits for them is told that nothing is durable.

    state    kind, key → JSON                          where things stand
    outbox   seq → destination, JSON of the message    what was not taken yet
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from functools import partial
from queue import Empty, SimpleQueue

from inspect_agent.typed import NamedTuple, Union

VERSION = 1
RETRY_S = 5.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (
  kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
  seq INTEGER PRIMARY KEY, destination TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS outbox_by_destination ON outbox (destination, seq);
"""


class Put(NamedTuple):
    """The new value of a state; None forgets it."""

    kind: str
    key: str
    value: str | None


class Post(NamedTuple):
    """A message for a destination; without a body it is off the list."""

    seq: int
    destination: str
    body: str | None


Change = Union[Put, Post]
Committed = Callable[[bool], None]
"""Told whether a batch is on disk, or only in memory because the disk cannot take it."""

Found = Callable[["tuple[Post, ...] | None"], None]
"""Told what was found; None: nothing, and the disk cannot be read."""


class Contents(NamedTuple):
    """What the ledger held when it was opened.

    states     kind → key → JSON
    waiting    destination → how many messages
    last_seq   the highest number among them, or 0
    set_aside  why an older file was set aside and where; "" when none was
    """

    states: dict[str, dict[str, str]]
    waiting: dict[str, int]
    last_seq: int
    set_aside: str


class _Batch(NamedTuple):
    changes: tuple[Change, ...]
    done: Committed


class _Query(NamedTuple):
    destination: str
    after: int
    most: int
    done: Found


_Item = Union[_Batch, _Query, None]


def read(path: str) -> Contents:
    """What lies in a ledger; a damaged or newer one is set aside and an empty one begun.

    A ledger that cannot be opened at all (no folder, no space) reads as empty: the writer says so.
    """
    try:
        with contextlib.closing(_connect(path)) as connection:
            try:
                return _contents(connection)
            except sqlite3.OperationalError as error:  # it was opened: what is wrong lies in it
                raise ValueError(str(error)) from error
    except sqlite3.OperationalError:
        return Contents({}, {}, 0, "")
    except (sqlite3.DatabaseError, ValueError) as error:
        return Contents({}, {}, 0, f"{error}; {_set_aside(path)}")


class Ledger:
    """The writer of PATH.

    wake      runs a call in the core's own thread
    trouble   told there why the disk cannot take changes, and "" when it can again
    """

    def __init__(
        self,
        path: str,
        wake: Callable[[Callable[[], None]], None],
        trouble: Callable[[str], None],
    ) -> None:
        self._path = path
        self._wake = wake
        self._trouble = trouble
        self._failing = ""
        self._connection: sqlite3.Connection | None = None
        self._unsaved: dict[tuple[str, ...], Change] = {}
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    def commit(self, changes: Iterable[Change], done: Committed) -> None:
        """Writes changes as one transaction; `done` is called in the core's thread."""
        self._queue.put(_Batch(tuple(changes), done))

    def fetch(self, destination: str, after: int, most: int, done: Found) -> None:
        """The messages of a destination behind number `after`, oldest first."""
        self._queue.put(_Query(destination, after, most, done))

    def close(self, timeout_s: float) -> bool:
        """Writes what waits; whether all of it is on disk, in time."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self._unsaved

    def _work(self) -> None:
        open_ = True
        while open_:
            items = self._next()
            batches = [item for item in items if isinstance(item, _Batch)]
            for change in (change for batch in batches for change in batch.changes):
                self._unsaved[_identity(change)] = change
            saved = self._save()
            for batch in batches:
                self._wake(partial(batch.done, saved))
            for item in items:
                if isinstance(item, _Query):
                    self._wake(partial(item.done, self._find(item)))
            open_ = None not in items
        if self._connection is not None:
            self._connection.close()

    def _next(self) -> list[_Item]:
        """All that waits; an empty list when it is time to try the disk again."""
        items: list[_Item] = []
        with contextlib.suppress(Empty):
            items.append(self._queue.get(timeout=RETRY_S if self._unsaved else None))
            while True:
                items.append(self._queue.get_nowait())
        return items

    def _save(self) -> bool:
        if not self._unsaved:
            return True
        try:
            if self._connection is None:
                self._connection = _connect(self._path)
            with self._connection:
                for change in self._unsaved.values():
                    self._connection.execute(*_statement(change))
        except (sqlite3.Error, ValueError) as error:
            self._lose(str(error))
            return False
        self._unsaved.clear()
        self._lose("")
        return True

    def _lose(self, why: str) -> None:
        if why and self._connection is not None:
            self._connection.close()
            self._connection = None
        if why != self._failing:
            self._failing = why
            self._wake(partial(self._trouble, why))

    def _find(self, query: _Query) -> tuple[Post, ...] | None:
        unsaved = {
            change.seq: change
            for change in self._unsaved.values()
            if isinstance(change, Post) and change.destination == query.destination
        }
        try:
            saved = self._select(query, query.most + len(unsaved))
        except (sqlite3.Error, ValueError):
            saved = None
        found = sorted({**(saved or {}), **unsaved}.items())
        waiting = [post for seq, post in found if post.body is not None and seq > query.after]
        return None if saved is None and not waiting else tuple(waiting[: query.most])

    def _select(self, query: _Query, most: int) -> dict[int, Post]:
        if self._connection is None:
            self._connection = _connect(self._path)
        rows = self._connection.execute(
            "SELECT seq, body FROM outbox WHERE destination = ? AND seq > ? ORDER BY seq LIMIT ?",
            (query.destination, query.after, most),
        )
        return {seq: Post(seq, query.destination, body) for seq, body in rows}


def _connect(path: str) -> sqlite3.Connection:
    # SQLite gives the files beside it the mode of this one
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level="IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise ValueError(f"written by a newer version (format {version})")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -256")  # KiB; the default is 2 MB
        if version < VERSION:
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _contents(connection: sqlite3.Connection) -> Contents:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise ValueError(verdict)
    states: dict[str, dict[str, str]] = {}
    for kind, key, value in connection.execute("SELECT kind, key, value FROM state"):
        states.setdefault(kind, {})[key] = value
    waiting = dict(
        connection.execute("SELECT destination, count(*) FROM outbox GROUP BY destination")
    )
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM outbox").fetchone()
    return Contents(states, waiting, last, "")


def _set_aside(path: str) -> str:
    """Renames the file and what SQLite keeps beside it; what became of it, in words."""
    number = 1
    while os.path.exists(f"{path}.damaged-{number}"):
        number += 1
    try:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.rename(path + suffix, f"{path}.damaged-{number}{suffix}")
    except OSError as error:
        return f"it cannot be renamed: {error.strerror}"
    return f"kept as {path}.damaged-{number}"


def _identity(change: Change) -> tuple[str, ...]:
    if isinstance(change, Put):
        return ("state", change.kind, change.key)
    return ("outbox", str(change.seq))


def _statement(change: Change) -> tuple[str, tuple[str | int, ...]]:
    if isinstance(change, Put):
        if change.value is None:
            return "DELETE FROM state WHERE kind = ? AND key = ?", (change.kind, change.key)
        return "INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (*change[:2], change.value)
    if change.body is None:
        return "DELETE FROM outbox WHERE seq = ?", (change.seq,)
    return "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?)", (*change[:2], change.body)
