"""What the ledger keeps: every state comes back as it was, moved to the clock of a new boot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.core import remember
from inspect_agent.core.remember import Clock
from inspect_agent.engine.budget import Spent
from inspect_agent.engine.rules import Phase, Progress, RuleState
from inspect_agent.engine.services import ServiceState
from inspect_agent.engine.silence import Silence
from inspect_agent.model.target import Process
from tests.core.scenarios.stage import Notes

_TIMES = st.integers(0, 10**9).map(float)
_COUNTS = st.integers(0, 1000)
_TEXT = st.text(max_size=20)
_PROCESSES = st.builds(Process, _COUNTS, _TIMES, st.none() | _TEXT)

PROGRESS = Progress(run=2, first=100.0, ring=0b101, last=110.0)
RULE = RuleState(Phase.TRIGGERED, PROGRESS, 1, 50.0, 60.0, True, 70.0, 0b11)
SERVICE = ServiceState(
    status="up",
    process=Process(7, 40.0, "/system.slice/x.service"),
    reason="active (running)",
    since=45.0,
    unanswered="timeout",
    returning=True,
    lost=True,
    was_up=True,
    deaths=(10.0, 20.0),
    looping=True,
)
SPENT = Spent((10.0, 20.0), 320.0, 300.0)
SILENCE = Silence((("", 100.0), ("nginx", 200.0)), (("redis", 1),), ("sidekiq@1", "grüße"), 700.0)


@given(
    st.builds(
        RuleState,
        st.sampled_from(Phase),
        st.builds(Progress, _COUNTS, _TIMES, _COUNTS, _TIMES),
        _COUNTS,
        _TIMES,
        _TIMES,
        st.booleans(),
        _TIMES,
        _COUNTS,
    ),
    st.lists(_TEXT).map(tuple),
)
def test_a_rule_comes_back(state: RuleState, heard: tuple[str, ...]) -> None:
    """With the routes that heard of it."""
    text = remember.rule_to_text(state, heard)
    assert remember.rule_from_text(text, 0.0) == (state, heard)


@given(
    st.builds(
        ServiceState,
        st.sampled_from(["up", "down", "failed", "starting", "absent", "unknown"]),
        st.none() | _PROCESSES,
        _TEXT,
        _TIMES,
        _TEXT,
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.lists(_TIMES).map(tuple),
        st.booleans(),
    ),
    st.booleans(),
    _TEXT,
)
def test_a_service_comes_back(state: ServiceState, repair_told: bool, owner: str) -> None:
    """With its process, whether a repair that failed was told, and who heard."""
    text = remember.service_to_text(state, repair_told, owner)
    assert remember.service_from_text(text, 0.0) == (state, repair_told, owner)


@given(st.builds(Spent, st.lists(_TIMES).map(tuple), _TIMES, _TIMES), st.booleans(), _TEXT)
def test_what_was_done_comes_back(spent: Spent, told: bool, owner: str) -> None:
    """For a target without a process."""
    text = remember.actions_to_text(spent, told, owner)
    assert remember.actions_from_text(text, 0.0) == (spent, told, owner)


@given(st.builds(Spent, st.lists(_TIMES).map(tuple), _TIMES, _TIMES))
def test_a_budget_comes_back(spent: Spent) -> None:
    """Repairs and pause."""
    assert remember.spent_from_text(remember.spent_to_text(spent), 0.0) == spent


@given(
    st.builds(
        Silence,
        st.lists(st.tuples(_TEXT, _TIMES)).map(tuple),
        st.lists(st.tuples(_TEXT, _COUNTS)).map(tuple),
        st.lists(_TEXT).map(tuple),
        _TIMES,
    )
)
def test_windows_come_back(silence: Silence) -> None:
    """And what settles, what is not monitored, and how long there is doubt."""
    assert remember.silence_from_text(remember.silence_to_text(silence), 0.0) == silence


def test_the_clock_of_the_same_boot_moves_nothing() -> None:
    """However far wall time was set meanwhile."""
    then = remember.clock_to_text(Clock("boot-1", 1000.0))
    assert remember.shift_s(then, Clock("boot-1", 9000.0)) == 0.0


def test_the_clock_of_another_boot_moves_times_by_what_passed() -> None:
    """The machine went down 500 s after its boot at wall time 1000, and came up at 1600."""
    then = remember.clock_to_text(Clock("boot-1", 1000.0))
    assert remember.shift_s(then, Clock("boot-2", 1600.0)) == -600.0


def test_without_a_clock_nothing_is_moved() -> None:
    """A ledger that was just begun."""
    assert remember.shift_s(None, Clock("boot-1", 1000.0)) == 0.0


def test_after_a_reboot_every_time_is_moved() -> None:
    """Times, and nothing else."""
    rule = remember.rule_from_text(remember.rule_to_text(RULE, ("ops",)), -600.0)
    moved = PROGRESS._replace(first=-500.0, last=-490.0)
    assert rule == (
        RULE._replace(progress=moved, since=-550.0, told=-540.0, resume_at=-530.0),
        ("ops",),
    )
    text = remember.service_to_text(SERVICE, True, "ops")
    service = remember.service_from_text(text, -600.0)
    assert service == (
        SERVICE._replace(
            process=Process(7, -560.0, "/system.slice/x.service"),
            since=-555.0,
            deaths=(-590.0, -580.0),
        ),
        True,
        "ops",
    )
    spent = remember.spent_from_text(remember.spent_to_text(SPENT), -600.0)
    assert spent == Spent((-590.0, -580.0), -280.0, 300.0)
    silence = remember.silence_from_text(remember.silence_to_text(SILENCE), -600.0)
    windows = (("", -500.0), ("nginx", -400.0))
    assert silence == SILENCE._replace(windows=windows, doubt_until=100.0)


def test_no_pause_stays_none_after_a_reboot() -> None:
    """0.0 is no time."""
    text = remember.spent_to_text(Spent())
    assert remember.spent_from_text(text, 600.0) == Spent()
    text = remember.silence_to_text(Silence())
    assert remember.silence_from_text(text, 600.0) == Silence()


def test_windows_of_an_earlier_version() -> None:
    """There was no doubt then."""
    text = '[[["", 100.0]], [], ["nginx"]]'
    assert remember.silence_from_text(text, 1.0) == Silence((("", 101.0),), (), ("nginx",))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "read",
    [
        remember.rule_from_text,
        remember.service_from_text,
        remember.spent_from_text,
        remember.silence_from_text,
    ],
)
@given(text=st.text() | _JSON.map(json.dumps))
def test_any_other_text_is_tolerated(read: Any, text: str) -> None:
    """It is a value or a warning, never anything else."""
    log = Notes()
    read_so_far = False
    with remember.tolerant(log, "row"):
        read(text, 1.0)
        read_so_far = True
    assert read_so_far == (log.warnings == [])
