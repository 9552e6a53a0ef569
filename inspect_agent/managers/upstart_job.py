"""What initctl prints, and what the states of a job mean: initctl(8), "status".

    web start/running, process 32
    sidekiq (0) start/running, process 11
    prestart stop/pre-stop, process 87
    <TAB>pre-stop process 100
    web start/post-start, (post-start) process 2137
    rsyslog (start) running, process 32225              as versions before 0.5 had it

The first process is the main one, or that of pre-start or post-stop; the kind of any other is in
brackets. A job that only stands for a state has no process at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.model.observation import Observation
from inspect_agent.typed import NamedTuple

_LINE = re.compile(
    r"(?P<name>\S+) (?:\((?P<instance>.*)\) )?(?P<goal>[a-z]+)/(?P<state>[a-z-]+)"
    r"(?:, (?:\((?P<kind>[a-z-]+)\) )?process (?P<pid>[0-9]{1,10}))?"
)
_OLD_LINE = re.compile(
    r"(?P<name>\S+) \((?P<goal>[a-z]+)\) (?P<state>[a-z-]+)(?:, process (?P<pid>[0-9]{1,10}))?"
)
_FURTHER_PROCESS = re.compile(r"\t[a-z-]+ process [0-9]{1,10}")

_GOALS = ("start", "stop", "respawn")
_COMING = ("waiting", "starting", "pre-start", "spawned", "post-start")
_GOING = ("stopping", "killed", "post-stop")
_STATES = (*_COMING, "running", "pre-stop", *_GOING)
_WITH_MAIN_PROCESS = ("post-start", "running", "pre-stop", "stopping")


class Job(NamedTuple):
    """A job, or one instance of it.

    goal, state  `start` and `running` of `start/running`
    pid          the process on its line, or None
    kind         what that process is, where it is not the main one: `post-start`
    """

    name: str
    instance: str = ""
    goal: str = "stop"
    state: str = "waiting"
    pid: int | None = None
    kind: str = ""


def parse_jobs(text: str) -> Sequence[Job]:
    """The jobs in the order they are listed in. Raises ManagerError for anything else."""
    if text and not text.endswith("\n"):
        raise ManagerError(f"initctl ended within a line: {_last_line(text)[:80]!r}")
    jobs: list[Job] = []
    for line in text.split("\n")[:-1]:
        if not (jobs and _FURTHER_PROCESS.fullmatch(line)):
            jobs.append(_job(line))
    return jobs


def observe(job: Job, respawns: bool) -> Observation:
    """Where a job is; `respawns`: Upstart starts it again when it ends by itself."""
    words = f"{job.goal}/{job.state}"
    if job.goal not in _GOALS or job.state not in _STATES:
        return Observation("unknown", reason=words)
    if job.goal == "respawn" or (job.goal == "start" and job.state in _GOING):
        return Observation("starting", reason=words, restarts_itself=True)
    main = job.pid if not job.kind and job.state in _WITH_MAIN_PROCESS else None
    if main is not None or job.state == "running":
        return Observation("up", main, words, restarts_itself=respawns and job.goal == "start")
    if job.goal == "start":
        return Observation("starting", reason=words, restarts_itself=respawns)
    return Observation("down", reason=f"{words}; upstart does not say why", ambiguous=True)


def _job(line: str) -> Job:
    match = _LINE.fullmatch(line) or _OLD_LINE.fullmatch(line)
    if match is None:
        raise ManagerError(f"initctl printed no job: {line[:80]!r}")
    told = {"instance": "", "kind": "", **{k: v for k, v in match.groupdict().items() if v}}
    pid = int(told["pid"]) if "pid" in told else None
    return Job(told["name"], told["instance"], told["goal"], told["state"], pid, told["kind"])


def _last_line(text: str) -> str:
    return text.rpartition("\n")[2]
