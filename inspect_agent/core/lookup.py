"""Where services are: asks their managers, many at a time, and never waits for an answer.

    at once        a process ended, a repair ended, the configuration is new
    every cycle    a glance at what is not up, or is up without a process; a look where it changed,
                   and at what is unknown
    every minute   a look at the services that were not looked at for longest

Who manages a service is found out by asking: the managers that run here, in their order, until one
knows it. It is asked anew when its manager no longer knows it. A manager that errs is passed over
until it answers again: who is found behind it manages the service as long as that lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from inspect_agent.core.child import Children
from inspect_agent.core.log import Log
from inspect_agent.core.roster import Roster
from inspect_agent.core.watched import WatchedService
from inspect_agent.errors import ManagerError
from inspect_agent.managers.detect import OWN_NAMES
from inspect_agent.model.observation import Observation, Status
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Manager, Observations, Question
from inspect_agent.typed import NamedTuple, TypeVar

BATCH = 50
"""Services in one question: systemd needs a millisecond for each."""

CONFIRM_S = 60.0

KNOWN_BY_CHECK = ("self", "pidfile")
"""Managers that know of nothing but what a check names."""

A = TypeVar("A")
Found = Callable[[WatchedService, Observation], None]


class Walk(NamedTuple):
    """A service on its way from manager to manager.

    said    what those said that do not know it, each with its name
    erred   one of them could not say
    """

    service: WatchedService
    said: tuple[str, ...] = ()
    erred: bool = False

    def past(self, manager: Manager, seen: Observation) -> Walk:
        """The way on, behind a manager that did not know it or could not say."""
        said = f"{manager.name}: {seen.reason}"
        return Walk(self.service, (*self.said, said), self.erred or seen.status == "unknown")


class Lookup:
    """Asks; `found` is called with every answer, in the loop, now or later."""

    def __init__(self, roster: Roster, children: Children, log: Log, found: Found) -> None:
        self._roster = roster
        self._children = children
        self._log = log
        self._found = found
        self._wanted: dict[str, dict[str, Walk]] = {}
        self._busy: set[str] = set()
        self._glancing: set[str] = set()
        self._provisional: set[str] = set()
        self._confirmed_at: float | None = None

    def look(self, services: Iterable[WatchedService]) -> None:
        """Asks where these are, in full, as soon as their manager is free to answer."""
        asked: dict[str, Manager] = {}
        for service in services:
            provisional = service.check.name in self._provisional
            manager = None if provisional else service.manager
            manager = manager or self._next_manager(service, None)
            if manager is None:
                self._found(service, Observation("unknown", reason=nobody(service.check.manager)))
            else:
                self._want(manager, Walk(service))
                asked[manager.name] = manager
        for manager in asked.values():
            self._pump(manager)

    def cycle(self, services: Iterable[WatchedService], now: float) -> None:
        """What a cycle asks."""
        glances: dict[str, list[WatchedService]] = {}
        unknown = []
        for service in services:
            manager = service.manager
            if manager is None or service.seen.status == "unknown" or self._is_provisional(service):
                unknown.append(service)
            elif service.process is None:
                glances.setdefault(manager.name, []).append(service)
        for of_one in glances.values():
            self._glance(of_one)
        if unknown:
            self.look(unknown)
        self._confirm(services, now)

    def _confirm(self, services: Iterable[WatchedService], now: float) -> None:
        """A look at those that were not looked at for longest."""
        if self._confirmed_at is None:  # everything has just been looked at
            self._confirmed_at = now
        elif now - self._confirmed_at >= CONFIRM_S:
            self._confirmed_at = now
            self.look(sorted(services, key=lambda service: service.looked_at)[:BATCH])

    def _is_provisional(self, service: WatchedService) -> bool:
        """Whether a manager that comes before its own could not say whether it knows it."""
        return service.check.name in self._provisional

    def _want(self, manager: Manager, walk: Walk) -> None:
        self._wanted.setdefault(manager.name, {})[walk.service.check.name] = walk

    def _pump(self, manager: Manager) -> None:
        wanted = self._wanted.get(manager.name)
        if manager.name in self._busy or not wanted:
            return
        batch = [wanted.pop(name) for name in list(wanted)[:BATCH]]
        self._busy.add(manager.name)
        checks = [walk.service.check for walk in batch]
        looked = partial(self._looked, manager, batch)
        ask(self._children, self._log, manager, lambda: manager.look(checks), looked)

    def _looked(
        self, manager: Manager, batch: list[Walk], answer: Observations | ManagerError
    ) -> None:
        self._busy.discard(manager.name)
        absent = Observation("absent", reason="it does not know it")
        for walk in batch:
            if isinstance(answer, ManagerError):
                seen = Observation("unknown", reason=str(answer))
            else:
                seen = answer.get(walk.service.check.name, absent)
            self._place(manager, walk, seen)
        self._pump(manager)

    def _place(self, manager: Manager, walk: Walk, seen: Observation) -> None:
        """An answer: the manager's service, or one for the next manager to know."""
        service = walk.service
        owned = service.manager is manager
        if seen.status == "absent" or (seen.status == "unknown" and not owned):
            self._pass_on(manager, walk.past(manager, seen), service)
            return
        if seen.status == "unknown":
            seen = seen._replace(reason=f"{manager.name}: {seen.reason}")
        service.manager = manager
        self._mark(service, provisional=walk.erred)
        self._found(service, seen)

    def _pass_on(self, manager: Manager, walk: Walk, service: WatchedService) -> None:
        if service.manager is manager:
            service.manager = None
        following = self._next_manager(service, manager)
        if following is not None:
            self._want(following, walk)
            self._pump(following)
            return
        service.manager = None
        self._mark(service, provisional=False)
        status: Status = "unknown" if walk.erred else "absent"
        self._found(service, Observation(status, reason="; ".join(walk.said)))

    def _mark(self, service: WatchedService, *, provisional: bool) -> None:
        change = self._provisional.add if provisional else self._provisional.discard
        change(service.check.name)

    def _next_manager(self, service: WatchedService, after: Manager | None) -> Manager | None:
        """The next that may own a service, behind `after`."""
        names = self._roster.behind(after)
        name = next((name for name in names if _may_own(name, service.check)), None)
        return self._roster.manager(name) if name is not None else None

    def _glance(self, services: list[WatchedService]) -> None:
        """A glance at services of one manager."""
        manager = services[0].manager
        if manager is None or manager.name in self._glancing:
            return
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


def _may_own(manager: str, check: ServiceCheck) -> bool:
    if check.pidfile or check.manager:
        return manager == ("pidfile" if check.pidfile else check.manager)
    return manager not in KNOWN_BY_CHECK or (manager == "self" and check.name in OWN_NAMES)


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
