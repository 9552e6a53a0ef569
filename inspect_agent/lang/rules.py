"""Rules: condition, hold and actions, with the key under which their state is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from inspect_agent.lang import actions, ast, conditions, units, values
from inspect_agent.lang.known import Around
from inspect_agent.lang.problems import Wrong
from inspect_agent.lang.warnings import suspicious
from inspect_agent.lang.warnings.suspicious import Found
from inspect_agent.model.rule import Cycles, Hold, OutOf, Rule, Span

_MOST_CYCLES = 100_000
_MOST_REMEMBERED = 1000


def resolve(rules: Iterable[ast.Rule], around: Around) -> tuple[Rule, ...]:
    """The rules of one check; those with something wrong are reported and left out."""
    before = around.report.errors
    pairs = [(rule, _rule(rule, around)) for rule in rules]
    found = [Found(written, rule) for written, rule in pairs if rule]
    if around.report.errors == before:
        suspicious.warn(found, around)
    return tuple(rule for _, rule in found)


def numbered(rules: Iterable[Rule]) -> Iterator[Rule]:
    """The same rules with keys of their own: the second of a kind gets `#2`."""
    seen: Counter[str] = Counter()
    for rule in rules:
        seen[rule.key] += 1
        times = seen[rule.key]
        yield rule if times == 1 else rule._replace(key=f"{rule.key} #{times}")


def _rule(rule: ast.Rule, around: Around) -> Rule | None:
    condition = conditions.resolve(rule.condition, around)
    hold = _hold(rule, around)
    then = actions.then(rule.then, around)
    otherwise = actions.otherwise(rule.otherwise, around)
    if condition is None or hold is None:
        return None
    tail = _written(hold)
    place = around.report.place(rule.word)
    key, text = condition.canonical + tail, condition.text + tail
    return Rule(key, text, place, condition.condition, hold, then, otherwise)


def _hold(rule: ast.Rule, around: Around) -> Hold | None:
    if rule.hold is None:
        return Cycles(1)
    if conditions.says(rule.condition, "restarted"):
        wrong = Wrong("restarted takes no hold", "it is true for a moment only")
        around.report.error(rule.hold.word, wrong)
        return None
    if isinstance(rule.hold, ast.Span):
        return _span(rule.hold, around)
    if isinstance(rule.hold, ast.Cycles):
        n = _count(rule.hold.n, _MOST_CYCLES, around)
        return Cycles(n) if n else None
    return _out_of(rule.hold, around)


def _span(hold: ast.Span, around: Around) -> Hold | None:
    seconds = values.duration(hold.duration.text)
    if isinstance(seconds, Wrong):
        around.report.error(hold.duration, seconds)
    elif hold.duration.text[-1].isdigit():
        around.report.error(hold.duration, Wrong("for {} what?", "for 2 cycles, for 90s, for 5m"))
    elif seconds <= 0:
        around.report.error(hold.duration, Wrong("a hold of {} is none", "leave it out"))
    else:
        return Span(seconds)
    return None


def _out_of(hold: ast.OutOf, around: Around) -> Hold | None:
    n, m = (_count(word, _MOST_REMEMBERED, around) for word in (hold.n, hold.m))
    if n is None or m is None:
        return None
    if n > m:
        around.report.error(hold.n, Wrong(f"{{}} of {m} cycles can never be"))
        return None
    return OutOf(n, m)


def _count(word: ast.Word, most: int, around: Around) -> int | None:
    count = values.count(word.text, least=1, most=most)
    if isinstance(count, Wrong):
        around.report.error(word, count)
        return None
    return count


def _written(hold: Hold) -> str:
    if isinstance(hold, OutOf):
        return f" for {hold.n} of {hold.m} cycles"
    if isinstance(hold, Span):
        return f" for {units.canonical(hold.seconds, 'seconds')}"
    return "" if hold.n == 1 else f" for {hold.n} cycles"
