"""The configuration, as the compile worker reads it; the parser's memory ends with it."""

from __future__ import annotations

from collections.abc import Callable

from inspect_agent.core.loop import Loop, Timer
from inspect_agent.core.worker import Worker
from inspect_agent.folder import Marks
from inspect_agent.model import wire
from inspect_agent.model.config import Config, Destination, Settings
from inspect_agent.model.target import HostCheck, ProbeCheck, ServiceCheck
from inspect_agent.typed import Any, NamedTuple

DEADLINE_S = 120.0


class Compiled(NamedTuple):
    """What came of it: a configuration, or the problems why there is none.

    state_dir   what the configuration says, also when it has problems; "" where it does not
    files       the marks of the files it was read from; None where the compiler did not say
    """

    config: Config | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    state_dir: str
    files: Marks | None = None


class Compiling:
    """One run of the compile worker; `done` is called once."""

    def __init__(
        self,
        loop: Loop,
        request: dict[str, Any],
        done: Callable[[Compiled], None],
        say: Callable[[str], None],
    ) -> None:
        self._done = done
        self._settings = Settings()
        self._host = HostCheck()
        self._destinations: list[Destination] = []
        self._services: list[ServiceCheck] = []
        self._probes: list[ProbeCheck] = []
        self._problems: list[str] = []
        self._warnings: list[str] = []
        self._files: Marks | None = None
        self._deadline: Timer = loop.call_later(DEADLINE_S, self._late)
        self._worker = Worker(loop, "compile", self._line, self._broke, say)
        try:
            self._worker.start()
        except OSError as error:
            self._broke(f"cannot start the compiler: {error}")
            return
        self._worker.send(request)

    def _line(self, line: dict[str, Any]) -> None:
        ((kind, value),) = line.items()
        if kind == "service":
            self._services.append(wire.model(value))
        elif kind == "probe":
            self._probes.append(wire.model(value))
        elif kind == "destination":
            self._destinations.append(wire.model(value))
        elif kind == "settings":
            self._settings = wire.model(value)
        elif kind == "host":
            self._host = wire.model(value)
        elif kind == "files":
            self._files = value
        elif kind in ("problem", "warning"):
            (self._problems if kind == "problem" else self._warnings).append(value)
        elif kind == "done":
            self._finish(self._config(), self._settings.state_dir)
        elif kind == "failed":
            self._finish(None, value["state_dir"])

    def _config(self) -> Config:
        return Config(
            self._settings,
            tuple(self._destinations),
            self._host,
            tuple(self._services),
            tuple(self._warnings),
            tuple(self._probes),
        )

    def _late(self) -> None:
        self._broke(f"the compiler did not end within {DEADLINE_S:.0f} s")

    def _broke(self, reason: str) -> None:
        self._problems.append(reason)
        self._finish(None, "")

    def _finish(self, config: Config | None, state_dir: str) -> None:
        self._deadline.cancel()
        self._worker.end()
        problems, warnings = tuple(self._problems), tuple(self._warnings)
        self._done(Compiled(config, problems, warnings, state_dir, self._files))
