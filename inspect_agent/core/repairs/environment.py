"""What a rule's command is told of the event, as variables; docs/operations.md lists them."""

from __future__ import annotations

from inspect_agent.core.happenings import measured
from inspect_agent.core.watched import Target, WatchedRule, WatchedService


def about(target: Target, watched: WatchedRule, hostname: str) -> dict[str, str]:
    """The event that a rule wants something done for; what there is none of is empty."""
    found = measured(target, watched)
    return {
        "INSPECT_HOST": hostname,
        "INSPECT_TARGET": target.name,
        "INSPECT_SERVICE": target.check.name if isinstance(target, WatchedService) else "",
        "INSPECT_RULE": watched.rule.text,
        "INSPECT_PLACE": watched.rule.place,
        "INSPECT_METRIC": str(found[0]) if found else "",
        "INSPECT_VALUE": f"{found[1]:.15g}" if found else "",
    }


def pid(target: Target) -> dict[str, str]:
    """The main process, as it is when the command begins."""
    process = target.process if isinstance(target, WatchedService) else None
    return {"INSPECT_PID": str(process.pid) if process is not None else ""}
