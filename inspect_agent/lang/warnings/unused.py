"""Warnings about what a configuration declares and never uses.

They are for a configuration without a mistake: a name that is misspelt makes another one unused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from inspect_agent.lang import ast, conditions
from inspect_agent.lang.checks import Placed
from inspect_agent.lang.comparisons import written
from inspect_agent.lang.params import OWN
from inspect_agent.lang.problems import Wrong, listed, shown
from inspect_agent.lang.report import Report
from inspect_agent.lang.vocabulary import Vocabulary
from inspect_agent.model.metric import Scope
from inspect_agent.model.target import template_of

_FOR_REPAIRS = ("start", "stop", "restart", "restarts")
"""Parameters of a service that only matter where something repairs it."""

_REPAIRS = ("restart", "reload", "start", "stop")


def warn_of_routes(
    statements: Iterable[ast.Statement], placed: Iterable[Placed], report: Report
) -> None:
    """Says which routes no check names; the default route is always in use."""
    sends = [item for item in statements if isinstance(item, ast.Send)]
    left = {send.route.text: send.route for send in reversed(sends) if send.route}
    named = _named(placed) if left else ()
    for route in named:
        left.pop(route, None)
        if not left:
            return
    for word in left.values():
        name = shown(written(word.text))
        hint = f"if … then alert {name}, or check … with owner {name}"
        report.warning(word, Wrong("nothing is ever sent to the route {}", hint))


def warn_of_params(placed: Iterable[Placed], vocabulary: Vocabulary) -> None:
    """Says which parameters of families no rule asks for, and which probes are asked nothing."""
    declared: dict[str, Mapping[str, list[str]]]
    declared = {scope: _of_families(scope, vocabulary) for scope in OWN}
    for check, report in placed:
        if check.kind == "probe" and not check.rules:
            report.warning(
                check.name or check.word, Wrong("nothing is asked of {}", "it has no rule")
            )
        elif check.params and check.kind in OWN:
            for word, families in _unasked(check, declared[check.kind]):
                hint = f"{listed(families)} would, and no rule is about it"
                report.warning(word, Wrong(f"nothing asks for {word.text}", hint))


def warn_of_repairs(placed: Sequence[Placed]) -> None:
    """Says which services have a budget or commands although no rule does anything to them."""
    idle = [
        (check.name, word, report)
        for check, report in placed
        for word in [param.key for param in check.params if param.key.text in _FOR_REPAIRS][:1]
        if check.kind == "service" and check.name
    ]
    served = set(_served(placed)) if idle else set()
    served |= {template_of(name) for name in served}
    for name, word, report in idle:
        if served.isdisjoint({name.text, template_of(name.text) or name.text}):
            message = f"{{}} is for repairs, and no rule repairs {shown(name.text)}"
            report.warning(word, Wrong(message, "if failed for 2 cycles then start"))


def warn_of_releases(placed: Iterable[Placed]) -> None:
    """Says which services have a release although no rule asks whether they are stale."""
    for check, report in placed:
        given = [param.key for param in check.params if param.key.text == "release"]
        if given and not any(conditions.says(rule.condition, "stale") for rule in check.rules):
            wrong = Wrong("{} is for rules about stale", "if stale for 4 cycles then restart")
            report.warning(given[0], wrong)


def _of_families(scope: Scope, vocabulary: Vocabulary) -> Mapping[str, list[str]]:
    """The parameters that families declare, and which do."""
    declared = vocabulary.params(scope)
    return {
        name: [way.family for way in ways]
        for name, ways in declared.items()
        if name not in OWN[scope]
    }


def _unasked(
    check: ast.Check, declared: Mapping[str, list[str]]
) -> Iterator[tuple[ast.Word, list[str]]]:
    """The parameters that no rule of the check asks for, and whose they are."""
    given = [param.key for param in check.params if param.key.text in declared]
    asked = set(_asked(check)) if given else set()
    for name, word in {word.text: word for word in reversed(given)}.items():
        if asked.isdisjoint(declared[name]):
            yield word, declared[name]


def _named(placed: Iterable[Placed]) -> Iterator[str]:
    """The routes that checks name, as owners and in rules."""
    for check, _ in placed:
        yield from (param.value.text for param in check.params if param.key.text == "owner")
        for rule in check.rules:
            for action in (*rule.then, *rule.otherwise):
                if isinstance(action, ast.Alert) and action.route:
                    yield action.route.text


def _asked(check: ast.Check) -> Iterator[str]:
    """The families that the rules of a check are about."""
    for rule in check.rules:
        for group in rule.condition:
            yield from (test.metric.family for test in group if not isinstance(test, ast.State))


def _served(placed: Iterable[Placed]) -> Iterator[str]:
    """The services that rules do something to; a service's own rule may do so by a command."""
    for check, _ in placed:
        own = check.name.text if check.name else ""
        for rule in check.rules:
            for action in rule.then:
                if isinstance(action, ast.Manage) and action.name and action.verb.text in _REPAIRS:
                    yield action.name.text
                elif not isinstance(action, ast.Alert):
                    yield own
