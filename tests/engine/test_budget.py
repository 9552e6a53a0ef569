"""The budget of repairs: what it allows, and the pause when it is spent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.engine.budget import Spent, allow, exhausted_now
from inspect_agent.model.target import Budget

MINUTE = 60.0
THREE = Budget(3, 10 * MINUTE)
START = 10_000.0
FRESH = Spent()


def ask(*minutes: float, spent: Spent = FRESH, budget: Budget = THREE) -> tuple[Spent, list[str]]:
    """Asks for a repair at each of these minutes: `yes`, `no`, or `told` when a pause opens."""
    answers = []
    for minute in minutes:
        before = spent
        spent, allowed = allow(before, budget, START + minute * MINUTE)
        told = exhausted_now(before, spent)
        assert not (told and allowed)
        answers.append("told" if told else "yes" if allowed else "no")
    return spent, answers


def test_a_budget_begins_whole_and_without_a_pause() -> None:
    """Nothing is used, and nothing is remembered of a pause."""
    assert Spent((), 0.0, 0.0) == FRESH


def test_three_in_ten_minutes_are_allowed_and_the_fourth_opens_a_pause() -> None:
    """The pause is told once, is five minutes long, and everything in it is refused."""
    spent, answers = ask(0, 1, 2, 3, 4, 7.99)
    assert answers == ["yes", "yes", "yes", "told", "no", "no"]
    assert spent == Spent((), START + 8 * MINUTE, 300.0)


def test_the_pause_begins_with_the_refusal() -> None:
    """The repair that finds the budget spent is refused, and forgets the ones before it."""
    spent, _ = ask(0, 1, 2)
    found = allow(spent, THREE, START + 3 * MINUTE)
    assert found == (Spent((), START + 8 * MINUTE, 300.0), False)


def test_a_refusal_inside_the_pause_changes_nothing() -> None:
    """What is asked during a pause neither prolongs it nor is told."""
    spent, _ = ask(0, 1, 2, 3)
    assert allow(spent, THREE, START + 4 * MINUTE) == (spent, False)


def test_after_the_pause_the_budget_is_whole() -> None:
    """At the very end of the pause three repairs are allowed again."""
    spent, _ = ask(0, 1, 2, 3)
    spent, answers = ask(8, 8.1, 8.2, 8.3, spent=spent)
    assert answers == ["yes", "yes", "yes", "told"]
    assert spent == Spent((), START + 18.3 * MINUTE, 600.0)


def test_an_allowed_repair_is_written_down() -> None:
    """The state after a repair holds its time and those of the window before it."""
    spent, _ = ask(0, 6, 12)
    assert spent == Spent((START + 6 * MINUTE, START + 12 * MINUTE), 0.0, 0.0)


def test_the_window_slides() -> None:
    """A repair that is ten minutes old is forgotten, one that is nearly so is not."""
    assert ask(0, 1, 2, 10)[1] == ["yes"] * 4
    assert ask(0, 1, 2, 9.99)[1] == ["yes"] * 3 + ["told"]
    assert ask(*range(0, 200, 4))[1] == ["yes"] * 50


def test_the_pause_doubles_up_to_an_hour() -> None:
    """5, 10, 20, 40 and 60 minutes, and 60 again, while the service stays bad."""
    minute, pauses, spent = 0.0, [], Spent()
    for _ in range(7):
        spent, answers = ask(*([minute] * 4), spent=spent)
        assert answers == ["yes", "yes", "yes", "told"]
        pauses.append(spent.pause_s / MINUTE)
        minute += spent.pause_s / MINUTE
    assert pauses == [5, 10, 20, 40, 60, 60, 60]


@pytest.mark.parametrize(
    ("quiet_minutes", "next_pause_s"), [(9.9, 600.0), (10.0, 300.0), (500.0, 300.0)]
)
def test_calm_after_a_pause_resets_it(quiet_minutes: float, next_pause_s: float) -> None:
    """A whole window without a repair after a pause, and the next pause is the first again."""
    spent, _ = ask(0, 0, 0, 0)
    spent, _ = ask(*([5 + quiet_minutes] * 4), spent=spent)
    assert spent.pause_s == next_pause_s


@pytest.mark.parametrize(("quiet_minutes", "next_pause_s"), [(9.9, 600.0), (10.0, 300.0)])
def test_calm_between_two_repairs_resets_it(quiet_minutes: float, next_pause_s: float) -> None:
    """A repair right after the pause does not forget it, a whole window after that repair does."""
    spent, _ = ask(0, 0, 0, 0, 6)
    assert spent.pause_s == 300.0
    spent, _ = ask(*([6 + quiet_minutes] * 4), spent=spent)
    assert spent.pause_s == next_pause_s


def test_a_budget_of_none_repairs_nothing() -> None:
    """`restarts 0/10m` refuses everything, and says so at each pause."""
    assert ask(0, 1, 5, 6, budget=Budget(0, 600.0))[1] == ["told", "no", "told", "no"]


def test_a_pause_is_told_only_when_it_opens() -> None:
    """Neither an allowed repair nor the end of a pause is an exhaustion."""
    paused = Spent((), 500.0, 300.0)
    assert not exhausted_now(paused, paused)
    assert not exhausted_now(paused, Spent((600.0,), 0.0, 300.0))
    assert exhausted_now(Spent((1.0,), 0.0, 0.0), paused)


@given(
    st.lists(st.integers(1, 900), max_size=80),
    st.integers(1, 4),
    st.sampled_from([60.0, 600.0, 3600.0]),
)
def test_never_more_than_the_budget_between_two_pauses(
    gaps: list[int], repairs: int, window_s: float
) -> None:
    """No window between two pauses holds more repairs than it may, and no pause holds any."""
    budget, spent, now = Budget(repairs, window_s), Spent(), START
    allowed_at: list[float] = []
    for gap in gaps:
        now += gap
        before = spent
        spent, allowed = allow(before, budget, now)
        if allowed:
            assert now >= before.paused_until
            allowed_at.append(now)
            assert sum(now - at < window_s for at in allowed_at) <= repairs
        elif exhausted_now(before, spent):
            assert sum(now - at < window_s for at in allowed_at) == repairs
            assert spent.paused_until - now == spent.pause_s
            assert spent.pause_s in (300.0, 600.0, 1200.0, 2400.0, 3600.0)
            allowed_at = []
