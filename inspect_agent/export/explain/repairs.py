"""What is done to a target, whichever rules want it: deadline, proof, budget, refusals."""

from __future__ import annotations

from collections.abc import Iterator

from inspect_agent.engine.budget import FIRST_PAUSE_S, LONGEST_PAUSE_S
from inspect_agent.engine.quantities import duration, many
from inspect_agent.export.explain.layout import EMPTY, Line, listed, named
from inspect_agent.export.explain.whole import Check, Whole, is_template, who
from inspect_agent.model.target import Budget, ServiceCheck

AT_ONCE = 4
"""So many things are done at the same time on the whole machine."""


def repairs(check: Check, whole: Whole) -> Iterator[Line]:
    """What holds for everything that rules do to the target of this check."""
    yield Line(_title(check), 0)
    yield EMPTY
    yield from _proof(check, whole)
    yield Line(
        f"What fails is told to the owner, {whole.routes[check.owner]}, as critical; what succeeds"
        " is told to nobody, or after a failure to the owner, as info."
    )
    budget = check.budget if isinstance(check, ServiceCheck) else whole.settings.restarts
    yield Line(_allowed(budget))
    yield from _refused(check)


def _title(check: Check) -> str:
    if isinstance(check, ServiceCheck):
        one = f"an instance of {check.name}" if is_template(check.name) else who(check)
        return f"{check.place}  repairs of {one}"
    return f"Commands that are run for {who(check)}"


def _proof(check: Check, whole: Whole) -> Iterator[Line]:
    cycle_s, timeout_s = whole.settings.cycle_time_s, whole.settings.restart_timeout_s
    if isinstance(check, ServiceCheck):
        timeout_s = check.timeout_s
    yield Line(f"A command may take {duration(timeout_s)}; then it is killed, and has failed.")
    if isinstance(check, ServiceCheck):
        within = duration(timeout_s + check.grace_s + cycle_s)
        stay = duration(check.grace_s + cycle_s)
        parts = "grace and one cycle" if check.grace_s else "one cycle"
        yield Line(
            f"A start or restart is verified: {who(check)} has to be up within {within}, after a"
            f" restart with a new process, and to stay so for {stay} ({parts})."
        )


def _allowed(budget: Budget) -> str:
    times = many(budget.repairs, "time")
    return (
        f"Budget: {times} in {duration(budget.window_s)}, all rules together; what one rule does in"
        " one go counts once. When more is wanted, the owner is told as critical, and nothing is"
        f" tried for {duration(FIRST_PAUSE_S)}; each time that it comes to this again, for twice as"
        f" long, up to {duration(LONGEST_PAUSE_S)}."
    )


def _refused(check: Check) -> Iterator[Line]:
    when = "in a deploy window"
    if isinstance(check, ServiceCheck):
        when += ", while it is not monitored"
    yield Line(
        f"Nothing is done {when} or while something else is done to it. On the whole machine at"
        f" most {AT_ONCE} things are done at once; others wait."
    )
    if isinstance(check, ServiceCheck):
        yield Line("It is not started or restarted while its manager is about to do so.")
        if check.needs:
            needs = listed((named(name) for name in check.needs), "or")
            yield Line(
                f"It is not repaired while {needs} is down (needs); signals and commands go on."
            )
