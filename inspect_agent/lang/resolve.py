"""Parsed files to a Config: everything is looked up, and all that is wrong is reported."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from inspect_agent.lang import ast, checks, references, routes, settings
from inspect_agent.lang.checks import Placed
from inspect_agent.lang.given import FileValue
from inspect_agent.lang.known import Known, Names
from inspect_agent.lang.planned import not_yet
from inspect_agent.lang.problems import Wrong, shown
from inspect_agent.lang.report import Report
from inspect_agent.lang.settings import Complain
from inspect_agent.lang.vocabulary import Vocabulary
from inspect_agent.lang.warnings import unused
from inspect_agent.model.config import Config
from inspect_agent.model.target import ServiceCheck, template_of

_LONGEST_NAME = 255
_KINDS: tuple[ast.CheckKind, ...] = ("host", "service", "probe", "jobs")


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
    of_kind = {kind: [item for item in rules.placed if item.check.kind == kind] for kind in _KINDS}
    for check, report in of_kind["jobs"]:
        report.error(check.word, not_yet("check jobs"))
    known = Known(
        vocabulary,
        settings.resolve(conf.statements, conf.complain, value_of),
        Names(routes.declared(conf.statements, conf.report), conf.whole),
        Names(_declared(of_kind["service"]), rules.whole),
        dict(_commands(of_kind["service"])),
    )
    _declared(of_kind["probe"])
    destinations = routes.Resolver(vocabulary, value_of, conf.report).resolve(conf.statements)
    host = checks.host(of_kind["host"], known)
    services = [checks.service(item, known) for item in of_kind["service"]]
    _check_circles(services, of_kind["service"])
    probes = tuple(checks.probe(item, known) for item in of_kind["probe"])
    if _faultless(conf, rules):
        unused.warn_of_routes(conf.statements, rules.placed, conf.report)
        unused.warn_of_params(rules.placed, vocabulary)
        unused.warn_of_repairs(rules.placed)
        unused.warn_of_releases(rules.placed)
    return Config(known.settings, destinations, host, tuple(services), probes=probes)


def _faultless(conf: Conf, rules: Rules) -> bool:
    """Whether nothing was wrong up to here: a misspelt name makes another one look unused."""
    reports = (conf.report, *(report for _, report in rules.placed))
    return conf.whole and rules.whole and not any(report.errors for report in reports)


def _declared(placed: Iterable[Placed]) -> dict[str, str]:
    """What is checked, by its name, and where; what cannot be declared is reported."""
    places: dict[str, str] = {}
    for check, report in placed:
        if check.name:
            wrong = _fault(check.kind, check.name.text, places)
            if wrong:
                report.error(check.name, wrong)
            places.setdefault(check.name.text, report.place(check.word))
    return places


def _fault(kind: ast.CheckKind, name: str, places: Mapping[str, str]) -> Wrong | None:
    if not name.strip():
        return Wrong(f"the {kind} has no name")
    if len(name) > _LONGEST_NAME:
        return Wrong("the name {} is too long", f"at most {_LONGEST_NAME} characters")
    if name == "@*":
        return Wrong("the instances of what?", "check service NAME@*")
    if name in places:
        return Wrong(f"the {kind} {{}} is checked twice", f"first at {places[name]}")
    return None


def _commands(placed: Iterable[Placed]) -> Iterator[tuple[str, frozenset[str]]]:
    for check, _ in placed:
        keys = frozenset(param.key.text for param in check.params)
        if check.name and "pidfile" in keys:
            yield check.name.text, keys & {"start", "stop", "restart"}


def _check_circles(services: Sequence[ServiceCheck], placed: Sequence[Placed]) -> None:
    by_name = {service.name: item for service, item in zip(services, placed, strict=True)}
    needs = {item.name: [_checked_as(name, by_name) for name in item.needs] for item in services}
    for name, needed in references.circles(needs):
        check, report = by_name[name]
        word = next(param.value for param in check.params if param.key.text == "needs")
        wrong = Wrong(f"{shown(needed)} needs {shown(name)}, too", "neither would ever be repaired")
        report.error(word, wrong)


def _checked_as(name: str, checked: Container[str]) -> str:
    """The check that a service is in: its own, or that of all instances like it."""
    return name if name in checked else template_of(name)
