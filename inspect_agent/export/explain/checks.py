"""A check in words: what it watches, who owns it, and what its parameters are for."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from inspect_agent.engine.quantities import duration, many
from inspect_agent.engine.services import LOOP_DEATHS, LOOP_WINDOW_S
from inspect_agent.export.explain.layout import EMPTY, Line, clipped, listed, named
from inspect_agent.export.explain.params import asked
from inspect_agent.export.explain.whole import Check, Whole, is_template, who
from inspect_agent.model.target import HostCheck, ProbeCheck, ServiceCheck


def check(check: Check, place: str, whole: Whole) -> Iterator[Line]:
    """All that a check says, but for its rules."""
    yield Line(f"{place}  {_title(check)}", 0)
    yield EMPTY
    if isinstance(check, HostCheck):
        yield from _host(check, whole)
    elif isinstance(check, ProbeCheck):
        yield from _probe(check, whole)
    else:
        yield from _service(check, whole)
    yield from asked(check, whole)


def _title(check: Check) -> str:
    if isinstance(check, HostCheck):
        return "check host"
    kind = "probe" if isinstance(check, ProbeCheck) else "service"
    return f"check {kind} {named(check.name)}"


def _host(check: HostCheck, whole: Whole) -> Iterator[Line]:
    every = duration(whole.settings.cycle_time_s)
    yield Line(
        f"The machine, sampled every {every}. All `check host` of a configuration are one check; a"
        " rule that names no route alerts the owner of its own."
    )
    yield Line(
        f"Its owner, {whole.routes[check.owner]}, is told what the agent has to say of itself: of a"
        " configuration that it refuses, and of a deploy window that nobody finished."
    )
    if not check.rules:
        yield Line("It has no rules: the machine is sampled, and not judged.")


def _probe(check: ProbeCheck, whole: Whole) -> Iterator[Line]:
    every = duration(whole.settings.cycle_time_s)
    yield Line(f"A probe, a thing with no process of its own, asked every {every}.")
    yield Line(f"Its owner is {whole.routes[check.owner]}.")
    if not check.rules:
        yield Line("It has no rules, so nothing is asked of it.")


def _service(check: ServiceCheck, whole: Whole) -> Iterator[Line]:
    every = duration(whole.settings.cycle_time_s)
    if is_template(check.name):
        yield Line(_instances(check.name))
    yield Line(f"{_managed(check)} It is looked at every {every}.")
    yield Line(_owned(check, whole))
    if check.release is not None:
        yield Line(f"Its release is the folder that {clipped(check.release)} leads to.")
    if check.grace_s:
        young = duration(check.grace_s)
        yield Line(f"Rules on its metrics wait until its process is {young} old (grace).")
    if not check.rules:
        yield Line("It has no rules: it is watched for existence alone.")
    if not whole.is_touched(check):
        yield Line(_idle(check))


def _instances(name: str) -> str:
    base = name.removesuffix("@*")
    return (
        f"This stands for every instance of {named(base)} that its manager has loaded, {base}@1 and"
        " the like: each is watched by itself from when it appears until it is gone, with counts"
        " and a budget of its own, and never are two of them repaired at once. An instance that has"
        " a check of its own goes by that one."
    )


def _managed(check: ServiceCheck) -> str:
    if check.pidfile is None:
        if check.manager is None:
            return "It belongs to whichever service manager knows it."
        return f"Its service manager is {check.manager}."
    commands = {"start": check.start, "stop": check.stop, "restart": check.restart}
    given = [f"{verb} `{clipped(shlex.join(argv))}`" for verb, argv in commands.items() if argv]
    missing = [verb for verb, argv in commands.items() if not argv]
    said = [f"its PID is in {check.pidfile}"]
    said += [f"its commands are {listed(given)}"] if given else []
    said += [f"nothing can {listed(missing, 'or')} it"] if missing else []
    return f"No service manager runs it: {'; '.join(said)}."


def _owned(check: ServiceCheck, whole: Whole) -> str:
    late = whole.settings.start_delay_s
    delay = f" Its absence is not told in the agent's first {duration(late)}." if late else ""
    return (
        f"Without any rule its owner, {whole.routes[check.owner]}, is told when its process is gone"
        " (critical), back (info) or another one (warning), but not of this agent's own repairs."
        f" More than {LOOP_DEATHS} deaths in {duration(LOOP_WINDOW_S)} are told as one crash loop"
        f" (critical).{delay}"
    )


def _idle(check: ServiceCheck) -> str:
    budget = f"{many(check.budget.repairs, 'time')} in {duration(check.budget.window_s)}"
    parts = [f"timeout ({duration(check.timeout_s)})", f"budget ({budget})"]
    parts += [f"needs ({listed(map(named, check.needs))})"] if check.needs else []
    return f"No rule does anything to {who(check)}: its {listed(parts)} are without effect."
