"""state.db: how it is opened, and what is read of it at the start, whatever has become of it.

    state    kind, key → JSON                          where things stand
    outbox   seq → destination, JSON of the message    what was not taken yet

Every row has a checksum, since SQLite has none for its pages. What is not whole is set aside as a
whole: parts of it may never have been true together.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from binascii import crc32
from collections.abc import Callable, Iterator

from inspect_agent.core import tally
from inspect_agent.typed import Any, NamedTuple

VERSION = 2
COMMITS = ("ledger", "commits")
"""Kind and key of the row that counts the transactions; it is not for the core."""

_TABLES = """
CREATE TABLE IF NOT EXISTS state (
  kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, sum INTEGER, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
  seq INTEGER PRIMARY KEY, destination TEXT NOT NULL, body TEXT NOT NULL, sum INTEGER
);
CREATE INDEX IF NOT EXISTS outbox_by_destination ON outbox (destination, seq);
"""
_SUMS = """
ALTER TABLE state ADD COLUMN sum INTEGER;
UPDATE state SET sum = row_sum(kind, key, value);
ALTER TABLE outbox ADD COLUMN sum INTEGER;
UPDATE outbox SET sum = row_sum(seq, destination, body);
"""
_HAS_SUMS = "SELECT 1 FROM pragma_table_info('state') WHERE name = 'sum'"
_UPGRADES = (_TABLES, _SUMS)
"""What brings a file of each version to the present one."""

_OUTBOX = "SELECT seq, destination, body, sum FROM outbox ORDER BY seq"

# over damaged pages sqlite3 also raises these: SQLITE_NOMEM, and messages that are not UTF-8
_DAMAGE = (sqlite3.Error, ValueError, MemoryError, OverflowError)


class Contents(NamedTuple):
    """What the ledger held when it was opened.

    states     kind → key → JSON
    waiting    destination → how many messages
    last_seq   the highest number among them, or 0
    lost       what is not there any more and why; "" when nothing is missing
    """

    states: dict[str, dict[str, str]]
    waiting: dict[str, int]
    last_seq: int
    lost: str


def read(path: str) -> Contents:
    """What lies in a ledger; one that cannot be used is set aside, and an empty one begun."""
    commits, size = tally.counted(path), _size(path)
    if not size:
        return Contents({}, {}, 0, _why_nothing(path, size) if commits else "")
    try:
        with contextlib.closing(_open_somehow(path)) as connection:
            return _contents(connection, commits)
    except _DAMAGE as error:
        lost = f"state.db could not be used: {str(error) or 'no memory'}; {_set_aside(path)}"
        return Contents({}, {}, 0, lost)


def connect(path: str) -> sqlite3.Connection:
    """For the writer, who makes it where there is none. Raises sqlite3.Error or ValueError."""
    # SQLite gives the files beside it the mode of this one
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o600))
    return _connect(path, _prepare)


def commits_of(connection: sqlite3.Connection) -> int:
    """How many transactions it has taken."""
    found = connection.execute("SELECT value FROM state WHERE kind = ? AND key = ?", COMMITS)
    row = found.fetchone()
    return int(row[0]) if row else 0


def row_sum(first: object, second: object, third: object) -> int:
    """The checksum of a row, of all its other columns."""
    return crc32(f"{first}\0{second}\0{third}".encode())


def _open_somehow(path: str) -> sqlite3.Connection:
    """A disk that takes nothing may still be read. Raises what `connect` raises."""
    first: sqlite3.OperationalError | None = None
    for open_ in (connect, _connect_alone, _connect_frozen):
        try:
            return open_(path)
        except sqlite3.OperationalError as error:
            first = first or error
    assert first is not None, "no way was tried"
    raise first


def _connect_alone(path: str) -> sqlite3.Connection:
    """Without shared memory, for which a full disk has no room: sqlite.org/wal.html#noshm."""
    return _connect(path, _take)


def _connect_frozen(path: str) -> sqlite3.Connection:
    """Without its log, on a disk that is read-only: sqlite.org/uri.html#uriimmutable."""
    escaped = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return _connect(f"file:{escaped}?immutable=1", _version)


def _connect(where: str, prepare: Callable[[sqlite3.Connection], object]) -> sqlite3.Connection:
    connection = sqlite3.connect(where, isolation_level="IMMEDIATE", uri=where.startswith("file:"))
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    version = _version(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -256")  # KiB; the default is 2 MB
    if version == VERSION:
        return
    if version and connection.execute(_HAS_SUMS).fetchone():
        raise ValueError("its tables are of another version than it is")
    connection.create_function("row_sum", 3, row_sum)
    connection.executescript(
        f"BEGIN IMMEDIATE; {_UPGRADES[version]} PRAGMA user_version = {VERSION}; COMMIT;"
    )


def _take(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    _version(connection)


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not 0 <= version <= VERSION:
        raise ValueError(f"written by a newer version (format {version})")
    return int(version)


def _contents(connection: sqlite3.Connection, commits: int) -> Contents:
    """All of it. Raises what is in _DAMAGE where it is not whole."""
    (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise ValueError(verdict.replace("\n", " "))
    states: dict[str, dict[str, str]] = {}
    for kind, key, value in _rows(connection, "SELECT kind, key, value, sum FROM state"):
        states.setdefault(kind, {})[key] = value
    states.pop(COMMITS[0], None)
    waiting: dict[str, int] = {}
    last = 0
    for last, destination, _ in _rows(connection, _OUTBOX):  # noqa: B007 (the last one is wanted)
        waiting[destination] = waiting.get(destination, 0) + 1
    gone = commits - commits_of(connection)
    lost = f"the last {gone} changes of state.db are gone" if gone > 0 else ""
    return Contents(states, waiting, last, lost)


def _rows(connection: sqlite3.Connection, query: str) -> Iterator[tuple[Any, Any, Any]]:
    for *row, sum_ in connection.execute(query):
        if sum_ != row_sum(*row):
            raise ValueError("a row is not what was written")
        yield row[0], row[1], row[2]


def _size(path: str) -> int | None:
    """Its bytes; None where there is no such file."""
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _why_nothing(path: str, size: int | None) -> str:
    """Of a ledger that has taken something once."""
    return "state.db is gone" if size is None else f"state.db is empty; {_set_aside(path)}"


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
