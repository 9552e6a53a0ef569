"""Checks: one service, or the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inspect_agent.lang import ast, params, references, rules
from inspect_agent.lang.known import Around, Known
from inspect_agent.lang.params import Given
from inspect_agent.lang.planned import not_yet
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.report import Report
from inspect_agent.model.rule import Rule
from inspect_agent.model.target import HostCheck, ServiceCheck


class Placed(NamedTuple):
    """A check and the report of its file."""

    check: ast.Check
    report: Report


def service(placed: Placed, known: Known) -> ServiceCheck:
    """One service; whatever is wrong with it is reported."""
    check, report = placed
    name = check.name.text if check.name else ""
    for word in check.expose[:1]:
        report.error(word, not_yet("expose"))
    given = params.read(check.params, params.SERVICE, known, report)
    owner = references.owner(given, known)
    found = rules.resolve(check.rules, Around(report, known, "service", owner, name))
    return ServiceCheck(
        name,
        report.place(check.word),
        given.get("restarts", known.settings.restarts),
        owner=owner,
        manager=references.manager(given, known),
        pidfile=given.get("pidfile"),
        start=given.get("start", ()),
        stop=given.get("stop", ()),
        restart=given.get("restart", ()),
        timeout_s=given.get("timeout", known.settings.restart_timeout_s),
        grace_s=given.get("grace", 0.0),
        remind_s=given.get("remind", known.settings.remind_s),
        needs=references.needs(given, known, name),
        rules=tuple(rules.numbered(found)),
    )


def host(placed: Sequence[Placed], known: Known) -> HostCheck:
    """All checks of the machine, added up; each rule alerts the owner of its own check."""
    owner = ""
    remind: Given | None = None
    found: list[Rule] = []
    for check, report in placed:
        given = params.read(check.params, params.HOST, known, report)
        its_owner = references.owner(given, known)
        owner = owner or its_owner
        remind = _one_pace(remind, given)
        found += rules.resolve(check.rules, Around(report, known, "host", its_owner))
    remind_s = remind.get("remind") if remind else known.settings.remind_s
    return HostCheck(owner, remind_s, tuple(rules.numbered(found)))


def _one_pace(first: Given | None, given: Given) -> Given | None:
    """Where `remind` was given first: the machine has one pace for all its rules."""
    if "remind" not in given.values:
        return first
    if first is not None and first.get("remind") != given.get("remind"):
        place = first.report.place(first.words["remind"].key)
        given.error("remind", Wrong("the host has another remind already", f"at {place}"))
    return first or given
