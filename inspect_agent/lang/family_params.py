"""Parameters that metric families declare: `with port 3307, password secret`."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from inspect_agent.lang import ast, values
from inspect_agent.lang.known import Known
from inspect_agent.lang.params import Given
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.vocabulary import Declared
from inspect_agent.model.metric import Family, Scope
from inspect_agent.model.rule import Rule, families
from inspect_agent.model.target import Params


def read(
    check: ast.Check, given: Given, scope: Scope, rules: Iterable[Rule], known: Known
) -> Params:
    """What was given for families, as it was written; what is wrong with it is reported."""
    used = dict.fromkeys(family for rule in rules for family in families(rule.condition))
    if not used and not given.others:
        return ()
    _check_required(check, given, [known.vocabulary.families[scope, name] for name in used])
    declared = known.vocabulary.params(scope) if given.others else {}
    return tuple(
        (param.key.text, value)
        for param in given.others
        for value in _values(param, _relevant(declared[param.key.text], used), given)
    )


def _relevant(declared: Sequence[Declared], used: Container[str]) -> Sequence[Declared]:
    """How the families that are used declare a parameter; all, where none of them does."""
    return [way for way in declared if way.family in used] or declared


def _values(param: ast.Param, declared: Sequence[Declared], given: Given) -> Iterator[str]:
    """The value, or several, which every family that takes it has to understand."""
    text = values.text(param.value.text)
    if isinstance(text, Wrong):
        given.report.error(param.value, text)
        return
    for part in values.several(text) if declared[0].param.many else (text,):
        read_ = (values.of(way.param)(part) for way in declared)
        wrong = next((value for value in read_ if isinstance(value, Wrong)), None)
        if wrong is None:
            yield part
        else:
            given.report.error(param.value, wrong)


def _check_required(check: ast.Check, given: Given, families: Iterable[Family]) -> None:
    names = {param.key.text for param in given.others}
    for family in families:
        for param in family.params:
            if param.required and param.name not in names | given.values.keys():
                hint = f"with {param.name} …: {param.help}"
                wrong = Wrong(f"{family.name} wants the parameter {param.name}", hint)
                given.report.error(check.name or check.word, wrong)
