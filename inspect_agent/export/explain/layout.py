"""Sentences as lines of a terminal: wrapped, indented, and printable whatever is in them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import NamedTuple

from inspect_agent.export.values import printable

WIDTH = 96
_STEP = 2


class Line(NamedTuple):
    """One sentence or more; `mark` stands before it, outside of what is wrapped: `- `."""

    text: str
    depth: int = 1
    mark: str = ""


EMPTY = Line("")


def laid(lines: Iterable[Line]) -> str:
    """The text of these lines, with a final newline."""
    return "".join(f"{_wrapped(line)}\n" for line in lines)


def clipped(text: str, most: int = 200) -> str:
    """What a user wrote, where it would be too long for a sentence."""
    return text if len(text) <= most else f"{text[:most]}…"


def listed(items: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; empty where there is none."""
    words = tuple(items)
    before, end = words[:-1], "".join(words[-1:])
    return f"{', '.join(before)} {last} {end}" if before else end


def named(name: str) -> str:
    """A name within a sentence."""
    return f'"{name}"' if " " in name else name


def _wrapped(line: Line) -> str:
    lead = " " * (_STEP * line.depth)
    return textwrap.fill(
        printable(line.text),
        WIDTH,
        initial_indent=lead + line.mark,
        subsequent_indent=lead + " " * len(line.mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
