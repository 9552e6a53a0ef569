"""Services over a while: restarts of the agent, repairs, windows, silent managers."""

from __future__ import annotations

import pytest

from inspect_agent.engine.services import Seen, ServiceState, Told, is_down, is_failed, step
from inspect_agent.model.target import Process

GONE, BACK, CHANGED = "ProcessDoesNotExist", "ProcessExists", "ProcessChanged"
DOWN, FAILED, ABSENT = Seen("down"), Seen("failed"), Seen("absent")
STARTING, LOOPING = Seen("starting"), Seen("starting", returning=True)
SILENT = Seen("unknown", reason="timeout")
NEW = ServiceState()


def up(pid: int) -> Seen:
    """Up with this process."""
    return Seen("up", Process(pid, float(pid)))


def events(*seen: Seen, state: ServiceState = NEW, due: bool = True) -> list[Told | None]:
    """What is told at each look, 15 s apart."""
    told: list[Told | None] = []
    for number, look in enumerate(seen):
        state, event = step(state, look, 1000.0 + 15 * number, due=due)
        told.append(event)
    return told


def remembered(*seen: Seen) -> ServiceState:
    """Where a service was, by these looks, when the agent ended."""
    state = ServiceState()
    for number, look in enumerate(seen):
        state, _ = step(state, look, 100.0 + number)
    return state


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([up(1)], [up(1)], [None]),
        ([up(1)], [FAILED, FAILED], [GONE, None]),
        ([up(1)], [up(2)], [CHANGED]),
        ([up(1)], [SILENT, up(2)], [None, CHANGED]),
        ([up(1)], [SILENT, DOWN], [None, GONE]),
        ([up(1), DOWN], [DOWN, up(2)], [None, BACK]),
        ([up(1), DOWN], [up(2)], [BACK]),
        ([DOWN], [up(2), DOWN], [BACK, GONE]),
        ([STARTING], [up(2)], [None]),
        ([STARTING], [FAILED, up(2)], [GONE, BACK]),
    ],
    ids=str,
)
def test_what_happened_while_the_agent_was_away(
    before: list[Seen], after: list[Seen], expected: list[Told | None]
) -> None:
    """A state that was kept is gone on with: what changed is told, what was told is not."""
    assert events(*after, state=remembered(*before)) == expected


def test_a_death_while_the_agent_was_away_is_told_before_absences_are_due() -> None:
    """`start_delay` holds back what was never seen up, not what was."""
    assert events(FAILED, state=remembered(up(1)), due=False) == [GONE]
    assert events(FAILED, FAILED, due=False) == [None, None]


def test_an_absence_is_told_once_it_is_due() -> None:
    """Seen down all along, it is told at the first look after `start_delay`."""
    state, told = step(ServiceState(), DOWN, 10.0, due=False)
    state, later = step(state, DOWN, 25.0)
    state, again = step(state, DOWN, 40.0)
    assert [told, later, again] == [None, GONE, None]
    assert state.since == 10.0


def test_a_service_that_starts_with_the_machine_is_not_lost() -> None:
    """Starting, then up: nothing is told; starting, then failed: its loss."""
    assert events(STARTING, STARTING, up(1)) == [None, None, None]
    assert events(STARTING, FAILED, up(1)) == [None, GONE, BACK]
    assert events(LOOPING, STARTING, up(1)) == [GONE, None, BACK]


def test_a_service_that_was_up_and_is_starting_is_lost() -> None:
    """A manager that brings it up again has lost it first."""
    assert events(up(1), STARTING, up(2)) == [None, GONE, BACK]


def test_a_service_that_is_installed_after_the_agent_is_found() -> None:
    """Absent is told, and the installation ends it without a reload."""
    assert events(ABSENT, ABSENT, STARTING, up(1)) == [GONE, None, None, BACK]


def test_a_silent_manager_tells_nothing_and_nothing_is_lost() -> None:
    """What is told when it answers again is what changed meanwhile."""
    assert events(up(1), SILENT, SILENT, up(1)) == [None, None, None, None]
    assert events(up(1), SILENT, FAILED, SILENT, up(2)) == [None, None, GONE, None, BACK]


def test_our_own_restart_is_not_news() -> None:
    """A repair that ends with a new process is neither a change nor a death."""
    state, told = step(remembered(up(1)), up(2), 200.0, expected=True)
    assert (told, state.process, state.since) == (None, Process(2, 2.0), 200.0)
    assert state.deaths == ()


def test_what_is_still_gone_after_a_repair_or_a_window_is_told_once() -> None:
    """The one look after it takes in what happened inside; that it stays out is told."""
    state, told = step(remembered(up(1)), FAILED, 200.0, expected=True)
    assert (told, state.lost, state.deaths) == (GONE, True, ())
    assert step(state, FAILED, 215.0)[1] is None
    assert step(state, up(2), 215.0)[1] == BACK


def test_what_came_back_inside_a_window_is_told_after_it() -> None:
    """Who heard of the loss hears of its end, whoever brought it back."""
    assert step(remembered(up(1), FAILED), up(2), 200.0, expected=True)[1] == BACK


def test_down_and_failed_over_a_restart_loop_that_is_given_up() -> None:
    """Stopped, looping, given up and gone, as the words `down` and `failed` see it."""
    state, words = ServiceState(), []
    for look in (up(1), DOWN, STARTING, up(2), LOOPING, FAILED, SILENT, ABSENT):
        state, _ = step(state, look, 0.0)
        words.append((is_down(state), is_failed(state)))
    no, stopped, bad = (False, False), (True, False), (True, True)
    assert words == [no, stopped, stopped, no, bad, bad, (None, None), bad]
