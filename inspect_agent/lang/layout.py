"""The one layout of .inq files and inspect.conf; docs/language.md tells it to people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from inspect_agent.lang.lexemes import COMMENT, END, Lexeme

WIDTH = 100
"""Columns that a line has at most; comments, and what cannot be cut, may pass it."""

_STEP = 2
_FURTHER = 4
_INNER = frozenset({"IF", "JOB"})
_STARTS = frozenset({"CHECK", "SET", "SEND", END}) | _INNER
_CLAUSES = frozenset({"_WITH", "_EXPOSE", "_THEN", "_ELSE"})
_PAUSES = frozenset({"FOR", "_AND", "_OR"}) | _CLAUSES
_TIGHT = frozenset({"_COMMA", "_LEFT", "_RIGHT"})


class _Part(NamedTuple):
    """A statement with its comments, or one comment between statements.

    inner   it stands below a check
    """

    inner: bool
    lexemes: Sequence[Lexeme]


class _Run:
    """Words that stay together on a line, and the comments that end this line.

    clause   it begins a line wherever its statement takes several
    """

    def __init__(self, text: str, clause: bool = False) -> None:
        self.text = text
        self.clause = clause
        self.comments: list[Lexeme] = []


def layout(lexemes: Sequence[Lexeme]) -> str:
    """The text of these lexemes, which are those of a sound file."""
    lines: list[str] = []
    above: _Part | None = None
    for part in _parts(lexemes):
        if above and _apart(above, part):
            lines.append("")
        lines += _lines(part)
        above = part
    return "".join(f"{line}\n" for line in lines)


def joined(metric: str) -> str:
    """A metric without the blanks that may stand around its colon; what is quoted stays."""
    if metric.startswith('"'):
        return metric
    family, colon, name = metric.partition(":")
    return f"{family.strip()}{colon}{name.strip()}"


def _apart(above: _Part, part: _Part) -> bool:
    """Whether an empty line stands between them: always below a whole check."""
    if not part.inner and (above.inner or above.lexemes[0].kind == "CHECK"):
        return True
    return part.lexemes[0].breaks > 1


def _parts(lexemes: Sequence[Lexeme]) -> Iterator[_Part]:
    group: list[Lexeme] = []
    margin: int | None = None
    for lexeme in lexemes:
        if lexeme.kind in _STARTS:
            length = _length(group)
            if length:
                yield _Part(group[0].kind in _INNER, group[:length])
            yield from _between(group[length:], lexeme, margin)
            group = []
        group.append(lexeme)
        if lexeme.kind == "CHECK":
            margin = lexeme.indent


def _length(group: Sequence[Lexeme]) -> int:
    """How many of these are a statement, the comment behind its last word included."""
    length = len(group)
    while length and group[length - 1].kind == COMMENT:
        length -= 1
    if 0 < length < len(group) and not group[length].breaks:
        return length + 1
    return length


def _between(comments: Sequence[Lexeme], below: Lexeme, margin: int | None) -> Iterator[_Part]:
    """Comments between statements; `margin` is the indentation of the last check, if any.

    Above a rule they belong to it. Above a check, or at the end, those that are indented deeper
    than a check there still belong to the check that has just ended.
    """
    inner = len(comments) if below.kind in _INNER else 0
    if below.kind in ("CHECK", END) and margin is not None:
        least = margin if below.kind == END else below.indent
        inner = sum(1 for _ in takewhile(lambda comment: comment.indent > least, comments))
    for number, comment in enumerate(comments):
        yield _Part(number < inner, (comment,))


def _lines(part: _Part) -> list[str]:
    margin = _STEP if part.inner else 0
    first = part.lexemes[0]
    if first.kind == COMMENT:
        return [" " * margin + first.text.rstrip()]
    runs = _runs(part.lexemes)
    if not any(run.comments for run in runs[:-1]):
        whole = _Run(" ".join(run.text for run in runs))
        whole.comments = runs[-1].comments
        if _fits(" " * margin + whole.text):
            runs = [whole]
    return _filled(runs, margin)


def _runs(lexemes: Sequence[Lexeme]) -> list[_Run]:
    """A statement, cut wherever its line may end, or has to for a comment."""
    runs = [_Run(lexemes[0].text)]
    before = lexemes[0].kind
    for lexeme in lexemes[1:]:
        last = runs[-1]
        if lexeme.kind == COMMENT:
            last.comments.append(lexeme)
            continue
        text = joined(lexeme.text) if lexeme.kind == "METRIC" else lexeme.text
        if lexeme.kind in _TIGHT or before == "_LEFT":
            last.text += text
        elif lexeme.kind in _PAUSES or before == "_COMMA" or last.comments:
            runs.append(_Run(text, lexeme.kind in _CLAUSES))
        else:
            last.text += f" {text}"
        before = lexeme.kind
    return runs


def _filled(runs: Sequence[_Run], margin: int) -> list[str]:
    """As many runs on a line as fit; clauses begin one, and comments end one."""
    further = " " * (margin + _FURTHER)
    lines: list[str] = []
    ended = True
    for run in runs:
        if ended or run.clause or not _fits(f"{lines[-1]} {run.text}"):
            lines.append((further if lines else " " * margin) + run.text)
        else:
            lines[-1] += f" {run.text}"
        ended = bool(run.comments)
        for number, comment in enumerate(run.comments):
            if number or comment.breaks:
                lines.append(further + comment.text.rstrip())
            else:
                lines[-1] += f"  {comment.text.rstrip()}"
    return lines


def _fits(text: str) -> bool:
    return all(len(line) <= WIDTH for line in text.split("\n"))
