"""What the ledger keeps of a step until it has ended.

`place` → {"target", "rule", "step", "before"}; earlier versions wrote the service's name →
{"cause", "verb", "before"}, where the cause is TARGET/RULE. What a step's command was is not kept.
"""

from __future__ import annotations

import json

from inspect_agent.core.repairs.job import Job
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import Process
from inspect_agent.typed import NamedTuple

_VERBS: dict[str, Verb] = {
    "restart": "restart",
    "reload": "reload",
    "start": "start",
    "stop": "stop",
}


class Intent(NamedTuple):
    """A step that was under way.

    verb   of a repair; None: it was something else
    """

    place: str
    target: str
    key: str
    step: str
    verb: Verb | None
    before: Process | None


def to_text(job: Job) -> str:
    """A job as the ledger keeps it."""
    order = job.order
    return json.dumps(
        {"target": order.target, "rule": order.key, "step": job.name, "before": job.before}
    )


def from_text(place: str, text: str, shift: float) -> Intent:
    """The reverse; times are moved by `shift`.

    Raises ValueError, TypeError, KeyError or AttributeError for other text.
    """
    members = json.loads(text)
    if "cause" in members:
        place, step = f"service {place}", members["verb"]
        target, _, key = members["cause"].partition("/")
    else:
        target, key, step = members["target"], members["rule"], members["step"]
    before = Process(*members["before"]) if members["before"] else None
    if before is not None:
        before = before._replace(started_s=before.started_s + shift)
    return Intent(place, target, key, step, _VERBS.get(step), before)
