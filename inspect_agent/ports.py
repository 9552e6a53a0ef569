"""The three things one can add: a Source, a Manager, a Channel.

Each is one small file that says one thing, and one row in registry.py; a channel may also be an
entry point of a package of your own. docs/extending.md walks through one of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from inspect_agent.model.message import Message
from inspect_agent.model.metric import Family, MetricId, Param, Value
from inspect_agent.model.observation import Command, Finished, Observation
from inspect_agent.model.rule import Verb
from inspect_agent.model.target import Machine, Probe, Process, ServiceCheck
from inspect_agent.typed import Generic, Protocol, TypeVar, Union

Subject = Union[Machine, Process, Probe]
A = TypeVar("A")


class Reader(Protocol):
    """An open source: reads the metrics of one subject, again and again."""

    def read(self) -> Sequence[Value]:
        """One value a metric, in the order they were asked for at `open`.

        A counter or usage is given as it stands; the history makes rates of it. Raises
        ProcessGone when the subject is a process that has ended, SourceError when nothing could
        be read at all.
        """
        ...

    def close(self) -> None:
        """Gives back what it holds open."""
        ...


class Source(Protocol):
    """A place where metrics come from. It must not block: a read is a few microseconds."""

    families: tuple[Family, ...]

    def names(self, subject: Subject) -> Sequence[MetricId]:
        """The metrics worth showing for a subject although no rule asks for them."""
        ...

    def open(self, subject: Subject, metrics: Sequence[MetricId]) -> Reader:
        """A reader of these metrics. Raises ProcessGone or SourceError."""
        ...


class Question(Generic[A]):
    """A command whose output answers something; `parse` raises ManagerError for garbage."""

    # no NamedTuple: Python 3.10 has no generic ones (https://github.com/python/cpython/issues/88089)
    def __init__(self, command: Command, parse: Callable[[Finished], A]) -> None:
        self.command = command
        self.parse = parse


Observations = Mapping[str, Observation]
Fingerprints = Mapping[str, str]


class Manager(Protocol):
    """A service manager: says where services are, and what to run to change that.

    It runs nothing itself: it gives the core a command and reads its output, or looks at files
    where that cannot block. Names in answers are the checks' names; a service missing in an answer
    counts as absent. A name is passed as one argument, behind `--` where the tool knows it, and is
    absent where the tool could read a path, a pattern or an option into it. Whether a manager runs
    here is asked of managers/detect.py, so that one that does not is not even imported.
    """

    name: str

    def look(self, checks: Sequence[ServiceCheck]) -> Observations | Question[Observations]:
        """Where these services are, in full."""
        ...

    def glance(self, checks: Sequence[ServiceCheck]) -> Fingerprints | Question[Fingerprints]:
        """A cheap text a service that is another one as soon as `look` would tell something new."""
        ...

    def loaded(self) -> Sequence[str] | Question[Sequence[str]]:
        """The services it knows of now, as checks would name them."""
        ...

    def command(self, verb: Verb, check: ServiceCheck) -> Command | None:
        """What to run; None where this manager, or the check, has no such command.

        A restart starts what is stopped; a start of what runs already succeeds.
        """
        ...


class Channel(Protocol):
    """A way to tell people. It may block and may be slow: it lives in the notify worker."""

    params: tuple[Param, ...]
    incidents: bool
    """True: it wants one event a message, and opens and resolves incidents by their key."""

    def __init__(self, params: Mapping[str, str]) -> None:
        """Raises ValueError, with the parameter's name, for values that cannot be used."""
        ...

    def send(self, message: Message) -> str:
        """Delivers, and says in a few words how (`accepted by mx.example:25`).

        Raises DeliveryDelayed or DeliveryRefused; any other exception counts as delayed.
        """
        ...
