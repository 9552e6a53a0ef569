"""Why a step of a rule is not taken; each reason has a name, which status, log and alerts show."""

from __future__ import annotations

from enum import Enum


class RepairRefused(Enum):
    """The reasons, in the order in which they are asked."""

    UNMONITORED = "the service is not monitored"
    DEPLOY_WINDOW = "a deploy window is open"
    STATE_LOST = "state was lost, and with it perhaps a deploy window"
    ALREADY_RUNNING = "something else is being done to it"
    MANAGER_IS_RESTARTING = "its manager is restarting it"
    NEED_DOWN = "a service that it needs is down"
    BUDGET_SPENT = "its budget of repairs is spent"


def refuse(
    *,
    unmonitored: bool,
    in_window: bool,
    in_doubt: bool,
    running: bool,
    manager_is_restarting: bool,
    need_down: bool,
) -> RepairRefused | None:
    """The first reason not to take a step, before the budget is asked; None where there is none."""
    reasons = {
        RepairRefused.UNMONITORED: unmonitored,
        RepairRefused.DEPLOY_WINDOW: in_window,
        RepairRefused.STATE_LOST: in_doubt,
        RepairRefused.ALREADY_RUNNING: running,
        RepairRefused.MANAGER_IS_RESTARTING: manager_is_restarting,
        RepairRefused.NEED_DOWN: need_down,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)
