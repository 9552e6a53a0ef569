"""What a check asks Upstart about, and the words that its tool wants for it.

    sidekiq                                the job
    sidekiq@0                              its instance called 0: `sidekiq (0)` in lists
    sidekiq with instance "index=0"        its instance with this variable

The names of jobs may hold slashes, for they are paths below /etc/init; those of instances as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from inspect_agent.errors import ManagerError
from inspect_agent.managers.upstart_conf import Conf, expand, read_conf, solve
from inspect_agent.model.target import ServiceCheck
from inspect_agent.typed import NamedTuple

_NAME_MAX = 255
_JOB = re.compile(r"[\w.+:][\w.+:-]*(/[\w.+:][\w.+:-]*)*", re.ASCII)
_INSTANCE = re.compile(r"[\w.+:/@,=%~-]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SAY_VARIABLES = 'give the variables, as in `check service {} with instance "index=0"`'


class Asked(NamedTuple):
    """A job, or one instance of it.

    instance    its name; "" for the only one of a job, None where only Upstart knows it
    variables   those of the check, `index=0`
    file        the job's configuration
    conf        what that says; None where it cannot be read
    """

    job: str
    instance: str | None
    variables: tuple[str, ...]
    file: str
    conf: Conf | None

    def words(self) -> tuple[str, ...]:
        """The job and its variables, as initctl wants them.

        Raises ManagerError where the variables of an instance cannot be found out.
        """
        if self.variables or not self.instance:
            return self.job, *self.variables
        hint = _SAY_VARIABLES.format(self.job)
        if self.conf is None:
            raise ManagerError(f"{self.file} cannot be read: {hint}")
        try:
            return self.job, *solve(self.conf.instance, self.instance)
        except ManagerError as error:
            raise ManagerError(f"{error}: {hint}") from error


def asked(check: ServiceCheck, folder: str) -> Asked | str:
    """What a check is about, or why it can be about nothing; jobs are configured in `folder`."""
    job, at, instance = (check.name, "", "") if check.instance else check.name.partition("@")
    reason = why_no_name(job, instance) or _why_no_variables(check.instance)
    if at and not instance:
        reason = f"{check.name} names no instance"
    if reason:
        return reason
    file = f"{folder}/{job}.conf"
    conf = read_conf(file)
    if not check.instance:
        return Asked(job, instance, (), file, conf)
    variables = dict(variable.split("=", 1) for variable in check.instance)
    named = expand(conf.instance, variables) if conf else None
    return Asked(job, named, check.instance, file, conf)


def why_no_name(job: str, instance: str) -> str:
    """Why no job or instance of this name can be passed to a command; "" where it can."""
    if not _JOB.fullmatch(job) or len(job) > _NAME_MAX or {".", ".."} & {*job.split("/")}:
        return f"{job[:80]!r} cannot be the name of a job"
    if instance and (not _INSTANCE.fullmatch(instance) or len(instance) > _NAME_MAX):
        return f"{instance[:80]!r} cannot be the name of an instance"
    return ""


def _why_no_variables(variables: Sequence[str]) -> str:
    broken = next(filter(_CONTROL.search, variables), None)
    return "" if broken is None else f"{broken[:80]!r} cannot be a variable"
