"""Asks this machine what it knows of a configuration's services and users.

Its managers are asked one after the other, each command with its deadline. One that errs or takes
too long is a line among the warnings, and its services are left alone.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from inspect_agent import clock, registry
from inspect_agent.cli.command import run
from inspect_agent.core.lookup import BATCH, KNOWN_BY_CHECK, guarded
from inspect_agent.core.roster import Roster
from inspect_agent.errors import ManagerError, SourceError
from inspect_agent.lang.checks import Placed
from inspect_agent.lang.report import Report
from inspect_agent.lang.warnings import here
from inspect_agent.lang.warnings.here import Answers
from inspect_agent.managers import detect
from inspect_agent.model.config import Config, rules
from inspect_agent.model.observation import Observation
from inspect_agent.model.rule import Run, StateTest, tests
from inspect_agent.model.target import ServiceCheck, template_of
from inspect_agent.ports import Manager, Question
from inspect_agent.sources.freshness import Code

A = TypeVar("A")
PATIENCE_S = 20.0
"""For so long a manager is asked about batches of services."""

_ABSENT = Observation("absent")
_UNKNOWN = Observation("unknown")


def judge(config: Config, placed: Sequence[Placed], report: Report) -> None:
    """Warns of what is not known here; without any service manager there is nothing to say."""
    managers = running()
    if managers:
        here.warn(placed, ask(config, managers), report)


def running() -> list[Manager]:
    """The service managers of this machine; files with PIDs are none."""
    roster = Roster(registry.makers("managers"), detect.runs)
    return [roster.manager(name) for name in roster.here() if name not in KNOWN_BY_CHECK]


def ask(config: Config, managers: Sequence[Manager]) -> Answers:
    """What these managers say of the services, and the machine of the users."""
    single = (check for check in config.services if template_of(check.name) != check.name)
    left = {check.name: check for check in single if check.pidfile is None}
    loaded: set[str] = set()
    seen: dict[str, Observation] = {}
    troubles = []
    for manager in managers:
        mine = [check for check in left.values() if check.manager in (None, manager.name)]
        known = guarded(partial(_known, manager, mine))
        if isinstance(known, ManagerError):
            troubles.append(f"{manager.name} does not say which services it knows: {known}")
            known = _Known((), dict.fromkeys((check.name for check in mine), _UNKNOWN))
        loaded.update(known.loaded)
        seen.update(known.seen)
        for check in mine:  # what is absent here the next manager may know
            if seen[check.name].status != "absent":
                del left[check.name]
    strangers = frozenset(_strangers(config))
    users = tuple(entry.pw_name for entry in pwd.getpwall()) if strangers else ()
    names = tuple(manager.name for manager in managers)
    releases = dict(_releases(config))
    return Answers(names, tuple(sorted(loaded)), seen, users, strangers, tuple(troubles), releases)


class _Known(NamedTuple):
    """What one manager said: what it has loaded, and where each service is that is its own."""

    loaded: Sequence[str]
    seen: Mapping[str, Observation]


def _known(manager: Manager, checks: Sequence[ServiceCheck]) -> _Known:
    """What a manager knows of these services. Raises ManagerError."""
    until = clock.now() + PATIENCE_S
    loaded = _answer(manager.loaded)
    seen = dict.fromkeys(loaded, _UNKNOWN)
    wanted = [check for check in checks if check.name not in seen or _may_race(check)]
    for batch in _batches(wanted):
        if clock.now() > until:
            raise ManagerError(f"it takes too long to ask for {len(wanted)} of them")
        found = _answer(partial(manager.look, batch))
        seen.update((check.name, found.get(check.name, _ABSENT)) for check in batch)
    return _Known(loaded, seen)


def _may_race(check: ServiceCheck) -> bool:
    """Whether it matters how its manager starts it again."""
    words = (test for rule in check.rules for test in tests(rule.condition))
    return any(isinstance(test, StateTest) and test.word == "down" for test in words)


def _batches(checks: Sequence[ServiceCheck]) -> Iterator[Sequence[ServiceCheck]]:
    for start in range(0, len(checks), BATCH):
        yield checks[start : start + BATCH]


def _answer(question: Callable[[], A | Question[A]]) -> A:
    answer = question()
    return answer.parse(run(answer.command)) if isinstance(answer, Question) else answer


def _releases(config: Config) -> Iterator[tuple[str, str]]:
    """The releases that the agent could not find, or has no symlink to, and why."""
    code = Code()
    for path in {check.release for check in config.services if check.release is not None}:
        try:
            if code.release(path).folder == os.path.normpath(path):
                yield path, f"{path} has no symlink in it"
        except SourceError as error:
            yield path, str(error)


def _strangers(config: Config) -> Iterator[str]:
    """The users that rules name, and nobody here is called."""
    steps = (step for rule in rules(config) for step in rule.steps)
    for name in {step.user for step in steps if isinstance(step, Run) and step.user}:
        try:
            pwd.getpwnam(name)
        except KeyError:
            yield name
