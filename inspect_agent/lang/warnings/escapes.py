r"""Escapes within quotes that mean nothing here, and something in Inspeqtor.

Only `\"` and `\\` are escapes, so that `"\d+"` is what it looks like. Inspeqtor reads all of Go's
(https://go.dev/ref/spec#String_literals): a password with `\t` in it would change in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from inspect_agent.lang.ast import Word
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.report import Report

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_GO = frozenset("abfnrtvxuU01234567")


def warn(parsed: Any, text: str, report: Report) -> None:
    """Says of every such escape in what was parsed from a text that it is none."""
    if "\\" not in text:
        return
    lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    for word in _words(parsed):
        if word.quoted and "\\" in word.text:
            _warn(word, text, lines[word.line - 1] + word.column, report)


def _warn(word: Word, text: str, at: int, report: Report) -> None:
    """The word, as it was written, begins behind a quote at this place of the text."""
    while text[at] != '"':
        found = _ESCAPE.match(text, at)
        if found and found[1] in _GO:
            wrong = Wrong(f"\\{found[1]} is no escape here", f"to be sure: \\\\{found[1]}")
            report.warning(word, wrong)
            return
        at = found.end() if found else at + 1


def _words(value: Any) -> Iterator[Word]:
    """Every word of an ast value."""
    if isinstance(value, Word):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _words(part)
