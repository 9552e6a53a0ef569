"""One rule in words: when it acts, what it does, what while it lasts, and when it is over."""

from __future__ import annotations

from collections.abc import Iterator

from inspect_agent.engine.condition import comparisons, is_momentary
from inspect_agent.engine.explain import About, alternatives, at_once, end, held, sentence
from inspect_agent.engine.quantities import duration
from inspect_agent.export.explain.actions import step
from inspect_agent.export.explain.layout import EMPTY, Line, clipped, listed
from inspect_agent.export.explain.routes import called, severities
from inspect_agent.export.explain.whole import Check, Whole, about
from inspect_agent.model.rule import Alert, Condition, Rule, Severity, Unmonitor
from inspect_agent.model.target import ServiceCheck

_RECOVERY: Severity = "info"


def rule(rule: Rule, check: Check, whole: Whole) -> Iterator[Line]:
    """All that a rule of this check says."""
    yield Line(f"{rule.place}  if {clipped(rule.text, 1000)}", 0)
    yield EMPTY
    yield from _when(rule, check, whole)
    yield from _done(rule, check, whole)
    if not is_momentary(rule.condition):
        yield Line(f"While it lasts, {_meanwhile(rule, check)}.")
    yield Line(f"It is over {end(rule.condition, rule.hold)}; {_over(rule, whole)}.")


def _when(rule: Rule, check: Check, whole: Whole) -> Iterator[Line]:
    every = f"Every {duration(whole.settings.cycle_time_s)}{_grace(rule, check)}"
    be = "is" if at_once(rule.hold) else "has been"
    ways = alternatives(rule.condition)
    if len(ways) == len(ways[0]) == 1:
        said = sentence(ways[0][0], about(check, whole), be)
        yield Line(f"{every}; when {said} {held(rule.hold)}:")
    else:
        yield Line(f"{every}; when this {be} true {held(rule.hold)}:")
        yield from _tests(rule.condition, about(check, whole))
        yield Line("then:")


def _grace(rule: Rule, check: Check) -> str:
    if isinstance(check, ServiceCheck) and check.grace_s and comparisons(rule.condition):
        return f", once the process is {duration(check.grace_s)} old (grace)"
    return ""


def _tests(condition: Condition, about: About) -> Iterator[Line]:
    """A line a test; what `and` binds stands further in."""
    for number, (first, *others) in enumerate(alternatives(condition)):
        yield Line(("or " if number else "") + sentence(first, about), 3)
        yield from (Line(f"and {sentence(other, about)}", 4) for other in others)


def _done(rule: Rule, check: Check, whole: Whole) -> Iterator[Line]:
    first = ", at once" if rule.steps else ""
    for route, severity in severities(rule.alerts).items():
        yield Line(f"alert {whole.routes[route]} as {severity}{first}", 2, "- ")
    several = len(rule.steps) > 1
    for number, one in enumerate(rule.steps, start=1):
        yield Line(step(one, check), 2, f"{number}. " if several else "- ")
    if several:
        yield Line("One after the other; the first that fails ends the list.")


def _meanwhile(rule: Rule, check: Check) -> str:
    """What goes on as long as the rule stays triggered."""
    if not rule.alerts:
        told = "nobody is alerted"
    elif check.remind_s is None:
        told = "the alert is not repeated"
    else:
        told = f"the alert is repeated every {duration(check.remind_s)} (remind)"
    if not rule.steps or any(isinstance(one, Unmonitor) for one in rule.steps):
        return told
    what = "the rest" if rule.alerts else "this"
    anew = f"has held anew, {held(rule.hold)} since that ended"
    return f"{told}; {what} is done again each time the condition {anew}, within its budget"


def _over(rule: Rule, whole: Whole) -> str:
    """What follows from the recovery."""
    if is_momentary(rule.condition):
        never = ", and `else` never acts" if rule.otherwise else ""
        return f"no recovery is told{never}"
    told = _told(rule, whole)
    recovery = f"the recovery is told to {told}" if told else "nobody is told"
    return f"then {recovery}, and nothing is repaired"


def _told(rule: Rule, whole: Whole) -> str:
    """Who hears of the recovery: who heard of the failure, and the routes of `else`."""
    heard = severities(rule.alerts)
    otherwise = severities(action for action in rule.otherwise if isinstance(action, Alert))
    found: dict[Severity, list[str]] = {}
    for route, severity in {**dict.fromkeys(heard, _RECOVERY), **otherwise}.items():
        name = called(route) if route in heard else whole.routes[route]
        found.setdefault(severity, []).append(name)
    return listed(f"{listed(names)} as {severity}" for severity, names in found.items())
