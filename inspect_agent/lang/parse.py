"""Text to ast values, or problems.

A file is parsed as a whole. Where that fails it is cut into its statements, and each is parsed
alone: so every mistake is reported at once, and what is sound is judged further.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from typing import Any, Literal, NamedTuple

from lark import Lark, UnexpectedInput

from inspect_agent.lang import ast
from inspect_agent.lang.lexer import Lexer
from inspect_agent.lang.report import MOST_KEPT, Report
from inspect_agent.lang.syntax import explain
from inspect_agent.lang.tree import TRANSFORMERS

Grammar = Literal["inq", "conf"]

_INQ = re.compile(r"^[ \t\ufeff]*(check|if)(?![^\s\ufeff,\"()<>])", re.MULTILINE)
_CONF = re.compile(r"^[ \t\ufeff]*(set|send)(?![^\s\ufeff,\"()])", re.MULTILINE)


class Checks(NamedTuple):
    """What an .inq file says; `whole` is False where some of it could not be read."""

    checks: tuple[ast.Check, ...]
    whole: bool = True


class Statements(NamedTuple):
    """What inspect.conf says; `whole` is False where some of it could not be read."""

    statements: tuple[ast.Statement, ...]
    whole: bool = True


class _Piece(NamedTuple):
    """A statement that begins with `keyword`; `lines` stand above it."""

    keyword: str
    text: str
    lines: int


def inq(text: str, report: Report) -> Checks:
    """The checks of one .inq file."""
    try:
        return Checks(_parse("inq", "file", text))
    except UnexpectedInput as error:
        checks = _checks(_bearable(_cut(text, _INQ), report), report)
        if not report.errors:
            report.error(*explain(error, text))
        return Checks(checks, whole=False)


def conf(text: str, report: Report) -> Statements:
    """The statements of inspect.conf or inspeqtor.conf."""
    try:
        return Statements(_parse("conf", "file", text))
    except UnexpectedInput as error:
        statements = _bearable(_cut(text, _CONF), report)
        pieces = [_piece("conf", "file", piece, report) for piece in statements]
        if not report.errors:
            report.error(*explain(error, text))
        return Statements(tuple(found for piece in pieces for found in piece or ()), whole=False)


def _checks(pieces: Iterator[_Piece], report: Report) -> tuple[ast.Check, ...]:
    """Checks from pieces; the rules below a check that could not be read belong to nothing."""
    found: list[tuple[ast.Check | None, list[ast.Rule]]] = []
    for piece in pieces:
        if piece.keyword == "if":
            rules = _piece("inq", "rules", piece, report)
            if found:
                found[-1][1].extend(rules or ())
        else:
            checks = _piece("inq", "file", piece, report)
            found += [(None, [])] if checks is None else [(c, list(c.rules)) for c in checks]
    return tuple(check._replace(rules=tuple(rules)) for check, rules in found if check)


def _piece(name: Grammar, start: str, piece: _Piece, report: Report) -> Any | None:
    try:
        return _moved(_parse(name, start, piece.text), piece.lines)
    except UnexpectedInput as error:
        at, wrong = explain(error, piece.text)
        report.error(_moved(at, piece.lines), wrong)
        return None


def _cut(text: str, statement: re.Pattern[str]) -> Iterator[_Piece]:
    starts = [(match.start(), match[1]) for match in statement.finditer(text)]
    ends = [*(start for start, _ in starts), len(text)]
    lines = 0
    for (start, keyword), end in zip([(0, ""), *starts], ends, strict=True):
        yield _Piece(keyword, text[start:end], lines)
        lines += text.count("\n", start, end)


def _bearable(pieces: Iterator[_Piece], report: Report) -> Iterator[_Piece]:
    """Pieces until there are more problems than anybody is shown."""
    return takewhile(lambda _: report.errors <= MOST_KEPT, pieces)


def _moved(value: Any, lines: int) -> Any:
    """The same ast value, so many lines further down."""
    if isinstance(value, ast.Word):
        return value._replace(line=value.line + lines)
    if isinstance(value, tuple):
        parts = [_moved(part, lines) for part in value]
        return value._make(parts) if hasattr(value, "_make") else tuple(parts)
    return value


def _parse(name: Grammar, start: str, text: str) -> Any:
    return grammar(name).parse(text, start)


@cache
def grammar(name: Grammar) -> Lark:
    """The parser of `inq.lark` or `conf.lark`, built when it is first asked for."""
    with open(os.path.join(os.path.dirname(__file__), f"{name}.lark"), encoding="utf-8") as file:
        text = file.read()
    starts = ["file", "rules"] if name == "inq" else ["file"]
    return Lark(
        text,
        parser="lalr",
        start=starts,
        transformer=TRANSFORMERS[name],
        _plugins={"ContextualLexer": Lexer},  # the door that lark-cython takes, too
    )
