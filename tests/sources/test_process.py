from __future__ import annotations

import os
import subprocess
from contextlib import closing

import psutil
import pytest

from inspect_agent.errors import ProcessGone
from inspect_agent.model.metric import MetricId
from inspect_agent.ports import Reader
from inspect_agent.sources.linux import LinuxProcesses
from inspect_agent.sources.process import ProcessSource, machine_processes
from inspect_agent.sources.tree import Processes
from tests.sources.living import FIRST_THREAD_ENDED, GROWS, ask, gone, identified, python

RSS, TOTAL_RSS = MetricId("memory", "rss"), MetricId("memory", "total_rss")
USER, SYSTEM = MetricId("cpu", "user"), MetricId("cpu", "system")
TOTAL_USER, TOTAL_SYSTEM = MetricId("cpu", "total_user"), MetricId("cpu", "total_system")

HELD = 64 << 20

# starts a child that uses 0.3 s of CPU, and waits for its end, as it is told to
WORKS = """
import subprocess, sys
WORK = "import time\\nwhile time.process_time() < 0.3: sum(range(999))\\nprint(flush=True); input()"
print("ready", flush=True)
for line in sys.stdin:
    if line == "start\\n":
        child = subprocess.Popen([sys.executable, "-c", WORK], stdin=-1, stdout=-1, text=True)
        child.stdout.readline()
    else:
        child.communicate("\\n")
    print("done", flush=True)
"""
WAITS_FOR_NOBODY = f"import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n{WORKS}"


def open_(processes: Processes, pid: int, *metrics: MetricId) -> Reader:
    """A reader of a living process."""
    return ProcessSource(processes).open(identified(processes, pid), metrics)


def numbers(reader: Reader) -> list[float]:
    """The values of a reading; each must be a number."""
    values = reader.read()
    assert all(isinstance(value, (int, float)) for value in values)
    return [value for value in values if isinstance(value, (int, float))]


def test_what_is_shown_comes_from_one_read() -> None:
    """What nobody asked for is shown only of the main process."""
    own = identified(machine_processes(), os.getpid())

    assert list(ProcessSource().names(own)) == [USER, SYSTEM, RSS]


def test_values_come_in_the_order_asked(processes: Processes) -> None:
    """Own metrics and totals come in the order asked, in bytes and seconds."""
    with python(WORKS) as process:
        ask(process, "start")
        asked = (TOTAL_USER, RSS, SYSTEM, TOTAL_RSS, USER, TOTAL_SYSTEM)
        with closing(open_(processes, process.pid, *asked)) as reader:
            total_user, rss, system, total_rss, user, total_system = numbers(reader)
        main = psutil.Process(process.pid)
        [child] = main.children()
        own, childs = main.memory_info().rss, child.memory_info().rss

    assert rss == pytest.approx(own, rel=0.1)
    assert total_rss == pytest.approx(own + childs, rel=0.1)
    assert user < 0.2 < total_user + total_system < 30
    assert total_system >= system


def test_memory_is_what_the_process_holds_now(processes: Processes) -> None:
    """Resident memory grows by what the process takes, in its own figure and the total."""
    with (
        python(GROWS) as process,
        closing(open_(processes, process.pid, RSS, TOTAL_RSS)) as reader,
    ):
        before = numbers(reader)
        ask(process, str(HELD))
        grown = [after - earlier for earlier, after in zip(before, numbers(reader), strict=True)]

    assert grown == [pytest.approx(HELD, rel=0.1)] * 2


@pytest.mark.parametrize("code", [WORKS, WAITS_FOR_NOBODY], ids=["waits", "waits for nobody"])
def test_a_total_keeps_what_ended_children_used(processes: Processes, code: str) -> None:
    """The CPU time of a child counts while it runs, and stays when it has ended."""
    with (
        python(code) as process,
        closing(open_(processes, process.pid, TOTAL_USER, USER)) as reader,
    ):
        totals = [numbers(reader)]
        for command in ("start", "end", "start", "end"):
            ask(process, command)
            totals.append(numbers(reader))

    before, working, ended, working_again, ended_again = (total for total, _ in totals)
    assert working >= before + 0.2
    assert working <= ended < working + 0.2
    assert working_again >= ended + 0.2
    assert working_again <= ended_again < working_again + 0.2


def test_an_ended_process_is_gone(processes: Processes) -> None:
    """A read of an ended process raises ProcessGone, also before anybody has waited for it."""
    process = subprocess.Popen(["sleep", "1000"])
    with (
        closing(open_(processes, process.pid, USER)) as own,
        closing(open_(processes, process.pid, TOTAL_USER)) as total,
    ):
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        for reader in (own, total):
            with pytest.raises(ProcessGone, match=f"process {process.pid} is gone"):
                reader.read()
        process.wait()
        for reader in (own, total):
            with pytest.raises(ProcessGone, match=f"process {process.pid} is gone"):
                reader.read()


def test_another_process_with_the_pid_is_not_read(processes: Processes) -> None:
    """A process that is no more is gone, though its PID may live again."""
    own = identified(processes, os.getpid())
    source = ProcessSource(processes)

    for other in (own._replace(started_s=own.started_s - 60), own._replace(pid=gone())):
        with pytest.raises(ProcessGone, match=f"process {other.pid} is gone"):
            source.open(other, [RSS])


def test_a_process_without_its_first_thread_is_read() -> None:
    """A process whose first thread has ended has its memory and its CPU time."""
    processes = LinuxProcesses()
    with (
        python(FIRST_THREAD_ENDED) as process,
        closing(open_(processes, process.pid, RSS, TOTAL_RSS, USER)) as reader,
    ):
        rss, total_rss, user = numbers(reader)

    assert rss == total_rss > 30 << 20
    assert user >= 0


def test_a_closed_reader_holds_nothing_open(processes: Processes) -> None:
    """Closing gives back every descriptor, and closing again is harmless."""
    before = set(os.listdir("/proc/self/fd"))
    for metric in (RSS, TOTAL_RSS):
        reader = open_(processes, os.getpid(), metric)
        reader.read()
        reader.close()
        reader.close()

    assert set(os.listdir("/proc/self/fd")) == before
