"""Units of systemd, by systemctl(1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.managers.systemd_unit import (
    PROPERTIES,
    Unit,
    observe,
    parse_list,
    parse_show,
)
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations, Question

_ASK_TIMEOUT_S = 20.0
_SHOW = ("systemctl", "show", "--no-pager", f"--property={PROPERTIES}", "--")
_LIST = ("systemctl", "list-units", "--all", "--full", "--plain", "--no-legend", "--no-pager")
_TYPES = "service|socket|timer|path|mount|automount|swap|target|slice|scope|device"
_UNIT_MAX = 255
# systemd.unit(5); a template without an instance (x@.service) is a file, and no unit
_UNIT = re.compile(rf"[\w:.\\-]+(@[\w:.\\@-]+)?\.({_TYPES})", re.ASCII)


class Systemd:
    """Asks `systemctl show` for all services at once; `systemctl list-units` is the cheap glance.

    A check's name is the unit's, with or without `.service`; other types are written out.
    """

    name = "systemd"

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def look(self, checks: Sequence[ServiceCheck]) -> Observations | Question[Observations]:
        """Where these services are; the names of no possible unit are not asked for."""
        units = {check.name: unit_name(check.name) for check in checks}
        asked = {name: unit for name, unit in units.items() if unit is not None}
        refused = {name: _no_unit(name) for name in units.keys() - asked.keys()}
        if not asked:
            return refused

        def parse(finished: Finished) -> Observations:
            found = parse_show(_output(finished))
            self._ids.update((unit, found[unit]["Id"]) for unit in asked.values() if unit in found)
            seen = {name: _seen(unit, found.get(unit)) for name, unit in asked.items()}
            return {**refused, **seen}

        return Question(Command((*_SHOW, *asked.values()), _ASK_TIMEOUT_S), parse)

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints | Question[Fingerprints]:
        """The states of units in systemd's memory; what is not there is at rest, or no unit."""
        units = {check.name: unit_name(check.name) for check in checks}

        def parse(finished: Finished) -> Fingerprints:
            states = parse_list(_output(finished))
            # an alias is listed by the name it stands for
            ids = {name: self._ids.get(unit or "", unit or "") for name, unit in units.items()}
            return {name: states.get(unit, "not in memory") for name, unit in ids.items()}

        return Question(Command(_LIST, _ASK_TIMEOUT_S), parse)

    def loaded(self) -> Sequence[str] | Question[Sequence[str]]:
        """The units in systemd's memory that it found on disk, services without their suffix.

        An instance of another type (`fetch@1.timer`) is none of the services `fetch@*`.
        """

        def parse(finished: Finished) -> Sequence[str]:
            states = parse_list(_output(finished))
            found = (unit for unit, state in states.items() if not state.startswith("not-found"))
            mine = (unit for unit in found if unit.endswith(".service") or "@" not in unit)
            return [unit.removesuffix(".service") for unit in mine]

        return Question(Command(_LIST, _ASK_TIMEOUT_S), parse)

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """`systemctl VERB`, which waits until it is done, or has failed."""
        unit = unit_name(check.name)
        if unit is None:
            return None
        return Command(("systemctl", "--no-ask-password", verb, "--", unit), check.timeout_s)


def unit_name(name: str) -> str | None:
    """The unit a check names; None where systemctl would read something else into it.

    That is a path, a pattern, a template, or a name that it would escape.
    """
    unit = name if re.search(rf"\.({_TYPES})$", name) else f"{name}.service"
    return unit if _UNIT.fullmatch(unit) and len(unit) <= _UNIT_MAX else None


def _no_unit(name: str) -> Observation:
    if re.fullmatch(r"[^@]+@(\.service)?", name):
        return Observation("absent", reason=f"{name} is a template: name an instance of it")
    return Observation("absent", reason=f"{name!r} cannot be the name of a unit")


def _seen(unit: str, properties: Unit | None) -> Observation:
    if properties is None:
        return Observation("unknown", reason=f"systemd said nothing about {unit}")
    try:
        return observe(properties)
    except ManagerError as error:
        return Observation("unknown", reason=str(error))


def _output(finished: Finished) -> str:
    if finished.exit_status == 0:
        return finished.stdout
    words = finished.stderr.strip().split("\n")[-1] or f"exit status {finished.exit_status}"
    raise ManagerError(f"systemctl: {words}")
