"""Alerts in the agent's log: what the worker writes to standard error, the core logs."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from inspect_agent.model.message import Message
from inspect_agent.model.metric import Param


class Log:
    """One line an event: `ALERT critical sidekiq: memory:rss > 500m (612.40m)`."""

    params: tuple[Param, ...] = ()
    incidents = False

    def __init__(self, params: Mapping[str, str]) -> None:
        pass

    def send(self, message: Message) -> str:
        """Writes the short form at once, so that lines of other threads stay outside of it."""
        sys.stderr.write("".join(f"{_line(text)}\n" for text in message.short.splitlines()))
        sys.stderr.flush()
        return "written to the log"


def _line(text: str) -> str:
    label, _, rest = text.partition(" ")
    return f"ALERT {label.lower()} {rest}"
