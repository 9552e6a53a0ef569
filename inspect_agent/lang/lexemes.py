"""A text as its words and comments, in order, each with what the layout says of it.

The parser leaves comments out, so they are looked for in the gaps between its tokens: nothing but
blanks and comments can be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lark import Token

from inspect_agent.lang.parse import Grammar, grammar

COMMENT = "COMMENT"
END = "$END"
"""The kind of the last lexeme, which is empty."""

_COMMENT = re.compile(r"#[^\n]*")


class Lexeme(NamedTuple):
    """A word, a mark of punctuation or a comment.

    kind     the name of its terminal in the grammar, COMMENT or END
    breaks   line breaks between what stands before it and it; the text begins with one
    indent   columns before the first thing on its line
    """

    kind: str
    text: str
    breaks: int
    indent: int


class Source(NamedTuple):
    """What a text says, and all it is made of.

    meaning   the ast values that the file's production gives
    """

    meaning: Any
    lexemes: tuple[Lexeme, ...]


def read(name: Grammar, text: str) -> Source:
    """A text of one grammar. Raises lark.UnexpectedInput."""
    parser = grammar(name).parse_interactive(text, "file")
    tokens = tuple(parser.iter_parse())
    return Source(parser.feed_token(Token(END, "")), tuple(_lexemes(text, tokens)))


def _lexemes(text: str, tokens: Sequence[Token]) -> Iterator[Lexeme]:
    at, indent, first = 0, 0, 1
    for kind, start, end in _parts(text, tokens):
        blank = text[at:start]
        breaks = blank.count("\n") + first
        if breaks:
            indent = _columns(blank)
        yield Lexeme(kind, text[start:end], breaks, indent)
        at, first = end, 0


def _parts(text: str, tokens: Sequence[Token]) -> Iterator[tuple[str, int, int]]:
    """The kinds and offsets of tokens and comments."""
    at = 0
    ends = [(token.type, token.start_pos or 0, token.end_pos or 0) for token in tokens]
    for kind, start, end in (*ends, (END, len(text), len(text))):
        for comment in _COMMENT.finditer(text, at, start):
            yield COMMENT, comment.start(), comment.end()
        yield kind, start, end
        at = end


def _columns(blank: str) -> int:
    """How many columns are left free at the end of white space, tabs reaching to the eighths."""
    return len(blank[blank.rfind("\n") + 1 :].replace("\ufeff", "").expandtabs())
