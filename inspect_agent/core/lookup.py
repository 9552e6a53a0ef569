"""Where services are: asks their managers, many at a time, and never waits for an answer.

    at once        a process ended, a repair ended, the configuration is new
    every cycle    a glance at what is not up, or is up without a process; a look where it changed,
                   and at what is unknown
    every minute   a look at the services that were not looked at for longest

Who manages a service is found out by asking: the managers that run here, in their order, until one
knows it. It is asked anew when its manager no longer knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from inspect_agent.core.child import Children
from inspect_agent.core.log import Log
from inspect_agent.core.watched import WatchedService
from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Observation
from inspect_agent.ports import Fingerprints, Manager, Observations, Question
from inspect_agent.typed import TypeVar

BATCH = 50
"""Services in one question: systemd needs a millisecond for each."""

CONFIRM_S = 60.0

A = TypeVar("A")
Found = Callable[[WatchedService, Observation], None]


class Lookup:
    """Asks; `found` is called with every answer, in the loop, now or later."""

    def __init__(
        self, managers: Sequence[Manager], children: Children, log: Log, found: Found
    ) -> None:
        self._managers = tuple(managers)
        self._children = children
        self._log = log
        self._found = found
        self._wanted: dict[str, dict[str, WatchedService]] = {m.name: {} for m in managers}
        self._busy: set[str] = set()
        self._glancing: set[str] = set()
        self._confirmed_at = 0.0

    def look(self, services: Iterable[WatchedService]) -> None:
        """Asks where these are, in full, as soon as their manager is free to answer."""
        for service in services:
            manager = service.manager or self._next_manager(service, None)
            if manager is None:
                self._found(service, Observation("unknown", reason=nobody(service.check.manager)))
            else:
                self._wanted[manager.name][service.check.name] = service
        for manager in self._managers:
            self._pump(manager)

    def cycle(self, services: Iterable[WatchedService], now: float) -> None:
        """What a cycle asks."""
        glances: dict[str, list[WatchedService]] = {}
        unknown = []
        for service in services:
            if service.manager is None or service.seen.status == "unknown":
                unknown.append(service)
            elif service.process is None:
                glances.setdefault(service.manager.name, []).append(service)
        for manager in self._managers:
            if manager.name in glances and manager.name not in self._glancing:
                self._glance(manager, glances[manager.name])
        if unknown:
            self.look(unknown)
        if now - self._confirmed_at >= CONFIRM_S:
            self._confirmed_at = now
            oldest = sorted(services, key=lambda service: service.looked_at)[:BATCH]
            self.look(oldest)

    def _pump(self, manager: Manager) -> None:
        wanted = self._wanted[manager.name]
        if manager.name in self._busy or not wanted:
            return
        batch = [wanted.pop(name) for name in list(wanted)[:BATCH]]
        self._busy.add(manager.name)
        checks = [service.check for service in batch]
        looked = partial(self._looked, manager, batch)
        ask(self._children, self._log, manager, lambda: manager.look(checks), looked)

    def _looked(
        self, manager: Manager, batch: list[WatchedService], answer: Observations | ManagerError
    ) -> None:
        self._busy.discard(manager.name)
        for service in batch:
            if isinstance(answer, ManagerError):
                reason = f"{manager.name}: {answer}"
                self._found(service, Observation("unknown", reason=reason))
            else:
                absent = Observation("absent", reason=f"{manager.name} does not know it")
                self._place(manager, service, answer.get(service.check.name, absent))
        self._pump(manager)

    def _place(self, manager: Manager, service: WatchedService, seen: Observation) -> None:
        """An answer: the manager's service, or one for the next manager to know."""
        if seen.status != "absent":
            service.manager = manager
        else:
            service.manager = None
            following = self._next_manager(service, manager)
            if following is not None:
                self._wanted[following.name][service.check.name] = service
                self._pump(following)
                return
        self._found(service, seen)

    def _next_manager(self, service: WatchedService, after: Manager | None) -> Manager | None:
        """The next that may own a service, behind `after`."""
        check = service.check
        start = 0 if after is None else self._managers.index(after) + 1
        for manager in self._managers[start:]:
            named = "pidfile" if check.pidfile else check.manager
            if named is not None and manager.name != named:
                continue
            if named is None and manager.name == "pidfile":
                continue
            if guarded(manager.present) is not False:  # one that raises says why when it looks
                return manager
        return None

    def _glance(self, manager: Manager, services: list[WatchedService]) -> None:
        self._glancing.add(manager.name)
        checks = [service.check for service in services]
        glanced = partial(self._glanced, manager, services)
        ask(self._children, self._log, manager, lambda: manager.glance(checks), glanced)

    def _glanced(
        self,
        manager: Manager,
        services: list[WatchedService],
        answer: Fingerprints | ManagerError,
    ) -> None:
        self._glancing.discard(manager.name)
        if isinstance(answer, ManagerError):
            self.look(services)  # whose answer says what is wrong
            return
        changed = []
        for service in services:
            fingerprint = answer.get(service.check.name, "")
            if fingerprint != service.fingerprint:
                service.fingerprint = fingerprint
                changed.append(service)
        if changed:
            self.look(changed)


def ask(
    children: Children,
    log: Log,
    manager: Manager,
    question: Callable[[], A | Question[A]],
    then: Callable[[A | ManagerError], None],
) -> None:
    """Asks a manager, and waits for nothing; what it raises is an answer, too."""
    answer = guarded(question)
    if not isinstance(answer, Question):
        then(answer)
        return
    log.verbose(f"{manager.name}: {' '.join(answer.command.argv)}")
    parse = answer.parse
    children.start(answer.command, lambda finished: then(guarded(lambda: parse(finished))))


def guarded(call: Callable[[], A]) -> A | ManagerError:
    """What a manager answers; what it raises is an answer, too."""
    try:
        return call()
    except ManagerError as error:
        return error
    except Exception as error:  # noqa: BLE001 (a manager that raises harms only its services)
        return ManagerError(f"{type(error).__name__}: {error}")


def nobody(manager: str | None) -> str:
    """Why nobody can be asked, where a check names this manager, or None."""
    if manager is not None:
        return f"{manager} does not run here"
    return "no service manager that this version knows runs here"
