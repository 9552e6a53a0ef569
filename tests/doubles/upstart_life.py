"""The life of one instance of a job in the double of Upstart, with real processes.

    starting → pre-start → spawned → post-start → running → pre-stop → stopping → killed → post-stop

and from there to starting again, where its goal is to be started, or to waiting, where it is gone.
Which of these are recorded is said in upstart_init.py.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from tests.doubles.upstart_stanzas import MAIN, Job

Goal = Literal["start", "stop"]


class Failed(Exception):
    """A job that did not come to where it was to go; the text is initctl's."""


class Child:
    """A process; `ended` is done with its exit status, -1 where that is not to be had."""

    def __init__(self, pid: int, poll: Callable[[], int | None]) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._poll, self._fd = poll, os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._fd, self._end)

    def kill(self, number: signal.Signals) -> None:
        """Sends a signal to its process group."""
        os.killpg(os.getpgid(self.pid), number)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)
        status = self._poll()
        self.ended.set_result(-1 if status is None else status)


class Instance:
    """One instance; `gone` is called when it waits again."""

    def __init__(
        self,
        job: Job,
        name: str,
        variables: Mapping[str, str],
        log: Path,
        gone: Callable[[], object],
    ) -> None:
        self.job, self.name, self._variables = job, name, variables
        self.goal: Goal = "start"
        self.state = "waiting"
        self.main: Child | None = None
        self._stage: tuple[str, int] | None = None
        self._log, self._gone = log, gone
        self._wish = asyncio.Event()
        self._waiting: list[tuple[str, str, asyncio.Future[str]]] = []
        self._respawns, self._respawned_at = 0, 0.0
        self._life = asyncio.create_task(self._live())

    @property
    def title(self) -> str:
        """`sidekiq (0)`, or the job's name."""
        return f"{self.job.name} ({self.name})" if self.name else self.job.name

    def line(self) -> str:
        """What `status` prints."""
        text = f"{self.title} {self.goal}/{self.state}"
        processes = [(MAIN, self.main.pid)] if self.main else []
        processes += [self._stage] if self._stage else []
        for number, (kind, pid) in enumerate(processes):
            if number > 0:
                text += f"\n\t{kind} process {pid}"
            elif kind in (MAIN, "pre-start", "post-stop"):
                text += f", process {pid}"
            else:
                text += f", ({kind}) process {pid}"
        return text

    async def reach(self, state: str, failure: str, goal: Goal | None = None) -> str:
        """Waits until it is there; its line at that moment. Raises Failed with `failure`.

        With a goal: changes that, so that it leaves where it is.
        """
        if goal is not None:
            self.goal = goal
            self._wish.set()
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((state, failure, future))
        return await future

    async def _live(self) -> None:
        while self.goal == "start":
            await self._begin()
            if self.goal == "start":
                self._wish.clear()
                self._enter("running")
                await self._run()
            await self._end()
        self._gone()
        self._enter("waiting")

    async def _begin(self) -> None:
        self._enter("starting")
        if await self._run_stage("pre-start"):
            self.goal = "stop"
            return
        self._enter("spawned")
        if MAIN in self.job.programs:
            await self._spawn_main()
        await self._run_stage("post-start")

    async def _run(self) -> None:
        """Until its main process ends, or somebody wishes it to."""
        wish = asyncio.ensure_future(self._wish.wait())
        ended = self.main.ended if self.main else asyncio.get_running_loop().create_future()
        await asyncio.wait({wish, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not wish.done():
            wish.cancel()
            self.goal = "start" if self._comes_back(ended.result()) else "stop"
        elif self.goal == "stop":
            await self._run_stage("pre-stop")

    def _comes_back(self, status: int) -> bool:
        if not self.job.respawns or (self.job.is_task and status == 0):
            return False
        now, (most, interval_s) = asyncio.get_running_loop().time(), self.job.limit
        if now - self._respawned_at >= interval_s:
            self._respawned_at, self._respawns = now, 0
        self._respawns += 1
        return self._respawns <= most

    async def _end(self) -> None:
        self._enter("stopping")
        self._enter("killed")
        if self.main is not None:
            main = self.main
            if not main.ended.done():
                main.kill(signal.SIGTERM)
                await asyncio.wait({main.ended}, timeout=self.job.kill_timeout_s)
            if not main.ended.done():
                main.kill(signal.SIGKILL)
            await main.ended
            self.main = None
        await self._run_stage("post-stop")

    async def _run_stage(self, stage: str) -> int:
        self._enter(stage)
        if stage not in self.job.programs:
            return 0
        child = self._spawn(stage)
        self._stage = (stage, child.pid)
        status = await child.ended
        self._stage = None
        return status

    async def _spawn_main(self) -> None:
        self.main = self._spawn(MAIN)
        if self.job.forks:  # the process that it leaves behind is the service
            await self.main.ended
            self.main = Child(_left_in_session(self.main.pid), lambda: None)

    def _spawn(self, kind: str) -> Child:
        with self._log.open("a") as log:
            process = subprocess.Popen(
                self.job.programs[kind],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.environ["PATH"], **self._variables},
                start_new_session=True,
            )
        child = Child(process.pid, process.poll)
        if kind == MAIN and not self.job.forks:
            child.ended.add_done_callback(lambda _: self._lose_main(child))
        return child

    def _lose_main(self, child: Child) -> None:
        """It is not shown any more, whatever is being done meanwhile."""
        if self.main is child and self.state in ("post-start", "pre-stop"):
            self.main = None

    def _enter(self, state: str) -> None:
        self.state = state
        line = self.line() if state != "waiting" else f"{self.job.name} stop/waiting"
        waiting, self._waiting = self._waiting, []
        for wanted, failure, future in waiting:
            if wanted == state:
                future.set_result(line)
            elif state == "waiting":
                future.set_exception(Failed(failure))
            else:
                self._waiting.append((wanted, failure, future))


def _left_in_session(session: int) -> int:
    for process in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = process.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            return int(process.parent.name)
    raise Failed("nothing was left behind")
