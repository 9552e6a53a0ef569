"""Jobs of Upstart, by initctl(8)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.managers.upstart_asked import Asked, asked, why_no_name
from inspect_agent.managers.upstart_job import Job, observe, parse_jobs
from inspect_agent.model.observation import Command, Finished, Observation, Status
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import ServiceCheck
from inspect_agent.ports import Fingerprints, Observations, Question

_ASK_TIMEOUT_S = 20.0
_LIST = ("initctl", "list")
# of instances whose names only Upstart knows; nothing is listed as `--`
_LIST_AND_STATUS = (
    'initctl list || exit; set -f; IFS=$(printf "\\037");'
    " for words; do echo --; initctl status $words 2>&1; done; :"
)
_BETWEEN_WORDS = "\x1f"
_BETWEEN_ANSWERS = re.compile(r"^--\n", re.MULTILINE)
# restart fails where nothing runs, start where something does
_SCRIPTS: Mapping[Verb, str] = {
    "restart": 'initctl restart "$@" || initctl start "$@"',
    "start": 'initctl start "$@" || initctl status "$@" 2>/dev/null | grep -q " start/"',
}

_Jobs = Mapping[str, Mapping[str, Job]]
"""By their names, then by those of their instances."""


class Upstart:
    """Asks `initctl list` for all services at once; `folder` is where jobs are configured."""

    name = "upstart"

    def __init__(self, folder: str = "/etc/init") -> None:
        self._folder = folder

    def look(self, checks: Sequence[ServiceCheck]) -> Observations | Question[Observations]:
        """Where these services are; the names of no possible job are not asked for."""
        found = {check.name: asked(check, self._folder) for check in checks}
        refused = {
            name: Observation("absent", reason=one)
            for name, one in found.items()
            if isinstance(one, str)
        }
        wanted = {name: one for name, one in found.items() if isinstance(one, Asked)}
        unnamed = [name for name, one in wanted.items() if one.instance is None]
        if not wanted:
            return refused

        def parse(finished: Finished) -> Observations:
            listed, *answers = _answers(finished, 1 + len(unnamed))
            jobs, status = _by_name(parse_jobs(listed)), dict(zip(unnamed, answers, strict=True))
            seen = {
                name: _by_status(one, status[name]) if name in status else _by_list(one, jobs)
                for name, one in wanted.items()
            }
            return {**refused, **seen}

        return Question(_command([wanted[name] for name in unnamed]), parse)

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints | Question[Fingerprints]:
        """What a look says, for nothing is cheaper than a list."""
        answer = self.look(checks)
        if not isinstance(answer, Question):
            return _fingerprints(answer)
        look = answer.parse
        return Question(answer.command, lambda finished: _fingerprints(look(finished)))

    def loaded(self) -> Sequence[str] | Question[Sequence[str]]:
        """The jobs there are, or their instances, where these are not stopped."""

        def parse(finished: Finished) -> Sequence[str]:
            (listed,) = _answers(finished, 1)
            jobs = [job for job in parse_jobs(listed) if not why_no_name(job.name, job.instance)]
            return [f"{job.name}@{job.instance}" if job.instance else job.name for job in jobs]

        return Question(Command(_LIST, _ASK_TIMEOUT_S), parse)

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """`initctl VERB JOB KEY=VALUE…`, which waits until it is done, or has failed.

        Raises ManagerError where the variables of an instance cannot be found out.
        """
        wanted = asked(check, self._folder)
        if isinstance(wanted, str):
            return None
        script = _SCRIPTS.get(verb)
        argv = ("sh", "-c", script, "initctl") if script else ("initctl", verb)
        return Command((*argv, *wanted.words()), check.timeout_s)


def _command(unnamed: Sequence[Asked]) -> Command:
    if not unnamed:
        return Command(_LIST, _ASK_TIMEOUT_S)
    words = [_BETWEEN_WORDS.join(one.words()) for one in unnamed]
    return Command(("sh", "-c", _LIST_AND_STATUS, "initctl", *words), _ASK_TIMEOUT_S)


def _answers(finished: Finished, wanted: int) -> Sequence[str]:
    """What was printed: the list, then the status of each that was asked for."""
    words = finished.stderr.strip().split("\n")[-1]
    if finished.exit_status != 0 or (words and not finished.stdout):
        words = words or f"exit status {finished.exit_status}"
        raise ManagerError(f"initctl: {words.removeprefix('initctl: ')}")
    answers = _BETWEEN_ANSWERS.split(finished.stdout)
    if len(answers) != wanted:
        raise ManagerError(f"initctl gave {len(answers)} answers to {wanted} questions")
    return answers


def _by_name(jobs: Sequence[Job]) -> _Jobs:
    found: dict[str, dict[str, Job]] = {}
    for job in jobs:
        found.setdefault(job.name, {})[job.instance] = job
    return found


def _by_list(wanted: Asked, jobs: _Jobs) -> Observation:
    """Where something is that has a name; an instance is listed only while it is not stopped."""
    name, instance, conf = wanted.job, wanted.instance or "", wanted.conf
    instances = jobs.get(name)
    if instances is None:
        return _unknown_job(name)
    single = instances.get("")
    if not instance and (single is None or (conf is not None and conf.instance)):
        hint = f"name one, as in {name}@NAME, or all: {name}@*"
        return Observation("absent", reason=f"{name} has instances: {hint}")
    runs_without = single is not None and single.state != "waiting"
    if instance and (runs_without or (conf is not None and not conf.instance)):
        return Observation("absent", reason=f"{name} has no instances")
    return _observe(instances.get(instance, Job(name, instance)), wanted)


def _by_status(wanted: Asked, answer: str) -> Observation:
    """Where an instance is whose name only Upstart knows."""
    words = answer.strip().removeprefix("initctl: ")
    if words.startswith("Unknown job: "):
        return _unknown_job(wanted.job)
    if words.startswith("Unknown instance: "):
        return _observe(Job(wanted.job), wanted)
    status: Status = "absent" if words.startswith("Unknown parameter: ") else "unknown"
    try:
        jobs = parse_jobs(answer)
    except ManagerError:
        jobs = []
    return _observe(jobs[0], wanted) if len(jobs) == 1 else Observation(status, reason=words[:80])


def _observe(job: Job, wanted: Asked) -> Observation:
    return observe(job, respawns=wanted.conf is not None and wanted.conf.respawns)


def _unknown_job(job: str) -> Observation:
    reason = f"Unknown job: {job}"
    if os.geteuid() != 0:
        reason += "; one of root's may be unknown to an ordinary user"
    return Observation("absent", reason=reason)


def _fingerprints(seen: Observations) -> Fingerprints:
    return {name: repr(observation) for name, observation in seen.items()}
