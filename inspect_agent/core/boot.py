"""From nothing to a running agent: the socket, the first configuration, the ledger.

A configuration with problems is never half-loaded: the last good one is used, as the compile worker
kept it; the agent refuses to start only where there is none.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from functools import partial

from inspect_agent import __version__, clock
from inspect_agent.core import identity
from inspect_agent.core.agent import Agent
from inspect_agent.core.compiling import Compiled, Compiling
from inspect_agent.core.control import Control
from inspect_agent.core.ledger import Ledger
from inspect_agent.core.log import Log
from inspect_agent.core.loop import Loop
from inspect_agent.core.on_disk import OnDisk
from inspect_agent.core.state_file import read
from inspect_agent.core.supervisor import Supervisor
from inspect_agent.errors import LedgerError
from inspect_agent.export.answers import to_text
from inspect_agent.model.config import Config, LogLevel
from inspect_agent.typed import NamedTuple

MOST_DESCRIPTORS = 65536
LAST_COMMIT_S = 1.5


class Options(NamedTuple):
    """What the command line said.

    root        the configuration's folder
    socket      the control socket's path
    state_dir   where state is kept unless the configuration says otherwise
    log_level   None: as the configuration says
    """

    root: str
    socket: str
    state_dir: str
    log_level: LogLevel | None


class Boot:
    """One life of an agent. Raises ControlError when its socket is another's."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._log = Log(1, options.log_level or "info", _stamp, _is_journal())
        self._loop = Loop(clock.now, self._raised)
        self._supervisor = Supervisor(self._loop, os.environ)
        self._control = Control(self._loop, self._log, options.socket, to_text)
        self._on_disk = OnDisk(self._loop, options.root)
        self._agent: Agent | None = None
        self._ledger: Ledger | None = None
        self._state_lock: int | None = None
        self._exit_status = 0

    def run(self) -> int:
        """Runs until SIGTERM or SIGINT; the exit status."""
        self._log.info(f"inspect-agent {__version__} starts, configuration {self._options.root}")
        _raise_descriptors()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.on_signal(number, self._loop.stop)
        self._loop.on_signal(signal.SIGHUP, self._hang_up)
        self.compile(self._first)
        self._loop.run()
        self._end()
        return self._exit_status

    def compile(self, done: Callable[[Compiled], None]) -> None:
        """Reads the configuration's folder, in a worker."""
        request = {"root": self._options.root, "state_dir": self._options.state_dir}
        Compiling(self._loop, request, partial(self._compiled, done), self._log.warn)

    def _compiled(self, done: Callable[[Compiled], None], compiled: Compiled) -> None:
        self._on_disk.read(compiled.files, sound=compiled.config is not None)
        done(compiled)

    def _first(self, compiled: Compiled) -> None:
        if compiled.config is not None:
            self._begin(compiled.config, ())
            return
        for problem in compiled.problems:
            self._log.warn(problem)
        bundle = os.path.join(compiled.state_dir or self._options.state_dir, "last-good.json")
        if os.path.exists(bundle):
            request = {"root": self._options.root, "bundle": bundle}
            second = partial(self._second, compiled.problems)
            Compiling(self._loop, request, second, self._log.warn)
        else:
            self._fail("the configuration has problems, and there is no earlier one to run on")

    def _second(self, problems: tuple[str, ...], compiled: Compiled) -> None:
        if compiled.config is not None:
            self._log.warn("running on the last good configuration")
            self._on_disk.fall_back(compiled.files)
            self._begin(compiled.config, problems)
            return
        for problem in compiled.problems:
            self._log.warn(problem)
        self._fail("neither the configuration nor the last good one can be used")

    def _begin(self, config: Config, rejected: tuple[str, ...]) -> None:
        folder = config.settings.state_dir or self._options.state_dir
        try:
            self._state_lock = identity.claim_state(folder)
        except LedgerError as error:
            self._fail(str(error))
            return
        path = os.path.join(folder, "state.db")
        contents = read(path)
        agent = Agent(
            self._loop,
            self._log,
            self._supervisor,
            self._control,
            self._on_disk,
            self._options.log_level,
        )
        self._ledger = Ledger(path, self._loop.call_soon_threadsafe, agent.durability)
        try:
            agent.begin(config, rejected, self._ledger, contents, self.compile)
        except Exception as error:  # noqa: BLE001 (half an agent would look like a whole one)
            self._raised("Agent.begin", error)
            self._fail("the agent could not begin")
            return
        self._agent = agent

    def _fail(self, why: str) -> None:
        self._log.warn(why)
        self._exit_status = 1
        self._loop.stop()

    def _hang_up(self) -> None:
        if self._agent is not None:
            self._agent.hang_up()

    def _end(self) -> None:
        self._supervisor.stopping()
        self._control.close()
        if self._agent is not None:
            self._agent.close()
        if self._ledger is not None and not self._ledger.close(LAST_COMMIT_S):
            self._log.warn("the last changes could not be written in time")
        self._log.info("inspect-agent ends")
        self._loop.close()

    def _raised(self, where: str, error: BaseException) -> None:
        """A callback raised: reported, and everything else goes on."""
        trace, line = error.__traceback__, ""
        while trace is not None:
            line = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
            trace = trace.tb_next
        text = f"{where}: {type(error).__name__}: {error} ({line})"
        self._log.warn(text)
        if self._agent is not None:
            self._agent.raised(where, text)


def _is_journal() -> bool:
    """Whether standard output is what $JOURNAL_STREAM names; a shell may have inherited it.

    See systemd.exec(5).
    """
    try:
        info = os.fstat(1)
    except OSError:  # it is closed
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{info.st_dev}:{info.st_ino}"


def _stamp() -> str:
    return clock.stamp(clock.wall())


def _raise_descriptors() -> None:
    """Two descriptors a service: as many as the hard limit gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
