"""The channel that tells nobody: for routes that are to be silent."""

from __future__ import annotations

from collections.abc import Mapping

from inspect_agent.model.message import Message
from inspect_agent.model.metric import Param


class Null:
    """Takes every message and forgets it."""

    params: tuple[Param, ...] = ()
    incidents = False

    def __init__(self, params: Mapping[str, str]) -> None:
        pass

    def send(self, message: Message) -> str:
        """Forgets the message."""
        return "dropped, as configured"
