"""The faster lexer finds what Lark's own finds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from lark import Lark, UnexpectedInput

from inspect_agent import lang
from inspect_agent.lang import parse
from inspect_agent.lang.tree import TRANSFORMERS
from tests.lang.edited import CONFS, RULES, texts

FOLDER = Path(lang.__file__).parent


@cache
def larks_own(name: parse.Grammar) -> Lark:
    """The parser of a grammar with the lexer that comes with Lark."""
    text = (FOLDER / f"{name}.lark").read_text("utf-8")
    return Lark(text, parser="lalr", start="file", transformer=TRANSFORMERS[name])


def outcome(parser: Lark, text: str) -> Any:
    """What is parsed, or where it stops and what was wanted there."""
    try:
        return parser.parse(text, "file")
    except UnexpectedInput as error:
        wanted = getattr(error, "allowed", None) or getattr(error, "expected", None)
        return type(error), error.line, error.column, error.pos_in_stream, wanted


def same(name: parse.Grammar, text: str) -> bool:
    """Whether both lexers lead to one outcome."""
    return bool(outcome(parse.grammar(name), text) == outcome(larks_own(name), text))


@pytest.mark.parametrize("text", texts(".inq"))
def test_golden_rules(text: str) -> None:
    """The same words at the same places, and the same mistakes."""
    assert same("inq", text)


@pytest.mark.parametrize("text", texts(".conf"))
def test_golden_settings(text: str) -> None:
    """The same in inspect.conf."""
    assert same("conf", text)


@given(RULES, CONFS)
@settings(max_examples=200)
def test_edited_files(rules: str, conf: str) -> None:
    """The same in whatever somebody may have typed."""
    assert same("inq", rules)
    assert same("conf", conf)
