"""Services of s6, by s6-svstat and s6-svc."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from os import path

from inspect_agent.errors import ManagerError
from inspect_agent.managers import scandir
from inspect_agent.managers.detect import S6_FOLDERS, is_read
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations, Question

_ASK_TIMEOUT_S = 20.0
# s6-svstat takes one folder; a line for each, with its exit status
_ASK = 'for folder; do said=$(s6-svstat "$folder" 2>&1); printf "%s %s\\n" $? "$said"; done'
_OPTIONS: Mapping[Verb, tuple[str, ...]] = {
    "start": ("-wU", "-u"),  # ready, where there is a notification-fd; up, where there is none
    "stop": ("-wD", "-d"),
    "restart": ("-wR", "-ru"),
    "reload": ("-h",),
}
_SPARE_S = 0.5  # left of a deadline for s6-svc to say that it is over
_STATUS_MOST = 4096  # bytes; the format of the file is s6's own, and changes
_SAID = re.compile(
    r"(up|down)(?: \((pid|exitcode|signal) (\w{1,10})[^()]*\))? \d+ seconds(?:, [^,]+)*", re.ASCII
)
_TIMES = re.compile(r" \(pid [^)]*\)| \d+ seconds")
_ASKED_TO_END = {"0", "129", "130", "143", "SIGHUP", "SIGINT", "SIGTERM"}
"""Exit codes and signals of what ends because it was asked to."""


class S6:
    """Asks s6-svstat for all services in one command.

    A check's name is that of a folder where s6-svscan looks. `root` is where the machine's files
    are, "" for this machine's own.
    """

    name = "s6"

    def __init__(self, root: str = "") -> None:
        self._root = root

    def look(self, checks: Sequence[ServiceCheck]) -> Observations | Question[Observations]:
        """Where these services are; what has no folder, or is runit's, is not asked for."""
        found = {check.name: self._find(check.name) for check in checks}
        asked = {name: folder for name, folder in found.items() if isinstance(folder, str)}
        absent = {name: seen for name, seen in found.items() if isinstance(seen, Observation)}
        if not asked:
            return absent

        def parse(finished: Finished) -> Observations:
            lines = _lines(finished, len(asked))
            seen = {
                name: _seen(line, may_give_up=path.exists(f"{self._root}{folder}/finish"))
                for (name, folder), line in zip(asked.items(), lines, strict=True)
            }
            return {**absent, **seen}

        return Question(Command(("sh", "-c", _ASK, "sh", *asked.values()), _ASK_TIMEOUT_S), parse)

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints:
        """What s6-supervise wrote last, and whether it lives."""
        return {check.name: self._glance(check.name) for check in checks}

    def loaded(self) -> Sequence[str]:
        """The services that an s6-supervise supervises."""
        return [
            path.basename(folder)
            for folder in scandir.folders(self._root, S6_FOLDERS)
            if is_read(f"{self._root}{folder}/supervise/control") and not self._is_runits(folder)
        ]

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """`s6-svc`, which waits until it is done, and gives up before it is killed."""
        folder = self._find(check.name)
        if isinstance(folder, Observation):
            return None
        wait_ms = max(1, int((check.timeout_s - _SPARE_S) * 1000))
        argv = ("s6-svc", "-T", str(wait_ms), *_OPTIONS[verb], folder)
        return Command(argv, check.timeout_s)

    def _find(self, name: str) -> str | Observation:
        """A service's folder, or why it has none."""
        folder = scandir.find(self._root, S6_FOLDERS, name)
        if folder is None:
            return scandir.absent(self._root, S6_FOLDERS, name)
        if self._is_runits(folder):
            return Observation("absent", reason=f"runsv supervises {folder}")
        return folder

    def _is_runits(self, folder: str) -> bool:
        return is_read(f"{self._root}{folder}/supervise/ok")  # which s6-supervise does not have

    def _glance(self, name: str) -> str:
        folder = self._find(name)
        if isinstance(folder, Observation):
            return folder.reason
        inside = self._root + folder
        alive = is_read(f"{inside}/supervise/control")
        try:
            status = scandir.read(f"{inside}/supervise/status", _STATUS_MOST).hex()
        except ManagerError as error:
            status = str(error)
        return f"{alive} {status} {path.exists(f'{inside}/down')}"


def observe(said: str, *, may_give_up: bool) -> Observation:
    """Where a service is, by the line of s6-svstat; `may_give_up`: it has a finish script.

    The script's exit code 125 leaves the service down like `s6-svc -d` does; only how its process
    ended tells one from the other. Raises ManagerError for anything else.
    """
    match = _SAID.fullmatch(said)
    state, kind, value = match.groups() if match else ("", "", "")
    if match is None or (state == "up") != (kind == "pid" and value.isdecimal()):
        raise ManagerError(f"s6-svstat printed {said[:80]!r}")
    reason = _TIMES.sub("", said)
    flags = reason.split(", ")[1:]
    if state == "up":
        return Observation("up", int(value), reason, restarts_itself="want down" not in flags)
    if "want up" in flags:
        return Observation("starting", reason=reason, restarts_itself=True)
    if may_give_up and kind and value not in _ASKED_TO_END:
        reason += "; stopped, or given up by its finish script"
        return Observation("down", reason=reason, ambiguous=True)
    return Observation("down", reason=reason)


def _lines(finished: Finished, count: int) -> list[str]:
    if finished.exit_status != 0:
        words = finished.stderr.strip() or f"exit status {finished.exit_status}"
        raise ManagerError(f"s6-svstat: {words}")
    lines = finished.stdout.split("\n")[:-1]
    if len(lines) != count:
        raise ManagerError(f"s6-svstat printed {len(lines)} lines for {count} services")
    return lines


def _seen(line: str, *, may_give_up: bool) -> Observation:
    status, _, said = line.partition(" ")
    try:
        if status != "0":
            raise ManagerError(said or f"s6-svstat: exit status {status}")
        return observe(said, may_give_up=may_give_up)
    except ManagerError as error:
        return Observation("unknown", reason=str(error))
