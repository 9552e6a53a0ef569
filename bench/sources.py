"""CPU time of a read, in µs, over 1,000 real processes, beside psutil's.

python -m bench.sources [PROCESSES]
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import psutil

from inspect_agent.model.metric import MetricId
from inspect_agent.model.target import Machine, Process
from inspect_agent.ports import Reader, Source
from inspect_agent.sources import procfs
from inspect_agent.sources.cpu import Cpu
from inspect_agent.sources.disk import Disk
from inspect_agent.sources.linux import LinuxProcesses
from inspect_agent.sources.load import Load
from inspect_agent.sources.memory import Memory
from inspect_agent.sources.portable import PortableProcesses
from inspect_agent.sources.process import ProcessSource
from inspect_agent.sources.swap import Swap
from inspect_agent.sources.tree import Pass, Processes

ROUNDS = 20
OWN = (MetricId("memory", "rss"), MetricId("cpu", "user"), MetricId("cpu", "system"))
TOTAL = (MetricId("memory", "total_rss"), MetricId("cpu", "total_user"))
HOST: tuple[Source, ...] = (Cpu(), Load(), Memory(), Swap(), Disk())


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with ExitStack() as stack:
        pids = [_sleeper(stack) for _ in range(count)]
        print(f"{count} processes, µs CPU a process and read, best of {ROUNDS}")
        _processes(pids)
    print(f"\nthe machine, µs CPU a read, best of {ROUNDS}")
    for source in HOST:
        reader = source.open(Machine(), source.names(Machine()))
        _print(source.families[0].name, _best_us(reader.read, 1))


def _sleeper(stack: ExitStack) -> int:
    sleeper = subprocess.Popen(["sleep", "600"])
    stack.callback(sleeper.wait)
    stack.callback(sleeper.kill)
    return sleeper.pid


def _processes(pids: Sequence[int]) -> None:
    linux, portable = LinuxProcesses(), PortableProcesses()
    by_psutil = [psutil.Process(pid) for pid in pids]

    def asked() -> None:
        for process in by_psutil:
            process.memory_info()
            process.cpu_times()

    passes = LinuxProcesses(below=Pass(procfs.parents, lambda: 0.0).below)
    _readers("rss, user, system", linux, pids, OWN)
    _print("  psutil: memory_info, cpu_times", _best_us(asked, len(pids)))
    _readers("  where there is no /proc", portable, pids, OWN)
    _readers("total_rss, total_user: children files", linux, pids, TOTAL)
    _readers("  no children files: one pass for all", passes, pids, TOTAL)
    _print("open and close", _best_us(lambda: _close(_open(linux, pids, OWN)), len(pids)))


def _readers(
    title: str, processes: Processes, pids: Sequence[int], metrics: Sequence[MetricId]
) -> None:
    readers = _open(processes, pids, metrics)

    def read() -> None:
        for reader in readers:
            reader.read()

    _print(title, _best_us(read, len(pids)))
    _close(readers)


def _open(processes: Processes, pids: Sequence[int], metrics: Sequence[MetricId]) -> list[Reader]:
    source = ProcessSource(processes)
    found = [processes.identify(pid) for pid in pids]
    return [source.open(process, metrics) for process in found if isinstance(process, Process)]


def _close(readers: Sequence[Reader]) -> None:
    for reader in readers:
        reader.close()


def _best_us(work: Callable[[], object], things: int) -> float:
    best_s = float("inf")
    for _ in range(ROUNDS):
        before_s = time.process_time()
        work()
        best_s = min(best_s, time.process_time() - before_s)
    return best_s / things * 1e6


def _print(title: str, us: float) -> None:
    print(f"  {title:<40}{us:9.1f}")


if __name__ == "__main__":
    main()
