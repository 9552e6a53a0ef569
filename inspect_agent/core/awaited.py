"""What the first cycle waits for: the managers' first word about everything that is watched."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class Awaited:
    """Calls `then` once, as soon as something has come of all that was expected."""

    def __init__(self, then: Callable[[], object]) -> None:
        self._then: Callable[[], object] | None = then
        self._names: set[str] = set()

    def expect(self, names: Iterable[str]) -> None:
        """Services and templates that are asked about."""
        self._names.update(names)

    def came(self, name: str) -> None:
        """One of them was answered for, or is not watched any more."""
        self._names.discard(name)
        then = self._then
        if then is not None and not self._names:
            self._then = None
            then()
