"""The real `inspect-agent` as a process, over a configuration folder of its own.

Tests wait for what it logs and for what it answers, never for time to pass; GUARD_S only keeps a
test from hanging. On exit its whole log is printed, which pytest shows when the test failed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inspect_agent.cli.client import ask
from tests.integration.following import GUARD_S, Log
from tests.integration.place import Here, Place, Process

BIN = Path(sys.executable).parent
AGENT = (str(BIN / "inspect-agent"),)
CLEAN = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
USUAL = {"cycle_time": "0.2s", "hostname": "web-1"}
_RAISED = r"Traceback|\(/\S+\.py:\d+\)$"


class RunningAgent:
    """Starts on entry, and is ended on exit, when nothing in it may have raised.

    folder    its folder as it sees it; below it are etc, state and inspect.sock
    etc       the configuration's folder, as tests reach it
    settings  over those of USUAL; an empty value leaves one out
    socket_path  its control socket as it sees it
    argv      what to run instead of the agent's own command
    """

    def __init__(
        self,
        folder: Path,
        rules: str = "",
        sends: str = "",
        settings: Mapping[str, str] | None = None,
        place: Place | None = None,
        environment: Mapping[str, str] | None = None,
        argv: Sequence[str] = AGENT,
    ) -> None:
        self.place = place or Here()
        self.folder = folder
        self.etc = self.reach(folder / "etc")
        self.socket_path = folder / "inspect.sock"
        self.log = Log()
        self._argv, self._environment = argv, {**CLEAN, **(environment or {})}
        self._process: Process | None = None
        self._reader: threading.Thread | None = None
        (self.etc / "services.d").mkdir(parents=True)
        self.configure(sends, settings)
        self.write("rules", rules)

    def reach(self, path: Path) -> Path:
        """A file of the agent's machine, as this process reaches it."""
        return self.place.root / path.relative_to("/")

    @property
    def socket(self) -> str:
        """Its control socket, as tests reach it."""
        return str(self.reach(self.socket_path))

    def configure(self, sends: str = "", settings: Mapping[str, str] | None = None) -> None:
        """Writes inspect.conf."""
        own = {"state_dir": str(self.folder / "state")}
        given = {**USUAL, **own, **(settings or {})}
        lines = [f'set {name} "{value}"' for name, value in given.items() if value]
        conf = self.etc / "inspect.conf"
        conf.write_text("\n".join([*lines, sends, ""]))
        conf.chmod(0o600)

    def write(self, name: str, rules: str) -> None:
        """Writes services.d/NAME.inq."""
        (self.etc / "services.d" / f"{name}.inq").write_text(rules)

    # its life

    def __enter__(self) -> RunningAgent:
        try:
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()
        raised = self.lines(_RAISED)
        assert not raised, f"something raised in the agent: {raised}"

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Ends it on exit, for tests that start it themselves."""
        try:
            yield
        finally:
            self.__exit__()

    @property
    def pid(self) -> int:
        """Its PID, as it knows it."""
        return int(self.export()["pid"])

    def start(self) -> None:
        """Starts it, and waits until it is watching; what it logged by then can be waited for."""
        self.log.read_to = before = len(self.log.lines)
        self.launch()
        self.logged(r"watching \d+ services?")
        self.log.read_to = before

    def launch(self) -> None:
        """Starts it, and waits for nothing."""
        places = ["-c", str(self.folder / "etc"), "-s", str(self.socket_path)]
        self._process = self.place.popen(
            [*self._argv, *places, "-l", "debug"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
        )
        self._reader = self.log.follow(self._process)

    def fail(self) -> list[str]:
        """Starts it, and waits for it to end with exit status 1; what it said."""
        self.launch()
        try:
            assert self.ended() == 1
        finally:
            self._end()
        return [line.text for line in self.log.lines]

    def stop(self, within_s: float = GUARD_S) -> int:
        """Ends it with SIGTERM; its exit status."""
        self.signal(signal.SIGTERM)
        return self.ended(within_s)

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self.signal(signal.SIGKILL)
        self.ended()

    def restart(self) -> None:
        """Ends it with SIGTERM, and starts it again."""
        assert self.stop() == 0
        self.start()

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        assert self._process is not None, "the agent has not been started"
        self.place.signal(self._process, number)

    def ended(self, within_s: float = GUARD_S) -> int:
        """Waits for its end; its exit status."""
        assert self._process is not None, "the agent has not been started"
        assert self._reader is not None, "the agent has not been started"
        status = self._process.wait(within_s)
        self._reader.join(GUARD_S)
        self._process = None
        return status

    def _end(self) -> None:
        try:
            if self._process is not None:
                self.stop()
        finally:
            for line in self.log.lines:
                print(f"{line.at:.3f} {line.level:<7} {line.text}")

    # what it says

    def logged(self, pattern: str) -> re.Match[str]:
        """Waits for a line, behind the one that was waited for last; its match."""
        return self.log.wait(pattern)[1]

    def logged_at(self, pattern: str) -> float:
        """The same; when it was logged, in seconds since 1970."""
        return self.log.wait(pattern)[0].at

    def lines(self, pattern: str) -> list[str]:
        """The lines so far that hold this."""
        return [line.text for line in self.log.lines if re.search(pattern, line.text)]

    def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Waits until this is true of the agent's status; the status."""
        status: dict[str, Any] = {}

        def now() -> bool:
            nonlocal status
            status = self.export()
            return bool(holds(status))

        self.log.until(now, lambda: f"never true; the last status: {json.dumps(status)}")
        return status

    def service(self, name: str, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Waits until there is this service, and this is true of it; all of it."""
        status = self.until(lambda status: any(map(holds, named(status, name))))
        return named(status, name)[0]

    def up(self, name: str, *, but: int | None = None) -> int:
        """Waits until a service is up, as another process than `but`; its PID."""
        up = self.service(name, lambda s: s["state"] == "up" and s["pid"] not in (None, but))
        return int(up["pid"])

    def cycles(self, count: int) -> None:
        """Waits until so many whole cycles have passed; fewer than 240 since its start."""
        wanted = self._samples() + count + 1
        self.log.until(lambda: self._samples() >= wanted, lambda: f"no {wanted} cycles")

    # what it answers

    def ask(self, command: str, *words: str) -> Any:
        """A command as inspectctl asks it. Raises ControlError, AgentUnreachable."""
        return ask(self.socket, command, list(words))

    def export(self) -> dict[str, Any]:
        """Its status."""
        status: dict[str, Any] = self.ask("export")
        return status

    def say(self, request: bytes) -> str:
        """What it answers to these bytes, up to the end."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(GUARD_S)
            connection.connect(self.socket)
            connection.sendall(request)
            with connection.makefile("r", encoding="utf-8") as answer:
                return answer.read()

    def ctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """inspectctl as a process."""
        return subprocess.run(
            [BIN / "inspectctl", "-s", self.socket, *words],
            env=CLEAN,
            capture_output=True,
            text=True,
            timeout=GUARD_S,
        )

    def _samples(self) -> int:
        samples = len(self.ask("show", "host", "memory:available")["values"])
        assert samples < 240, "so many cycles cannot be counted by a metric's history"
        return samples


def named(status: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The services of this name in a status: one, or none."""
    return [service for service in status["services"] if service["name"] == name]


def metric_of(service: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A metric of a service in a status."""
    found: dict[str, Any] = next(m for m in service["metrics"] if m["metric"] == name)
    return found
