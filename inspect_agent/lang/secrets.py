"""Which parts of a file are not to be shown in a problem.

A problem shows the line it is about, and that line may hold a password. What follows the name of
a secret is hidden up to the end of its statement: a password written without its quotes may go on
behind a space or a comma, as another parameter or as a word too many.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

NAMES = frozenset({"password", "secret", "token", "key", "url", "header", "heartbeat_url"})
"""Parameters and settings whose values are secrets, or may carry some."""

_STATEMENT = re.compile(r"^[ \t]*(?:set|send|check|if)\b", re.MULTILINE)

Position = tuple[int, int]
"""A line and a column, both from 1."""


class Hidden:
    """The hidden parts of one text."""

    def __init__(self, text: str, more_names: Iterable[str] = ()) -> None:
        spans = list(_spans(text, NAMES.union(more_names)))
        places = list(_positions(text, [offset for span in spans for offset in span]))
        self._starts, self._ends = places[::2], places[1::2]

    def covers(self, line: int, column: int) -> bool:
        """Whether what stands there is hidden."""
        at = bisect_right(self._starts, (line, column)) - 1
        return at >= 0 and (line, column) < self._ends[at]

    def cut(self, line: int, source: str) -> str:
        """A line up to what is hidden in it."""
        if self.covers(line, 1):
            return "…"
        at = bisect_left(self._starts, (line, 1))
        if at < len(self._starts) and self._starts[at][0] == line:
            return source[: self._starts[at][1] - 1] + "…"
        return source


def _spans(text: str, names: Iterable[str]) -> Iterator[tuple[int, int]]:
    """From the first secret of each statement to the statement's end, as offsets."""
    named = "|".join(re.escape(name) for name in sorted(names))
    secret = re.compile(rf"(?<![^\s,])(?:{named})\s+(?=\S)")
    starts = [match.start() for match in _STATEMENT.finditer(text)]
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        found = secret.search(text, start, end)
        if found:
            yield found.end(), end


def _positions(text: str, offsets: Iterable[int]) -> Iterator[Position]:
    """The places of ascending offsets."""
    at, line = 0, 1
    for offset in offsets:
        line += text.count("\n", at, offset)
        at = offset
        yield line, offset - text.rfind("\n", 0, offset)
