"""The agent itself, as a service: for rules on its memory and CPU."""

from __future__ import annotations

import os
from collections.abc import Sequence

from inspect_agent.managers.detect import OWN_NAMES
from inspect_agent.model.observation import Command, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations


class Itself:
    """It is up whenever it is asked; it has no commands, for whoever runs it restarts it."""

    name = "self"

    def look(self, checks: Sequence[ServiceCheck]) -> Observations:
        """Up, by its own names and by any that a check gives it with `manager self`."""
        return {check.name: _look(check) for check in checks}

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints:
        """Always the same."""
        return dict.fromkeys((check.name for check in checks), "")

    def loaded(self) -> Sequence[str]:
        """Its own name."""
        return OWN_NAMES[:1]

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """None: nobody repairs himself."""
        return None


def _look(check: ServiceCheck) -> Observation:
    if check.name in OWN_NAMES or check.manager == Itself.name:
        return Observation("up", os.getpid(), "this agent")
    return Observation("absent", reason=f"{check.name} is not this agent")
