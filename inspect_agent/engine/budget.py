"""How often a service may be repaired, and the growing pause after that.

`restarts 3/10m`: three repairs in ten minutes. The one after them is refused, told once as
RepairExhausted, and nothing is tried for 5 minutes; the next time 10, up to an hour.
"""

from __future__ import annotations

from inspect_agent.model.target import Budget
from inspect_agent.typed import NamedTuple

FIRST_PAUSE_S = 300.0
LONGEST_PAUSE_S = 3600.0


class Spent(NamedTuple):
    """What a service has used of its budget.

    repairs       when each repair within the window was allowed
    paused_until  nothing is allowed before it; 0.0: no pause
    pause_s       how long the last pause was; 0.0: there was none yet
    """

    repairs: tuple[float, ...] = ()
    paused_until: float = 0.0
    pause_s: float = 0.0


def allow(spent: Spent, budget: Budget, now: float) -> tuple[Spent, bool]:
    """Takes one repair out of the budget, or opens the pause; (next, whether it is allowed)."""
    if now < spent.paused_until:
        return spent, False
    recent = tuple(at for at in spent.repairs if now - at < budget.window_s)
    if len(recent) < budget.repairs:
        calm = not recent and now - spent.paused_until >= budget.window_s
        return Spent((*recent, now), 0.0, 0.0 if calm else spent.pause_s), True
    pause_s = min(max(2 * spent.pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
    return Spent((), now + pause_s, pause_s), False


def exhausted_now(before: Spent, after: Spent) -> bool:
    """Whether `allow` has just opened a pause, which is to be told once."""
    return after.paused_until > before.paused_until
