"""A file of the configuration in plain words, or what stands at one of its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from inspect_agent.export.explain.checks import check
from inspect_agent.export.explain.general import general
from inspect_agent.export.explain.layout import EMPTY, Line, laid
from inspect_agent.export.explain.repairs import repairs
from inspect_agent.export.explain.rules import rule
from inspect_agent.export.explain.whole import Check, Whole, touched
from inspect_agent.lang.statements import Statement
from inspect_agent.model.config import Config
from inspect_agent.model.rule import Rule
from inspect_agent.model.target import ServiceCheck


class Part(NamedTuple):
    """A `check` statement with the rules below it, each with where it stands.

    whole   it is explained itself, not only its rules
    """

    at: Statement
    check: Check
    rules: tuple[tuple[Statement, Rule], ...]
    whole: bool = True

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What is explained."""
        return ((self.at,) if self.whole else ()) + tuple(at for at, _ in self.rules)


def parts(file: str, statements: Iterable[Statement], config: Config) -> Iterator[Part]:
    """What the statements of a file came to, in their order."""
    checks: dict[tuple[str, str], Check] = {("host", ""): config.host}
    checks |= {("service", service.name): service for service in config.services}
    checks |= {("probe", probe.name): probe for probe in config.probes}
    of_host = (rule for rule in config.host.rules if rule.place.rpartition(":")[0] == file)
    for at, below in _grouped(statements):
        found = checks[at.kind, at.name]
        rules = of_host if at.kind == "host" else iter(found.rules)
        yield Part(at, found, tuple(zip(below, rules, strict=False)))


def standing_at(line: int, found: Iterable[Part]) -> Iterator[Part]:
    """The checks that cover a line, and of others the rules that do."""
    for part in found:
        rules = tuple(pair for pair in part.rules if pair[0].covers(line))
        if part.at.covers(line):
            yield part
        elif rules:
            yield part._replace(rules=rules, whole=False)


def page(file: str, found: Sequence[Part], whole: Whole) -> str:
    """These checks and rules as text, with what holds for all of them."""
    if not found:
        return laid([Line(f"{file}  no check", 0)])
    blocks = [block for part in found for block in _blocks(file, part, whole)]
    touched = {id(check): check for part in found for check in _touched(part, whole)}
    blocks += [list(repairs(check, whole)) for check in touched.values()]
    rules = [rule for part in found for _, rule in part.rules]
    blocks.append(list(general(rules, whole.settings)))
    return laid(_apart(filter(None, blocks)))


def _grouped(statements: Iterable[Statement]) -> list[tuple[Statement, list[Statement]]]:
    """Each check with its rules."""
    groups: list[tuple[Statement, list[Statement]]] = []
    for statement in statements:
        if statement.kind == "rule":
            groups[-1][1].append(statement)
        else:
            groups.append((statement, []))
    return groups


def _blocks(file: str, part: Part, whole: Whole) -> Iterator[list[Line]]:
    if part.whole:
        yield list(check(part.check, f"{file}:{part.at.first}", whole))
    for _, one in part.rules:
        yield list(rule(one, part.check, whole))


def _touched(part: Part, whole: Whole) -> Iterator[Check]:
    """Those to whom something is done; to a check that is explained also by other rules."""
    if part.whole and isinstance(part.check, ServiceCheck) and whole.is_touched(part.check):
        yield part.check
    yield from touched(part.check, (rule for _, rule in part.rules), whole)


def _apart(blocks: Iterable[list[Line]]) -> Iterator[Line]:
    for number, block in enumerate(blocks):
        if number:
            yield EMPTY
        yield from block
