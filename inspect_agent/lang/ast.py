"""What a file says, each word with its place; nothing is looked up or judged yet."""

from __future__ import annotations

from typing import Literal, NamedTuple, Union

CheckKind = Literal["host", "service", "probe", "jobs"]

VERBS = frozenset({"alert", "restart", "reload", "start", "stop", "signal", "run", "unmonitor"})
"""What an action starts with."""


class Word(NamedTuple):
    """One word or quoted string, unquoted. Lines and columns count from 1, in characters.

    line   0: the file as a whole
    """

    text: str
    line: int
    column: int
    quoted: bool = False


class Param(NamedTuple):
    """`KEY VALUE` after `with`."""

    key: Word
    value: Word


class Metric(NamedTuple):
    """A metric as it was written; `name` is empty where only the family was."""

    word: Word
    family: str
    name: str


class Compare(NamedTuple):
    """`METRIC OP AMOUNT [until OP AMOUNT]`; an amount is `3 days` or `1k/sec`."""

    metric: Metric
    op: Word
    amount: Word
    until_op: Word | None
    until: Word | None


class State(NamedTuple):
    """`down`, `failed`, `restarted`, `stale` or `outdated`."""

    word: Word


class Fails(NamedTuple):
    """`FAMILY fails`."""

    metric: Metric


Test = Union[Compare, State, Fails]
Condition = tuple[tuple[Test, ...], ...]
"""Tests joined by `and`, and these joined by `or`."""


class Cycles(NamedTuple):
    """`for N cycles`."""

    word: Word
    n: Word


class OutOf(NamedTuple):
    """`for N of M cycles`."""

    word: Word
    n: Word
    m: Word


class Span(NamedTuple):
    """`for 5m` or `for 5 minutes`."""

    word: Word
    duration: Word


Hold = Union[Cycles, OutOf, Span]


class Alert(NamedTuple):
    """`alert [ROUTE] [as SEVERITY]`."""

    verb: Word
    route: Word | None
    severity: Word | None


class Manage(NamedTuple):
    """`restart [SERVICE]`, `signal NAME`, `unmonitor` and their like."""

    verb: Word
    name: Word | None


class Run(NamedTuple):
    """`run "CMD" [as USER]`."""

    verb: Word
    command: Word
    user: Word | None


Action = Union[Alert, Manage, Run]


class Rule(NamedTuple):
    """`if … [for …] then … [else …]`; `word` is its `if`."""

    word: Word
    condition: Condition
    hold: Hold | None
    then: tuple[Action, ...]
    otherwise: tuple[Action, ...]


class Job(NamedTuple):
    """`NAME happens every [N] PERIOD [with grace DURATION]`."""

    name: Word
    times: Word | None
    period: Word
    grace: Word | None


class Check(NamedTuple):
    """One `check`; `word` is that keyword, `name` is None for `host` and `jobs`."""

    kind: CheckKind
    word: Word
    name: Word | None
    params: tuple[Param, ...] = ()
    expose: tuple[Word, ...] = ()
    rules: tuple[Rule, ...] = ()
    jobs: tuple[Job, ...] = ()


class Setting(NamedTuple):
    """`set NAME VALUE`."""

    name: Word
    value: Word


class Send(NamedTuple):
    """`send alerts [to ROUTE] via CHANNEL [with …]`; `word` is its `send`."""

    word: Word
    route: Word | None
    channel: Word
    params: tuple[Param, ...]


Statement = Union[Setting, Send]
