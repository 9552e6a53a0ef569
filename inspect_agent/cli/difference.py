"""A text and its new layout as a unified diff.

Both hold the same characters but for white space, so lines are matched by how many of these there
are up to their ends: in one pass, where difflib's time may grow with the square of the lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, takewhile
from typing import NamedTuple

_AROUND = 3
_BLANK = re.compile(r"[\s\ufeff]+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


class _Line(NamedTuple):
    """A line with its break, and where it is.

    passed   characters up to its end that are not blank
    empty    which of the empty lines it is that stand there; 0: it is not empty
    """

    passed: int
    empty: int
    text: str


class _Edit(NamedTuple):
    """A line that stays (` `), goes (`-`) or comes (`+`)."""

    sign: str
    text: str


def difference(name: str, old: str, new: str) -> str:
    """What makes the new layout of the old text, as patch(1) reads it."""
    edits = list(_edits(_lines(old), _lines(new)))
    return f"--- {name}\n+++ {name}\n" + "".join(_hunks(edits))


def _lines(text: str) -> list[_Line]:
    lines = []
    passed = empty = 0
    for line in _LINE.findall(text):
        length = len(_BLANK.sub("", line))
        passed += length
        empty = 0 if length else empty + 1
        lines.append(_Line(passed, empty, line))
    return lines


def _edits(old: Sequence[_Line], new: Sequence[_Line]) -> Iterator[_Edit]:
    staying = set(old) & set(new)
    others = iter(new)
    for line in old:
        if line not in staying:
            yield _Edit("-", line.text)
            continue
        coming = takewhile(line.__ne__, others)
        yield from (_Edit("+", other.text) for other in coming)
        yield _Edit(" ", line.text)
    yield from (_Edit("+", other.text) for other in others)


def _hunks(edits: Sequence[_Edit]) -> Iterator[str]:
    old = [0, *accumulate(edit.sign != "+" for edit in edits)]
    new = [0, *accumulate(edit.sign != "-" for edit in edits)]
    for start, end in _spans(edits):
        ranges = f"-{_range(old[start], old[end])} +{_range(new[start], new[end])}"
        yield f"@@ {ranges} @@\n"
        yield from map(_shown, edits[start:end])


def _spans(edits: Sequence[_Edit]) -> Iterator[tuple[int, int]]:
    """From where to where there are changes, with some lines around them."""
    spans: list[tuple[int, int]] = []
    for number, edit in enumerate(edits):
        if edit.sign == " ":
            continue
        start, end = max(0, number - _AROUND), min(len(edits), number + 1 + _AROUND)
        if spans and start <= spans[-1][1]:
            start = spans.pop()[0]
        spans.append((start, end))
    return iter(spans)


def _range(start: int, end: int) -> str:
    """Lines count from 1; a range without any names the line before it."""
    return f"{start + (end > start)},{end - start}"


def _shown(edit: _Edit) -> str:
    ended = edit.text.endswith("\n")
    return edit.sign + edit.text + ("" if ended else "\n\\ No newline at end of file\n")
