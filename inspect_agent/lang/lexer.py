"""Lark's contextual lexer, at half the cost.

Lark matches every blank as a token of its own, and throws it away. Here one pattern passes over
blanks and comments and finds what follows; what is wrong, and the end, are left to Lark, which says
what it wanted.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from lark import Token
from lark.lexer import BasicLexer, ContextualLexer, LexerState

# BLANK and COMMENT of the grammars; a comment is matched to the end of its line or not at all
_IGNORED = r"[\s\ufeff]*(?:#[^\n]*(?![^\n])[\s\ufeff]*)*"


class _Terminals(BasicLexer):
    """The terminals that one state of the parser accepts."""

    def next_token(self, lex_state: LexerState, parser_state: Any = None) -> Token:
        """The next token. Raises what Lark's own lexer raises."""
        text, counter = lex_state.text.text, lex_state.line_ctr
        found = self._pattern.match(text, counter.char_pos)
        if found is None or found.lastgroup is None:
            return super().next_token(lex_state, parser_state)
        start, end = found.span(found.lastgroup)
        if start > counter.char_pos:
            counter.feed(text[counter.char_pos : start])
        token = _token(found.lastgroup, text[start:end], start, counter.line, counter.column)
        counter.feed(token.value, "\n" in token.value)
        token.end_line, token.end_column, token.end_pos = counter.line, counter.column, end
        lex_state.last_token = token
        return token

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """All terminals behind blanks, in the order in which Lark tries them."""
        wanted = (one for one in self.terminals if one.name not in self.ignore_types)
        named = (f"(?P<{one.name}>{one.pattern.to_regexp()})" for one in wanted)
        return re.compile(f"{_IGNORED}(?:{'|'.join(named)})")


class Lexer(ContextualLexer):
    """What Lark takes in place of its own."""

    BasicLexer = _Terminals


def _token(kind: str, value: str, start: int, line: int, column: int) -> Token:
    """`Token(…)`, without the two functions in which Lark looks how it was called."""
    token = str.__new__(Token, value)
    token.type, token.value, token.start_pos = kind, value, start
    token.line, token.column = line, column
    return token
