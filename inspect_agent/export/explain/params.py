"""What the metric families of a check are asked with, in words; no value that may be a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inspect_agent.export.explain.layout import Line, clipped, listed
from inspect_agent.export.explain.whole import Check, Whole, scope
from inspect_agent.model.metric import Family, Param
from inspect_agent.model.rule import families
from inspect_agent.model.target import Params

Given = Mapping[str, list[str]]
"""The values of each parameter that was given."""


def asked(check: Check, whole: Whole) -> Iterator[Line]:
    """A line for each family that the check's rules ask and that has parameters."""
    takers = [one for one in whole.families.values() if one.scope == scope(check) and one.params]
    asked = (families(rule.condition) for rule in check.rules) if takers else ()
    used = frozenset(family for some in asked for family in some)
    given = _given(check.params)
    idle = set(given)
    for family in takers:
        if family.name in used:
            yield from _asked(family, given, whole.secrets)
            idle -= {param.name for param in family.params}
    if idle:
        names = listed(name for name in given if name in idle)
        yield Line(f"Its rules ask for nothing that takes {names}.")


def _given(params: Params) -> Given:
    given: dict[str, list[str]] = {}
    for name, value in params:
        given.setdefault(name, []).append(value)
    return given


def _asked(family: Family, given: Given, secrets: frozenset[str]) -> Iterator[Line]:
    said = list(_said(family, given, secrets))
    if said:
        yield Line(f"Its metrics of {family.name} are asked for with {listed(said)}.")


def _said(family: Family, given: Given, secrets: frozenset[str]) -> Iterator[str]:
    for param in family.params:
        if param.name in given:
            yield _value(param, given[param.name], secrets)
        elif param.default:
            yield f"{param.name} {param.default} (the default)"


def _value(param: Param, values: list[str], secrets: frozenset[str]) -> str:
    """A URL may hold a password or a token, whatever its parameter is called."""
    if param.kind == "secret" or param.name in secrets or any("://" in text for text in values):
        count = f"{len(values)} values, " if len(values) > 1 else ""
        return f"{param.name} ({count}not shown)"
    return f"{param.name} {listed(clipped(text, 60) for text in values)}"
