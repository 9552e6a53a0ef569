"""What can be measured, for people and editors: made of what the families declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from inspect_agent.lang import units
from inspect_agent.lang.comparisons import written
from inspect_agent.lang.planned import not_yet, planned
from inspect_agent.lang.problems import Near, Wrong
from inspect_agent.lang.units import SUFFIXES, Quantity
from inspect_agent.lang.vocabulary import Vocabulary
from inspect_agent.model.metric import Family, Metric, MetricId, Param, ParamKind, Scope, Unit

_CHECKS: dict[Scope, str] = {
    "host": "check host",
    "service": "check service NAME",
    "probe": "check probe NAME",
}
_SCOPES = tuple(_CHECKS)
_AMOUNTS: dict[Unit, str] = {
    "bytes": "500m",
    "percent": "90%",
    "seconds": "1m",
    "count": "100",
    "number": "10",
}
_VALUES: dict[ParamKind, str] = {
    "text": "TEXT",
    "secret": "SECRET",
    "path": "/PATH",
    "command": "/COMMAND",
    "duration": "10s",
    "count": "10",
    "port": "4677",
    "flag": "yes",
}


class Entry(NamedTuple):
    """One metric.

    written    as it stands in a rule: `memory:rss`
    any_name   it stands for many, whose names come from the machine: `disk:MOUNT`
    suffixes   what may follow an amount: `k`, `%`
    rule       a rule with it, which compiles below the check of its section
    """

    written: str
    metric: Metric
    any_name: bool
    suffixes: tuple[str, ...]
    rule: str


class Section(NamedTuple):
    """One family in one scope; `check` is a check that may use it: `check service NAME`."""

    family: Family
    check: str
    entries: tuple[Entry, ...]


def sections(families: Iterable[Family]) -> tuple[Section, ...]:
    """One for each family: the machine's, those of services, those of probes."""
    ordered = sorted(families, key=lambda family: _SCOPES.index(family.scope))
    return tuple(_section(family) for family in ordered)


def select(word: str, vocabulary: Vocabulary) -> tuple[Family, ...] | Wrong:
    """What a scope, a family or a metric names, in every scope that has it; "" names all."""
    families = tuple(vocabulary.families.values())
    if not word:
        return families
    if word in _SCOPES:
        found = tuple(family for family in families if family.scope == word)
        return found or not_yet(f"the metrics of a {word}")
    name, _, metric = word.partition(":")
    found = tuple(_narrowed(families, name, metric) if metric else _named(families, word))
    return found or _unknown(word, vocabulary)


def _named(families: Iterable[Family], name: str) -> Iterator[Family]:
    return (family for family in families if family.name == name)


def _narrowed(families: Iterable[Family], name: str, metric: str) -> Iterator[Family]:
    """The families of this name, with nothing but this metric."""
    for family in _named(families, name):
        found = family.find(metric)
        if found:
            yield family._replace(metrics=(found._replace(name=metric),), any_name=None)


def _unknown(word: str, vocabulary: Vocabulary) -> Wrong:
    name, colon, _ = word.partition(":")
    if planned("family", name):
        return not_yet(f"the metrics of {name}")
    names = [name for _, name in vocabulary.families]
    metrics = [metric for scope in _SCOPES for metric in vocabulary.metrics(scope)]
    known = tuple(dict.fromkeys((*_SCOPES, *names, *metrics)))
    return Wrong(f"unknown {'metric' if colon else 'family'} {{}}", "", Near(word, known))


def _section(family: Family) -> Section:
    entries = [_entry(family, metric) for metric in family.metrics]
    if family.any_name:
        some = family.any_name._replace(name=family.any_name.name or "NAME")
        entries.append(_entry(family, some, any_name=True))
    return Section(family, _check(family), tuple(entries))


def _check(family: Family) -> str:
    required = [f"{param.name} {_value(param)}" for param in family.params if param.required]
    return _CHECKS[family.scope] + (f" with {', '.join(required)}" if required else "")


def _value(param: Param) -> str:
    return param.choices[0] if param.kind == "choice" else _VALUES[param.kind]


def _entry(family: Family, metric: Metric, any_name: bool = False) -> Entry:
    name = written(str(MetricId(family.name, metric.name)))
    return Entry(name, metric, any_name, _suffixes(metric), _rule(name, metric))


def _suffixes(metric: Metric) -> tuple[str, ...]:
    """Those of one character that the compiler takes."""
    some = dict.fromkeys(name for name in (*SUFFIXES[metric.unit], "%") if len(name) == 1)
    return tuple(s for s in some if isinstance(units.amount(f"1{s}", metric), Quantity))


def _rule(name: str, metric: Metric) -> str:
    hold = " for 2 cycles" if metric.noisy or metric.kind != "gauge" else ""
    return f"if {name} {'<' if metric.low else '>'} {_amount(metric)}{hold} then alert"


def _amount(metric: Metric) -> str:
    """An amount that the metric can pass."""
    text = _AMOUNTS[metric.unit]
    quantity = units.amount(text, metric)
    if metric.most is not None and isinstance(quantity, Quantity) and metric.most <= quantity.value:
        return units.canonical(metric.most if metric.low else 0.0, metric.unit)
    return f"{text}/sec" if metric.kind == "counter" else text
