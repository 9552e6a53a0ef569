"""A reader for sources that hold nothing open between two reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inspect_agent.model.metric import Value


class Polled:
    """A reader that is one function."""

    def __init__(self, read: Callable[[], Sequence[Value]]) -> None:
        self._read = read

    def read(self) -> Sequence[Value]:
        """What the function returns: one value a metric, in the order they were asked for."""
        return self._read()

    def close(self) -> None:
        """Nothing is held open."""
