"""What stands for Upstart's init, which cannot be had: `upstart_init.py FOLDER JOBS`.

Jobs are read from JOBS/**/*.conf each time they are asked for; FOLDER holds the socket for
initctl.py and the output of jobs. `ready` is printed when it answers; it ends, with all its jobs,
when its standard input does.

As recorded of a real Upstart 1.13.2 (tests/fixtures/upstart), which a test replays against it:
version, start, stop, restart, reload, status and list, with their errors and exit statuses;
instances and their names; pre-start, post-start, pre-stop and killed as status shows them, with the
second line of a stage's process; respawn and its limit; `expect fork`, tasks, `reload signal` and
`kill timeout`.

Beyond the record, by initctl(8) and init(5): the order of the list; post-stop; a pre-start that
fails (`Job failed to start`); start and stop of what is just doing the opposite (`Job has already
been stopped: `); stop of an instance, which prints the job's name alone; no pre-stop in a restart.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from tests.doubles.upstart_life import Failed, Instance
from tests.doubles.upstart_stanzas import Job, read_jobs

VERSION = "init (upstart 1.13.2)"


class Refused(Exception):
    """What initctl says on standard error, behind its name."""


class Init:
    """The instances of all jobs, by the names of both."""

    def __init__(self, folder: Path, jobs: Path) -> None:
        self._folder, self._jobs = folder, jobs
        self._instances: dict[tuple[str, str], Instance] = {}

    async def serve(self) -> None:
        """Answers until standard input ends."""
        over = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin, over.set)
        async with await asyncio.start_unix_server(self._answer, self._folder / "socket"):
            print("ready", flush=True)
            await over.wait()
        for instance in self._instances.values():
            if instance.main is not None:
                instance.main.kill(signal.SIGKILL)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command, *words = json.loads(await reader.readline())
        try:
            answer = 0, f"{await self._do(command, words)}\n".lstrip("\n"), ""
        except (Refused, Failed) as error:
            answer = 1, "", f"initctl: {error}\n"
        writer.write(json.dumps(answer).encode())
        writer.close()

    async def _do(self, command: str, words: Sequence[str]) -> str:
        if command == "version":
            return VERSION
        if command == "list":
            return self._list()
        job, name, variables = self._find(words)
        instance = self._instances.get((job.name, name))
        if command == "start":
            return await self._start(job, name, variables, instance)
        if instance is None and command == "status" and not words[1:]:
            return f"{job.name} stop/waiting"
        if instance is None:
            raise Refused(f"Unknown instance: {name}")
        if command == "status":
            return instance.line()
        if command == "reload":
            return _reload(instance)
        return await _leave(instance, command)

    def _list(self) -> str:
        lines = []
        for name in read_jobs(self._jobs):
            own = [one.line() for (job, _), one in self._instances.items() if job == name]
            lines.extend(own or [f"{name} stop/waiting"])
        return "\n".join(lines)

    def _find(self, words: Sequence[str]) -> tuple[Job, str, Mapping[str, str]]:
        job = read_jobs(self._jobs).get(words[0])
        if job is None:
            raise Refused(f"Unknown job: {words[0]}")
        variables = dict(word.split("=", 1) for word in words[1:])
        try:
            return job, Template(job.instance).substitute(variables), variables
        except KeyError as missing:
            raise Refused(f"Unknown parameter: {missing.args[0]}") from missing

    async def _start(
        self, job: Job, name: str, variables: Mapping[str, str], instance: Instance | None
    ) -> str:
        if instance is None:
            place = (job.name, name)
            log = self._folder / f"{job.name.replace('/', '_')}.log"
            instance = Instance(job, name, variables, log, lambda: self._instances.pop(place))
            self._instances[place] = instance
        elif instance.goal == "start":
            raise Refused(f"Job is already running: {instance.title}")
        there = "waiting" if job.is_task else "running"
        return await instance.reach(there, "Job failed to start", "start")


async def _leave(instance: Instance, command: str) -> str:
    """Stops or restarts what is not being stopped already."""
    if instance.goal == "stop":
        raise Refused(f"Job has already been stopped: {instance.title}")
    if command == "stop":
        return await instance.reach("waiting", "Job failed while stopping", "stop")
    return await instance.reach("running", "Job failed to restart", "start")


def _reload(instance: Instance) -> str:
    if instance.main is None:
        raise Refused("Not running")
    os.kill(instance.main.pid, instance.job.reload_signal)
    return ""


if __name__ == "__main__":
    asyncio.run(Init(Path(sys.argv[1]), Path(sys.argv[2])).serve())
