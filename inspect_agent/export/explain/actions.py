"""What a rule does, in words.

A command is not shown, for it may hold secrets; those of a check are, for the log has them, too.
"""

from __future__ import annotations

from inspect_agent.engine.quantities import duration
from inspect_agent.export.explain.layout import named
from inspect_agent.export.explain.whole import Check, is_template, who
from inspect_agent.model.rule import Repair, Run, Signal, Step
from inspect_agent.model.target import ServiceCheck


def step(step: Step, check: Check) -> str:
    """One action that is no alert, of a rule of this check."""
    if isinstance(step, Repair):
        return f"{step.verb} {_repaired(step.service, check)}"
    if isinstance(step, Run):
        user = f"the user {step.user}" if step.user else "the agent's own user"
        return f"run the command by /bin/sh as {user}, with the event in INSPECT_* variables"
    if isinstance(step, Signal):
        return _signal(step, check)
    return f"unmonitor {who(check)}: no rule is judged any more until `inspectctl monitor`"


def _signal(step: Signal, check: Check) -> str:
    said = f"send the signal {step.name} to the main process of {who(check)}"
    if isinstance(check, ServiceCheck):
        said += f"; a new process within {duration(check.timeout_s)} after it is told to nobody"
    return said


def _repaired(service: str, check: Check) -> str:
    if not is_template(service):
        return named(service)
    own = isinstance(check, ServiceCheck) and check.name == service
    return "the instance" if own else f"every instance of {named(service.removesuffix('@*'))}"
