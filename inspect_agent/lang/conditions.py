"""Conditions: tests joined by `and` and `or`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from inspect_agent.lang import ast, comparisons, metrics
from inspect_agent.lang.comparisons import Resolved
from inspect_agent.lang.known import Around
from inspect_agent.lang.problems import Wrong
from inspect_agent.model.rule import AllOf, AnyOf, Condition, Fails, ServiceWord, StateTest

_WORDS: dict[str, ServiceWord] = {
    "down": "down",
    "failed": "failed",
    "restarted": "restarted",
    "stale": "stale",
    "outdated": "outdated",
}

Join = Callable[[tuple[Condition, ...]], Condition]


def resolve(condition: ast.Condition, around: Around) -> Resolved | None:
    """The condition; None where something is wrong with it, and reported."""
    groups = [[_test(test, around) for test in tests] for tests in condition]
    return _joined([_joined(tests, AllOf, " and ") for tests in groups], AnyOf, " or ")


def says(condition: ast.Condition, word: str) -> bool:
    """Whether this state is one of the tests."""
    return any(state.text == word for state in states(condition))


def states(condition: ast.Condition) -> Iterator[ast.Word]:
    """The states among the tests, in the order they are written."""
    for tests in condition:
        yield from (test.word for test in tests if isinstance(test, ast.State))


def _joined(parts: Sequence[Resolved | None], join: Join, word: str) -> Resolved | None:
    sound = [part for part in parts if part is not None]
    if len(sound) < len(parts):
        return None
    if len(sound) == 1:
        return sound[0]
    return Resolved(
        join(tuple(part.condition for part in sound)),
        word.join(part.text for part in sound),
        word.join(part.canonical for part in sound),
    )


def _test(test: ast.Test, around: Around) -> Resolved | None:
    if isinstance(test, ast.Compare):
        return comparisons.resolve(test, around)
    if isinstance(test, ast.State):
        return _state(test.word, around)
    family = metrics.family(test.metric, around)
    if family is None:
        return None
    text = f"{comparisons.written(family.name)} fails"
    return Resolved(Fails(family.name), text, text)


def _state(word: ast.Word, around: Around) -> Resolved | None:
    if around.scope != "service":
        around.report.error(word, Wrong("{} is the state of a service", "check service NAME"))
    else:
        return Resolved(StateTest(_WORDS[word.text]), word.text, word.text)
    return None
