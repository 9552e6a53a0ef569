"""Why a repair is not made: each reason, and which comes first."""

from __future__ import annotations

from itertools import product

import pytest

from inspect_agent.engine.refusal import RepairRefused, refuse

ASKED = (
    RepairRefused.UNMONITORED,
    RepairRefused.DEPLOY_WINDOW,
    RepairRefused.STATE_LOST,
    RepairRefused.ALREADY_RUNNING,
    RepairRefused.MANAGER_IS_RESTARTING,
    RepairRefused.NEED_DOWN,
)


def reason(flags: tuple[bool, ...]) -> RepairRefused | None:
    """What is refused where these hold, in the order of ASKED."""
    unmonitored, in_window, in_doubt, running, restarting, need_down = flags
    return refuse(
        unmonitored=unmonitored,
        in_window=in_window,
        in_doubt=in_doubt,
        running=running,
        manager_is_restarting=restarting,
        need_down=need_down,
    )


@pytest.mark.parametrize("expected", ASKED, ids=lambda refused: str(refused.name))
def test_each_reason_alone(expected: RepairRefused) -> None:
    """Each reason has its own name."""
    assert reason(tuple(refused is expected for refused in ASKED)) is expected


def test_the_first_reason_that_holds_is_the_one_that_is_named() -> None:
    """Over all combinations, the order is the one of the page and the enumeration."""
    for flags in product((True, False), repeat=len(ASKED)):
        holding = [refused for refused, holds in zip(ASKED, flags, strict=True) if holds]
        assert reason(flags) is (holding[0] if holding else None)


def test_the_budget_is_asked_last() -> None:
    """BUDGET_SPENT comes after all others, since asking it takes from the budget."""
    assert tuple(RepairRefused) == (*ASKED, RepairRefused.BUDGET_SPENT)
