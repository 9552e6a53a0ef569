"""The parts of a running agent, put together; who calls whom is decided here alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from inspect_agent.core import remember
from inspect_agent.core.attend import Attend
from inspect_agent.core.awaited import Awaited
from inspect_agent.core.changes import Changes
from inspect_agent.core.child import Children
from inspect_agent.core.cycle import Cycle
from inspect_agent.core.happenings import Happenings
from inspect_agent.core.instances import Instances
from inspect_agent.core.ledger import Ledger
from inspect_agent.core.listing import Listing
from inspect_agent.core.log import Log
from inspect_agent.core.lookup import Lookup
from inspect_agent.core.loop import Loop
from inspect_agent.core.metrics import Catalogue
from inspect_agent.core.outbox import Outbox
from inspect_agent.core.recall import Recall
from inspect_agent.core.repairs.repair import Repairs
from inspect_agent.core.roster import Roster
from inspect_agent.core.turn import Telling, Turn
from inspect_agent.core.watched import WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.core.withdraw import Withdrawals
from inspect_agent.core.world import World
from inspect_agent.engine import silence
from inspect_agent.model.config import Config
from inspect_agent.model.observation import Observation
from inspect_agent.sources.tree import Processes


class Parts:
    """Everything that works on one ledger.

    roster     the managers that run here
    children   runs the commands of managers and checks
    processes  how this system shows its processes
    new_turn   begins a turn at the present moment
    due        whether the absence of a service may be told yet
    awaited    told of what managers have answered for
    """

    def __init__(
        self,
        loop: Loop,
        log: Log,
        ledger: Ledger,
        outbox: Outbox,
        first_seq: int,
        machine_id: str,
        machine_bytes: float,
        catalogue: Catalogue,
        roster: Roster,
        children: Children,
        processes: Processes,
        new_turn: Callable[[], Turn],
        due: Callable[[], bool],
        awaited: Awaited,
    ) -> None:
        self._log, self._roster = log, roster
        self.processes = processes
        self.outbox = outbox
        self.telling = Telling(ledger, outbox, log, first_seq)
        self.happenings = Happenings(machine_id)
        self.windows = Windows(self.telling, self.happenings, new_turn)
        self.attend = Attend(
            loop,
            log,
            self.telling,
            self.happenings,
            new_turn,
            processes,
            hushed=self._hushed,
            look=lambda services: self.lookup.look(services),
            ended=lambda service: self.instances.ended(service),
            news=lambda service: self.repairs.news(service),
            due=due,
        )

        def found(service: WatchedService, observation: Observation) -> None:
            if self.world.services.get(service.check.name) is service:  # else a reload came between
                self.attend.found(service, observation)
                awaited.came(service.check.name)

        self.lookup = Lookup(roster, children, log, found)
        self._withdrawals = Withdrawals(log, self.happenings)
        self.world = World(log, catalogue, self.attend, self._withdrawals, machine_bytes)
        self.repairs = Repairs(
            loop,
            log,
            children,
            processes,
            self.telling,
            self.happenings,
            self.windows,
            self.world,
            new_turn,
            look=self.lookup.look,
            released=self.attend.release,
        )
        self.instances = Instances(
            Listing(
                roster,
                children,
                log,
                came=lambda: loop.call_soon_threadsafe(self.instances.update),  # never in a cycle
            ),
            self.world,
            self.windows,
            self.repairs,
            self.telling,
            new_turn,
            self.lookup.look,
            awaited,
        )
        self.cycle = Cycle(
            log,
            self.telling,
            self.happenings,
            self.windows,
            self.instances,
            self.attend,
            self.repairs,
            self._read_code,
            new_turn,
        )
        self._refresh: Callable[[Sequence[WatchedService], float], None] | None = None

    def adopt(self, config: Config, turn: Turn) -> Changes:
        """Puts a configuration in force."""
        self.windows.settle = config.settings.settle
        changes = self.world.adopt(config, turn)
        self.repairs.adopt(config.settings)
        self.telling.destinations = config.destinations
        return changes

    def recall(self, states: Mapping[str, Mapping[str, str]], boot_id: str, turn: Turn) -> None:
        """Goes on where an earlier agent stopped; what cannot be read of it begins anew."""
        present = remember.Clock(boot_id, turn.wall - turn.now)
        turn.keep("clock", "", remember.clock_to_text(present))
        shift = 0.0
        with remember.tolerant(self._log, "clock"):
            shift = remember.shift_s(states.get("clock", {}).get(""), present)
        Recall(self._log, self.world, self._withdrawals, shift, turn).everything(states)
        with remember.tolerant(self._log, "silence"):
            silence_ = states.get("silence", {}).get("")
            if silence_ is not None:
                self.windows.silence = remember.silence_from_text(silence_, shift)
        self.repairs.resume(states.get("repair", {}), shift, turn)

    def look(self) -> None:
        """Asks where everything is that the present configuration is about."""
        self.lookup.look(self.world.services.values())
        self.instances.ask()

    def ask(self, now: float) -> None:
        """Asks what the coming cycle is to know of what is not plainly up."""
        self._roster.forget()
        self.instances.cycle()
        self.lookup.cycle(self.world.services.values(), now)

    def _read_code(self, services: Sequence[WatchedService], now: float) -> None:
        """Of the services whose rules ask for it; what does it is imported for them alone."""
        asking = [service for service in services if service.code_words]
        if asking and self._refresh is None:
            from inspect_agent.core.freshness import Freshness

            self._refresh = Freshness(self.processes).refresh
        if self._refresh is not None:
            self._refresh(asking, now)

    def _hushed(self, service: WatchedService) -> bool:
        return silence.covers(self.windows.silence, service.window)
