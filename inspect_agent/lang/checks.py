"""Checks: a service, a probe, or the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inspect_agent.lang import ast, family_params, params, references, rules
from inspect_agent.lang.known import Around, Known
from inspect_agent.lang.params import Given
from inspect_agent.lang.planned import not_yet
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.report import Report
from inspect_agent.model.metric import Scope
from inspect_agent.model.rule import Rule
from inspect_agent.model.target import HostCheck, Params, ProbeCheck, ServiceCheck


class Placed(NamedTuple):
    """A check and the report of its file."""

    check: ast.Check
    report: Report


class _Read(NamedTuple):
    """What checks of every kind have."""

    given: Given
    owner: str
    rules: tuple[Rule, ...]
    params: Params


def service(placed: Placed, known: Known) -> ServiceCheck:
    """One service; whatever is wrong with it is reported."""
    check, report = placed
    name = check.name.text if check.name else ""
    for word in check.expose[:1]:
        report.error(word, not_yet("expose"))
    given, owner, found, families = _read(placed, "service", known, name)
    return ServiceCheck(
        name,
        report.place(check.word),
        given.get("restarts", known.settings.restarts),
        owner=owner,
        manager=references.manager(given, known, name),
        pidfile=given.get("pidfile"),
        start=given.get("start", ()),
        stop=given.get("stop", ()),
        restart=given.get("restart", ()),
        timeout_s=given.get("timeout", known.settings.restart_timeout_s),
        grace_s=given.get("grace", 0.0),
        remind_s=given.get("remind", known.settings.remind_s),
        needs=references.needs(given, known, name),
        rules=tuple(rules.numbered(found)),
        params=families,
        instance=given.get("instance", ()),
        release=references.release(given, check),
    )


def probe(placed: Placed, known: Known) -> ProbeCheck:
    """One thing with no process of its own; whatever is wrong with it is reported."""
    check, report = placed
    given, owner, found, families = _read(placed, "probe", known)
    return ProbeCheck(
        check.name.text if check.name else "",
        report.place(check.word),
        owner,
        given.get("remind", known.settings.remind_s),
        tuple(rules.numbered(found)),
        families,
    )


def host(placed: Sequence[Placed], known: Known) -> HostCheck:
    """All checks of the machine, added up; each rule alerts the owner of its own check."""
    read = [_read(item, "host", known) for item in placed]
    owner = next((one.owner for one in read if one.owner), "")
    remind: Given | None = None
    for one in read:
        remind = _one_pace(remind, one.given)
    return HostCheck(
        owner,
        remind.get("remind") if remind else known.settings.remind_s,
        tuple(rules.numbered(rule for one in read for rule in one.rules)),
        tuple(param for one in read for param in one.params),
    )


def _read(placed: Placed, scope: Scope, known: Known, service: str = "") -> _Read:
    check, report = placed
    given = params.read(check.params, scope, known, report)
    owner = references.owner(given, known)
    found = rules.resolve(check.rules, Around(report, known, scope, owner, service))
    return _Read(given, owner, found, family_params.read(check, given, scope, found, known))


def _one_pace(first: Given | None, given: Given) -> Given | None:
    """Where `remind` was given first: the machine has one pace for all its rules."""
    if "remind" not in given.values:
        return first
    if first is not None and first.get("remind") != given.get("remind"):
        place = first.report.place(first.words["remind"].key)
        given.error("remind", Wrong("the host has another remind already", f"at {place}"))
    return first or given
