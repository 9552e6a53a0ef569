"""What is said of each kind of event: a headline, and what to type next.

`$rule` is the rule's condition and hold as written, or the event's text where no rule is behind it.
"""

from __future__ import annotations

from collections.abc import Mapping

from inspect_agent.model.event import EventKind

HEADLINES: Mapping[EventKind, str] = {
    "RuleFailed": "$rule",
    "RuleRecovered": "$rule",
    "RuleReminder": "still $rule",
    "RuleWithdrawn": "no longer watched: $rule",
    "ProcessDoesNotExist": "not running",
    "ProcessExists": "running again",
    "ProcessChanged": "has another process",
    "CrashLoop": "keeps dying",
    "RepairSucceeded": "repaired",
    "RepairFailed": "repair failed",
    "RepairExhausted": "repair budget spent",
    "RepairNotNeeded": "well again without a repair",
    "WindowEnded": "deploy window ran out",
    "ConfigurationRejected": "new configuration rejected",
    "ConfigurationAccepted": "configuration in order again",
    "StateLost": "state lost, repairs wait",
}

NEXT: Mapping[EventKind, str] = {
    "WindowEnded": "inspectctl start deploy (if the deploy is still going on)",
    "ConfigurationRejected": "inspectctl check",
    "StateLost": "inspectctl finish deploy (if nothing is being deployed)",
}
"""What to type next where it is neither the history of a metric nor the status."""
