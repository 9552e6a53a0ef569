"""Crash loops: when one begins, what is told meanwhile, and how it ends."""

from __future__ import annotations

import pytest

from inspect_agent.engine.services import LOOP_WINDOW_S, Seen, ServiceState, Told, step, tick
from inspect_agent.model.observation import Status
from inspect_agent.model.target import Process

NOW = 2000.0
A = Process(10, 1.0)
LOOPING = ServiceState(
    "up", A, "running", NOW - LOOP_WINDOW_S, lost=True, was_up=True, deaths=(1.0,), looping=True
)


def up(pid: int) -> Seen:
    """Up with this process."""
    return Seen("up", Process(pid, float(pid)))


DOWN = Seen("failed", reason="exit 1")


def test_a_crash_loop_is_told_once_and_its_end_too() -> None:
    """Five deaths in a row: four are told, then the loop, then nothing, at last its end."""
    state, events = ServiceState(), list[Told | None]()
    for number in range(8):
        for at, seen in ((10.0 * number, up(number)), (10.0 * number + 5, DOWN)):
            state, told = step(state, seen, at)
            events.append(told)
    gone, back = "ProcessDoesNotExist", "ProcessExists"
    singles = [None, gone, back, gone, back, gone, back, gone, back]
    assert events == [*singles, "CrashLoop", None, None, None, None, None, None]
    state, told = step(state, up(9), 100.0)
    assert (told, tick(state, 699.0)) == (None, (state, None))
    ended, told = tick(state, 700.0)
    assert told == "ProcessExists"
    assert ended == ServiceState("up", Process(9, 9.0), since=100.0, was_up=True)
    assert step(ended, DOWN, 701.0)[1] == "ProcessDoesNotExist"


def test_a_loop_of_changed_processes_is_told_too() -> None:
    """A process that its manager replaces at once dies as often as one that is seen down."""
    state, events = ServiceState(), list[Told | None]()
    for number in range(7):
        state, told = step(state, up(number), 10.0 * number)
        events.append(told)
    changed = "ProcessChanged"
    assert events == [None, changed, changed, changed, changed, "CrashLoop", None]


def test_slow_deaths_are_no_loop() -> None:
    """Deaths that are ten minutes apart, five by five, are told one by one."""
    state, events = ServiceState(), list[Told | None]()
    for number in range(20):
        state, told = step(state, up(number), number * LOOP_WINDOW_S / 4)
        events.append(told)
    assert events == [None] + ["ProcessChanged"] * 19


def test_a_death_in_the_loop_starts_its_ten_minutes_anew() -> None:
    """The loop ends only when one process has been up for ten minutes."""
    state, _ = step(LOOPING, up(11), NOW - 1)
    assert tick(state, NOW) == (state, None)
    assert tick(state, NOW - 1 + LOOP_WINDOW_S)[1] == "ProcessExists"


def test_the_end_of_a_loop_forgets_its_deaths() -> None:
    """After the loop the service is as if it had never died."""
    expected = LOOPING._replace(looping=False, lost=False, deaths=())
    assert tick(LOOPING, NOW) == (expected, "ProcessExists")


@pytest.mark.parametrize("status", ["down", "failed", "absent", "starting"])
def test_a_loop_does_not_end_while_the_service_is_out(status: Status) -> None:
    """A service that its manager gave up stays in its loop until it is up again."""
    state = LOOPING._replace(status=status)
    assert tick(state, NOW + 10_000) == (state, None)


def test_a_loop_does_not_end_while_the_manager_does_not_answer() -> None:
    """Nobody can say that it is up: the end waits for the manager's answer."""
    state, _ = step(LOOPING, Seen("unknown", reason="timeout"), NOW - 1)
    assert tick(state, NOW) == (state, None)
    state, _ = step(state, Seen("up", A, "running"), NOW + 1)
    assert tick(state, NOW + 1)[1] == "ProcessExists"


def test_time_changes_nothing_where_there_is_no_loop() -> None:
    """A service that is up for long is left as the object it is."""
    state = LOOPING._replace(looping=False)
    assert tick(state, NOW + 10_000)[0] is state
