"""States as JSON for the ledger, and back, also after a reboot.

Times are on `clock.now()`, which begins anew at a boot. The ledger keeps how far it was from wall
time; after a boot every time is moved by the difference, so that a window ends when it should.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from inspect_agent.core.log import Log
from inspect_agent.engine.budget import Spent
from inspect_agent.engine.rules import Phase, Progress, RuleState
from inspect_agent.engine.services import ServiceState
from inspect_agent.engine.silence import Silence
from inspect_agent.model.target import Process
from inspect_agent.typed import Any, NamedTuple


class Clock(NamedTuple):
    """Which boot times are of, and what wall time was at its beginning."""

    boot_id: str
    wall_at_zero: float


@contextmanager
def tolerant(log: Log, what: str) -> Iterator[None]:
    """A row of the ledger that cannot be read is logged and left: what it says begins anew."""
    try:
        yield
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        log.warn(f"the ledger's {what} cannot be read and begins anew: {error}")


def clock_to_text(clock: Clock) -> str:
    """The clock of this boot as JSON."""
    return json.dumps(clock)


def shift_s(then: str | None, clock: Clock) -> float:
    """What to add to times kept by another boot; `then` is its clock, or None."""
    if then is None:
        return 0.0
    boot_id, wall_at_zero = json.loads(then)
    return 0.0 if boot_id == clock.boot_id else wall_at_zero - clock.wall_at_zero


def rule_to_text(state: RuleState, heard: tuple[str, ...]) -> str:
    """A rule's state, and the routes that heard of its failure."""
    return json.dumps([state._replace(phase=state.phase.value), heard])  # type: ignore[arg-type]  # JSON has no Phase


def rule_from_text(text: str, shift: float) -> tuple[RuleState, tuple[str, ...]]:
    """The reverse. Raises ValueError, TypeError, KeyError or IndexError for other text."""
    (phase, progress, *rest), heard = json.loads(text)
    run, first, ring, last = progress
    state = RuleState(Phase(phase), Progress(run, first + shift, ring, last + shift), *rest)
    return (
        state._replace(
            since=state.since + shift,
            told=state.told + shift,
            resume_at=state.resume_at + shift,
        ),
        tuple(heard),
    )


def service_to_text(state: ServiceState, repair_told: bool, owner: str) -> str:
    """A service's state, whether a failed repair was told, and the route that heard of both."""
    return json.dumps([state, repair_told, owner])


def service_from_text(text: str, shift: float) -> tuple[ServiceState, bool, str]:
    """The reverse. A process is of its boot: after another one it is only known to be gone."""
    members, repair_told, owner = json.loads(text)
    state = ServiceState(*members)
    process = Process(*state.process) if state.process else None
    if process is not None and shift:
        process = process._replace(started_s=process.started_s + shift)
    return (
        state._replace(
            process=process,
            since=state.since + shift,
            deaths=tuple(at + shift for at in state.deaths),
        ),
        bool(repair_told),
        str(owner),
    )


def spent_to_text(spent: Spent) -> str:
    """What was used of a budget."""
    return json.dumps(spent)


def spent_from_text(text: str, shift: float) -> Spent:
    """The reverse."""
    return _spent(json.loads(text), shift)


def _spent(members: list[Any], shift: float) -> Spent:
    repairs, paused_until, pause_s = members
    until = paused_until + shift if paused_until else 0.0
    return Spent(tuple(at + shift for at in repairs), until, pause_s)


def actions_to_text(spent: Spent, told: bool, owner: str) -> str:
    """What is kept of a target without a process: its budget, and who heard of a failure."""
    return json.dumps([spent, told, owner])


def actions_from_text(text: str, shift: float) -> tuple[Spent, bool, str]:
    """The reverse."""
    spent, told, owner = json.loads(text)
    return _spent(spent, shift), bool(told), str(owner)


def silence_to_text(silence: Silence) -> str:
    """Windows, what settles, and what is not monitored."""
    return json.dumps(silence)


def silence_from_text(text: str, shift: float) -> Silence:
    """The reverse."""
    windows, settling, unmonitored, *doubt = json.loads(text)  # the last is newer than the others
    return Silence(
        tuple((name, until + shift) for name, until in windows),
        tuple((name, cycles) for name, cycles in settling),
        tuple(unmonitored),
        *(max(0.0, until + shift) if until else 0.0 for until in doubt),
    )
