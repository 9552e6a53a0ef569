"""What is read of the code of services: when, how much in one cycle, and of which processes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterable

import pytest

from inspect_agent.core.freshness import Freshness
from inspect_agent.core.metrics import Catalogue
from inspect_agent.core.watched import WatchedService
from inspect_agent.errors import SourceError
from inspect_agent.model.target import Process
from inspect_agent.sources.freshness import Code, Release, Verdict
from inspect_agent.sources.linux import LinuxProcesses
from inspect_agent.sources.tree import Sample
from tests.lang.compiling import config
from tests.sources.test_wrapper import sample

BOTH = "  if stale then restart\n  if outdated for 2 cycles then alert\n"


class Scripted(Code):
    """Releases and processes that are as a test says.

    releases  where paths lead, or why they lead nowhere
    old       PIDs of processes that are stale, or outdated; `hidden` are of others
    read      what was read since it was last asked for
    takes_s   the CPU time that it takes to read one process
    """

    def __init__(self) -> None:
        self.releases: dict[str, Release | str] = {}
        self.old: set[int] = set()
        self.hidden: set[int] = set()
        self.raises = False
        self.takes_s = 0.0
        self._used_s = 50.0
        self._read: list[str] = []

    def cpu_s(self) -> float:
        """The CPU time that was used until now."""
        return self._used_s

    def read(self) -> list[str]:
        """In the order in which it was."""
        read, self._read = self._read, []
        return read

    def release(self, path: str) -> Release:
        """See Code."""
        self._read.append(path)
        found = self.releases[path]
        if isinstance(found, str):
            raise SourceError(found)
        return found

    def stale(self, pid: int, release: Release) -> Verdict:
        """See Code."""
        return self._verdict(pid, f"{pid} in {release.folder}")

    def outdated(self, pid: int) -> Verdict:
        """See Code."""
        return self._verdict(pid, f"{pid}")

    def _verdict(self, pid: int, why: str) -> Verdict:
        self._read.append(why)
        self._used_s += self.takes_s
        if self.raises:
            raise RuntimeError("a defect")
        if pid in self.hidden:
            return Verdict(None, "hidden")
        return Verdict(pid in self.old, why if pid in self.old else "")


class Family(LinuxProcesses):
    """Processes that are as a test says."""

    def __init__(self, *found: Sample) -> None:
        super().__init__()
        self._found = {sample.pid: sample for sample in found}

    def sample(self, pid: int) -> Sample | None:
        """One of them."""
        return self._found.get(pid)

    def below(self, pid: int) -> Collection[int]:
        """All of them but this one."""
        return self._found.keys() - {pid}


FIRST, SECOND = Release("/app/releases/1", 1, 1), Release("/app/releases/2", 1, 2)


@pytest.fixture
def code() -> Scripted:
    """One release, /app/current, in which everything is up to date."""
    code = Scripted()
    code.releases["/app/current"] = FIRST
    return code


def service(pid: int, rules: str = BOTH, release: str = "/app/current") -> WatchedService:
    """A service that is up, with these rules."""
    params = f" with release {release}" if "stale" in rules else ""
    (check,) = config(f"check service s{pid}{params}\n{rules}").services
    watched = WatchedService(check, Catalogue([]), 1.0)
    watched.process = Process(pid, 1.0)
    return watched


def words(*services: WatchedService) -> list[tuple[bool | None, bool | None]]:
    """Whether each is stale, and outdated."""
    return [(one.word("stale"), one.word("outdated")) for one in services]


def refresh_each(freshness: Freshness, services: Iterable[WatchedService], *at: float) -> None:
    """A cycle at each of these times."""
    services = list(services)
    for now in at:
        freshness.refresh(services, now)


def test_what_is_fine_is_read_once_a_minute(code: Scripted) -> None:
    """A process that is new at once, and then no more often; the release's link in each cycle."""
    freshness, one = Freshness(LinuxProcesses(), code, code.cpu_s), service(7)
    assert words(one) == [(None, None)]
    freshness.refresh([one], 100.0)
    assert words(one) == [(False, False)]
    assert code.read() == ["/app/current", "7 in /app/releases/1", "7"]

    refresh_each(freshness, [one], 115.0, 130.0, 145.0, 159.9)
    assert code.read() == ["/app/current"] * 4
    freshness.refresh([one], 160.0)
    assert code.read() == ["/app/current", "7 in /app/releases/1", "7"]


def test_what_is_stale_is_read_in_every_cycle(code: Scripted) -> None:
    """So that a service which has moved on by itself is not restarted for what it was.

    What a process has mapped stays what it is: that is read once a minute.
    """
    freshness, one = Freshness(LinuxProcesses(), code, code.cpu_s), service(7)
    code.old = {7}
    refresh_each(freshness, [one], 100.0, 101.0)
    assert words(one) == [(True, True)]
    assert code.read() == [
        "/app/current",
        "7 in /app/releases/1",
        "7",
        "/app/current",
        "7 in /app/releases/1",
    ]

    code.old = set()
    refresh_each(freshness, [one], 102.0, 103.0)
    assert words(one) == [(False, True)]
    assert code.read() == ["/app/current", "7 in /app/releases/1", "/app/current"]
    refresh_each(freshness, [one], 160.0)
    assert words(one) == [(False, False)]


def test_a_symlink_that_is_another_one(code: Scripted) -> None:
    """The services that share it are read anew, and it is looked at once for all of them."""
    freshness, services = Freshness(LinuxProcesses(), code, code.cpu_s), [service(7), service(8)]
    freshness.refresh(services, 100.0)
    code.read()
    code.releases["/app/current"], code.old = SECOND, {7}
    freshness.refresh(services, 101.0)
    assert words(*services) == [(True, False), (False, False)]
    assert code.read() == ["/app/current", "7 in /app/releases/2", "8 in /app/releases/2"]


def test_a_release_that_cannot_be_found(code: Scripted) -> None:
    """Nobody knows what is stale, and why is told; it is known again as soon as it is found."""
    freshness, one = Freshness(LinuxProcesses(), code, code.cpu_s), service(7)
    code.old = {7}
    code.releases["/app/current"] = "/app/current: No such file or directory"
    refresh_each(freshness, [one], 100.0, 101.0)
    reading = one.reading("stale")
    assert reading is not None
    assert (reading.holds, reading.why) == (None, "/app/current: No such file or directory")
    assert code.read() == ["/app/current", "7", "/app/current"]

    code.releases["/app/current"] = SECOND
    freshness.refresh([one], 102.0)
    assert words(one) == [(True, True)]


def test_a_process_that_is_gone_and_one_that_is_new(code: Scripted) -> None:
    """Nothing is known without a process, nor of another one than was read."""
    freshness, one = Freshness(LinuxProcesses(), code, code.cpu_s), service(7)
    code.old = {7}
    freshness.refresh([one], 100.0)
    one.process = None
    freshness.refresh([one], 101.0)
    assert words(one) == [(None, None)]
    one.process = Process(7, 2.0)  # its PID again
    assert words(one) == [(None, None)]
    code.old = set()
    freshness.refresh([one], 102.0)
    assert words(one) == [(False, False)]


def test_a_thousand_services_hold_nothing_up(code: Scripted) -> None:
    """A cycle reads for 5 ms; what was not read yet is unknown, and all have their turn."""
    code.takes_s = 0.000_201  # 25 of them fill the time of a cycle
    freshness = Freshness(LinuxProcesses(), code, code.cpu_s)
    services = [service(pid, "  if outdated then alert\n") for pid in range(1000)]
    freshness.refresh(services, 0.0)
    assert words(*services) == [(None, False)] * 25 + [(None, None)] * 975

    refresh_each(freshness, services, *(cycle * 1.0 for cycle in range(1, 40)))
    assert words(*services) == [(None, False)] * 1000
    assert Counter(code.read()) == {str(pid): 1 for pid in range(1000)}
    code.old = set(range(1000))
    refresh_each(freshness, services, *(60.0 + cycle for cycle in range(120)))
    assert Counter(code.read()) == {str(pid): 2 for pid in range(1000)}


def test_a_thousand_services_of_one_release(code: Scripted) -> None:
    """More of them are read where that is cheap; a new process comes before all others."""
    code.takes_s = 0.000_020_05  # 250
    freshness = Freshness(LinuxProcesses(), code, code.cpu_s)
    services = [service(pid, "  if stale then alert\n") for pid in range(1000)]
    code.old = set(range(1000))
    refresh_each(freshness, services, 0.0, 1.0, 2.0, 3.0)
    assert words(*services) == [(True, None)] * 1000
    assert len(code.read()) == 1004

    services[999].process = Process(5000, 4.0)
    freshness.refresh(services, 4.0)
    read = code.read()
    assert len(read) == 251
    assert read[:3] == ["/app/current", "5000 in /app/releases/1", "0 in /app/releases/1"]
    code.releases["/app/current"] = SECOND
    freshness.refresh(services, 5.0)
    assert Counter(words(*services)) == {(True, None): 250, (None, None): 750}


def test_what_takes_long(code: Scripted) -> None:
    """One process is read in each cycle, however long that takes."""
    code.takes_s = 0.1
    freshness, services = Freshness(LinuxProcesses(), code, code.cpu_s), [service(7), service(8)]
    refresh_each(freshness, services, 0.0, 1.0, 2.0)
    assert words(*services) == [(False, False), (False, None)]
    freshness.refresh(services, 3.0)
    assert words(*services) == [(False, False), (False, False)]


def test_what_raises_harms_its_own_service_alone(code: Scripted) -> None:
    """A defect in reading one is a reason why nobody knows, and others are read."""
    freshness, one, other = Freshness(LinuxProcesses(), code, code.cpu_s), service(7), service(8)
    code.raises = True
    freshness.refresh([one], 100.0)
    code.raises = False
    freshness.refresh([one, other], 101.0)
    reading = one.reading("outdated")
    assert reading is not None
    assert reading.why == "RuntimeError: a defect"
    assert words(one, other) == [(None, None), (False, False)]
    unheard_of = service(9, release="/no/such")  # a KeyError here
    freshness.refresh([unheard_of], 102.0)
    assert words(unheard_of) == [(None, False)]


RUBY = sample(3, 2, "ruby", 200, 9.0)
LOGGER = sample(4, 2, "logger")


@pytest.mark.parametrize(
    ("found", "old", "hidden", "expected"),
    [
        ([sample(2, 0, "su"), RUBY], {3}, {2}, (True, True)),
        ([sample(2, 0, "su"), RUBY], {2}, set(), (False, False)),
        ([sample(2, 0, "bundle", 200)], {2}, set(), (True, True)),
        ([sample(2, 0, "sh"), RUBY, LOGGER], {2, 4}, set(), (False, True)),
        ([sample(2, 0, "sh"), RUBY, LOGGER], {2, 3, 4}, set(), (True, True)),
        ([sample(2, 0, "sh"), RUBY, LOGGER], set(), {2, 3}, (False, False)),
        ([sample(2, 0, "sh"), RUBY, LOGGER], set(), {2, 3, 4}, (None, None)),
    ],
    ids=[
        "what su has started is old",
        "su itself is old",
        "a wrapper that has become the program",
        "one of several is not old",
        "all of several are",
        "one of several can be looked at",
        "none can",
    ],
)
def test_what_is_wrapped(
    code: Scripted,
    found: list[Sample],
    old: set[int],
    hidden: set[int],
    expected: tuple[bool | None, bool | None],
) -> None:
    """The process that works tells; where it is not clear which does, one in the release is
    enough not to be stale, and one with old code enough to be outdated.
    """
    one = service(2)
    one.is_wrapped = True
    code.old, code.hidden = old, hidden
    Freshness(Family(*found), code, code.cpu_s).refresh([one], 100.0)
    assert words(one) == [expected]


def test_a_reload_keeps_what_is_known(code: Scripted) -> None:
    """Unless the release is another one now."""
    freshness, one = Freshness(LinuxProcesses(), code, code.cpu_s), service(7)
    freshness.refresh([one], 100.0)
    again, other = service(7), service(7, release="/app/other")
    code.releases["/app/other"] = SECOND
    for new in (again, other):
        new.succeed(one)
        new.process = Process(7, 1.0)
    code.read()
    freshness.refresh([again], 101.0)
    assert code.read() == ["/app/current"]
    freshness.refresh([other], 101.0)
    assert code.read() == ["/app/other", "7 in /app/releases/2"]


def test_nothing_of_it_is_imported_unasked() -> None:
    """An agent whose rules do not ask for it does not carry it."""
    script = (
        "import sys, inspect_agent.core.main; print([n for n in sys.modules if 'freshness' in n])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (told.stdout, told.stderr) == ("[]\n", "")
