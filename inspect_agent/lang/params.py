"""Parameters of checks: `with owner ops, timeout 30s`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any, NamedTuple

from inspect_agent.lang import ast, values
from inspect_agent.lang.known import Known
from inspect_agent.lang.planned import not_yet, planned
from inspect_agent.lang.problems import Near, Read, Wrong
from inspect_agent.lang.report import Report
from inspect_agent.model.metric import Scope

EVERY: Mapping[str, Read[Any]] = {
    "owner": values.text,
    "remind": partial(values.duration, least_s=1.0),
}
SERVICE: Mapping[str, Read[Any]] = {
    **EVERY,
    "manager": values.text,
    "pidfile": values.path,
    "start": values.command,
    "stop": values.command,
    "restart": values.command,
    "timeout": partial(values.duration, least_s=1.0, most_s=86400.0),
    "grace": values.duration,
    "restarts": values.budget,
    "needs": values.names,
    "instance": values.variables,
    "release": values.path,
}
OWN: Mapping[Scope, Mapping[str, Read[Any]]] = {"host": EVERY, "service": SERVICE, "probe": EVERY}
"""How the value of each parameter of the checks themselves is read."""


class Given(NamedTuple):
    """The values of a check's parameters, and the words that gave them.

    others   the parameters that families of this scope declare
    """

    values: Mapping[str, Any]
    words: Mapping[str, ast.Param]
    others: Sequence[ast.Param]
    report: Report

    def get(self, name: str, default: Any = None) -> Any:
        """A value, or the default where it was not given."""
        return self.values.get(name, default)

    def error(self, name: str, wrong: Wrong) -> None:
        """A problem with the value of a parameter."""
        self.report.error(self.words[name].value, wrong)


def read(params: Sequence[ast.Param], scope: Scope, known: Known, report: Report) -> Given:
    """What was given; what has something wrong is reported and left out."""
    found, words, others = {}, {}, []
    declared = known.vocabulary.params(scope) if params else {}
    own = OWN[scope]
    several = {name for name, ways in declared.items() if any(way.param.many for way in ways)}
    for param in _once(params, own.keys() | declared.keys(), several - own.keys(), report):
        name = param.key.text
        if name in own:
            value, words[name] = own[name](param.value.text), param
            if isinstance(value, Wrong):
                report.error(param.value, value)
            else:
                found[name] = value
        elif name in declared:
            others.append(param)
        else:
            report.error(param.key, _unknown(name, scope, known))
    return Given(found, words, others, report)


def _once(
    params: Sequence[ast.Param], names: Set[str], several: Set[str], report: Report
) -> Iterator[ast.Param]:
    first: dict[str, ast.Word] = {}
    for param in params:
        name = param.key.text
        if name in first and name in names - several:
            wrong = Wrong(f"{name} is given twice", f"first in line {first[name].line}")
            report.error(param.key, wrong)
        else:
            first[name] = param.key
            yield param


def _unknown(name: str, scope: Scope, known: Known) -> Wrong:
    families = known.vocabulary.families.values()
    elsewhere = [family for family in families if name in {param.name for param in family.params}]
    if elsewhere:
        family = elsewhere[0]
        return Wrong(f"{name} is a parameter of {family.name}", f"check {family.scope} … with …")
    if name in SERVICE and scope == "host":
        return Wrong(f"{name} is a parameter of services", "check service NAME with …")
    if planned("parameter", name):
        return not_yet(f"the parameter {name}")
    if name in SERVICE:
        return Wrong(f"{name} is a parameter of services", "a probe has no process to manage")
    names = [*OWN[scope], *known.vocabulary.params(scope)]
    return Wrong("unknown parameter {}", near=Near(name, names))
