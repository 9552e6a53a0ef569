"""Events: what happened, told once. Alerts are made of them; so are the log and the history."""

from __future__ import annotations

from inspect_agent.model.rule import Severity
from inspect_agent.typed import Literal, NamedTuple

EventKind = Literal[
    "RuleFailed",
    "RuleRecovered",
    "RuleReminder",
    "RuleWithdrawn",
    "ProcessDoesNotExist",
    "ProcessExists",
    "ProcessChanged",
    "CrashLoop",
    "RepairSucceeded",
    "RepairFailed",
    "RepairExhausted",
    "RepairNotNeeded",
    "WindowEnded",
    "ConfigurationRejected",
    "ConfigurationAccepted",
    "StateLost",
]

By = Literal["", "this agent", "its manager", "somebody else"]


class Event(NamedTuple):
    """One thing that happened to one target.

    target    `host`, `service NAME`, `probe NAME` or `agent`
    at        wall time, seconds since 1970
    text      one sentence for people, without the host's name
    incident  what opens and what resolves share it: `MACHINE-ID/TARGET/RULE KEY`
    resolves  True: the incident is over
    rule      the rule's condition and hold as written, "" where no rule is behind it
    value     what was measured, as shown: `612.40m`; "" where nothing was
    detail    the manager's own words, or a command's last lines
    by        who started the process that it tells of; "" where that is not known, or none is told
    """

    kind: EventKind
    target: str
    at: float
    text: str
    incident: str
    severity: Severity = "critical"
    resolves: bool = False
    rule: str = ""
    value: str = ""
    detail: str = ""
    by: By = ""
