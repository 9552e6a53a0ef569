"""The agent at work: a configuration in force, a cycle at a time, until the loop ends."""

from __future__ import annotations

import gc
import grp
import os
from collections.abc import Callable, Sequence
from functools import partial

import psutil

from inspect_agent import __version__, clock, registry
from inspect_agent.core import identity, status
from inspect_agent.core.awaited import Awaited
from inspect_agent.core.changes import Changes
from inspect_agent.core.child import Children
from inspect_agent.core.commands import commands
from inspect_agent.core.control import Control, Reply
from inspect_agent.core.ledger import Ledger
from inspect_agent.core.log import Log
from inspect_agent.core.loop import Loop
from inspect_agent.core.metrics import Catalogue
from inspect_agent.core.on_disk import OnDisk
from inspect_agent.core.outbox import Outbox
from inspect_agent.core.parts import Parts
from inspect_agent.core.reloading import Compile, Reloading
from inspect_agent.core.roster import Roster
from inspect_agent.core.state_file import Contents
from inspect_agent.core.supervisor import Supervisor
from inspect_agent.core.turn import Turn
from inspect_agent.export import values
from inspect_agent.export.answers import to_text
from inspect_agent.managers import detect
from inspect_agent.model.config import Config, LogLevel, Settings
from inspect_agent.sources.process import machine_processes
from inspect_agent.typed import Any

FIRST_LOOK_S = 5.0
"""So long the first cycle waits for managers that do not answer."""

ASK_S = 0.5
"""So long before a cycle managers are asked, or half a cycle where that is less."""

_REJECTED = "rejected"


class Agent:
    """Begins with `begin`; `log_level` of the command line wins over the configuration's."""

    parts: Parts

    def __init__(
        self,
        loop: Loop,
        log: Log,
        supervisor: Supervisor,
        control: Control,
        on_disk: OnDisk,
        log_level: LogLevel | None,
    ) -> None:
        self._loop, self._log = loop, log
        self._supervisor, self._control = supervisor, control
        self._on_disk = on_disk
        self._log_level = log_level
        self._settings = Settings()
        self._started = clock.now()
        self._rejection_told = False
        self._not_durable = self._lost = ""
        self._raising: dict[str, str] = {}
        self._awaited = Awaited(lambda: loop.call_soon_threadsafe(self._first_cycle))
        self._due = 0.0

    def begin(
        self,
        config: Config,
        rejected: tuple[str, ...],
        ledger: Ledger,
        contents: Contents,
        compile_: Compile,
    ) -> None:
        """Puts the first configuration in force.

        `rejected` are the problems of the files when `config` is the last good one instead.
        """
        self._reloading = Reloading(self._log, self._on_disk, compile_, self._reloaded, rejected)
        self.parts = self._build(ledger, contents)
        self._adopt_first(config, contents)
        self._control.serve(commands(self))
        names = (*self.parts.world.services, *self.parts.world.templates)
        self._awaited.expect(names)
        self._loop.call_later(FIRST_LOOK_S if names else 0.0, self._first_cycle)
        self.parts.look()

    def durability(self, trouble: str) -> None:
        """The ledger cannot take changes (and why), or it can again ("")."""
        self._not_durable = trouble
        self._log.warn(f"not durable: {trouble}" if trouble else "state is durable again")

    def raised(self, where: str, text: str) -> None:
        """Something raised that should not have; status shows it."""
        self._raising[where] = text

    def hang_up(self) -> None:
        """SIGHUP: reads the configuration again."""
        self._reloading.hang_up()

    def close(self) -> None:
        """The end: what is under way is taken up by the next agent."""
        self.parts.outbox.close()

    # a configuration comes into force

    def reload(self, reply: Reply) -> None:
        """Reads the configuration again; answers when it is in force, or why it is not."""
        self._reloading.reload(reply)

    def _reloaded(self, config: Config, warnings: Sequence[str], reply: Reply) -> None:
        turn = _new_turn()
        changes = self._adopt(config, turn)
        self._tell_acceptance(turn)
        answer = {**changes._asdict(), "warnings": warnings}
        self._log.info(to_text("reload", answer))
        turn.afterwards.append(partial(reply, answer))
        self.parts.telling.commit(turn)
        self.parts.look()

    def _build(self, ledger: Ledger, contents: Contents) -> Parts:
        outbox = Outbox(self._loop, ledger, self._log, clock.wall)
        outbox.resume(contents.waiting)
        return Parts(
            self._loop,
            self._log,
            ledger,
            outbox,
            contents.last_seq,
            identity.machine_id(),
            float(psutil.virtual_memory().total),
            Catalogue(registry.load(where)() for where in registry.built_in("sources").values()),
            Roster(registry.makers("managers"), detect.runs),
            Children(self._loop),
            machine_processes(),
            _new_turn,
            self._absence_due,
            self._awaited,
        )

    def _adopt_first(self, config: Config, contents: Contents) -> None:
        turn = _new_turn()
        self._adopt(config, turn)
        self.parts.recall(contents.states, clock.boot_id(), turn)
        if contents.lost:
            self._tell_loss(contents.lost, turn)
        self._rejection_told = "configuration" in contents.states.get("agent", {})
        self._tell_acceptance(turn)
        self.parts.telling.commit(turn)

    def _adopt(self, config: Config, turn: Turn) -> Changes:
        parts, settings = self.parts, config.settings
        self._settings = settings
        self._log.level = self._log_level or settings.log_level
        for warning in config.warnings:
            self._log.warn(warning)
        changes = parts.adopt(config, turn)
        parts.outbox.configure(self._hostname(), config.destinations)
        self._control.admit(self._group(settings.socket_group))
        return changes

    def _tell_loss(self, lost: str, turn: Turn) -> None:
        """A window may be open, and a service left alone, that nobody knows of any more."""
        self._log.warn(lost)
        self._lost = lost
        length_s = self._settings.deploy_length_s
        self.parts.windows.doubt(turn, length_s)
        text = f"state was lost: nothing is repaired for {values.duration(length_s)}"
        build = self.parts.happenings.agent
        event = build("StateLost", "state", text, turn.wall, "warning", lost)
        turn.tell_owner(event, self.parts.world.host.check.owner)

    def _tell_acceptance(self, turn: Turn) -> None:
        """Tells once that the files cannot be used, and once that they can again."""
        rejected = self._reloading.rejected
        if self._rejection_told == bool(rejected):
            return
        self._rejection_told = bool(rejected)
        turn.keep("agent", "configuration", _REJECTED if rejected else None)
        build = self.parts.happenings.agent
        if rejected:
            text = "the configuration has problems; running on the last good one"
            detail = "\n".join(rejected)
            event = build(
                "ConfigurationRejected", "configuration", text, turn.wall, "critical", detail
            )
        else:
            text = "the configuration is in force again"
            event = build("ConfigurationAccepted", "configuration", text, turn.wall, "info")
        turn.tell_owner(event, self.parts.world.host.check.owner)

    def _group(self, name: str) -> int | None:
        if not name:
            return None
        try:
            return grp.getgrnam(name).gr_gid
        except KeyError:
            self._log.warn(f"socket_group {name}: there is no such group; only this user may ask")
            return None

    # cycles

    def _absence_due(self) -> bool:
        return clock.now() - self._started >= self._settings.start_delay_s

    def _first_cycle(self) -> None:
        """The managers have answered for every service, or will not in time."""
        if self._due:
            return
        self._due = self._loop.now()
        self._tick()
        gc.collect()
        gc.freeze()
        self._supervisor.ready()
        self._log.info(f"watching {values.many(len(self.parts.world.services), 'service')}")

    def _tick(self) -> None:
        now, cycle_s = self._loop.now(), self._settings.cycle_time_s
        late = now - self._due > 2 * cycle_s
        self._due = now + cycle_s if late else max(self._due + cycle_s, now)
        self._loop.call_at(self._due - min(ASK_S, cycle_s / 2), self._ask)
        self._loop.call_at(self._due, self._tick)
        if late:
            self._log.warn("the machine was suspended or overloaded: nothing is judged this once")
        world = self.parts.world
        self.parts.cycle.run(world, late)
        not_up = sum(service.state.status != "up" for service in world.services.values())
        watched = values.many(len(world.services), "service")
        self._supervisor.status(f"watching {watched}, {not_up} not up")
        if self._settings.autoreload:
            self._reloading.look()
        self._log.flush()

    def _ask(self) -> None:
        """Managers are asked before the cycle, so that it judges by what they say now."""
        self.parts.ask(self._loop.now())

    # what commands ask

    def deploy_length_s(self) -> float:
        """How long a window lasts that nobody finishes."""
        return self._settings.deploy_length_s

    def look_on_disk(self, then: Callable[[], None]) -> None:
        """Calls back when status knows which files are not loaded."""
        self._on_disk.look(then)

    def status(self) -> dict[str, Any]:
        """Everything, as one dict; export/table.py shows it."""
        now, parts = clock.now(), self.parts
        to_wall = clock.wall() - now
        quiet, world, describe = parts.windows.silence, parts.world, parts.repairs.describe
        return {
            "version": __version__,
            "pid": os.getpid(),
            "uptime_s": now - self._started,
            "cycle_time_s": self._settings.cycle_time_s,
            "host": status.bare(world.host, self._hostname(), describe(world.host), now),
            "probes": [
                status.bare(probe, name, describe(probe), now)
                for name, probe in world.probes.items()
            ],
            "services": [
                status.service(service, describe(service), now, parts.processes)
                for service in world.services.values()
            ],
            "templates": parts.instances.describe(),
            "silences": [{"name": name, "until": until + to_wall} for name, until in quiet.windows],
            "unmonitored": list(quiet.unmonitored),
            "no_repairs_until": quiet.doubt_until + to_wall if quiet.doubt_until else None,
            "alerts": [backlog._asdict() for backlog in parts.outbox.backlog()],
            "not_durable": self._not_durable,
            "problems": self._problems(),
            "not_loaded": [one._asdict() for one in self._on_disk.differences()],
        }

    def _problems(self) -> list[str]:
        problems = [f"Raised: {text}" for text in self._raising.values()]
        if self._lost:
            problems.append(f"Lost when the agent started: {self._lost}")
        return [*problems, *self._reloading.problems()]

    def _hostname(self) -> str:
        return identity.hostname(self._settings.hostname)


def _new_turn() -> Turn:
    """A turn at this moment."""
    return Turn(clock.now(), clock.wall())
