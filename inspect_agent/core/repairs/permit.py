"""Whether a step of a rule may be taken, and what is said where it may not."""

from __future__ import annotations

from inspect_agent.core import templates
from inspect_agent.core.happenings import Happenings, title
from inspect_agent.core.log import Log
from inspect_agent.core.repairs.asker import Askers
from inspect_agent.core.repairs.job import Job, costs
from inspect_agent.core.turn import Turn
from inspect_agent.core.watched import Target, WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.core.world import World
from inspect_agent.engine import budget, services, silence
from inspect_agent.engine.refusal import RepairRefused, refuse
from inspect_agent.model.rule import Repair
from inspect_agent.model.target import Budget


class Permits:
    """Says what stands against a step, keeps the budgets, and remembers who was passed over."""

    def __init__(
        self, log: Log, happenings: Happenings, windows: Windows, world: World, askers: Askers
    ) -> None:
        self._log, self._happenings = log, happenings
        self._windows, self._world, self._askers = windows, world, askers
        self._restarts = Budget(3, 600.0)
        self._passed_over: dict[tuple[str, str], int] = {}

    def adopt(self, restarts: Budget) -> None:
        """The budget of targets that have none of their own, from now on."""
        self._restarts = restarts
        self._passed_over.clear()

    def passed_over(self, target: str, key: str) -> int:
        """How often in a row a rule found something else being done."""
        return self._passed_over.get((target, key), 0)

    def obstacle(self, job: Job, target: Target, running: bool) -> RepairRefused | None:
        """What stands against a step, but for the budget."""
        quiet, is_repair = self._windows.silence, isinstance(job.step, Repair)
        left_alone = silence.is_unmonitored(quiet, target.window)
        return refuse(
            unmonitored=left_alone and not goes_on_alone(job),
            in_window=silence.in_window(quiet, target.window),
            in_doubt=silence.in_doubt(quiet),
            running=running,
            manager_is_restarting=job.name in ("start", "restart") and _is_returning(target),
            need_down=is_repair and self._need_is_down(target),
        )

    def spend(self, turn: Turn, job: Job, target: Target) -> RepairRefused | None:
        """Takes an order's part out of a budget, once; BUDGET_SPENT where there is none left."""
        if not costs(job.step) or target.name in job.order.paid:
            return None
        before, allowance = target.spent, self._allowance(target)
        target.spent, allowed = budget.allow(before, allowance, turn.now)
        if target.spent != before:
            turn.keep_budget(target)
        if budget.exhausted_now(before, target.spent):
            self._tell_exhausted(turn, target, allowance)
        if not allowed:
            return RepairRefused.BUDGET_SPENT
        job.order.paid.add(target.name)
        return None

    def grant(self, job: Job) -> None:
        """Nothing stands against it any more."""
        self._passed_over.pop((job.order.target, job.order.key), None)
        found = self._askers.find(job.order)
        if found is not None:
            found[0].refusal = ""

    def refuse(self, turn: Turn, job: Job, target: Target, reason: RepairRefused) -> None:
        """Says so once; the rule's hold is to be met anew, after a pause where there is one."""
        found = self._askers.find(job.order)
        if found is None:
            return
        asker, _ = found
        if reason is RepairRefused.ALREADY_RUNNING:
            rule = (job.order.target, job.order.key)
            self._passed_over[rule] = self._passed_over.get(rule, 0) + 1
        wish = f"{job.name} {title(target)}" if isinstance(job.step, Repair) else job.name
        text = f"{wish} refused, {reason.name}: {reason.value}"
        if asker.refusal != text:
            self._log.info(f"{title(asker)}: {text}")
        asker.refusal = text
        self._askers.free(turn, job.order, max(turn.now, target.spent.paused_until))

    def _need_is_down(self, target: Target) -> bool:
        names = target.check.needs if isinstance(target, WatchedService) else ()
        watched = self._world.services
        needs = (need for name in names for need in templates.meant(name, watched))
        return any(services.is_down(need.state) for need in needs)

    def _allowance(self, target: Target) -> Budget:
        return target.check.budget if isinstance(target, WatchedService) else self._restarts

    def _tell_exhausted(self, turn: Turn, target: Target, allowed: Budget) -> None:
        event = self._happenings.repair(
            "RepairExhausted",
            target,
            f"repaired {allowed.repairs} times within {allowed.window_s / 60:g} minutes and still"
            f" not well; nothing more is tried for {target.spent.pause_s / 60:g} minutes",
            turn.wall,
            target.state.reason if isinstance(target, WatchedService) else "",
        )
        self._log.warn(event.text)
        target.repair_told = True
        turn.keep_repair_told(target)
        turn.tell_owner(event, target.check.owner)


def goes_on_alone(job: Job) -> bool:
    """Whether nothing else is done to its target any more, because its own order said so."""
    return job.order.alone and job.place == job.order.target


def _is_returning(target: Target) -> bool:
    return isinstance(target, WatchedService) and target.seen.returning
