"""SysV init scripts: /etc/init.d/NAME start|stop|restart|reload."""

from __future__ import annotations

from collections.abc import Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.managers import pid_files, script_status
from inspect_agent.managers.init_script import Script, Scripts
from inspect_agent.model.observation import Command, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations, Question
from inspect_agent.typed import Union

FOLDERS = ("/etc/init.d",)

Clue = Union[Observation, Script]
"""Where a service is, or the script that has to be asked."""


class InitD:
    """Looks for the PID files that a script names; where there are none it asks its `status`.

    A PID file whose process is gone is what a crash leaves; of what has no PID file nobody can tell
    whether it was stopped or crashed.
    """

    name = "init.d"

    def __init__(self, root: str = "") -> None:
        self._scripts = Scripts(FOLDERS, root, of_openrc=False)

    def look(self, checks: Sequence[ServiceCheck]) -> Observations | Question[Observations]:
        """Where these services are; it asks the scripts of those alone whose files do not tell."""
        clues = {check.name: self._clue(check.name) for check in checks}
        seen = {name: clue for name, clue in clues.items() if isinstance(clue, Observation)}
        asked = {name: clue for name, clue in clues.items() if isinstance(clue, Script)}
        if not asked:
            return seen

        def parse(answers: script_status.Answers) -> Observations:
            return {**seen, **{name: _told(script, answers) for name, script in asked.items()}}

        return script_status.ask([script.path for script in asked.values()], parse)

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints:
        """What the files say; scripts are not asked for so little."""
        return {check.name: repr(self._clue(check.name)) for check in checks}

    def loaded(self) -> Sequence[str]:
        """The services that have a script."""
        return self._scripts.names()

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """The script's own action. Raises ManagerError for a script that root must not run."""
        script = self._scripts.find(check.name)
        if isinstance(script, Observation):
            return None
        return Command((script.path, verb), check.timeout_s)

    def _clue(self, name: str) -> Clue:
        try:
            script = self._scripts.find(name)
        except ManagerError as error:
            return Observation("unknown", reason=str(error))
        if isinstance(script, Observation):
            return script
        seen = pid_files.observe(script.pid_files)
        if seen is not None:
            return seen
        if script.tells_status:
            return script
        return _without_pid(script)


def _told(script: Script, answers: script_status.Answers) -> Observation:
    """What the script said, unless there is a PID file meanwhile: daemons write theirs late."""
    return pid_files.observe(script.pid_files) or script_status.observe(answers.get(script.path))


def _without_pid(script: Script) -> Observation:
    """What the lack of a PID means where nothing else can be asked."""
    files = " or ".join(script.pid_files)
    if script.guessed:
        reason = (
            f"{script.path} names no PID file and has no status action, and there is no {files}"
        )
        return Observation("unknown", reason=reason)
    return Observation("down", reason=f"stopped or crashed: no PID in {files}", ambiguous=True)
