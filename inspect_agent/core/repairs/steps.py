"""The steps of a rule, each begun in its own way.

restart, reload, start, stop   a command of the service's manager
signal NAME                    to its main process; it has ended as soon as it is sent
run "CMD" [as USER]            /bin/sh with a deadline, told of the event by INSPECT_* variables
unmonitor                      as `inspectctl unmonitor` does
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from inspect_agent.core.child import Children
from inspect_agent.core.happenings import title
from inspect_agent.core.log import Log
from inspect_agent.core.lookup import guarded
from inspect_agent.core.loop import Loop
from inspect_agent.core.repairs import environment, signalling
from inspect_agent.core.repairs.job import Job
from inspect_agent.core.watched import Target, WatchedService
from inspect_agent.core.windows import Windows
from inspect_agent.errors import ManagerError, StepError
from inspect_agent.model.observation import Command, Finished
from inspect_agent.model.rule import Repair, Run, Signal
from inspect_agent.sources.tree import Processes

BECOME = "inspect_agent.workers.become"
LAST_LINES = 5
LONGEST_LINE = 300

Ended = Callable[[str], object]


class Steps:
    """`timeout_s` is the deadline of commands where no check sets one."""

    def __init__(
        self, loop: Loop, log: Log, children: Children, processes: Processes, windows: Windows
    ) -> None:
        self._loop, self._log, self._children = loop, log, children
        self._processes, self._windows = processes, windows
        self.timeout_s = 30.0

    def begin(self, job: Job, target: Target, ended: Ended) -> None:
        """Begins a step; `ended` is told later what went wrong, "" for nothing.

        Raises StepError where it cannot even begin.
        """
        step = job.step
        if isinstance(step, Run):
            self._run(job, step, target, ended)
        elif not isinstance(target, WatchedService):
            raise StepError("it is no service")
        elif isinstance(step, Repair):
            self._repair(step, target, ended)
        elif isinstance(step, Signal):
            self._signal(step, target, ended)
        else:
            self._unmonitor(job, target, ended)

    def _repair(self, step: Repair, service: WatchedService, ended: Ended) -> None:
        command = _command(step, service)
        self._log.info(f"{service.check.name}: {step.verb}: {' '.join(command.argv)}")
        self._children.carry_out(command, lambda result: ended(trouble(result)))
        service.held = True
        service.repairing = step.verb

    def _signal(self, step: Signal, service: WatchedService, ended: Ended) -> None:
        process, seen = service.process, service.seen
        if process is None:
            raise StepError(f"there is no process: it is {seen.status} ({seen.reason})")
        signalling.send(process, step.name, self._processes.identify)
        self._log.info(f"{service.check.name}: signal {step.name} to process {process.pid}")
        service.held = True  # what comes of it is judged in the next cycle, or after a repair
        service.signalled = process, self._loop.now() + service.check.timeout_s
        self._loop.call_soon_threadsafe(partial(ended, ""))

    def _run(self, job: Job, step: Run, target: Target, ended: Ended) -> None:
        timeout_s = target.check.timeout_s if isinstance(target, WatchedService) else self.timeout_s
        self._log.info(f"{title(target)}: {job.name}" + (f" as {step.user}" if step.user else ""))
        self._children.carry_out(
            Command(_script(step), timeout_s),
            lambda result: ended(trouble(result)),
            {**job.order.about, **environment.pid(target)},
        )

    def _unmonitor(self, job: Job, service: WatchedService, ended: Ended) -> None:
        job.order.alone = True
        self._log.info(f"{service.check.name}: unmonitor")
        self._windows.unmonitor((service.check.name,), partial(ended, ""))


def _command(step: Repair, service: WatchedService) -> Command:
    """What to run. Raises StepError where there is nothing, or the manager raised."""
    manager = service.manager
    if manager is None:
        raise StepError("no manager has a command for it")
    found = guarded(lambda: manager.command(step.verb, service.check))
    if isinstance(found, ManagerError):
        raise StepError(f"{manager.name}: {found}") from found
    if found is None:
        raise StepError(f"{manager.name} has no command for it")
    return found


def _script(step: Run) -> tuple[str, ...]:
    """A shell, or what becomes one as another user."""
    if not step.user:
        return "/bin/sh", "-c", step.command
    return sys.executable, "-I", "-m", BECOME, step.user, step.command


def trouble(result: Finished) -> str:
    """How a command failed, with its last lines; "" when it did not."""
    if result.exit_status == 0:
        return ""
    lines = [line for line in (result.stderr or result.stdout).splitlines() if line.strip()]
    last = " / ".join(line[:LONGEST_LINE] for line in lines[-LAST_LINES:])
    if result.exit_status is None:
        return last or "no exit status"
    how = (
        f"exit {result.exit_status}"
        if result.exit_status >= 0
        else f"killed by signal {-result.exit_status}"
    )
    return f"{how}: {last}" if last else how
