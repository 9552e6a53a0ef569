"""The ledger: what must survive a kill -9, in one SQLite file, committed by one thread.

The core gives it changes and goes on; the thread writes all that wait as one transaction and then
calls back. While the disk cannot take them they are kept in memory, the newest of each key, and
tried again; whoever waits for them is told that nothing is durable. What the file is like, and how
it is read at the start, is in state_file.py.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterable
from functools import partial
from queue import Empty, SimpleQueue

from inspect_agent.core import tally
from inspect_agent.core.state_file import COMMITS, commits_of, connect, row_sum
from inspect_agent.core.tally import Tally
from inspect_agent.typed import NamedTuple, Union

RETRY_S = 5.0


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


class _Batch(NamedTuple):
    changes: tuple[Change, ...]
    done: Committed


class _Query(NamedTuple):
    destination: str
    after: int
    most: int
    done: Found


_Item = Union[_Batch, _Query, None]


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
        self._tally = Tally(path)
        self._commits = 0
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
        self._tally.close()

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
            connection = self._connected()
            commits = self._commits + 1
            with connection:
                for change in (*self._unsaved.values(), Put(*COMMITS, str(commits))):
                    connection.execute(*statement(change))
        except (sqlite3.Error, ValueError) as error:
            self._lose(str(error))
            return False
        self._commits = commits
        self._tally.write(commits)
        self._unsaved.clear()
        self._lose("")
        return True

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
            counted = commits_of(self._connection), tally.counted(self._path)
            self._commits = max(self._commits, *counted)
        return self._connection

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
        rows = self._connected().execute(
            "SELECT seq, body FROM outbox WHERE destination = ? AND seq > ? ORDER BY seq LIMIT ?",
            (query.destination, query.after, most),
        )
        return {seq: Post(seq, query.destination, body) for seq, body in rows}


def _identity(change: Change) -> tuple[str, ...]:
    if isinstance(change, Put):
        return ("state", change.kind, change.key)
    return ("outbox", str(change.seq))


def statement(change: Change) -> tuple[str, tuple[str | int, ...]]:
    """What writes a change."""
    if isinstance(change, Put):
        kind, key, value = change
        if value is None:
            return "DELETE FROM state WHERE kind = ? AND key = ?", (kind, key)
        row = (kind, key, value, row_sum(kind, key, value))
        return "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)", row
    seq, destination, body = change
    if body is None:
        return "DELETE FROM outbox WHERE seq = ?", (seq,)
    sent = (seq, destination, body, row_sum(seq, destination, body))
    return "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?)", sent
