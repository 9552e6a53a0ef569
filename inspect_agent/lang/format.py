"""A text in its one layout, which never changes what the text means."""

from __future__ import annotations

from typing import Any

from lark import UnexpectedInput

from inspect_agent.lang import ast, parse
from inspect_agent.lang.files import MOST_BYTES
from inspect_agent.lang.layout import joined, layout
from inspect_agent.lang.lexemes import COMMENT, Source, read
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.report import WHOLE, Report

_PARSE = {"inq": parse.inq, "conf": parse.conf}
_OURS = Wrong(
    "left as it is: in another layout it would mean something else",
    "this is a mistake of inspectctl; please report it, with the file",
)
_GROWN = Wrong(f"left as it is: laid out it would be too large, more than {MOST_BYTES // 1024} KiB")


def formatted(name: parse.Grammar, text: str, report: Report) -> str | None:
    """The text in its one layout; None where there is none, and the report says why."""
    try:
        source = read(name, text)
    except UnexpectedInput:
        _PARSE[name](text, report)
        return None
    made = layout(source.lexemes)
    if made != text and not _same(name, source, made):
        report.error(WHOLE, _OURS)
        return None
    if len(made.encode()) > MOST_BYTES:
        report.error(WHOLE, _GROWN)
        return None
    return made


def _same(name: parse.Grammar, source: Source, made: str) -> bool:
    """Whether the text that was made says what the source says, comments included."""
    try:
        again = read(name, made)
    except UnexpectedInput:
        return False
    return _said(again) == _said(source)


def _said(source: Source) -> tuple[Any, list[str]]:
    comments = [lexeme.text.rstrip() for lexeme in source.lexemes if lexeme.kind == COMMENT]
    return _placeless(source.meaning), comments


def _placeless(value: Any) -> Any:
    """An ast value as nested tuples, without lines and columns."""
    if isinstance(value, ast.Word):
        return value.text, value.quoted
    if isinstance(value, ast.Metric) and not value.word.quoted:
        return joined(value.family), value.name
    if isinstance(value, tuple):
        return type(value), *(_placeless(part) for part in value)
    return value
