"""What is known of the code that services run, for rules that ask whether it is stale or outdated.

    read at once        a process that is new; whether it is stale, when the release leads elsewhere
    read every cycle    what is stale: a service may move on by itself, and then needs no restart
    read every minute   everything else

Only for so long is read in one cycle, what was not read for longest first, that a thousand services
hold nothing up. What was not read yet is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from inspect_agent import clock
from inspect_agent.core.watched import Reading, WatchedService
from inspect_agent.model.rule import ServiceWord
from inspect_agent.model.target import Process
from inspect_agent.sources.freshness import Code, Release, Verdict
from inspect_agent.sources.tree import Processes
from inspect_agent.sources.wrapper import busy_child
from inspect_agent.typed import NamedTuple, Union

AGAIN_S = 60.0

MOST_S = 0.005
"""CPU time in one cycle: where a process works takes 20 µs, what it has mapped 50 µs to some ms."""

_DECISIVE: Mapping[ServiceWord, bool] = {"stale": False, "outdated": True}
"""Of several processes, one that is found so decides for all."""

_NEVER = float("-inf")

Against = Union[Release, Verdict, None]
"""What a process is stale by: the release, or why nobody knows it. None: outdated needs nothing."""


class _Due(NamedTuple):
    """What is to be read, and when it was last."""

    last: float
    service: WatchedService
    process: Process
    word: ServiceWord
    against: Against


class Freshness:
    """Keeps the readings of services; `cpu_s` tells how much CPU time was used until now."""

    def __init__(
        self,
        processes: Processes,
        code: Code | None = None,
        cpu_s: Callable[[], float] = clock.cpu_s,
    ) -> None:
        self._processes, self._cpu_s = processes, cpu_s
        self._code = code or Code()

    def refresh(self, services: Iterable[WatchedService], now: float) -> None:
        """Reads what is due of services whose rules ask for it.

        They are sampled after it: that tells when a process has ended meanwhile, and what was read
        is another's.
        """
        until = self._cpu_s() + MOST_S
        for due in sorted(self._due(services, now), key=attrgetter("last")):
            holds, why = _decided(due.word, self._verdicts(due))
            why = why.encode(errors="replace").decode()  # names of files need not be UTF-8
            due.service.readings[due.word] = Reading(due.process, due.against, now, holds, why)
            if self._cpu_s() >= until:
                break

    def _due(self, services: Iterable[WatchedService], now: float) -> Iterator[_Due]:
        releases: dict[str, Against] = {}
        for service in services:
            process = service.process
            if process is None:
                continue
            for word in service.code_words:
                against = self._against(word, service.check.release or "", releases)
                reading = service.reading(word)
                if reading is not None and reading.against != against:
                    del service.readings[word]
                    reading = None
                is_passing = reading is not None and reading.holds and word == "stale"
                if reading is None or is_passing or now - reading.at >= AGAIN_S:
                    last = _NEVER if reading is None else reading.at
                    yield _Due(last, service, process, word, against)

    def _against(self, word: ServiceWord, path: str, releases: dict[str, Against]) -> Against:
        """What a service of this release is stale by; services that share one look once."""
        if word == "outdated":
            return None
        if path not in releases:
            releases[path] = self._release(path)
        return releases[path]

    def _release(self, path: str) -> Against:
        try:
            return self._code.release(path)
        except Exception as error:  # noqa: BLE001 (what raises harms only services of this release)
            return Verdict(None, str(error))

    def _verdicts(self, due: _Due) -> Sequence[Verdict]:
        """What each process tells that runs the code."""
        try:
            return [self._verdict(due, pid) for pid in self._pids(due)]
        except Exception as error:  # noqa: BLE001 (what raises harms only this service)
            return [Verdict(None, f"{type(error).__name__}: {error}")]

    def _verdict(self, due: _Due, pid: int) -> Verdict:
        if due.against is None:
            return self._code.outdated(pid)
        if isinstance(due.against, Verdict):
            return due.against
        return self._code.stale(pid, due.against)

    def _pids(self, due: _Due) -> Sequence[int]:
        """The main process; of a wrapper the one that works in it, or else all that there are."""
        process = due.process
        if not due.service.is_wrapped:
            return (process.pid,)
        child = busy_child(process, self._processes)
        if child is not None:
            return (child.pid,)
        return (process.pid, *self._processes.below(process.pid))


def _decided(word: ServiceWord, verdicts: Sequence[Verdict]) -> Verdict:
    known = [verdict for verdict in verdicts if verdict.holds is not None]
    decisive = (verdict for verdict in known if verdict.holds is _DECISIVE[word])
    return next(decisive, (known or verdicts)[0])
