"""The service managers of this machine: each is imported when it is first to be asked something."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from inspect_agent.ports import Manager

Load = Callable[[], Manager]


class Roster:
    """Managers by name, in the order in which they are asked.

    load   name → what makes the manager
    runs   whether the manager of a name runs here now; one that raises counts as running, and says
           what is wrong when it is asked
    """

    def __init__(self, load: Mapping[str, Load], runs: Callable[[str], bool]) -> None:
        self._load, self._runs = load, runs
        self._loaded: dict[str, Manager] = {}
        self._here: tuple[str, ...] | None = None

    def here(self) -> tuple[str, ...]:
        """Those that run here, as far as that was found out since the last `forget`."""
        if self._here is None:
            self._here = tuple(filter(self._is_here, self._load))
        return self._here

    def behind(self, manager: Manager | None) -> tuple[str, ...]:
        """Those that run here and come after this one; None: all."""
        if manager is None:
            return self.here()
        order = tuple(self._load)
        later = order[order.index(manager.name) + 1 :]
        return tuple(name for name in later if name in self.here())

    def manager(self, name: str) -> Manager:
        """The manager of a name."""
        if name not in self._loaded:
            self._loaded[name] = self._load[name]()
        return self._loaded[name]

    def forget(self) -> None:
        """Time has passed: who runs here is found out anew when it is next asked."""
        self._here = None

    def _is_here(self, name: str) -> bool:
        try:
            return self._runs(name)
        except Exception:  # noqa: BLE001 (asking it says what is wrong, and harms only its services)
            return True
