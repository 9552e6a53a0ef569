"""Which services each manager has loaded: asked many at a time, and never waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from inspect_agent.core.child import Children
from inspect_agent.core.log import Log
from inspect_agent.core.lookup import KNOWN_BY_CHECK, ask, nobody
from inspect_agent.core.roster import Roster
from inspect_agent.errors import ManagerError
from inspect_agent.ports import Manager
from inspect_agent.typed import NamedTuple


class Loaded(NamedTuple):
    """What managers have loaded, as they said last.

    names     of services, as checks would name them
    trouble   why nobody knows whether that is all of it; "" where it is
    awaited   a first answer is still to come
    """

    names: frozenset[str]
    trouble: str
    awaited: bool


class Listing:
    """Asks; `came` is called with every answer, or when there is none, in the loop, now or later.

    No manager is asked two things at a time; what it does not answer is as it was before.
    """

    def __init__(
        self,
        roster: Roster,
        children: Children,
        log: Log,
        came: Callable[[], object],
    ) -> None:
        self._roster = roster
        self._children, self._log, self._came = children, log, came
        self._names: dict[str, frozenset[str]] = {}
        self._troubles: dict[str, str] = {}
        self._busy: set[str] = set()
        self._again: set[str] = set()

    def ask(self) -> None:
        """Asks everybody; who is just answering is asked again, for that may be outdated."""
        self._again |= self._busy
        self.cycle()

    def cycle(self) -> None:
        """Asks everybody who is not just answering."""
        here = self._here()
        for name in self._names.keys() - here.keys():
            self._troubles[name] = "does not run any more"
        for manager in here.values():
            if manager.name not in self._busy:
                self._ask(manager)

    def of(self, name: str | None) -> Loaded:
        """What the manager of this name has loaded; None: any of them."""
        # who has gone takes nothing along
        known = dict.fromkeys((*self._here(), *self._names))
        here = [manager for manager in known if name in (None, manager)]
        names = frozenset().union(*(self._names.get(manager, ()) for manager in here))
        awaited = any(self._awaited(manager) for manager in here)
        return Loaded(names, self._trouble(name, here), awaited)

    def _here(self) -> dict[str, Manager]:
        """Who runs here and has something loaded."""
        names = (name for name in self._roster.here() if name not in KNOWN_BY_CHECK)
        return {name: self._roster.manager(name) for name in names}

    def _awaited(self, manager: str) -> bool:
        return manager not in self._names and manager not in self._troubles

    def _trouble(self, name: str | None, here: list[str]) -> str:
        if not here:
            return nobody(name)
        for manager in here:
            if manager in self._troubles:
                return f"{manager}: {self._troubles[manager]}"
            if manager not in self._names:
                return f"{manager} has not answered yet"
        return ""

    def _ask(self, manager: Manager) -> None:
        self._busy.add(manager.name)
        ask(self._children, self._log, manager, manager.loaded, partial(self._answered, manager))

    def _answered(self, manager: Manager, answer: Sequence[str] | ManagerError) -> None:
        self._busy.discard(manager.name)
        if isinstance(answer, ManagerError):
            self._troubles[manager.name] = str(answer)
        else:
            self._troubles.pop(manager.name, None)
            self._names[manager.name] = frozenset(answer)
        if manager.name in self._again:
            self._again.discard(manager.name)
            self._ask(manager)
        self._came()
