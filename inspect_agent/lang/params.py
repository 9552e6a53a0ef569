"""Parameters of checks: `with owner ops, timeout 30s`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from inspect_agent.lang import ast, values
from inspect_agent.lang.known import Known
from inspect_agent.lang.planned import not_yet, planned
from inspect_agent.lang.problems import Near, Read, Wrong
from inspect_agent.lang.report import Report

HOST: Mapping[str, Read[Any]] = {
    "owner": values.text,
    "remind": partial(values.duration, least_s=1.0),
}
SERVICE: Mapping[str, Read[Any]] = {
    **HOST,
    "manager": values.text,
    "pidfile": values.path,
    "start": values.command,
    "stop": values.command,
    "restart": values.command,
    "timeout": partial(values.duration, least_s=1.0, most_s=86400.0),
    "grace": values.duration,
    "restarts": values.budget,
    "needs": values.names,
}
"""How the value of each parameter is read."""


class Given(NamedTuple):
    """The values of a check's parameters, and the words that gave them."""

    values: Mapping[str, Any]
    words: Mapping[str, ast.Param]
    report: Report

    def get(self, name: str, default: Any = None) -> Any:
        """A value, or the default where it was not given."""
        return self.values.get(name, default)

    def error(self, name: str, wrong: Wrong) -> None:
        """A problem with the value of a parameter."""
        self.report.error(self.words[name].value, wrong)


def read(
    params: Sequence[ast.Param], readers: Mapping[str, Read[Any]], known: Known, report: Report
) -> Given:
    """What was given; what has something wrong is reported and left out."""
    found, words = {}, {}
    for param in _once(params, report):
        name = param.key.text
        reader = readers.get(name)
        if reader is None:
            report.error(param.key, _unknown(name, readers, known))
            continue
        value, words[name] = reader(param.value.text), param
        if isinstance(value, Wrong):
            report.error(param.value, value)
        else:
            found[name] = value
    return Given(found, words, report)


def _once(params: Sequence[ast.Param], report: Report) -> Iterator[ast.Param]:
    first: dict[str, ast.Word] = {}
    for param in params:
        name = param.key.text
        if name in first and name != "url":
            wrong = Wrong("{} is given twice", f"first in line {first[name].line}")
            report.error(param.key, wrong)
        else:
            first[name] = param.key
            yield param


def _unknown(name: str, readers: Mapping[str, Read[Any]], known: Known) -> Wrong:
    families = known.vocabulary.families.values()
    if planned("parameter", name) or name in {p.name for f in families for p in f.params}:
        return not_yet(f"the parameter {name}")
    if name in SERVICE:
        return Wrong("{} is a parameter of services", "check service NAME with …")
    return Wrong("unknown parameter {}", near=Near(name, readers))
