"""Metrics: what a family declares, and what a sample of it may be."""

from __future__ import annotations

from inspect_agent.typed import Literal, NamedTuple, Union

Unit = Literal["bytes", "percent", "seconds", "count", "number"]
"""What a bare number means in a rule, and how a value is shown.

    bytes    suffixes k m g t p, 1024-based; `%` is a share of the memory (rule.Amount)
    percent  0..100, or 100 per core where the metric is CPU time
    seconds  suffixes s m h d
    count    things; suffixes k m g, 1024-based
    number   no unit (load averages)
"""

Kind = Literal["gauge", "counter", "usage"]
"""How samples become what a rule compares.

    gauge    the sample itself
    counter  only grows; compared by its growth in the last cycle, or per second with `/sec`
    usage    only grows, in seconds of use (CPU time); compared as a percentage of the time
             that passed, 100 a core
"""

Scope = Literal["host", "service", "probe"]
"""Which kind of check may use a family."""

ParamKind = Literal[
    "text", "secret", "path", "command", "duration", "count", "port", "flag", "choice"
]
"""What a parameter's value is: `command` is split into words, `duration` is in seconds."""


class MetricId(NamedTuple):
    """A metric by its family and its name; the name is empty where the family is the metric."""

    family: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.family}:{self.name}" if self.name else self.family


class Metric(NamedTuple):
    """One metric as its family declares it.

    most   the largest value it can have, in its unit; None: nobody can say
    noisy  True: it jumps from sample to sample, so that one says little; so does what is no gauge
    low    True: small values are the bad ones (free space, days left)
    """

    name: str
    unit: Unit
    kind: Kind
    help: str
    most: float | None = None
    noisy: bool = False
    low: bool = False


class Param(NamedTuple):
    """A parameter that a metric family or a channel understands.

    required   it has to be given where the family is used, or the channel
    choices    the words allowed where kind is `choice`
    many       may be given more than once, or hold several values separated by commas
    default    what counts where it is not given, for people
    """

    name: str
    kind: ParamKind
    help: str
    required: bool = False
    choices: tuple[str, ...] = ()
    many: bool = False
    default: str = ""


class Family(NamedTuple):
    """A metric family in one scope.

    metrics    the names it has
    any_name   the declaration of every name not in `metrics`, where names come from the machine;
               its own name says what those are (MOUNT); None where an unknown name is a mistake
    params     what `with …` may set for it
    help       what it is about, in a few words
    origin     where its values come from: `/proc/stat`
    """

    name: str
    scope: Scope
    metrics: tuple[Metric, ...]
    any_name: Metric | None = None
    params: tuple[Param, ...] = ()
    help: str = ""
    origin: str = ""

    def find(self, name: str) -> Metric | None:
        """The declaration of `name`, or None where the family has no such metric."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        return self.any_name if name else None


class NoData(NamedTuple):
    """Why there is no value. Absence is never a number.

    failed   True: the source could not be asked, or answered badly (`FAMILY fails`); not so where
             there is nothing to be measured, or nothing yet
    """

    reason: str
    failed: bool = False


Value = Union[float, NoData]
