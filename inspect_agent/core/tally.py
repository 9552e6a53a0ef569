"""How many transactions a ledger has taken, counted in a file beside it.

The ledger counts them, too, in each of them. So one that was cut off, or put back from a copy,
shows that it has taken more than it holds. The tally is written after the commit, and no disk is
waited for: after a power cut it may count less than the ledger, and then says nothing.
"""

from __future__ import annotations

import contextlib
import os

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def path_of(ledger: str) -> str:
    """Where the tally of a ledger is."""
    return f"{ledger}-commits"


def counted(ledger: str) -> int:
    """What it says; 0 where it says nothing that can be read."""
    try:
        with open(path_of(ledger), "rb") as file:
            return int(file.read(64))
    except (OSError, ValueError):
        return 0


class Tally:
    """The writer of a ledger's tally; where it cannot be written there is none."""

    def __init__(self, ledger: str) -> None:
        self._path = path_of(ledger)
        self._file: int | None = None

    def write(self, commits: int) -> None:
        """So many are on disk."""
        with contextlib.suppress(OSError):
            if self._file is None:
                self._file = os.open(self._path, _FLAGS, 0o600)
            os.pwrite(self._file, b"%020d\n" % commits, 0)

    def close(self) -> None:
        """Gives its descriptor back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
