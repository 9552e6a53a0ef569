"""The parameters of a `send`: read, and combined into one set a recipient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import NamedTuple

from inspect_agent.lang import ast, values
from inspect_agent.lang.given import FileValue, given
from inspect_agent.lang.planned import not_yet, planned
from inspect_agent.lang.problems import Near, Wrong
from inspect_agent.lang.report import Report
from inspect_agent.lang.vocabulary import ChannelWords
from inspect_agent.model.metric import Param

_MOST = 1000

Lists = dict[str, list[str]]


class Reading(NamedTuple):
    """A `send` and what its parameters are read with."""

    send: ast.Send
    words: ChannelWords
    report: Report
    value_of: FileValue


def combined(reading: Reading) -> Iterator[dict[str, str]]:
    """The channel's parameters: where some hold several values, once for each combination.

    Nothing where something is wrong with them, which is reported.
    """
    before = reading.report.errors
    lists = _lists(reading)
    if reading.report.errors > before:
        return
    if prod(len(found) for found in lists.values()) > _MOST:
        wrong = Wrong(f"more than {_MOST} recipients", "let a mailing list have them")
        reading.report.error(reading.send.channel, wrong)
        return
    for choice in product(*lists.values()):
        params = dict(zip(lists, choice, strict=True))
        if _usable(params, reading):
            yield params


def _lists(reading: Reading) -> Lists:
    declared = {param.name: param for param in reading.words.params}
    found: Lists = {}
    for param in reading.send.params:
        declaration = declared.get(param.key.text)
        if declaration is None:
            reading.report.error(param.key, _unknown(param.key.text, declared))
        elif param.key.text in found and not declaration.many:
            reading.report.error(param.key, Wrong(f"{declaration.name} is given twice"))
        else:
            found.setdefault(declaration.name, []).extend(_values(param, declaration, reading))
    _check_required(declared, found, reading)
    return found


def _values(param: ast.Param, declaration: Param, reading: Reading) -> Iterator[str]:
    text = given(param.value.text, reading.value_of, values.text)
    if isinstance(text, Wrong):
        reading.report.error(param.value, text)
        return
    for part in values.several(text) if declaration.many else (text,):
        value = values.of(declaration)(part)
        if isinstance(value, Wrong):
            reading.report.error(param.value, value)
        else:
            yield part


def _check_required(declared: Mapping[str, Param], found: Lists, reading: Reading) -> None:
    given_names = {param.key.text for param in reading.send.params}
    for name, declaration in declared.items():
        if declaration.required and name not in given_names:
            reading.report.error(
                reading.send.channel, Wrong(f"{{}} wants {name}", declaration.help)
            )


def _usable(params: Mapping[str, str], reading: Reading) -> bool:
    """Whether the channel takes these; its error starts with the parameter's name."""
    try:
        reading.words.build(params)
    except ValueError as error:
        name, _, reason = str(error).partition(":")
        words = {param.key.text: param.value for param in reading.send.params}
        message = f"{name}: {reason.strip()}" if name in words else str(error)
        reading.report.error(words.get(name, reading.send.channel), Wrong(message))
        return False
    return True


def _unknown(name: str, declared: Mapping[str, Param]) -> Wrong:
    if planned("channel parameter", name):
        return not_yet(f"the parameter {name}")
    return Wrong("unknown parameter {}", "", Near(name, declared))
