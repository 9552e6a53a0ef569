"""From the parser's tokens to ast values; a method each production of inq.lark and conf.lark.

The methods are called while parsing, so no tree is ever built. What is optional and absent
arrives as None.
"""

from __future__ import annotations

import re

from lark import Token, Transformer, v_args

from inspect_agent.lang import ast

_ESCAPED = re.compile(r'\\(["\\])')


def word(token: Token) -> ast.Word:
    r"""A token as a word; `\"` and `\\` are the only escapes within quotes."""
    text = token.value
    line, column = token.line or 0, token.column or 0
    if text.startswith('"'):
        return ast.Word(_ESCAPED.sub(r"\1", text[1:-1]), line, column, quoted=True)
    return ast.Word(text, line, column)


def _optional(token: Token | None) -> ast.Word | None:
    return None if token is None else word(token)


def _joined(token: Token, unit: Token | None) -> ast.Word:
    first = word(token)
    return first if unit is None else first._replace(text=f"{first.text} {unit}")


def _metric(written: ast.Word) -> ast.Metric:
    family, colon, name = written.text.partition(":")
    if colon and not name:
        family = written.text  # `memory:` is no metric, and no way to write `memory`
    if written.quoted:
        return ast.Metric(written, family, name)
    return ast.Metric(written, family.strip(), name.strip())


@v_args(inline=True)
class _Shared(Transformer[Token, object]):
    def params(self, *params: ast.Param) -> tuple[ast.Param, ...]:
        return params

    def param(self, key: Token, value: Token) -> ast.Param:
        return ast.Param(word(key), word(value))


@v_args(inline=True)
class _Inq(_Shared):
    """The productions of inq.lark."""

    def file(self, *checks: ast.Check) -> tuple[ast.Check, ...]:
        return checks

    def rules(self, *rules: ast.Rule) -> tuple[ast.Rule, ...]:
        return rules

    def host(
        self, check: Token, params: tuple[ast.Param, ...] | None, *rules: ast.Rule
    ) -> ast.Check:
        return ast.Check("host", word(check), None, params or (), rules=rules)

    def service(
        self,
        check: Token,
        name: Token,
        params: tuple[ast.Param, ...] | None,
        expose: tuple[ast.Word, ...] | None,
        *rules: ast.Rule,
    ) -> ast.Check:
        return ast.Check("service", word(check), word(name), params or (), expose or (), rules)

    def probe(
        self, check: Token, name: Token, params: tuple[ast.Param, ...] | None, *rules: ast.Rule
    ) -> ast.Check:
        return ast.Check("probe", word(check), word(name), params or (), rules=rules)

    def jobs(self, check: Token, params: tuple[ast.Param, ...] | None, *jobs: ast.Job) -> ast.Check:
        return ast.Check("jobs", word(check), None, params or (), jobs=jobs)

    def job(
        self, name: Token, times: Token | None, period: Token, grace: ast.Word | None
    ) -> ast.Job:
        return ast.Job(word(name), _optional(times), word(period), grace)

    def lateness(self, number: Token, unit: Token | None = None) -> ast.Word:
        return _joined(number, unit)

    def expose(self, *names: Token) -> tuple[ast.Word, ...]:
        return tuple(word(name) for name in names)

    def rule(
        self,
        start: Token,
        condition: ast.Condition,
        hold: ast.Hold | None,
        then: tuple[ast.Action, ...],
        otherwise: tuple[ast.Action, ...] | None,
    ) -> ast.Rule:
        return ast.Rule(word(start), condition, hold, then, otherwise or ())

    def condition(self, *conjunctions: tuple[ast.Test, ...]) -> ast.Condition:
        return conjunctions

    def conjunction(self, *tests: ast.Test) -> tuple[ast.Test, ...]:
        return tests

    def compare(
        self,
        metric: ast.Metric,
        op: Token,
        amount: ast.Word,
        until_op: Token | None,
        until: ast.Word | None,
    ) -> ast.Compare:
        return ast.Compare(metric, word(op), amount, _optional(until_op), until)

    def state(self, token: Token) -> ast.State:
        return ast.State(word(token))

    def fails(self, metric: ast.Metric) -> ast.Fails:
        return ast.Fails(metric)

    def metric(self, family: Token, name: Token | None) -> ast.Metric:
        written = word(family)
        if name is None:
            return _metric(written)
        return ast.Metric(written, written.text, word(name).text)

    def amount(self, number: Token, unit: Token | None) -> ast.Word:
        return _joined(number, unit)

    def cycles(self, start: Token, n: Token) -> ast.Cycles:
        return ast.Cycles(word(start), word(n))

    def out_of(self, start: Token, n: Token, m: Token) -> ast.OutOf:
        return ast.OutOf(word(start), word(n), word(m))

    def span(self, start: Token, number: Token, unit: Token | None) -> ast.Span:
        return ast.Span(word(start), _joined(number, unit))

    def actions(self, *actions: ast.Action) -> tuple[ast.Action, ...]:
        return actions

    def alert(self, verb: Token, route: Token | None, severity: Token | None) -> ast.Alert:
        return ast.Alert(word(verb), _optional(route), _optional(severity))

    def manage(self, verb: Token, name: Token | None = None) -> ast.Manage:
        return ast.Manage(word(verb), _optional(name))

    def run(self, verb: Token, command: Token, user: Token | None) -> ast.Run:
        return ast.Run(word(verb), word(command), _optional(user))


@v_args(inline=True)
class _Conf(_Shared):
    """The productions of conf.lark."""

    def file(self, *statements: ast.Statement) -> tuple[ast.Statement, ...]:
        return statements

    def setting(self, start: Token, name: Token, value: Token) -> ast.Setting:
        return ast.Setting(word(name), word(value))

    def send(
        self,
        start: Token,
        route: Token | None,
        channel: Token,
        params: tuple[ast.Param, ...] | None,
    ) -> ast.Send:
        return ast.Send(word(start), _optional(route), word(channel), params or ())


TRANSFORMERS: dict[str, Transformer[Token, object]] = {"inq": _Inq(), "conf": _Conf()}
"""By the name of the grammar."""
