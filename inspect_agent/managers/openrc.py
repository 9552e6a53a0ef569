"""Services of OpenRC, by what it keeps in /run/openrc, and rc-service(8) for what is to be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.managers import script_status
from inspect_agent.managers.init_script import Script, Scripts
from inspect_agent.managers.openrc_service import Clue, Services, told
from inspect_agent.managers.openrc_state import AT_REST, Records
from inspect_agent.model.observation import Command, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations, Question

FOLDERS = ("/usr/local/etc/init.d", "/etc/init.d", "/usr/etc/init.d")
"""Where OpenRC looks for scripts, in its order: rc_service_resolve in its librc.c."""

# OpenRC counts a crashed service as started. `start` does nothing then. Where start-stop-daemon
# finds nothing to stop and says so, as Debian's does, `stop` fails, and so does `restart`, which
# then starts again what it had stopped above, behind everybody's back.
_START = """
rc-service -- "$1" --nodeps stop
rc-service -- "$1" zap && exec rc-service -- "$1" start
"""
_STOP = """
rc-service -- "$1" stop || exec rc-service -- "$1" zap
"""
_OF_CRASHED: Mapping[Verb, str] = {"start": _START, "restart": _START, "stop": _STOP}


class Openrc:
    """Reads states and PID files, and asks those scripts that have a status of their own.

    `rc-service NAME status` would be a process a service, tells no PID, and where
    start-stop-daemon is Debian's it calls a crashed service started.
    """

    name = "openrc"

    def __init__(self, root: str = "") -> None:
        self._scripts = Scripts(FOLDERS, root, of_openrc=True)
        self._records = Records(root)
        self._services = Services(self._records)
        self._crashed: set[str] = set()
        self._ordered: set[str] = set()

    def look(self, checks: Sequence[ServiceCheck]) -> Observations | Question[Observations]:
        """Where these services are. Raises ManagerError where OpenRC runs no more."""
        clues = self._clues(checks)
        asked = tuple(clue.path for clue in clues.values() if isinstance(clue, Script))

        def parse(answers: script_status.Answers) -> Observations:
            seen = {
                name: clue if isinstance(clue, Observation) else told(answers.get(clue.path))
                for name, clue in clues.items()
            }
            return {name: self._note(name, one) for name, one in seen.items()}

        return script_status.ask(asked, parse) if asked else parse({})

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints:
        """What the files say; of a script that would have to be asked, when it was started."""
        return {
            name: repr(clue)
            if isinstance(clue, Observation)
            else f"started at {self._records.started_at(name)}"
            for name, clue in self._clues(checks).items()
        }

    def loaded(self) -> Sequence[str]:
        """The services that have a script."""
        return self._scripts.names()

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """`rc-service NAME VERB`, and what it takes to get a crashed service out of the way."""
        name = check.name
        if isinstance(self._scripts.find(name), Observation):
            return None
        if verb in ("start", "restart"):
            self._ordered.add(name)
        elif verb == "stop":
            self._ordered.discard(name)
        if name in self._crashed and verb in _OF_CRASHED:
            script = _OF_CRASHED[verb]
            return Command(("/bin/sh", "-c", script, "rc-service", name), check.timeout_s)
        return Command(("rc-service", "--", name, verb), check.timeout_s)

    def _clues(self, checks: Sequence[ServiceCheck]) -> Mapping[str, Clue]:
        self._records.check()
        return {check.name: self._clue(check.name) for check in checks}

    def _clue(self, name: str) -> Clue:
        try:
            script = self._scripts.find(name)
            if isinstance(script, Observation):
                return script
            return self._services.clue(name, script)
        except ManagerError as error:
            return Observation("unknown", reason=str(error))

    def _note(self, name: str, seen: Observation) -> Observation:
        """Remembers what a command will have to know; a start that failed leaves it stopped."""
        if seen.status == "unknown":
            return seen
        if seen.status == "failed" and self._records.state(name) not in AT_REST:
            self._crashed.add(name)
        else:
            self._crashed.discard(name)
        if seen.status == "up":
            self._ordered.discard(name)
        if seen.status == "down" and name in self._ordered:
            return Observation("failed", reason="stopped: it was to start, and did not")
        return seen
