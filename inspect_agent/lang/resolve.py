"""Parsed files to a Config: everything is looked up, and all that is wrong is reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from inspect_agent.lang import ast, checks, references, routes, settings
from inspect_agent.lang.checks import Placed
from inspect_agent.lang.given import FileValue
from inspect_agent.lang.known import Known, Names
from inspect_agent.lang.planned import not_yet, planned
from inspect_agent.lang.problems import Wrong, shown
from inspect_agent.lang.report import Report
from inspect_agent.lang.settings import Complain
from inspect_agent.lang.vocabulary import Vocabulary
from inspect_agent.model.config import Config
from inspect_agent.model.target import ServiceCheck

_LONGEST_NAME = 255


class Conf(NamedTuple):
    """inspect.conf or inspeqtor.conf, parsed.

    complain   says what is wrong with a setting: an error in the one, a warning in the other
    whole      False where some of it could not be read
    """

    statements: tuple[ast.Statement, ...]
    report: Report
    complain: Complain
    whole: bool = True


class Rules(NamedTuple):
    """All .inq files, parsed; `whole` is False where some of them could not be read."""

    placed: tuple[Placed, ...]
    whole: bool = True


def resolve(conf: Conf, rules: Rules, vocabulary: Vocabulary, value_of: FileValue) -> Config:
    """The configuration; it may be used where no error was reported."""
    known = Known(
        vocabulary,
        settings.resolve(conf.statements, conf.complain, value_of),
        Names(routes.declared(conf.statements, conf.report), conf.whole),
        Names(_declared(rules.placed), rules.whole),
        dict(_commands(rules.placed)),
    )
    destinations = routes.Resolver(vocabulary, value_of, conf.report).resolve(conf.statements)
    host = checks.host([item for item in rules.placed if item.check.kind == "host"], known)
    placed = [item for item in rules.placed if item.check.kind == "service"]
    services = [checks.service(item, known) for item in placed]
    _check_circles(services, placed)
    return Config(known.settings, destinations, host, tuple(services))


def _declared(placed: Iterable[Placed]) -> dict[str, str]:
    """The services and where each is checked; what cannot be declared is reported."""
    places: dict[str, str] = {}
    for check, report in placed:
        if planned("check", check.kind):
            report.error(check.word, not_yet(f"check {check.kind}"))
        elif check.name:
            wrong = _fault(check.name.text, places)
            if wrong:
                report.error(check.name, wrong)
            places.setdefault(check.name.text, report.place(check.word))
    return places


def _fault(name: str, places: Mapping[str, str]) -> Wrong | None:
    if not name.strip():
        return Wrong("the service has no name")
    if len(name) > _LONGEST_NAME:
        return Wrong("the name {} is too long", f"at most {_LONGEST_NAME} characters")
    if name.endswith("@*"):
        return not_yet(f"every instance of {shown(name[:-1])}")
    if name in places:
        return Wrong("the service {} is checked twice", f"first at {places[name]}")
    return None


def _commands(placed: Iterable[Placed]) -> Iterator[tuple[str, frozenset[str]]]:
    for check, _ in placed:
        keys = frozenset(param.key.text for param in check.params)
        if check.name and "pidfile" in keys:
            yield check.name.text, keys & {"start", "stop", "restart"}


def _check_circles(services: Sequence[ServiceCheck], placed: Sequence[Placed]) -> None:
    by_name = {service.name: item for service, item in zip(services, placed, strict=True)}
    for name, needed in references.circles({item.name: item.needs for item in services}):
        check, report = by_name[name]
        word = next(param.value for param in check.params if param.key.text == "needs")
        wrong = Wrong(f"{shown(needed)} needs {shown(name)}, too", "neither would ever be repaired")
        report.error(word, wrong)
