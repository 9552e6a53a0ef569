"""Programs of supervisord, asked by a worker that speaks its XML-RPC."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.managers.supervisord_process import (
    Groups,
    absence,
    by_group,
    find,
    observe,
    parse,
)
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations, Question
from inspect_agent.typed import TypeVar

WORKER = "inspect_agent.workers.supervisord"

_ASK_TIMEOUT_S = 20.0
_NOT_SEEN = Observation("unknown")
# none of what supervisord refuses in names, and no `*`, which is a whole group
_NAME = re.compile(r"[^\s:/*\0]+(:[^\s:/*\0]+)?")

A = TypeVar("A")


class Supervisord:
    """One question about all processes answers everything.

    A check's name is what supervisorctl lists: `program`, or `group:program_00`.
    """

    name = "supervisord"

    def __init__(self) -> None:
        self._last: dict[str, Observation] = {}

    def look(self, checks: Sequence[ServiceCheck]) -> Observations | Question[Observations]:
        """Where these services are; it is not asked where no name can be a process's."""
        names = [check.name for check in checks]
        if not any(map(is_name, names)):
            return {name: _see(name, {}, _NOT_SEEN) for name in names}

        def look(groups: Groups) -> Observations:
            seen = {name: _see(name, groups, self._last.get(name, _NOT_SEEN)) for name in names}
            self._last.update(seen)
            return seen

        return _question(look)

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints | Question[Fingerprints]:
        """All that supervisord tells of each; it has no cheaper question."""

        def glance(groups: Groups) -> Fingerprints:
            return {check.name: repr(find(check.name, groups)) for check in checks}

        return _question(glance)

    def loaded(self) -> Sequence[str] | Question[Sequence[str]]:
        """All processes, as supervisorctl lists them."""

        def loaded(groups: Groups) -> Sequence[str]:
            return [process.short_name for group in groups.values() for process in group]

        return _question(loaded)

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """The worker does it, and waits until supervisord has done it."""
        if not is_name(check.name):
            return None
        return Command(_worker(verb, check.name), check.timeout_s)


def is_name(name: str) -> bool:
    """Whether this can be the name of a process."""
    return _NAME.fullmatch(name) is not None


def _see(name: str, groups: Groups, last: Observation) -> Observation:
    if not is_name(name):
        return Observation("absent", reason=f"{name!r:.80} cannot be the name of a process")
    process = find(name, groups)
    if process is None:
        return Observation("absent", reason=absence(name, groups))
    return observe(process, last)


def _question(read: Callable[[Groups], A]) -> Question[A]:
    command = Command(_worker("look"), _ASK_TIMEOUT_S)
    return Question(command, lambda finished: read(_groups(finished)))


def _groups(finished: Finished) -> Groups:
    if finished.exit_status != 0:
        words = finished.stderr.strip().split("\n")[-1]
        raise ManagerError(words or f"its worker ended with {finished.exit_status}")
    return by_group(parse(finished.stdout))


def _worker(*arguments: str) -> tuple[str, ...]:
    return sys.executable, "-I", "-m", WORKER, *arguments
