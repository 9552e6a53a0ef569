"""A machine that does what a story says: processes with invented PIDs, and their manager."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from inspect_agent.core.child import Children, Done
from inspect_agent.core.loop import Loop
from inspect_agent.core.repairs.steps import BECOME
from inspect_agent.core.watch import Watch
from inspect_agent.errors import ManagerError, ProcessGone, SourceError, StepError
from inspect_agent.model.metric import MetricId, Value
from inspect_agent.model.observation import Command, Finished, Observation, Status
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import Process, ServiceCheck
from inspect_agent.ports import Fingerprints, Observations, Question, Reader
from inspect_agent.sources.freshness import Release, Verdict
from inspect_agent.sources.tree import Sample
from tests.core.looping import FakeClock

SUCCESS = Finished(0, "", "")
MB = 1024 * 1024


class Unit:
    """One service as its manager has it.

    rss_mb     the resident memory of its process
    born_mb    the same of a new one
    respawns   its manager restarts it after so many seconds; None: it does not
    most_mb    the memory that its control group may use; None: all there is
    works_in   where its processes begin to work: a folder, or a link to one
    folder     where its process works
    is_old     its process uses a library that was replaced
    stillborn  commands that start it end well, and it does not run
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.status: Status = "down"
        self.reason = "inactive (dead)"
        self.process: Process | None = None
        self.rss_mb = self.born_mb = 100.0
        self.respawns: float | None = None
        self.most_mb: float | None = None
        self.works_in = self.folder = "/"
        self.is_old = False
        self.ghost: tuple[int, float] | None = None
        self.respawned = 0
        self.stillborn = False


class Machine:
    """Processes and services; `say` is told of every command that changes something.

    silent    why the manager does not answer; "" while it does
    belated_s how long the manager goes on naming a process that has ended
    takes_s   how long a command runs
    cannot    the verbs that it has no command for
    lies      its commands say that they did what they did not
    hidden    PIDs of processes that may not be looked at
    unloads   what is stopped is not loaded any more, as with instances that systemd need not keep
    hides     services that it keeps quiet about when asked what is loaded
    fails     verb and service → what a command says that does nothing and ends with status 1;
              of a rule's own commands it is `sh` and the script
    pages     URL → the seconds that it takes to answer, or why it does not
    environments  what each of a rule's own commands was given
    deadly    the signals that end a process, and how
    links     symlinks and the folders that they lead to
    ambiguous it cannot tell a crash from a stop
    leaves_traces   a PID file is left behind by a crash, which is all that it has to go by
    counts    it counts what it restarts by itself
    """

    name = "scripted"

    def __init__(self, clock: FakeClock, say: Callable[[str], None]) -> None:
        self._clock = clock
        self._say = say
        self._pid = 5_000_000  # no real process has such a PID
        self._later: list[tuple[float, Callable[[], object]]] = []
        self._watches: list[tuple[Process, Loop, Callable[[], None]]] = []
        self.units: dict[str, Unit] = {}
        self.silent = ""
        self.belated_s = 0.0
        self.takes_s = 1.0
        self.fails: dict[str, str] = {}
        self.lies = False
        self.cannot: set[str] = set()
        self.hidden: set[int] = set()
        self.environments: list[dict[str, str]] = []
        self.deadly = {"KILL": self.crash, "TERM": self.stop}
        self.load = 0.0
        self.pages: dict[str, float | str] = {}
        self.pidfds = True
        self.unloads = False
        self.hides: set[str] = set()
        self.links: dict[str, str] = {}
        self.ambiguous = self.leaves_traces = False
        self.counts = False

    # what a story does

    def add(self, *names: str) -> None:
        """Services that are installed and up."""
        for name in names:
            self.units[name] = Unit(name)
            self.start(name)

    def start(self, name: str) -> None:
        """A new process of a service."""
        unit = self.units[name]
        self._pid += 1
        unit.process = Process(self._pid, self._clock.now)
        unit.rss_mb = unit.born_mb
        unit.folder = self.links.get(unit.works_in, unit.works_in)
        unit.is_old = False
        unit.status, unit.reason = "up", "active (running)"

    def grow(self, name: str, mb: float) -> None:
        """The memory of a process grows; a new one begins as before."""
        self.units[name].rss_mb = mb

    def grow_always(self, name: str, mb: float) -> None:
        """The memory of a process and of every one after it."""
        self.units[name].rss_mb = self.units[name].born_mb = mb

    def stop(self, name: str) -> None:
        """An operator stops a service."""
        self._end(name, "down", "inactive (dead), Result=success")

    def crash(self, name: str) -> None:
        """A process dies; its manager restarts it later, where it does."""
        unit = self.units[name]
        if unit.respawns is None:
            self._end(name, "failed", "failed, Result=signal")
        else:
            self._end(name, "starting", "activating (auto-restart)")
            self.later(unit.respawns, partial(self.respawn, name))

    def respawn(self, name: str) -> None:
        """Its manager starts a service by itself."""
        self.units[name].respawned += 1
        self.start(name)

    def bounce(self, name: str) -> None:
        """Somebody restarts a service."""
        self.stop(name)
        self.start(name)

    def install(self, name: str) -> None:
        """A service that nobody has started yet."""
        self.units[name] = Unit(name)

    def starting(self, name: str) -> None:
        """A service has no process yet."""
        self._end(name, "starting", "activating (start)")

    def steal_pid(self, name: str) -> None:
        """The process of a service dies, and a stranger gets its PID."""
        unit = self.units[name]
        assert unit.process is not None
        process = unit.process
        self.crash(name)
        stranger = Unit(f"stranger {process.pid}")
        stranger.process = Process(process.pid, self._clock.now)
        self.units[stranger.name] = stranger

    def upgrade(self) -> None:
        """A library is replaced that every process uses."""
        for unit in self.units.values():
            unit.is_old = unit.process is not None

    def remove(self, name: str) -> None:
        """A service is deinstalled."""
        self.stop(name)
        del self.units[name]

    def pid(self, name: str) -> int:
        """The PID of a service that is up."""
        process = self.units[name].process
        assert process is not None
        return process.pid

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Something that happens by itself."""
        self._later.append((self._clock.now + seconds, call))

    def forget(self) -> None:
        """What was begun comes to nothing."""
        self._later.clear()

    def happen(self) -> None:
        """What is due by now happens."""
        due = [item for item in self._later if item[0] <= self._clock.now]
        self._later = [item for item in self._later if item[0] > self._clock.now]
        for _, call in due:
            call()

    def _end(self, name: str, status: Status, reason: str) -> None:
        unit = self.units[name]
        ended, unit.process = unit.process, None
        unit.status, unit.reason = status, reason
        if ended is not None and self.belated_s:
            unit.ghost = ended.pid, self._clock.now + self.belated_s
        for process, loop, died in self._watches:
            if process.same_as(ended):
                loop.call_soon_threadsafe(died)
        self._watches = [watch for watch in self._watches if not watch[0].same_as(ended)]

    # what it shows of its processes (sources.tree.Processes)

    def _unit_of(self, pid: int) -> Unit | None:
        for unit in self.units.values():
            if unit.process is not None and unit.process.pid == pid:
                return unit
        return None

    def identify(self, pid: int) -> Process | None:
        """The living process behind a PID."""
        if pid in self.hidden:
            raise SourceError(f"process {pid}: Permission denied")
        unit = self._unit_of(pid)
        return unit.process if unit is not None else None

    def sample(self, pid: int) -> Sample | None:
        """One process now."""
        unit = self._unit_of(pid)
        if unit is None or unit.process is None:
            return None
        started_s = unit.process.started_s
        return Sample(
            pid, 1, unit.name, started_s, False, int(unit.rss_mb * MB), 0.0, 0.0, 0.0, 0.0
        )

    def below(self, pid: int) -> Collection[int]:
        """It has no children."""
        return []

    def members(self, process: Process) -> Collection[int] | None:
        """There are no control groups."""
        return None

    def memory_limit(self, process: Process) -> float | None:
        """What its unit allows."""
        limits = [unit.most_mb for unit in self.units.values() if process.same_as(unit.process)]
        return limits[0] * MB if limits and limits[0] is not None else None

    def open(self, process: Process, metrics: Sequence[MetricId]) -> Reader:
        """A reader of a process."""
        reader = _Reader(self, process, metrics)
        reader.read()
        return reader

    # what its processes run (sources.freshness.Code)

    def release(self, path: str) -> Release:
        """Where a link leads."""
        if path not in self.links:
            raise SourceError(f"{path}: No such file or directory")
        return Release(self.links[path], 0, 0)

    def stale(self, pid: int, release: Release) -> Verdict:
        """Whether a process works elsewhere."""
        unit = self._unit_of(pid)
        if unit is None:
            return Verdict(None, f"process {pid} cannot be looked at: No such file or directory")
        stale = unit.folder != release.folder
        return Verdict(stale, f"works in {unit.folder}" if stale else "")

    def outdated(self, pid: int) -> Verdict:
        """Whether a process uses a library that was replaced."""
        unit = self._unit_of(pid)
        if unit is None:
            return Verdict(None, f"process {pid} cannot be looked at: No such file or directory")
        return Verdict(unit.is_old, "uses libssl.so.3" if unit.is_old else "")

    def watch(
        self,
        loop: Loop,
        process: Process,
        identify: Callable[[int], Process | None],
        on_death: Callable[[], None],
    ) -> Watch | None:
        """As core.watch.watch, which would look for real processes."""
        if not self.pidfds:
            return None
        if not process.same_as(self.identify(process.pid)):
            loop.call_soon_threadsafe(on_death)
            return None
        self._watches.append((process, loop, on_death))
        return Watch(loop, -1)

    def signal(self, process: Process, name: str, identify: object) -> None:
        """As core.signalling.send, which would look for real processes."""
        unit = self._unit_of(process.pid)
        if unit is None or not process.same_as(unit.process):
            raise StepError(f"process {process.pid} has ended")
        self._say(f"signal {name} {unit.name}")
        if name in self.deadly:
            self.deadly[name](unit.name)

    # its service manager (ports.Manager)

    def look(self, checks: Sequence[ServiceCheck]) -> Observations | Question[Observations]:
        """Where services are."""
        names = [check.name for check in checks]

        def parse(finished: Finished) -> Observations:
            self._answer()
            return {name: self._observe(self.units[name]) for name in names if name in self.units}

        return Question(Command(("look", *names), 10.0), parse)

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints | Question[Fingerprints]:
        """Their states."""
        names = [check.name for check in checks]

        def parse(finished: Finished) -> Fingerprints:
            self._answer()
            known = [name for name in names if name in self.units]
            return {name: self._observe(self.units[name]).reason for name in known}

        return Question(Command(("glance", *names), 10.0), parse)

    def loaded(self) -> Sequence[str] | Question[Sequence[str]]:
        """What is installed, but for what is unloaded."""

        def parse(finished: Finished) -> Sequence[str]:
            self._answer()
            return [name for name in self.units if not self._is_unloaded(name)]

        return Question(Command(("loaded",), 10.0), parse)

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """What to run."""
        if verb in self.cannot:
            return None
        return Command((verb, check.name), check.timeout_s)

    def _answer(self) -> None:
        if self.silent:
            raise ManagerError(self.silent)

    def _is_unloaded(self, name: str) -> bool:
        return name in self.hides or (self.unloads and self.units[name].status == "down")

    def _observe(self, unit: Unit) -> Observation:
        if unit.ghost is not None and self._clock.now < unit.ghost[1]:
            return Observation("up", unit.ghost[0], "active (running)")
        pid = unit.process.pid if unit.process is not None else None
        unclear = self.ambiguous and unit.status in ("down", "failed")
        return Observation(
            "down" if unclear and not self.leaves_traces else unit.status,
            pid,
            "not running" if unclear else unit.reason,
            restarts_itself=unit.respawns is not None,
            restarts=unit.respawned if self.counts else None,
            ambiguous=unclear,
        )

    # its commands

    def run(self, argv: tuple[str, ...], timeout_s: float, done: Done) -> None:
        """Begins a command; it has its effect, and ends, when its time is over."""
        verb, name = argv
        self._say(f"{verb} {name}")
        if self.takes_s > timeout_s:
            late = Finished(None, "", f"killed after {timeout_s:g} s without an end")
            self.later(timeout_s, partial(done, late))
        else:
            self.later(self.takes_s, partial(self._finish, verb, name, done))

    def _finish(self, verb: str, name: str, done: Done) -> None:
        failed = self.fails.get(f"{verb} {name}")
        if failed is None and not self.lies:
            if verb in ("stop", "restart") and self.units[name].process is not None:
                self.stop(name)
            if verb in ("start", "restart") and not self.units[name].stillborn:
                self.start(name)
        done(Finished(1, "", failed) if failed else SUCCESS)


class ScriptedChildren(Children):
    """Runs the commands of a scripted machine, for one agent."""

    def __init__(self, loop: Loop, machine: Machine) -> None:
        self._loop = loop
        self._machine = machine
        self.dead = False
        self.started = 0
        self.asked: list[str] = []

    def start(self, command: Command, done: Done) -> None:
        """Questions are answered in the next turn."""
        self.started += 1
        self.asked.append(command.argv[0])
        self._tell(done, SUCCESS)

    def carry_out(
        self,
        command: Command,
        done: Done,
        extra_environment: Mapping[str, str] | None = None,
    ) -> None:
        """Everything else takes its time."""
        self.started += 1
        told = partial(self._tell, done)
        if command.argv[0] == "/bin/sh" or BECOME in command.argv:
            self._machine.environments.append(dict(extra_environment or {}))
            *_, user, script = command.argv
            script += f" as {user}" if BECOME in command.argv else ""
            self._machine.run(("sh", script), command.timeout_s, told)
        else:
            self._machine.run(command.argv, command.timeout_s, told)

    def _tell(self, done: Done, finished: Finished) -> None:
        if not self.dead:
            self._loop.call_soon_threadsafe(partial(done, finished))


class _Reader(NamedTuple):
    machine: Machine
    process: Process
    metrics: Sequence[MetricId]

    def read(self) -> Sequence[Value]:
        """The metrics of the process, while it lives."""
        sample = self.machine.sample(self.process.pid)
        if sample is None or sample.started_s != self.process.started_s:
            raise ProcessGone(f"process {self.process.pid} is gone")
        values = {"rss": float(sample.rss_bytes), "user": sample.user_s, "system": sample.system_s}
        return [values[metric.name] for metric in self.metrics]

    def close(self) -> None:
        """Nothing is open."""
