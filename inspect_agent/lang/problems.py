"""What is wrong with a configuration, and how it is shown to people.

services.d/redis.inq:3:6: unknown metric memory:rsss
      if memory:rsss > 500m then restart
         ^
    did you mean memory:rss?
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Literal, NamedTuple, TypeVar, Union
from unicodedata import combining, east_asian_width

_MOST_GUESSED = 1000
_WIDTH = 100

Severity = Literal["error", "warning"]
T = TypeVar("T")


class Problem(NamedTuple):
    """One thing that is wrong.

    file          as the user would name it: below the configuration's folder
    line, column  from 1, in characters; line 0: the file as a whole
    hint          the way out, or empty
    source        the line as it may be shown, without secrets
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: Severity = "error"
    source: str = ""


class Near(NamedTuple):
    """A word that is unknown, and those it might have meant."""

    text: str
    candidates: Iterable[str]


class Wrong(NamedTuple):
    """What is wrong with a word of a file.

    message   `{}` in it stands for what is wrong
    hint      the way out, where `near` has none that looks like the word
    said      what is wrong, where it is not the word as it stands
    """

    message: str
    hint: str = ""
    near: Near | None = None
    said: str | None = None


Read = Callable[[str], Union[T, Wrong]]
"""Reads a value of one kind from its text."""


def shown(text: str, most: int = 60) -> str:
    """A text from outside, fit for a terminal: printable, on one line, not too long."""
    clipped = text if len(text) <= most else text[:most] + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in clipped)


def nearest(near: Near) -> str:
    """The candidate that looks most like the text, or empty."""
    if len(near.text) > 60:
        return ""
    candidates = {name.lower(): name for name in islice(near.candidates, _MOST_GUESSED)}
    found = difflib.get_close_matches(near.text.lower(), candidates, 1, 0.6)
    return candidates[found[0]] if found else ""


def listed(words: Sequence[str], last: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def render(problem: Problem) -> str:
    """The problem as lines for people, without a final newline."""
    place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    kind = "warning: " if problem.severity == "warning" else ""
    lines = [f"{place}: {kind}{problem.message}"]
    if problem.source:
        lines += _pointed(problem.source, problem.column)
    if problem.hint:
        lines.append(f"    {problem.hint}")
    return "\n".join(lines)


def _pointed(source: str, column: int) -> list[str]:
    """The part of the line around the column, and a caret below it."""
    start = max(0, column - 1 - _WIDTH // 2) if len(source) > _WIDTH else 0
    part = source[start : start + _WIDTH]
    lead, tail = "…" if start else "", "…" if start + _WIDTH < len(source) else ""
    padding = "".join(_blank(c) for c in lead + part[: column - 1 - start])
    text = "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in part)
    return [f"    {lead}{text.rstrip()}{tail}", f"    {padding}^"]


def _blank(character: str) -> str:
    """As much white space as the character is wide on a terminal (UAX #11)."""
    if character == "\t":
        return "\t"
    if combining(character):
        return ""
    return "  " if east_asian_width(character) in "WF" else " "
