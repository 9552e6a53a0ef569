"""Which statement stands at a line: for tools that are pointed at a place of a sound file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from lark import Token

from inspect_agent.lang.parse import Grammar, grammar
from inspect_agent.lang.problems import shown
from inspect_agent.lang.tree import word

Kind = Literal["host", "service", "probe", "jobs", "rule", "setting", "send"]

_STARTS = frozenset({"CHECK", "IF", "SET", "SEND"})
_KINDS: dict[str, Kind] = {
    "_HOST": "host",
    "_SERVICE": "service",
    "_PROBE": "probe",
    "_JOBS": "jobs",
    "SETTING": "setting",
    "_ALERTS": "send",
}
_CALLED: dict[Kind, str] = {
    "host": "check host",
    "service": "check service",
    "probe": "check probe",
    "jobs": "check jobs",
    "rule": "a rule",
    "setting": "set",
    "send": "send alerts",
}
_NAMES = frozenset({"NAME", "SETTING"})


class Statement(NamedTuple):
    """A check without its rules, a rule, or a statement of inspect.conf.

    name   of a service, a probe or a setting; a `send` has its route; "" where there is none
    first, last   its lines, from 1
    """

    kind: Kind
    name: str
    first: int
    last: int

    def covers(self, line: int) -> bool:
        """Whether it has begun on this line or above, and is not over."""
        return self.first <= line <= self.last


def read(name: Grammar, text: str) -> tuple[Statement, ...]:
    """The statements of a file, in their order. Raises lark.UnexpectedInput."""
    groups: list[list[Token]] = []
    for token in grammar(name).parse_interactive(text, "file").iter_parse():
        if token.type in _STARTS:
            groups.append([])
        groups[-1].append(token)
    return tuple(_statement(group) for group in groups)


def at(statements: Sequence[Statement], line: int) -> tuple[Statement, ...]:
    """Those that stand at a line; nothing where it is empty, or holds a comment alone."""
    return tuple(statement for statement in statements if statement.covers(line))


def above(statements: Sequence[Statement], line: int) -> Statement | None:
    """The last one that is over above a line."""
    return max(
        (statement for statement in statements if statement.last < line),
        key=lambda statement: statement.last,
        default=None,
    )


def called(statement: Statement) -> str:
    """A statement as people would call it: `check service x`."""
    return f"{_CALLED[statement.kind]} {shown(statement.name)}".rstrip()


def _statement(tokens: Sequence[Token]) -> Statement:
    kind: Kind = "rule" if tokens[0].type == "IF" else _KINDS[tokens[1].type]
    names = _NAMES | {"ROUTE"} if kind == "send" else _NAMES
    name = next((word(token).text for token in tokens if token.type in names), "")
    return Statement(kind, name, tokens[0].line or 0, tokens[-1].end_line or 0)
