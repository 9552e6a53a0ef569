"""Warnings about what a configuration says and the machine that runs it does not know.

`inspectctl check` asks the machine; a reload does not wait for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from inspect_agent.lang import ast, conditions
from inspect_agent.lang.checks import Placed
from inspect_agent.lang.problems import Near, Wrong, listed, shown
from inspect_agent.lang.report import WHOLE, Report
from inspect_agent.model.observation import Observation
from inspect_agent.model.target import template_of

_STARTS = ("start", "restart")


class Answers(NamedTuple):
    """What the machine says.

    managers   the service managers that run here; without one nothing is known of services
    loaded     the services that they know of now, as checks would name them
    seen       services that were looked for; `absent`: every manager that may own it said so
    users      those there are, where one is missing
    strangers  the users that rules name, and nobody here is called
    troubles   managers that did not answer, and why, one line each
    releases   paths of releases that lead to none, or to the same for ever, and why
    """

    managers: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()
    seen: Mapping[str, Observation] = {}
    users: tuple[str, ...] = ()
    strangers: frozenset[str] = frozenset()
    troubles: tuple[str, ...] = ()
    releases: Mapping[str, str] = {}


Doubt = tuple[ast.Word, Wrong]


def warn(placed: Sequence[Placed], answers: Answers, report: Report) -> None:
    """Says what is not as the configuration has it; troubles go to the report of no file."""
    for trouble in answers.troubles:
        report.warning(WHOLE, Wrong(trouble))
    for check, its_report in placed:
        doubts = (_service(check, answers), _users(check, answers), _releases(check, answers))
        for at, wrong in chain.from_iterable(doubts):
            its_report.warning(at, wrong)


def _service(check: ast.Check, answers: Answers) -> Iterator[Doubt]:
    given = {param.key.text: param.value for param in check.params}
    if check.kind != "service" or check.name is None or "pidfile" in given:
        return
    manager = given.get("manager")
    if manager and manager.text not in answers.managers:
        yield manager, Wrong("{} does not run here", f"here run {listed(answers.managers, 'and')}")
    elif template_of(check.name.text) == check.name.text:
        yield from _template(check.name, answers)
    else:
        yield from _single(check, check.name, answers)


def _template(name: ast.Word, answers: Answers) -> Iterator[Doubt]:
    templates = dict.fromkeys(map(template_of, answers.loaded))
    if name.text not in templates and not answers.troubles:
        near = Near(name.text, filter(None, templates))
        message = f"no instance of {{}} is known to {listed(answers.managers)} here"
        yield name, Wrong(message, "they are watched as they appear", near)


def _single(check: ast.Check, name: ast.Word, answers: Answers) -> Iterator[Doubt]:
    seen = answers.seen.get(name.text)
    if seen and seen.status == "absent":
        message = f"nothing called {{}} is known to {listed(answers.managers)} here"
        yield name, Wrong(message, seen.reason, Near(name.text, answers.loaded))
    elif seen and seen.restarts_itself:
        for verb in _racing(check, name.text):
            message = f"{{}} at once, and its manager restarts {shown(name.text)} by itself"
            yield verb, Wrong(message, "for 2 cycles, before then, leaves it the time to do so")


def _racing(check: ast.Check, name: str) -> Iterator[ast.Word]:
    """The verbs of `if down then start`, without a hold.

    What systemd says of a unit at rest does not tell whether it would be started again, so this
    is about units that run, or are coming back.
    """
    for rule in check.rules:
        at_once = rule.hold is None and conditions.says(rule.condition, "down")
        for action in rule.then if at_once else ():
            its_own = isinstance(action, ast.Manage) and (
                not action.name or action.name.text == name
            )
            if its_own and action.verb.text in _STARTS:
                yield action.verb


def _users(check: ast.Check, answers: Answers) -> Iterator[Doubt]:
    """`run "…" as USER` fails where there is no such user."""
    actions = (action for rule in check.rules for action in rule.then)
    users = (action.user for action in actions if isinstance(action, ast.Run) and action.user)
    for user in users:
        if user.text in answers.strangers:
            yield user, Wrong("no user is called {} here", near=Near(user.text, answers.users))


def _releases(check: ast.Check, answers: Answers) -> Iterator[Doubt]:
    for param in check.params:
        if param.key.text == "release" and param.value.text in answers.releases:
            reason = shown(answers.releases[param.value.text], 200)
            yield param.value, Wrong("{} is no symlink to a release here", reason)
